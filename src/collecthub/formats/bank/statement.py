"""What a bank file says: statements and their transactions, one record per payment, whatever the format.

A reader yields the transactions of a statement in their order and then the statement itself, so that a file of any
size passes through in constant memory. What a file states about itself (sums, counts) is checked by its reader; a
file that contradicts itself is refused whole.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from decimal import Decimal

import msgspec

from collecthub.errors import PermanentError, QuarantineError
from collecthub.model.money import minor_units, parse_amount

ZERO = Decimal(0)
_CURRENCY = re.compile(r"[A-Z]{3}")
# What banks write where the payer gave no end-to-end identification (EPC rulebooks, AT-41).
_NOT_GIVEN = frozenset({"NOTPROVIDED", "NOT PROVIDED", "NONREF", "NOREF"})


class BankTransaction(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """One payment on an account as the bank reports it. `amount` is positive; `is_credit` says which way it went."""

    place: str  # where a person finds it in the file: "line 12", "entry 3, transaction 2, line 120"
    account: str  # IBAN or domestic number of the account, without blanks
    statement_ref: str
    amount: Decimal
    currency: str
    is_credit: bool
    booked_on: dt.date
    value_on: dt.date | None = None
    is_pending: bool = False  # announced, not booked yet: it comes again
    is_return: bool = False  # undoes an earlier movement in the other direction
    return_reason: str = ""  # the bank's code, for example AC04, and its words
    entry_ref: str = ""  # the bank's reference of the booking, shared by the payments of a batch
    entry_amount: Decimal | None = None  # of that booking, where it may be a batch
    bank_ref: str = ""  # the bank's reference of this payment
    end_to_end_ref: str = ""
    original_ref: str = ""  # of a return: the bank's reference of what it undoes
    reference: str = ""  # structured: OGM, RF or another creditor reference
    payer_name: str = ""  # of an outgoing movement: whom it went to
    payer_account: str = ""
    text: str = ""
    payments: int = 1  # how many payments the amount stands for; more than one in a batch without details
    doubt: str = ""  # what the file says against itself about this payment: a person looks at it


class BankStatement(msgspec.Struct, frozen=True, kw_only=True):
    """The frame of the transactions before it. Balances are signed: below zero is overdrawn; None when not stated."""

    account: str
    kind: str  # camt.052, camt.053, camt.054, coda, mt940, csv
    statement_ref: str
    sequence: str = ""
    currency: str = ""
    opening: Decimal | None = None
    closing: Decimal | None = None
    opened_on: dt.date | None = None
    closed_on: dt.date | None = None
    transactions: int = 0
    finding: str = ""  # what does not add up although every line was understood


Part = BankTransaction | BankStatement
Parts = Iterator[Part]


def refuse(code: str, reason: str, place: str, cure: str = "") -> QuarantineError:
    """The refusal of a whole file: nothing of it is booked. `place` is the line or the element."""
    return QuarantineError(
        f"{place}: {reason}" if place else reason, code=f"bank.{code}", reference=place,
        cure=cure or "Ask the bank for the file again; nothing of this one was booked.",
    )


def amount_of(text: str, currency: str, place: str, *, decimal_mark: str = ".") -> Decimal:
    """An amount without sign, exact in the currency's minor unit. Zeros beyond that unit are dropped."""
    plain = text.strip()
    if decimal_mark == "," and "." not in plain:
        plain = plain.replace(",", ".")
    plain = f"{plain}0" if plain.endswith(".") else plain
    if not plain[:1].isdigit():
        raise refuse("amount", f"{text[:40]!r} is not an amount", place)
    try:
        amount = parse_amount(plain)
    except PermanentError as error:
        raise refuse("amount", error.message, place) from error
    exact = amount.quantize(Decimal(1).scaleb(-minor_units(currency)))
    if exact != amount:
        raise refuse("amount", f"{text[:40]!r} is finer than {currency} is paid in", place)
    return exact


def currency_of(text: str, place: str) -> str:
    """A currency code. Raises a refusal for anything else."""
    if not _CURRENCY.fullmatch(text):
        raise refuse("currency", f"{text[:10]!r} is not a currency", place)
    return text


def given_ref(text: str) -> str:
    """A reference, or nothing where the bank writes that there is none."""
    plain = " ".join(text.split())
    if not plain.isprintable():
        plain = "".join(char for char in plain if char.isprintable())
    return "" if plain.upper() in _NOT_GIVEN else plain


def bare_account(text: str) -> str:
    """An account number as it is compared: capitals and digits only.

    >>> bare_account("be68 5390 0754 7034")
    'BE68539007547034'
    """
    return re.sub(r"[^0-9A-Z]", "", text.upper())


def balance_finding(opening: Decimal | None, closing: Decimal | None, movement: Decimal) -> str:
    """What to tell a person when opening balance and movements do not make the closing balance; else nothing."""
    if opening is None or closing is None or opening + movement == closing:
        return ""
    return (
        f"the balances do not add up: {opening} before, {movement} moved, {closing} after;"
        f" {closing - opening - movement} is not explained"
    )
