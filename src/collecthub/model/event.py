"""Case events: facts in the past tense, append-only and hash-chained per case.

A fact carries what happened; `CaseEvent` adds when it happened, when it was recorded, by whom, and the link
to the event before. Parties are named by a salted digest, so that erasing a person keeps the chain valid.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from decimal import Decimal
from typing import get_args

import msgspec

from collecthub.model.codes import Outcome, Phase
from collecthub.model.exchange import AmendmentCode, CostBearer, FaultItem, Procedure
from collecthub.model.fact import FactBase
from collecthub.model.facts_contact import ContactFact
from collecthub.model.facts_exchange import ExchangeFact
from collecthub.model.facts_human import HumanFact
from collecthub.model.facts_money import MoneyFact
from collecthub.model.facts_network import NetworkFact
from collecthub.model.facts_person import PersonFact
from collecthub.model.facts_remittance import RemittanceFact
from collecthub.model.route_option import RouteOption


class Claim(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The right to one invoice's (or instalment's) unpaid amount, within a case."""

    claim_id: str  # the ERP's item_ref
    number: str
    issued_on: dt.date | None
    due_on: dt.date
    original_amount: Decimal
    open_amount: Decimal  # as the creditor's ERP states it, net of what settles it
    document_ref: str = ""
    dunning_level: int = 0


class CaseOpened(FactBase, frozen=True, kw_only=True, tag="case_opened"):
    number: str
    creditor_id: str
    connection_id: str
    debtor_ref: str
    debtor_digest: str
    currency: str
    segment: str
    claims: tuple[Claim, ...]
    credits: Decimal = Decimal(0)  # not allocated to a claim; positive, lowers what is asked
    origin: str = "erp"  # erp, form, file, api, exchange
    origin_ref: str = ""  # the sender's reference, for the confirmation


class ClaimAdded(FactBase, frozen=True, kw_only=True, tag="claim_added"):
    claim: Claim


class ClaimReopened(FactBase, frozen=True, kw_only=True, tag="claim_reopened"):
    """The ERP asks for more on a known claim than before: a reversed payment or clearing."""

    claim_id: str
    amount: Decimal


class DirectPaymentSeen(FactBase, frozen=True, kw_only=True, tag="direct_payment_seen"):
    """The debtor paid the creditor: the ERP asks for less."""

    claim_id: str
    amount: Decimal
    paid_on: dt.date


class CreditSeen(FactBase, frozen=True, kw_only=True, tag="credit_seen"):
    """The creditor lowered or cancelled a claim. An empty `claim_id` is a credit not tied to one claim."""

    claim_id: str
    amount: Decimal
    reason: str


class RouteChosen(FactBase, frozen=True, kw_only=True, tag="route_chosen"):
    placement_id: str
    route: str
    procedure: Procedure
    partner_id: str
    partner_name: str
    reason: str
    options: tuple[RouteOption, ...]
    partner_country: str = ""  # where its people work, if it is one country


class RouteMissing(FactBase, frozen=True, kw_only=True, tag="route_missing"):
    reason: str
    options: tuple[RouteOption, ...]


class DispatchBlocked(FactBase, frozen=True, kw_only=True, tag="dispatch_blocked"):
    code: str
    reason: str


class PlacementWithdrawn(FactBase, frozen=True, kw_only=True, tag="placement_withdrawn"):
    """The placement ended before anything left; the case is free for another."""

    reason: str


class InformationSupplied(FactBase, frozen=True, kw_only=True, tag="information_supplied"):
    """What was missing is there now; the case may be routed again."""

    text: str


class CaseSent(FactBase, frozen=True, kw_only=True, tag="case_sent"):
    placement_id: str
    message_id: str
    envelope_name: str
    receipt_ref: str
    principal: Decimal


class CaseAcknowledged(FactBase, frozen=True, kw_only=True, tag="case_acknowledged"):
    message_id: str
    holder_ref: str = ""


class CaseAccepted(FactBase, frozen=True, kw_only=True, tag="case_accepted"):
    message_id: str
    holder_ref: str


class CaseRefused(FactBase, frozen=True, kw_only=True, tag="case_refused"):
    message_id: str
    code: str
    reason: str
    faults: tuple[FaultItem, ...] = ()


class AmendmentQueued(FactBase, frozen=True, kw_only=True, tag="amendment_queued"):
    message_id: str
    code: AmendmentCode
    reason_code: str
    principal: Decimal


class AmendmentSent(FactBase, frozen=True, kw_only=True, tag="amendment_sent"):
    message_id: str
    code: AmendmentCode
    receipt_ref: str


class AmendmentAcknowledged(FactBase, frozen=True, kw_only=True, tag="amendment_acknowledged"):
    message_id: str
    code: AmendmentCode
    holder_ref: str = ""


class StatusReported(FactBase, frozen=True, kw_only=True, tag="status_reported"):
    meaning: str
    foreign_code: str
    text: str
    sequence: int
    is_late: bool = False
    phase: Phase | None = None
    next_deadline_on: dt.date | None = None


class CostReported(FactBase, frozen=True, kw_only=True, tag="cost_reported"):
    """`allowed_by` is the proceeding or approval that leaves room for it, where a court or enforcement causes it."""

    cost_ref: str
    cost_type: str
    amount: Decimal
    tax_amount: Decimal
    bearer: CostBearer
    occurred_on: dt.date
    legal_basis: str
    allowed_by: str = ""


class PaymentReported(FactBase, frozen=True, kw_only=True, tag="payment_reported"):
    payment_ref: str
    amount: Decimal  # negative for a reversal
    received_on: dt.date
    reverses_ref: str = ""
    remittance_ref: str = ""


class RemittanceBooked(FactBase, frozen=True, kw_only=True, tag="remittance_booked"):
    """The ERP shows money that a partner had already reported: booked once, not twice."""

    claim_id: str
    amount: Decimal
    payment_ref: str


class PaymentRecorded(FactBase, frozen=True, kw_only=True, tag="payment_recorded"):
    """The creditor was paid, as a person or the bank says. The ERP's later figure for the same money is matched to it.

    `payment_ref` is theirs (the bank's, a receipt's number); `reverses_ref` names the money that this takes back, with
    an amount below zero; `origin` is person, bank, cash or card. Histories from before these fields do not have them.
    """

    amount: Decimal
    paid_on: dt.date
    note: str = ""
    payment_ref: str | msgspec.UnsetType = msgspec.UNSET
    reverses_ref: str | msgspec.UnsetType = msgspec.UNSET
    origin: str | msgspec.UnsetType = msgspec.UNSET


class HoldSet(FactBase, frozen=True, kw_only=True, tag="hold_set"):
    reason: str
    note: str = ""
    until_on: dt.date | None = None


class HoldReleased(FactBase, frozen=True, kw_only=True, tag="hold_released"):
    reason: str
    note: str = ""


class CaseReturned(FactBase, frozen=True, kw_only=True, tag="case_returned"):
    close_code: str
    outcome: Outcome
    remaining: Decimal
    text: str


class CaseClosed(FactBase, frozen=True, kw_only=True, tag="case_closed"):
    outcome: Outcome
    reason: str = ""


class CaseReopened(FactBase, frozen=True, kw_only=True, tag="case_reopened"):
    reason: str


class DocumentAdded(FactBase, frozen=True, kw_only=True, tag="document_added"):
    document_id: str
    name: str
    document_kind: str
    sha256: str


class InstructionReceived(FactBase, frozen=True, kw_only=True, tag="instruction_received"):
    message_id: str
    code: str
    text: str


class InstructionQueued(FactBase, frozen=True, kw_only=True, tag="instruction_queued"):
    message_id: str
    code: str
    text: str


class CreditorTold(FactBase, frozen=True, kw_only=True, tag="creditor_told"):
    """Something was written into the creditor's systems."""

    reporter: str
    about: str
    receipt_ref: str


class TakenOver(FactBase, frozen=True, kw_only=True, tag="taken_over"):
    """The case already runs elsewhere; the hub follows it and sends nothing."""

    holder_name: str
    holder_ref: str
    balance: Decimal


class NoteAdded(FactBase, frozen=True, kw_only=True, tag="note_added"):
    text: str


class OwnerChanged(FactBase, frozen=True, kw_only=True, tag="owner_changed"):
    owner: str
    contact_person: str


Fact = (
    CaseOpened
    | ClaimAdded
    | ClaimReopened
    | DirectPaymentSeen
    | CreditSeen
    | RouteChosen
    | RouteMissing
    | DispatchBlocked
    | PlacementWithdrawn
    | InformationSupplied
    | CaseSent
    | CaseAcknowledged
    | CaseAccepted
    | CaseRefused
    | AmendmentQueued
    | AmendmentSent
    | AmendmentAcknowledged
    | StatusReported
    | CostReported
    | PaymentReported
    | RemittanceBooked
    | PaymentRecorded
    | HoldSet
    | HoldReleased
    | CaseReturned
    | CaseClosed
    | CaseReopened
    | DocumentAdded
    | InstructionReceived
    | InstructionQueued
    | CreditorTold
    | TakenOver
    | NoteAdded
    | OwnerChanged
    | MoneyFact
    | ExchangeFact
    | NetworkFact
    | RemittanceFact
    | HumanFact
    | PersonFact
    | ContactFact
)


EVENT_KINDS: frozenset[str] = frozenset(str(kind.__struct_config__.tag) for kind in get_args(Fact))


class CaseEvent(msgspec.Struct, frozen=True, kw_only=True):
    """A fact in the history of a case. `hash` covers everything else, `previous_hash` the event before."""

    case_id: str
    seq: int
    occurred_at: dt.datetime
    recorded_at: dt.datetime
    actor: str  # connection:..., partner:..., user:..., hub
    fact: Fact
    previous_hash: str
    hash: str = ""

    @property
    def kind(self) -> str:
        """The fact's stored name, for example `payment_reported`."""
        return str(type(self.fact).__struct_config__.tag)


def event_digest(event: CaseEvent) -> str:
    """SHA-256 over the canonical JSON of the event without its own hash."""
    unsealed = msgspec.structs.replace(event, hash="")
    return hashlib.sha256(msgspec.json.encode(unsealed, order="deterministic")).hexdigest()


def written_digest(doc: str, digest: str) -> str:
    """The digest of an event's stored text, whose last value is `digest` itself.

    It reads the text and not the event, so that a history stays whole when the model grows a field with a default, and
    a word that the model does not know is found.
    """
    return hashlib.sha256((doc.removesuffix(f'{digest}"}}') + '"}').encode()).hexdigest()


def seal(event: CaseEvent) -> CaseEvent:
    """The event with its hash filled in."""
    return msgspec.structs.replace(event, hash=event_digest(event))


def party_digest(salt: str, party_json: bytes) -> str:
    """The salted digest under which an event names a party."""
    return hashlib.sha256(salt.encode() + party_json).hexdigest()
