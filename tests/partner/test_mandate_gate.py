"""Papers that end, are too old or were signed by who has another name since: the case waits, and leaves by itself."""

from __future__ import annotations

import datetime as dt
from typing import Any

from msgspec.structs import replace
from web.office import Office, once

from collecthub.engine.doors import create_partner
from collecthub.store.connections import read_profiles
from partner.agency_office import AGENCY, add_agency, placed_case


def sign(office: Office, kind: str, **more: Any) -> None:
    body = {"kind": kind, "partner_id": AGENCY, "signed_by": "Ana", **more}
    made = office.client("operator").post("/api/v1/mandates", json=body, headers=once())
    assert made.status_code == 201, made.text
    office.run()


def holds(office: Office, case_id: str) -> list[str]:
    case = office.client("operator").get(f"/api/v1/cases/{case_id}").json()
    return [one["note"] for one in case["holds"]] or [case["status"]]


def test_what_is_over_too_old_or_of_another_name_keeps_a_case_until_it_is_signed_anew(both_office: Office) -> None:
    office = both_office
    add_agency(office, needs=("agreement", "identity_check"))
    today = office.hub.business_date()
    sign(office, "agreement", signed_on=str(today - dt.timedelta(days=30)), expires_on=str(today - dt.timedelta(days=1)))
    sign(office, "identity_check", signed_on=str(today - dt.timedelta(days=366)))
    first = placed_case(office)["case_id"]
    assert holds(office, first) == [f"agreement of {AGENCY}: expired; identity check of {AGENCY}: stale"]
    sign(office, "agreement", signed_on=str(today))
    assert holds(office, first)[0].startswith("agreement"), "one of two is not enough"
    sign(office, "identity_check", signed_on=str(today - dt.timedelta(days=365)))
    assert holds(office, first) == ["sent"]

    with office.hub.database.read() as conn:
        known = next(one for one in read_profiles(conn) if one.partner_id == AGENCY)
    create_partner(office.hub, replace(known, name=f" {known.name.upper()}"))  # written otherwise, the same name
    second = placed_case(office)["case_id"]
    assert holds(office, second) == ["sent"]
    create_partner(office.hub, replace(known, name="Estudio Nuevo SRL"))
    third = placed_case(office)["case_id"]
    assert holds(office, third) == [f"agreement of {AGENCY}: stale; identity check of {AGENCY}: stale"]
    papers = office.client("operator").get("/api/v1/mandates").text
    assert "(agency); it is 'Estudio Nuevo SRL' (agency) now" in papers
    for kind in ("agreement", "identity_check"):
        sign(office, kind, signed_on=str(today))
    assert holds(office, third) == ["sent"]
