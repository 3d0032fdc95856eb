"""A register that is watched, over HTTP: who is found in it is left alone at once, everywhere, and the time limits run."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pypdf
import pytest
import sqlalchemy as sa
from web.office import Office, once

import collecthub_insolvency_register
from collecthub.engine.doors import connect
from collecthub.engine.register_watch import watch_register
from collecthub.errors import PermanentError
from collecthub.sandbox.twin import RunningTwin, start_twin
from collecthub.store import tables as t
from collecthub.store.connections import read_connection
from collecthub.store.queries.scope import LOCAL_OPERATOR
from human.test_identity import ask, debtor_of, opened
from human.test_plans import case, post, tasks


@pytest.fixture(scope="module")
def register(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningTwin]:
    twin = start_twin("insolvency_register", tmp_path_factory.mktemp("register"))
    yield twin
    twin.stop()


@pytest.fixture
def watched(office: Office, register: RunningTwin) -> Office:
    office.hub.plugins.add("insolvency_register", collecthub_insolvency_register)
    with office.hub.work() as work:
        with pytest.raises(PermanentError, match="belongs to nobody"):
            add(office, work, register, creditor_id="kroon")
        add(office, work, register)
    return office


def add(office: Office, work: Any, register: RunningTwin, **owner: str) -> None:
    settings: dict[str, object] = {
        "base_url": f"{register.url}{register.facts['base_path']}", "token": register.facts["token"], "page_size": 2,
    }  # fmt: skip
    connect(
        office.hub, work, LOCAL_OPERATOR, kind="insolvency_register", name="Register", settings=settings,
        connection_id="register", **owner,
    )  # fmt: skip


def publish(register: RunningTwin, ref: str, **changes: Any) -> None:
    register.control(
        "publish",
        {
            "id": ref, "type": "bankruptcy", "declared_on": "2026-06-10", "published_on": "2026-06-12",
            "debtor": {"name": "BLOEMEN ROOS", "country": "BE", "number": "0403.170.701"},
            "court": {"name": "Ondernemingsrechtbank Gent", "reference": f"D/26/{ref}"}, "trustee": "Mr. Peeters", **changes,
        },
    )  # fmt: skip


def reasons(office: Office, case_id: str) -> list[str]:
    found: dict[str, Any] = office.client("operator").get(f"/api/v1/cases/{case_id}").json()
    return [hold["reason"] for hold in found["holds"]]


def test_what_is_published_stops_every_case_of_the_debtor(watched: Office, register: RunningTwin) -> None:
    """Two creditors, and a third case that a person had joined without any number; a namesake is only asked about."""
    office = watched
    ours, theirs = opened(office, "kroon", "100"), opened(office, "other", "A-7")
    joined = opened(office, "kroon", "200", vat_ref="", name="Bloemen Roos")
    other = opened(office, "other", "B", vat_ref="BE0202239951", name="Bloemen Roos", email="b@b.be")
    office.run()
    (pair,) = ask(office, "twins", "kroon")["items"]
    ask(office, f"twins/{pair['twin_id']}/decision", is_same=True, reason="one shop")
    publish(register, "0", debtor={"name": "Somebody Else", "country": "BE", "number": "0202239951"})
    publish(register, "broken", declared_on="yesterday")
    publish(register, "1")
    register.control("be_away", {"times": 1})
    watch_register(office.hub, "register")
    assert reasons(office, ours) == [], "the register was closed; nothing is lost"
    watch_register(office.hub, "register")
    for case_id in (ours, theirs, joined):
        assert reasons(office, case_id) == ["insolvency"], case_id
        (one,) = office.client("operator").get(f"/api/v1/cases/{case_id}/proceedings").json()["proceedings"]
        assert one["proceeding"]["deadline_on"] == "2026-07-10" and one["proceeding"]["reference"] == "D/26/1"
        assert "Peeters" in one["proceeding"]["authority"]
    assert reasons(office, other) == [] and "register_notice" in tasks(office, other), "another name: a person looks"
    assert "file_claim" in tasks(office, ours) and debtor_of(office, ours)["identity_id"] == debtor_of(office, joined)["identity_id"]
    with office.hub.database.read() as conn:
        row = read_connection(conn, "register")
        unread = list(conn.scalars(sa.select(t.tasks.c.detail).where(t.tasks.c.kind == "register_unread")))
    assert row is not None and row.checkpoint == "3" and unread == ["broken"]
    papers = office.client("kroon").get(f"/api/v1/cases/{ours}/documents").json()["items"]
    assert [one["kind"] for one in papers] == [], "made by the runner"
    office.run()
    (paper,) = office.client("kroon").get(f"/api/v1/cases/{ours}/documents").json()["items"]
    content = office.client("kroon").get(f"/api/v1/cases/{ours}/documents/{paper['document_id']}").content
    claim = json.loads(zipfile.ZipFile(io.BytesIO(content)).read("claim.json"))
    assert claim["proceeding"]["reference"] == "D/26/1" and claim["settlement"]["principal"] == "120.50"
    before = case(office, ours)["version"]
    watch_register(office.hub, "register")
    assert case(office, ours)["version"] == before, "looked at again, nothing happens twice"
    late = opened(office, "other", "NEW", email="new@example.org")
    office.run()
    assert reasons(office, late) == ["insolvency"], "a case that is opened after the notice meets it before it leaves"
    assert case_of(office, late)["placement"] is None


def case_of(office: Office, case_id: str) -> dict[str, Any]:
    found: dict[str, Any] = office.client("operator").get(f"/api/v1/cases/{case_id}").json()
    return found


def test_the_claim_file_says_what_is_claimed(office: Office) -> None:
    """120.50 due on 1 May 2026, declared on 1 June: Belgian interest of those 31 days, and not a day more."""
    case_id = str(office.open_case()["case_id"])
    office.client("kroon").post(
        f"/api/v1/cases/{case_id}/documents", content=b"%PDF-1.4 proof", params={"name": "F 1.pdf", "kind": "invoice"},
        headers={**once(), "Content-Type": "application/pdf"},
    )  # fmt: skip
    refused = office.client("kroon").get(f"/api/v1/cases/{case_id}/proceedings/claim-file")
    assert refused.status_code == 422 and "no insolvency runs" in refused.text
    post(office, f"{case_id}/proceedings/begin", kind="bankruptcy", began_on="2026-06-01", authority="Gent", reference="D/26/9")
    found = office.client("kroon").get(
        f"/api/v1/cases/{case_id}/proceedings/claim-file", params={"preference": "pledge", "goods": ["ten chairs"]}
    )
    archive = zipfile.ZipFile(io.BytesIO(found.content))
    assert archive.namelist() == ["claim.pdf", "claim.json", "enclosure-01-F_1.pdf"]
    assert archive.read("enclosure-01-F_1.pdf") == b"%PDF-1.4 proof"
    claim = json.loads(archive.read("claim.json"))
    rate = next(line for line in claim["settlement"]["claims"])
    assert claim["settlement"]["until"] == "2026-06-01" and claim["settlement"]["open"] == "120.50"
    assert claim["total"] == str(Decimal("120.50") + Decimal(rate["interest"])) and Decimal(rate["interest"]) > 1
    text = "\n".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(archive.read("claim.pdf"))).pages)
    for word in ("D/26/9", "2026-07-01", "pledge", "ten chairs", "enclosure-01", claim["total"]):
        assert word in text, word
