"""Steps of contact for lists: what was said to whom, and what waits."""

from __future__ import annotations

import datetime as dt

import msgspec
import sqlalchemy as sa

from collecthub.model.contact import BY_PEOPLE, Channel
from collecthub.store import tables as t
from collecthub.store.contact_tables import contacts
from collecthub.store.queries.scope import Scope, owned_by

WRITTEN = tuple(one.value for one in Channel if one not in BY_PEOPLE)


class ContactRow(msgspec.Struct, frozen=True, kw_only=True):
    """One step of one case."""

    contact_id: str
    case_id: str
    number: str
    channel: str
    step: str
    tone: str
    state: str
    queued_at: dt.datetime
    sent_at: dt.datetime | None
    problem: str


def read_contacts(
    conn: sa.Connection, scope: Scope, *, state: str = "", case_id: str = "", limit: int = 100
) -> list[ContactRow]:
    """The newest steps that somebody may see."""
    query = (
        sa.select(
            contacts.c.contact_id, contacts.c.case_id, t.cases.c.number, contacts.c.channel, contacts.c.step,
            contacts.c.tone, contacts.c.state, contacts.c.queued_at, contacts.c.sent_at, contacts.c.problem,
        )
        .join_from(contacts, t.cases, contacts.c.case_id == t.cases.c.case_id)
        .where(owned_by(scope, contacts.c.creditor_id))
        .order_by(contacts.c.queued_at.desc(), contacts.c.contact_id)
        .limit(limit)
    )
    if state:
        query = query.where(contacts.c.state == state)
    if case_id:
        query = query.where(contacts.c.case_id == case_id)
    return [ContactRow(**row._mapping) for row in conn.execute(query)]


def messages_sent(conn: sa.Connection, case_id: str) -> list[tuple[str, dt.date]]:
    """Channel and day of every written message of a case that left, oldest first: by it a debtor knows what is real."""
    mine = (contacts.c.case_id == case_id) & contacts.c.sent_at.is_not(None) & contacts.c.channel.in_(WRITTEN)
    query = sa.select(contacts.c.channel, contacts.c.sent_at).where(mine).order_by(contacts.c.sent_at, contacts.c.contact_id)
    return [(channel, sent_at.date()) for channel, sent_at in conn.execute(query)]
