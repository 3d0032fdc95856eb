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
from pydantic import WithJsonSchema

from collecthub.engine.context import Hub, Work
from collecthub.model.case import Case
from collecthub.store import tables as t
from collecthub.store.queries.scope import Scope
from collecthub.web.answers import Done, answer
from collecthub.web.problems import ProblemError

KEY_LONGEST = 255
_ETAG = re.compile(r'(?:W/)?"v?([0-9]{1,9})(?:-[0-9a-f]{16})?"')
_NEEDED = WithJsonSchema({"type": "string"})  # the published description says that it must be there; we say it in our words


async def _once_key(
    request: Request,
    idempotency_key: Annotated[
        str | None, _NEEDED, Header(description="Names this request; repeat it with the same key and body.")
    ] = None,
) -> tuple[str, str]:
    """The key, and the fingerprint of the request. Raises `idempotency-key-missing`."""
    if not idempotency_key:
        raise ProblemError("idempotency-key-missing")
    if len(idempotency_key) > KEY_LONGEST:
        raise ProblemError("validation", f"The Idempotency-Key is longer than {KEY_LONGEST} characters.")
    parts = (request.method, request.scope["path"], request.scope.get("query_string", b"").decode("latin-1"))
    digest = hashlib.sha256("\n".join(parts).encode("utf-8", "surrogateescape"))
    digest.update(await request.body())
    return idempotency_key, digest.hexdigest()


async def _seen_version(
    if_match: Annotated[
        str | None, _NEEDED, Header(description="The ETag of the case as you saw it, or * for whatever it is.")
    ] = None,
) -> int | None:
    """The version the caller saw; None for `*`. Raises `version-missing`."""
    if if_match is None:
        raise ProblemError("version-missing")
    return await _version_if_told(if_match)


async def _version_if_told(
    if_match: Annotated[str | None, Header(description="The ETag of the case as you saw it, if it matters.")] = None,
) -> int | None:
    """The version the caller saw, if he says. Raises `version-changed` for what is no ETag of a case."""
    if if_match is None or if_match.strip() == "*":
        return None
    match = _ETAG.fullmatch(if_match.strip())
    if match is None:
        raise ProblemError("version-changed", "This is not an ETag of a case.", cure="Read the case again.")
    return int(match.group(1))


OnceKey = Annotated[tuple[str, str], Depends(_once_key)]
SeenVersion = Annotated[int | None, Depends(_seen_version)]
VersionIfTold = Annotated[int | None, Depends(_version_if_told)]
HeldTag = Annotated[str | None, Header(alias="If-None-Match", description="The ETag of the answer that you have.")]


def versioned(view: Any, version: int, held: str | None) -> Response:
    """A view of a case with its ETag, which comes back as If-Match; 304 for who has the very same answer already."""
    response = answer(view)
    tag = f'"v{version}-{hashlib.sha256(response.body).hexdigest()[:16]}"'
    if held is not None and tag in {part.strip().removeprefix("W/") for part in held.split(",")}:
        return Response(status_code=304, headers={"ETag": tag})
    response.headers["ETag"] = tag
    return response


def done_view(case: Case) -> Done:
    """A case after a change, in short."""
    return Done(case_id=case.case_id, version=case.version, status=case.status.value)


def done(case: Case) -> Response:
    """The answer to a change of a case, with the ETag for the next one."""
    return answer(done_view(case), headers={"ETag": f'"v{case.version}"'})


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
        raise ProblemError("idempotency-key-reused")
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
