"""Payments that fit only together, and one that names several cases: proposed, booked by a person, all or nothing."""

from __future__ import annotations

import datetime as dt
import io
import json
from collections.abc import Iterator
from decimal import Decimal
from itertools import combinations
from random import Random
from typing import Any

import pytest
from lxml import html
from typer.testing import CliRunner
from walk.scripted import ScriptedPlugin, World
from web.office import PASSWORD, Office, change, furnish, make_hub, once

from collecthub.cli.main import app
from collecthub.config import load_settings
from collecthub.corridor.combine import Movement, OwedSum, divided, summed_up
from collecthub.engine.matching import match_payments
from collecthub.engine.payments_in import Owner, import_bank_file
from collecthub.store.queries.scope import LOCAL_OPERATOR, Role
from payments.bank_samples import DAY, camt, paid

ANN, BEN = "BE71096123456769", "BE68539007547034"
D = Decimal


class Desk:
    """One hub for the module; every test has debtors and payers of its own."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self._files = 0

    def case(self, debtor: str, **claims: str) -> dict[str, Any]:
        rows = [{"number": number, "due_on": "2026-05-01", "amount": amount} for number, amount in claims.items()]
        party = {"name": debtor, "country": "BE"}
        return self.office.open_case(claims=rows, debtor=party)

    def bank(self, *rows: dict[str, Any]) -> dict[str, str]:
        """A statement of the creditor; payment by amount of what waits afterwards."""
        self._files += 1
        content = camt("camt.053", rows, ident=f"S-{self._files}")
        found = import_bank_file(self.office.hub, LOCAL_OPERATOR, io.BytesIO(content), "x.xml", Owner(creditor_id="kroon"))
        assert found.state == "imported", found.problem
        match_payments(self.office.hub, LOCAL_OPERATOR)
        items = self.get("/payments?limit=200")["items"]
        return {one["amount"]: one["payment_id"] for one in items if one["file_id"] == found.file_id}

    def get(self, path: str) -> Any:
        return self.office.client("kroon").get(f"/api/v1{path}").json()

    def book(self, payment_id: str, key: str, who: str = "kroon") -> Any:
        return self.office.client(who).post(
            f"/api/v1/payments/{payment_id}/proposals", json={"key": key}, headers=once()
        )

    def offered(self, payment_id: str, kind: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.get(f"/payments/{payment_id}/proposals")[kind]
        return found

    def balance(self, case: dict[str, Any]) -> Decimal:
        return D(self.get(f"/cases/{case['case_id']}")["balance"]["total"])


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    home = tmp_path_factory.mktemp("sums")
    hub, queue = make_hub(home, load_settings({}, home=home).database, ("scripted", ScriptedPlugin(World())))
    furnish(hub)
    yield Desk(Office(hub, queue))
    hub.close()


def test_three_movements_that_make_one_invoice(desk: Desk) -> None:
    case = desk.case("Jan Peeters", **{"F-1": "100.00", "F-2": "250.00"})
    ids = desk.bank(*(paid(amount, name="Peeters Jan") for amount in ("20.00", "30.00", "50.00")), paid("7.00", name="Jan Peeters"))
    assert set(ids) == {"20.00", "30.00", "50.00", "7.00"}  # parts of something: none is certain alone
    (one,) = desk.offered(ids["20.00"], "together")
    assert {(part["payment_id"], part["invoice"]) for part in one["parts"]} == {(ids[a], "F-1") for a in ("20.00", "30.00", "50.00")}
    assert desk.offered(ids["7.00"], "together") == []
    assert desk.book(ids["20.00"], one["key"], who="other").status_code == 404
    assert desk.balance(case) == D(350)
    assert desk.book(ids["20.00"], one["key"]).status_code == 200
    assert desk.balance(case) == D(250)
    assert [desk.get(f"/payments/{ids[a]}")["state"] for a in ("20.00", "30.00", "50.00", "7.00")] == ["booked"] * 3 + ["open"]
    again = desk.book(ids["20.00"], one["key"])
    assert (again.status_code, "does not hold any more" in again.text) == (422, True)


def test_two_sets_fit_and_a_person_chooses_one_on_the_page(desk: Desk) -> None:
    case = desk.case("Ann Maes", **{"F-3": "90.00"})
    ids = desk.bank(paid("60.00", iban=ANN, name="Ann Maes"), paid("30.00", iban=ANN, bank_ref="A"), paid("30.00", iban=ANN, bank_ref="B"))
    offered = desk.offered(ids["60.00"], "together")
    assert len(offered) == 2  # 60 and one or the other 30
    desk.office.add_user("kroon@example.org", Role.CREDITOR, "kroon")
    client = desk.office.client()
    client.post("/login", data={"email": "kroon@example.org", "password": PASSWORD})
    page = html.fromstring(client.get(f"/payments/{ids['60.00']}").text)
    assert "Several sets fit" in page.text_content()
    forms = [form for form in page.forms if form.action.endswith("/proposals")]
    assert [dict(form.form_values())["key"] for form in forms] == [one["key"] for one in offered]
    answer = client.post(forms[1].action, data=dict(forms[1].form_values()))
    assert "every part of the proposal" in answer.text
    assert desk.balance(case) == 0
    wrong = client.post(forms[0].action, data=dict(forms[0].form_values()))
    assert (wrong.status_code, "does not hold any more" in wrong.text) == (422, True)


def test_one_payment_over_the_cases_that_it_names(desk: Desk) -> None:
    first, second = desk.case("Els Wouters", INV4001="80.00"), desk.case("Bo Claes", INV4002="45.50", INV4003="9.00")
    ids = desk.bank(paid("125.50", name="Family office", text=f"{first['number']}, INV4002"))
    (one,) = desk.offered(ids["125.50"], "divided")
    assert {(part["case_number"], part["amount"], part["invoice"]) for part in one["parts"]} == {
        (first["number"], "80.00", ""), (second["number"], "45.50", "INV4002"),
    }  # fmt: skip
    assert desk.book(ids["125.50"], one["key"]).status_code == 200
    assert (desk.balance(first), desk.balance(second)) == (0, D("9.00"))
    assert desk.get(f"/payments/{ids['125.50']}")["state"] == "booked"
    ids = desk.bank(paid("9.01", name="Family office", text=f"{first['number']}, {second['number']}"))
    assert desk.offered(ids["9.01"], "divided") == []  # a cent beside it is no proposal


def test_money_that_the_case_may_know_already_is_no_part(desk: Desk) -> None:
    case = desk.case("Rik Smets", **{"F-8": "120.00"})
    by_hand = {"amount": "30.00", "paid_on": "2026-06-10"}
    path = f"/api/v1/cases/{case['case_id']}/payments"
    assert desk.office.client("kroon").post(path, json=by_hand, headers=change()).status_code < 300
    ids = desk.bank(paid("60.00", name="Rik Smets"), paid("30.00", name="Rik Smets"), paid("15.00", name="Rik Smets"), paid("15.00", name="Rik Smets", bank_ref="B"))
    (one,) = desk.offered(ids["60.00"], "together")  # 60 and twice 15, but not 60 and the 30 that somebody wrote down
    assert sorted(part["amount"] for part in one["parts"]) == ["15.00", "15.00", "60.00"]


def test_another_payer_a_late_one_and_another_currency_are_no_parts(desk: Desk) -> None:
    desk.case("Piet Lemmens", **{"F-5": "70.00"})
    late = DAY + dt.timedelta(days=32)
    ids = desk.bank(paid("50.00", name="Piet Lemmens", iban=BEN), paid("20.00", name="Ria Lemmens"), paid("20.00", iban=BEN, on=late))
    assert desk.offered(ids["50.00"], "together") == []


def test_by_command(desk: Desk) -> None:
    desk.case("Stijn Aerts", **{"F-6": "12.00"})
    ids = desk.bank(paid("5.00", name="Stijn Aerts"), paid("7.00", name="Stijn Aerts"))
    env = {"COLLECTHUB_HOME": str(desk.office.hub.settings.home)}
    said = CliRunner().invoke(app, ["payment", "proposals", ids["5.00"], "--json"], env=env)
    (one,) = json.loads(said.stdout)["together"]
    assert one["amount"] == "12.00"
    assert one["key"] in CliRunner().invoke(app, ["payment", "proposals", ids["5.00"]], env=env).stdout
    wrong = CliRunner().invoke(app, ["payment", "proposals", ids["5.00"], "--book", "another"], env=env)
    assert (wrong.exit_code, "does not hold any more" in wrong.stderr) == (1, True)


def test_the_sets_are_those_that_trying_everything_finds() -> None:
    """Against the plainest way there is, on drawn amounts: no set is missed, none is invented."""
    draw = Random(6)  # drawn cases for a test
    for _ in range(200):
        first, *others = (
            Movement(payment_id=str(place), amount=D(draw.randint(1, 9)), booked_on=DAY) for place in range(draw.randint(2, 6))
        )
        sums = [OwedSum(case_id=str(place), amount=D(draw.randint(5, 25))) for place in range(2)]
        wanted = {
            (owed.case_id, frozenset(one.payment_id for one in some))
            for owed in sums for size in range(1, 6) for some in combinations(others, size)
            if first.amount + sum(one.amount for one in some) == owed.amount
        }  # fmt: skip
        found = summed_up(first, others, sums)
        told = {(one.owed.case_id, frozenset(part.payment_id for part in one.movements[1:])) for one in found}
        assert told <= wanted
        assert len(found) == len(told) == min(len(wanted), 6)


def test_a_long_list_of_references_ends_in_time() -> None:
    sums = [[OwedSum(case_id=str(place), amount=D(1)), OwedSum(case_id=str(place), amount=D(2))] for place in range(12)]
    assert len(divided(D(18), sums)) == 6
    assert divided(D("0.5"), sums) == ()
    assert divided(D(26), [*sums, sums[0]]) == ()  # more than twelve: a person divides by hand
