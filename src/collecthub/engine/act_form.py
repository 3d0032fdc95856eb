"""Whoever asks for an act without an API fills in a form; it becomes the same messages of the exchange."""

from __future__ import annotations

import datetime as dt
import hashlib
from decimal import Decimal

import msgspec

from collecthub.engine import act_desk
from collecthub.engine.context import Hub, Work
from collecthub.engine.page_guard import Paper, paper_type
from collecthub.errors import PermanentError
from collecthub.formats.json import JsonFormat
from collecthub.model.act import Act
from collecthub.model.exchange import (
    CaseFile,
    CaseInstruction,
    ClaimItem,
    DocumentItem,
    Exchange,
    InstructionCode,
    OrderItem,
    PaymentInstruction,
    Procedure,
)
from collecthub.model.ids import derived_id
from collecthub.model.party import Address, Party, PartyKind


class AskedAct(msgspec.Struct, frozen=True, kw_only=True):
    """The form. `reference` is the file number of whoever asks; `language` is that of the document."""

    kind: str
    reference: str
    on_behalf_of: str
    from_country: str
    addressee: str
    is_person: bool
    street: str
    postcode: str
    city: str
    country: str
    amount: Decimal
    currency: str
    due_on: dt.date
    language: str
    manner: str


def ask_by_form(hub: Hub, work: Work, partner_id: str, asked: AskedAct, paper: Paper) -> Act:
    """The form as an exchange of the published contract, taken like any other; sent twice, it counts once.

    Raises `PermanentError` for a document that is no PDF or picture, and for what the desk does not take.
    """
    media_type = paper_type(paper.content)
    if not media_type:
        raise PermanentError("the document is no PDF, PNG or JPEG", cure="Choose another file.")
    document = DocumentItem(
        name=paper.name, kind="other", media_type=media_type, content=paper.content,
        sha256=hashlib.sha256(paper.content).hexdigest(),
    )  # fmt: skip
    file = _case_file(partner_id, asked, document)
    exchange = Exchange(
        exchange_id=derived_id("act-form", file.message_id), sender_ref=partner_id, receiver_ref=hub.settings.operator_name,
        created_at=work.now, messages=(file,),
    )  # fmt: skip
    (taken,) = act_desk.take_exchange(hub, work, partner_id, JsonFormat().encode(exchange))
    return taken


def _case_file(partner_id: str, asked: AskedAct, document: DocumentItem) -> CaseFile:
    address = Address(lines=(asked.street,), postcode=asked.postcode, city=asked.city, country=asked.country)
    addressee = Party(
        name=asked.addressee, kind=PartyKind.PERSON if asked.is_person else PartyKind.COMPANY, country=asked.country,
        address=address,
    )  # fmt: skip
    claim = ClaimItem(
        claim_id=derived_id("act-claim", partner_id, asked.reference), invoice_ref=asked.reference, due_on=asked.due_on,
        original_amount=asked.amount, open_amount=asked.amount,
    )  # fmt: skip
    return CaseFile(
        message_id=derived_id("act-ask", partner_id, asked.reference), case_id=asked.reference, case_number=asked.reference,
        procedure=Procedure.JUDICIAL, currency=asked.currency, language=asked.language,
        creditor=Party(name=asked.on_behalf_of, country=asked.from_country), debtors=(addressee,), claims=(claim,),
        principal=asked.amount, payment=PaymentInstruction(payee=asked.on_behalf_of), documents=(document,),
        orders=(OrderItem(code=asked.kind, text=asked.manner),),
    )  # fmt: skip


def answer_price(work: Work, partner_id: str, act: Act, *, is_approved: bool) -> Act:
    """Yes or no to the price that was shown. Raises `PermanentError` when it was replaced or has run out."""
    code = InstructionCode.COST_APPROVED if is_approved else InstructionCode.COST_REFUSED
    quoted = act.quote.message_id if act.quote else ""
    said = CaseInstruction(
        message_id=derived_id("act-answer", act.act_id, quoted, code.value), case_id=act.reference, code=code,
        in_reply_to=quoted,
    )  # fmt: skip
    return act_desk.decide_quote(work, partner_id, said)
