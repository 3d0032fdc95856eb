"""Exchanges to hand to a connector under test: real case files with names in several scripts and a document each."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from collecthub.model.exchange import (
    CaseFile,
    ClaimItem,
    DocumentItem,
    Exchange,
    PaymentInstruction,
    Procedure,
)
from collecthub.model.ids import new_id
from collecthub.model.party import Address, Party, PartyKind
from collecthub.wire.crypto import sha256_hex


def case_file(number: int, procedure: Procedure, country: str = "BE") -> CaseFile:
    """A case of one claim over 120.50 EUR with a document, against a person who lives in `country`."""
    content = f"%PDF-1.4 invoice {number}".encode()
    return CaseFile(
        message_id=new_id(), case_id=new_id(), case_number=f"2026-{number:06}", procedure=procedure,
        currency="EUR", language="fr",
        creditor=Party(name="Brouwerij Ünlü & Zonen", country="BE"),
        debtors=(Party(name="Δημήτρης <李>", kind=PartyKind.PERSON, country=country, address=Address(city="Liège")),),
        claims=(
            ClaimItem(
                claim_id=f"I-{number}", invoice_ref=f"2026/{number}", due_on=dt.date(2026, 3, 1),
                original_amount=Decimal("150.00"), open_amount=Decimal("120.50"),
            ),
        ),
        principal=Decimal("120.50"), payment=PaymentInstruction(payee="Brouwerij", account="BE68539007547034"),
        documents=(
            DocumentItem(
                name="invoice.pdf", kind="invoice", media_type="application/pdf",
                sha256=sha256_hex(content), content=content,
            ),
        ),
    )  # fmt: skip


def exchange_of(*messages: CaseFile, receiver_ref: str, sender_ref: str = "collecthub") -> Exchange:
    """An exchange that carries these case files, written now."""
    return Exchange(
        exchange_id=new_id(), sender_ref=sender_ref, receiver_ref=receiver_ref,
        created_at=dt.datetime.now(dt.UTC), messages=messages,
    )  # fmt: skip
