"""What happens in the SAP twin's ledger: loading, invoicing, clearing, partial and residual payments, reversal.

Amounts are signed: debit positive, credit negative. A partial payment is a line of its own that names the
invoice in InvoiceReference; it stays open until the invoice is cleared.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from collecthub.sandbox.rows import insert_many
from collecthub.sandbox.sap_lines import (
    FIRST_NUMBER,
    KEY,
    POSTING,
    TERMS,
    Claim,
    amounts,
    billing_row,
    blank,
    edm_time,
    is_billed,
    key_of,
    residual,
    total,
)
from collecthub.sandbox.sap_schema import SCHEMA
from collecthub.sandbox.twin import Books, Clock

DEFAULT_COMPANY = "1000"


class SapBooks:
    """The ledger of one S/4HANA client with its company codes."""

    def __init__(self, books: Books, clock: Clock) -> None:
        self.books = books
        self.clock = clock
        self.connection = books.connection
        self.connection.executescript(SCHEMA)
        self._numbers: dict[str, int] = books.get("numbers", {})

    def today(self) -> str:
        """The posting day, as Edm.DateTime of a date."""
        return f"{self.clock.now().date().isoformat()}T00:00:00"

    def _number(self, kind: str, first: int) -> str:
        self._numbers[kind] = self._numbers.get(kind, first) + 1
        return f"{self._numbers[kind]:010d}"

    def load(self, payload: Mapping[str, Any]) -> dict[str, int]:
        """Take over customers and open items (the neutral model as JSON); known customers are kept as they are."""
        company = str(payload.get("company_code", DEFAULT_COMPANY))
        customers, items = payload.get("customers", []), payload.get("items", [])
        with self.books.transaction():
            for customer in customers:
                self._load_customer(customer)
            self._load_companies(company, customers, items)
            self._load_items(company, items)
            self.books.put("numbers", self._numbers)
        return {"customers": len(customers), "items": len(items)}

    def _load_customer(self, customer: Mapping[str, Any]) -> None:
        known = self.connection.execute(
            "SELECT 1 FROM customer WHERE Customer = ?", (customer["customer_ref"],)
        )
        if known.fetchone():
            return
        now = self.clock.now()
        copied = ("name", "kind", "email", "phone", "contact", "street", "postcode", "city")
        row = {name: customer.get(name) or "" for name in copied} | {
            "Customer": customer["customer_ref"], "BusinessPartner": self._number("partner", 1_000_000_000),
            "AddressID": str(int(self._number("address", 20_000))), "person": self._number("person", 2_000_000_000),
            "relation": str(int(self._number("relation", 500))), "language": (customer.get("language") or "").upper(),
            "country": customer.get("country") or "", "vat": customer.get("vat_ref") or "", "blocked": 0, "archived": 0,
            "created": self.today(), "changed": self.today(), "changed_time": edm_time(now),
        }  # fmt: skip
        insert_many(self.connection, "customer", [row])

    def _load_companies(self, company: str, customers: Iterable[Any], items: Iterable[Any]) -> None:
        pairs = {(one["customer_ref"], company) for one in customers}
        pairs |= {(one["customer_ref"], one.get("company") or company) for one in items}
        for customer, code in sorted(pairs):
            self.connection.execute(
                "INSERT OR IGNORE INTO customer_company VALUES (?, ?, '0001', '', '0000140000', 'B1', '')",
                (customer, code),
            )
            self.connection.execute(
                "INSERT OR IGNORE INTO customer_dunning VALUES (?, ?, '', '', '0', '0001', '', NULL, NULL, 'B1', 1)",
                (customer, code),
            )

    def _load_items(self, company: str, items: Iterable[Mapping[str, Any]]) -> None:
        lines: dict[str, dict[str, Any]] = {}
        documents: dict[tuple[str, str], list[dict[str, Any]]] = {}
        rows: list[dict[str, Any]] = []
        for item in items:
            code = str(item.get("company") or company)
            name = item["settles"] if item["kind"] == "instalment" else item["number"]
            siblings = documents.setdefault((code, name), [])
            row = self._line(code, item, name, siblings)
            siblings.append(row)
            if item["kind"] in ("credit_note", "payment") and item.get("settles"):
                row |= self._reference(lines.get(item["settles"]), item["settles"])
            lines[item["number"]] = row
            rows.append(row)
            self._remember_level(row)
            rows.extend(self._earlier_payment(row, item))
        insert_many(self.connection, "item", rows)
        insert_many(
            self.connection,
            "billing",
            [billing_row(siblings) for siblings in documents.values() if is_billed(siblings)],
        )

    def _remember_level(self, line: Mapping[str, Any]) -> None:
        """The customer's own dunning level follows his highest line, as after a dunning run."""
        if line["DunningLevel"] > "0":
            self.connection.execute(
                "UPDATE customer_dunning SET DunningLevel = max(DunningLevel, ?), "
                "LastDunnedOn = max(coalesce(LastDunnedOn, ''), ?) WHERE Customer = ? AND CompanyCode = ?",
                (line["DunningLevel"], line["LastDunningDate"], line["Customer"], line["CompanyCode"]),
            )

    def _line(
        self, company: str, item: Mapping[str, Any], name: str, siblings: list[dict[str, Any]]
    ) -> dict[str, Any]:
        kind = item["kind"]
        document_type, posting_key = item.get("document_type") or POSTING[kind][0], POSTING[kind][1]
        if siblings:
            document, billing = siblings[0]["AccountingDocument"], siblings[0]["BillingDocument"]
        else:
            document = self._number(document_type, FIRST_NUMBER.get(document_type, 1_000_000_000))
            billing = self._number("billing", 90_000_000) if document_type == "RV" else ""
        issued, due = f"{item['issue_on']}T00:00:00", f"{item['due_on']}T00:00:00"
        days = (dt.date.fromisoformat(item["due_on"]) - dt.date.fromisoformat(item["issue_on"])).days
        level = str(item.get("dunning_level") or "0")
        return blank() | amounts(Decimal(item["amount"]), item["currency"]) | {
            "CompanyCode": company, "FiscalYear": item["issue_on"][:4], "AccountingDocument": document,
            "AccountingDocumentItem": f"{len(siblings) + 1:03d}", "number": item["number"], "kind": kind,
            "Customer": item["customer_ref"], "AccountingDocumentType": document_type, "PostingKey": posting_key,
            "SpecialGLCode": item.get("special_gl", ""), "BillingDocument": billing, "DocumentReferenceID": name[:16],
            "AssignmentReference": name[:18], "DocumentItemText": f"{kind.replace('_', ' ')} {name}"[:50],
            "PaymentReference": name[:30], "PostingDate": issued, "DocumentDate": issued,
            "DueCalculationBaseDate": issued, "NetDueDate": due, "NetPaymentDays": str(max(days, 0)),
            "PaymentTerms": TERMS.get(days, "0001"), "DunningLevel": level,
            "LastDunningDate": due if level != "0" else None, "AccountingDocumentCreationDate": issued,
            "LastChangeDate": issued, "CreationTime": "PT09H00M00S",
        }  # fmt: skip

    def _reference(self, line: Mapping[str, Any] | None, number: str) -> dict[str, str]:
        """Columns that point at the invoice that a line belongs to; empty when it is not in the books."""
        if line is None:
            found = self._lines(number)
            line = found[0] if found else None
        if line is None:
            return {}
        return {
            "InvoiceReference": line["AccountingDocument"], "InvoiceReferenceFiscalYear": line["FiscalYear"],
            "InvoiceItemReference": line["AccountingDocumentItem"],
        }  # fmt: skip

    def _earlier_payment(self, line: Mapping[str, Any], item: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The partial payment line beside an invoice that was partly paid before it was loaded."""
        paid = Decimal(item["amount"]) - Decimal(item["open_amount"])
        return [self._payment(line, paid, line["NetDueDate"])] if paid else []

    def _payment(self, line: Mapping[str, Any], amount: Decimal, posted: str) -> dict[str, Any]:
        """A payment line of `amount` against an invoice line, open."""
        return {
            **line, **amounts(-amount, line["TransactionCurrency"]), **self._reference(line, line["number"]),
            "AccountingDocument": self._number("DZ", FIRST_NUMBER["DZ"]), "AccountingDocumentItem": "001",
            "AccountingDocumentType": "DZ", "PostingKey": "15", "kind": "payment", "FiscalYear": posted[:4],
            "BillingDocument": "", "DocumentItemText": "payment", "PostingDate": posted, "DocumentDate": posted,
            "DueCalculationBaseDate": posted, "NetDueDate": posted, "NetPaymentDays": "0", "DunningLevel": "0",
            "LastDunningDate": None, "AccountingDocumentCreationDate": posted, "LastChangeDate": posted,
            "FollowOnDocumentType": "Z", "DunningBlockingReason": "",
        }  # fmt: skip

    def _lines(self, number: str) -> list[dict[str, Any]]:
        """Open lines of an item, the claim itself first, then payments on it."""
        rows = self.connection.execute(
            "SELECT * FROM item WHERE number = ? AND NOT IsCleared ORDER BY kind = 'payment', AccountingDocument",
            (number,),
        )
        return [dict(row) for row in rows]

    def claim(self, number: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """The open line of an item, and the open lines that point at it; `KeyError` when there is none."""
        found = self._lines(number)
        if not found:
            raise KeyError(f"no open item with number {number}")
        line = found[0]
        rows = self.connection.execute(
            "SELECT * FROM item WHERE CompanyCode = ? AND InvoiceReference = ? AND InvoiceReferenceFiscalYear = ? "
            "AND InvoiceItemReference = ? AND NOT IsCleared",
            (
                line["CompanyCode"],
                line["AccountingDocument"],
                line["FiscalYear"],
                line["AccountingDocumentItem"],
            ),
        )
        return line, [dict(row) for row in rows]

    def settle(self, number: str, amount: Decimal | None, mode: str = "partial") -> dict[str, Any]:
        """Book a payment: in full it clears; less than that stays beside the invoice, or leaves a `residual` item."""
        line, partials = self.claim(number)
        still_open = total([line, *partials])
        paid = still_open if amount is None else amount
        if not 0 < paid <= still_open:
            raise ValueError(f"item {number} has {still_open} {line['TransactionCurrency']} open, not {paid}")
        payment = self._payment(line, paid, self.today())
        with self.books.transaction():
            if paid < still_open and mode != "residual":
                insert_many(self.connection, "item", [payment])
            else:
                self._clear([line, *partials], payment)
                if paid < still_open:
                    insert_many(self.connection, "item", [residual(line, payment, still_open - paid)])
            self.books.put("numbers", self._numbers)
        return {
            "number": number,
            "document": payment["AccountingDocument"],
            "open_amount": str(still_open - paid),
        }

    def _clear(self, lines: list[dict[str, Any]], clearing: dict[str, Any]) -> None:
        """Clear open lines with the document of `clearing`, which is posted and cleared itself."""
        insert_many(self.connection, "item", [clearing])
        mark = (clearing["AccountingDocument"], clearing["FiscalYear"], self.today(), self.today())
        for line in [*lines, clearing]:
            self.connection.execute(
                "UPDATE item SET IsCleared = 1, ClearingAccountingDocument = ?, ClearingDocFiscalYear = ?, "
                "ClearingDate = ?, ClearingCreationDate = ?, ClearingIsReversed = 0 WHERE " + KEY,
                (*mark, *key_of(line)),
            )

    def credit(
        self, number: str, credit_number: str, amount: Decimal | None, allocated: bool
    ) -> dict[str, Any]:
        """Post a credit note: on the invoice (clearing it when it covers it) or unallocated."""
        line, partials = self.claim(number)
        still_open = total([line, *partials])
        given = still_open if amount is None else amount
        note = self._payment(line, given, self.today()) | {
            "AccountingDocument": self._number("DG", FIRST_NUMBER["DG"]), "AccountingDocumentType": "DG",
            "PostingKey": "11", "kind": "credit_note", "number": credit_number, "FollowOnDocumentType": "",
            "DocumentReferenceID": credit_number[:16], "DocumentItemText": f"credit note {credit_number}",
        }  # fmt: skip
        if not allocated:
            note |= {"InvoiceReference": "", "InvoiceReferenceFiscalYear": "", "InvoiceItemReference": ""}
        with self.books.transaction():
            if allocated and given == still_open:
                self._clear([line, *partials], note)
            else:
                insert_many(self.connection, "item", [note])
            self.books.put("numbers", self._numbers)
        return {"number": number, "document": note["AccountingDocument"]}

    def reset_clearing(self, number: str, *, is_money_reversed: bool = False) -> dict[str, Any]:
        """Reopen what the last clearing of an item closed; no change date of the item tells of it.

        The money stays on account, or is reversed in the same step.
        """
        row = self.connection.execute(
            "SELECT ClearingAccountingDocument FROM item WHERE number = ? AND IsCleared AND kind <> 'payment'",
            (number,),
        ).fetchone()
        if row is None:
            raise KeyError(f"no cleared item with number {number}")
        changed = self.connection.execute(
            "UPDATE item SET IsCleared = 0, ClearingAccountingDocument = '', ClearingDocFiscalYear = '', "
            "ClearingDate = NULL, ClearingCreationDate = NULL, ClearingIsReversed = 1 "
            "WHERE ClearingAccountingDocument = ?",
            (row[0],),
        )
        if is_money_reversed:
            self.connection.execute(
                "UPDATE item SET IsCleared = 1, IsReversed = 1, ClearingDate = ?, ClearingCreationDate = ? "
                "WHERE AccountingDocument = ? AND kind = 'payment'",
                (self.today(), self.today(), row[0]),
            )
        return {"number": number, "reopened": changed.rowcount}

    def reverse(self, number: str) -> dict[str, Any]:
        """Cancel an invoice: a reversal document, both cleared against each other."""
        line, _ = self.claim(number)
        reversal = self._payment(line, total([line]), self.today()) | {
            "AccountingDocument": self._number("AB", FIRST_NUMBER["AB"]), "AccountingDocumentType": "AB",
            "PostingKey": "12", "kind": "reversal", "IsReversal": 1, "ReverseDocument": line["AccountingDocument"],
            "ReverseDocumentFiscalYear": line["FiscalYear"], "DocumentItemText": "reversal",
        }  # fmt: skip
        with self.books.transaction() as connection:
            self._clear([line], reversal)
            connection.execute(
                f"UPDATE item SET IsReversed = 1, ReverseDocument = ?, ReverseDocumentFiscalYear = ? WHERE {KEY}",
                (reversal["AccountingDocument"], reversal["FiscalYear"], *key_of(line)),
            )
            self.books.put("numbers", self._numbers)
        return {"number": number, "document": reversal["AccountingDocument"]}

    def change_line(self, key: tuple[str, str, str, str], changes: Mapping[str, Any]) -> int:
        """Change columns of one line; the number of lines found."""
        changes = {**changes, "LastChangeDate": self.today()}
        sets = ", ".join(f"{name} = ?" for name in changes)
        return self.connection.execute(
            f"UPDATE item SET {sets} WHERE {KEY}", (*changes.values(), *key)
        ).rowcount

    def totals(self) -> dict[str, Any]:
        """The books as they stand: what is open per claim, net of the lines that point at it, and per currency."""
        rows = [
            dict(row)
            for row in self.connection.execute("SELECT * FROM item WHERE NOT IsCleared ORDER BY number")
        ]
        claims = {key_of(row): Claim(row) for row in rows}
        totals: dict[str, Decimal] = {}
        for row in rows:
            value = Decimal(row["AmountInTransactionCurrency"])
            totals[row["TransactionCurrency"]] = totals.get(row["TransactionCurrency"], Decimal(0)) + value
            named = (row["CompanyCode"], row["InvoiceReferenceFiscalYear"], row["InvoiceReference"])
            target = claims.get((*named, row["InvoiceItemReference"]))
            if target is not None:
                del claims[key_of(row)]
                target.open_amount += value
        items = [claim.shown() for claim in claims.values()]
        return {"totals": {currency: str(total) for currency, total in totals.items()}, "items": items}
