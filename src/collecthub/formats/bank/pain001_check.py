"""The last look at a pain.001 before it leaves: its published schema, and what banks refuse although the schema allows it.

The bytes are read again, so that what is judged is what the bank will read. Rules beyond the schema: EPC132-08 (SEPA
credit transfer, customer to bank, 2023): amounts from 0.01 to 999999999.99 EUR, the basic Latin letters, references
that do not begin or end with a slash or hold two of them; ISO 20022: the sums of the groups; ISO 13616: the digits of an IBAN.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from collecthub.errors import PermanentError
from collecthub.formats.bank.pain001 import (
    BASIC_LETTERS,
    NAME_LONGEST,
    NAMESPACE,
    REF_LONGEST,
    TEXT_LONGEST,
    checked_iban,
)
from collecthub.formats.bundled_schemas import kind_of, schema_faults
from collecthub.model.money import minor_units
from collecthub.wire.xml import Element, parse

_NS = {"p": NAMESPACE}
_SEPA_MOST = Decimal("999999999.99")
_SAID_MOST, _ORDER_BYTES = 10, 500_000_000


def refuse_faulty(content: bytes, message_ref: str) -> None:
    """Raise `PermanentError` with a sentence for everything that a bank would refuse the order for."""
    faults = order_faults(content)
    if faults:
        more = f"; and {len(faults) - _SAID_MOST} more" if len(faults) > _SAID_MOST else ""
        raise PermanentError(
            f"the order {message_ref} would be refused by the bank: {'; '.join(faults[:_SAID_MOST])}{more}",
            cure="Correct the named payment; nothing was written and nothing counts as sent.", reference=message_ref,
        )


def order_faults(content: bytes) -> tuple[str, ...]:
    """A sentence for each fault, the schema's first; none for an order that a bank can carry out."""
    root = parse(content, max_bytes=_ORDER_BYTES)
    kind = kind_of(root)
    if kind is None or root.find("p:CstmrCdtTrfInitn", _NS) is None:
        return ("it is not a pain.001.001.09 message",)
    said = [f"{fault.path}: {fault.message}" for fault in schema_faults(root, kind)]
    return tuple(said) or tuple(_beyond_schema(root))


def _beyond_schema(root: Element) -> Iterator[str]:
    transfers = root.findall(".//p:CdtTrfTxInf", _NS)
    for group in (root.find(".//p:GrpHdr", _NS), *root.findall(".//p:PmtInf", _NS)):
        if group is not None:
            yield from _sums(group, transfers if group.tag.endswith("GrpHdr") else group.findall("p:CdtTrfTxInf", _NS))
    for batch in root.findall(".//p:PmtInf", _NS):
        yield from _account(batch, "p:DbtrAcct", "the account to pay from")
    seen: set[str] = set()
    for transfer in transfers:
        ref = _text(transfer, "p:PmtId/p:EndToEndId")
        if ref in seen:
            yield f"payment {ref} is in it twice"
        seen.add(ref)
        yield from (f"payment {ref}: {fault}" for fault in _transfer(transfer))
    yield from _references(root)


def _sums(group: Element, transfers: list[Element]) -> Iterator[str]:
    where = _text(group, "p:MsgId") or _text(group, "p:PmtInfId")
    counted, said = str(len(transfers)), _text(group, "p:NbOfTxs")
    if counted != said:
        yield f"{where} says {said} payments and holds {counted}"
    total, control = sum((_amount(one) for one in transfers), Decimal(0)), _text(group, "p:CtrlSum")
    if control and Decimal(control) != total:
        yield f"the control sum of {where} is {control} and its payments are {total}"


def _transfer(transfer: Element) -> Iterator[str]:
    amount, paid = _amount(transfer), transfer.find("p:Amt/p:InstdAmt", _NS)
    currency = str(paid.get("Ccy")) if paid is not None else ""
    places = minor_units(currency)
    exponent = amount.as_tuple().exponent
    if isinstance(exponent, int) and -exponent > places:
        yield f"{amount} {currency} has more than {places} decimals"
    if amount <= 0:
        yield f"{amount} {currency} is not above zero"
    if currency == "EUR" and amount > _SEPA_MOST:
        yield f"{amount} EUR is more than the {_SEPA_MOST} EUR of one SEPA credit transfer"
    yield from _account(transfer, "p:CdtrAcct", "the payee's account")
    for path, what, longest in (("p:Cdtr/p:Nm", "the payee's name", NAME_LONGEST), ("p:RmtInf/p:Ustrd", "the text", TEXT_LONGEST)):
        text = _text(transfer, path)
        if wrong := sorted(set(text) - BASIC_LETTERS):
            yield f"{what} has letters that not every bank takes: {' '.join(wrong)}"
        if len(text) > longest:
            yield f"{what} is longer than {longest} letters"
        if not text.strip():
            yield f"{what} is empty"


def _account(parent: Element, path: str, what: str) -> Iterator[str]:
    number = _text(parent, f"{path}/p:Id/p:IBAN")
    try:
        checked_iban(number)
    except PermanentError:
        yield f"{what} {number!r} is not an IBAN"


def _references(root: Element) -> Iterator[str]:
    for name in ("MsgId", "PmtInfId", "EndToEndId"):
        for element in root.iterfind(f".//p:{name}", _NS):
            ref = element.text or ""
            if set(ref) - BASIC_LETTERS or ref.startswith("/") or ref.endswith("/") or "//" in ref:
                yield f"the reference {ref!r} has letters or slashes that not every bank takes"
            if not 0 < len(ref) <= REF_LONGEST:
                yield f"the reference {ref!r} is empty or longer than {REF_LONGEST} letters"


def _amount(transfer: Element) -> Decimal:
    return Decimal(_text(transfer, "p:Amt/p:InstdAmt"))


def _text(element: Element, path: str) -> str:
    return element.findtext(path, "", _NS)
