"""CODA, the coded statement of Belgian banks: records of 128 characters, version 2.

Structure: Febelfin, "Gecodeerd rekeninguittreksel (CODA)", version 2.6. Positions are named there from 1; here a
field is a slice from 0. Amounts have twelve digits and three decimals.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from typing import IO

import msgspec
from msgspec.structs import replace

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

_WIDTH, _VERSION = 128, "2"
# Families of transaction codes (positions 2-3) and transactions in them (4-5) that undo an earlier one.
_UNPAID = frozenset({("05", "03"), ("05", "05"), ("05", "37"), ("03", "37"), ("01", "37"), ("50", "37")})
_STRUCTURED = {"101": slice(0, 12), "102": slice(0, 12)}  # types of communication that are an OGM


def read_coda(stream: IO[bytes]) -> Parts:
    """The statements of a file. Raises `QuarantineError`, after which nothing before it may be booked."""
    walk: _Statement | None = None
    is_empty, is_open = True, False
    for number, raw in enumerate(stream, 1):
        line = _decoded(raw, number)
        if not line:
            continue
        is_empty = False
        kind = line[0]
        if kind == "0":
            if is_open:
                raise refuse("incomplete", "a new file begins before the trailer (record 9) of the one before", f"line {number}")
            is_open, walk = True, _begun(line, number)
            continue
        if walk is None:
            raise refuse("incomplete", "the file does not begin with its header (record 0)", f"line {number}")
        if kind == "9":
            yield from walk.check(line, number)
            is_open, walk = False, None
            continue
        yield from walk.read(line, number)
    if is_empty or is_open:
        raise refuse("incomplete", "the file ends before its trailer (record 9)", "end of file")


def _decoded(raw: bytes, number: int) -> str:
    line = raw.rstrip(b"\r\n\x1a").decode("latin-1")
    if line.strip() and len(line) < _WIDTH:
        line = line.ljust(_WIDTH)
    if len(line) > _WIDTH and line[_WIDTH:].strip():
        raise refuse("length", f"the record has {len(line)} characters, not {_WIDTH}", f"line {number}")
    return line[:_WIDTH] if line.strip() else ""


def _begun(line: str, number: int) -> _Statement:
    if line[127] != _VERSION:
        raise refuse("version", f"version {line[127]!r} of CODA is not known, only version {_VERSION}", f"line {number}")
    return _Statement(line[24:34].strip())


class _Movement(msgspec.Struct, kw_only=True):
    """A movement and the records that complete it."""

    sequence: str
    detail: str
    line: int
    amount: Decimal
    is_credit: bool
    value_on: dt.date | None
    booked_on: dt.date
    code: str
    bank_ref: str
    communication: str
    is_structured: bool
    globalisation: str
    customer_ref: str = ""
    return_code: str = ""
    name: str = ""
    account: str = ""
    information: str = ""


class _Statement:
    """One statement while it is read."""

    def __init__(self, file_ref: str) -> None:
        self.file_ref = file_ref
        self.account = self.currency = self.sequence = ""
        self.opening: Decimal | None = None
        self.closing: Decimal | None = None
        self.opened_on: dt.date | None = None
        self.closed_on: dt.date | None = None
        self.records = self.transactions = 0
        self.sums = {True: ZERO, False: ZERO}
        self.movement: _Movement | None = None
        self.batch: _Movement | None = None  # a globalised movement whose details are being read
        self.details: list[_Movement] = []

    @property
    def ref(self) -> str:
        return f"{self.opened_on:%Y}/{self.sequence}" if self.opened_on else self.sequence

    def read(self, line: str, number: int) -> Iterator[BankTransaction]:
        """One record between header and trailer."""
        self.records += 1
        place = f"line {number}"
        match line[:2]:
            case "21":
                yield from self._next(self._movement(line, number))
            case "22" | "23":
                self._complete(line, place)
            case "31" | "32" | "33":
                self._inform(line, place)
            case _ if line[0] == "1":
                self._open(line, place)
            case _ if line[0] == "4":
                pass  # free text of the bank to its customer
            case _ if line[0] == "8":
                yield from self._next(None, place)
                self._close(line, place)
            case _:
                raise refuse("record", f"{line[:2]!r} is not a record of CODA", place)

    def _open(self, line: str, place: str) -> None:
        self.sequence = line[125:128].strip()
        structure, field = line[1], line[5:42]
        if structure not in "0123":
            raise refuse("account", f"{structure!r} is not a structure of account numbers", place)
        width = {"0": 12, "1": 34, "2": 31, "3": 34}[structure]
        self.account = bare_account(field[:width])
        self.currency = currency_of(field[13:16] if structure == "0" else field[34:37], place)
        if not self.account:
            raise refuse("account", "the statement names no account", place)
        self.opening = self._signed(line[42], line[43:58], place)
        self.opened_on = _date(line[58:64], place)

    def _close(self, line: str, place: str) -> None:
        if self.opening is None:
            raise refuse("incomplete", "the new balance (record 8) comes before the old one (record 1)", place)
        self.closing = self._signed(line[41], line[42:57], place)
        self.closed_on = _date(line[57:63], place)

    def _signed(self, sign: str, digits: str, place: str) -> Decimal:
        return _amount(digits, self.currency, place) * (1 if _is_credit(sign, place) else -1)

    # --- movements ----------------------------------------------------------------------------

    def _movement(self, line: str, number: int) -> _Movement:
        place = f"line {number}"
        if self.opening is None:
            raise refuse("incomplete", "a movement comes before the old balance (record 1)", place)
        booked = _date(line[115:121], place)
        if booked is None:
            raise refuse("date", "the movement has no entry date", place)
        return _Movement(
            sequence=line[2:6], detail=line[6:10], line=number, amount=_amount(line[32:47], self.currency, place),
            is_credit=_is_credit(line[31], place), value_on=_date(line[47:53], place), booked_on=booked, code=line[53:61],
            bank_ref=line[10:31].strip(), is_structured=line[61] == "1", communication=line[62:115],
            globalisation=line[124].strip("0 "),
        )  # fmt: skip

    def _complete(self, line: str, place: str) -> None:
        movement = self._present(line, place)
        if line[1] == "2":
            movement.communication += line[10:63]
            movement.customer_ref = line[63:98].strip()
            movement.return_code = line[113:117].strip()
        else:
            movement.account = bare_account(line[10:44])
            movement.name = line[47:82].strip()
            movement.communication += line[82:125]

    def _inform(self, line: str, place: str) -> None:
        movement = self._present(line, place, any_detail=True)
        width = {"1": slice(40, 113), "2": slice(10, 115), "3": slice(10, 100)}[line[1]]
        is_name = line[1] == "1" and line[39] == "1" and line[40:43] == "001"
        if is_name and not movement.name:
            movement.name = line[43:113].strip()
        elif not is_name:
            movement.information = f"{movement.information} {line[width].strip()}".strip()

    def _present(self, line: str, place: str, *, any_detail: bool = False) -> _Movement:
        movement = self.movement
        if movement is None or movement.sequence != line[2:6] or not any_detail and movement.detail != line[6:10]:
            raise refuse("sequence", f"record {line[:2]} belongs to no movement before it", place)
        return movement

    def _next(self, movement: _Movement | None, place: str = "") -> Iterator[BankTransaction]:
        """The movement before is whole: it is a payment, or a globalised one whose payments follow."""
        last, self.movement = self.movement, movement
        if last is not None:
            yield from self._finished(last)
        if self.batch is not None and (movement is None or movement.sequence != self.batch.sequence):
            where = place or (f"line {movement.line}" if movement is not None else "")
            raise refuse(
                "globalisation",
                f"movement {self.batch.sequence} begins a globalisation that is not ended before {where}",
                f"line {self.batch.line}",
            )

    def _finished(self, last: _Movement) -> Iterator[BankTransaction]:
        if self.batch is None:
            self.sums[last.is_credit] += last.amount
            if last.globalisation:
                self.batch, self.details = last, []
            else:
                yield self._payment(last)
            return
        self.details.append(last)
        if last.globalisation == self.batch.globalisation:
            batch, self.batch = self.batch, None
            total = sum((d.amount if d.is_credit == batch.is_credit else -d.amount for d in self.details), ZERO)
            doubt = "" if total == batch.amount else f"the details make {total}, the globalised movement {batch.amount}"
            yield from (replace(self._payment(detail), entry_ref=batch.bank_ref, entry_amount=batch.amount, doubt=doubt) for detail in self.details)

    def _payment(self, movement: _Movement) -> BankTransaction:
        self.transactions += 1
        reference, text = _communication(movement)
        family = (movement.code[1:3], movement.code[3:5])
        return BankTransaction(
            place=f"line {movement.line}", account=self.account, statement_ref=self.ref, amount=movement.amount,
            currency=self.currency, is_credit=movement.is_credit, booked_on=movement.booked_on, value_on=movement.value_on,
            is_return=family in _UNPAID or bool(movement.return_code), return_reason=movement.return_code,
            entry_ref=movement.bank_ref, bank_ref=movement.bank_ref, end_to_end_ref=given_ref(movement.customer_ref),
            reference=reference, payer_name=movement.name, payer_account=movement.account,
            text=f"{text} {movement.information}".strip(),
        )  # fmt: skip

    def check(self, line: str, number: int) -> Iterator[BankStatement]:
        """The trailer's count and sums are those of the file, or the file is refused."""
        place = f"line {number}"
        if self.closing is None:
            raise refuse("incomplete", "the trailer (record 9) comes before the new balance (record 8)", place)
        if line[16:22] != f"{self.records:06d}":
            raise refuse("control", f"the trailer states {line[16:22]} records, the file has {self.records}", place)
        for name, digits, is_credit in (("debit", line[22:37], False), ("credit", line[37:52], True)):
            stated = _amount(digits, self.currency, place)
            if stated != self.sums[is_credit]:
                raise refuse(
                    "control", f"the trailer states a {name} of {stated}, the movements make {self.sums[is_credit]}", place
                )
        moved = self.sums[True] - self.sums[False]
        yield BankStatement(
            account=self.account, kind="coda", statement_ref=self.ref, sequence=self.sequence, currency=self.currency,
            opening=self.opening, closing=self.closing, opened_on=self.opened_on, closed_on=self.closed_on,
            transactions=self.transactions, finding=balance_finding(self.opening, self.closing, moved),
        )  # fmt: skip


# --- fields ---------------------------------------------------------------------------------------


def _communication(movement: _Movement) -> tuple[str, str]:
    """The structured reference and the words of a movement."""
    text = movement.communication
    if not movement.is_structured:
        return "", " ".join(text.split())
    kind, rest = text[:3], text[3:]
    if kind in _STRUCTURED:
        return rest[_STRUCTURED[kind]].strip(), " ".join(rest[_STRUCTURED[kind].stop :].split())
    if kind == "127":  # SEPA direct debit: the mandate, then the words of the creditor
        return "", " ".join(f"{rest[44:79]} {rest[79:141]}".split())
    return "", " ".join(rest.split())


def _is_credit(sign: str, place: str) -> bool:
    if sign not in "01":
        raise refuse("amount", f"the sign is {sign!r}, not 0 (credit) or 1 (debit)", place)
    return sign == "0"


def _amount(digits: str, currency: str, place: str) -> Decimal:
    if not (digits.isascii() and digits.isdigit()):
        raise refuse("amount", f"{digits!r} is not an amount of 15 digits", place)
    return amount_of(f"{digits[:12]}.{digits[12:]}", currency, place)


def _date(digits: str, place: str) -> dt.date | None:
    if not digits.strip(" 0"):
        return None
    try:
        return dt.datetime.strptime(digits, "%d%m%y").replace(tzinfo=dt.UTC).date()
    except ValueError:
        raise refuse("date", f"{digits!r} is not a date (DDMMYY)", place) from None
