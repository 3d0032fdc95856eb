"""The case exchange: the eight messages that travel between a hub and the parties who act for it.

One meaning, several spellings: `collecthub.formats` writes these records as XML and JSON, the published
contracts in `schemas/` describe them, and two hubs can exchange them with each other.
`case_id` is always the sender-of-the-file's id of the case (the creditor side), `holder_ref` is the file
number at the party that holds the placement. Amounts are exact decimals in the message's `currency`.
"""

from __future__ import annotations

import datetime as dt
import enum
from decimal import Decimal

import msgspec

from collecthub.model.party import Party

EXCHANGE_VERSION = "1.0"


class Procedure(enum.StrEnum):
    """What the holder is asked to do with the case."""

    AMICABLE = "amicable"
    JUDICIAL = "judicial"
    ENFORCEMENT = "enforcement"


class AmendmentCode(enum.StrEnum):
    """What changed after the case file was sent."""

    RECALL = "recall"  # stop at once; the case comes back
    BALANCE = "balance"  # the amounts in `claims` replace the earlier ones
    SUSPEND = "suspend"
    RESUME = "resume"


class InstructionCode(enum.StrEnum):
    """A word between the parties about a running case."""

    QUESTION = "question"
    ANSWER = "answer"
    NEXT_ACT = "next_act"
    COST_APPROVED = "cost_approved"
    COST_REFUSED = "cost_refused"


class AckVerdict(enum.StrEnum):
    """How far the receiver takes responsibility for a message."""

    RECEIVED = "received"  # stored and readable, nobody has decided yet
    VALIDATED = "validated"  # a machine found nothing wrong with it, nobody has decided yet
    ACCEPTED = "accepted"  # taken on
    REFUSED = "refused"  # not taken on; `reason_code` says why


class ClaimPart(enum.StrEnum):
    """Where a claim stands in a statement of claim. The four parts are those of XJustiz message 2600003."""

    PRINCIPAL = "I"  # with its interest and surcharges
    RECURRING = "II"  # annuities, maintenance, rent that goes on
    TITLED_COSTS = "III"  # costs that a court has put into a title
    ENFORCEMENT_COSTS = "IV"  # costs of enforcement so far


class CostBearer(enum.StrEnum):
    """Who ends up paying a cost."""

    DEBTOR = "debtor"
    CREDITOR = "creditor"


class InterestTerm(msgspec.Struct, frozen=True, kw_only=True):
    """By which rule an amount bears interest: a fixed rate, or a published one and what comes on top.

    Rates are percent a year. `accrued_amount` is what has grown by `to_on`, or by the day of the file without an end.
    """

    base_amount: Decimal
    rate_percent: Decimal | None = None
    reference_rate: str = ""  # whose published rate, such as ecb_main or de_base
    margin_percent: Decimal | None = None  # on top of the published rate
    method: str = ""  # how days are counted, such as actual/365
    from_on: dt.date
    to_on: dt.date | None = None
    accrued_amount: Decimal | None = None
    legal_basis: str = ""


class ClaimItem(msgspec.Struct, frozen=True, kw_only=True):
    """One invoice (or instalment of it) within a case file."""

    claim_id: str
    invoice_ref: str
    issued_on: dt.date | None = None
    due_on: dt.date
    original_amount: Decimal
    open_amount: Decimal
    description: str = ""
    part: ClaimPart = ClaimPart.PRINCIPAL
    cause: str = ""  # what was sold or hurt: medical, utilities, goods, ...
    interest: tuple[InterestTerm, ...] = ()
    kind: str = ""  # principal when empty; interest, out_of_court_cost, penalty, court_fee, ...
    related_claim_ids: tuple[str, ...] = ()  # the claims of the file that it arose from


class TitleItem(msgspec.Struct, frozen=True, kw_only=True):
    """What entitles to enforcement: a judgment, an order, a deed. It covers `claim_ids`, or every claim when there are none."""

    kind: str  # judgment, payment_order, notarial_deed, recorded_demand, other
    authority: str
    file_ref: str
    dated_on: dt.date
    served_on: dt.date | None = None
    final_on: dt.date | None = None
    certificate: str = ""  # for use abroad: eeo, epo, brussels_ia
    claim_ids: tuple[str, ...] = ()


class OrderItem(msgspec.Struct, frozen=True, kw_only=True):
    """An act that the holder is asked for, such as service, disclosure or attachment; `text` says more in words."""

    code: str
    text: str = ""


class DunningStep(msgspec.Struct, frozen=True, kw_only=True):
    """One message to the debtor before the hand-over."""

    level: int
    sent_on: dt.date
    channel: str = ""  # email, letter, sms, phone, visit
    reference: str = ""


class Totals(msgspec.Struct, frozen=True, kw_only=True):
    """The account of the case as the creditor's side keeps it, parts I to IV, on the day `as_of_on`.

    Part I is `principal`, `interest` and `surcharges`. `total` is the four parts less what was received and less what the
    debtor disputes, which must not be asked for.
    """

    as_of_on: dt.date
    principal: Decimal
    interest: Decimal = Decimal(0)
    surcharges: Decimal = Decimal(0)  # compensation, dunning fees
    recurring: Decimal = Decimal(0)
    titled_costs: Decimal = Decimal(0)
    enforcement_costs: Decimal = Decimal(0)
    received: Decimal = Decimal(0)  # payments, credits and what was written off
    withheld: Decimal = Decimal(0)
    total: Decimal


class FaultItem(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong with a message: the element by its path within the message, and why."""

    element: str  # `Claim[2]/DueOn` in XML, `claims[1].due_on` in JSON; empty when it is the message as a whole
    code: str
    reason: str = ""


class DocumentItem(msgspec.Struct, frozen=True, kw_only=True):
    """A document that goes with a case file; `content` is the document itself."""

    name: str
    kind: str  # invoice, contract, reminder, statement, correspondence, judgment, other
    media_type: str
    sha256: str
    content: bytes = b""


class PaymentInstruction(msgspec.Struct, frozen=True, kw_only=True):
    """Where money for the creditor goes."""

    payee: str
    account: str = ""
    reference: str = ""


class CaseFile(msgspec.Struct, frozen=True, kw_only=True, tag="case_file"):
    """Hands a case over. Everything a holder needs to begin, nothing it has no purpose for."""

    message_id: str
    case_id: str
    case_number: str
    procedure: Procedure
    currency: str
    language: str
    creditor: Party
    debtors: tuple[Party, ...]
    claims: tuple[ClaimItem, ...]
    principal: Decimal  # sum of open amounts less `credits`
    credits: Decimal = Decimal(0)  # money and credit notes not tied to one claim
    payment: PaymentInstruction
    dunning_level: int = 0
    mandate_ref: str = ""
    documents: tuple[DocumentItem, ...] = ()
    remarks: str = ""
    titles: tuple[TitleItem, ...] = ()
    orders: tuple[OrderItem, ...] = ()
    dunning_steps: tuple[DunningStep, ...] = ()
    totals: Totals | None = None


class CaseAmendment(msgspec.Struct, frozen=True, kw_only=True, tag="case_amendment"):
    """Changes a case that was sent before: a recall, a new balance, a pause."""

    message_id: str
    case_id: str
    holder_ref: str = ""
    code: AmendmentCode
    reason_code: str
    reason: str = ""
    currency: str
    principal: Decimal
    claims: tuple[ClaimItem, ...] = ()
    effective_on: dt.date


class CaseInstruction(msgspec.Struct, frozen=True, kw_only=True, tag="case_instruction"):
    """A question, an answer, an order or a decision about cost."""

    message_id: str
    case_id: str
    holder_ref: str = ""
    code: InstructionCode
    in_reply_to: str = ""
    text: str = ""


class CaseAcknowledgement(msgspec.Struct, frozen=True, kw_only=True, tag="case_acknowledgement"):
    """The receiver's verdict on one message (`in_reply_to`)."""

    message_id: str
    case_id: str
    holder_ref: str = ""
    in_reply_to: str
    verdict: AckVerdict
    reason_code: str = ""
    reason: str = ""
    occurred_at: dt.datetime
    faults: tuple[FaultItem, ...] = ()  # with a refusal: what is wrong with the message, element by element


class CaseStatusUpdate(msgspec.Struct, frozen=True, kw_only=True, tag="case_status_update"):
    """What happened in the case. `status_code` is the partner's own code; the hub translates it."""

    message_id: str
    case_id: str
    holder_ref: str = ""
    sequence: int  # rises per case at the sender; late ones are kept in the history; 0 when he does not number them
    status_code: str
    text: str = ""
    occurred_at: dt.datetime
    next_deadline_on: dt.date | None = None


class CostStatement(msgspec.Struct, frozen=True, kw_only=True, tag="cost_statement"):
    """A cost the holder charges."""

    message_id: str
    case_id: str
    holder_ref: str = ""
    cost_ref: str
    cost_type: str  # bailiff_act, court_fee, lawyer_fee, collection_fee, other
    currency: str
    amount: Decimal
    tax_amount: Decimal = Decimal(0)
    bearer: CostBearer
    occurred_on: dt.date
    legal_basis: str = ""


class PaymentReport(msgspec.Struct, frozen=True, kw_only=True, tag="payment_report"):
    """Money the holder received (positive) or gave back (negative, with `reverses_ref`)."""

    message_id: str
    case_id: str
    holder_ref: str = ""
    payment_ref: str
    currency: str
    amount: Decimal
    received_on: dt.date
    reverses_ref: str = ""
    remittance_ref: str = ""  # set when the money was passed on to the creditor


class CaseReturn(msgspec.Struct, frozen=True, kw_only=True, tag="case_return"):
    """Ends the placement. `close_code` is the partner's own code; the hub translates it to an outcome."""

    message_id: str
    case_id: str
    holder_ref: str = ""
    close_code: str
    currency: str
    remaining: Decimal
    occurred_on: dt.date
    text: str = ""


OutboundMessage = CaseFile | CaseAmendment | CaseInstruction
InboundMessage = (
    CaseAcknowledgement | CaseStatusUpdate | CostStatement | PaymentReport | CaseReturn | CaseInstruction
)
Message = (
    CaseFile
    | CaseAmendment
    | CaseInstruction
    | CaseAcknowledgement
    | CaseStatusUpdate
    | CostStatement
    | PaymentReport
    | CaseReturn
)


class Exchange(msgspec.Struct, frozen=True, kw_only=True):
    """One envelope: messages of one sender for one receiver, in order."""

    exchange_id: str
    version: str = EXCHANGE_VERSION
    sender_ref: str
    receiver_ref: str
    created_at: dt.datetime
    is_test: bool = False
    messages: tuple[Message, ...]


class AccountLine(msgspec.Struct, frozen=True, kw_only=True):
    """A holder's own books on one case, for reconciliation: what it was asked to collect and what it booked."""

    case_id: str
    holder_ref: str
    currency: str
    principal: Decimal  # as last told by the hub, before the holder's own receipts; 0 after a recall
    paid: Decimal  # net of reversals
    costs: Decimal
    is_stopped: bool
    as_of_on: dt.date | None = None  # the day of the two that grow; without it they are not compared
    interest: Decimal | None = None  # grown until that day, before receipts; absent when the holder keeps none
    surcharges: Decimal | None = None  # compensation and dunning fees


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """A part of inbound bytes that could not be read while the rest could."""

    code: str
    reason: str
    path: str = ""
    excerpt: str = ""
    message_id: str = ""
    case_id: str = ""


class BroughtPaper(msgspec.Struct, frozen=True, kw_only=True):
    """A document that a partner brings by file or mail; `about` is the number or id of its case, empty when it names none."""

    message_id: str
    about: str
    name: str
    content: bytes


class Decoded(msgspec.Struct, frozen=True, kw_only=True):
    """What a file or call contained: the messages that are good, the documents, and the faults beside them."""

    exchange_id: str
    sender_ref: str
    messages: tuple[Message, ...] = ()
    faults: tuple[Fault, ...] = ()
    is_test: bool = False  # read and answered; nothing of it reaches a case
    papers: tuple[BroughtPaper, ...] = ()
