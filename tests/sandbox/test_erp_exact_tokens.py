"""Exact Online's token rules and call limits, against the answers that users recorded."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from collecthub.sandbox.twin import RunningTwin, start_twin
from sandbox.erp_desk import CLIENT_ID, ExactDesk, consent, post_token


@pytest.fixture(scope="module")
def twin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningTwin]:
    running = start_twin("exact", tmp_path_factory.mktemp("exact"))
    running.control("clock", {"now": "2026-06-15T08:00:00Z", "frozen": True})
    yield running
    running.stop()


@pytest.fixture
def desk(twin: RunningTwin) -> ExactDesk:
    twin.control("limits", {"a_minute": 60, "a_day": 5000})
    return ExactDesk.log_in(twin)


@pytest.fixture(scope="module")
def recorded(shared_data: Path) -> dict[str, Any]:
    """The recorded refusals, by a word that is in the meaning of each."""
    path = shared_data / "erp" / "exact" / "observed_wire_messages.json"
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def pass_seconds(twin: RunningTwin, seconds: float) -> None:
    twin.control("clock", {"advance_seconds": seconds})


def test_the_token_answer_has_the_recorded_shape(desk: ExactDesk, recorded: dict[str, Any]) -> None:
    example = next(one for one in recorded["observed_answers"] if one["name"] == "token_answer")["body"]
    assert {name: type(value) for name, value in desk.pair.items()} == {
        name: type(value) for name, value in example.items()
    }
    assert desk.pair["expires_in"] == "600"


def test_a_code_is_for_one_use_and_for_the_registered_address(twin: RunningTwin) -> None:
    code = consent(twin)
    assert post_token(twin, grant_type="authorization_code", code=code).status_code == 200
    assert post_token(twin, grant_type="authorization_code", code=code).json()["error"] == "invalid_grant"
    query = {
        "client_id": CLIENT_ID,
        "response_type": "code",
        "redirect_uri": "https://elsewhere.example.org/",
    }
    page = requests.get(f"{twin.url}/api/oauth2/auth", params=query, allow_redirects=False, timeout=5)
    assert page.status_code == 400


def test_an_early_refresh_is_refused_as_recorded_and_the_old_pair_lives_on(
    twin: RunningTwin, desk: ExactDesk, recorded: dict[str, Any]
) -> None:
    pass_seconds(twin, 569)
    refusal = desk.refresh()
    example = next(one for one in recorded["observed_errors"] if "Reason" in one.get("header", {}))
    assert (refusal.status_code, refusal.json()) == (example["status"], example["body"])
    assert refusal.headers["Reason"] == example["header"]["Reason"]
    assert desk.call("GET", "/api/v1/current/Me").status_code == 200
    pass_seconds(twin, 1)
    assert desk.refresh().status_code == 200


def test_a_refresh_token_works_once(twin: RunningTwin, desk: ExactDesk, recorded: dict[str, Any]) -> None:
    pass_seconds(twin, 600)
    assert desk.call("GET", "/api/v1/current/Me").status_code == 401
    fresh = desk.refresh().json()
    assert fresh["refresh_token"] != desk.pair["refresh_token"]
    again = desk.refresh()
    example = next(one for one in recorded["observed_errors"] if one["status"] == 401)
    assert (again.status_code, again.json()) == (401, example["body"])
    assert ExactDesk(twin, fresh).call("GET", "/api/v1/current/Me").status_code == 200


def test_a_refresh_token_dies_after_thirty_days(twin: RunningTwin, desk: ExactDesk) -> None:
    pass_seconds(twin, 30 * 86400 + 1)
    refusal = desk.refresh()
    assert refusal.status_code == 400
    assert refusal.json()["error"] == "invalid_request"
    assert refusal.json()["error_description"].startswith("The refresh token expired at ")
    assert " and it is now " in refusal.json()["error_description"]


def test_the_sixty_first_call_of_a_minute_names_only_the_minute(twin: RunningTwin, desk: ExactDesk) -> None:
    answers = [desk.call("GET", "/api/v1/current/Me") for _ in range(61)]
    assert [answer.status_code for answer in answers] == [200] * 60 + [429]
    assert answers[0].headers["X-RateLimit-Minutely-Remaining"] == "59"
    assert answers[0].headers["X-RateLimit-Remaining"] == "4999"
    refused = answers[-1]
    assert refused.content == b""
    assert "X-RateLimit-Limit" not in refused.headers
    reset = int(refused.headers["X-RateLimit-Minutely-Reset"])
    assert reset % 60_000 == 0
    pass_seconds(twin, 61)
    assert desk.call("GET", "/api/v1/current/Me").headers["X-RateLimit-Remaining"] == "4939"


def test_the_day_is_spent_separately(twin: RunningTwin, desk: ExactDesk) -> None:
    twin.control("limits", {"a_minute": 60, "a_day": 2})
    answers = [desk.call("GET", "/api/v1/current/Me") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert "X-RateLimit-Minutely-Limit" not in answers[-1].headers
    assert int(answers[-1].headers["X-RateLimit-Reset"]) % 86_400_000 == 0


def test_ten_errors_close_one_endpoint_for_an_hour(twin: RunningTwin, desk: ExactDesk) -> None:
    statuses = [desk.get("crm/Accounts", filter="Nonsense eq 1").status_code for _ in range(11)]
    assert statuses == [400] * 10 + [429]
    assert desk.get("hrm/Divisions").status_code == 200
    pass_seconds(twin, 3601)
    fresh = ExactDesk.log_in(twin)
    assert fresh.get("crm/Accounts", filter="Status eq 'C'").status_code == 200


def test_a_missing_scope_is_told_apart_from_a_missing_right(
    twin: RunningTwin, desk: ExactDesk, recorded: dict[str, Any]
) -> None:
    twin.control("scopes", {"revoked": ["Financial receivables"]})
    refusal = desk.get("read/financial/ReceivablesList")
    twin.control("scopes", {"revoked": []})
    example = next(one for one in recorded["observed_errors"] if one["status"] == 403)
    assert (refusal.status_code, refusal.text) == (403, example["body_text"])


def test_raised_limits_are_announced(tmp_path: Path) -> None:
    running = start_twin("exact", tmp_path, raised_limits=True)
    try:
        answer = ExactDesk.log_in(running).call("GET", "/api/v1/current/Me")
        assert int(answer.headers["X-RateLimit-Minutely-Limit"]) > 100_000
    finally:
        running.stop()
