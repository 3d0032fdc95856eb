"""Row 4: the API's case list beside a constant endpoint of the same application."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from bench.findings import Finding
from bench.places import NewDatabase, run, serving

_LISTS = {
    "newest first": "/api/v1/cases?limit=50",
    "open ones of a country": "/api/v1/cases?limit=50&country=BE&is_open=true",
}
_FLOOR = "/healthz"
CONNECTIONS = 16


def rows(
    folder: Path, databases: Mapping[str, NewDatabase], cases: int, seconds: float
) -> Iterator[Finding]:
    """Every list on every database; the ratio is requests a second to those of the constant endpoint."""
    for name, new_database in databases.items():
        with serving("hub_web", folder / f"web-home-{name}", new_database(), cases) as said:
            web = json.loads(said)

            def told(path: str, port: int = web["port"], key: str = web["key"]) -> dict[str, float]:
                return run("load", port, path, key, CONNECTIONS, seconds)

            floor = told(_FLOOR)
            for words, path in _LISTS.items():
                mine = told(path)
                yield Finding(
                    name=f"API list of {cases:,} cases, {words}", database=name,
                    ours=f"p50 {mine['p50_ms']:.0f} ms, p99 {mine['p99_ms']:.0f} ms, {mine['a_second']:,.0f}/s",
                    beside=f"constant p99 {floor['p99_ms']:.0f} ms, {floor['a_second']:,.0f}/s",
                    ratio=round(mine["a_second"] / floor["a_second"], 2),
                )  # fmt: skip
