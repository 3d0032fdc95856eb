"""Messages, remittances, the SLA ledger, the score and reminders."""

from __future__ import annotations

import datetime as dt
import string
import tomllib
from decimal import Decimal
from importlib.resources import files

import sqlalchemy as sa
from fastapi.testclient import TestClient
from web.office import Office, change, once

from collecthub.engine.partner_links import LANGUAGES
from collecthub.engine.partner_score import remind_partners, sla_entries
from collecthub.model import event as ev
from collecthub.model.exchange import Procedure
from collecthub.model.partner_sla import STEPS, SlaEntry, entries_of, late_now, score
from collecthub.model.rungs import RungClocks
from collecthub.store import partner_tables as p
from collecthub.store import tables as t
from partner.agency_office import AGENCY, add_agency, placed_case, post
from partner.test_partner_api import accepted, facts

BEGIN = dt.datetime(2026, 3, 1, 9, tzinfo=dt.UTC)
CLOCKS = RungClocks(received_hours=24, accepted_hours=72, acted_hours=240, heard_hours=336)


def history(*facts_at: tuple[float, ev.Fact]) -> list[ev.CaseEvent]:
    return [
        ev.CaseEvent(
            case_id="c", seq=number, occurred_at=BEGIN + dt.timedelta(days=days), actor="partner:p", fact=fact,
            recorded_at=BEGIN + dt.timedelta(days=days), previous_hash="",
        )
        for number, (days, fact) in enumerate(facts_at, 1)
    ]  # fmt: skip


def chosen(partner_id: str, placement_id: str) -> ev.RouteChosen:
    return ev.RouteChosen(
        placement_id=placement_id, route="agency", procedure=Procedure.AMICABLE, partner_id=partner_id,
        partner_name=partner_id, reason="", options=(),
    )  # fmt: skip


def sent(placement_id: str) -> ev.CaseSent:
    return ev.CaseSent(placement_id=placement_id, message_id="m", envelope_name="e", receipt_ref="r", principal=Decimal(1))


def status(sequence: int) -> ev.StatusReported:
    return ev.StatusReported(meaning="contact_made", foreign_code="x", text="", sequence=sequence)


def paid(reference: str) -> ev.PaymentReported:
    return ev.PaymentReported(payment_ref=reference, amount=Decimal(50), received_on=dt.date(2026, 3, 20))


def steps(entries: tuple[SlaEntry, ...], now: dt.datetime) -> list[tuple[str, bool, bool]]:
    return [(entry.step, entry.done_at is not None, entry.is_late(now)) for entry in entries]


def test_the_ledger_of_a_placement_by_hand() -> None:
    """Sent on day 0; accepted on day 2 (due 4); first action on day 15 (due 12); next report on day 20 (due 29)."""
    story = history(
        (-1, chosen("p", "pl")), (0, sent("pl")), (2, ev.CaseAccepted(message_id="m", holder_ref="h")), (15, status(1)),
        (20, paid("a")), (21, paid("b")),
    )  # fmt: skip
    now = BEGIN + dt.timedelta(days=60)
    remitted = {"a": BEGIN + dt.timedelta(days=40)}
    assert steps(entries_of(story, "p", CLOCKS, remitted), now) == [
        ("receipt", True, True), ("acceptance", True, False), ("first_action", True, True), ("cadence", True, False),
        ("cadence", True, False), ("cadence", False, True), ("remittance", True, False), ("remittance", False, True),
    ]  # fmt: skip
    found = score(entries_of(story, "p", CLOCKS, remitted), now)
    assert [(step.on_time, step.counted) for step in found.steps] == [(0, 1), (1, 1), (0, 1), (2, 3), (1, 2)]
    assert found.points == (0 + 100 + 0 + 66 + 50) // 5
    assert [entry.step for entry in late_now(entries_of(story, "p", CLOCKS, remitted), now)] == ["cadence", "remittance"]


def test_another_partners_time_is_not_counted() -> None:
    story = history(
        (0, chosen("p", "pl")), (0, sent("pl")), (1, ev.CaseRefused(message_id="m", code="full", reason="")),
        (2, chosen("q", "pl2")), (2, sent("pl2")), (50, status(1)),
    )  # fmt: skip
    now = BEGIN + dt.timedelta(days=60)
    assert steps(entries_of(story, "p", CLOCKS, {}), now) == [("receipt", True, False), ("acceptance", True, False)]
    assert [entry.placement_id for entry in entries_of(story, "q", CLOCKS, {})] == ["pl2", "pl2"]
    assert score(entries_of(story, "p", CLOCKS, {}), now).points is None, "two steps are too few to tell"


def test_a_late_partner_is_reminded_once_a_week_and_sees_it(office: Office, agency: TestClient) -> None:
    case_id = placed_case(office)["case_id"]
    with office.hub.database.read() as conn:
        entries = tuple(sla_entries(conn, AGENCY))
    assert {entry.step for entry in entries} == {"receipt", "acceptance"}
    real = office.hub.now
    office.hub.now = lambda: real() + dt.timedelta(days=5)  # type: ignore[method-assign]  # the clock five days on
    remind_partners(office.hub, AGENCY)
    remind_partners(office.hub, AGENCY)
    office.run()
    told = [item["message"] for item in agency.get("/api/v1/partner/messages").json()["items"]]
    texts = [message["text"] for message in told if message["type"] == "case_instruction"]
    assert ["confirme que" in texts[0], "acepte o rechace" in texts[1]] == [True, True], "in the language of Uruguay"
    with office.hub.database.read() as conn:
        assert conn.scalar(sa.select(sa.func.count()).select_from(p.partner_reminders)) == 2
    view = agency.get(f"/api/v1/partners/{AGENCY}/score").json()
    assert [entry["step"] for entry in view["late"]] == ["receipt", "acceptance"]
    assert {entry["case_id"] for entry in view["late"]} == {case_id}
    post(agency, "score/answers", {"text": "We were closed for the holidays."})
    (answer,) = office.client("operator").get(f"/api/v1/partners/{AGENCY}/score").json()["answers"]
    assert answer["text"] == "We were closed for the holidays."


def test_no_wait_for_a_partner_ends_on_its_day_off(office: Office) -> None:
    """Two days from 15 June 2026 end on Iceland's national day, 17 June, and so on the day after it; Chile works on it."""
    ends = {}
    for country in ("IS", "CL"):
        agency = add_agency(office, f"agency-{country}", country, clocks=RungClocks(received_hours=48))
        case_id = placed_case(office, country)["case_id"]
        until = dt.datetime.fromisoformat(agency.get(f"/api/v1/partner/cases/{case_id}").json()["answer_until_at"])
        with office.hub.database.read() as conn:
            (ledger,) = [one for one in sla_entries(conn, f"agency-{country}") if one.step == "receipt"]
            timer = conn.scalar(sa.select(t.timers.c.due_at).where(t.timers.c.case_id == case_id))
        shown = {rung["name"]: rung["due_at"] for rung in office.client("operator").get(f"/api/v1/cases/{case_id}").json()["ladder"]}
        moments = {until, ledger.due_at, timer, dt.datetime.fromisoformat(shown["received"])}
        assert max(moments) - min(moments) < dt.timedelta(minutes=5), moments
        ends[country] = until.date()
    assert ends == {"IS": dt.date(2026, 6, 18), "CL": dt.date(2026, 6, 17)}


def test_messages_are_read_in_order_after_a_cursor(office: Office, agency: TestClient) -> None:
    case_id = accepted(office, agency)
    office.client("kroon").post(f"/api/v1/cases/{case_id}/withdraw", json={"text": "settled"}, headers=change())
    office.run()
    whole = agency.get("/api/v1/partner/messages").json()["items"]
    assert [item["message"]["type"] for item in whole] == ["case_file", "case_amendment"]
    rest = agency.get("/api/v1/partner/messages", params={"after": whole[0]["cursor"]}).json()["items"]
    assert [item["message"]["type"] for item in rest] == ["case_amendment"]


def remittance(case_id: str, **changes: object) -> dict[str, object]:
    return {
        "remittance_ref": "R1", "currency": "UYU", "amount": "880.00", "paid_on": "2026-06-15", "case_currency": "EUR",
        "rate": "46.00", "rate_on": "2026-06-14", "bank_charges": "13.00", "fee": "50.00",
        "lines": [{"case_id": case_id, "payment_ref": "p1", "amount": "20.50"}], **changes,
    }  # fmt: skip


def test_money_is_passed_on_in_the_partners_currency(office: Office, agency: TestClient) -> None:
    """20.50 EUR x 46.00 = 943.00 UYU, less 13.00 charges and 50.00 fee = 880.00 UYU."""
    case_id = accepted(office, agency)
    money = {"payment_ref": "p1", "currency": "EUR", "amount": "20.50", "received_on": "2026-06-14"}
    post(agency, f"cases/{case_id}/receipts", money)
    office.run()
    assert facts(office, case_id, "payment_reported")
    made = post(agency, "remittances", remittance(case_id))
    assert (made.status_code, made.json()["finding"]) == (201, "")
    again = agency.post("/api/v1/partner/remittances", json=remittance(case_id), headers=once())
    assert again.json()["remittance_id"] == made.json()["remittance_id"]
    other = post(agency, "remittances", remittance(case_id, amount="881.00"))
    assert other.status_code == 422
    with office.hub.database.read() as conn:
        (entry,) = [one for one in sla_entries(conn, AGENCY) if one.step == "remittance"]
    assert entry.done_at is not None
    wrong = post(agency, "remittances", remittance(case_id, remittance_ref="R2", amount="900.00")).json()
    assert "are 880.00 UYU, the transfer says 900.00" in wrong["finding"]
    dollars = post(agency, "remittances", remittance(case_id, remittance_ref="R4", case_currency="USD"))
    assert dollars.status_code == 201  # kept, and a person looks at it
    assert "p1 was reported in EUR, the currency of its case, and is passed on as 20.50 USD" in dollars.json()["finding"]
    assert [one["state"] for one in agency.get("/api/v1/partner/remittances").json()["items"]] == ["announced"] * 3
    tasks = office.client("operator").get("/api/v1/tasks").json()["items"]
    assert {"R2", "R4"} <= {word for task in tasks for word in task["title"].split()}
    foreign = office.open_case()["case_id"]
    office.run()
    assert post(agency, "remittances", remittance(str(foreign), remittance_ref="R3")).status_code == 404


def test_every_text_of_the_hubs_own_has_every_language_with_the_same_values() -> None:
    texts = tomllib.loads((files("collecthub.engine") / "partner_texts.toml").read_text(encoding="utf-8"))
    for key, said in texts.items():
        assert set(said) == set(LANGUAGES), key
        values = [{name for _, name, _, _ in string.Formatter().parse(text) if name} for text in said.values()]
        assert all(found == values[0] for found in values), key
    assert {f"late_{step}" for step in STEPS} <= set(texts)
