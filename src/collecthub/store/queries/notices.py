"""Notices before the due day for lists."""

from __future__ import annotations

import datetime as dt

import msgspec
import sqlalchemy as sa

from collecthub.store.notice_tables import due_notices, noticed_items
from collecthub.store.queries.scope import Scope, owned_by


class NoticeRow(msgspec.Struct, frozen=True, kw_only=True):
    """One notice: to which customer, about how many invoices, and what became of it."""

    notice_id: str
    creditor_id: str
    debtor_ref: str
    step: str
    channel: str
    state: str
    invoices: int
    queued_at: dt.datetime
    sent_at: dt.datetime | None
    problem: str


def read_notices(conn: sa.Connection, scope: Scope, *, state: str = "", limit: int = 100) -> list[NoticeRow]:
    """The newest notices that somebody may see."""
    c = due_notices.c
    invoices = (
        sa.select(sa.func.count())
        .where(noticed_items.c.notice_id == c.notice_id, noticed_items.c.books_id == c.books_id)
        .scalar_subquery()
    )
    query = (
        sa.select(
            c.notice_id, c.creditor_id, c.debtor_ref, c.step, c.channel, c.state, invoices.label("invoices"), c.queued_at,
            c.sent_at, c.problem,
        )
        .where(owned_by(scope, c.creditor_id))
        .order_by(c.queued_at.desc(), c.notice_id)
        .limit(limit)
    )  # fmt: skip
    if state:
        query = query.where(c.state == state)
    return [NoticeRow(**row._mapping) for row in conn.execute(query)]
