"""The agencies over REST and webhooks: idempotent, strict, patient with a hub that is not there."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from string import ascii_uppercase
from typing import Any
from urllib.parse import quote

import jsonschema_rs
import pytest
import requests

from collecthub.sandbox.json_contract import OPENAPI
from collecthub.sandbox.twin import RunningTwin, start_twin
from sandbox.partner_hook import listening
from sandbox.partner_messages import Json, amendment, case_file, case_number_on, exchange
from sandbox.partner_sftp import until

SETTINGS = {"countries": "DE,UY", "auto": "1"}
DOCUMENT = json.loads(OPENAPI.read_text(encoding="utf-8"))


def validator(name: str) -> jsonschema_rs.Validator:
    """The published schema in somebody else's hands."""
    schema = {"$ref": f"#/components/schemas/{name}", "components": DOCUMENT["components"]}
    return jsonschema_rs.validator_for(schema, validate_formats=True)


class Desk:
    """A hub's side in plain requests, for one country."""

    def __init__(self, twin: RunningTwin, country: str = "DE") -> None:
        facts = twin.facts["agencies"][country]
        self.twin, self.country, self.ref = twin, country, facts["partner_ref"]
        self.base = f"{twin.url}{facts['base_path']}/exchange/v1"
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {facts['token']}"

    def submit(self, content: Json, key: str = "") -> requests.Response:
        return self.session.post(
            f"{self.base}/exchanges", json=content, timeout=10,
            headers={"Idempotency-Key": key or content["exchange_id"]},
        )  # fmt: skip

    def get(self, path: str) -> Any:
        answer = self.session.get(f"{self.base}/{path}", timeout=10)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def outbox(self) -> list[Json]:
        found: list[Json] = []
        after: str | None = ""
        while after is not None:
            page = self.get(f"outbox?limit=3&after={after}")
            validator("Outbox").validate(page)
            found += [one["exchange"] for one in page["items"]]
            after = page["next_cursor"]
        return found

    def work(self, days: int) -> None:
        self.twin.control("work", {"days": days, "country": self.country})

    def books(self) -> Any:
        return self.twin.control(f"books?country={self.country}")


@pytest.fixture(scope="module")
def twin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningTwin]:
    """One process for the tests that need not kill it; each takes agencies that no other test uses."""
    settings = {**SETTINGS, "countries": ",".join(f"A{letter}" for letter in ascii_uppercase)}
    twin = start_twin("agency", tmp_path_factory.mktemp("agency"), settings=settings)
    yield twin
    twin.stop()


COUNTRIES = iter(ascii_uppercase)


@pytest.fixture
def desk(twin: RunningTwin) -> Iterator[Desk]:
    desk = Desk(twin, f"A{next(COUNTRIES)}")
    yield desk
    desk.session.close()


@pytest.fixture
def other(twin: RunningTwin) -> Iterator[Desk]:
    other = Desk(twin, f"A{next(COUNTRIES)}")
    yield other
    other.session.close()


def test_a_case_goes_in_and_comes_back_as_the_contract_says(desk: Desk) -> None:
    number = case_number_on("paid_full", desk.ref)
    answer = desk.submit(exchange("x/1:a", desk.ref, [case_file("c1", number)]))
    assert answer.status_code == 202
    validator("Submitted").validate(answer.json())
    (verdict,) = answer.json()["replies"]["messages"]
    assert (verdict["verdict"], verdict["in_reply_to"]) == ("accepted", "m-c1")
    assert desk.get(f"exchanges/{quote('x/1:a', safe='')}") == {"exchange_id": "x/1:a", "state": "accepted"}
    desk.work(6)
    messages = [message for one in desk.outbox() for message in one["messages"]]
    assert [message["amount"] for message in messages if message["type"] == "payment_report"] == ["250.00"]
    page = desk.get("accounts")
    validator("Accounts").validate(page)
    assert [(line["case_id"], line["paid"]) for line in page["items"]] == [("c1", "250.00")]
    said = {"exchange_id": desk.outbox()[0]["exchange_id"], "accepted": False, "code": "xy", "reason": "no"}
    assert desk.session.post(f"{desk.base}/verdicts", json=said, timeout=10).status_code == 204
    assert json.loads(desk.books()["sent"][1]["verdict"])["code"] == "xy"


def test_the_key_replays_refuses_and_survives_a_lost_reply_and_a_kill(tmp_path: Path) -> None:
    twin = start_twin("agency", tmp_path, settings=SETTINGS)
    desk = Desk(twin)
    content = exchange("x1", desk.ref, [case_file("c1", case_number_on("silent", "agency-DE"))])
    twin.control("faults", {"path": "/a/DE", "drop_after_bytes": 3})
    with pytest.raises(requests.RequestException):
        desk.submit(content)
    first = desk.submit(content)
    twin.kill()
    restarted = start_twin("agency", twin.home, settings=SETTINGS)
    try:
        desk = Desk(restarted)
        again = desk.submit(content)
        assert (again.status_code, again.json()) == (202, first.json())
        assert again.json()["duplicate"] is True
        changed = copy.deepcopy(content)
        changed["messages"][0]["remarks"] = "changed"
        refused = desk.submit(changed)
        assert (refused.status_code, refused.json()["code"]) == (422, "changed")
        assert refused.headers["content-type"] == "application/problem+json"
        assert desk.submit(content, key="other").json()["code"] == "idempotency_key"
        assert (len(desk.books()["cases"]), desk.books()["duplicates"]["exchanges"]) == (1, 2)
    finally:
        restarted.stop()


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"receiver_ref": "agency-XX"}, "address"),
        ({"message_count": 2}, "count"),
        ({"version": "2.0"}, "json.schema"),
        ({"created_at": "2026-06-15T08:00:00"}, "json.schema"),
        ({"surprise": 1}, "json.schema"),
    ],
)
def test_an_envelope_that_breaks_the_contract_is_refused_whole(desk: Desk, change: Json, code: str) -> None:
    answer = desk.submit({**exchange("x1", desk.ref, [case_file("c1", "N-1")]), **change})
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert desk.books()["cases"] == []


def test_a_stranger_and_malformed_json_are_refused(desk: Desk, other: Desk) -> None:
    crossed = requests.get(f"{desk.base}/accounts", timeout=10, headers=other.session.headers)
    assert (crossed.status_code, crossed.json()["code"]) == (401, "token")
    for body in (b"{", b'{"a": 1, "a": 2}', b'{"a": NaN}', b"\xff"):
        answer = desk.session.post(f"{desk.base}/exchanges", data=body, timeout=10, headers={"Idempotency-Key": "x"})
        assert (answer.status_code, answer.json()["code"]) == (400, "json.malformed")
    desk.twin.control("down", {"country": desk.country, "seconds": 30})
    assert desk.session.get(f"{desk.base}/outbox", timeout=10).status_code == 503
    assert other.outbox() == []


def test_the_own_reader_of_the_contract_agrees_with_another_validator(desk: Desk) -> None:
    """Each change is judged by jsonschema_rs; the agency must come to the same verdict."""
    schema = validator("Exchange")
    verdicts = set()
    for n, (path, value) in enumerate([
        (("principal",), "250.00"), (("principal",), 250), (("principal",), "2.5e2"), (("principal",), "1" * 16),
        (("currency",), "eur"), (("claims", 0, "due_on"), "2026-02-30"), (("claims",), []), (("type",), "case_fil"),
        (("debtors", 0, "country"), "DEU"), (("debtors", 0, "kind"), "robot"), (("dunning_level",), 100),
        (("dunning_level",), True), (("dunning_level",), 3), (("case_id",), "a b"), (("case_id",), "a\n"),
        (("documents",), [{"name": "a", "kind": "invoice", "media_type": "pdf", "sha256": "0" * 64}]),
        (("remarks",), "Zeile 1\nZeile 2"), (("debtors", 0, "name"), "二\u0007"), (("procedure",), None),
    ]):  # fmt: skip
        file: Any = case_file(f"c{n}", f"N-{n}")
        target = file
        for step in path[:-1]:
            target = target[step]
        target[path[-1]] = value
        content = exchange(f"x{n}", desk.ref, [file])
        accepted = desk.submit(content).status_code == 202
        assert accepted == schema.is_valid(content), (path, value)
        verdicts.add(accepted)
    assert verdicts == {True, False}


def test_pushes_are_signed_in_order_and_repeated_until_taken(desk: Desk) -> None:
    desk.submit(exchange("x1", desk.ref, [case_file(f"c{n}", f"N-{n}") for n in range(10)]))
    with listening() as hook:
        hook.plan = [500, 0, 503]
        desk.twin.control("hub", {"country": desk.country, "hook_url": hook.url, "secret": hook.secret})
        desk.work(3)
        until(lambda: desk.books()["undelivered"] == 0)
        waiting = [one["exchange_id"] for one in desk.outbox()]
        assert [name for name, _, _ in hook.got][:4] == [waiting[0]] * 4
        assert hook.taken() == waiting
        for _, _, body in hook.got:
            validator("Exchange").validate(json.loads(body))


def test_pushing_ends_after_the_bound_and_the_outbox_still_has_it(tmp_path: Path) -> None:
    twin = start_twin("agency", tmp_path, settings={**SETTINGS, "attempts": "3"})
    try:
        desk = Desk(twin)
        desk.submit(exchange("x1", desk.ref, [case_file("c1", case_number_on("silent", "agency-DE"))]))
        with listening() as hook:
            hook.plan = [500] * 50
            twin.control("hub", {"country": "DE", "hook_url": hook.url, "secret": hook.secret})
            twin.control("work", {"days": 1, "advance_clock": False})
            (waiting,) = desk.outbox()
            until(lambda: len(hook.got) == 3)
            twin.control("work", {"days": 2})
            later = [one["exchange_id"] for one in desk.outbox()][1:]
            until(lambda: hook.got[-1][0] == later[-1] and desk.books()["sent"][-1]["attempts"] == 3)
            assert [name for name, _, _ in hook.got].count(waiting["exchange_id"]) == 3
            assert waiting in desk.outbox()
    finally:
        twin.stop()


def test_mischief_pushes_a_bad_signature_and_a_cut_body_once(tmp_path: Path) -> None:
    twin = start_twin("agency", tmp_path, settings={**SETTINGS, "mischief": "1"})
    try:
        desk = Desk(twin)
        desk.submit(exchange("x1", desk.ref, [case_file(f"c{n}", f"N-{n}") for n in range(20)]))
        with listening() as hook:
            twin.control("hub", {"country": "DE", "hook_url": hook.url, "secret": hook.secret})
            twin.control("work", {"days": 8})
            until(lambda: desk.books()["undelivered"] == 0)
            refused = {name: status for name, status, _ in hook.got if status != 204}
        done = {row["exchange_id"]: row["kind"] for row in desk.books()["mischief"]}
        assert {done[name]: status for name, status in refused.items()} == {"wrong_signature": 401, "truncated": 400}
        assert len(hook.got) == len({name for name, _, _ in hook.got})
    finally:
        twin.stop()


def test_no_agency_acts_after_a_recall(desk: Desk, other: Desk) -> None:
    for one in (desk, other):
        one.submit(exchange("x1", one.ref, [case_file(f"c{n}", f"N-{n}") for n in range(30)]))
        one.work(2)
    spoken = len(desk.outbox()), len(other.outbox())
    recalls = exchange("x2", desk.ref, [amendment(f"c{n}", "recall") for n in range(30)])
    answers = desk.submit(recalls).json()["replies"]["messages"]
    assert [answer["verdict"] for answer in answers] == ["accepted"] * 30
    desk.work(8)
    other.work(8)
    assert len(desk.outbox()) == spoken[0]
    assert len(other.outbox()) > spoken[1]
    assert desk.books()["acts_after_recall"] == 0
