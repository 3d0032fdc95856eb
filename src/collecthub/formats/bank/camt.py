"""camt.052, camt.053 and camt.054 (ISO 20022), every version, read as a stream.

Elements are found by their local names: versions and national variants differ in namespaces and order, not in what
these names mean. Structure: https://www.iso20022.org/iso-20022-message-definitions, business area cash management.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import IO

from msgspec.structs import replace

from collecthub.formats.bank.camt_part import Part, local_name, read_part
from collecthub.formats.bank.statement import (
    ZERO,
    BankStatement,
    BankTransaction,
    Parts,
    amount_of,
    balance_finding,
    bare_account,
    currency_of,
    given_ref,
    refuse,
)
from collecthub.wire.xml import Element, iter_elements, parse

_REPORTS = {"Rpt": "camt.052", "Stmt": "camt.053", "Ntfctn": "camt.054"}
_SMALL = 20_000_000
_NAMESPACE = re.compile(r"urn:iso:std:iso:20022:tech:xsd:camt\.05[234]\.")
# Sub-families of ISO 20022 bank transaction codes that undo an earlier payment (external code set, 2Q2023).
_RETURNS = frozenset("RRTN RPCR RRCT UPDD UPCT PRDD ARET RRCR PRCT RIMB CDCD UPCQ UPCC".split())
_OPENING, _CLOSING = ("OPBD", "PRCD"), ("CLBD",)


def read_camt(stream: IO[bytes]) -> Parts:
    """The statements of a message. Raises `QuarantineError`, after which nothing before it may be booked."""
    walk: _Walk | None = None
    for entry in iter_elements(stream, "{*}Ntry"):
        report = entry.getparent()
        if report is None or local_name(report) not in _REPORTS:
            continue
        if walk is None:
            walk = _Walk(report)
        yield from walk.enter(report)
        yield from walk.read_entry(entry)
    if walk is None:
        walk = _without_entries(stream)
    yield from walk.finish()


def _without_entries(stream: IO[bytes]) -> _Walk:
    stream.seek(0)
    root = parse(stream.read(_SMALL + 1), max_bytes=_SMALL)
    _check_root(root)
    message = next(iter(root), None)
    reports = [] if message is None else [child for child in message if local_name(child) in _REPORTS]
    if not reports:
        line = f"line {root.sourceline}" if message is None else f"line {message.sourceline}"
        named = local_name(root) if message is None else local_name(message)
        raise refuse("incomplete", f"{named} has no statement, report or notification", line)
    return _Walk(reports[0])


def _check_root(root: Element) -> None:
    namespace = str(root.tag).partition("}")[0].removeprefix("{")
    if local_name(root) != "Document" or not _NAMESPACE.match(namespace):
        raise refuse("format", f"{local_name(root)} of {namespace[:80]!r} is not a camt.052, 053 or 054 message", f"line {root.sourceline}")


class _Walk:
    """Walks the reports of one message; each is a statement."""

    def __init__(self, report: Element) -> None:
        message = report.getparent()
        assert message is not None, "a report lies in a message"
        _check_root(report.getroottree().getroot())
        self._message = message
        self._report: Element | None = None
        self._done = 0  # reports of the message that are behind
        self._head: _Head | None = None

    def enter(self, report: Element) -> Iterator[BankStatement]:
        """Make the report of the next entry the present one; what lies before it is closed."""
        if report is self._report:
            return
        yield from self._close()
        yield from self._skip_to(report)
        self._report, self._head = report, _Head(report)
        self._done += 1

    def _skip_to(self, report: Element | None) -> Iterator[BankStatement]:
        reports = [child for child in self._message if local_name(child) in _REPORTS]
        for empty in reports[self._done :]:
            if empty is report:
                return
            self._head = _Head(empty)
            self._done += 1
            yield from self._close()

    def read_entry(self, entry: Element) -> Iterator[BankTransaction]:
        assert self._head is not None, "entered before"
        yield from self._head.read_entry(read_part(entry))

    def _close(self) -> Iterator[BankStatement]:
        if self._head is not None:
            yield self._head.close()
        self._head = None

    def finish(self) -> Iterator[BankStatement]:
        """The last statement, and those after it that have no entries."""
        yield from self._close()
        yield from self._skip_to(None)


class _Head:
    """One statement while it is read: its frame, the sums of its entries, what it says about them itself."""

    def __init__(self, element: Element) -> None:
        self.line = f"line {element.sourceline}"
        self.kind = _REPORTS[local_name(element)]
        report = read_part(element, without="Ntry")
        account = report.child("Acct")
        number = "" if account is None else account.words("Id/IBAN") or account.words("Id/Othr/Id")
        if not number:
            raise refuse("incomplete", "the statement names no account (Acct/Id)", self.line)
        self.account = bare_account(number)
        self.ref = report.words("Id")
        self.sequence = report.words("ElctrncSeqNb") or report.words("LglSeqNb")
        self.made_on = _day(report.words("CreDtTm"), self.line)
        self.currency = "" if account is None else account.words("Ccy")
        self.balances = _balances(report)
        self.summary = report.child("TxsSummry")
        self.entries = self.transactions = 0
        self.sums = {True: ZERO, False: ZERO}
        self.counts = {True: 0, False: 0}
        self.booked = ZERO

    def read_entry(self, entry: Part) -> Iterator[BankTransaction]:
        self.entries += 1
        place = f"entry {self.entries}, line {entry.line}"
        amount, currency = _money(entry, place)
        is_credit = _direction(entry, place)
        status = entry.words("Sts/Cd") or entry.words("Sts/Prtry") or entry.words("Sts")
        self.sums[is_credit] += amount
        self.counts[is_credit] += 1
        if status == "BOOK":
            self.booked += amount if is_credit else -amount
        shared = _Entry(self, entry, place, amount, currency, is_credit, status)
        for transaction in shared.transactions():
            self.transactions += 1
            yield transaction

    def close(self) -> BankStatement:
        """The statement. Raises a refusal when the sums that it states are not those of its entries."""
        if self.summary is not None:
            self._check_summary(self.summary)
        opening, closing = self._balance(_OPENING), self._balance(_CLOSING)
        is_one = opening is not None and closing is not None and opening[1] == closing[1]
        finding = balance_finding(opening[0], closing[0], self.booked) if is_one and opening and closing else ""
        return BankStatement(
            account=self.account, kind=self.kind, statement_ref=self.ref, sequence=self.sequence,
            currency=self.currency or (opening or closing or (ZERO, "", None))[1],
            opening=opening[0] if opening else None, closing=closing[0] if closing else None,
            opened_on=opening[2] if opening else None, closed_on=closing[2] if closing else None,
            transactions=self.transactions, finding=finding,
        )  # fmt: skip

    def _balance(self, codes: tuple[str, ...]) -> tuple[Decimal, str, dt.date | None] | None:
        return next((self.balances[code] for code in codes if code in self.balances), None)

    def _check_summary(self, summary: Part) -> None:
        every = sum(self.counts.values()), sum(self.sums.values(), ZERO)
        stated = {
            "TtlNtries": every, "TtlCdtNtries": (self.counts[True], self.sums[True]),
            "TtlDbtNtries": (self.counts[False], self.sums[False]),
        }
        for name, (count, total) in stated.items():
            part = summary.child(name)
            if part is None:
                continue
            said, amount = part.words("NbOfNtries"), part.words("Sum")
            if said and said != str(count):
                raise refuse("control", f"{name} states {said} entries, the statement has {count}", self.line)
            if amount and _decimal(amount, self.line) != total:
                raise refuse("control", f"{name} states a sum of {amount}, its entries make {total}", self.line)


class _Entry:
    """One booking with the payments in it."""

    def __init__(
        self, head: _Head, entry: Part, place: str, amount: Decimal, currency: str, is_credit: bool, status: str
    ) -> None:
        self.head, self.entry, self.place = head, entry, place
        self.amount, self.currency, self.is_credit = amount, currency, is_credit
        self.is_pending = status in {"PDNG", "FUTR", "INFO"}
        booked = _date(entry.child("BookgDt"), place)
        self.value_on = _date(entry.child("ValDt"), place)
        when = booked or self.value_on or head.made_on
        if when is None:
            raise refuse("incomplete", "neither the entry nor its message has a date", place)
        self.booked_on = when
        self.doubt = "" if booked or self.value_on else "the bank states no booking date; that of its message is taken"
        self.ref = given_ref(entry.words("AcctSvcrRef") or entry.words("NtryRef"))
        self.is_return = entry.words("RvslInd") in {"true", "1"} or _is_return(entry)

    def transactions(self) -> Iterator[BankTransaction]:
        """One record per payment. What a batch says against itself is noted on each of its payments."""
        details = [child for part in self.entry.every("NtryDtls") for child in part.every("TxDtls")]
        batch = next((found for part in self.entry.every("NtryDtls") for found in part.every("Btch")), None)
        said = "" if batch is None else batch.words("NbOfTxs")
        if len(details) > 1 and not all(_amounts(detail) for detail in details):
            lump = self._record(details[0], self.place, self.amount, self.is_credit, self.ref, len(details))
            yield replace(lump, reference="", payer_name="", payer_account="", text="", doubt="a batch whose payments have no amounts")
        elif not details:
            yield self._record(self.entry, self.place, self.amount, self.is_credit, self.ref, _whole(said))
        elif len(details) == 1:
            own = given_ref(details[0].words("Refs/AcctSvcrRef"))
            yield self._record(details[0], self.place, self.amount, self.is_credit, own or self.ref, _whole(said))
        else:
            yield from self._batch(details, said)

    def _batch(self, details: list[Part], said: str) -> Iterator[BankTransaction]:
        records = [self._detail(detail, number) for number, detail in enumerate(details, 1)]
        doubt = ""
        if any(record.currency != self.currency for record in records):
            doubt = f"the batch holds payments in another currency than its booking in {self.currency}"
        elif (net := sum(record.amount if record.is_credit == self.is_credit else -record.amount for record in records)) != self.amount:
            gross = sum((record.amount for record in records), ZERO)
            if gross == self.amount:  # some banks state the direction of what the payment undoes
                records = [replace(record, is_credit=self.is_credit) for record in records]
            else:
                doubt = f"the payments of the batch make {net}, its booking {self.amount}"
        if said and said != str(len(details)):
            doubt = doubt or f"the batch states {said} payments and holds {len(details)}"
        yield from (replace(record, doubt=doubt) for record in records) if doubt else records

    def _detail(self, detail: Part, number: int) -> BankTransaction:
        place = f"{self.place}, transaction {number}"
        amount, currency = _detail_money(detail, self.currency, place)
        said = detail.words("CdtDbtInd")
        is_credit = said == "CRDT" if said else self.is_credit
        record = self._record(detail, place, amount, is_credit, given_ref(detail.words("Refs/AcctSvcrRef")), 1)
        return record if currency == self.currency else replace(record, currency=currency)

    def _record(
        self, part: Part, place: str, amount: Decimal, is_credit: bool, bank_ref: str, payments: int
    ) -> BankTransaction:
        side, agent = ("Dbtr", "Ultmt") if is_credit else ("Cdtr", "Ultmt")
        reason = part.child("RtrInf")
        name = part.words(f"RltdPties/{side}/Nm") or part.words(f"RltdPties/{side}/Pty/Nm")
        name = name or part.words(f"RltdPties/{agent}{side}/Nm") or part.words(f"RltdPties/{agent}{side}/Pty/Nm")
        account = part.words(f"RltdPties/{side}Acct/Id/IBAN") or part.words(f"RltdPties/{side}Acct/Id/Othr/Id")
        return BankTransaction(
            place=place, account=self.head.account, statement_ref=self.head.ref, amount=amount, currency=self.currency,
            is_credit=is_credit, booked_on=self.booked_on, value_on=self.value_on, is_pending=self.is_pending,
            is_return=self.is_return or reason is not None or _is_return(part),
            return_reason="" if reason is None else _reason(reason),
            entry_ref=self.ref, entry_amount=self.amount, bank_ref=bank_ref, end_to_end_ref=given_ref(part.words("Refs/EndToEndId")),
            original_ref=given_ref(part.words("Refs/AcctSvcrRef")) if bank_ref != part.words("Refs/AcctSvcrRef") else "",
            reference=_reference(part), payer_name=name, payer_account=bare_account(account), text=_words(part, self.entry),
            payments=payments, doubt=self.doubt,
        )  # fmt: skip


# --- fields ---------------------------------------------------------------------------------------


def _whole(text: str) -> int:
    return max(int(text), 1) if text.isascii() and text.isdigit() and len(text) < 10 else 1


def _money(entry: Part, place: str) -> tuple[Decimal, str]:
    found = entry.child("Amt")
    if found is None or not found.text:
        raise refuse("incomplete", "the entry has no amount (Amt)", place)
    currency = currency_of(found.currency, place)
    return amount_of(found.text, currency, place), currency


def _detail_money(detail: Part, currency: str, place: str) -> tuple[Decimal, str]:
    """The amount of one payment, in the currency of its booking where it is stated in that."""
    stated = _amounts(detail)
    text, code = next((one for one in stated if one[1] == currency), stated[0])
    return amount_of(text, currency_of(code, place), place), code


def _amounts(detail: Part) -> list[tuple[str, str]]:
    """The amounts that a payment states, best first, each with its currency."""
    return [
        (found.text, found.currency)
        for path in ("Amt", "AmtDtls/TxAmt/Amt", "AmtDtls/CntrValAmt/Amt", "AmtDtls/InstdAmt/Amt")
        if (found := detail.child(path)) is not None and found.text
    ]


def _direction(entry: Part, place: str) -> bool:
    said = entry.words("CdtDbtInd")
    if said not in {"CRDT", "DBIT"}:
        raise refuse("incomplete", f"the direction (CdtDbtInd) is {said[:10]!r}, not CRDT or DBIT", place)
    return said == "CRDT"


def _date(element: Part | None, place: str) -> dt.date | None:
    if element is None:
        return None
    return _day(element.words("Dt") or element.words("DtTm"), place)


def _day(text: str, place: str) -> dt.date | None:
    if not text:
        return None
    try:
        return dt.date.fromisoformat(text[:10])
    except ValueError:
        raise refuse("date", f"{text[:30]!r} is not a date", place) from None


def _decimal(text: str, place: str) -> Decimal:
    return amount_of(text, "CLF", place)  # a sum without a currency: as fine as any currency gets


def _balances(report: Part) -> dict[str, tuple[Decimal, str, dt.date | None]]:
    """The booked balances by type; of a type that comes twice the first, unless one says that it is an interim one."""
    found: dict[str, tuple[Decimal, str, dt.date | None]] = {}
    for balance in report.every("Bal"):
        code = balance.words("Tp/CdOrPrtry/Cd")
        place = f"balance {code}, line {balance.line}"
        if code not in (*_OPENING, *_CLOSING) or balance.words("Tp/SubTp/Cd") == "INTM":
            continue
        amount, currency = _money(balance, place)
        signed = amount if _direction(balance, place) else -amount
        found.setdefault(code, (signed, currency, _date(balance.child("Dt"), place)))
    return found


def _is_return(part: Part) -> bool:
    return part.words("BkTxCd/Domn/Fmly/SubFmlyCd") in _RETURNS


def _reason(part: Part) -> str:
    code = part.words("Rsn/Cd") or part.words("Rsn/Prtry")
    words = " ".join((child.text or "").strip() for child in part.every("AddtlInf"))
    return f"{code} {words}".strip()


def _reference(part: Part) -> str:
    remittance = part.child("RmtInf")
    if remittance is None:
        return ""
    found = (structured.words("CdtrRefInf/Ref") for structured in remittance.every("Strd"))
    return " ".join(dict.fromkeys(ref for ref in found if ref))


def _words(part: Part, entry: Part) -> str:
    remittance = part.child("RmtInf")
    lines = [] if remittance is None else [child.text or "" for child in remittance.every("Ustrd")]
    if remittance is not None:
        for structured in remittance.every("Strd"):
            lines += [document.words("Nb") for document in structured.every("RfrdDocInf")]
            lines += [child.text or "" for child in structured.every("AddtlRmtInf")]
    lines.append(part.words("AddtlTxInf"))
    if not any(line.strip() for line in lines):
        lines.append(entry.words("AddtlNtryInf"))
    return " ".join(" ".join(lines).split())
