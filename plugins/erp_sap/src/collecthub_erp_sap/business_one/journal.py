"""What stands open on customers' accounts beside documents and payments becomes receivables. Pure.

Opening balances, fees, corrections and refunds are journal entries made on the customer by hand. Their own record has
no column for what is still open on them. The Service Layer tells that in its action for internal reconciliations: every
open transaction of a customer, with an amount on its debit or credit side. That amount is in the customer's currency,
and in the company's own for customers who deal in several (`##`), as clients of that action read it.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

import msgspec

from collecthub.sdk import ItemKind, ItemState, RawInvoice, round_amount
from collecthub_erp_sap.business_one.mapping import (
    YES,
    Rules,
    UnusableRowError,
    at_minor_unit,
    calendar_day,
    checked_iso,
)

LETTERS = "JRN"
PAYMENT = "24"
READ_ELSEWHERE = frozenset({"13", "14", PAYMENT, "203"})  # invoices, credit notes, payments, down payment invoices
_SEVERAL_CURRENCIES = "##"
_CREDIT = "codCredit"
_ZERO = Decimal(0)


class Account(msgspec.Struct, kw_only=True, gc=False):
    """What we read of a customer to compare his account."""

    code: str = msgspec.field(name="CardCode")
    name: str | None = msgspec.field(name="CardName", default=None)
    currency: str | None = msgspec.field(name="Currency", default=None)
    balance: Decimal | None = msgspec.field(name="CurrentAccountBalance", default=None)


class OpenTransaction(msgspec.Struct, kw_only=True, gc=False):
    """A line of the ledger that is not wholly reconciled."""

    customer: str = msgspec.field(name="ShortName")
    entry: int = msgspec.field(name="TransId")
    line: int = msgspec.field(name="TransRowId")
    source: str = msgspec.field(name="SrcObjTyp")
    document: int | None = msgspec.field(name="SrcObjAbs", default=None)
    side: str | None = msgspec.field(name="CreditOrDebit", default=None)
    amount: Decimal = msgspec.field(name="ReconcileAmount")

    @property
    def signed(self) -> Decimal:
        """What is open, positive when it adds to the debt. Some releases write credits as negative, some do not."""
        return -abs(self.amount) if self.side == _CREDIT else abs(self.amount)


class JournalLine(msgspec.Struct, kw_only=True, gc=False):
    """What we read of a line of a journal entry."""

    number: int = msgspec.field(name="Line_ID")
    customer: str | None = msgspec.field(name="ShortName", default=None)
    debit: Decimal | None = msgspec.field(name="Debit", default=None)
    credit: Decimal | None = msgspec.field(name="Credit", default=None)
    debit_fc: Decimal | None = msgspec.field(name="FCDebit", default=None)
    credit_fc: Decimal | None = msgspec.field(name="FCCredit", default=None)
    currency: str | None = msgspec.field(name="FCCurrency", default=None)
    due: str | None = msgspec.field(name="DueDate", default=None)
    text: str | None = msgspec.field(name="LineMemo", default=None)


class Journal(msgspec.Struct, kw_only=True):
    """What we read of a journal entry."""

    entry: int = msgspec.field(name="JdtNum")
    number: int | None = msgspec.field(name="Number", default=None)
    issued: str | None = msgspec.field(name="ReferenceDate", default=None)
    due: str | None = msgspec.field(name="DueDate", default=None)
    text: str | None = msgspec.field(name="Memo", default=None)
    blocked: str | None = msgspec.field(name="BlockDunningLetter", default=None)
    lines: list[JournalLine] = msgspec.field(name="JournalEntryLines", default_factory=list)


def line_ref(entry: int, line: int) -> str:
    """Identity of a line of a journal entry.

    >>> line_ref(7, 0)
    'JRN/7/0'
    """
    return f"{LETTERS}/{entry}/{line}"


def to_item(
    journal: Journal, line: JournalLine, account: Account, still_open: OpenTransaction | None, rules: Rules
) -> RawInvoice:
    """The receivable, or money that lowers the debt, that a line is; settled when it is no longer open.

    Raises `UnusableRowError`.
    """
    currency = checked_iso(line.currency, rules) if line.currency else rules.local_currency
    local = at_minor_unit((line.debit or _ZERO) - (line.credit or _ZERO), rules.local_currency)
    foreign = (line.debit_fc or _ZERO) - (line.credit_fc or _ZERO)
    amount = at_minor_unit(local if currency == rules.local_currency else foreign, currency)
    left = _left(amount, local, still_open, is_told=_is_told(line, account, currency, rules))
    issued_on = calendar_day(journal.issued)
    due_on = calendar_day(line.due) or calendar_day(journal.due)
    if due_on is None and amount > 0:
        raise UnusableRowError("b1.due_date", f"Line {line.number} of the journal entry has no due date.")
    return RawInvoice(
        item_ref=line_ref(journal.entry, line.number),
        debtor_ref=account.code,
        debtor_name=account.name or "",
        number=str(journal.number or journal.entry),
        kind=ItemKind.INVOICE if amount > 0 else ItemKind.PAYMENT,
        state=ItemState.OPEN if left else ItemState.PAID,
        issued_on=issued_on,
        due_on=due_on or issued_on,
        currency=currency,
        amount=amount,
        open_amount=round_amount(left, currency),
        is_blocked=journal.blocked == YES,
        text=line.text or journal.text or "",
    )


def still_on_account(payment: RawInvoice, told: Decimal | None, rules: Rules) -> RawInvoice:
    """Money on account as it is now. `told` is what is open of it in the ledger, negative; None when nothing is.

    A payment's own record says what it was applied to when it was entered, and nothing of what a person reconciled with it
    later. Of money in a foreign currency that is open in part, the ledger tells the company's currency only: it stays whole,
    so that nobody is asked for more than he owes.
    """
    if payment.state is not ItemState.OPEN or (told is not None and payment.currency != rules.local_currency):
        return payment
    left = max(payment.open_amount, round_amount(told or _ZERO, payment.currency))
    return msgspec.structs.replace(payment, open_amount=left, state=ItemState.OPEN if left else ItemState.PAID)


def _is_told(line: JournalLine, account: Account, currency: str, rules: Rules) -> bool:
    """Whether the action states what is open in the line's own currency."""
    return currency == rules.local_currency or account.currency == line.currency


def _left(amount: Decimal, local: Decimal, still_open: OpenTransaction | None, *, is_told: bool) -> Decimal:
    if still_open is None:
        return _ZERO
    told = still_open.signed
    if not is_told:
        if told != local:
            raise UnusableRowError(
                "b1.journal_open", f"{told} of {local} is open in the company's currency; of {amount} nobody tells."
            )
        return amount
    if told * amount < 0 or abs(told) > abs(amount):
        raise UnusableRowError("b1.journal_open", f"{told} is said to be open of {amount}.")
    return told


def unexplained(account: Account, transactions: Iterable[OpenTransaction], rules: Rules) -> Decimal:
    """What the customer's account balance says beyond the sum of his open transactions, in the company's currency.

    A user who may not see every branch is shown a part of the transactions. Zero where the two cannot be compared: a
    balance that is not told, or a customer whose one currency is a foreign one.
    """
    is_local = account.currency in (None, _SEVERAL_CURRENCIES) or rules.iso(account.currency) == rules.local_currency
    if account.balance is None or not is_local:
        return _ZERO
    total = sum((one.signed for one in transactions if one.customer == account.code), _ZERO)
    return round_amount(account.balance - total, rules.local_currency)
