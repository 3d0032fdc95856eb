"""Calls a minute, calls a day, errors an hour (scenarios X5 to X7)."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

import pytest

from collecthub.errors import ConfigurationError, PermanentError, RetryableError
from collecthub_erp_exact.limits import CircuitOpenError
from collecthub_erp_exact.tokens import PAIR

_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def call_from_elsewhere(world: Any) -> dict[str, str]:
    """A call of the same app by another program; its answer's headers, lower case."""
    token = json.loads(world.vault.read(PAIR))["access_token"]
    url = f"{world.twin.url}/api/v1/{world.division}/hrm/Divisions"
    request = urllib.request.Request(
        url, headers={"Authorization": f"Bearer {token}", "Accept": "application/json"}
    )
    try:
        with _OPENER.open(request, timeout=10) as answer:
            return {name.lower(): value for name, value in answer.headers.items()}
    except urllib.error.HTTPError as refused:
        with refused:
            return {
                "status": str(refused.code),
                **{name.lower(): value for name, value in refused.headers.items()},
            }


def test_x5_a_minute_that_others_used_up_is_waited_for_and_the_day_is_not_written_off(world: Any) -> None:
    world.load(70)
    world.advance(12)
    connector = world.connected()
    for _ in range(60):
        call_from_elsewhere(world)
    refused = call_from_elsewhere(world)
    assert refused["status"] == "429" and "x-ratelimit-remaining" not in refused
    with pytest.raises(RetryableError) as wait:
        list(connector.pull(""))
    assert wait.value.retry_after_seconds == 60 - 12 + 1
    assert wait.value.message == "Throttled until 08:01 UTC."  # the day was never told
    world.advance(wait.value.retry_after_seconds)
    pages = list(connector.pull(""))
    assert world.open_state(pages) == world.books()


def test_an_exhausted_minute_is_not_asked_into(world: Any) -> None:
    """Headers said that nothing is left: no call is wasted on a 429."""
    world.twin.control("limits", {"a_minute": 5})
    world.load(200)
    connector = world.connected()
    with pytest.raises(RetryableError):
        list(connector.pull(""))
    refused = call_from_elsewhere(world)
    assert refused["status"] == "429"
    with pytest.raises(RetryableError):
        list(connector.pull(""))
    world.advance(60)
    assert int(call_from_elsewhere(world)["x-ratelimit-remaining"]) == 5000 - 5 - 1


def test_x6_bulk_pulls_leave_the_reserve_of_the_day_to_people(world: Any) -> None:
    world.twin.control("limits", {"a_day": 210, "a_minute": 1000})
    world.load(5)
    connector = world.connected(reserve_calls=200)
    checkpoint = list(connector.pull(""))[-1].checkpoint
    with pytest.raises(RetryableError) as wait:
        for _ in range(5):
            checkpoint = list(connector.pull(checkpoint))[-1].checkpoint
    assert wait.value.retry_after_seconds == 16 * 3600 + 1  # it is 08:00 UTC; the day ends at midnight
    books = list(world.books())
    assert len(list(connector.documents(books[:1]))) == 1  # what a person asks for passes
    with pytest.raises(RetryableError, match="calls left today"):
        list(connector.documents(books))
    world.advance(wait.value.retry_after_seconds)
    assert list(connector.pull(checkpoint))[-1].control is not None


def test_what_is_left_is_told_by_every_process_and_a_window_that_ended_is_not(world: Any) -> None:
    world.load(3)
    connector = world.connected()
    assert connector.budgets() == []
    list(connector.pull(""))
    world.advance(15)
    headers = call_from_elsewhere(world)
    list(connector.documents(list(world.books())))  # its first answer is kept: ten seconds have passed
    told = {(one.subject, one.name): one for one in world.connector().budgets()}
    minute, day = told[str(world.division), "minute"], told[str(world.division), "day"]
    assert (minute.limit, day.limit) == (60, 5000)
    assert minute.remaining == int(headers["x-ratelimit-minutely-remaining"]) - 1
    assert day.remaining == int(headers["x-ratelimit-remaining"]) - 1
    assert day.resets_at.isoformat().endswith("T00:00:00+00:00") and minute.resets_at.second == 0
    world.advance(60)
    assert [one.name for one in world.connector().budgets()] == ["day"]


def test_another_worker_knows_that_the_minute_is_spent(world: Any) -> None:
    world.twin.control("limits", {"a_minute": 5})
    world.load(200)
    with pytest.raises(RetryableError):
        list(world.connected().pull(""))
    pending = int(call_from_elsewhere(world)["x-ratelimit-minutely-remaining"])
    assert pending == 0
    with pytest.raises(RetryableError, match="Throttled until 08:01 UTC, 4995 calls left today"):
        list(world.connector().pull(""))


def test_x7_an_endpoint_that_keeps_refusing_is_left_alone_for_an_hour(world: Any) -> None:
    other = world.division + 100_000
    world.load(2)
    world.load(3, division=other)
    connector = world.connected(divisions=(world.division, other))
    path = f"/api/v1/{world.division}/sync/Cashflow"
    world.twin.control("faults", {"path": path, "status": 400, "times": 10})
    for _ in range(3):
        with pytest.raises(PermanentError):
            list(connector.pull(""))
    with pytest.raises(CircuitOpenError) as wait:
        list(world.connector(divisions=(world.division, other)).pull(""))  # another worker knows it too
    assert wait.value.retry_after_seconds == 3600
    assert world.twin.control("faults", {"path": "/nowhere"})["pending"] == 10 - 3 + 1
    pages = []
    with pytest.raises(RetryableError):
        pages.extend(connector.pull(""))
    assert sum(len(page.rows) for page in pages) == 3
    world.twin.control("faults", {})
    world.advance(3601)
    assert sum(len(page.rows) for page in connector.pull("")) == 5


def test_a_missing_scope_names_its_cure(world: Any) -> None:
    connector = world.connected()
    world.twin.control("scopes", {"revoked": ["Financial receivables"]})
    with pytest.raises(ConfigurationError, match="Application Scope Violated") as told:
        list(connector.pull(""))
    assert "app registration" in told.value.cure


def test_a_check_after_the_repair_lets_the_work_go_on(world: Any) -> None:
    world.load(2)
    connector = world.connected()
    path = f"/api/v1/{world.division}/sync/Cashflow"
    world.twin.control("faults", {"path": path, "status": 400, "times": 3})
    for _ in range(3):
        with pytest.raises(PermanentError):
            list(connector.pull(""))
    with pytest.raises(CircuitOpenError):
        list(connector.pull(""))
    assert all(step.is_ok for step in connector.check())
    assert sum(len(page.rows) for page in connector.pull("")) == 2
