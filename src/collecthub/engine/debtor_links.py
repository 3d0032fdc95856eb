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
from collecthub.store.contact_tables import debtor_helpers, debtor_links, debtor_visits
from collecthub.store.lost_key import DEBTOR_LINK
from collecthub.store.queries.scope import not_there
from collecthub.store.upsert import put

VISIT_LASTS = dt.timedelta(hours=2)
HELPER, HELPER_LASTS = "helper", dt.timedelta(days=90)
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
    role: str = ""  # helper, or empty for the debtor himself


def _random_token() -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(24))


def _random_code() -> str:
    return f"{secrets.randbelow(10**8):08d}"


def link_of(hub: Hub, work: Work, case_id: str) -> DebtorLink:
    """The debtor's address and code of a case; made when somebody first asks for them."""
    row = work.conn.execute(sa.select(debtor_links.c.sealed).where(debtor_links.c.case_id == case_id)).first()
    if row is None:
        token, code = _random_token(), _random_code()
        sealed = hub.key.seal(f"{token} {code}", DEBTOR_LINK, case_id)
        work.conn.execute(
            sa.insert(debtor_links).values(
                case_id=case_id, token_hash=token_digest(token), code_hash=token_digest(f"{case_id}/{code}"),
                sealed=sealed, created_at=work.now,
            )
        )
    else:
        token, code = hub.key.unseal(row.sealed, DEBTOR_LINK, case_id).split(" ")
    return DebtorLink(path=f"/d/{token}", code=f"{code[:4]} {code[4:]}")


def admit_helper(work: Work, case_id: str, name: str) -> DebtorLink:
    """An address and a code for who helps a debtor; they are shown once, and the ones before them end.

    They end by the clock on the wall, as logins do, and not by the business day.
    """
    token, code = _random_token(), _random_code()
    values = {
        "name": name, "token_hash": token_digest(token), "code_hash": token_digest(f"{case_id}/{HELPER}/{code}"), "tries": 0,
        "tried_at": None, "created_at": work.now, "ends_at": dt.datetime.now(dt.UTC) + HELPER_LASTS,
    }  # fmt: skip
    put(work.conn, debtor_helpers, {"case_id": case_id, **values})
    _end_visits(work, case_id)
    return DebtorLink(path=f"/d/{token}", code=f"{code[:4]} {code[4:]}")


def end_helper(work: Work, case_id: str) -> bool:
    """Take the helper's access back at once; False where there was none."""
    _end_visits(work, case_id)
    return work.conn.execute(sa.delete(debtor_helpers).where(debtor_helpers.c.case_id == case_id)).rowcount > 0


def helper_of(conn: sa.Connection, case_id: str, now: dt.datetime) -> str:
    """Who helps the debtor of a case today; empty where nobody does."""
    mine = (debtor_helpers.c.case_id == case_id) & (debtor_helpers.c.ends_at > now)
    return conn.scalar(sa.select(debtor_helpers.c.name).where(mine)) or ""


def _end_visits(work: Work, case_id: str) -> None:
    mine = (debtor_visits.c.case_id == case_id) & (debtor_visits.c.role == HELPER)
    work.conn.execute(sa.delete(debtor_visits).where(mine))


def enter(conn: sa.Connection, token: str, code: str, now: dt.datetime) -> str | None:
    """The token of a new visit, None for a wrong code. Raises `NotThereError`, or `RetryableError` after many wrong codes."""
    row, role = _door(conn, token, now, lock=True)
    table = debtor_helpers if role else debtor_links
    wait = wait_seconds(row.tries, row.tried_at, now)
    if wait:
        raise RetryableError("too many wrong codes", cure="Wait and try again.", retry_after_seconds=wait)
    digits = "".join(char for char in code if char.isdigit())
    fits = hmac.compare_digest(row.code_hash, token_digest("/".join(filter(None, (row.case_id, role, digits)))))
    conn.execute(
        sa.update(table)
        .where(table.c.case_id == row.case_id)
        .values(tries=0 if fits else row.tries + 1, tried_at=now)
    )
    if not fits:
        return None
    visit = secrets.token_urlsafe(32)
    conn.execute(sa.delete(debtor_visits).where(debtor_visits.c.expires_at < now))
    conn.execute(
        sa.insert(debtor_visits).values(
            visit_hash=token_digest(visit), case_id=row.case_id, csrf=secrets.token_urlsafe(24), role=role,
            expires_at=now + VISIT_LASTS,
        )
    )
    return visit


def read_visit(conn: sa.Connection, token: str, visit: str, now: dt.datetime) -> DebtorVisit | None:
    """The visit of a browser, if its address and itself are alive. Raises `NotThereError` for a dead address."""
    row, role = _door(conn, token, now)
    mine = (debtor_visits.c.visit_hash == token_digest(visit)) & (debtor_visits.c.case_id == row.case_id)
    mine &= debtor_visits.c.role == role
    found = conn.execute(sa.select(debtor_visits).where(mine, debtor_visits.c.expires_at > now)).first()
    return DebtorVisit(case_id=found.case_id, csrf=found.csrf, role=role) if found else None


def _door(conn: sa.Connection, token: str, now: dt.datetime, *, lock: bool = False) -> tuple[Any, str]:
    """The row behind a live address, and who comes by it: a helper, or the debtor (empty). Raises `NotThereError`."""
    digest = token_digest(token)
    for table, is_alive, role in (
        (debtor_links, debtor_links.c.revoked_at.is_(None), ""), (debtor_helpers, debtor_helpers.c.ends_at > now, HELPER),
    ):  # fmt: skip
        query = sa.select(table).where(table.c.token_hash == digest, is_alive)
        row = conn.execute(query.with_for_update() if lock else query).first()
        if row is not None:
            return row, role
    raise not_there("page", "of this address")
