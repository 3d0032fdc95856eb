"""Sums of the overview against the cases themselves, on both databases."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from decimal import Decimal
from pathlib import Path

import sqlalchemy as sa

from collecthub.store.case_log import read_cases, read_lines
from collecthub.store.queries.dashboard import alarms, open_amounts, recovered_by_month
from collecthub.store.queries.names import actor_names, creditor_names
from collecthub.store.queries.scope import LOCAL_OPERATOR, Role, Scope
from portal.town import TODAY, Town, open_town

KROON = Scope(role=Role.CREDITOR, subject="user:u-kroon", creditor_id="kroon")
NOBODY = Scope(role=Role.CREDITOR, subject="user:x", creditor_id="nobody")
OFFICE = Scope(role=Role.PARTNER, subject="user:u-office", partner_id="office")


def test_the_overview_is_the_sum_of_the_cases(tmp_path: Path, database_url: str) -> None:
    with open_town(tmp_path, database_url) as town, town.hub.database.read() as conn:
        for scope in (LOCAL_OPERATOR, KROON):
            _check_sums(conn, scope)
            counts = alarms(conn, scope, town.hub.now())
            quarantined, unreleased = (2, 1) if scope is LOCAL_OPERATOR else (1, 0)
            assert (counts.quarantined, counts.unreleased_connections) == (quarantined, unreleased)


def _check_sums(conn: sa.Connection, scope: Scope) -> None:
    (found,) = open_amounts(conn, scope, TODAY)
    months = {month.first_on: month.amount for month in recovered_by_month(conn, scope, "EUR", TODAY)}
    every = [case for case in read_cases(conn, sa.true()) if scope.creditor_id in (None, case.creditor_id)]
    paid: dict[dt.date, Decimal] = defaultdict(Decimal)
    for line in (line for case in every for line in read_lines(conn, case.case_id) if line.kind == "payment"):
        paid[line.booked_on.replace(day=1)] += line.amount
    mine = [case for case in every if case.is_open]
    assert found.amount == sum(case.balance.total for case in mine)
    for cut in (found.by_phase, found.by_age, found.by_country):
        assert sum(part.amount for part in cut) == found.amount
        assert sum(part.cases for part in cut) == len(mine) == found.cases
    belgian = [case.balance.total for case in mine if case.debtor.country == "BE"]
    assert next(part.amount for part in found.by_country if part.name == "BE") == sum(belgian)
    young = [case for case in mine if (TODAY - min(claim.due_on for claim in case.claims)).days <= 30]
    assert next(part.cases for part in found.by_age if part.name == "up to 30 days") == len(young)
    assert {first: amount for first, amount in months.items() if amount} == dict(paid)
    assert len(months) == 12


def test_strangers_see_nothing(town: Town) -> None:
    with town.hub.database.read() as conn:
        assert open_amounts(conn, NOBODY, TODAY) == ()
        assert not any(month.amount for month in recovered_by_month(conn, NOBODY, "EUR", TODAY))
        assert set(creditor_names(conn, KROON)) == {"kroon"}
        assert set(creditor_names(conn, OFFICE)) == set()
        counts = alarms(conn, NOBODY, town.hub.now())
        assert not any(getattr(counts, name) for name in counts.__struct_fields__)
        assert actor_names(conn, ["hub", "user:u-kroon", "partner:office"]) == {
            "hub": "The hub", "user:u-kroon": "Kroon Desk", "partner:office": "Bailiff's office Peeters",
        }  # fmt: skip
