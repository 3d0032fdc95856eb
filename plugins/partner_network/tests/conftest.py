"""The agency twin in its own process, a connector to it, and exchanges to send."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from collecthub.formats.json import JsonFormat
from collecthub.model.exchange import Exchange, Procedure
from collecthub.sandbox.twin import RunningTwin, start_twin
from collecthub.testing.exchanges import case_file, exchange_of
from collecthub.testing.fakes import context, utc_now
from collecthub_partner_network.connector import PartnerNetworkConnector
from collecthub_partner_network.settings import PartnerNetworkSettings

HOOK_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
Connect = Callable[..., PartnerNetworkConnector]
_COUNTRIES = tuple(f"{letter}{digit}" for letter in "ABCDEF" for digit in range(10))


@dataclass
class Agency:
    """One agency of a twin; every test has one that nobody spoke to before."""

    twin: RunningTwin
    country: str

    @property
    def facts(self) -> Any:
        """Base path, token and reference."""
        return self.twin.facts["agencies"][self.country]

    def books(self) -> Any:
        """The agency's own books."""
        return self.control("books")

    def control(self, action: str, **values: Any) -> Any:
        """A control action for this agency alone."""
        return self.twin.control(action, {"country": self.country, **values})

    def work(self, days: int) -> None:
        """Let it work its cases."""
        self.control("work", days=days, advance_clock=False)

    def spoil_next(self, path: str, **fault: Any) -> None:
        """Let something go wrong with the next call of `path`."""
        self.twin.control("faults", {"path": f"/a/{self.country}/exchange/v1/{path}", **fault})


def start(home: Path, countries: tuple[str, ...], **more: str) -> RunningTwin:
    """Agencies that answer within the call and decide at once."""
    settings = {"countries": ",".join(countries), "auto": "1", "seed": "t", **more}
    return start_twin("agency", home, settings=settings)


@pytest.fixture(scope="session")
def unused(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Iterator[Agency]]:
    """Agencies of one twin for all tests that leave it running."""
    twin = start(tmp_path_factory.mktemp("agencies"), _COUNTRIES)
    yield (Agency(twin, country) for country in _COUNTRIES)
    twin.stop()


@pytest.fixture
def agency(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Agency]:
    """An agency; a test marked `chaos` gets a twin of its own, to kill."""
    if request.node.get_closest_marker("chaos"):
        twin = start(tmp_path / "agency", ("DE",), **getattr(request, "param", {}))
        yield Agency(twin, "DE")
        twin.kill()
    else:
        yield next(request.getfixturevalue("unused"))


@pytest.fixture
def connect(agency: Agency) -> Iterator[Connect]:
    """Build connectors to the agency; they are closed at the end."""
    made: list[PartnerNetworkConnector] = []
    facts = agency.facts

    def build(*, now: Callable[[], dt.datetime] = utc_now, **more: Any) -> PartnerNetworkConnector:
        values = {
            "base_url": agency.twin.url + facts["base_path"], "token": facts["token"],
            "hook_secrets": (HOOK_SECRET,), **more,
        }  # fmt: skip
        ctx = context(
            PartnerNetworkSettings.model_validate(values), formats={"case-exchange-json": JsonFormat()},
            sender_ref="collecthub", receiver_ref=facts["partner_ref"], now=now,
        )  # fmt: skip
        made.append(PartnerNetworkConnector(ctx))
        return made[-1]

    yield build
    for connector in made:
        connector.close()


@pytest.fixture
def exchange(agency: Agency) -> Callable[..., Exchange]:
    """Make exchanges of so many cases from this hub to the agency."""

    def make(count: int = 1, start: int = 1) -> Exchange:
        cases = (case_file(start + place, Procedure.AMICABLE, "DE") for place in range(count))
        return exchange_of(*cases, receiver_ref=agency.facts["partner_ref"])

    return make
