"""Changes to a case: every one takes effect once (Idempotency-Key) and on what the caller saw (If-Match)."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import Field

from collecthub.engine import desk
from collecthub.engine.claim_nature import set_nature
from collecthub.engine.writing_off import write_off
from collecthub.store.queries.case_file import read_owned_case
from collecthub.web.answers import Done, documented
from collecthub.web.api.fields import Amount, Inbound, Line, Note, Ref, Text
from collecthub.web.api.once import OnceKey, SeenVersion, VersionIfTold, done, once
from collecthub.web.api.uploads import BYTES, DocumentAdded, DocumentKind, Door, FileName, take_document
from collecthub.web.auth import CreditorSide, Operator, TheHub
from collecthub.web.strict_json import StrictRoute

router = APIRouter(prefix="/cases/{case_id}", tags=["case changes"], route_class=StrictRoute)
DONE = documented(Done, description="The change is recorded.")


class PaymentIn(Inbound):
    """The creditor was paid directly."""

    amount: Amount
    paid_on: dt.date
    note: Note = ""


class WriteOffIn(Inbound):
    """What is given up and why; without an amount everything that is owed today."""

    amount: Amount | None = None
    reason: Text


class TextIn(Inbound):
    """A sentence."""

    text: Text


class HoldIn(Inbound):
    """A reason to pause, until a date if one is given."""

    reason: Ref
    note: Note = ""
    until_on: dt.date | None = None


class HoldReleaseIn(Inbound):
    """The hold that ends."""

    reason: Ref
    note: Note = ""


class CostDecisionIn(Inbound):
    """Whether the holder may spend it."""

    is_approved: bool
    text: Text


class TakeOverIn(Inbound):
    """Who has the case already, under which reference, and what is owed there."""

    holder_name: Line
    holder_ref: Ref = ""
    balance: Amount


class OwnerIn(Inbound):
    """Who is in charge here, and whom outsiders reach."""

    owner: Line
    contact_person: Line = ""


class NatureIn(Inbound):
    """The kind of claim, as the country pack names it, and the invoices that it is said of."""

    nature: Line
    numbers: Annotated[tuple[Line, ...], Field(max_length=200)] = ()


@router.post("/nature", summary="Say what kind of claims these are", responses=DONE)
def say_nature(
    hub: TheHub, scope: CreditorSide, case_id: str, body: NatureIn, key: OnceKey, seen: SeenVersion
) -> Response:
    """Limitation and tariff depend on it; without numbers it is said of all invoices."""
    return once(hub, scope, key, lambda work: done(
        set_nature(hub, work, scope, case_id, nature=body.nature, numbers=body.numbers, expected_version=seen)))  # fmt: skip


@router.post("/payments", summary="Record a payment to the creditor", responses=DONE)
def add_payment(
    hub: TheHub, scope: CreditorSide, case_id: str, body: PaymentIn, key: OnceKey, seen: SeenVersion
) -> Response:
    """The holder of the case hears the new balance, or a recall when nothing is left."""
    return once(hub, scope, key, lambda work: done(
        desk.record_payment(hub, work, scope, case_id, amount=body.amount, paid_on=body.paid_on, note=body.note,
                            expected_version=seen)))  # fmt: skip


@router.post("/write-offs", summary="Write off what is owed, or a part of it", responses=DONE)
def add_write_off(
    hub: TheHub, scope: CreditorSide, case_id: str, body: WriteOffIn, key: OnceKey, seen: SeenVersion
) -> Response:
    """Given up for good; the holder hears the new balance, or a recall when nothing is left."""
    return once(hub, scope, key, lambda work: done(
        write_off(hub, work, scope, case_id, amount=body.amount, reason=body.reason, expected_version=seen)))  # fmt: skip


@router.post("/answers", summary="Answer the holder's question", responses=DONE)
def add_answer(
    hub: TheHub, scope: CreditorSide, case_id: str, body: TextIn, key: OnceKey, seen: SeenVersion
) -> Response:
    """The case goes on; the holder gets the answer."""
    return once(hub, scope, key, lambda work: done(
        desk.answer_question(hub, work, scope, case_id, text=body.text, expected_version=seen)))  # fmt: skip


@router.post("/notes", summary="Add a note", responses=DONE)
def add_note(
    hub: TheHub, scope: CreditorSide, case_id: str, body: TextIn, key: OnceKey, seen: VersionIfTold
) -> Response:
    """Kept in the history; nothing is sent."""
    return once(hub, scope, key, lambda work: done(
        desk.add_note(hub, work, scope, case_id, text=body.text, expected_version=seen)))  # fmt: skip


@router.post("/holds", summary="Pause the case", responses=DONE)
def add_hold(
    hub: TheHub, scope: CreditorSide, case_id: str, body: HoldIn, key: OnceKey, seen: SeenVersion
) -> Response:
    """Nothing leaves while a hold is set."""
    return once(hub, scope, key, lambda work: done(
        desk.set_hold(hub, work, scope, case_id, reason=body.reason, note=body.note, until_on=body.until_on,
                      expected_version=seen)))  # fmt: skip


@router.post("/holds/release", summary="End a hold", responses=DONE)
def end_hold(
    hub: TheHub, scope: CreditorSide, case_id: str, body: HoldReleaseIn, key: OnceKey, seen: SeenVersion
) -> Response:
    """The case goes on when it was the last one."""
    return once(hub, scope, key, lambda work: done(
        desk.release_hold(hub, work, scope, case_id, reason=body.reason, note=body.note,
                          expected_version=seen)))  # fmt: skip


@router.post("/cost-decisions", summary="Approve or refuse a cost", responses=DONE)
def decide_cost(
    hub: TheHub, scope: CreditorSide, case_id: str, body: CostDecisionIn, key: OnceKey, seen: SeenVersion
) -> Response:
    """The holder hears the decision."""
    return once(hub, scope, key, lambda work: done(
        desk.decide_cost(hub, work, scope, case_id, is_approved=body.is_approved, text=body.text,
                         expected_version=seen)))  # fmt: skip


@router.post("/withdraw", summary="Take the case back", responses=DONE)
def withdraw(
    hub: TheHub, scope: CreditorSide, case_id: str, body: TextIn, key: OnceKey, seen: SeenVersion
) -> Response:
    """A holder hears a recall and must confirm that it stopped."""
    return once(hub, scope, key, lambda work: done(
        desk.withdraw(hub, work, scope, case_id, reason=body.text, expected_version=seen)))  # fmt: skip


@router.post("/take-over", summary="The case already runs elsewhere", responses=DONE)
def take_over(
    hub: TheHub, scope: CreditorSide, case_id: str, body: TakeOverIn, key: OnceKey, seen: SeenVersion
) -> Response:
    """The hub follows it and sends nothing."""
    return once(hub, scope, key, lambda work: done(
        desk.take_over(hub, work, scope, case_id, holder_name=body.holder_name, holder_ref=body.holder_ref,
                       balance=body.balance, expected_version=seen)))  # fmt: skip


@router.post("/owner", summary="Put somebody in charge", responses=DONE)
def assign_owner(
    hub: TheHub, scope: Operator, case_id: str, body: OwnerIn, key: OnceKey, seen: SeenVersion
) -> Response:
    """Owner and contact person of the case."""
    return once(hub, scope, key, lambda work: done(
        desk.assign_owner(hub, work, scope, case_id, owner=body.owner, contact_person=body.contact_person,
                          expected_version=seen)))  # fmt: skip


@router.post(
    "/documents", summary="Add a document", status_code=201, openapi_extra=dict(BYTES),
    responses=documented(DocumentAdded, 201, "The document is kept; the same bytes are kept once."),
)
async def add_document(
    request: Request, hub: TheHub, scope: CreditorSide, case_id: str, key: OnceKey, name: FileName,
    kind: DocumentKind = "other",
) -> Response:
    """The body is the document itself, at most 20 MB."""

    door = Door(
        hub, scope, key, lambda work: read_owned_case(work.conn, scope, case_id),
        lambda work, kept: desk.add_document(hub, work, scope, case_id, kept),
    )  # fmt: skip
    return await take_document(request, door, name, kind)
