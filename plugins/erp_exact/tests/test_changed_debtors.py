"""A customer that was anonymised at the vendor's loses his contact data in the hub (scenario X22)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from portal.vendor_hub import VendorHub, open_vendor_hub

from collecthub.model.event import NoteAdded
from collecthub.store import tables as t
from collecthub.store.case_log import read_cases, read_events


@pytest.fixture
def vendor_hub(tmp_path: Path) -> Iterator[VendorHub]:
    with open_vendor_hub(tmp_path, dt.date(2026, 6, 15)) as running:
        yield running


def test_x22_what_the_hub_knows_of_how_to_reach_an_anonymised_customer_goes(vendor_hub: VendorHub) -> None:
    people = [
        {"customer_ref": name, "name": f"Klant {name}", "country": "BE", "email": f"{name}@example.org",
         "street": "Dorpsstraat 1", "city": "Gent", "contact": "An Claes"}
        for name in ("hidden", "gone", "same")
    ]  # fmt: skip
    vendor_hub.exact.control("load", {"customers": people, "items": []})
    for number, name in enumerate(("hidden", "gone", "same")):
        vendor_hub.owe(f"100{number}", name, "500.00")
    connection_id = vendor_hub.connect()
    vendor_hub.consent(connection_id)
    vendor_hub.pull(connection_id)
    hub = vendor_hub.hub
    with hub.database.read() as conn:
        cases = {case.debtor.name: case for case in read_cases(conn, t.cases.c.connection_id == connection_id)}
    assert {case.debtor.contacts[0].email for case in cases.values()} == {
        "hidden@example.org", "gone@example.org", "same@example.org",
    }  # fmt: skip
    vendor_hub.exact.control("account", {"customer_ref": "hidden", "changes": {"IsAnonymised": 1}})
    vendor_hub.exact.control("account", {"customer_ref": "same", "changes": {"Remarks": "nothing that is kept"}})
    vendor_hub.exact.control("delete_account", {"customer_ref": "gone"})
    vendor_hub.pull(connection_id)
    with hub.database.read() as conn:
        after = {case.debtor.name: case for case in read_cases(conn, t.cases.c.connection_id == connection_id)}
        notes = {
            name: [event.fact.text for event in read_events(conn, case.case_id) if isinstance(event.fact, NoteAdded)]
            for name, case in after.items()
        }
        waiting = conn.scalar(sa.select(sa.func.count()).where(t.debtors.c.read_at.is_(None)))
        text = " ".join(conn.scalars(sa.select(t.debtors.c.party)))
    for name in ("Klant hidden", "Klant gone"):
        assert after[name].debtor.contacts == () and after[name].debtor.address.lines == ()
    assert after["Klant same"].debtor == cases["Klant same"].debtor
    assert "anonymised" in notes["Klant hidden"][0] and "deleted" in notes["Klant gone"][0]
    assert notes["Klant same"] == [] and waiting == 0
    assert "hidden@example.org" not in text and "gone@example.org" not in text and "same@example.org" in text
    assert after["Klant hidden"].claims == cases["Klant hidden"].claims  # what is owed stays
