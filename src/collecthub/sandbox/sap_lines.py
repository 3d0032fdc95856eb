"""Lines of the SAP ledger as rows: amounts in their currencies, keys, and the rows that follow from a line."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

COMPANY_CURRENCY = "EUR"
_DECIMALS = {"JPY": 0, "KRW": 0, "ISK": 0, "HUF": 2, "KWD": 3, "BHD": 3, "TND": 3}
_RATES = {
    "USD": "0.92",
    "GBP": "1.17",
    "CHF": "1.05",
    "JPY": "0.0058",
    "KWD": "3.01",
    "PLN": "0.23",
    "SEK": "0.088",
}
POSTING = {
    "invoice": ("RV", "01"),
    "instalment": ("RV", "01"),
    "credit_note": ("DG", "11"),
    "payment": ("DZ", "15"),
}
FIRST_NUMBER = {"RV": 1_800_000_000, "DG": 1_600_000_000, "DZ": 1_400_000_000, "AB": 100_000_000}
TERMS = {30: "0001", 14: "0002", 60: "0003", 0: "0004"}


def in_currency(amount: Decimal, currency: str) -> str:
    """Decimal text with the places of the currency.

    >>> in_currency(Decimal("1000"), "EUR"), in_currency(Decimal("980.00"), "JPY")
    ('1000.00', '980')
    """
    return str(amount.quantize(Decimal(1).scaleb(-_DECIMALS.get(currency, 2)), ROUND_HALF_UP))


def amounts(amount: Decimal, currency: str) -> dict[str, str]:
    """The amount columns of a line."""
    home = amount * Decimal(_RATES.get(currency, "1"))
    return {
        "AmountInTransactionCurrency": in_currency(amount, currency), "TransactionCurrency": currency,
        "AmountInBalanceTransacCrcy": in_currency(amount, currency), "BalanceTransactionCurrency": currency,
        "AmountInCompanyCodeCurrency": in_currency(home, COMPANY_CURRENCY), "CompanyCodeCurrency": COMPANY_CURRENCY,
        "DebitCreditCode": "S" if amount >= 0 else "H",
    }  # fmt: skip


def pdf_lines(billing: Mapping[str, Any]) -> list[str]:
    """The text on the PDF of a billing document."""
    return [
        f"Invoice {billing['DocumentReferenceID']} (billing document {billing['BillingDocument']})",
        f"Date {billing['BillingDocumentDate'][:10]}, due {billing['due'][:10]}",
        f"Total {billing['TotalGrossAmount']} {billing['TransactionCurrency']}",
    ]


KEY = "CompanyCode = ? AND FiscalYear = ? AND AccountingDocument = ? AND AccountingDocumentItem = ?"
KEY_COLUMNS = ("CompanyCode", "FiscalYear", "AccountingDocument", "AccountingDocumentItem")


def key_of(line: Mapping[str, Any]) -> tuple[str, str, str, str]:
    """The four-part key of a line."""
    company, year, document, item = (str(line[name]) for name in KEY_COLUMNS)
    return company, year, document, item


def total(lines: Iterable[Mapping[str, Any]]) -> Decimal:
    """Sum of lines that share a currency."""
    return sum((Decimal(line["AmountInTransactionCurrency"]) for line in lines), Decimal(0))


def blank() -> dict[str, Any]:
    """A customer line with everything unset: codes empty, dates null, flags down."""
    empty = (
        "InvoiceReference InvoiceReferenceFiscalYear InvoiceItemReference FollowOnDocumentType ReverseDocument "
        "ReverseDocumentFiscalYear PaymentMethod PaymentBlockingReason DunningBlockingReason DunningKey DunningArea "
        "ClearingAccountingDocument ClearingDocFiscalYear"
    )
    unset: dict[str, Any] = dict.fromkeys(empty.split(), "") | dict.fromkeys(
        ("ClearingDate", "ClearingCreationDate")
    )
    flags = dict.fromkeys(("IsReversal", "IsReversed", "IsCleared", "ClearingIsReversed"), 0)
    return {**unset, **flags, "FinancialAccountType": "D", "AccountingDocumentItemType": ""}


def is_billed(siblings: list[dict[str, Any]]) -> bool:
    """Whether lines that were just made belong to a new billing document."""
    return bool(siblings[0]["BillingDocument"]) and siblings[0]["AccountingDocumentItem"] == "001"


def billing_row(siblings: list[dict[str, Any]]) -> dict[str, Any]:
    """The billing document behind the lines of one journal entry."""
    line = siblings[0]
    same = ("BillingDocument", "CompanyCode", "FiscalYear", "AccountingDocument", "DocumentReferenceID")
    issued, currency = line["PostingDate"], line["TransactionCurrency"]
    return {name: line[name] for name in same} | {
        "BillingDocumentType": "F2", "SDDocumentCategory": "M", "BillingDocumentDate": issued, "CreationDate": issued,
        "TotalGrossAmount": in_currency(total(siblings), currency), "TransactionCurrency": currency,
        "PayerParty": line["Customer"], "SoldToParty": line["Customer"], "CustomerPaymentTerms": line["PaymentTerms"],
        "due": siblings[-1]["NetDueDate"], "LastChangeDate": issued, "LastChangeDateTime": issued,
    }  # fmt: skip


def edm_time(moment: dt.datetime) -> str:
    """Edm.Time of a moment, such as PT09H00M00S."""
    return f"PT{moment:%H}H{moment:%M}M{moment:%S}S"


def residual(line: Mapping[str, Any], clearing: Mapping[str, Any], amount: Decimal) -> dict[str, Any]:
    """The new item that the clearing document leaves for what was not paid of `line`."""
    kept = (
        "kind",
        "NetDueDate",
        "DueCalculationBaseDate",
        "NetPaymentDays",
        "DunningLevel",
        "LastDunningDate",
    )
    return {
        **clearing, **amounts(amount, line["TransactionCurrency"]), **{name: line[name] for name in kept},
        "FollowOnDocumentType": "V", "PostingKey": "06", "DocumentItemText": "residual item",
        "AccountingDocumentItem": "002",
    }  # fmt: skip


class Claim:
    """An open line with the sum of what is open on it."""

    def __init__(self, row: Mapping[str, Any]) -> None:
        self.row = row
        self.open_amount = Decimal(row["AmountInTransactionCurrency"])

    def shown(self) -> dict[str, Any]:
        row = self.row
        return {
            "number": row["number"], "customer_ref": row["Customer"], "kind": row["kind"],
            "company": row["CompanyCode"], "currency": row["TransactionCurrency"], "open_amount": str(self.open_amount),
            "due_on": row["NetDueDate"][:10], "dunning_block": row["DunningBlockingReason"], "key": list(key_of(row)),
            "text": row["DocumentItemText"],
        }  # fmt: skip
