"""What a debtor says on his page: each answer becomes a fact of his case at once, and a task where a person must look.

The scope is one case, fixed by the link; the actor is the debtor. Nothing here says no: what is not granted by itself
goes to a person.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec

from collecthub.engine.case_work import change_case, locked_case, open_task
from collecthub.engine.context import Hub, Work
from collecthub.engine.debtor_links import HELPER_LASTS, DebtorLink, admit_helper, end_helper
from collecthub.engine.desk import add_document, add_note
from collecthub.engine.documents import keep_document
from collecthub.engine.identity import identify
from collecthub.engine.objection_desk import explain_non_payment, file_complaint, find_hardship, raise_dispute
from collecthub.engine.page_guard import paper_type, safe_name
from collecthub.engine.person_requests import ACCESS, ERASURE, ask
from collecthub.engine.plan_desk import agree_plan, propose_plan
from collecthub.engine.solvency import contest_score
from collecthub.errors import PermanentError
from collecthub.model.case import Case
from collecthub.model.contact import Channel
from collecthub.model.event import Fact, HoldSet
from collecthub.model.facts_contact import (
    AppointmentAsked,
    ConsentGiven,
    ConsentWithdrawn,
    HelperAdmitted,
    HelperEnded,
)
from collecthub.model.facts_human import PlanBroken
from collecthub.model.objection import Hardship, NonPayment
from collecthub.store.case_log import read_events
from collecthub.store.queries.debtors import identity_of
from collecthub.store.queries.scope import Role, Scope

IDENTITY_HOLD = "identity"
LARGEST_UPLOAD = 10_000_000
PARTS: Mapping[str, dt.time] = {"morning": dt.time(9), "afternoon": dt.time(14), "evening": dt.time(18)}
REFUSABLE = (Channel.EMAIL, Channel.SMS)


class Enclosure(msgspec.Struct, frozen=True, kw_only=True):
    """A file the debtor sends along."""

    name: str
    content: bytes


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """One answer of a debtor. Which fields count follows from what he says."""

    text: str = ""
    amount: Decimal | None = None
    months: int | None = None
    on: dt.date | None = None
    part: str = ""  # of a day: one of PARTS
    by: str = ""  # phone or visit
    channels: tuple[str, ...] = ()  # by which he may be written to
    enclosure: Enclosure | None = None
    is_helper: bool = False  # who helps the debtor says it, not he himself


class NotTakenError(PermanentError):
    """What a debtor wrote cannot be taken as it is; `word` names the sentence of the page that says so in his language."""

    def __init__(self, word: str, message: str, cure: str) -> None:
        super().__init__(message, cure=cure)
        self.word = word


def debtor_scope(case_id: str, said: Said) -> Scope:
    """Who acts: the debtor of one case, or who helps him. The caller has the case from the link, never from the request."""
    return Scope(role=Role.OPERATOR, subject=f"{'helper' if said.is_helper else 'debtor'}:{case_id}")


def already_paid(hub: Hub, case_id: str, said: Said) -> None:
    """He has paid: nobody chases while a person looks for the money."""
    with hub.work() as work:
        scope = debtor_scope(case_id, said)
        _enclose(hub, work, scope, case_id, said, "payment_proof")
        explain_non_payment(hub, work, scope, case_id, reason=NonPayment.ALREADY_PAID, note=said.text)


def disputes(hub: Hub, case_id: str, said: Said) -> None:
    """He disagrees, in part or in full; the undisputed rest goes on."""
    with hub.work() as work:
        scope = debtor_scope(case_id, said)
        _enclose(hub, work, scope, case_id, said, "dispute_evidence")
        raise_dispute(hub, work, scope, case_id, ground=_needed(said.text), amount=said.amount)


def complains(hub: Hub, case_id: str, said: Said) -> None:
    """He complains about how he is treated; it is answered within its time."""
    with hub.work() as work:
        scope = debtor_scope(case_id, said)
        _enclose(hub, work, scope, case_id, said, "complaint")
        file_complaint(hub, work, scope, case_id, text=_needed(said.text))


def contests_score(hub: Hub, case_id: str, said: Said) -> None:
    """He does not accept how his ability to pay was judged; a person answers, and nothing costly begins until then."""
    with hub.work() as work:
        scope = debtor_scope(case_id, said)
        _enclose(hub, work, scope, case_id, said, "correspondence")
        contest_score(hub, work, scope, case_id, text=_needed(said.text))


def has_help(hub: Hub, case_id: str, said: Said) -> None:
    """A debt mediator or social service helps him: everything stops at once, and a person asks the helper."""
    with hub.work() as work:
        scope = debtor_scope(case_id, said)
        _enclose(hub, work, scope, case_id, said, "mediation")
        find_hardship(hub, work, scope, case_id, hardship=Hardship.DEBT_MEDIATION, note=said.text)


def proposes_plan(hub: Hub, case_id: str, said: Said) -> Case:
    """He offers instalments: an automatic yes within the limits, a person beyond them."""
    if said.months is None and said.amount is None:
        raise NotTakenError("plan_incomplete", "the plan is not complete", "Say how many months, or how much a month.")
    with hub.work() as work:
        return _propose(hub, work, case_id, said, count=said.months, capacity=said.amount)


def asks_delay(hub: Hub, case_id: str, said: Said) -> Case:
    """He pays everything on a later day: an automatic yes within the limits, a person beyond them."""
    if said.on is None or said.on <= hub.business_date():
        raise NotTakenError("bad_day", "no day ahead was given", "Choose the day on which you can pay.")
    with hub.work() as work:
        return _propose(hub, work, case_id, said, count=1, first_on=said.on)


def _propose(hub: Hub, work: Work, case_id: str, said: Said, **terms: Any) -> Case:
    """A helper's proposal waits for a person: he cannot bind the debtor. So does one after a plan that was not kept."""
    scope = debtor_scope(case_id, said)
    was_broken = any(isinstance(event.fact, PlanBroken) for event in read_events(work.conn, case_id))
    case = propose_plan(hub, work, scope, case_id, by_debtor=True, note=said.text, **terms)
    assert case.plan is not None, "just proposed"
    return case if case.plan.exceeded or said.is_helper or was_broken else agree_plan(hub, work, scope, case_id)


def asks_appointment(hub: Hub, case_id: str, said: Said) -> None:
    """He wants to be called or received on a day; a person confirms it or agrees on another one."""
    with hub.work() as work:
        if said.on is None or said.on <= work.now.date() or said.part not in PARTS or said.by not in (Channel.PHONE, Channel.VISIT):
            raise NotTakenError("bad_day", "the appointment is not complete", "Choose a day from tomorrow on, and when.")
        case = locked_case(work, case_id)
        fact = AppointmentAsked(on=said.on, part=said.part, by=Channel(said.by), text=said.text)
        change_case(hub, work, case, [fact], actor=debtor_scope(case_id, said).subject)
        open_task(
            work, kind="appointment", title=f"case {case.number}: {said.by} on {said.on}, {said.part}", detail=said.text[:2000],
            creditor_id=case.creditor_id, case_id=case_id, due_at=dt.datetime.combine(said.on, PARTS[said.part], dt.UTC),
        )  # fmt: skip


def chooses_channels(hub: Hub, case_id: str, said: Said) -> None:
    """By what he wants to be written to; a letter cannot be refused, for something must reach him."""
    with hub.work() as work:
        case = locked_case(work, case_id)
        facts: list[Fact] = []
        for channel in REFUSABLE:
            is_wanted, was_wanted = channel.value in said.channels, channel.value not in case.unwanted
            if is_wanted is not was_wanted:
                facts.append(ConsentGiven(channel=channel) if is_wanted else ConsentWithdrawn(channel=channel))
        if facts:
            change_case(hub, work, case, facts, actor=debtor_scope(case_id, said).subject)


def admits_helper(hub: Hub, case_id: str, said: Said) -> DebtorLink:
    """Somebody helps him: an address and a code that show amounts and take proposals, and nothing more."""
    name = " ".join(_needed(said.text).split())[:140]
    with hub.work() as work:
        link = admit_helper(work, case_id, name)
        fact = HelperAdmitted(name=name, until_on=(work.now + HELPER_LASTS).date())
        change_case(hub, work, locked_case(work, case_id), [fact], actor=debtor_scope(case_id, said).subject)
    return link


def ends_helper(hub: Hub, case_id: str, said: Said) -> None:
    """The helper's address is dead from now on."""
    with hub.work() as work:
        if end_helper(work, case_id):
            change_case(hub, work, locked_case(work, case_id), [HelperEnded()], actor=debtor_scope(case_id, said).subject)


def asks_access(hub: Hub, case_id: str, said: Said) -> None:
    """He wants to see what is held on him: a person makes sure who asks, and answers within a month."""
    _asks_about_himself(hub, case_id, said, ACCESS, "asks to see what is held on him")


def asks_erasure(hub: Hub, case_id: str, said: Said) -> None:
    """He wants to be erased: done, or answered with what stands against it, within a month."""
    _asks_about_himself(hub, case_id, said, ERASURE, "asks to be erased")


def _asks_about_himself(hub: Hub, case_id: str, said: Said, kind: str, what: str) -> None:
    scope = debtor_scope(case_id, said)
    with hub.work() as work:
        case = add_note(hub, work, scope, case_id, text=f"The debtor {what}. {said.text}".strip())
    identify(hub, case.creditor_id)  # who he is may not have been asked yet
    with hub.work() as work:
        ask(work, scope, identity_of(work.conn, scope, case_id), kind)


def is_somebody_else(hub: Hub, case_id: str, said: Said) -> None:
    """This is not me: nothing more is said to this address until a person knows who it is."""
    with hub.work() as work:
        scope = debtor_scope(case_id, said)
        case = locked_case(work, case_id)
        change_case(hub, work, case, [HoldSet(reason=IDENTITY_HOLD, note=said.text)], actor=scope.subject)
        _ask_person(work, case, "identity", "says that this is not his debt", said.text)


def has_moved(hub: Hub, case_id: str, said: Said) -> None:
    """A new address, for a person to check before anything goes there."""
    _tell_person(hub, case_id, said, "moved", "has moved")


def wants_call(hub: Hub, case_id: str, said: Said) -> None:
    """He wants to talk: a call or an appointment."""
    _tell_person(hub, case_id, said, "callback", "wants to be called")


def _tell_person(hub: Hub, case_id: str, said: Said, kind: str, what: str) -> None:
    with hub.work() as work:
        scope = debtor_scope(case_id, said)
        case = add_note(hub, work, scope, case_id, text=f"The debtor {what}: {_needed(said.text)}")
        _ask_person(work, case, kind, what, said.text)


def _ask_person(work: Work, case: Case, kind: str, what: str, text: str) -> None:
    open_task(
        work, kind=kind, title=f"case {case.number}: the debtor {what}", detail=text[:2000],
        creditor_id=case.creditor_id, case_id=case.case_id, due_at=work.now + dt.timedelta(days=2),
    )


def _needed(text: str) -> str:
    if not text.strip():
        raise NotTakenError("nothing_written", "nothing was written", "Tell us in a few words what it is about.")
    return text.strip()


def _enclose(hub: Hub, work: Work, scope: Scope, case_id: str, said: Said, kind: str) -> None:
    if said.enclosure is None:
        return
    content = said.enclosure.content
    media_type = paper_type(content)
    if not media_type or len(content) > LARGEST_UPLOAD:
        raise NotTakenError(
            "bad_file", "this file cannot be taken", "Send a PDF, a PNG or a JPEG picture of at most 10 MB."
        )
    kept = keep_document(hub, content, name=safe_name(said.enclosure.name), kind=kind, media_type=media_type)
    add_document(hub, work, scope, case_id, kept)
