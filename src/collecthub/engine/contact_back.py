"""Runner of what comes back from debtors by a channel: bounces and replies enter their case, the rest is quarantined.

The bytes are evidence before anybody reads them. A mail is let go after its row is committed; one that is brought twice
finds its own trace and changes nothing.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa

from collecthub.contact_ports import CameBack, HearsBack
from collecthub.engine.case_work import change_case, locked_case, open_task
from collecthub.engine.context import Hub, Work
from collecthub.engine.noticing import hear_of_notice
from collecthub.engine.trouble import connection_trouble
from collecthub.errors import CollecthubError
from collecthub.model.case import Case
from collecthub.model.contact import Channel
from collecthub.model.contact_outcome import ANSWER, ANSWER_DAYS
from collecthub.model.event import Fact, HoldSet
from collecthub.model.facts_contact import (
    ChannelLost,
    ConsentWithdrawn,
    ContactAnswered,
    ContactQueued,
    ContactReturned,
)
from collecthub.model.ids import derived_id
from collecthub.store.connections import ConnectionRow, read_connection
from collecthub.store.contact_tables import contacts
from collecthub.store.quarantine import quarantine_row
from collecthub.store.tables import cases

JOB = "contact_back"
BOUNCE, REPLY = "bounce", "reply"
STOPS = frozenset({"stop", "stopp", "stoppen", "arret", "arrêt", "unsubscribe"})
_NUMBER_DIGITS = 8  # without what a number abroad and at home begin with
SENT, IN_DOUBT, RETURNED, ANSWERED = "sent", "in_doubt", "returned", "answered"


def hear_debtors(hub: Hub, connection_id: str) -> None:
    """Record everything that came back by a channel."""
    with hub.database.read() as conn:
        line = read_connection(conn, connection_id)
    messenger = hub.connector_for(line) if line is not None else None
    if line is None or not isinstance(messenger, HearsBack):
        return
    try:
        for name, content in messenger.entries():
            sha256 = hub.evidence.keep(content)
            said = messenger.understand(content)
            with hub.work() as work:
                _record(hub, work, line, name, sha256, said)
            messenger.take(name)
    except CollecthubError as error:
        connection_trouble(hub, connection_id, error, job=JOB)


def _record(hub: Hub, work: Work, line: ConnectionRow, name: str, sha256: str, said: CameBack | None) -> None:
    row = _contact(work, line, said) if said is not None else None
    if row is None and said is not None and hear_of_notice(work, line, said):
        return
    if said is None or row is None:
        quarantine_row(
            work.conn, line, "message", name[:140], "contact.unknown",
            "a mail came back that is about no message of ours: read it and act on it", sha256, work.now,
        )  # fmt: skip
        return
    if said.kind == BOUNCE and row.state in (SENT, IN_DOUBT):
        _bounced(hub, work, row, said)
    elif said.kind == REPLY:
        _answered(hub, work, row, said, sha256)


def _contact(work: Work, line: ConnectionRow, said: CameBack) -> Any:
    mine = contacts.c.connection_id == line.connection_id
    if said.contact_id:
        return work.conn.execute(sa.select(contacts).where(mine, contacts.c.contact_id == said.contact_id)).first()
    digits = "".join(char for char in said.sender if char.isdigit())[-_NUMBER_DIGITS:]
    if len(digits) < _NUMBER_DIGITS:
        return None
    query = (  # the last message to this number: what cases are searched by holds their debtor's phone numbers
        sa.select(contacts)
        .join_from(contacts, cases, contacts.c.case_id == cases.c.case_id)
        .where(mine, contacts.c.sent_at.is_not(None), cases.c.search.contains(digits, autoescape=True))
        .order_by(contacts.c.sent_at.desc(), contacts.c.contact_id)
        .limit(1)
    )
    return work.conn.execute(query).first()


def _bounced(hub: Hub, work: Work, row: Any, said: CameBack) -> None:
    """The debtor never had it. Its step goes by the other channel, if it is the last one that was taken."""
    case, channel = locked_case(work, row.case_id), Channel(row.channel)
    _note(work, row, state=RETURNED, problem=said.reason[:2000])
    again = _again(case, row, channel)
    returned = ContactReturned(
        contact_id=row.contact_id, step=row.step, channel=channel, reason=said.reason, is_undone=again is not None
    )
    facts: list[Fact] = [ChannelLost(channel=channel, reason=said.reason), returned, *((again,) if again else ())]
    change_case(hub, work, case, facts, actor="hub")
    if again is None:
        open_task(
            work, kind="unreachable", title=f"case {case.number}: {row.step} came back", detail=said.reason[:2000],
            creditor_id=case.creditor_id, case_id=case.case_id,
        )  # fmt: skip


def _again(case: Case, row: Any, channel: Channel) -> ContactQueued | None:
    contact = case.contact
    if contact is None or not case.is_open or contact.is_over or contact.pending_id or not contact.taken:
        return None
    step, fallback = contact.policy.steps[contact.taken - 1], contact.policy.fallback
    if step.name != row.step or fallback is channel or fallback in contact.lost:
        return None
    contact_id = derived_id(row.contact_id, fallback.value)
    return ContactQueued(contact_id=contact_id, step=step.name, channel=fallback, tone=step.tone)


def _answered(hub: Hub, work: Work, row: Any, said: CameBack, sha256: str) -> None:
    """A person reads it; until then, at most some days, nothing more is said."""
    case = locked_case(work, row.case_id)
    if any(sha256 == known for known in _answers(work, row)):
        return
    _note(work, row, state=ANSWERED if row.state in (SENT, IN_DOUBT) else row.state, receipt_ref=f"answer {sha256}")
    until = work.now.date() + dt.timedelta(days=ANSWER_DAYS)
    answered = ContactAnswered(contact_id=row.contact_id, channel=Channel(row.channel), text=said.text, sha256=sha256)
    if row.channel == Channel.SMS.value and said.text.strip().strip(".!").casefold() in STOPS:
        stopped = ConsentWithdrawn(channel=Channel.SMS)  # the other channels go on: nobody needs to read it first
        change_case(hub, work, case, [answered, stopped], actor=f"debtor:{case.case_id}")
        return
    facts: list[Fact] = [answered]
    if case.is_open:
        facts.append(HoldSet(reason=ANSWER, note="the debtor answered", until_on=until))
    case = change_case(hub, work, case, facts, actor=f"debtor:{case.case_id}")
    open_task(
        work, kind="reply", title=f"case {case.number}: the debtor answered {row.step}", detail=said.text[:2000],
        creditor_id=case.creditor_id, case_id=case.case_id, due_at=work.now + dt.timedelta(days=2),
    )  # fmt: skip


def _answers(work: Work, row: Any) -> list[str]:
    said = work.conn.scalars(sa.select(contacts.c.receipt_ref).where(contacts.c.contact_id == row.contact_id))
    return [text.removeprefix("answer ") for text in said if text]


def _note(work: Work, row: Any, **values: object) -> None:
    work.conn.execute(sa.update(contacts).where(contacts.c.contact_id == row.contact_id).values(values))
