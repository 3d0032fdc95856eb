"""What a debtor says on his page: each answer becomes a fact of his case at once, and a task where a person must look.

The scope is one case, fixed by the link; the actor is the debtor. Nothing here says no: what is not granted by itself
goes to a person.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import msgspec

from collecthub.engine.case_work import change_case, locked_case, open_task
from collecthub.engine.context import Hub, Work
from collecthub.engine.desk import add_document, add_note
from collecthub.engine.objection_desk import explain_non_payment, file_complaint, find_hardship, raise_dispute
from collecthub.engine.page_guard import paper_type
from collecthub.engine.plan_desk import agree_plan, propose_plan
from collecthub.errors import PermanentError
from collecthub.model.case import Case
from collecthub.model.event import HoldSet
from collecthub.model.objection import Hardship, NonPayment
from collecthub.store.queries.scope import Role, Scope

IDENTITY_HOLD = "identity"
LARGEST_UPLOAD = 10_000_000


class Enclosure(msgspec.Struct, frozen=True, kw_only=True):
    """A file the debtor sends along."""

    name: str
    content: bytes


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """One answer of a debtor. Which fields count follows from what he says."""

    text: str = ""
    amount: Decimal | None = None
    months: int | None = None
    enclosure: Enclosure | None = None


def debtor_scope(case_id: str) -> Scope:
    """Who acts: the debtor of one case. The caller has the case from the link, never from the request."""
    return Scope(role=Role.OPERATOR, subject=f"debtor:{case_id}")


def already_paid(hub: Hub, case_id: str, said: Said) -> None:
    """He has paid: nobody chases while a person looks for the money."""
    with hub.work() as work:
        scope = debtor_scope(case_id)
        _enclose(hub, work, scope, case_id, said, "payment_proof")
        explain_non_payment(hub, work, scope, case_id, reason=NonPayment.ALREADY_PAID, note=said.text)


def disputes(hub: Hub, case_id: str, said: Said) -> None:
    """He disagrees, in part or in full; the undisputed rest goes on."""
    with hub.work() as work:
        scope = debtor_scope(case_id)
        _enclose(hub, work, scope, case_id, said, "dispute_evidence")
        raise_dispute(hub, work, scope, case_id, ground=_needed(said.text), amount=said.amount)


def complains(hub: Hub, case_id: str, said: Said) -> None:
    """He complains about how he is treated; it is answered within its time."""
    with hub.work() as work:
        scope = debtor_scope(case_id)
        _enclose(hub, work, scope, case_id, said, "complaint")
        file_complaint(hub, work, scope, case_id, text=_needed(said.text))


def has_help(hub: Hub, case_id: str, said: Said) -> None:
    """A debt mediator or social service helps him: everything stops at once, and a person asks the helper."""
    with hub.work() as work:
        scope = debtor_scope(case_id)
        _enclose(hub, work, scope, case_id, said, "mediation")
        find_hardship(hub, work, scope, case_id, hardship=Hardship.DEBT_MEDIATION, note=said.text)


def proposes_plan(hub: Hub, case_id: str, said: Said) -> Case:
    """He offers instalments: an automatic yes within the limits, a person beyond them."""
    if said.months is None and said.amount is None:
        raise PermanentError("the plan is not complete", cure="Say how many months, or how much a month.")
    with hub.work() as work:
        scope = debtor_scope(case_id)
        case = propose_plan(
            hub, work, scope, case_id, count=said.months, capacity=said.amount, by_debtor=True, note=said.text
        )
        assert case.plan is not None, "just proposed"
        if not case.plan.exceeded:
            case = agree_plan(hub, work, scope, case_id)
        return case


def is_somebody_else(hub: Hub, case_id: str, said: Said) -> None:
    """This is not me: nothing more is said to this address until a person knows who it is."""
    with hub.work() as work:
        scope = debtor_scope(case_id)
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
        case = add_note(hub, work, debtor_scope(case_id), case_id, text=f"The debtor {what}: {_needed(said.text)}")
        _ask_person(work, case, kind, what, said.text)


def _ask_person(work: Work, case: Case, kind: str, what: str, text: str) -> None:
    open_task(
        work, kind=kind, title=f"case {case.number}: the debtor {what}", detail=text[:2000],
        creditor_id=case.creditor_id, case_id=case.case_id, due_at=work.now + dt.timedelta(days=2),
    )


def _needed(text: str) -> str:
    if not text.strip():
        raise PermanentError("nothing was written", cure="Tell us in a few words what it is about.")
    return text.strip()


def _enclose(hub: Hub, work: Work, scope: Scope, case_id: str, said: Said, kind: str) -> None:
    if said.enclosure is None:
        return
    content = said.enclosure.content
    media_type = paper_type(content)
    if not media_type or len(content) > LARGEST_UPLOAD:
        raise PermanentError(
            "this file cannot be taken", cure="Send a PDF, a PNG or a JPEG picture of at most 10 MB."
        )
    name = "".join(char for char in said.enclosure.name if char.isprintable() and char not in '/\\"<>|:*?')[:120]
    add_document(
        hub, work, scope, case_id, name=name or "upload", kind=kind, media_type=media_type,
        sha256=hub.evidence.keep(content), size=len(content),
    )
