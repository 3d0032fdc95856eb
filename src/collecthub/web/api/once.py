"""Changes that take effect once: Idempotency-Key, and If-Match against changes nobody has seen.

The key's row is written in the same transaction as the change. A repeat is answered with the stored status and
body; the same key with another request is refused.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import Depends, Header, Request, Response

from collecthub.engine.context import Hub, Work
from collecthub.store import tables as t
from collecthub.store.queries.scope import Scope
from collecthub.web.problems import ProblemError

KEY_LONGEST = 255
_ETAG = re.compile(r'(?:W/)?"v?([0-9]{1,9})"')


async def _once_key(
    request: Request,
    idempotency_key: Annotated[
        str | None, Header(description="Names this request; repeat it with the same key and body.")
    ] = None,
) -> tuple[str, str]:
    """The key, and the fingerprint of the request. Raises `idempotency-key-missing`."""
    if not idempotency_key:
        raise ProblemError("idempotency-key-missing", cure="Send a new random key with each new request.")
    if len(idempotency_key) > KEY_LONGEST:
        raise ProblemError("validation", f"The Idempotency-Key is longer than {KEY_LONGEST} characters.")
    parts = (request.method, request.scope["path"], request.scope.get("query_string", b"").decode("latin-1"))
    digest = hashlib.sha256("\n".join(parts).encode("utf-8", "surrogateescape"))
    digest.update(await request.body())
    return idempotency_key, digest.hexdigest()


async def _seen_version(
    if_match: Annotated[
        str | None, Header(description="The ETag of the case as you saw it, or * for whatever it is.")
    ] = None,
) -> int | None:
    """The version the caller saw; None for `*`. Raises `version-missing`."""
    if if_match is None:
        raise ProblemError("version-missing", cure="Send the ETag of the case as you saw it, or *.")
    if if_match.strip() == "*":
        return None
    match = _ETAG.fullmatch(if_match.strip())
    if match is None:
        raise ProblemError("version-changed", "This is not an ETag of a case.", cure="Read the case again.")
    return int(match.group(1))


OnceKey = Annotated[tuple[str, str], Depends(_once_key)]
SeenVersion = Annotated[int | None, Depends(_seen_version)]


def etag(version: int) -> str:
    """The ETag of a case at a version."""
    return f'"v{version}"'


def once(hub: Hub, scope: Scope, key: tuple[str, str], act: Callable[[Work], Response]) -> Response:
    """Do `act` in a transaction, once per key; a repeat gets the stored answer.

    A refused or failed `act` leaves nothing behind, its key included.
    """
    try:
        with hub.work() as work:
            stored = _stored(work.conn, scope, key)
            if stored is not None:
                return stored
            _reserve(work, scope, key)
            response = act(work)
            _fill(work, scope, key, response)
            return response
    except sa.exc.IntegrityError:
        with hub.database.read() as conn:
            stored = _stored(conn, scope, key)
        if stored is None:
            raise
        return stored


def _match(scope: Scope, key: str) -> sa.ColumnElement[bool]:
    return (t.idempotency.c.subject == scope.subject) & (t.idempotency.c.key == key)


def _stored(conn: sa.Connection, scope: Scope, key: tuple[str, str]) -> Response | None:
    row = conn.execute(sa.select(t.idempotency).where(_match(scope, key[0]))).first()
    if row is None:
        return None
    if row.fingerprint != key[1]:
        raise ProblemError("idempotency-key-reused", cure="Send a new key with each new request.")
    headers: dict[str, Any] = json.loads(row.headers or "{}")
    headers["Idempotent-Replayed"] = "true"
    return Response(bytes(row.body), row.status, headers=headers)


def _reserve(work: Work, scope: Scope, key: tuple[str, str]) -> None:
    """Claim the key before the work: a second request with it waits here until the first has committed."""
    work.conn.execute(
        sa.insert(t.idempotency).values(
            subject=scope.subject, key=key[0], fingerprint=key[1], status=0, headers="", body=b"", created_at=work.now
        )
    )


def _fill(work: Work, scope: Scope, key: tuple[str, str], response: Response) -> None:
    kept = {name: value for name, value in response.headers.items() if name in ("content-type", "etag", "location")}
    work.conn.execute(
        sa.update(t.idempotency)
        .where(_match(scope, key[0]))
        .values(status=response.status_code, headers=json.dumps(kept), body=bytes(response.body))
    )
