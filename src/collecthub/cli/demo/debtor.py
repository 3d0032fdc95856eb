"""One debtor's story before everything else: reminders by a real mail server, a plan, and its last instalment.

Played in the months before the demo's day, while nothing else is in the hub: the business clock goes from one wait of
the case to the next, and the debtor answers as the page would let him. Told again from the case's own history.
"""

from __future__ import annotations

import datetime as dt
from collections import deque
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from collecthub.cli.demo.portfolio import Plan
from collecthub.cli.demo.town import OPERATOR, Town
from collecthub.config import HubSettings
from collecthub.corridor.decide import timers
from collecthub.engine.clock import tick
from collecthub.engine.context import Hub
from collecthub.engine.debtor_desk import Said, proposes_plan
from collecthub.engine.desk import record_payment
from collecthub.engine.doors import connect, create_creditor
from collecthub.engine.intake import Draft, DraftClaim, intake_connection_id, open_draft, ready_intake
from collecthub.engine.jobs import JOBS
from collecthub.errors import PermanentError
from collecthub.hub import open_hub
from collecthub.model.case import Case
from collecthub.model.contact import Channel, ContactPolicy, ContactStep, DayCount, Tone
from collecthub.model.party import Address, Contact, Party, PartyKind
from collecthub.model.plan import PlanState
from collecthub.store.case_log import read_case
from collecthub.store.connections import Exclusions, Playbook, change_connection, read_connection
from collecthub.store.contact_tables import contacts
from collecthub.store.facts import read_fact, write_fact
from collecthub.store.queries.case_file import timeline
from collecthub.store.queries.names import actor_names
from collecthub.store.queries.scope import LOCAL_OPERATOR
from collecthub.web.portal.sentences import Telling, tell

CREDITOR, MAIL = "waterwerk", "waterwerk-mail"
_CASE = "demo_debtor"  # the fact that remembers the story's case
DEBTOR = "mia.peeters@debtor.example"
_BEGINS_BEFORE = dt.timedelta(days=270)
_MOST_JUMPS = 60
_MONTHS, _LATE_NUMBER, _LATE_DAYS = 4, 2, 6  # of the four instalments the second comes six days late
_TOLD = frozenset(
    "case_opened contact_agreed contact_made plan_proposed plan_agreed payment_recorded instalment_missed plan_halfway "
    "plan_statement_due plan_completed case_closed".split()
)
POLICY = ContactPolicy(
    name="Reminders of the waterworks", handover_after_days=60, phone="+32 9 000 00 00",
    steps=(
        ContactStep(name="reminder 1", after_days=5, channel=Channel.EMAIL, tone=Tone.FRIENDLY, cost=Decimal("0.05")),
        ContactStep(
            name="reminder 2", after_days=20, days=DayCount.WORKING, channel=Channel.EMAIL, tone=Tone.FIRM,
            cost=Decimal("0.05"),
        ),
        ContactStep(name="last word", after_days=42, channel=Channel.EMAIL, tone=Tone.FINAL, cost=Decimal("0.05")),
    ),
)  # fmt: skip


class _Line:
    """Jobs in this thread, in order: the engine starts when the story is over."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[str, str]] = deque()

    def enqueue(self, conn: sa.Connection, job: str, target: str) -> None:
        """Put a job in line; every one may be run again."""
        if (job, target) not in self._waiting:
            self._waiting.append((job, target))

    def run(self, hub: Hub) -> None:
        """Do what waits and what it wakes."""
        while self._waiting:
            job, target = self._waiting.popleft()
            JOBS[job](hub, target)


def play_debtor(settings: HubSettings, town: Town, plan: Plan) -> None:
    """Play the story, or go on where it stopped; nothing when it is told already."""
    hub = open_hub(settings)
    try:
        line = _Line()
        hub.queue = line
        hub.set_clock(_ten(plan.as_of - _BEGINS_BEFORE))
        case = _begun(hub, town)
        for _ in range(_MOST_JUMPS):
            if not case.is_open:
                return
            hub.set_clock(max(_next_moment(hub, case), _ten(case.changed_at.date()), hub.now()))
            tick(hub)
            line.run(hub)
            _answer(hub, _read(hub, case.case_id))
            line.run(hub)
            case = _read(hub, case.case_id)
        raise PermanentError("the debtor's story did not come to its end", cure="Look at its case in the portal.")
    finally:
        hub.close()


def _ten(day: dt.date) -> dt.datetime:
    """Ten in the morning: debtors are not written to at night."""
    return dt.datetime.combine(day, dt.time(10), dt.UTC)


def _read(hub: Hub, case_id: str) -> Case:
    with hub.database.read() as conn:
        case = read_case(conn, case_id)
    assert case is not None, "the story's case is never removed"
    return case


def _begun(hub: Hub, town: Town) -> Case:
    with hub.database.read() as conn:
        known, case_id = read_connection(conn, MAIL) is not None, read_fact(conn, _CASE)
    if case_id:
        return _read(hub, case_id)
    if not known:
        party = Party(name="Waterwerk Schelde", country="BE", language="nl", address=Address(country="BE"))
        playbook = Playbook(owner="Nora Claes", payment_account="BE68539007547034", contact=(POLICY,))
        create_creditor(hub, party, playbook, creditor_id=CREDITOR)
        ready_intake(hub, LOCAL_OPERATOR, CREDITOR)
        facts = town["mail"].facts
        with hub.work() as work:
            change_connection(work.conn, intake_connection_id(CREDITOR), release=Exclusions(reminders_by="hub"))
            connect(
                hub, work, LOCAL_OPERATOR, kind="contact_smtp", name="Mail of the waterworks", creditor_id=CREDITOR,
                settings={
                    "host": facts["smtp_host"], "port": facts["smtp_port"], "security": "none",
                    "sender": f"reminders@{OPERATOR}.example",
                },
                connection_id=MAIL,
            )
    with hub.work() as work:
        found = open_draft(hub, work, LOCAL_OPERATOR, CREDITOR, _draft(hub.business_date()), origin="demo")
        assert found.case_id is not None, "a sound draft becomes a case"
        write_fact(work.conn, _CASE, found.case_id)
    return _read(hub, found.case_id)


def _draft(today: dt.date) -> Draft:
    due_on = today - dt.timedelta(days=1)
    return Draft(
        debtor=Party(
            name="Mia Peeters", kind=PartyKind.PERSON, country="BE", language="nl",
            address=Address(lines=("Korenmarkt 7",), postcode="9000", city="Gent", country="BE"),
            contacts=(Contact(email=DEBTOR, phone="+32 470 12 34 56"),),
        ),
        currency="EUR", debtor_ref="MIA-1", origin_ref="",
        claims=(
            DraftClaim(
                number="W-2025-118", issued_on=due_on - dt.timedelta(days=30), due_on=due_on, amount=Decimal("412.50"),
                open_amount=Decimal("412.50"),
            ),
        ),
    )  # fmt: skip


def _next_moment(hub: Hub, case: Case) -> dt.datetime:
    """When something happens next: a wait of the case ends, a message may leave, or an instalment falls due."""
    with hub.database.read() as conn:
        query = sa.select(sa.func.min(contacts.c.next_attempt_at)).where(contacts.c.state == "queued")
        moments = [_ten(timer.due_at.date()) for timer in timers(case)]
        if (message := conn.scalar(query)) is not None:
            moments.append(message)
    if (day := _pays_on(case)) is not None:
        moments.append(_ten(day))
    return min(moments, default=hub.now() + dt.timedelta(days=1))


def _pays_on(case: Case) -> dt.date | None:
    part = case.plan.next_instalment if case.plan is not None and case.plan.is_running else None
    if part is None:
        return None
    return part.due_on + dt.timedelta(days=_LATE_DAYS if part.number == _LATE_NUMBER else 0)


def _answer(hub: Hub, case: Case) -> None:
    """What Mia does on this day: nothing, a proposal on her page after the second reminder, or a payment."""
    if case.contact is not None and case.contact.taken >= 2 and case.plan is None:
        proposes_plan(hub, case.case_id, Said(months=_MONTHS, text="Ik kan elke maand een deel betalen."))
        return
    pays_on = _pays_on(case)
    if pays_on is None or pays_on > hub.business_date() or case.plan is None or case.plan.state is PlanState.PROPOSED:
        return
    part = case.plan.next_instalment
    assert part is not None, "there is a day on which she pays"
    with hub.work() as work:
        record_payment(
            hub, work, LOCAL_OPERATOR, case.case_id, amount=part.amount, paid_on=hub.business_date(),
            note=f"instalment {part.number}",
        )


def told_debtor(hub: Hub, town: Town) -> dict[str, Any]:
    """The story as the case's history and the mail server have it; empty where it was never played."""
    with hub.database.read() as conn:
        case_id = read_fact(conn, _CASE)
        case = read_case(conn, case_id) if case_id else None
        if case is None or case_id is None:
            return {}
        entries = [one for one in timeline(conn, LOCAL_OPERATOR, case_id) if one.kind in _TOLD]
        actors = actor_names(conn, [one.actor for one in entries if isinstance(one.actor, str)])
    telling = Telling(currency=case.currency, claims={one.claim_id: one.number for one in case.claims}, partners={})
    steps = [
        {"kind": one.kind, "on": one.occurred_at.date().isoformat(), "what": one.text}
        for one in reversed(tell(entries, telling, actors))
    ]
    mails = town["mail"].control("messages", {"to": DEBTOR})["items"]
    return {
        "case_id": case_id, "number": case.number, "mails": len(mails), "balance": str(case.balance.total), "steps": steps
    }
