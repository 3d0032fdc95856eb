"""The town around the hub: every counterparty as a process of its own, with durable books."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from collecthub.errors import ConfigurationError
from collecthub.sandbox.open_item import Customer, OpenItem, load_chunks
from collecthub.sandbox.twin import RunningTwin, start_twin

OPERATOR = "collecthub-demo"
ERPS = ("exact", "sap", "b1")
OFFICES = ("bailiff", "lawyer", "agency")


class Town:
    """The running twins by name."""

    def __init__(self, home: Path, agency_countries: Sequence[str]) -> None:
        self.home = home
        self._countries = tuple(agency_countries)
        self._twins: dict[str, RunningTwin] = {}

    def open(self) -> None:
        """Start every twin at the same time; on a home that knew them they go on with their books."""
        office = {"auto": "1", "mischief": "1", "hub_ref": OPERATOR}
        plans: dict[str, dict[str, str]] = {
            "exact": {},
            "sap": {"change_seconds": "0"},
            "b1": {},
            "bailiff": office,
            "lawyer": office,
            "agency": {**office, "countries": ",".join(self._countries)},
            "mail": {},
            "creditor": {},
        }
        with ThreadPoolExecutor(len(plans)) as pool:
            started = {
                name: pool.submit(
                    start_twin, name, self.home / name, raised_limits=name in ERPS, settings=settings
                )
                for name, settings in plans.items()
            }
        self._twins = {name: future.result() for name, future in started.items()}

    def close(self) -> None:
        """Stop every twin."""
        with ThreadPoolExecutor(8) as pool:
            for twin in self._twins.values():
                pool.submit(twin.stop)
        self._twins = {}

    def __getitem__(self, name: str) -> RunningTwin:
        try:
            return self._twins[name]
        except KeyError:
            raise ConfigurationError(f"the {name} twin does not run", cure="Start the demo again.") from None

    @property
    def agencies(self) -> dict[str, dict[str, Any]]:
        """Country to base path, token and reference of its agency."""
        return dict(self["agency"].facts["agencies"])

    def load(self, erp: str, customers: Sequence[Customer], items: Sequence[OpenItem]) -> None:
        """Put open items into an ERP's books."""
        for chunk in load_chunks(customers, items):
            self[erp].control("load", chunk)

    def work(self, up_to: int) -> None:
        """Let every partner's office work until it has worked so many days in all."""
        with ThreadPoolExecutor(3) as pool:
            done = [pool.submit(self[name].control, "work", {"up_to": up_to}) for name in OFFICES]
        for future in done:
            future.result()

    def undelivered(self) -> int:
        """How many exchanges the agencies still have to push."""
        return sum(report["undelivered"] for report in self["agency"].control("books").values())


@contextlib.contextmanager
def opened(town: Town) -> Iterator[Town]:
    """The town for the length of a block."""
    try:
        town.open()
        yield town
    finally:
        town.close()
