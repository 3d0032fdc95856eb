"""Pages of payment terms as Exact Online serves them, the same bytes in every run.

Identities are spread like random guids, because that is what an index has to cope with; nine lines in ten are
invoices, every twentieth is a credit note, three in ten are paid. Nothing is drawn at random.
"""

from __future__ import annotations

import hashlib
import json

PAGE_ROWS = 1000
DEBTORS = 20_000
_DAY_MS = 86_400_000
_FIRST_DAY = 20_089  # 2025-01-01, counted from 1970
_NAMES = ("Müller & Zoon", "Brasserie de l'Étoile", "Ζαχαρίας ΑΕ", "Nordfisk A/S", "O'Neill Ltd", "Łódź Trade")


def guid(kind: str, number: int) -> str:
    """A stable identity that looks like a random one."""
    digest = hashlib.blake2b(f"{kind}{number}".encode(), digest_size=16).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-{digest[12:16]}-{digest[16:20]}-{digest[20:]}"


def page(base_url: str, items: int, number: int) -> bytes:
    """Page `number` (from 0) of a division that holds so many items; the division's number is that count."""
    endpoint = f"{base_url}/api/v1/{items}/sync/Cashflow/PaymentTerms"
    first, end = number * PAGE_ROWS, min((number + 1) * PAGE_ROWS, items)
    body: dict[str, object] = {"results": [_term(endpoint, index) for index in range(first, end)]}
    if end < items:
        body["__next"] = f"{endpoint}?$skiptoken={number + 1}"
    return json.dumps({"d": body}, ensure_ascii=False, separators=(",", ":")).encode()


def _term(endpoint: str, index: int) -> dict[str, object]:
    debtor = index * 7919 % DEBTORS
    is_credit, is_paid = index % 20 == 19, index % 10 < 3
    cents = (index * 104_729) % 900_000 + 1_000
    issued = _FIRST_DAY + index % 500
    return {
        "__metadata": {"uri": f"{endpoint}({index + 2}L)", "type": "Exact.Web.Api.Models.Sync.Cashflow.PaymentTerm"},
        "Timestamp": str(index + 2),
        "ID": guid("term", index),
        "LineType": 20,
        "Account": guid("account", debtor),
        "AccountName": f"{_NAMES[debtor % len(_NAMES)]} {debtor}",
        "AmountFC": (-cents if is_credit else cents) / 100,
        "Currency": "EUR",
        "Description": f"Order {index} of spring, delivered",
        "DueDate": f"/Date({(issued + 30) * _DAY_MS})/",
        "EntryID": guid("entry", index),
        "EntryNumber": 25_000_000 + index,
        "InvoiceDate": f"/Date({issued * _DAY_MS})/",
        "InvoiceNumber": 1_000_000 + index,
        "IsFullyPaid": is_paid,
        "Status": 50 if is_paid else 20,
        "TransactionEntryID": guid("entry", index),
        "TransactionType": 21 if is_credit else 20,
    }
