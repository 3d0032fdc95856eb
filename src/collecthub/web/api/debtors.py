"""One debtor across his creditors, for the operator; and pairs of debtors who may be one, for whoever has both."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Literal

import msgspec
from fastapi import APIRouter, Response

from collecthub.engine import identity_desk, joint_payments, person_requests
from collecthub.engine import one_debtor as desk
from collecthub.model.spread import SpreadRule
from collecthub.store.queries.debtors import OneDebtor, TwinView, identity_of, list_twins, one_debtor
from collecthub.store.queries.paging import Listed
from collecthub.store.queries.scope import not_there
from collecthub.web.answers import answer, documented, documented_file, download
from collecthub.web.api.fields import Amount, Currency, Id, Inbound, Note, Ref, Text
from collecthub.web.api.once import OnceKey, once
from collecthub.web.auth import CreditorSide, Operator, TheHub
from collecthub.web.strict_json import StrictRoute

router = APIRouter(tags=["debtors"], route_class=StrictRoute)


class Parts(msgspec.Struct, frozen=True, kw_only=True):
    """What one act meant for each case."""

    identity_id: str
    parts: dict[str, Decimal]


class CasesOfPlan(msgspec.Struct, frozen=True, kw_only=True):
    """The cases that have a part of the plan."""

    identity_id: str
    case_ids: tuple[str, ...]


class TwinDecisionIn(Inbound):
    """Whether the two are one, and why."""

    is_same: bool
    reason: Text


class TakeApartIn(Inbound):
    """Which debtor of which books goes back to where he came from."""

    connection_id: Id
    debtor_ref: Ref
    reason: Text


class CapacityIn(Inbound):
    """What he can pay in a month to everybody together."""

    amount: Amount
    currency: Currency


class SpreadIn(Inbound):
    """How one payment is divided over his cases."""

    rule: Literal["proportional", "oldest", "smallest"]


class JointPlanIn(Inbound):
    """One plan over all open cases in a currency; without `instalments` his capacity decides."""

    currency: Currency
    instalments: int | None = None
    first_on: dt.date | None = None


class AgreeIn(Inbound):
    """Why, where the plan is beyond the limits."""

    reason: Note = ""


class JointPaymentIn(Inbound):
    """One payment for all his cases."""

    amount: Amount
    currency: Currency
    paid_on: dt.date
    note: Note = ""


class DividedIn(Inbound):
    """A payment on the operator's own account."""

    payment_id: Id


class RequestIn(Inbound):
    """What the person asks: to see what is held on him, or to be erased."""

    kind: Literal["access", "erasure"]


class Requested(msgspec.Struct, frozen=True, kw_only=True):
    """A request that was noted, and what stands against it today."""

    request_id: str
    grounds: tuple[person_requests.Ground, ...]
    kept: tuple[person_requests.Kept, ...] = ()


TWINS, ONE, PARTS = documented(Listed[TwinView]), documented(OneDebtor), documented(Parts)
PLANNED = documented(CasesOfPlan)


@router.get("/twins", summary="List debtors who may be one", responses=TWINS)
def read_twins(hub: TheHub, scope: CreditorSide) -> Response:
    """Each pair with what speaks for it; nobody is joined without a person or a register."""
    with hub.database.read() as conn:
        return answer(Listed(items=list_twins(conn, scope)))


@router.post("/twins/{twin_id}/decision", summary="Decide on a pair", responses=TWINS)
def decide_twin(hub: TheHub, scope: CreditorSide, twin_id: str, body: TwinDecisionIn, key: OnceKey) -> Response:
    """Joined or kept apart; cases that waited go on. Either way it can be taken back."""
    decide = identity_desk.join_twins if body.is_same else identity_desk.keep_apart
    return once(hub, scope, key, lambda work: (
        decide(hub, work, scope, twin_id, reason=body.reason),
        answer(Listed(items=list_twins(work.conn, scope))),
    )[1])  # fmt: skip


@router.get("/cases/{case_id}/debtor", summary="Read the debtor of a case with everybody", responses=ONE)
def read_debtor_of_case(hub: TheHub, scope: Operator, case_id: str) -> Response:
    """For the operator alone."""
    with hub.database.read() as conn:
        identity_id = identity_of(conn, scope, case_id)
        if not identity_id:
            raise not_there("debtor", case_id)
        return answer(one_debtor(conn, scope, identity_id))


@router.get("/debtors/{identity_id}", summary="Read one debtor with everybody", responses=ONE)
def read_debtor(hub: TheHub, scope: Operator, identity_id: str) -> Response:
    """All his cases with every creditor: one capacity, one sum, one reference."""
    with hub.database.read() as conn:
        return answer(one_debtor(conn, scope, identity_id))


@router.post("/debtors/{identity_id}/take-apart", summary="Take a wrong join back", responses=ONE)
def take_apart(hub: TheHub, scope: Operator, identity_id: str, body: TakeApartIn, key: OnceKey) -> Response:
    """The debtor goes back to where he came from, and is not joined again."""
    return once(hub, scope, key, lambda work: answer(one_debtor(work.conn, scope, identity_desk.take_apart(
        hub, work, scope, body.connection_id, body.debtor_ref, reason=body.reason))))  # fmt: skip


@router.post("/debtors/{identity_id}/capacity", summary="Say what he can pay in a month", responses=ONE)
def set_capacity(hub: TheHub, scope: Operator, identity_id: str, body: CapacityIn, key: OnceKey) -> Response:
    """To everybody together."""
    return once(hub, scope, key, lambda work: answer(
        desk.set_capacity(work, scope, identity_id, amount=body.amount, currency=body.currency)))  # fmt: skip


@router.post("/debtors/{identity_id}/spread", summary="Choose how one payment is divided", responses=ONE)
def set_spread(hub: TheHub, scope: Operator, identity_id: str, body: SpreadIn, key: OnceKey) -> Response:
    """The rule is kept and holds for every payment from now on."""
    return once(hub, scope, key, lambda work: answer(
        desk.set_spread(work, scope, identity_id, SpreadRule(body.rule))))  # fmt: skip


@router.post("/debtors/{identity_id}/plan", summary="Propose one plan over all cases", responses=PLANNED)
def propose(hub: TheHub, scope: Operator, identity_id: str, body: JointPlanIn, key: OnceKey) -> Response:
    """The same months in each case; every creditor sees his own part alone."""
    return once(hub, scope, key, lambda work: answer(CasesOfPlan(identity_id=identity_id, case_ids=desk.propose_for_all(
        hub, work, scope, identity_id, currency=body.currency, count=body.instalments, first_on=body.first_on))))  # fmt: skip


@router.post("/debtors/{identity_id}/plan/agree", summary="Agree to the plan in all cases", responses=PLANNED)
def agree(hub: TheHub, scope: Operator, identity_id: str, body: AgreeIn, key: OnceKey) -> Response:
    """All parts hold, or none."""
    return once(hub, scope, key, lambda work: answer(CasesOfPlan(identity_id=identity_id, case_ids=desk.agree_for_all(
        hub, work, scope, identity_id, reason=body.reason))))  # fmt: skip


@router.post("/debtors/{identity_id}/payments", summary="Record one payment for all cases", responses=PARTS)
def pay(hub: TheHub, scope: Operator, identity_id: str, body: JointPaymentIn, key: OnceKey) -> Response:
    """Divided by the stored rule, to the cent."""
    return once(hub, scope, key, lambda work: answer(Parts(identity_id=identity_id, parts=dict(desk.pay_for_all(
        hub, work, scope, identity_id, amount=body.amount, currency=body.currency, paid_on=body.paid_on,
        note=body.note)))))  # fmt: skip


@router.post("/debtors/{identity_id}/divided-payments", summary="Divide a payment of the bank", responses=PARTS)
def divide(hub: TheHub, scope: Operator, identity_id: str, body: DividedIn, key: OnceKey) -> Response:
    """One movement on the operator's own account, over all his cases."""
    return once(hub, scope, key, lambda work: answer(Parts(identity_id=identity_id, parts=dict(
        joint_payments.assign_to_all(hub, work, scope, body.payment_id, identity_id)))))  # fmt: skip


@router.post("/debtors/{identity_id}/requests", summary="Note what a person asks about himself", responses=documented(Requested))
def note_request(hub: TheHub, scope: Operator, identity_id: str, body: RequestIn, key: OnceKey) -> Response:
    """It is to be answered within a month; for an erasure the grounds against it are said at once."""
    return once(hub, scope, key, lambda work: answer(Requested(
        request_id=person_requests.ask(work, scope, identity_id, body.kind),
        grounds=person_requests.grounds(work.conn, identity_id, work.now.date()) if body.kind == "erasure" else (),
        kept=person_requests.what_is_kept(work.conn, identity_id),
    )))  # fmt: skip


@router.post(
    "/requests/{request_id}/archive", summary="Hand out what is held on a person",
    responses=documented_file("The archive, to save."),
)
def hand_out(hub: TheHub, scope: Operator, request_id: str) -> Response:
    """A folder a creditor, because each answers for its own part; the request is answered with it."""
    name, content = person_requests.answer_access(hub, scope, request_id)
    return download(content, name)


@router.post("/requests/{request_id}/erase", summary="Erase a person", responses=documented(Requested))
def erase(hub: TheHub, scope: Operator, request_id: str) -> Response:
    """Refused with the grounds while any remains. What was done cannot be undone."""
    person_requests.erase(hub, scope, request_id)
    return answer(Requested(request_id=request_id, grounds=()))
