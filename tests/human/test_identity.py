"""Who a debtor is: joined by a register alone, asked about when he may be a twin, taken apart again; one debtor with everybody."""

from __future__ import annotations

import csv
import datetime as dt
from collections import defaultdict
from decimal import Decimal
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from web.office import Office, once

from collecthub.engine.identity import identify
from collecthub.model.debtor_identity import Kinship, judge, keys, likeness
from collecthub.model.party import Address, Contact, Party
from collecthub.model.spread import Owed, SpreadRule, spread
from collecthub.store.audit import verify_audit
from human.test_plans import case, plan

ROSE = {"name": "Bloemen Roos BV", "country": "BE", "vat_ref": "BE0403170701", "email": "roos@example.org"}


def ask(office: Office, path: str, who: str = "operator", wanted: int = 200, **body: Any) -> dict[str, Any]:
    client = office.client(who)
    sent = client.post(f"/api/v1/{path}", json=body, headers=once()) if body else client.get(f"/api/v1/{path}")
    assert sent.status_code == wanted, sent.text
    found: dict[str, Any] = sent.json()
    return found


def opened(office: Office, who: str, ref: str, **debtor: str) -> str:
    return str(office.open_case(who, debtor={**ROSE, **debtor}, debtor_ref=ref)["case_id"])


def debtor_of(office: Office, case_id: str) -> dict[str, Any]:
    return ask(office, f"cases/{case_id}/debtor")


def test_the_register_joins_and_a_similar_name_asks(both_office: Office) -> None:
    """One number in two spellings is one debtor with two creditors; a namesake with the same e-mail address is asked about."""
    office = both_office
    ours = opened(office, "kroon", "100", registration_ref="0403.170.701", vat_ref="")
    theirs = opened(office, "other", "A-7", name="ROOS, Bloemen B.V.")
    twin = opened(office, "kroon", "200", vat_ref="", name="Bloemen Roos")
    office.run()
    assert debtor_of(office, ours)["identity_id"] == debtor_of(office, theirs)["identity_id"]
    assert debtor_of(office, ours)["books"][0]["evidence"] or debtor_of(office, ours)["books"][1]["evidence"]
    assert debtor_of(office, twin)["identity_id"] != debtor_of(office, ours)["identity_id"], "never joined without evidence"
    assert [hold["reason"] for hold in case(office, twin)["holds"]] == ["twin"] and case(office, twin)["placement"] is None
    assert case(office, ours)["holds"] == [], "who was there first is not stopped"
    (pair,) = ask(office, "twins", "kroon")["items"]
    assert "e-mail" in pair["evidence"] and ask(office, "twins", "other")["items"] == []
    ask(office, f"twins/{pair['twin_id']}/decision", "other", wanted=404, is_same=True, reason="curious")
    ask(office, f"twins/{pair['twin_id']}/decision", "kroon", is_same=True, reason="the customer said so")
    office.run()
    view = debtor_of(office, twin)
    assert view["identity_id"] == debtor_of(office, ours)["identity_id"] and len(view["cases"]) == 3
    assert case(office, twin)["holds"] == [] and case(office, twin)["placement"]["partner_id"] == "bailiff"
    back = ask(
        office, f"debtors/{view['identity_id']}/take-apart", connection_id=pair["second"]["connection_id"],
        debtor_ref=pair["second"]["debtor_ref"], reason="two companies after all",
    )  # fmt: skip
    assert len(back["cases"]) == 1 and len(back["moves"]) >= 1
    identify(office.hub, "kroon")
    assert ask(office, "twins", "kroon")["items"] == [], "what a person decided is not asked again"
    with office.hub.database.read() as conn:
        assert verify_audit(conn) == ""


def test_a_creditor_learns_of_no_other(office: Office) -> None:
    """Across creditors nothing is held and nothing said: only the operator sees the pair and the debtor."""
    opened(office, "kroon", "1", vat_ref="")
    theirs = opened(office, "other", "1", vat_ref="", name="Bloemen ROOS")
    office.run()
    assert case_for(office, "other", theirs)["holds"] == []
    assert [ask(office, "twins", who)["items"] for who in ("kroon", "other")] == [[], []]
    (pair,) = ask(office, "twins")["items"]
    for who in ("kroon", "other"):
        assert not [one for one in office.client(who).get("/api/v1/tasks").json()["items"] if one["kind"] == "twin"]
        assert office.client(who).get(f"/api/v1/cases/{theirs}/debtor").status_code in (403, 404)
    ask(office, f"twins/{pair['twin_id']}/decision", is_same=True, reason="the same shop")
    for who in ("kroon", "other"):
        identity_id = debtor_of(office, theirs)["identity_id"]
        assert office.client(who).get(f"/api/v1/debtors/{identity_id}").status_code in (403, 404)


def case_for(office: Office, who: str, case_id: str) -> dict[str, Any]:
    found: dict[str, Any] = office.client(who).get(f"/api/v1/cases/{case_id}").json()
    return found


def test_one_capacity_one_plan_one_payment(office: Office) -> None:
    """301.25 owed to two creditors at 100 a month: three months in each case; 100.00 paid is divided to the cent."""
    ours = opened(office, "kroon", "1")
    claims = [{"number": "Z-1", "due_on": "2026-03-01", "amount": "180.75"}]
    sent = office.open_case("other", debtor=ROSE, debtor_ref="9", claims=claims)
    theirs = str(sent["case_id"])
    for creditor_id in ("kroon", "other"):
        identify(office.hub, creditor_id)
    identity_id = debtor_of(office, ours)["identity_id"]
    view = ask(office, f"debtors/{identity_id}/capacity", amount="100.00", currency="EUR")
    assert view["owed"] == {"EUR": "301.25"} and view["capacity"] == "100.00"
    assert "no plan" in ask(office, f"debtors/{identity_id}/plan/agree", wanted=422, reason="n")["detail"]
    assert len(ask(office, f"debtors/{identity_id}/plan", currency="EUR", instalments=3)["case_ids"]) == 2
    ask(office, f"debtors/{identity_id}/plan/agree", reason="he asked for it")
    assert [one["amount"] for one in plan(office, ours)["instalments"]] == ["40.16", "40.16", "40.18"]
    told = office.client("other").get(f"/api/v1/cases/{theirs}/timeline").text + case_for(office, "other", theirs)["number"]
    assert "Kroon" not in told and "kroon" not in told and ours not in told
    parts = ask(office, f"debtors/{identity_id}/payments", amount="100.00", currency="EUR", paid_on="2026-06-15")["parts"]
    assert parts == {ours: "40.00", theirs: "60.00"}
    assert ask(office, f"debtors/{identity_id}/spread", rule="oldest")["spread"] == "oldest"
    parts = ask(office, f"debtors/{identity_id}/payments", amount="121.00", currency="EUR", paid_on="2026-06-15")["parts"]
    assert parts == {theirs: "120.75", ours: "0.25"}
    assert "cannot be divided" in ask(
        office, f"debtors/{identity_id}/payments", wanted=422, amount="999.00", currency="EUR", paid_on="2026-06-15"
    )["detail"]


def person(name: str, **more: Any) -> Party:
    return Party(name=name, country="BE", **more)


@pytest.mark.parametrize(
    ("one", "other", "kinship"),
    [
        (person("Rose NV", vat_ref="BE0403170701"), person("ROSE S.A.", registration_ref="0403170701"), Kinship.SAME),
        (person("Rose NV", vat_ref="BE0403170701"), person("Tulip", vat_ref="BE0403170701"), Kinship.POSSIBLE),
        (person("Rose", vat_ref="BE0403170701"), person("Rose", vat_ref="BE0202239951"), Kinship.DIFFERENT),
        (person("Rose"), person("Rose"), Kinship.DIFFERENT),
        (
            person("ООО Ромашка", address=Address(lines=("Straat 7",), postcode="9000")),
            person("Romashka", address=Address(lines=("Str. 7 bus 2",), postcode="9000")), Kinship.POSSIBLE,
        ),
        (person("Jansen", contacts=(Contact(phone="+32 475 12 34 56"),)), person("Janssen", contacts=(Contact(phone="0475/12.34.56"),)), Kinship.POSSIBLE),
        (person("Ann", contacts=(Contact(email="x@y.be"),)), person("Bob", contacts=(Contact(email="X@y.be"),)), Kinship.DIFFERENT),
    ],
)  # fmt: skip
def test_what_is_evidence(one: Party, other: Party, kinship: Kinship) -> None:
    mine, theirs = likeness(one, "a", "x"), likeness(other, "b", "y")
    assert judge(mine, theirs).kinship is kinship and judge(theirs, mine).kinship is kinship
    if kinship is not Kinship.DIFFERENT:
        assert keys(mine) & keys(theirs), "they are found at all"


def test_the_customers_of_a_real_ledger(shared_data: Path) -> None:
    """Oracle: 694 customer numbers with 384 of several spellings. Nobody is joined; a number with and without noughts is asked."""
    spellings: dict[str, set[str]] = defaultdict(set)
    with (shared_data / "ar" / "highradius_open_invoices.csv").open(encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            spellings[row["cust_number"]].add(row["name_customer"])
    assert sum(len(names) > 1 for names in spellings.values()) == 384
    found = {ref: [likeness(Party(name=name, country="US"), "us", ref) for name in sorted(names)] for ref, names in spellings.items()}
    by_key: dict[str, set[str]] = defaultdict(set)
    for ref, likes in found.items():
        for key in keys(likes[0]):
            by_key[key].add(ref)
    asked = {
        pair for refs in by_key.values() for pair in combinations(sorted(refs), 2)
        if judge(found[pair[0]][0], found[pair[1]][0]).kinship is Kinship.POSSIBLE
    }  # fmt: skip
    twice = {pair for pair in combinations(sorted(found), 2) if pair[0].lstrip("0") == pair[1].lstrip("0")}
    assert asked <= twice and (len(asked), len(twice)) == (70, 141), "the others carry other names: nobody is asked about them"
    forms = ("", "llc", "corp", "corporation", "co")
    folded = [
        {like.name for name, like in zip(sorted(spellings[ref]), likes, strict=True) if name.rpartition(" ")[2] in forms}
        for ref, likes in found.items()
    ]  # fmt: skip
    assert max(map(len, folded)) == 1, "a legal form does not make another name"


amounts = st.integers(1, 10**7).map(lambda minor: Decimal(minor) / 100)


@given(st.lists(amounts, min_size=1, max_size=8), st.sampled_from(SpreadRule), st.integers(1, 10**4))
def test_a_payment_is_divided_to_the_cent(owed: list[Decimal], rule: SpreadRule, permille: int) -> None:
    cases = [Owed(case_id=str(n), amount=one, oldest_due_on=dt.date(2026, 1, 1 + n)) for n, one in enumerate(owed)]
    total = sum(owed, Decimal(0))
    amount = max(Decimal("0.01"), (total * permille / 10**4).quantize(Decimal("0.01"), rounding="ROUND_DOWN"))
    parts = spread(amount, cases, rule, "EUR")
    assert sum(parts.values()) == amount
    assert all(0 < part <= owed[int(case_id)] for case_id, part in parts.items())
