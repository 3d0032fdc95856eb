"""The lawyer twin in its own process, a connector to it, and exchanges to send."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from collecthub.formats.xml import XmlFormat
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
from collecthub_soap_exchange.connector import SoapExchangeConnector
from collecthub_soap_exchange.settings import SoapExchangeSettings

Connect = Callable[..., SoapExchangeConnector]


@dataclass
class Lawyer:
    """A running lawyer's office. Its books are told since `since`, what they said at the start of the test."""

    twin: RunningTwin
    since: Any

    @property
    def facts(self) -> Any:
        """Path, user name, password and reference."""
        return self.twin.facts

    def books(self) -> Any:
        """What happened in this test alone."""
        books = self.twin.control("books")
        for name in ("exchanges_in", "refused", "cases"):
            before = self.since[name]
            books[name] = books[name] - before if isinstance(before, int) else books[name][len(before) :]
        books["duplicates"]["exchanges"] -= self.since["duplicates"]["exchanges"]
        return books

    def control(self, action: str, **values: Any) -> Any:
        """A control action."""
        return self.twin.control(action, values)

    def work(self, days: int) -> None:
        """Let it work its cases."""
        self.control("work", days=days, advance_clock=False)


@pytest.fixture(scope="session")
def open_twin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningTwin]:
    """An office for all tests that leave it running: answers within the call, decides at once."""
    twin = start_twin("lawyer", tmp_path_factory.mktemp("lawyer"), settings={"auto": "1", "seed": "t"})
    yield twin
    twin.stop()


@pytest.fixture
def lawyer(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Lawyer]:
    """The office; a test marked `chaos` gets one of its own, to kill."""
    if request.node.get_closest_marker("chaos"):
        settings = {"auto": "1", "seed": "t", **getattr(request, "param", {})}
        own = start_twin("lawyer", tmp_path / "lawyer", settings=settings)
        yield Lawyer(own, own.control("books"))
        own.kill()
    else:
        twin: RunningTwin = request.getfixturevalue("open_twin")
        yield Lawyer(twin, twin.control("books"))


@pytest.fixture
def connect(lawyer: Lawyer) -> Iterator[Connect]:
    """Build connectors to the office; they are closed at the end."""
    made: list[SoapExchangeConnector] = []
    facts = lawyer.facts

    def build(**more: Any) -> SoapExchangeConnector:
        values = {
            "endpoint": lawyer.twin.url + facts["path"], "username": facts["username"],
            "password": facts["password"], **more,
        }  # fmt: skip
        ctx = context(
            SoapExchangeSettings.model_validate(values), formats={"case-exchange-xml": XmlFormat()},
            sender_ref="collecthub", receiver_ref=facts["partner_ref"],
        )  # fmt: skip
        made.append(SoapExchangeConnector(ctx))
        return made[-1]

    yield build
    for connector in made:
        connector.close()


def case_file(number: int) -> CaseFile:
    """A case of one claim over 120.50 EUR with a document."""
    content = f"%PDF-1.4 invoice {number}".encode()
    return CaseFile(
        message_id=new_id(), case_id=new_id(), case_number=f"2026-{number:06}", procedure=Procedure.JUDICIAL,
        currency="EUR", language="fr",
        creditor=Party(name="Brouwerij Ünlü & Zonen", country="BE"),
        debtors=(Party(name="Δημήτρης <李>", kind=PartyKind.PERSON, country="BE", address=Address(city="Liège")),),
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
def exchange(lawyer: Lawyer) -> Callable[..., Exchange]:
    """Make exchanges of so many cases from this hub to the office."""

    def make(count: int = 1, start: int = 1) -> Exchange:
        return Exchange(
            exchange_id=new_id(), sender_ref="collecthub", receiver_ref=lawyer.facts["partner_ref"],
            created_at=dt.datetime.now(dt.UTC), messages=tuple(case_file(start + place) for place in range(count)),
        )  # fmt: skip

    return make
