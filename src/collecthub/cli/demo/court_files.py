"""The demo's filings: what the courts of three countries ask for beyond a case, and one case of each that fits.

The particulars lie in the demo's home, where `case export` looks for them: a filer's customer number and signatory are
the same for every case.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from collecthub.cli.case_export import case_exchange
from collecthub.cli.export_command import kept_particulars, read_tree
from collecthub.engine.context import Hub
from collecthub.errors import CollecthubError
from collecthub.formats.carrying import TakesParticulars
from collecthub.model.party import PartyKind
from collecthub.store import tables as t
from collecthub.store.case_log import read_cases

FORMAT_OF_COUNTRY: Mapping[str, str] = {"DE": "xjustiz-2600003", "GB": "sdt-claim", "PL": "epu-claim"}


def lay_out(home: Path) -> None:
    """Write the particulars of the demo's filer into a home."""
    bundled = files("collecthub.cli.demo").joinpath("particulars")
    for name in FORMAT_OF_COUNTRY.values():
        target = kept_particulars(home, name)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(bundled.joinpath(f"{name}.toml").read_text(encoding="utf-8"), encoding="utf-8")


def ready_to_file(hub: Hub) -> list[dict[str, Any]]:
    """For each of the countries the first case that its court's format carries, if there is one; companies first."""
    return [found for country, name in FORMAT_OF_COUNTRY.items() for found in _first(hub, country, name)]


def _first(hub: Hub, country: str, name: str) -> Iterator[dict[str, Any]]:
    adapter = hub.plugins.formats[name]
    assert isinstance(adapter, TakesParticulars)
    writer = adapter.with_particulars(read_tree(kept_particulars(hub.settings.home, name)))
    with hub.database.read() as conn:
        cases = read_cases(conn, t.cases.c.debtor_country == country)
    for case in sorted((one for one in cases if one.is_open), key=lambda one: (one.debtor.kind is not PartyKind.COMPANY, one.number)):
        try:
            writer.encode(case_exchange(hub, case.case_id, name, is_for_court=True))
        except CollecthubError:
            continue  # another case may fit
        yield {"country": country, "format": name, "number": case.number, "debtor": case.debtor.name}
        return
