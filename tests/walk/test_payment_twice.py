"""Money that somebody recorded before the partner reports it is not booked a second time."""

from __future__ import annotations

from decimal import Decimal

import sqlalchemy as sa
from walk.conftest import House
from walk.test_walk import NOON, accept, hear, only_case, payment, pull

from collecthub.engine.case_work import change_case, locked_case
from collecthub.model.event import PaymentRecorded
from collecthub.store import tables as t


def test_a_partner_that_reports_recorded_money_is_asked_about_not_booked(house: House) -> None:
    house.world.invoice("1", "A", "2026-05-01", "100.00")
    pull(house)
    case = accept(house)
    with house.hub.work() as work:
        paid = PaymentRecorded(amount=Decimal("60.00"), paid_on=NOON.date(), note="seen on the account")
        change_case(house.hub, work, locked_case(work, case.case_id), [paid], actor="user:1")
    house.world.say("same", payment(case, "P1", "60.00"))
    house.world.say("other", payment(case, "P2", "15.00"))
    hear(house)
    assert only_case(house).balance.payments == Decimal("75.00")
    with house.hub.database.read() as conn:
        assert conn.scalars(sa.select(t.quarantine.c.code)).all() == ["record.payment_twice"]
