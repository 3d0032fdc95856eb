"""Bank statements as CSV or XLSX, read by a layout that says which column is what: nothing in them is guessed."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping

import msgspec

from collecthub.errors import ConfigurationError
from collecthub.formats.bank.statement import (
    BankStatement,
    BankTransaction,
    Parts,
    amount_of,
    bare_account,
    currency_of,
    given_ref,
    refuse,
)
from collecthub.wire.tabular import Row, read_rows

REQUIRED = ("booked_on", "amount")
OPTIONAL = (
    "account", "currency", "value_on", "payer_name", "payer_account", "text", "reference", "end_to_end_ref", "bank_ref",
)  # fmt: skip
_DATES = {
    "YYYY-MM-DD": "%Y-%m-%d", "DD/MM/YYYY": "%d/%m/%Y", "DD.MM.YYYY": "%d.%m.%Y", "DD-MM-YYYY": "%d-%m-%Y",
    "MM/DD/YYYY": "%m/%d/%Y", "YYYYMMDD": "%Y%m%d",
}  # fmt: skip
_GROUPS = {".": re.compile(r"\d{1,3}(,\d{3})*(\.\d+)?|\d+(\.\d+)?"), ",": re.compile(r"\d{1,3}(\.\d{3})*(,\d+)?|\d+(,\d+)?")}


class CsvLayout(msgspec.Struct, frozen=True, kw_only=True):
    """How a bank's table is read. `columns` names the header per field; account and currency may be given once.

    Outgoing movements are negative amounts.
    """

    columns: Mapping[str, str] = {}
    account: str = ""
    currency: str = ""
    date_format: str = "YYYY-MM-DD"
    decimal_mark: str = "."

    def check(self) -> None:
        """Raises `ConfigurationError` for a layout that can read no table."""
        unknown = sorted(set(self.columns) - {*REQUIRED, *OPTIONAL})
        if unknown or self.date_format not in _DATES or self.decimal_mark not in _GROUPS:
            raise ConfigurationError(
                f"the layout has unknown columns {unknown}, or its date format or decimal mark is unknown",
                cure=f"Columns: {', '.join((*REQUIRED, *OPTIONAL))}; dates: {', '.join(_DATES)}; marks: point or comma.",
            )


def read_csv(content: bytes, name: str, layout: CsvLayout) -> Parts:
    """The transactions of a table, as one statement per account."""
    layout.check()
    found: dict[str, tuple[str, int]] = {}
    for row in read_rows(content, name):
        transaction = _transaction(row, layout)
        currency, count = found.get(transaction.account, (transaction.currency, 0))
        if currency != transaction.currency:
            raise refuse("currency", f"the account is in {currency} and in {transaction.currency}", f"line {row.line}")
        found[transaction.account] = (currency, count + 1)
        yield transaction
    if not found:
        raise refuse("incomplete", "the table has no rows", "line 1")
    for account, (currency, count) in found.items():
        yield BankStatement(account=account, kind="csv", statement_ref="", currency=currency, transactions=count)


def _transaction(row: Row, layout: CsvLayout) -> BankTransaction:
    place = f"line {row.line}"
    if row.surplus:
        raise refuse("columns", "the row has more cells than the header", place)

    def text(field: str) -> str:
        return row.cells.get(layout.columns.get(field, field), "").strip()

    currency = currency_of((text("currency") or layout.currency).upper(), place)
    account = bare_account(text("account") or layout.account)
    if not account:
        raise refuse("account", "the row names no account and none was given for the file", place)
    amount = text("amount").replace("\N{MINUS SIGN}", "-").replace("+", "").replace("\N{NO-BREAK SPACE}", "")
    plain = amount.lstrip("-")
    if not _GROUPS[layout.decimal_mark].fullmatch(plain):
        raise refuse("amount", f"{amount[:40]!r} is not an amount with {layout.decimal_mark!r} as decimal mark", place)
    grouping = "," if layout.decimal_mark == "." else "."
    return BankTransaction(
        place=place, account=account, statement_ref="", currency=currency, is_credit=not amount.startswith("-"),
        amount=amount_of(plain.replace(grouping, ""), currency, place, decimal_mark=layout.decimal_mark),
        booked_on=_date(text("booked_on"), layout, place),
        value_on=_date(text("value_on"), layout, place) if text("value_on") else None,
        bank_ref=given_ref(text("bank_ref")), entry_ref=given_ref(text("bank_ref")),
        end_to_end_ref=given_ref(text("end_to_end_ref")), reference=text("reference"), payer_name=text("payer_name"),
        payer_account=bare_account(text("payer_account")), text=" ".join(text("text").split()),
    )  # fmt: skip


def _date(text: str, layout: CsvLayout, place: str) -> dt.date:
    try:
        return dt.datetime.strptime(text, _DATES[layout.date_format]).replace(tzinfo=dt.UTC).date()
    except ValueError:
        raise refuse("date", f"{text[:30]!r} is not a date written {layout.date_format}", place) from None
