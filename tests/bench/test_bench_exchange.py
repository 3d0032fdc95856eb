"""What the bench of the case exchange compares is comparable: both sides make the same bytes, and a batch is read whole."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def _importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).resolve().parents[2]))


def test_both_sides_make_the_same_bytes() -> None:
    from bench import exchange

    assert exchange.ours(3)["sha256"] == exchange.bare(3)["sha256"]
    assert 3_500 < len(exchange.XmlFormat().encode(exchange.exchange_of(0))) < 4_500


def test_a_batch_is_read_message_by_message() -> None:
    from bench import exchange

    assert exchange.stream(1)["messages"] > 200


def test_make_bench_knows_both_parts() -> None:
    from bench.__main__ import PARTS

    assert {"exchange", "sftp_delivery"} <= set(PARTS)
