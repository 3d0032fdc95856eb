"""The agency twin in its own process, a connector to it, and exchanges to send."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from collecthub.formats.json import JsonFormat
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
from collecthub.sandbox.twin import RunningTwin, start_twin
from collecthub.testing.fakes import context
from collecthub.wire.crypto import sha256_hex
from collecthub_partner_network.connector import PartnerNetworkConnector
from collecthub_partner_network.settings import PartnerNetworkSettings

HOOK_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
Connect = Callable[..., PartnerNetworkConnector]


@pytest.fixture
def agency(tmp_path: Path) -> Iterator[RunningTwin]:
    """A twin with one agency, in Germany, that answers within the call and works cases as they come."""
    twin = start_twin("agency", tmp_path / "agency", settings={"countries": "DE", "auto": "1", "seed": "t"})
    yield twin
    twin.kill()


@pytest.fixture
def connect(agency: RunningTwin) -> Iterator[Connect]:
    """Build connectors to the agency; they are closed at the end."""
    made: list[PartnerNetworkConnector] = []
    facts = agency.facts["agencies"]["DE"]

    def build(*, now: Callable[[], dt.datetime] | None = None, **more: Any) -> PartnerNetworkConnector:
        values = {
            "base_url": agency.url + facts["base_path"], "token": facts["token"], "hook_secrets": (HOOK_SECRET,), **more
        }  # fmt: skip
        clock = {"now": now} if now else {}
        ctx = context(
            PartnerNetworkSettings.model_validate(values), formats={"case-exchange-json": JsonFormat()},
            sender_ref="collecthub", receiver_ref=facts["partner_ref"], **clock,
        )  # fmt: skip
        made.append(PartnerNetworkConnector(ctx))
        return made[-1]

    yield build
    for connector in made:
        connector.close()


def case_file(number: int) -> CaseFile:
    """A case of one claim over 120.50 EUR with a document."""
    content = b"%PDF-1.4 invoice"
    return CaseFile(
        message_id=new_id(), case_id=new_id(), case_number=f"2026-{number:06}", procedure=Procedure.AMICABLE,
        currency="EUR", language="de",
        creditor=Party(name="Brouwerij Ünlü & Zonen", country="BE"),
        debtors=(Party(name="Δημήτρης 李", kind=PartyKind.PERSON, country="DE", address=Address(city="Köln")),),
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


@pytest.fixture
def exchange() -> Callable[..., Exchange]:
    """Make exchanges of so many cases from this hub to the agency."""

    def make(count: int = 1, start: int = 1) -> Exchange:
        return Exchange(
            exchange_id=new_id(), sender_ref="collecthub", receiver_ref="agency-DE",
            created_at=dt.datetime.now(dt.UTC), messages=tuple(case_file(start + place) for place in range(count)),
        )  # fmt: skip

    return make
