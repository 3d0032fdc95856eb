"""pain.001.001.09: an order to the bank to pay. Written for the SEPA credit transfer and, beyond euro, for any currency.

Structure: ISO 20022 CustomerCreditTransferInitiationV09; use of its fields: EPC132-08 (SEPA credit transfer, customer
to bank, 2023). Texts are cut to the length that the schema knows; amounts and references never.
"""

from __future__ import annotations

import datetime as dt
import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal

import msgspec
from stdnum import iban
from stdnum.exceptions import ValidationError

from collecthub.errors import PermanentError
from collecthub.formats.markup import Markup
from collecthub.model.money import minor_units
from collecthub.wire.xml import Element, serialise

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"
NAME_LONGEST, TEXT_LONGEST, REF_LONGEST = 70, 140, 35
# What every SEPA bank takes (EPC217-08, part 1): other letters lose their marks or become a point.
BASIC_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/-?:().,'+ ")


class CreditTransfer(msgspec.Struct, frozen=True, kw_only=True):
    """One payment of an order. `end_to_end_ref` comes back on every statement and in every answer."""

    end_to_end_ref: str
    amount: Decimal
    currency: str
    payee: str
    account: str
    text: str


class PaymentOrder(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that one pain.001 file says. `message_ref` is one for all time."""

    message_ref: str
    made_at: dt.datetime
    payer: str
    account: str
    pay_on: dt.date
    transfers: tuple[CreditTransfer, ...]


def checked_iban(account: str) -> str:
    """An IBAN in its bare form. Raises `PermanentError` for anything else."""
    try:
        return str(iban.validate(account, check_country=False))
    except ValidationError as error:
        raise PermanentError(f"{account[:40]!r} is not an IBAN", cure="Enter the IBAN of the account.") from error


def write_pain001(order: PaymentOrder) -> bytes:
    """The order as XML, every amount exact. Raises `PermanentError` for what no bank can pay."""
    for transfer in order.transfers:
        _check(transfer)
    pen = Markup(NAMESPACE)
    root = pen.root("Document")
    body = pen.add(root, "CstmrCdtTrfInitn")
    head = pen.add(body, "GrpHdr")
    pen.add(head, "MsgId", order.message_ref)
    pen.add(head, "CreDtTm", order.made_at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))
    _sums(pen, head, order.transfers)
    pen.add(pen.add(head, "InitgPty"), "Nm", plain_latin(order.payer)[:NAME_LONGEST])
    by_currency: dict[str, list[CreditTransfer]] = defaultdict(list)
    for transfer in order.transfers:
        by_currency[transfer.currency].append(transfer)
    for place, (currency, transfers) in enumerate(sorted(by_currency.items()), 1):
        _batch(pen, body, order, f"{order.message_ref}-{place}"[:REF_LONGEST], currency, transfers)
    return serialise(root)


def _check(transfer: CreditTransfer) -> None:
    exact = transfer.amount.quantize(Decimal(1).scaleb(-minor_units(transfer.currency)))
    if transfer.amount <= 0 or exact != transfer.amount:
        raise PermanentError(
            f"{transfer.amount} {transfer.currency} cannot be transferred", cure="Pay an amount above zero, to the cent.",
            reference=transfer.end_to_end_ref,
        )
    checked_iban(transfer.account)
    if not 0 < len(transfer.end_to_end_ref) <= REF_LONGEST or not transfer.payee.strip():
        raise PermanentError("the payment has no reference or no payee", cure="Name both.", reference=transfer.end_to_end_ref)


def _sums(pen: Markup, parent: Element, transfers: Sequence[CreditTransfer]) -> None:
    pen.add(parent, "NbOfTxs", len(transfers))
    pen.add(parent, "CtrlSum", sum((transfer.amount for transfer in transfers), Decimal(0)))


def _batch(
    pen: Markup, body: Element, order: PaymentOrder, ref: str, currency: str, transfers: Sequence[CreditTransfer]
) -> None:
    """Payments in one currency; each is booked by itself, so that statements show it by its reference."""
    batch = pen.add(body, "PmtInf")
    pen.add(batch, "PmtInfId", ref)
    pen.add(batch, "PmtMtd", "TRF")
    pen.add(batch, "BtchBookg", False)
    _sums(pen, batch, transfers)
    if currency == "EUR":
        pen.add(pen.add(pen.add(batch, "PmtTpInf"), "SvcLvl"), "Cd", "SEPA")
    pen.add(pen.add(batch, "ReqdExctnDt"), "Dt", order.pay_on)
    pen.add(pen.add(batch, "Dbtr"), "Nm", plain_latin(order.payer)[:NAME_LONGEST])
    pen.add(pen.add(pen.add(batch, "DbtrAcct"), "Id"), "IBAN", checked_iban(order.account))
    agent = pen.add(pen.add(pen.add(batch, "DbtrAgt"), "FinInstnId"), "Othr")
    pen.add(agent, "Id", "NOTPROVIDED")  # the bank is told by the IBAN
    pen.add(batch, "ChrgBr", "SLEV" if currency == "EUR" else "SHAR")
    for transfer in transfers:
        paid = pen.add(batch, "CdtTrfTxInf")
        pen.add(pen.add(paid, "PmtId"), "EndToEndId", transfer.end_to_end_ref)
        pen.add(pen.add(paid, "Amt"), "InstdAmt", transfer.amount, Ccy=currency)
        pen.add(pen.add(paid, "Cdtr"), "Nm", plain_latin(transfer.payee)[:NAME_LONGEST])
        pen.add(pen.add(pen.add(paid, "CdtrAcct"), "Id"), "IBAN", checked_iban(transfer.account))
        pen.add(pen.add(paid, "RmtInf"), "Ustrd", plain_latin(transfer.text)[:TEXT_LONGEST])


def plain_latin(text: str) -> str:
    """A text in the letters that every SEPA bank takes.

    >>> plain_latin("Brasserie Zoé & Fils \u00d8")
    'Brasserie Zoe + Fils .'
    """
    bare = unicodedata.normalize("NFKD", text.replace("&", "+").replace("\u00df", "ss"))
    kept = (char for char in bare if not unicodedata.combining(char))
    return " ".join("".join(char if char in BASIC_LETTERS else "." for char in kept).split())
