"""The baseline for S/4HANA: a bare loop over the same pages into the same table, as `bench.bare` is for Exact Online.
`python -m bench.sap_bare SERVER DATABASE ITEMS`.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterator
from decimal import Decimal
from functools import cache

import msgspec
import requests

from bench.bare import Row, Store, day, postgres_store, sqlite_store
from bench.sap_pages import COMPANY
from bench.sap_server import PAGE_ROWS
from bench.usage import measured, peak_mb

_COMMIT_ROWS = 5_000
_encode = msgspec.msgpack.Encoder().encode
NAMES = (
    "CompanyCode FiscalYear AccountingDocument AccountingDocumentItem Customer CustomerName AccountingDocumentType"
    " DebitCreditCode PostingKey SpecialGLCode SpecialGLTransactionType BillingDocument DocumentReferenceID"
    " DocumentItemText InvoiceReference InvoiceReferenceFiscalYear InvoiceItemReference IsReversal IsReversed IsCleared"
    " ClearingAccountingDocument ClearingDocFiscalYear DocumentDate NetDueDate AmountInTransactionCurrency"
    " TransactionCurrency DunningLevel DunningBlockingReason LastDunningDate"
)


class Line(msgspec.Struct, gc=False):
    """One line, by its wire names: what a program needs of the columns that the connector selects."""

    CompanyCode: str
    FiscalYear: str
    AccountingDocument: str
    AccountingDocumentItem: str
    Customer: str
    CustomerName: str
    AccountingDocumentType: str
    BillingDocument: str
    DocumentReferenceID: str
    DocumentItemText: str
    InvoiceReference: str
    InvoiceReferenceFiscalYear: str
    InvoiceItemReference: str
    DocumentDate: str
    NetDueDate: str
    AmountInTransactionCurrency: Decimal
    TransactionCurrency: str
    DunningLevel: str
    DunningBlockingReason: str
    LastDunningDate: str | None


class Results(msgspec.Struct):
    results: list[Line]


class Answer(msgspec.Struct):
    d: Results


@cache
def places(currency: str) -> int:
    """Decimals of a currency."""
    return 0 if currency == "JPY" else 2


def pages(server: str, items: int) -> Iterator[list[Line]]:
    """Every page of a company code, by key range."""
    decode = msgspec.json.Decoder(Answer).decode
    chosen = f"CompanyCode eq '{COMPANY}' and FinancialAccountType eq 'D' and IsCleared eq false"
    url = f"{server}/sap/opu/odata/{items}/A_OperationalAcctgDocItemCube"
    options = {"$select": NAMES.replace(" ", ","), "$orderby": "AccountingDocument", "$top": str(PAGE_ROWS)}
    after = ""
    with requests.Session() as session:
        while True:
            condition = f"{chosen} and AccountingDocument gt '{after}'" if after else chosen
            asked = {**options, "$filter": condition, "$format": "json"}
            found = decode(session.get(url, params=asked, timeout=60).content).d.results
            if found:
                yield found
            if len(found) < PAGE_ROWS:
                return
            after = found[-1].AccountingDocument


def row(line: Line) -> Row:
    """The stored row of a line."""
    minor = int(line.AmountInTransactionCurrency.scaleb(places(line.TransactionCurrency)))
    kind = {"DG": "credit_note", "DZ": "payment"}.get(line.AccountingDocumentType, "invoice")
    settles = (
        f"{line.CompanyCode}/{line.InvoiceReferenceFiscalYear}/{line.InvoiceReference}/{line.InvoiceItemReference}"
        if line.InvoiceReference
        else ""
    )
    values = (
        line.Customer, line.CustomerName, line.DocumentReferenceID, kind, "open", day(line.DocumentDate).isoformat(),
        day(line.NetDueDate).isoformat(), line.TransactionCurrency, minor, minor, settles, line.CompanyCode,
        line.BillingDocument, int(line.DunningLevel), int(bool(line.DunningBlockingReason)),
        day(line.LastDunningDate).isoformat() if line.LastDunningDate else None, line.DocumentItemText,
    )  # fmt: skip
    fingerprint = hashlib.blake2b(_encode(values), digest_size=8).digest()
    ref = f"{line.CompanyCode}/{line.FiscalYear}/{line.AccountingDocument}/{line.AccountingDocumentItem}"
    return ("books", ref, "bench", *values, int.from_bytes(fingerprint, "big", signed=True), "1970-01-01")


def pull(server: str, items: int, store: Store) -> None:
    """The loop."""
    held: list[Row] = []
    for page in pages(server, items):
        held += [row(line) for line in page]
        if len(held) >= _COMMIT_ROWS:
            store(held)
            held = []
    if held:
        store(held)


def main(server: str, database: str, items: int) -> None:
    """Load, pull the same again, and say what it took."""
    is_sqlite = database.startswith("sqlite:///")
    store, ask = sqlite_store(database[10:]) if is_sqlite else postgres_store(database)
    told: dict[str, object] = {phase: measured(lambda: pull(server, items, store)) for phase in ("load", "again")}
    count, total = ask("SELECT count(*), sum(open_minor) FROM invoices")
    print(json.dumps({**told, "rows": count, "open_minor": int(total), "peak_mb": peak_mb()}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
