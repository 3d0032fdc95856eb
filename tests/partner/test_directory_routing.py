"""What the directory says of a partner decides where a case goes: each entry's effect, read where people compare routes."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import msgspec
from web.office import TODAY, Office

from collecthub.bundled import jurisdictions
from collecthub.engine.contracting import enter_contract
from collecthub.engine.doors import create_partner
from collecthub.engine.nightly import decide_nightly
from collecthub.model.contract import GridRow, Side, Terms
from collecthub.model.licence import Licence
from collecthub.model.partner import PartnerProfile
from collecthub.store.connections import write_partner
from collecthub.store.queries.scope import LOCAL_OPERATOR
from partner.agency_office import add_agency, case_file_of
from partner.test_partner_page import Page

FIRST, SECOND = "first", "second"
LICENSED = Licence(country="DE", number="R-1")
SOUND = PartnerProfile(
    partner_id=FIRST, name="First", role="agency", countries=("DE",), work_country="DE", licences=(LICENSED,),
)  # fmt: skip


def profile(office: Office, **changes: Any) -> None:
    with office.hub.database.write() as conn:
        write_partner(conn, msgspec.structs.replace(SOUND, **changes), office.hub.now())


def price(
    office: Office, partner_id: str, percent: int, valid_from: dt.date = dt.date(2026, 1, 1), to: dt.date | None = None,
    minimum: int = 0,
) -> None:  # fmt: skip
    grid = (GridRow(percent=Decimal(percent)),)
    terms = Terms(valid_from=valid_from, valid_to=to, minimum_fee=Decimal(minimum), minimum_currency="EUR", grid=grid)
    with office.hub.work() as work:
        enter_contract(work, LOCAL_OPERATOR, Side.PARTNER, partner_id, terms)


def routes(office: Office, case_id: str) -> dict[str, dict[str, Any]]:
    told = office.client("operator").get(f"/api/v1/cases/{case_id}/routes").json()["routes"]
    return {one["partner_id"]: one for one in told if one["partner_id"]}


def opened(office: Office, **debtor: Any) -> str:
    """A case of 120.50 EUR on a company in Germany that nobody has yet."""
    kunde = {"name": "Kunde GmbH", "country": "DE", "registration_ref": "HRB 1", **debtor}
    return str(office.open_case(debtor=kunde)["case_id"])


def test_a_fee_that_eats_the_whole_claim_is_told_before_and_after_the_hand_over(office: Office) -> None:
    """ECO-01: at least 200 EUR a case, and never more than what comes in, is all of 120.50 EUR."""
    office.hub.plugins.add("jurisdictions", jurisdictions)
    add_agency(office, FIRST, "DE")
    profile(office)
    case_id = opened(office)
    price(office, FIRST, 10, minimum=200)
    office.run()
    path = f"/api/v1/cases/{case_id}"
    history = office.client("kroon").get(f"{path}/timeline").json()["items"]
    checks = [one["fact"] for one in history if one["kind"] == "feasibility_checked"]
    word = "expected cost 120.50 EUR, demanded 120.50 EUR"
    assert word in [one["evidence"] for one in checks[-1]["findings"] if one["id"] == "ECO-01"], checks
    told = office.client("kroon").get(f"{path}/feasibility").json()
    assert word in [one["evidence"] for one in told["findings"] if one["id"] == "ECO-01"], told
    price(office, FIRST, 10)
    assert office.client("kroon").get(f"{path}/feasibility").json()["verdicts"]["ECO-01"] == "clear"


def test_what_is_weak_in_a_file_is_told_in_the_partners_language(office: Office) -> None:
    office.hub.plugins.add("jurisdictions", jurisdictions)
    client = add_agency(office, FIRST, "DE")
    page = Page(office, "de", FIRST).enter()
    case_id = str(office.open_case(debtor={"name": "Kunde GmbH", "country": "DE", "vat_ref": "DE123456780"})["case_id"])
    office.run()
    said = (
        "PAR-01 Der Schuldner ist falsch oder nicht zu identifizieren: "
        "die Umsatzsteuernummer ist keine aus dem Land des Schuldners, oder eine Ziffer ist falsch"
    )
    assert said in case_file_of(client, case_id).remarks
    (sent,) = [one["message"] for one in client.get("/api/v1/partner/messages").json()["items"]]
    assert said in sent["remarks"]
    assert said in page.get(f"/cases/{case_id}") and "Was Sie zu dieser Akte wissen sollten" in page.get(f"/cases/{case_id}")


def test_each_entry_of_a_profile_opens_or_closes_the_route(office: Office) -> None:
    office.hub.plugins.add("jurisdictions", jurisdictions)
    add_agency(office, FIRST, "DE")
    company, person = opened(office), opened(office, kind="person")
    yesterday = TODAY - dt.timedelta(days=1)
    for changes, case_id, word in (
        ({"countries": ("AT",)}, company, None), ({"is_open": False}, company, "takes no cases now"),
        ({"segments": ("B2C",)}, company, "it takes B2C"), ({"segments": ("B2C",)}, person, ""),
        ({"currencies": ("CHF",)}, company, "it takes CHF"),
        ({"minimum_amount": Decimal("120.51"), "minimum_currency": "EUR"}, company, "its minimum is 120.51"),
        ({"minimum_amount": Decimal("120.50"), "minimum_currency": "EUR"}, company, ""),
        ({"maximum_amount": Decimal("120.49"), "minimum_currency": "EUR"}, company, "at most 120.49"),
        ({"licences": ()}, company, "no licence in force"),
        ({"licences": (msgspec.structs.replace(LICENSED, expires_on=yesterday),)}, company, "no licence in force"),
        ({"licences": (msgspec.structs.replace(LICENSED, expires_on=TODAY),)}, company, ""),
        ({"licences": (msgspec.structs.replace(LICENSED, segments=("B2C",)),)}, company, "no licence in force"),
        ({"licences": (msgspec.structs.replace(LICENSED, segments=("B2C",)),)}, person, ""),
        ({"licences": (msgspec.structs.replace(LICENSED, country="AT"),)}, company, "no licence in force"),
        ({"work_country": "IN", "has_signed_clauses": False}, company, "no clauses are signed"),
        ({"work_country": "IN", "has_signed_clauses": True}, company, ""),
        ({}, company, ""),
    ):  # fmt: skip
        profile(office, **changes)  # type: ignore[arg-type]  # a table of changes
        found = routes(office, case_id).get(FIRST)
        if word is None:
            assert found is None, changes
        else:
            assert found is not None and found["standing"] == ("rejected" if word else "possible"), (changes, found)
            assert word in found["reason"], (changes, found)


def test_the_cheaper_of_equals_by_the_contract_of_the_day_goes_first_and_one_without_is_asked(office: Office) -> None:
    add_agency(office, FIRST, "DE")
    add_agency(office, SECOND, "DE")
    case_id = opened(office)
    price(office, FIRST, 20)
    found = routes(office, case_id)
    assert (found[FIRST]["cost"], found[SECOND]["cost"]) == ("24.10", None) and found[FIRST]["place"] < found[SECOND]["place"]
    assert "ask the partner for a quote" in found[SECOND]["cost_basis"]
    price(office, SECOND, 30, to=TODAY)
    assert routes(office, case_id)[FIRST]["place"] < routes(office, case_id)[SECOND]["place"]
    price(office, SECOND, 10, TODAY)
    found = routes(office, case_id)
    assert found[SECOND]["cost"] == "12.05" and found[SECOND]["place"] < found[FIRST]["place"], "the younger version counts"
    office.run()
    case = office.client("operator").get(f"/api/v1/cases/{case_id}").json()
    assert case["placement"]["partner_id"] == SECOND


def test_who_works_in_the_debtors_language_goes_first(office: Office) -> None:
    add_agency(office, FIRST, "DE", languages=("fr", "en"))
    add_agency(office, SECOND, "DE", languages=("de-DE", "en"))
    price(office, FIRST, 10)
    price(office, SECOND, 20)
    asked, silent = opened(office, language="de"), opened(office)
    found = routes(office, asked)
    assert found[SECOND]["place"] < found[FIRST]["place"] and "the debtor's language is de, it works in en, fr" in found[FIRST]["reason"]
    assert routes(office, silent)[FIRST]["place"] == 1, "where nobody knows his language the price decides"


def test_a_full_partner_gets_no_more_and_the_next_one_does(both_office: Office) -> None:
    office = both_office
    add_agency(office, FIRST, "DE", capacity=1)
    add_agency(office, SECOND, "DE")
    price(office, FIRST, 10)
    price(office, SECOND, 20)
    cases = [opened(office), opened(office)]
    office.run()
    client = office.client("operator")
    held = [client.get(f"/api/v1/cases/{case_id}").json()["placement"]["partner_id"] for case_id in cases]
    assert sorted(held) == [FIRST, SECOND]
    third = routes(office, opened(office))[FIRST]
    assert third["standing"] == "rejected" and "as many as it takes at once" in third["reason"]


def status(office: Office, case_id: str) -> str:
    return str(office.client("operator").get(f"/api/v1/cases/{case_id}").json()["status"])


def waiting(office: Office, case_id: str) -> list[str]:
    found = office.client("operator").get("/api/v1/tasks", params={"state": "open", "case_id": case_id}).json()["items"]
    return [one["kind"] for one in found]


def test_a_case_that_nobody_could_take_goes_by_itself_once_somebody_can(both_office: Office) -> None:
    office = both_office
    office.hub.plugins.add("jurisdictions", jurisdictions)
    add_agency(office, FIRST, "AT")
    case_id = opened(office)
    office.run()
    assert (status(office, case_id), waiting(office, case_id)) == ("needs_info", ["unroutable"])
    create_partner(office.hub, msgspec.structs.replace(SOUND, licences=()))
    office.run()
    assert status(office, case_id) == "needs_info", "without a licence it may not act there"
    version = office.client("operator").get(f"/api/v1/cases/{case_id}").json()["version"]
    decide_nightly(office.hub)
    office.run()
    assert office.client("operator").get(f"/api/v1/cases/{case_id}").json()["version"] == version, "a look in vain leaves no trace"
    create_partner(office.hub, SOUND)
    office.run()
    assert (status(office, case_id), waiting(office, case_id)) == ("sent", [])


def test_room_that_comes_back_is_filled_at_night(office: Office) -> None:
    add_agency(office, FIRST, "DE", capacity=1)
    cases = [opened(office), opened(office)]
    office.run()
    held = next(case_id for case_id in cases if status(office, case_id) == "sent")
    (left,) = set(cases) - {held}
    assert status(office, left) == "needs_info"
    with office.hub.database.write() as conn:
        write_partner(conn, msgspec.structs.replace(SOUND, capacity=2), office.hub.now())
    decide_nightly(office.hub)
    office.run()
    assert status(office, left) == "sent"
