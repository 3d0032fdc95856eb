"""What partners' codes lost in the cases so far: counted from the histories, with what waits for a person."""

from __future__ import annotations

from decimal import Decimal

import msgspec
from walk.scripted import World

from collecthub.engine.heard import heard
from collecthub.model.crosswalk import Fidelity
from collecthub.sdk import CaseReturn, CaseStatusUpdate, StatusCode
from collecthub.store.queries.scope import LOCAL_OPERATOR, Role, Scope
from web.office import Office


def test_what_was_lost_and_what_waits_is_counted(office: Office, world: World) -> None:
    hub = office.hub
    kind = next(row for row in office.client("operator").get("/api/v1/connections").json()["items"]
                if row["connection_id"] == "line")["kind"]  # fmt: skip
    hub.plugins.connectors[kind] = msgspec.structs.replace(hub.plugins.connectors[kind], vocabularies=("ygc", "collecthub"))
    case_id = office.open_case()["case_id"]
    office.run()
    codes = ("contact_made", "43", "contact_made", "39", "31", "HOUSE-7")
    for number, code in enumerate(codes, 1):
        world.say(f"s{number}", CaseStatusUpdate(
            message_id=f"m{number}", case_id=case_id, sequence=number, status_code=code, occurred_at=hub.now(),
        ))  # fmt: skip
    office.client("operator").post("/api/v1/connections/line/sync")
    office.run()
    with hub.database.read() as conn:
        told = heard(hub, conn, LOCAL_OPERATOR)
        nobody = heard(hub, conn, LOCAL_OPERATOR, "stranger")
        stranger = heard(hub, conn, Scope(role=Role.CREDITOR, subject="user:x", creditor_id="other"))
    assert [(one.code, one.count, one.vocabulary, one.verdict) for one in told.items] == [
        ("contact_made", 2, "collecthub", Fidelity.EXACT), ("43", 1, "ygc", Fidelity.LOSSY),
    ]  # fmt: skip
    assert "instalments" in told.items[1].lost and told.items[1].meaning == "plan_agreed"
    assert sorted((one.partner_id, one.count) for one in told.parked) == [("bailiff", 1)] * 3  # 39, 31, HOUSE-7
    assert (nobody.items, nobody.parked, stranger.items, stranger.parked) == ((), (), (), ())


def test_a_code_that_a_plugin_settled_is_no_longer_open(office: Office, world: World) -> None:
    hub = office.hub
    case_id = office.open_case()["case_id"]
    office.run()
    hub.plugins.codes["collecthub"]["HOUSE-8"] = StatusCode(
        code="HOUSE-8", meaning="closed", title="done", lost="everything"
    )
    world.say("r", CaseReturn(
        message_id="r1", case_id=case_id, close_code="HOUSE-8", currency="EUR", remaining=Decimal(0), occurred_on=hub.business_date(),
    ))  # fmt: skip
    office.client("operator").post("/api/v1/connections/line/sync")
    office.run()
    with hub.database.read() as conn:
        (one,) = heard(hub, conn, LOCAL_OPERATOR).items
    assert (one.code, one.verdict, one.lost, one.count) == ("HOUSE-8", Fidelity.LOSSY, "everything", 1)


def test_codes_are_translated_by_api(office: Office) -> None:
    client = office.client("bailiff")
    root = "/api/v1/status-codes"
    assert {"riverty", "collecthub", "eda"} <= set(client.get(root).json()["items"])
    exact = client.get(f"{root}/translation", params={"vocabulary": "riverty", "code": "FULL_PAYMENT"}).json()
    assert (exact["verdict"], exact["outcome"]) == ("exact", "paid_full")
    open_point = client.get(f"{root}/translation", params={"vocabulary": "eda", "code": "02"}).json()
    assert (open_point["verdict"], open_point["candidates"]) == ("ambiguous", ["summons_served", "service_failed"])
    told = client.get(f"{root}/report", params={"vocabulary": "debrec"}).json()
    assert told["counts"] == {"exact": 1, "lossy": 2, "ambiguous": 0, "unmapped": 4, "unknown": 0}
    assert client.get(f"{root}/report", params={"vocabulary": "moon"}).status_code == 422
    assert (client.get(f"{root}/heard").status_code, office.client("operator").get(f"{root}/heard").status_code) == (403, 200)
