"""What happens in the Business One twin's books: loading, paying, crediting, cancelling.

A document carries what was paid on it (`PaidToDate`), per instalment; money that is not applied to a document stays
in the incoming payment. Amounts in the local currency stand in the plain columns, foreign ones beside them (`FC`).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from collecthub.sandbox.b1_schema import SCHEMA
from collecthub.sandbox.rows import insert, insert_many
from collecthub.sandbox.sap_lines import in_currency
from collecthub.sandbox.twin import Books, Clock

LOCAL_CURRENCY = "EUR"
LANGUAGES = {"en": 3, "de": 9, "fr": 22, "nl": 16, "it": 13, "es": 23}
_RATES = {"USD": "0.92", "GBP": "1.17", "JPY": "0.0058", "KWD": "3.01"}
_ZERO = Decimal(0)
_OPEN, _CLOSED = "bost_Open", "bost_Close"
_TABLES = ("partner", "document", "instalment", "payment", "applied", "activity", "journal", "journal_line")
_PAID_AS = {"Invoices": "it_Invoice", "DownPayments": "it_DownPayment"}
_BASE_TYPES = {"Invoices": 13, "DownPayments": 203}
_FIRST_NUMBERS = {"Invoices": 1_000_000, "DownPayments": 3_000_000, "CreditNotes": 5_000_000}


class B1Books:
    """The books of one company database."""

    def __init__(self, books: Books, clock: Clock) -> None:
        self.books = books
        self.clock = clock
        self.connection = books.connection
        self.connection.executescript(SCHEMA)
        self._numbers: dict[str, int] = books.get("numbers", {})
        self.is_update_seen = True  # whether a payment moves the update date of the invoice that it pays

    def today(self) -> str:
        """The posting day."""
        return self.clock.now().date().isoformat()

    def next_number(self, kind: str, first: int = 1) -> int:
        self._numbers[kind] = self._numbers.get(kind, first - 1) + 1
        return self._numbers[kind]

    def keep_numbers(self) -> None:
        """Write down how far the numbers are."""
        self.books.put("numbers", self._numbers)

    def wipe(self) -> dict[str, bool]:
        """Empty the company database; numbers go on."""
        with self.books.transaction() as connection:
            for table in _TABLES:
                connection.execute(f"DELETE FROM {table}")
        return {"wiped": True}

    # --- loading ----------------------------------------------------------------------------------

    def load(self, payload: Mapping[str, Any]) -> dict[str, int]:
        """Take over customers and open items (the neutral model as JSON); known customers are kept as they are."""
        customers, items = payload.get("customers", []), payload.get("items", [])
        with self.books.transaction():
            for customer in customers:
                self._load_customer(customer)
            for item in items:
                self._load_item(item)
            self.keep_numbers()
        return {"customers": len(customers), "items": len(items)}

    def _load_customer(self, customer: Mapping[str, Any]) -> None:
        kind = customer.get("kind", "company")
        values = {
            "CardCode": customer["customer_ref"], "CardName": customer["name"], "CardType": "cCustomer",
            "CompanyPrivate": {"person": "cPrivate", "public": "cGovernment"}.get(kind, "cCompany"), "GroupCode": 100,
            "Currency": "##", "Country": customer.get("country") or None,
            "FederalTaxID": customer.get("vat_ref") or None, "EmailAddress": customer.get("email") or None,
            "Phone1": customer.get("phone") or None, "ContactPerson": customer.get("contact") or None,
            "LanguageCode": LANGUAGES.get(customer.get("language") or ""), "PayTermsGrpCode": 1, "BlockDunning": "tNO",
            "DunningLevel": 0, "DunningDate": None, "Frozen": "tNO", "Valid": "tYES", "UpdateDate": self.today(),
            "street": customer.get("street") or None, "postcode": customer.get("postcode") or None,
            "city": customer.get("city") or None, "version": 1,
        }  # fmt: skip
        insert(self.connection, "partner", values, keep=True)

    def _load_item(self, item: Mapping[str, Any]) -> None:
        kind, amount = item["kind"], Decimal(item["amount"])
        if kind == "payment":
            self._load_payment(item, -amount)
        elif kind == "credit_note":
            entry = self._document("CreditNotes", {**item, "amount": str(-amount), "open_amount": str(-amount)})
            if item.get("settles") and self._find(item["settles"]):
                self._apply_note(entry, item["settles"], -amount)
        elif kind == "down_payment":
            self._document("DownPayments", {"down_payment_type": "dptInvoice", **item})
        elif kind == "instalment":
            self._load_instalment(item)
        else:
            self._document("Invoices", item)

    def _load_payment(self, item: Mapping[str, Any], amount: Decimal) -> None:
        payment = self._payment(item["customer_ref"], amount, item["currency"], item["issue_on"], item["number"])
        if item.get("settles") and self._find(item["settles"]):
            self._apply(payment, self._find(item["settles"]), amount)

    def _document(self, kind: str, item: Mapping[str, Any]) -> int:
        """A document of one instalment; what was paid on it before is paid without a payment in the books."""
        entry = self.next_number(kind)
        name = self.connection.execute(
            "SELECT CardName FROM partner WHERE CardCode = ?", (item["customer_ref"],)
        ).fetchone()
        values = {
            "object": kind, "DocEntry": entry, "DocNum": entry + _FIRST_NUMBERS[kind],
            "CardCode": item["customer_ref"], "CardName": name[0] if name else None, "NumAtCard": item["number"][:100],
            "DocDate": item["issue_on"], "DocDueDate": item["due_on"], "TaxDate": item["issue_on"],
            "CreationDate": item["issue_on"], "UpdateDate": item["issue_on"], "UpdateTime": "09:00:00", "DocTotal": "0",
            "DocTotalFc": "0", "DocCurrency": item["currency"], "PaidToDate": "0", "PaidToDateFC": "0",
            "DocumentStatus": _OPEN, "Cancelled": "tNO", "CancelStatus": "csNo", "BlockDunning": "tNO",
            "NumberOfInstallments": 0, "Comments": None, "DownPaymentType": item.get("down_payment_type"),
            "number": item["number"], "base": None, "version": 1,
        }  # fmt: skip
        insert(self.connection, "document", values)
        self._instalment(kind, entry, item)
        return entry

    def _load_instalment(self, item: Mapping[str, Any]) -> None:
        found = self.connection.execute(
            "SELECT DocEntry FROM document WHERE object = 'Invoices' AND number = ?", (item["settles"],)
        ).fetchone()
        if found is None:
            entry = self._document("Invoices", {**item, "number": item["settles"]})
            self.connection.execute(
                "UPDATE instalment SET number = ? WHERE object = 'Invoices' AND DocEntry = ?", (item["number"], entry)
            )
        else:
            self._instalment("Invoices", found[0], item)

    def _instalment(self, kind: str, entry: int, item: Mapping[str, Any]) -> None:
        last = self.connection.execute(
            "SELECT count(*) FROM instalment WHERE object = ? AND DocEntry = ?", (kind, entry)
        ).fetchone()[0]
        amount = Decimal(item["amount"])
        paid, currency = amount - Decimal(item["open_amount"]), item["currency"]
        level = int(item.get("dunning_level") or 0)
        values = {
            "object": kind, "DocEntry": entry, "InstallmentId": last + 1, "DueDate": item["due_on"],
            **both("Total", "TotalFC", amount, currency), **both("PaidToDate", "PaidToDateFC", paid, currency),
            "DunningLevel": level, "LastDunningDate": item["due_on"] if level else None, "PaymentOrdered": "tNO",
            "number": item["number"],
        }  # fmt: skip
        insert_many(self.connection, "instalment", [values])
        if level:
            self.connection.execute(
                "UPDATE partner SET DunningLevel = max(DunningLevel, ?), DunningDate = max(coalesce(DunningDate, ''), ?) "
                "WHERE CardCode = (SELECT CardCode FROM document WHERE object = ? AND DocEntry = ?)",
                (level, item["due_on"], kind, entry),
            )
        self._total(kind, entry)

    # --- what is open -----------------------------------------------------------------------------

    def _find(self, number: str) -> list[sqlite3.Row]:
        """The open instalments of an invoice or a down payment: the one with this number, or all of the document with it."""
        return self.connection.execute(
            "SELECT i.*, d.DocCurrency, d.CardCode FROM instalment i JOIN document d USING (object, DocEntry) "
            "WHERE object != 'CreditNotes' AND DocumentStatus = 'bost_Open' AND (i.number = ? OR d.number = ?) "
            "ORDER BY DocEntry, InstallmentId",
            (number, number),
        ).fetchall()

    def claim(self, number: str) -> list[sqlite3.Row]:
        """As `_find`, but `KeyError` when there is none."""
        found = self._find(number)
        if not found:
            raise KeyError(f"no open item with number {number}")
        return found

    def _total(self, kind: str, entry: int) -> None:
        """Carry the sums of the instalments into the document, and close it when nothing is open any more."""
        rows = self.connection.execute(
            "SELECT * FROM instalment WHERE object = ? AND DocEntry = ?", (kind, entry)
        ).fetchall()
        sums = {
            column: str(sum((Decimal(row[name]) for row in rows), _ZERO))
            for column, name in (
                ("DocTotal", "Total"), ("DocTotalFc", "TotalFC"), ("PaidToDate", "PaidToDate"),
                ("PaidToDateFC", "PaidToDateFC"),
            )
        }  # fmt: skip
        status = _OPEN if any(still_open(row) for row in rows) else _CLOSED
        changes = {**sums, "NumberOfInstallments": len(rows), "DocumentStatus": status}
        changes["DocDueDate"] = max(row["DueDate"] for row in rows)
        self.change(kind, entry, changes)

    def change(self, kind: str, entry: int, changes: Mapping[str, Any]) -> int:
        """Change columns of a document; the number of documents found."""
        sets = ", ".join(f"{name} = ?" for name in changes)
        return self.connection.execute(
            f"UPDATE document SET {sets}, version = version + 1 WHERE object = ? AND DocEntry = ?",
            (*changes.values(), kind, entry),
        ).rowcount

    def touch(self, kind: str, entry: int) -> None:
        """Move the update date of a document, if this release does so."""
        if self.is_update_seen:
            self.change(kind, entry, {"UpdateDate": self.today(), "UpdateTime": f"{self.clock.now():%H:%M:%S}"})

    # --- money ------------------------------------------------------------------------------------

    def _payment(self, card: str, amount: Decimal, currency: str, day: str, number: str) -> int:
        entry = self.next_number("payment")
        values = {
            "DocEntry": entry, "DocNum": 700_000 + entry, "CardCode": card, "CardName": None, "DocDate": day,
            "DocCurrency": currency, **both("CashSum", "CashSumFC", amount, currency), "TransferSum": "0",
            "TransferReference": number[:27], "Cancelled": "tNO", "CancelStatus": "csNo", "Remarks": None,
            "number": number, "version": 1,
        }  # fmt: skip
        insert(self.connection, "payment", values)
        return entry

    def _apply(self, payment: int, rows: list[sqlite3.Row], amount: Decimal) -> None:
        """Apply money to instalments, oldest first; what is left stays in the payment."""
        for line, row in enumerate(rows):
            part = min(amount, still_open(row))
            if part <= 0:
                continue
            amount -= part
            currency = row["DocCurrency"]
            insert(self.connection, "applied", {
                "payment": payment, "LineNum": line, "DocEntry": row["DocEntry"], "InstallmentId": row["InstallmentId"],
                **both("SumApplied", "AppliedFC", part, currency), "InvoiceType": _PAID_AS[row["object"]],
            })  # fmt: skip
            self.lower(row, part)

    def lower(self, row: sqlite3.Row, part: Decimal) -> None:
        """Count so much of an instalment as paid."""
        paid = Decimal(row["PaidToDateFC" if is_foreign(row["DocCurrency"]) else "PaidToDate"]) + part
        now = both("PaidToDate", "PaidToDateFC", paid, row["DocCurrency"])
        self.connection.execute(
            "UPDATE instalment SET PaidToDate = ?, PaidToDateFC = ? "
            "WHERE object = ? AND DocEntry = ? AND InstallmentId = ?",
            (now["PaidToDate"], now["PaidToDateFC"], row["object"], row["DocEntry"], row["InstallmentId"]),
        )
        self._total(row["object"], row["DocEntry"])
        self.touch(row["object"], row["DocEntry"])

    def settle(self, number: str, amount: Decimal | None, mode: str = "partial") -> dict[str, Any]:
        """Book a payment on an invoice or instalment; in `mode` account it stays unallocated."""
        rows = self.claim(number)
        owed = sum((still_open(row) for row in rows), _ZERO)
        paid = owed if amount is None else amount
        if mode != "account" and not 0 < paid <= owed:
            raise ValueError(f"item {number} has {owed} {rows[0]['DocCurrency']} open, not {paid}")
        with self.books.transaction():
            payment = self._payment(rows[0]["CardCode"], paid, rows[0]["DocCurrency"], self.today(), f"P-{number}")
            if mode != "account":
                self._apply(payment, rows, paid)
            self.keep_numbers()
        return {"number": number, "document": payment, "open_amount": str(owed - paid)}

    def _apply_note(self, note: int, number: str, amount: Decimal) -> None:
        """Set a credit note off against the invoice that it is based on."""
        left = amount
        for row in self._find(number):
            part = min(left, still_open(row))
            left -= part
            self.lower(row, part)
            self.change("CreditNotes", note, {"base": row["DocEntry"], "base_type": _BASE_TYPES[row["object"]]})
        (own,) = self.connection.execute(
            "SELECT i.*, d.DocCurrency FROM instalment i JOIN document d USING (object, DocEntry) "
            "WHERE object = 'CreditNotes' AND DocEntry = ?",
            (note,),
        ).fetchall()
        self.lower(own, amount - left)

    def credit(self, number: str, credit_number: str, amount: Decimal | None, allocated: bool) -> dict[str, Any]:
        """Post a credit note: based on the invoice, or unallocated."""
        rows = self.claim(number)
        owed = sum((still_open(row) for row in rows), _ZERO)
        given = owed if amount is None else amount
        note = {
            "customer_ref": rows[0]["CardCode"], "number": credit_number, "issue_on": self.today(),
            "due_on": self.today(), "amount": str(given), "open_amount": str(given), "currency": rows[0]["DocCurrency"],
        }  # fmt: skip
        with self.books.transaction():
            entry = self._document("CreditNotes", note)
            if allocated:
                self._apply_note(entry, number, given)
            self.keep_numbers()
        return {"number": number, "document": entry}

    def reset_clearing(self, number: str) -> dict[str, Any]:
        """Cancel the last payment on an item: it is open again, and its update date did not move."""
        found = self.connection.execute(
            "SELECT a.payment FROM applied a JOIN instalment i "
            "ON a.InvoiceType = 'it_Invoice' AND i.object = 'Invoices' AND i.DocEntry = a.DocEntry AND i.InstallmentId = a.InstallmentId "
            "JOIN payment p ON p.DocEntry = a.payment AND p.Cancelled = 'tNO' "
            "JOIN document d ON d.object = 'Invoices' AND d.DocEntry = a.DocEntry "
            "WHERE i.number = ? OR d.number = ? ORDER BY a.payment DESC",
            (number, number),
        ).fetchone()
        if found is None:
            raise KeyError(f"no payment on item {number}")
        seen, self.is_update_seen = self.is_update_seen, False
        with self.books.transaction() as connection:
            connection.execute(
                "UPDATE payment SET Cancelled = 'tYES', CancelStatus = 'csYes', version = version + 1 WHERE DocEntry = ?",
                (found[0],),
            )
            for line in connection.execute("SELECT * FROM applied WHERE payment = ?", (found[0],)).fetchall():
                (row,) = connection.execute(
                    "SELECT i.*, d.DocCurrency FROM instalment i JOIN document d USING (object, DocEntry) "
                    "WHERE object = 'Invoices' AND DocEntry = ? AND InstallmentId = ?",
                    (line["DocEntry"], line["InstallmentId"]),
                ).fetchall()
                self.lower(row, -Decimal(line["AppliedFC" if is_foreign(row["DocCurrency"]) else "SumApplied"]))
        self.is_update_seen = seen
        return {"number": number, "payment": found[0]}

    def cancel(self, number: str) -> dict[str, Any]:
        """Cancel an invoice: a cancellation document stands against it, both are closed."""
        row = self.claim(number)[0]
        with self.books.transaction() as connection:
            entry = self.next_number("Invoices")
            source = dict(connection.execute(
                "SELECT * FROM document WHERE object = 'Invoices' AND DocEntry = ?", (row["DocEntry"],)
            ).fetchone())  # fmt: skip
            closed = {"DocumentStatus": _CLOSED, "Cancelled": "tYES", "CancelStatus": "csYes"}
            self.change("Invoices", row["DocEntry"], closed)
            self.touch("Invoices", row["DocEntry"])
            insert(connection, "document", {
                **source, **closed, "CancelStatus": "csCancellation", "DocEntry": entry, "DocNum": 1_000_000 + entry,
                "UpdateDate": self.today(), "NumberOfInstallments": 0,
            })  # fmt: skip
            self.keep_numbers()
        return {"number": number, "document": entry}


def is_foreign(currency: str) -> bool:
    """Whether amounts of a document are counted in the `FC` columns."""
    return currency != LOCAL_CURRENCY


def still_open(row: sqlite3.Row) -> Decimal:
    """What is not paid of an instalment, in the currency of its document."""
    total = Decimal(row["TotalFC"]) or Decimal(row["Total"])
    paid = Decimal(row["PaidToDateFC"]) if Decimal(row["TotalFC"]) else Decimal(row["PaidToDate"])
    return total - paid


def both(local: str, foreign: str, amount: Decimal, currency: str) -> dict[str, str]:
    """An amount in its two columns: the local currency at the day's rate, and the document's own when that differs."""
    if not is_foreign(currency):
        return {local: in_currency(amount, currency), foreign: "0"}
    home = (amount * Decimal(_RATES.get(currency, "1"))).quantize(Decimal("0.01"), ROUND_HALF_UP)
    return {local: str(home), foreign: in_currency(amount, currency)}
