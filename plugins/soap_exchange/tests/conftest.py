"""The lawyer twin in its own process, a connector to it, and exchanges to send."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from collecthub.formats.xml import XmlFormat
from collecthub.model.exchange import Exchange, Procedure
from collecthub.sandbox.twin import RunningTwin, start_twin
from collecthub.testing.exchanges import case_file, exchange_of
from collecthub.testing.fakes import context
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


@pytest.fixture
def exchange(lawyer: Lawyer) -> Callable[..., Exchange]:
    """Make exchanges of so many cases from this hub to the office."""

    def make(count: int = 1, start: int = 1) -> Exchange:
        cases = (case_file(start + place, Procedure.JUDICIAL) for place in range(count))
        return exchange_of(*cases, receiver_ref=lawyer.facts["partner_ref"])

    return make
