"""`collecthub law ...` and `/api/v1/law/...`: the same answers at both doors, no database for the first."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner
from walk.scripted import ScriptedPlugin, World
from web.office import Office, furnish, make_hub

from collecthub.bundled import jurisdictions
from collecthub.cli.main import app
from collecthub.config import load_settings
from law.asked import late
from law.naive import rows

BE = ("--country", "BE")
CLAIM = (*BE, "--principal", "10000", "--due", "2025-03-31", "--until", "2025-09-30")


@pytest.fixture(autouse=True)
def _no_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLLECTHUB_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLLECTHUB_BUSINESS_DATE", "2026-06-15")
    monkeypatch.setenv("COLUMNS", "250")


def run(*words: str, wanted: int = 0) -> tuple[str, str]:
    outcome = CliRunner().invoke(app, ["law", *words])
    assert outcome.exit_code == wanted, f"{words}: {outcome.exit_code}\n{outcome.output}"
    return outcome.stdout, outcome.stderr


def asked(*words: str, wanted: int = 0) -> dict[str, Any]:
    found = json.loads(run(*words, "--json", wanted=wanted)[0])
    assert isinstance(found, dict)
    return found


# --- the command --------------------------------------------------------------------------------------


def test_interest_as_the_handbook_prints_it(tmp_path: Path) -> None:
    answer = asked("interest", *CLAIM, "--segment", "B2B")
    assert {name: answer[name] for name in ("interest", "compensation", "currency", "rule_version")} == {
        "interest": "551.37", "compensation": "40.00", "currency": "EUR", "rule_version": "2026-11-22",
    }  # fmt: skip
    assert [part["rate_percent"] for part in answer["segments"]] == ["11.50", "10.50"]
    assert answer["rule"] and answer["source"]
    text, notes = run("interest", *CLAIM)
    assert "Interest 551.37 EUR until 2025-09-30, compensation 40.00 EUR." in text
    assert "Law of 2 August 2002, art. 5" in text and "per invoice" in notes
    assert not (tmp_path / "home").exists()


def test_options_of_interest(tmp_path: Path) -> None:
    consumer = (*BE, "--segment", "B2C", "--principal", "1200", "--due", "2025-04-20", "--until", "2025-06-30")
    clause = asked(
        "interest",
        *consumer,
        "--reminder",
        "2025-05-05:email",
        "--contract-rate",
        "ceiling",
        "--contract-date",
        "2025-01-01",
    )
    assert (clause["interest"], clause["compensation"], clause["start_on"]) == ("21.17", "100.00", "2025-05-06")
    large = asked(
        "interest", *consumer, "--reminder", "2025-05-05:email", "--large-creditor", "--contract-rate", "11.5"
    )
    assert (large["start_on"], large["interest"]) == ("2025-05-20", "15.88")
    assert asked("interest", *CLAIM, "--paid", "2025-06-30=4000")["interest"] == "445.51"
    assert asked("interest", *CLAIM, "--start", "2025-07-01")["interest"] == "264.66"
    assert asked("interest", *CLAIM, "--currency", "JPY")["interest"] == "551"
    assert asked("interest", *CLAIM, "--contract-date", "2012-01-01")["compensation"] == "0.00"
    leap = ("--country", "CH", "--principal", "36500", "--due", "2023-12-31", "--until", "2024-12-31")
    assert asked("interest", *leap, "--actual-days")["interest"] == "1825.00"
    assert (
        asked("interest", "--country", "SK", *CLAIM[2:], "--variant", "fixed")["segments"][0]["rate_percent"]
        == "11.65"
    )
    past = (*BE, "--principal", "10000", "--due", "2026-03-31", "--until", "2026-09-30")
    _, problem = run("interest", *past, wanted=1)
    assert problem.startswith(
        "No value of BE_COMMERCIAL is known for 2026-07-01; the last known day before it is 2026-06-30."
    )
    assert asked("interest", *past, "--to-last-known")["until"] == "2026-06-30"
    table = tmp_path / "later.csv"
    table.write_text(
        "series,valid_from,valid_to,value,evidence,source,note\nBE_COMMERCIAL,2026-07-01,2026-12-31,10.50,verified,Moniteur belge,\n"
    )
    assert asked("interest", *past, "--rates", str(table))["interest"] == "526.44"


@pytest.mark.parametrize(
    "words",
    [
        ("--principal", "1,000"), ("--principal", "1e3"), ("--principal", "-5"), ("--principal", "NaN"), ("--principal", "١٠"),
        ("--due", "31/03/2025"), ("--until", "9999-12-31"), ("--segment", "C2C"), ("--currency", "euro"), ("--paid", "yesterday"),
        ("--contract-rate", "ten"), ("--reminder", "soon:email"),
    ],
)  # fmt: skip
def test_what_is_no_amount_date_or_word_is_wrong_usage(words: tuple[str, ...]) -> None:
    run("interest", *CLAIM, *words, wanted=2)


def test_compensation_and_tariff() -> None:
    assert (
        asked("compensation", *BE, "--segment", "B2C", "--principal", "1200", "--on", "2025-05-20")["compensation"]
        == "100.00"
    )
    assert asked("compensation", "--country", "GB", "--principal", "1000")["compensation"] == "70.00"
    assert (
        asked("tariff", *BE, "--item", "bailiff_act", "--amount", "3000", "--on", "2024-11-05")["amount"]
        == "175.00"
    )
    recovery = asked("tariff", *BE, "--item", "bailiff_recovery", "--amount", "3000")
    assert (recovery["amount"], recovery["vat_percent"], recovery["amount_with_vat"]) == ("225.00", "21", "272.25")
    run("tariff", *BE, "--item", "bailiff_act", "--amount", "3000", wanted=1)


def test_limitation_and_deadline() -> None:
    answer = asked(
        "limitation", *BE, "--due", "2017-01-10", "--act", "2026-05-20=lawyer_notice", "--act", "2026-06-01=demand"
    )
    assert (answer["limitation_on"], answer["days_left"], [act["effect"] for act in answer["acts"]]) == (
        "2027-05-20",
        339,
        ["extends", "none"],
    )
    assert answer["alarms"][0] == {"due_on": "2026-11-20", "days_left": 181, "limitation_on": "2027-05-20"}
    lost = asked("limitation", "--country", "BE,DE", "--due", "2022-05-20", wanted=1)
    assert (lost["country"], lost["limitation_on"], lost["is_barred"]) == ("DE", "2025-12-31", True)
    assert "The claim is lost" in run("limitation", "--country", "DE", "--due", "2022-05-20", wanted=1)[0]
    found = asked("deadline", *BE, "--event", "settlement_claim", "--from", "2025-05-05", "--actor-country", "US")
    assert (found["deadline_on"], found["article"]) == ("2025-10-06", "Jud. Code 1675/9, 55")
    assert "Until 2025-06-04" in run("deadline", *BE, "--event", "bankruptcy_claim", "--from", "2025-05-05")[0]


def test_an_unlawful_step_ends_with_the_article_and_exit_code_1() -> None:
    words = (
        "step",
        *BE,
        "--step",
        "charge_clause",
        "--principal",
        "1200",
        "--due",
        "2025-04-20",
        "--happened",
        "2025-05-05=reminder:email",
        "--claimed",
        "100",
    )
    refused = asked(*words, "--on", "2025-05-19", wanted=1)
    assert [(found["article"], found["allowed_from"]) for found in refused["obstacles"]] == [
        ("CEL XIX.2", "2025-05-20")
    ]
    assert asked(*words, "--on", "2025-05-20")["is_allowed"] is True
    assert (
        "CEL XIX.2: the debtor may pay without more until 2025-05-19. Wait until 2025-05-20."
        in run(*words, "--on", "2025-05-19", wanted=1)[0]
    )
    run("step", "--country", "DE", *words[3:], wanted=1)
    collect = ("step", *BE, "--step", "collect", "--principal", "1200", "--due", "2025-04-20", "--happened", "2025-05-21=notice:email")
    assert "CEL XIX.7" in run(*collect, "--on", "2025-05-30", wanted=1)[0]
    stopped = (*collect, "--happened", "2025-06-10=plan_request", "--happened", "2025-06-01=payment:200.00", "--on", "2025-06-12")
    found = asked(*stopped, wanted=1)
    assert ([one["article"] for one in found["obstacles"]], found["limits"]["balance"]) == (["CEL XIX.9"], "1000.00")
    run(*words[:4], "dance", *words[5:], wanted=2)


def test_the_packs_that_are_there() -> None:
    items = {item["country"]: item for item in asked("packs")["items"]}
    assert len(items) >= 69
    assert items["BE"]["checks_steps"] and not items["DE"]["checks_steps"]
    assert (items["BE"]["rates_known_until"], items["CH"]["rates_known_until"]) == ("2026-06-30", None)
    assert "Belgium" in run("packs")[0]
    assert asked("packs", "--check")["items"] == []


# --- the API ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """One for all: nothing here changes anything."""
    home = tmp_path_factory.mktemp("hub")
    url = load_settings({}, home=home, database_url=f"sqlite:///{home / 'hub.sqlite3'}").database
    hub, queue = make_hub(home, url, ("scripted", ScriptedPlugin(World())))
    if "BE" not in hub.plugins.jurisdictions:
        hub.plugins.add("jurisdictions", jurisdictions)
    furnish(hub)
    yield Office(hub, queue)
    hub.close()


def test_the_api_answers_the_same(office: Office) -> None:
    client = office.client("kroon")
    query = {"country": "BE", "principal": "10000", "due_on": "2025-03-31", "until": "2025-09-30"}
    assert client.get("/api/v1/law/interest", params=query).json() == asked("interest", *CLAIM)
    body = {
        "country": "BE", "segment": "B2C", "principal": "1200", "due_on": "2025-04-20", "until": "2025-06-30", "reminded_on": "2025-05-05",
        "reminder_channel": "email", "contract_rate": "ceiling", "reductions": [{"on": "2025-06-30", "amount": "100.00"}],
    }  # fmt: skip
    assert {**client.post("/api/v1/law/interest", json=body).json(), "segments": []}["interest"] == "21.17"
    charge = client.get(
        "/api/v1/law/compensation", params={"country": "BE", "segment": "B2C", "principal": "215"}
    ).json()
    assert (charge["amount"], charge["item"]) == ("36.50", "compensation")
    clock = {"countries": ["BE", "DE"], "due_on": "2022-05-20", "acts": [{"act": "demand", "on": "2024-01-01"}]}
    assert client.post("/api/v1/law/limitation", json=clock).json()["limitation_on"] == "2025-12-31"
    limit = {"country": "BE", "event": "settlement_claim", "event_on": "2025-05-05", "actor_country": "FR"}
    assert client.get("/api/v1/law/deadline", params=limit).json()["deadline_on"] == "2025-08-05"
    step = {
        "country": "BE", "step": "charge_clause", "principal": "1200", "due_on": "2025-04-20", "on": "2025-05-15", "claimed": "100",
        "happened": [{"kind": "reminder", "on": "2025-05-05", "channel": "email"}],
    }  # fmt: skip
    refused = client.post("/api/v1/law/steps", json=step).json()
    assert (refused["is_allowed"], refused["obstacles"][0]["article"]) == (False, "CEL XIX.2")
    assert {item["country"] for item in client.get("/api/v1/law/packs").json()["items"]} >= {"BE", "UA"}


def test_a_case_shows_the_law_on_each_of_its_claims(office: Office) -> None:
    claims = [
        {"number": "1", "due_on": "2025-03-31", "amount": "10000.00"}, {"number": "2", "due_on": "2026-05-31", "amount": "500.00"},
        {"number": "3", "due_on": "2012-03-31", "amount": "10.00"},
    ]  # fmt: skip
    debtor = {"name": "Garage Nord", "country": "BE", "kind": "company"}
    case_id = office.open_case(debtor=debtor, claims=claims, currency="EUR")["case_id"]
    client = office.client("kroon")
    found = client.get(f"/api/v1/cases/{case_id}/law", params={"until": "2025-09-30"}).json()
    first, second, third = sorted(found["claims"], key=lambda claim: claim["number"])
    assert (first["late"]["interest"], first["limitation_on"], second["late"]["interest"]) == (
        "551.37",
        "2035-03-31",
        "0.00",
    )
    assert (third["is_barred"], found["next_limitation_on"]) == (True, "2022-03-31")
    assert found["compensation"] == {"EUR": "40.00"}  # none for the contract of 2012, none for what is not late
    assert (
        client.get(f"/api/v1/cases/{case_id}/law", params={"limitation_country": "DE"}).json()["claims"][0][
            "limitation_country"
        ]
        == "DE"
    )
    abroad = client.get(f"/api/v1/cases/{case_id}/law", params={"country": "AE"}).json()["claims"][0]
    assert abroad["late"] is None and abroad["limitation_on"] and "no rule on interest" in abroad["problem"]
    assert office.client("other").get(f"/api/v1/cases/{case_id}/law").status_code == 404
    assert office.client("bailiff").get(f"/api/v1/cases/{case_id}/law").status_code == 403


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"until": "2026-09-30"}, 422, "refused"), ({"principal": "1e3"}, 422, "invalid-query"), ({"principal": "-1"}, 422, "invalid-query"),
        ({"until": "9999-12-31"}, 422, "invalid-query"), ({"country": "XX"}, 422, "refused"), ({"segment": "C2C"}, 422, "invalid-query"),
    ],
)  # fmt: skip
def test_what_the_law_does_not_know_is_a_problem_with_a_cure(
    office: Office, change: dict[str, str], status: int, code: str
) -> None:
    query = {"country": "BE", "principal": "10000", "due_on": "2025-03-31", "until": "2025-09-30", **change}
    response = office.client("operator").get("/api/v1/law/interest", params=query)
    assert (response.status_code, response.json()["code"]) == (status, code)


def test_the_law_is_for_who_is_logged_in(office: Office) -> None:
    assert office.client().get("/api/v1/law/packs").status_code == 401
    assert office.client("bailiff").get("/api/v1/law/packs").status_code == 200


# --- every rule of the table ----------------------------------------------------------------------------


def test_every_row_of_the_rules_is_reached_by_the_command(shared_data: Path) -> None:
    """All 38: an amount with its rule, source and evidence on a day of the row, or a refusal that names what is missing."""
    found = rows(shared_data, "late_payment_rules.csv")
    answered, refused = set(), set()
    for row in found:
        key = f"{row['iso2']} {row['valid_from']}"
        due, until = DAYS_OF.get(key, ("2025-03-31", "2025-06-30"))
        words = ("interest", "--country", row["iso2"], "--principal", "10000", "--due", due, "--until", until, "--json")
        outcome = CliRunner().invoke(app, ["law", *words, "--contract-date", due])
        if outcome.exit_code:
            assert REFUSED[row["iso2"]] in outcome.stderr, (key, outcome.stderr)
            refused.add(key)
            continue
        said = json.loads(outcome.stdout)
        assert Decimal(said["interest"]) > 0 and said["rule"] and said["source"] and said["evidence"], key
        assert str(said["interest"]) == str(late(row["iso2"], due, until, contract_on=due, currency=said["currency"]).interest)
        answered.add(key)
    assert len(found) == len(answered) + len(refused) == 38 and {key[:2] for key in refused} <= REFUSED.keys()


# Rows that ended before 2025, on days of their own; and what the packs refuse, with the word that says why.
DAYS_OF = {
    "BE 2002-08-07": ("2012-01-31", "2012-06-30"), "HR 2015-08-01": ("2016-07-10", "2016-11-30"),
    "BG 2015-01-01": ("2018-02-10", "2018-05-01"), "HU 2014-03-15": ("2018-02-10", "2018-05-01"),
    "RO 2013-04-05": ("2024-02-29", "2024-05-30"), "BG 2026-01-01": ("2026-01-31", "2026-05-31"),
}  # fmt: skip
REFUSED = {"IS": "not stored here", "LI": "not stored here", "US": "contract", "CN": "contract", "HK": "contract"}
