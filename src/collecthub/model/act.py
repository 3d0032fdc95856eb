"""An act that a lawyer or agency elsewhere asks for here: summons or service, from the request to the certificate.

Request, quote, yes or no, what was done and the bill are messages of the case exchange, as between a creditor's hub and
a holder, with the roles turned round: the one who asks sends the case file, and hears from us what a holder would say.
"""

from __future__ import annotations

import datetime as dt
import enum
from decimal import Decimal

import msgspec

from collecthub.errors import PermanentError
from collecthub.model.exchange import (
    AckVerdict,
    CaseAcknowledgement,
    CaseFile,
    CaseInstruction,
    CaseReturn,
    CaseStatusUpdate,
    CostBearer,
    CostStatement,
    DocumentItem,
    InstructionCode,
    Message,
)
from collecthub.model.ids import derived_id

ACTS = ("service", "summons")
SERVED, NOT_SERVED = "act_served", "act_not_served"


class ActState(enum.StrEnum):
    """Where a request stands. `asked` waits for us, `quoted` for whoever asked, `ordered` for the bailiff."""

    ASKED = "asked"
    QUOTED = "quoted"
    ORDERED = "ordered"
    DONE = "done"
    FAILED = "failed"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class Quote(msgspec.Struct, frozen=True, kw_only=True):
    """What the act costs, before it is done. `basis` is the rule of the tariff, or who said so."""

    message_id: str
    currency: str
    amount: Decimal
    tax_amount: Decimal
    basis: str
    rules: str
    valid_until_on: dt.date
    notes: tuple[str, ...] = ()


class Act(msgspec.Struct, frozen=True, kw_only=True):
    """A request with everything said about it, in order."""

    act_id: str
    partner_id: str
    reference: str  # the file number of whoever asked
    kind: str
    from_country: str
    to_country: str
    state: ActState
    request: CaseFile
    messages: tuple[Message, ...]
    asked_at: dt.datetime
    quote: Quote | None = None
    certificate: DocumentItem | None = None
    connection_id: str = ""  # the line by which it was asked; empty for API and page, where our words are fetched
    sent: int = 0  # how many of our messages went back over that line


def unsent(act: Act) -> tuple[Message, ...]:
    """What we said and did not send yet."""
    return replies(act)[act.sent :]


def replies(act: Act) -> tuple[Message, ...]:
    """What we said: everything after the request but what the other side said itself."""
    ours = (CaseAcknowledgement, CostStatement, CaseStatusUpdate, CaseReturn)
    return tuple(
        one for one in act.messages
        if isinstance(one, ours) or (isinstance(one, CaseInstruction) and one.code is InstructionCode.QUESTION)
    )  # fmt: skip


def act_of(file: CaseFile) -> str:
    """The act that a case file asks for. Raises `PermanentError` when it asks for none, or for several."""
    asked = [order.code for order in file.orders if order.code in ACTS]
    if len(asked) != 1 or len(file.debtors) != 1 or not file.documents:
        raise PermanentError(
            f"message {file.message_id} is no request for one act",
            cure=f"Name one order ({' or '.join(ACTS)}), one debtor who receives it, and attach the documents to serve.",
        )
    if not all(document.content for document in file.documents):
        raise PermanentError("a document to serve is named and not sent", cure="Send the bytes of every document.")
    address = file.debtors[0].address
    if not address.lines or not address.city or not address.country:
        raise PermanentError("the addressee has no address", cure="Give street, town and country of the debtor.")
    return asked[0]


def _said(act: Act, *messages: Message, **changes: object) -> Act:
    return msgspec.structs.replace(act, messages=(*act.messages, *messages), **changes)


def _expect(act: Act, *states: ActState) -> None:
    if act.state not in states:
        wanted = " or ".join(states)
        raise PermanentError(f"act {act.reference} is {act.state.value}, not {wanted}", cure="Read it again.")


def opened(
    file: CaseFile, kind: str, act_id: str, partner_id: str, now: dt.datetime, *, connection_id: str = ""
) -> Act:
    """The request as it came, and the receipt for it."""
    receipt = CaseAcknowledgement(
        message_id=derived_id(act_id, "received"), case_id=file.case_id, holder_ref=act_id, in_reply_to=file.message_id,
        verdict=AckVerdict.RECEIVED, occurred_at=now,
    )
    return Act(
        act_id=act_id, partner_id=partner_id, reference=file.case_id, kind=kind, from_country=file.creditor.country,
        to_country=file.debtors[0].address.country, state=ActState.ASKED, asked_at=now, messages=(receipt,),
        request=_light(file), connection_id=connection_id,
    )


def _light(file: CaseFile) -> CaseFile:
    """Without the bytes of its documents: they are evidence, under their hash."""
    named = tuple(msgspec.structs.replace(one, content=b"") for one in file.documents)
    return msgspec.structs.replace(file, documents=named)


def quoted(act: Act, quote: Quote, text: str) -> Act:
    """The price and the rules, as a question to whoever asked. A new quote replaces one that was not answered."""
    _expect(act, ActState.ASKED, ActState.QUOTED)
    question = CaseInstruction(
        message_id=quote.message_id, case_id=act.reference, holder_ref=act.act_id, code=InstructionCode.QUESTION,
        in_reply_to=act.request.message_id, text=text,
    )
    return _said(act, question, state=ActState.QUOTED, quote=quote)


def decided(act: Act, said: CaseInstruction, now: dt.datetime) -> Act:
    """Yes or no to the quote. Raises `PermanentError` for an answer to another quote, or after its last day."""
    if any(one.message_id == said.message_id for one in act.messages):
        return act
    _expect(act, ActState.QUOTED)
    quote = act.quote
    if quote is None or said.in_reply_to != quote.message_id:
        raise PermanentError("this answers another quote", cure=f"Answer {quote.message_id if quote else 'the quote'}.")
    if said.code is InstructionCode.COST_REFUSED:
        return _said(act, said, state=ActState.WITHDRAWN)
    if said.code is not InstructionCode.COST_APPROVED:
        raise PermanentError(f"{said.code.value} is no answer to a quote", cure="Say cost_approved or cost_refused.")
    if now.date() > quote.valid_until_on:
        raise PermanentError(f"the quote held until {quote.valid_until_on}", cure="Ask for a new one.")
    return _said(act, said, _answer(act, now, AckVerdict.ACCEPTED), state=ActState.ORDERED)


def refused(act: Act, reason: str, now: dt.datetime) -> Act:
    """We do not do it, and why."""
    _expect(act, ActState.ASKED, ActState.QUOTED)
    return _said(act, _answer(act, now, AckVerdict.REFUSED, reason), state=ActState.REFUSED)


def _answer(act: Act, now: dt.datetime, verdict: AckVerdict, reason: str = "") -> CaseAcknowledgement:
    return CaseAcknowledgement(
        message_id=derived_id(act.act_id, verdict.value), case_id=act.reference, holder_ref=act.act_id,
        in_reply_to=act.request.message_id, verdict=verdict, reason=reason, occurred_at=now,
        reason_code="refused" if verdict is AckVerdict.REFUSED else "",
    )


def performed(
    act: Act, *, is_served: bool, done_on: dt.date, text: str, certificate: DocumentItem, now: dt.datetime
) -> Act:
    """The bailiff went: what happened, the certificate, the bill as quoted, and the end."""
    _expect(act, ActState.ORDERED)
    assert act.quote is not None, "nothing is ordered without a quote"
    if done_on > now.date():
        raise PermanentError(f"{done_on} lies ahead", cure="Enter the day on which it happened.")
    code = SERVED if is_served else NOT_SERVED
    moment = min(now, dt.datetime.combine(done_on, dt.time(12), dt.UTC))
    status = CaseStatusUpdate(
        message_id=derived_id(act.act_id, "status"), case_id=act.reference, holder_ref=act.act_id, sequence=1,
        status_code=code, occurred_at=moment,
        text=f"{text}\nCertificate: {certificate.name}, SHA-256 {certificate.sha256}",
    )
    bill = CostStatement(
        message_id=derived_id(act.act_id, "cost"), case_id=act.reference, holder_ref=act.act_id, cost_ref=act.act_id,
        cost_type="bailiff_act", currency=act.quote.currency,
        amount=act.quote.amount, tax_amount=act.quote.tax_amount, bearer=CostBearer.CREDITOR, occurred_on=done_on,
        legal_basis=act.quote.basis,
    )
    end = CaseReturn(
        message_id=derived_id(act.act_id, "return"), case_id=act.reference, holder_ref=act.act_id, close_code=code,
        currency=act.quote.currency, remaining=Decimal(0), occurred_on=done_on,
    )
    state = ActState.DONE if is_served else ActState.FAILED
    return _said(act, status, bill, end, state=state, certificate=certificate)
