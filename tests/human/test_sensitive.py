"""Health bills: lines and papers are kept from everybody without a stated need, and whoever looks is in the history."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from web.office import Office, once

from collecthub.engine.contact_words import letter_facts, preview_message
from collecthub.engine.sensitive_desk import open_lines
from collecthub.model.contact import Tone
from collecthub.paper.letter_text import short_words
from collecthub.store import tables as t
from collecthub.store.case_log import read_case
from collecthub.store.connections import read_creditor
from collecthub.store.queries.scope import LOCAL_OPERATOR
from human.test_plans import post

NAME, BYTES = "oncology 12 May.pdf", b"%PDF-1.4 chemotherapy"


def with_paper(office: Office, *, is_marked: bool) -> tuple[str, str]:
    case_id = str(office.open_case()["case_id"])
    sent = office.client("kroon").post(
        f"/api/v1/cases/{case_id}/documents", content=BYTES, params={"name": NAME, "kind": "invoice"},
        headers={**once(), "Content-Type": "application/pdf"},
    )  # fmt: skip
    assert sent.status_code == 201, sent.text
    if is_marked:
        post(office, f"{case_id}/sensitive/marks", reason="a hospital's bill")
    return case_id, str(sent.json()["document_id"])


def read(office: Office, who: str, path: str, wanted: int = 200, **query: str) -> Any:
    found = office.client(who).get(f"/api/v1/cases/{path}", params=query)
    assert found.status_code == wanted, found.text
    return found


def test_a_paper_needs_a_purpose_and_leaves_a_trace(both_office: Office) -> None:
    office = both_office
    case_id, document_id = with_paper(office, is_marked=True)
    place = f"{case_id}/documents/{document_id}"
    for who in ("kroon", "operator"):
        assert "health" in read(office, who, place, wanted=422).text
        assert NAME not in read(office, who, f"{case_id}/documents").text
        assert NAME not in read(office, who, f"{case_id}/timeline").text
    assert read(office, "kroon", place, purpose="the debtor asks for it").content == BYTES
    history = read(office, "kroon", f"{case_id}/timeline").json()["items"]
    (trace,) = [one for one in history if one["kind"] == "sensitive_shown"]
    assert trace["fact"] == {"what": document_id, "purpose": "the debtor asks for it"} and trace["actor"].startswith("key:")
    read(office, "kroon", place, wanted=422)
    assert open_lines(office.hub, LOCAL_OPERATOR, case_id, "a complaint") == ()


def sent_bytes(office: Office) -> bytes:
    with office.hub.database.read() as conn:
        hashes = list(conn.scalars(sa.select(t.envelopes.c.sha256)))
    return b"".join(office.hub.evidence.read(one) for one in hashes)


def test_a_partner_gets_them_only_when_somebody_stated_the_need(office: Office) -> None:
    """First a case that is not sensitive: its paper leaves, so that the other's absence means something."""
    plain, plain_paper = with_paper(office, is_marked=False)
    office.run()
    assert NAME.encode() in sent_bytes(office)
    with office.hub.database.write() as conn:
        conn.execute(sa.delete(t.envelopes))
    case_id, document_id = with_paper(office, is_marked=True)
    office.run()
    assert office.client("kroon").get(f"/api/v1/cases/{case_id}").json()["placement"]["partner_id"] == "bailiff"
    assert sent_bytes(office) and b"oncology" not in sent_bytes(office)
    assert read(office, "bailiff", f"{plain}/documents/{plain_paper}").content == BYTES
    read(office, "bailiff", f"{case_id}/documents/{document_id}", wanted=422, purpose="curious")
    post(office, f"{case_id}/sensitive/needs", partner_id="bailiff", purpose="the judge asks for the invoice")
    assert read(office, "bailiff", f"{case_id}/documents/{document_id}", purpose="file for the judge").content == BYTES


def test_subjects_and_text_messages_do_not_name_the_hospital(office: Office) -> None:
    case_id, _ = with_paper(office, is_marked=False)
    assert "De Kroon" in preview_message(office.hub, LOCAL_OPERATOR, case_id, Tone.FIRM).subject
    post(office, f"{case_id}/sensitive/marks", reason="a hospital's bill")
    after = preview_message(office.hub, LOCAL_OPERATOR, case_id, Tone.FIRM)
    assert "Kroon" not in after.subject and "De Kroon" in after.text
    with office.hub.database.read() as conn:
        case, creditor = read_case(conn, case_id), read_creditor(conn, "kroon")
    assert case is not None and creditor is not None
    facts = letter_facts(case, creditor, office.hub.business_date())
    for language in ("nl", "fr", "de", "en"):
        assert "Kroon" not in short_words(facts, Tone.FIRM, language).text
