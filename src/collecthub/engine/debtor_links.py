"""A debtor's own page without a login: a personal address, and a code that stands beside it in every message.

Both are random. They are kept sealed with the master key, because every message to the same debtor names the same ones, and
as digests by which a visitor is known. Wrong codes cost time that doubles and ends.
"""

from __future__ import annotations

import datetime as dt
import hmac
import secrets
from typing import Any

import msgspec
import sqlalchemy as sa

from collecthub.engine.context import Hub, Work
from collecthub.engine.page_guard import wait_seconds
from collecthub.errors import RetryableError
from collecthub.store.accounts import token_digest
from collecthub.store.contact_tables import debtor_links, debtor_visits
from collecthub.store.queries.scope import not_there

VISIT_LASTS = dt.timedelta(hours=2)
_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"  # without what is misread on paper


class DebtorLink(msgspec.Struct, frozen=True, kw_only=True):
    """The address and the code, as messages print them."""

    path: str
    code: str

    def __repr__(self) -> str:
        return "DebtorLink(...)"


class DebtorVisit(msgspec.Struct, frozen=True, kw_only=True):
    """A browser that gave the code."""

    case_id: str
    csrf: str


def link_of(hub: Hub, work: Work, case_id: str) -> DebtorLink:
    """The debtor's address and code of a case; made when somebody first asks for them."""
    row = work.conn.execute(sa.select(debtor_links.c.sealed).where(debtor_links.c.case_id == case_id)).first()
    if row is None:
        token = "".join(secrets.choice(_ALPHABET) for _ in range(24))
        code = f"{secrets.randbelow(10**8):08d}"
        sealed = hub.key.seal(f"{token} {code}", "debtor_link", case_id)
        work.conn.execute(
            sa.insert(debtor_links).values(
                case_id=case_id, token_hash=token_digest(token), code_hash=token_digest(f"{case_id}/{code}"),
                sealed=sealed, created_at=work.now,
            )
        )
    else:
        token, code = hub.key.unseal(row.sealed, "debtor_link", case_id).split(" ")
    return DebtorLink(path=f"/d/{token}", code=f"{code[:4]} {code[4:]}")


def case_of_link(conn: sa.Connection, token: str) -> str:
    """The case of a live address. Raises `NotThereError`."""
    return str(_link(conn, token).case_id)


def enter(conn: sa.Connection, token: str, code: str, now: dt.datetime) -> str | None:
    """The token of a new visit, None for a wrong code. Raises `NotThereError`, or `RetryableError` after many wrong codes."""
    row = _link(conn, token, lock=True)
    wait = wait_seconds(row.tries, row.tried_at, now)
    if wait:
        raise RetryableError("too many wrong codes", cure="Wait and try again.", retry_after_seconds=wait)
    digits = "".join(char for char in code if char.isdigit())
    fits = hmac.compare_digest(row.code_hash, token_digest(f"{row.case_id}/{digits}"))
    conn.execute(
        sa.update(debtor_links)
        .where(debtor_links.c.case_id == row.case_id)
        .values(tries=0 if fits else row.tries + 1, tried_at=now)
    )
    if not fits:
        return None
    visit = secrets.token_urlsafe(32)
    conn.execute(sa.delete(debtor_visits).where(debtor_visits.c.expires_at < now))
    conn.execute(
        sa.insert(debtor_visits).values(
            visit_hash=token_digest(visit), case_id=row.case_id, csrf=secrets.token_urlsafe(24), expires_at=now + VISIT_LASTS
        )
    )
    return visit


def read_visit(conn: sa.Connection, token: str, visit: str, now: dt.datetime) -> DebtorVisit | None:
    """The visit of a browser, if its address and itself are alive. Raises `NotThereError` for a dead address."""
    row = _link(conn, token)
    mine = (debtor_visits.c.visit_hash == token_digest(visit)) & (debtor_visits.c.case_id == row.case_id)
    found = conn.execute(sa.select(debtor_visits).where(mine, debtor_visits.c.expires_at > now)).first()
    return DebtorVisit(case_id=found.case_id, csrf=found.csrf) if found else None


def _link(conn: sa.Connection, token: str, *, lock: bool = False) -> Any:
    query = sa.select(debtor_links).where(debtor_links.c.token_hash == token_digest(token), debtor_links.c.revoked_at.is_(None))
    row = conn.execute(query.with_for_update() if lock else query).first()
    if row is None:
        raise not_there("page", "of this address")
    return row
