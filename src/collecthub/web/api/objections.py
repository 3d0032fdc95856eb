"""What debtors say against claims and about themselves: disputes, complaints, reasons, hardship, referrals."""

from __future__ import annotations

import datetime as dt
from typing import Literal

import msgspec
from fastapi import APIRouter, Response

from collecthub.engine import objection_desk as desk
from collecthub.model.objection import DisputeState, Hardship, NonPayment, Objections
from collecthub.store.queries.case_file import read_owned_case
from collecthub.web.answers import Done, answer, documented
from collecthub.web.api.fields import Amount, Id, Inbound, Line, Note, Ref, Text
from collecthub.web.api.once import OnceKey, SeenVersion, done, once
from collecthub.web.auth import CreditorSide, TheHub
from collecthub.web.strict_json import StrictRoute

router = APIRouter(prefix="/cases/{case_id}/objections", tags=["objections"], route_class=StrictRoute)
DONE = documented(Done, description="The change is recorded.")


class CaseObjections(msgspec.Struct, frozen=True, kw_only=True):
    """Disputes and complaints of a case, and why the debtor does not pay, if he said so."""

    case_id: str
    objections: Objections


class DisputeIn(Inbound):
    """An empty `claim_id` is the whole case; without `amount` all of it that is open."""

    ground: Text
    claim_id: Ref = ""
    amount: Amount | None = None


class EvidenceWantedIn(Inbound):
    """What the creditor should send."""

    dispute_id: Id
    what: Text


class EvidenceIn(Inbound):
    """What the evidence says; `document_id` of a document that was added before."""

    dispute_id: Id
    text: Text
    document_id: Ref = ""


class DecisionIn(Inbound):
    """Who is right; `upheld` is the debtor's part where it is neither all nor nothing."""

    dispute_id: Id
    decision: Literal["upheld", "partly", "rejected", "settled", "to_court"]
    reason: Text
    upheld: Amount | None = None


class ComplaintIn(Inbound):
    """The complaint, or the answer to the oldest open one."""

    text: Text


class NonPaymentIn(Inbound):
    """Why the debtor does not pay."""

    reason: NonPayment
    note: Note = ""


class HardshipIn(Inbound):
    """What protects the debtor, until a day if one is known."""

    hardship: Hardship
    note: Note = ""
    until_on: dt.date | None = None


class ReferralIn(Inbound):
    """The service that the debtor was shown the way to."""

    service: Line
    note: Note = ""


@router.get("", summary="Read disputes, complaints and the reason", responses=documented(CaseObjections))
def read_objections(hub: TheHub, scope: CreditorSide, case_id: str) -> Response:
    """Everything that was said, with what waits for an answer."""
    with hub.database.read() as conn:
        case = read_owned_case(conn, scope, case_id)
    return answer(CaseObjections(case_id=case_id, objections=case.objections))


@router.post("/raise-dispute", summary="Dispute a claim or a part of it", responses=DONE)
def dispute(
    hub: TheHub, scope: CreditorSide, case_id: str, body: DisputeIn, key: OnceKey, seen: SeenVersion
) -> Response:
    """The undisputed rest goes on; the holder hears the new balance."""
    return once(hub, scope, key, lambda work: done(
        desk.raise_dispute(hub, work, scope, case_id, ground=body.ground, claim_id=body.claim_id, amount=body.amount,
                           expected_version=seen)))  # fmt: skip


@router.post("/evidence-requests", summary="Ask the creditor for evidence", responses=DONE)
def ask_evidence(
    hub: TheHub, scope: CreditorSide, case_id: str, body: EvidenceWantedIn, key: OnceKey, seen: SeenVersion
) -> Response:
    """Within two weeks, else a person is told."""
    return once(hub, scope, key, lambda work: done(
        desk.ask_evidence(hub, work, scope, case_id, dispute_id=body.dispute_id, what=body.what,
                          expected_version=seen)))  # fmt: skip


@router.post("/evidence", summary="Give evidence on a dispute", responses=DONE)
def give_evidence(
    hub: TheHub, scope: CreditorSide, case_id: str, body: EvidenceIn, key: OnceKey, seen: SeenVersion
) -> Response:
    """A document is added to the case first and named here."""
    return once(hub, scope, key, lambda work: done(
        desk.give_evidence(hub, work, scope, case_id, dispute_id=body.dispute_id, text=body.text,
                           document_id=body.document_id, expected_version=seen)))  # fmt: skip


@router.post("/decisions", summary="Decide a dispute", responses=DONE)
def decide(
    hub: TheHub, scope: CreditorSide, case_id: str, body: DecisionIn, key: OnceKey, seen: SeenVersion
) -> Response:
    """What the debtor is right about stays out until it is credited; the rest is asked for again."""
    return once(hub, scope, key, lambda work: done(
        desk.decide_dispute(hub, work, scope, case_id, dispute_id=body.dispute_id, decision=DisputeState(body.decision),
                            reason=body.reason, upheld=body.upheld, expected_version=seen)))  # fmt: skip


@router.post("/complaints", summary="File a complaint", responses=DONE)
def complain(
    hub: TheHub, scope: CreditorSide, case_id: str, body: ComplaintIn, key: OnceKey, seen: SeenVersion
) -> Response:
    """The case rests until it is answered, within ten days."""
    return once(hub, scope, key, lambda work: done(
        desk.file_complaint(hub, work, scope, case_id, text=body.text, expected_version=seen)))  # fmt: skip


@router.post("/complaint-answers", summary="Answer the oldest open complaint", responses=DONE)
def answer_complaint(
    hub: TheHub, scope: CreditorSide, case_id: str, body: ComplaintIn, key: OnceKey, seen: SeenVersion
) -> Response:
    """The case goes on when it was the last one."""
    return once(hub, scope, key, lambda work: done(
        desk.answer_complaint(hub, work, scope, case_id, text=body.text, expected_version=seen)))  # fmt: skip


@router.post("/reasons", summary="Record why the debtor does not pay", responses=DONE)
def explain(
    hub: TheHub, scope: CreditorSide, case_id: str, body: NonPaymentIn, key: OnceKey, seen: SeenVersion
) -> Response:
    """The next step follows from the reason."""
    return once(hub, scope, key, lambda work: done(
        desk.explain_non_payment(hub, work, scope, case_id, reason=body.reason, note=body.note,
                                 expected_version=seen)))  # fmt: skip


@router.post("/hardships", summary="The debtor is protected", responses=DONE)
def hardship(
    hub: TheHub, scope: CreditorSide, case_id: str, body: HardshipIn, key: OnceKey, seen: SeenVersion
) -> Response:
    """Vulnerable, under a moratorium or in debt mediation: everything stops at once."""
    return once(hub, scope, key, lambda work: done(
        desk.find_hardship(hub, work, scope, case_id, hardship=body.hardship, note=body.note, until_on=body.until_on,
                           expected_version=seen)))  # fmt: skip


@router.post("/referrals", summary="The debtor was shown the way to help", responses=DONE)
def refer(
    hub: TheHub, scope: CreditorSide, case_id: str, body: ReferralIn, key: OnceKey, seen: SeenVersion
) -> Response:
    """Social, legal or debt help, or a mediator."""
    return once(hub, scope, key, lambda work: done(
        desk.make_referral(hub, work, scope, case_id, service=body.service, note=body.note,
                           expected_version=seen)))  # fmt: skip
