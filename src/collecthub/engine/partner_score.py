"""The SLA ledger of partners, their score and their answer to it, and the reminders to those who are late.

The ledger is read from the sealed histories of the cases each time: nothing is noted down twice that could differ.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping

import msgspec
import sqlalchemy as sa

from collecthub.engine.case_work import change_case, locked_case
from collecthub.engine.context import Hub, Work
from collecthub.engine.partner_texts import language_of_partner, partner_text
from collecthub.model.days_off import zones_of
from collecthub.model.event import InstructionQueued
from collecthub.model.exchange import InstructionCode
from collecthub.model.ids import derived_id, new_id
from collecthub.model.money_transfer import Transfer
from collecthub.model.partner_sla import PointScore, SlaEntry, entries_of, late_now, score
from collecthub.model.rungs import RungClocks
from collecthub.store import partner_tables as p
from collecthub.store import tables as t
from collecthub.store.case_log import read_histories
from collecthub.store.connections import read_profiles
from collecthub.store.facts import read_fact, write_fact
from collecthub.store.queries.scope import Scope, at_partner, not_there
from collecthub.store.remittance_tables import transfers
from collecthub.wire.decoders import decoder

JOB = "remind_partner"
CASES_PER_READ = 200
REMINDED_ON = "partners_reminded_on"
REMIND_EVERY = dt.timedelta(days=7)
_LAST_EVENT = 2**31 - 1


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What a partner said to its score."""

    answer_id: str
    text: str
    created_at: dt.datetime


class PartnerScore(msgspec.Struct, frozen=True, kw_only=True):
    """A partner's score, what is overdue now, and what it answered."""

    partner_id: str
    score: PointScore
    late: tuple[SlaEntry, ...]
    answers: tuple[Answer, ...]


def sla_entries(conn: sa.Connection, partner_id: str) -> Iterator[SlaEntry]:
    """The ledger of one partner over the cases that it holds or held, case by case."""
    clocks = _clocks(conn).get(partner_id, RungClocks())
    remitted = _remitted(conn, partner_id)
    mine = sa.select(t.messages.c.case_id).where(t.messages.c.partner_id == partner_id).distinct()
    after = ""
    while True:
        ids = list(conn.scalars(mine.where(t.messages.c.case_id > after).order_by(t.messages.c.case_id).limit(CASES_PER_READ)))
        if not ids:
            return
        for history in read_histories(conn, ids, _LAST_EVENT).values():
            yield from entries_of(history, partner_id, clocks, remitted)
        after = ids[-1]


def _clocks(conn: sa.Connection) -> dict[str, RungClocks]:
    return {profile.partner_id: profile.clocks for profile in read_profiles(conn)}


def _remitted(conn: sa.Connection, partner_id: str) -> Mapping[str, dt.datetime]:
    """When each payment was passed on, as the partner or his paper said."""
    query = sa.select(transfers.c.doc, transfers.c.entered_at).where(transfers.c.partner_id == partner_id)
    return {line.payment_ref: at for doc, at in conn.execute(query) for line in decoder(Transfer).decode(doc).lines}


def partner_score(conn: sa.Connection, scope: Scope, partner_id: str, now: dt.datetime) -> PartnerScore:
    """A partner's score for itself or for the operator. Raises `NotThereError` for everybody else."""
    known = sa.select(t.partners.c.partner_id).where(
        t.partners.c.partner_id == partner_id, at_partner(scope, t.partners.c.partner_id)
    )
    if conn.scalar(known) is None:
        raise not_there("partner", partner_id)
    entries = tuple(sla_entries(conn, partner_id))
    query = sa.select(p.partner_answers).where(p.partner_answers.c.partner_id == partner_id)
    answers = tuple(
        Answer(answer_id=row.answer_id, text=row.text, created_at=row.created_at)
        for row in conn.execute(query.order_by(p.partner_answers.c.created_at.desc()))
    )
    return PartnerScore(partner_id=partner_id, score=score(entries, now), late=late_now(entries, now), answers=answers)


def answer_score(work: Work, partner_id: str, *, text: str, actor: str) -> str:
    """Keep what a partner says to its score; people who look at the score see it."""
    answer_id = new_id()
    work.conn.execute(
        sa.insert(p.partner_answers).values(
            answer_id=answer_id, partner_id=partner_id, subject="score", text=text, actor=actor, created_at=work.now
        )
    )
    return answer_id


# --- reminders ------------------------------------------------------------------------------------


def watch_partners(hub: Hub) -> None:
    """Once a day: have every partner reminded that holds cases."""
    today = hub.business_date().isoformat()
    with hub.database.read() as conn:
        if read_fact(conn, REMINDED_ON) == today:
            return
        holders = conn.scalars(sa.select(t.cases.c.partner_id).where(t.cases.c.partner_id.is_not(None)).distinct()).all()
    with hub.work() as work:
        write_fact(work.conn, REMINDED_ON, today)
        for partner_id in holders:
            work.wake(JOB, str(partner_id))


def remind_partners(hub: Hub, partner_id: str) -> None:
    """Tell a partner what it is late with, each step of a placement once a week."""
    with hub.database.read() as conn:
        late = late_now(tuple(sla_entries(conn, partner_id)), hub.now())
    for entry in late:
        _remind_of(hub, partner_id, entry)


def _remind_of(hub: Hub, partner_id: str, entry: SlaEntry) -> None:
    """One reminder of a step, unless this week's was sent or the case is no longer with the partner."""
    with hub.work() as work:
        round_ = (work.now - entry.due_at) // REMIND_EVERY
        mine = (p.partner_reminders.c.placement_id == entry.placement_id) & (p.partner_reminders.c.step == entry.step)
        known = sa.select(p.partner_reminders.c.round).where(mine, p.partner_reminders.c.round == round_)
        if work.conn.scalar(known) is not None:
            return
        case = locked_case(work, entry.case_id)
        placement = case.placement
        if placement is None or not placement.is_out or placement.placement_id != entry.placement_id:
            return
        work.conn.execute(
            sa.insert(p.partner_reminders).values(
                placement_id=entry.placement_id, step=entry.step, round=round_, partner_id=partner_id,
                case_id=entry.case_id, created_at=work.now,
            )
        )
        language = language_of_partner(work.conn, partner_id, work.now.date())
        due_on = entry.due_at.astimezone(zones_of(placement.country)[0]).date()
        text = partner_text(language, f"late_{entry.step}", number=case.number, due=due_on)
        message_id = derived_id("reminder", entry.placement_id, entry.step, str(round_))
        fact = InstructionQueued(message_id=message_id, code=InstructionCode.NEXT_ACT.value, text=text)
        change_case(hub, work, case, [fact], actor="hub")
