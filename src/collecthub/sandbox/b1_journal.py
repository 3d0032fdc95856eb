"""What stands on customers' accounts of the Business One twin beside documents: journal entries, and what is open there.

The published record of a journal entry has no column for what is open on it; the action for internal reconciliations
tells it, as it tells every other open transaction. All customers of the twin deal in several currencies (`##`), so its
amounts are in the company's own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from collecthub.sandbox.b1_books import B1Books, both, is_foreign
from collecthub.sandbox.b1_sessions import refusal
from collecthub.sandbox.odata_wire import number
from collecthub.sandbox.rows import insert

ACTION = "InternalReconciliationsService_GetOpenTransactions"
_DOCUMENTS = {"Invoices": (1, "13"), "DownPayments": (1, "203"), "CreditNotes": (-1, "14")}
_LEDGER_NUMBERS = {"Invoices": 1_000_000, "DownPayments": 2_000_000, "CreditNotes": 3_000_000, "payment": 4_000_000}
_RECEIVABLE = "140000"


class B1Journal:
    """Journal entries and open transactions of one company database."""

    def __init__(self, books: B1Books) -> None:
        self._books = books
        self._db = books.connection
        self.is_offered = True  # releases before 9.3 do not have the action

    # --- the test's hand --------------------------------------------------------------------------

    def post(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """`{"customer_ref", "number", "amount", "currency"?, "due_on"?, "memo"?}`: a positive amount is a debit."""
        amount, currency = Decimal(given["amount"]), given.get("currency", "EUR")
        day = given.get("issue_on", self._books.today())
        sides = both("Debit", "FCDebit", abs(amount), currency)
        if amount < 0:
            sides = both("Credit", "FCCredit", abs(amount), currency)
        with self._books.books.transaction():
            entry = self._books.next_number("journal")
            insert(self._db, "journal", {
                "JdtNum": entry, "Number": 300_000 + entry, "ReferenceDate": day, "DueDate": given.get("due_on", day),
                "Memo": given.get("memo", "Opening balance"), "BlockDunningLetter": "tNO", "version": 1,
            })  # fmt: skip
            line = {"JdtNum": entry, "Debit": "0", "Credit": "0", "FCDebit": "0", "FCCredit": "0", "FCCurrency": None,
                    "DueDate": given.get("due_on", day), "LineMemo": None, "reconciled": "0"}  # fmt: skip
            foreign = {"FCCurrency": currency} if is_foreign(currency) else {}
            insert(self._db, "journal_line", {
                **line, **sides, **foreign, "Line_ID": 0, "ShortName": given["customer_ref"], "AccountCode": _RECEIVABLE,
                "number": given["number"],
            })  # fmt: skip
            insert(self._db, "journal_line", {
                **line, "Line_ID": 1, "ShortName": "299999", "AccountCode": "299999", "number": None,
                "Credit": sides.get("Debit", "0"), "Debit": sides.get("Credit", "0"),
            })  # fmt: skip
            self._books.keep_numbers()
        return {"number": given["number"], "entry": entry}

    def reconcile(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """`{"number", "amount"?, "against"?}`: so much of a journal line or of money on account, in the company's currency,
        is reconciled. With the invoice that it is reconciled `against`, that one is paid as much.
        """
        table, row, left = self._reconcilable(given["number"])
        amount = Decimal(given["amount"]) if "amount" in given else left
        if not 0 < amount <= left:
            raise ValueError(f"{left} is open of {given['number']}, not {amount}")
        with self._books.books.transaction():
            self._db.execute(
                f"UPDATE {table} SET reconciled = ? WHERE number = ?",
                (str(Decimal(row["reconciled"]) + amount), given["number"]),
            )
            if "against" in given:
                self._books.lower(self._books.claim(given["against"])[0], amount)
        return {"number": given["number"], "open_amount": str(left - amount)}

    def _reconcilable(self, number_: str) -> tuple[str, Any, Decimal]:
        """Table, row and open amount of what has this number."""
        row = self._db.execute("SELECT * FROM journal_line WHERE number = ?", (number_,)).fetchone()
        if row is not None:
            return "journal_line", row, abs(_local(row)) - Decimal(row["reconciled"])
        row = self._db.execute("SELECT * FROM payment WHERE number = ? AND Cancelled = 'tNO'", (number_,)).fetchone()
        if row is None:
            raise KeyError(f"no journal line and no payment with number {number_}")
        return "payment", row, -self._on_account(row)

    def _on_account(self, payment: Any) -> Decimal:
        """What of a payment is open in the ledger, negative."""
        applied = self._db.execute("SELECT SumApplied FROM applied WHERE payment = ?", (payment["DocEntry"],)).fetchall()
        return sum((Decimal(one[0]) for one in applied), Decimal(payment["reconciled"])) - Decimal(payment["CashSum"])

    def drift(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """`{"customer_ref", "amount"}`: so much of the balance stands in a branch that the user may not see."""
        self._db.execute("UPDATE partner SET unseen = ? WHERE CardCode = ?", (given["amount"], given["customer_ref"]))
        return {"customer_ref": given["customer_ref"]}

    def items(self) -> list[dict[str, Any]]:
        """Open journal lines as the control's books show them, in the line's own currency."""
        shown = []
        rows = self._db.execute("SELECT l.*, j.DueDate AS due FROM journal_line l JOIN journal j USING (JdtNum)")
        for row in rows.fetchall():
            left = abs(_local(row)) - Decimal(row["reconciled"])
            if row["number"] is None or not left:
                continue
            currency = row["FCCurrency"] or "EUR"
            own = _foreign(row) if row["FCCurrency"] else (left if _local(row) > 0 else -left)
            shown.append({
                "number": row["number"], "CardCode": row["ShortName"], "DocCurrency": currency, "open": own,
                "due_on": row["DueDate"], "key": ["JRN", str(row["JdtNum"]), str(row["Line_ID"])],
            })  # fmt: skip
        return shown

    # --- the vendor's action ----------------------------------------------------------------------

    async def answer(self, request: Request, version: str) -> Response:
        """Every open transaction of the business partners that the body names."""
        if not self.is_offered:
            return refusal(404, version, -1000, "Unrecognized resource path.")
        try:
            asked = orjson.loads(await request.body())["InternalReconciliationOpenTransParams"]
            codes = [one["BPCode"] for one in asked["InternalReconciliationBPs"]]
        except (ValueError, KeyError, TypeError):
            return refusal(400, version, -1000, "Invalid JSON format")
        if asked.get("CardOrAccount") != "coaCard" or not codes or not asked.get("ReconDate"):
            return refusal(400, version, -5002, "Enter valid code  [OITR.ReconDate]")
        known = {row[0] for row in self._db.execute("SELECT CardCode FROM partner")}
        if unknown := [code for code in codes if code not in known]:
            return refusal(400, version, -2028, f"No matching records found (ODBC -2028) '{unknown[0]}'")
        rows = [_row(one) for one in self._open(codes) if one[-1]]
        body = {"ReconDate": asked["ReconDate"], "CardOrAccount": "coaCard", "InternalReconciliationOpenTransRows": rows}
        return Response(orjson.dumps(body), media_type="application/json;charset=utf-8")

    def _open(self, codes: Sequence[str]) -> Iterator[tuple[str, int, int, str, int, Decimal]]:
        """Customer, ledger entry and line, object type, document and open amount in the company's currency."""
        marks = ",".join("?" * len(codes))
        documents = self._db.execute(
            "SELECT i.*, d.CardCode FROM instalment i JOIN document d USING (object, DocEntry) WHERE DocumentStatus = "
            f"'bost_Open' AND DownPaymentType IS NOT 'dptRequest' AND CardCode IN ({marks})", tuple(codes),
        )  # fmt: skip
        for row in documents.fetchall():
            sign, kind = _DOCUMENTS[row["object"]]
            left = sign * (Decimal(row["Total"]) - Decimal(row["PaidToDate"]))
            entry = _LEDGER_NUMBERS[row["object"]] + row["DocEntry"]
            yield row["CardCode"], entry, row["InstallmentId"] - 1, kind, row["DocEntry"], left
        payments = self._db.execute(
            f"SELECT * FROM payment WHERE Cancelled = 'tNO' AND CardCode IN ({marks})", tuple(codes)
        )
        for row in payments.fetchall():
            entry = _LEDGER_NUMBERS["payment"] + row["DocEntry"]
            yield row["CardCode"], entry, 1, "24", row["DocEntry"], self._on_account(row)
        lines = self._db.execute(f"SELECT * FROM journal_line WHERE ShortName IN ({marks})", tuple(codes))
        for row in lines.fetchall():
            whole, reconciled = _local(row), Decimal(row["reconciled"])
            left = whole - reconciled if whole > 0 else whole + reconciled
            yield row["ShortName"], row["JdtNum"], row["Line_ID"], "30", row["JdtNum"], left


def _local(row: Any) -> Decimal:
    return Decimal(row["Debit"]) - Decimal(row["Credit"])


def _foreign(row: Any) -> Decimal:
    return Decimal(row["FCDebit"]) - Decimal(row["FCCredit"])


def _row(one: tuple[str, int, int, str, int, Decimal]) -> dict[str, Any]:
    customer, entry, line, kind, document, left = one
    return {
        "ShortName": customer, "TransId": entry, "TransRowId": line, "SrcObjTyp": kind, "SrcObjAbs": document,
        "CreditOrDebit": "codDebit" if left > 0 else "codCredit", "ReconcileAmount": number(f"{abs(left):f}"),
        "CashDiscount": number("0.0"), "Selected": "tYES",
    }  # fmt: skip
