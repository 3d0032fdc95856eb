"""Pages of open customer items as S/4HANA's Gateway serves them, the same bytes in every run.

Nine lines in ten are invoices, every twentieth is a credit memo, every twentieth a partial payment that names the
invoice before it; one in forty is in yen, whose amounts SAP stores with three decimals as well. Nothing is drawn.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal

DEBTORS = 20_000
FIRST_DOCUMENT = 1_800_000_000
YEAR, ITEM, COMPANY = "2026", "001", "1000"
_DAY_MS = 86_400_000
_FIRST_DAY = 20_089  # 2025-01-01, counted from 1970
_NAMES = ("Müller & Zoon", "Brasserie de l'Étoile", "Ζαχαρίας ΑΕ", "Nordfisk A/S", "O'Neill Ltd", "Łódź Trade")
_AFTER = re.compile(r"AccountingDocument(?:%20|\+| )gt(?:%20|\+| )(?:%27|')(\d{10})")
_TOP = re.compile(r"(?:%24|\$)top=(\d+)")


def asked(target: str) -> tuple[int, int]:
    """Position of the first line that a request asks for, and how many it wants."""
    after, top = _AFTER.search(target), _TOP.search(target)
    first = int(after[1]) - FIRST_DOCUMENT + 1 if after else 0
    return first, int(top[1]) if top else 1000


def page(items: int, first: int, size: int, *, is_counted: bool) -> bytes:
    """Lines from position `first` on, of a company code that has so many open."""
    end = min(first + size, items)
    body: dict[str, object] = {"results": [line(index) for index in range(first, end)]}
    if is_counted:
        body["__count"] = str(items)
    return json.dumps({"d": body}, ensure_ascii=False, separators=(",", ":")).encode()


def line(index: int) -> dict[str, object]:
    """One open line."""
    debtor = (index - index % 20) * 7919 % DEBTORS
    is_credit, is_payment, is_yen = index % 20 == 19, index % 20 == 10, index % 40 < 1
    cents = (index * 104_729) % 900_000 + 1_000
    amount = Decimal(cents) if is_yen else Decimal(cents) / 100
    issued = _FIRST_DAY + index % 500
    document = str(FIRST_DOCUMENT + index)
    return {
        "__metadata": {"type": "API_OPLACCTGDOCITEMCUBE_SRV.A_OperationalAcctgDocItemCubeType"},
        "CompanyCode": COMPANY, "FiscalYear": YEAR, "AccountingDocument": document, "AccountingDocumentItem": ITEM,
        "Customer": f"{1_000_000 + debtor:010d}", "CustomerName": f"{_NAMES[debtor % len(_NAMES)]} {debtor}",
        "AccountingDocumentType": "DG" if is_credit else "DZ" if is_payment else "RV",
        "DebitCreditCode": "H" if is_credit or is_payment else "S",
        "PostingKey": "11" if is_credit else "15" if is_payment else "01", "SpecialGLCode": "",
        "SpecialGLTransactionType": "", "BillingDocument": "" if is_credit or is_payment else f"{90_000_000 + index:010d}",
        "DocumentReferenceID": f"F26{index:07d}", "DocumentItemText": f"Order {index} of spring, delivered",
        "InvoiceReference": str(FIRST_DOCUMENT + index - 1) if is_payment else "",
        "InvoiceReferenceFiscalYear": YEAR if is_payment else "", "InvoiceItemReference": ITEM if is_payment else "",
        "IsReversal": False, "IsReversed": False, "IsCleared": False, "ClearingAccountingDocument": "",
        "ClearingDocFiscalYear": "", "DocumentDate": f"/Date({issued * _DAY_MS})/",
        "NetDueDate": f"/Date({(issued + 30) * _DAY_MS})/",
        "AmountInTransactionCurrency": f"{-amount if is_credit or is_payment else amount:.3f}",
        "TransactionCurrency": "JPY" if is_yen else "EUR", "DunningLevel": str(index % 4), "DunningBlockingReason": "",
        "LastDunningDate": f"/Date({(issued + 30 + 14 * (index % 4)) * _DAY_MS})/" if index % 4 else None,
    }  # fmt: skip
