"""What a person asks about himself: the whole of what is held, and to be erased, with every chain whole afterwards."""

from __future__ import annotations

import datetime as dt
import io
import json
import zipfile
from decimal import Decimal

import sqlalchemy as sa
from web.office import Office, once

from collecthub.engine.case_work import change_case, locked_case
from collecthub.engine.identity import identify
from collecthub.engine.verify import verify
from collecthub.model.codes import Outcome
from collecthub.model.event import CaseClosed, CaseReturned, CreditSeen
from collecthub.store import tables as t
from collecthub.store.audit import verify_audit
from human.test_identity import ask, debtor_of
from human.test_plans import post

NAME, SECRET, PAPER = "Annelies Verstraete", "my mother Godelieve paid it", b"%PDF-1.4 letter of Annelies"


def person(office: Office, kind: str = "person") -> tuple[str, str]:
    """A debtor with a note, a dispute and a paper; returns case and identity."""
    debtor = {"name": NAME, "kind": kind, "country": "BE", "email": "annelies@example.org"}
    case_id = str(office.open_case(debtor=debtor)["case_id"])
    client = office.client("kroon")
    assert client.post(f"/api/v1/cases/{case_id}/notes", json={"text": SECRET}, headers=once()).status_code in (200, 201)
    post(office, f"{case_id}/objections/raise-dispute", ground=SECRET, amount="10.00")
    client.post(
        f"/api/v1/cases/{case_id}/documents", content=PAPER, params={"name": f"{NAME}.pdf", "kind": "other"},
        headers={**once(), "Content-Type": "application/pdf"},
    )  # fmt: skip
    identify(office.hub, "kroon")
    return case_id, str(debtor_of(office, case_id)["identity_id"])


def whole_database(office: Office) -> str:
    with office.hub.database.read() as conn:
        return "\n".join(str(row) for table in t.cases.metadata.sorted_tables for row in conn.execute(sa.select(table)))


def test_everything_is_handed_out_and_erased_when_the_law_lets(both_office: Office) -> None:
    office = both_office
    case_id, identity_id = person(office)
    request = ask(office, f"debtors/{identity_id}/requests", kind="access")
    found = office.client("operator").post(f"/api/v1/requests/{request['request_id']}/archive", headers=once())
    archive = zipfile.ZipFile(io.BytesIO(found.content))
    together = b"\n".join(archive.read(name) for name in archive.namelist())
    assert SECRET.encode() in together and PAPER in together and NAME.encode() in together
    assert {name.partition("/")[0] for name in archive.namelist()} == {"kroon", "what-is-kept-and-why.json"}
    reasons = json.loads(archive.read("what-is-kept-and-why.json"))
    assert {one["rule"]["title"] for one in reasons} >= {"cases, their histories and ledgers", "invoices and other papers"}
    assert all(one["rule"]["source"] and one["rule"]["ground"] and one["until_on"] is None for one in reasons), "a case is open"
    request = ask(office, f"debtors/{identity_id}/requests", kind="erasure")
    assert "is open" in request["grounds"][0]["reason"]
    place = f"/api/v1/requests/{request['request_id']}/erase"
    assert "cannot be erased yet" in office.client("operator").post(place, headers=once()).text
    post(office, f"{case_id}/withdraw", text=f"{NAME} moved away")
    refused = office.client("operator").post(place, headers=once())
    assert refused.status_code == 422 and "until 2036-06-15" in refused.text and "limitation" in refused.text
    for who in ("kroon", "other"):
        assert office.client(who).post(place, headers=once()).status_code in (403, 404)
    assert office.hub._day_offset is not None
    office.hub._day_offset += dt.timedelta(days=365 * 10 + 4)
    sha256 = sha_of(office, case_id)
    assert NAME in whole_database(office)
    assert office.client("operator").post(place, headers=once()).status_code == 200
    left = whole_database(office)
    assert NAME not in left and SECRET not in left and "annelies" not in left
    assert not office.hub.evidence.path(sha256).exists()
    checked, findings = verify(office.hub)
    assert checked == 1 and findings == (), "amounts, days and hashes are whole"
    with office.hub.database.write() as conn:
        assert verify_audit(conn) == ""
        doc = conn.scalar(sa.select(t.events.c.doc).where(t.events.c.case_id == case_id, t.events.c.seq == 2))
        conn.execute(sa.update(t.events).where(t.events.c.case_id == case_id, t.events.c.seq == 2).values(doc=str(doc).replace("(erased)", "(forged)")))
    assert [one.seq for one in verify(office.hub)[1]] == [2], "nobody writes anything else in its place"


def test_what_partners_and_the_bank_know_of_him_goes_and_others_stay(office: Office) -> None:
    """His case was sent, costs were given up for a reason that names him; another debtor's case was sent after his."""
    case_id, identity_id = person(office, "company")  # she trades under her own name
    other = {"name": "Bram Peeters", "kind": "company", "country": "BE", "email": "bram@example.org"}
    office.run()
    office.open_case(debtor=other)
    office.run()
    with office.hub.work() as work:
        case = locked_case(work, case_id)
        credited = CreditSeen(claim_id=case.claims[0].claim_id, amount=Decimal("20.00"), reason=SECRET)
        returned = CaseReturned(close_code="x", outcome=Outcome.EXHAUSTED, remaining=Decimal("100.50"), text=SECRET)
        closed = CaseClosed(outcome=Outcome.EXHAUSTED, reason=SECRET)
        change_case(office.hub, work, case, [credited, returned, closed], actor="partner:bailiff")
    assert office.client("kroon").get(f"/api/v1/cases/{case_id}").json()["status"] == "closed"
    assert office.hub._day_offset is not None
    office.hub._day_offset += dt.timedelta(days=365 * 10 + 4)
    request = ask(office, f"debtors/{identity_id}/requests", kind="erasure")
    assert request["grounds"] == [] and {one["items"] for one in request["kept"] if "partners" in one["rule"]["title"]} == {1}
    assert any(NAME.encode() in one for one in kept_bytes(office)) and SECRET in whole_database(office)
    done = office.client("operator").post(f"/api/v1/requests/{request['request_id']}/erase", headers=once())
    assert done.status_code == 200, done.text
    left = whole_database(office)
    assert NAME not in left and SECRET not in left and "Bram Peeters" in left
    assert not any(NAME.encode() in one or SECRET.encode() in one for one in kept_bytes(office))
    assert any(b"Bram Peeters" in one for one in kept_bytes(office)), "nobody else lost anything"
    assert verify(office.hub)[1] == ()


def kept_bytes(office: Office) -> list[bytes]:
    return [path.read_bytes() for path in office.hub.evidence.folder.glob("??/*")]


def sha_of(office: Office, case_id: str) -> str:
    with office.hub.database.read() as conn:
        return str(conn.scalar(sa.select(t.documents.c.sha256).where(t.documents.c.case_id == case_id)))
