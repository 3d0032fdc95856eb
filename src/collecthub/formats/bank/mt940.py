"""MT940 customer statements (SWIFT), with the structured :86: texts that European banks agree on.

Structure: SWIFT standards MT, category 9, MT 940; the codes after `?` are those of German banks (DFÜ agreement,
annex 3), the words between slashes those of Dutch banks.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import IO

import msgspec

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

_FIELD = re.compile(r":(\d{2}[A-Z]?):(.*)", re.DOTALL)
_BALANCE = re.compile(r"([CD])(\d{6})([A-Z]{3})(\d[\d,.]*)")
_ENTRY = re.compile(r"(\d{6})(\d{4})?(R?[CD])([A-Z])?(\d[\d,]*)([A-Z][A-Z0-9]{3})([^/]*?)(?://(.*))?")
_WORDS = re.compile(r"/(EREF|REMI|NAME|IBAN|BENM|ORDP|CSID|MARF|RTRN|ISDT|CNTP|TRTP|PREF|BIC|ID|ADDR|ULTC|ULTD|PURP)/")
_GERMAN = re.compile(r"\?(\d\d)")
_SEPA = re.compile(r"(EREF|KREF|MREF|CRED|DEBT|SVWZ|ABWA|ABWE|IBAN|BIC)\+")
_IBAN = re.compile(r"[A-Z]{2}\d{2}[A-Z0-9]{10,30}")
_LONGEST = 60_000


class _Entry(msgspec.Struct, kw_only=True):
    line: int
    booked_on: dt.date
    value_on: dt.date
    is_credit: bool
    is_return: bool
    amount: Decimal
    customer_ref: str
    bank_ref: str
    account: str = ""
    text: str = ""


def read_mt940(stream: IO[bytes]) -> Parts:
    """The statements of a file. Raises `QuarantineError`, after which nothing before it may be booked."""
    walk: _Statement | None = None
    for line, tag, value in _fields(stream):
        if tag == "20":
            if walk is not None:
                raise refuse("incomplete", "a statement begins before the closing balance of the one before", f"line {line}")
            walk = _Statement()
        elif walk is not None:
            yield from walk.read(tag, value, line)
            if walk.is_closed and tag.startswith("62"):
                yield walk.statement()
                walk = None
        elif tag in {"25", "28", "28C", "60F", "60M", "61"}:
            raise refuse("incomplete", f"field :{tag}: comes before the reference :20:", f"line {line}")
    if walk is not None:
        raise refuse("incomplete", "the file ends before the closing balance :62:", "end of file")


def _fields(stream: IO[bytes]) -> Iterator[tuple[int, str, str]]:
    """Fields with the line they begin in. Envelopes in braces and the lines of banks around them are passed over."""
    began, tag, value = 0, "", ""
    for number, raw in enumerate(stream, 1):
        text = _decoded(raw, number).rstrip("\r\n")
        start = text.find(":20:") if text.startswith("{") else 0
        match = _FIELD.fullmatch(text[start:]) if start >= 0 else None
        ends = text.startswith(("-", "{")) and match is None
        if (match or ends) and tag:
            yield began, tag, value
            tag = value = ""
        if match:
            began, tag, value = number, match.group(1), match.group(2)
        elif tag and not ends:
            value += "\n" + text
            if len(value) > _LONGEST:
                raise refuse("length", f"field :{tag}: is longer than any bank writes", f"line {began}")
    if tag:
        yield began, tag, value


def _decoded(raw: bytes, number: int) -> str:
    if len(raw) > _LONGEST:
        raise refuse("length", "the line is longer than any bank writes", f"line {number}")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


class _Statement:
    """One statement while it is read."""

    def __init__(self) -> None:
        self.account = self.sequence = self.currency = ""
        self.opening: Decimal | None = None
        self.closing: Decimal | None = None
        self.opened_on: dt.date | None = None
        self.closed_on: dt.date | None = None
        self.moved = ZERO
        self.count = 0
        self.entry: _Entry | None = None

    @property
    def is_closed(self) -> bool:
        return self.closing is not None

    def read(self, tag: str, value: str, line: int) -> Iterator[BankTransaction]:
        """One field."""
        place = f"line {line}"
        if tag == "86" and self.entry is not None:
            self.entry.text = value
            return
        if self.entry is not None:
            entry, self.entry = self.entry, None
            yield self._payment(entry)
        if tag == "25":
            self.account = bare_account(_without_currency(value))
        elif tag in {"28", "28C"}:
            self.sequence = value.strip()
        elif tag in {"60F", "60M"}:
            self.opening, self.currency, self.opened_on = _balance(value, place)
        elif tag in {"62F", "62M"}:
            self._close(value, place)
        elif tag == "61":
            self.entry = self._entry(value, line)

    def _close(self, value: str, place: str) -> None:
        closing, currency, on = _balance(value, place)
        if self.opening is None:
            raise refuse("incomplete", "the statement has no opening balance :60:", place)
        if currency != self.currency:
            raise refuse("currency", f"the statement opens in {self.currency} and closes in {currency}", place)
        self.closing, self.closed_on = closing, on

    def _entry(self, value: str, line: int) -> _Entry:
        place = f"line {line}"
        if not self.currency or not self.account:
            raise refuse("incomplete", "an entry :61: comes before account :25: and opening balance :60:", place)
        entry, _, supplement = value.partition("\n")
        match = _ENTRY.fullmatch(entry.strip())
        if match is None:
            raise refuse("entry", "the entry :61: cannot be read", place)
        valued, booked, mark, _, amount, _, customer_ref, bank_ref = match.groups()
        value_on = _date(valued, place)
        exact = amount_of(amount, self.currency, place, decimal_mark=",")
        is_credit = mark in {"C", "RD"}  # RC undoes a credit, so money goes out; RD undoes a debit
        self.moved += exact if is_credit else -exact
        return _Entry(
            line=line, value_on=value_on, booked_on=_booked(booked, value_on, place), is_credit=is_credit,
            is_return=mark.startswith("R"), amount=exact, customer_ref=given_ref(customer_ref or ""),
            bank_ref=given_ref(bank_ref or ""), account=supplement.strip() if _IBAN.fullmatch(supplement.strip()) else "",
        )  # fmt: skip

    def _payment(self, entry: _Entry) -> BankTransaction:
        self.count += 1
        said = _narrative(entry.text)
        return BankTransaction(
            place=f"line {entry.line}", account=self.account, statement_ref=self.sequence, amount=entry.amount,
            currency=self.currency, is_credit=entry.is_credit, booked_on=entry.booked_on, value_on=entry.value_on,
            is_return=entry.is_return or bool(said.get("RTRN")), return_reason=said.get("RTRN", ""),
            entry_ref=entry.bank_ref, bank_ref=entry.bank_ref,
            end_to_end_ref=given_ref(said.get("EREF", "")) or ("" if entry.customer_ref == "EREF" else entry.customer_ref),
            payer_name=said.get("NAME", ""), payer_account=bare_account(said.get("IBAN", "") or entry.account),
            text=said.get("REMI", "") if "REMI" in said else said["TEXT"],
        )  # fmt: skip

    def statement(self) -> BankStatement:
        if not self.account:
            raise refuse("incomplete", "the statement names no account :25:", self.sequence)
        return BankStatement(
            account=self.account, kind="mt940", statement_ref=self.sequence, sequence=self.sequence,
            currency=self.currency, opening=self.opening, closing=self.closing, opened_on=self.opened_on,
            closed_on=self.closed_on, transactions=self.count,
            finding=balance_finding(self.opening, self.closing, self.moved),
        )  # fmt: skip


# --- fields ---------------------------------------------------------------------------------------


def _without_currency(value: str) -> str:
    text = value.strip()
    return text[:-3] if re.fullmatch(r"[0-9A-Z]*\d ?[A-Z]{3}", text) else text


def _balance(value: str, place: str) -> tuple[Decimal, str, dt.date]:
    match = _BALANCE.fullmatch(value.strip())
    if match is None:
        raise refuse("balance", "the balance cannot be read", place)
    sign, on, currency, amount = match.groups()
    exact = amount_of(amount, currency_of(currency, place), place, decimal_mark=",")
    return (exact if sign == "C" else -exact), currency, _date(on, place)


def _date(digits: str, place: str) -> dt.date:
    try:
        return dt.datetime.strptime(digits, "%y%m%d").replace(tzinfo=dt.UTC).date()
    except ValueError:
        raise refuse("date", f"{digits!r} is not a date (YYMMDD)", place) from None


def _booked(digits: str | None, value_on: dt.date, place: str) -> dt.date:
    """The entry date has no year: the one that lies nearest to the value date."""
    if not digits:
        return value_on
    near = []
    for year in (value_on.year - 1, value_on.year, value_on.year + 1):
        try:
            near.append(dt.date(year, int(digits[:2]), int(digits[2:])))
        except ValueError:
            continue  # 29 February of another year
    if not near:
        raise refuse("date", f"{digits!r} is not a date (MMDD)", place)
    return min(near, key=lambda day: abs(day - value_on))


def _narrative(text: str) -> dict[str, str]:
    """What :86: says, by the words banks use; `TEXT` is always all of it."""
    joined = text.replace("\n", "")
    said = {"TEXT": " ".join(text.replace("\n", " ").split())}
    if _GERMAN.search(joined) and re.match(r"\d{3}\?", joined):
        return said | _german(joined)
    if _WORDS.search(joined):
        pieces = _WORDS.split(joined)[1:]
        for word, value in zip(pieces[::2], pieces[1::2], strict=False):
            if value.strip("/ ") and word not in said:
                said[word] = value.strip("/ ")
        said.setdefault("REMI", "")
    return said


def _german(joined: str) -> dict[str, str]:
    pieces = _GERMAN.split(joined)[1:]
    fields: dict[str, str] = {}
    for code, value in zip(pieces[::2], pieces[1::2], strict=False):
        fields[code] = value
    words = "".join(fields.get(f"{code:02d}", "") for code in (*range(20, 30), *range(60, 64)))
    said = {"NAME": (fields.get("32", "") + fields.get("33", "")).strip(), "IBAN": fields.get("31", "")}
    sepa = _SEPA.split(words)
    if len(sepa) == 1:
        return said | {"REMI": words.strip()}
    named = dict(zip(sepa[1::2], (value.strip() for value in sepa[2::2]), strict=False))
    return said | {"EREF": named.get("EREF", ""), "REMI": named.get("SVWZ", "")}
