"""A partner's own page without a login: a personal address, and a code that travels apart from it.

Address and code are random and stored as SHA-256. Wrong codes cost time that doubles and ends, per link. A visit is a
browser that gave the code; it ends with the link, at the latest after half a day.
"""

from __future__ import annotations

import datetime as dt
import hmac
import secrets
import zoneinfo
from typing import Any

import msgspec
import sqlalchemy as sa

from collecthub.engine.context import Work
from collecthub.engine.page_guard import wait_seconds
from collecthub.errors import PermanentError, RetryableError
from collecthub.model.ids import new_id
from collecthub.store import partner_tables as p
from collecthub.store import tables as t
from collecthub.store.accounts import token_digest
from collecthub.store.audit import append_audit
from collecthub.store.queries.scope import Role, Scope, not_there

LANGUAGES = ("en", "nl", "fr", "de", "es")
LINK_LASTS, VISIT_LASTS = dt.timedelta(days=90), dt.timedelta(hours=12)


class NewLink(msgspec.Struct, frozen=True, kw_only=True):
    """A new personal address. Path and code are shown this once; send them by two ways."""

    link_id: str
    path: str
    code: str
    expires_at: dt.datetime


class LinkView(msgspec.Struct, frozen=True, kw_only=True):
    """A personal address as the operator's list shows it."""

    link_id: str
    partner_id: str
    language: str
    zone: str
    created_at: dt.datetime
    expires_at: dt.datetime
    revoked_at: dt.datetime | None


class Visit(msgspec.Struct, frozen=True, kw_only=True):
    """A browser on a partner's page."""

    link_id: str
    partner_id: str
    language: str
    zone: str
    csrf: str

    @property
    def scope(self) -> Scope:
        """What the visitor may see: what a login of the partner may."""
        return Scope(role=Role.PARTNER, subject=f"link:{self.link_id}", partner_id=self.partner_id)


def make_link(work: Work, scope: Scope, *, partner_id: str, language: str, zone: str, now: dt.datetime) -> NewLink:
    """A new address for a partner. Raises `PermanentError` for a language or time zone that the page does not know."""
    if scope.role is not Role.OPERATOR or work.conn.scalar(_PARTNER, {"of": partner_id}) is None:
        raise not_there("partner", partner_id)
    if language not in LANGUAGES:
        raise PermanentError(f"the page does not speak {language[:8]!r}", cure=f"Choose one of {', '.join(LANGUAGES)}.")
    if zone not in zoneinfo.available_timezones():
        raise PermanentError(f"there is no time zone {zone[:40]!r}", cure="Write it like America/Montevideo.")
    token, code = secrets.token_urlsafe(32), f"{secrets.randbelow(10**8):08d}"
    made = NewLink(link_id=new_id(), path=f"/p/{token}", code=code, expires_at=now + LINK_LASTS)
    work.conn.execute(
        sa.insert(p.partner_links).values(
            link_id=made.link_id, partner_id=partner_id, token_hash=token_digest(token),
            code_hash=token_digest(f"{made.link_id}/{code}"), language=language, zone=zone, created_by=scope.subject,
            created_at=now, expires_at=made.expires_at,
        )
    )
    append_audit(
        work.conn, now=work.now, actor=scope.subject, action="partner_link.made", subject=made.link_id, detail=partner_id
    )
    return made


_PARTNER = sa.select(t.partners.c.partner_id).where(t.partners.c.partner_id == sa.bindparam("of"))


def list_links(conn: sa.Connection, partner_id: str) -> tuple[LinkView, ...]:
    """A partner's addresses, newest first."""
    query = sa.select(p.partner_links).where(p.partner_links.c.partner_id == partner_id)
    rows = conn.execute(query.order_by(p.partner_links.c.created_at.desc()))
    return tuple(LinkView(**{name: getattr(row, name) for name in LinkView.__struct_fields__}) for row in rows)


def revoke_link(work: Work, scope: Scope, link_id: str, now: dt.datetime) -> None:
    """End an address and every visit by it at once. Safe to repeat."""
    mine = p.partner_links.c.link_id == link_id
    if scope.role is not Role.OPERATOR or work.conn.scalar(sa.select(p.partner_links.c.link_id).where(mine)) is None:
        raise not_there("link", link_id)
    work.conn.execute(sa.update(p.partner_links).where(mine, p.partner_links.c.revoked_at.is_(None)).values(revoked_at=now))
    work.conn.execute(sa.delete(p.partner_visits).where(p.partner_visits.c.link_id == link_id))
    append_audit(work.conn, now=work.now, actor=scope.subject, action="partner_link.revoked", subject=link_id)


def language_of(conn: sa.Connection, token: str, now: dt.datetime) -> str:
    """The language of a live address. Raises `NotThereError` for any other."""
    row = conn.execute(_live(token, now)).first()
    if row is None:
        raise not_there("page", "of this address")
    return str(row.language)


def enter(conn: sa.Connection, token: str, code: str, now: dt.datetime) -> str | None:
    """The token of a new visit, None for a wrong code. Raises `NotThereError`, or `RetryableError` after many wrong codes."""
    row = conn.execute(_live(token, now).with_for_update()).first()
    if row is None:
        raise not_there("page", "of this address")
    wait = wait_seconds(row.tries, row.tried_at, now)
    if wait:
        raise RetryableError("too many wrong codes", cure="Wait and try again.", retry_after_seconds=wait)
    mine = p.partner_links.c.link_id == row.link_id
    fits = hmac.compare_digest(row.code_hash, token_digest(f"{row.link_id}/{code.strip()}"))
    tries = 0 if fits else row.tries + 1
    conn.execute(sa.update(p.partner_links).where(mine).values(tries=tries, tried_at=now))
    if not fits:
        return None
    visit = secrets.token_urlsafe(32)
    conn.execute(
        sa.insert(p.partner_visits).values(
            visit_hash=token_digest(visit), link_id=row.link_id, csrf=secrets.token_urlsafe(24), expires_at=now + VISIT_LASTS
        )
    )
    return visit


def read_visit(conn: sa.Connection, token: str, visit: str, now: dt.datetime) -> Visit | None:
    """The visit of a browser, if its address and itself are alive."""
    query = (
        sa.select(p.partner_links, p.partner_visits.c.csrf)
        .join(p.partner_visits, p.partner_visits.c.link_id == p.partner_links.c.link_id)
        .where(
            p.partner_links.c.token_hash == token_digest(token), p.partner_links.c.revoked_at.is_(None),
            p.partner_links.c.expires_at > now, p.partner_visits.c.visit_hash == token_digest(visit),
            p.partner_visits.c.expires_at > now,
        )
    )
    row = conn.execute(query).first()
    if row is None:
        return None
    return Visit(link_id=row.link_id, partner_id=row.partner_id, language=row.language, zone=row.zone, csrf=row.csrf)


def _live(token: str, now: dt.datetime) -> sa.Select[Any]:
    links = p.partner_links.c
    return sa.select(p.partner_links).where(
        links.token_hash == token_digest(token), links.revoked_at.is_(None), links.expires_at > now
    )
