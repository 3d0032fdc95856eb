"""Every route against every other tenant: what is somebody else's answers like what does not exist.

The routes come from the app itself, so that a new one is tested on the day it is added.
"""

from __future__ import annotations

import hashlib
import itertools
import re
from collections.abc import Iterator
from typing import Any

import msgspec
import sqlalchemy as sa
from payments.bank_samples import camt, paid
from walk.scripted import World

import collecthub_creditor_webhook
from collecthub.engine.act_desk import take_request
from collecthub.engine.identity import identify
from collecthub.model.exchange import CaseFile
from collecthub.model.ids import new_id
from collecthub.store import tables as t
from collecthub.store.connections import read_connection
from collecthub.store.quarantine import quarantine_row
from collecthub.store.remittance_tables import remittances
from collecthub.web.openapi import document
from web import hooked
from web.all_doors import all_doors
from web.office import Office, change, once

# A body that passes validation, per last part of the path.
BODIES: dict[str, Any] = {
    "payments": {"amount": "1.00", "paid_on": "2026-06-01"},
    "debtor's payments": {"amount": "1.00", "currency": "EUR", "paid_on": "2026-06-01"},
    "nature": {"nature": "general"}, "circumstances": {"contract_on": "2026-01-02"},
    "answers": {"text": "yes"}, "notes": {"text": "n"}, "withdraw": {"text": "n"},
    "holds": {"reason": "dispute"}, "release": {"reason": "dispute"},
    "cost-decisions": {"is_approved": True, "text": "n"},
    "propose": {"instalments": 2}, "agree": {}, "refuse": {"reason": "n"}, "end": {"reason": "n"},
    "score": {}, "overrule": {"band": "good", "reason": "n"}, "contest": {"text": "n"}, "contest-answer": {"text": "n"},
    "raise-dispute": {"ground": "n"},
    "evidence-requests": {"dispute_id": "d", "what": "n"}, "evidence": {"dispute_id": "d", "text": "n"},
    "decisions": {"dispute_id": "d", "decision": "rejected", "reason": "n"}, "complaints": {"text": "n"},
    "complaint-answers": {"text": "n"}, "reasons": {"reason": "cannot"}, "hardships": {"hardship": "vulnerable"},
    "referrals": {"service": "n"}, "begin": {"kind": "bankruptcy"}, "acts": {"proceeding_id": "p", "act": "serve"},
    "approvals": {"kind": "judicial", "estimate": "1.00", "cap": "2.00", "reason": "n"},
    "approval-decisions": {"is_given": True},
    "take-over": {"holder_name": "x", "balance": "1.00"}, "owner": {"owner": "x"},
    "assign": {"case_id": "{case_id}"}, "undo": {"original_id": "{payment_id}"}, "set-aside": {"note": "n"}, "proposals": {"key": "k"},
    "acceptance": {"holder_ref": "x"}, "refusal": {"reason_code": "x"}, "questions": {"text": "x"},
    "status-reports": {"status_code": "contact_made", "occurred_at": "2026-06-15T00:00:00Z"},
    "costs": {"cost_ref": "x", "cost_type": "other", "currency": "EUR", "amount": "1.00", "bearer": "debtor",
              "occurred_on": "2026-06-14"},
    "receipts": {"payment_ref": "x", "currency": "EUR", "amount": "1.00", "received_on": "2026-06-14"},
    "plans": {"currency": "EUR", "instalments": [{"due_on": "2026-07-01", "amount": "1.00"}], "is_agreed": True,
              "occurred_at": "2026-06-15T00:00:00Z"},
    "disputes": {"text": "x", "currency": "EUR", "occurred_at": "2026-06-15T00:00:00Z"},
    "return": {"close_code": "other", "currency": "EUR", "remaining": "1.00", "occurred_on": "2026-06-14"},
    "books": {"lines": []}, "links": {}, "quote": {},
    "replay": {"from_at": "2026-06-14T00:00:00Z", "to_at": "2026-06-14T00:00:01Z"},
    "write-offs": {"reason": "n"}, "decision": {"is_same": False, "reason": "n"}, "capacity": {"amount": "1.00", "currency": "EUR"},
    "take-apart": {"connection_id": "{books_id}", "debtor_ref": "{debtor_ref}", "reason": "n"}, "spread": {"rule": "oldest"},
    "plan": {"currency": "EUR"}, "divided-payments": {"payment_id": "x"}, "marks": {"reason": "n"},
    "requests": {"kind": "access"}, "needs": {"partner_id": "bailiff", "purpose": "n"},
    "transfer": {}, "debtor-address": {"country": "PT"}, "revoke": {"text": "n"},
    "first-wave": {}, "divisions": {"division_refs": ["1"]}, "settle": {"verdict": "arrived"}, "resolve": {"note": "n"},
}  # fmt: skip


def routes_with_ids() -> Iterator[tuple[str, str]]:
    for path, item in document(all_doors())["paths"].items():
        if "{" in path.replace("{country}", "") and path.startswith("/api/"):  # a country is nobody's
            yield from ((method, path) for method in item if method in ("get", "post", "delete", "put", "patch"))


def owner_of(path: str) -> str:
    """Whose door a path is, of those who have to do with kroon's case."""
    if "/partner/" in path or path.endswith("/partners/{partner_id}"):
        return "bailiff"
    operators = ("/debtors/", "/requests/", "/acts/", "/keys/", "/dispatches/", "/partners/{partner_id}/", "/partner-links/")
    return "operator" if any(part in path for part in operators) else "kroon"


def call(office: Office, who: str, method: str, path: str, ids: dict[str, str]) -> tuple[int, bytes]:
    if path.endswith("/erase"):  # asks for a request of its own kind
        ids = ids | {"request_id": ids["erasure_id"]}

    def fill(text: str) -> str:
        return re.sub(r"\{(\w+)\}", lambda match: ids[match.group(1)], text)

    last = path.rsplit("/", 1)[1]
    last = "debtor's payments" if path.startswith("/api/v1/debtors/") and last == "payments" else last
    body = {} if path.endswith("/connections/{connection_id}/release") else BODIES.get(last)
    body = {} if method == "patch" else body
    body = {name: fill(value) if isinstance(value, str) else value for name, value in body.items()} if body else body
    more: dict[str, Any] = {"json": body} if body is not None and method != "get" else {}
    if last in ("documents", "imports") and method == "post":
        more = {"content": b"x", "params": {"name": "x.txt"}}
    response = office.client(who).request(method, fill(path), headers=change(), **more)
    return response.status_code, response.content


def kroons_things(office: Office, world: World) -> dict[str, str]:
    """One of everything that belongs to kroon, and a case that is out with the bailiff."""
    hub = office.hub
    opened = office.open_case()
    office.run()
    document_path = f"/api/v1/cases/{opened['case_id']}/documents"
    added = office.client("kroon").post(document_path, params={"name": "a.txt"}, content=b"x", headers=change()).json()
    statement = camt("camt.053", [paid("5.00", text="for whom it may concern", name="Nobody")])
    office.client("kroon").post("/api/v1/payments/imports", params={"name": "bank.xml"}, content=statement)
    (payment,) = office.client("kroon").get("/api/v1/payments").json()["items"]
    office.hub.plugins.add("creditor_webhook", collecthub_creditor_webhook)
    address = {"url": "http://127.0.0.1:65534/hook"}
    webhook = office.client("kroon").post("/api/v1/webhooks", json=address, headers=change())
    said = BODIES["questions"]
    report = office.client("bailiff").post(f"/api/v1/partner/cases/{opened['case_id']}/questions", json=said, headers=change())
    signed = {"kind": "power_of_attorney", "partner_id": "bailiff", "creditor_id": "kroon", "signed_by": "x"}
    paper = office.client("kroon").post("/api/v1/mandates", json=signed, headers=change())
    terms = {"from_on": "2026-01-01", "accepted_by": "order", "document_name": "t.txt", "document": "eA=="}
    terms_id = office.client("kroon").post("/api/v1/general-terms", json=terms, headers=once()).json()["terms_id"]
    proposed = {"text": PLAYBOOK, "note": ""}
    office.client("operator").post("/api/v1/playbook/proposed-versions", json=proposed, params={"creditor_id": "kroon"}, headers=once())
    (balance,) = office.client("bailiff").get("/api/v1/partner/balances").json()["items"]
    link = office.client("operator").post("/api/v1/partners/bailiff/links", json={})
    with hub.work() as work:
        task_id = new_id()
        row = read_connection(work.conn, "books")
        assert row is not None
        entry = quarantine_row(work.conn, row, "row", "r", "c", "why", hub.evidence.keep(b"x"), work.now)
        work.conn.execute(
            sa.insert(t.tasks).values(
                task_id=task_id, creditor_id="kroon", kind="k", title="t", owner="creditor", state="open",
                created_at=work.now,
            )
        )
        envelope_id = work.conn.scalar(sa.select(t.envelopes.c.envelope_id))
        remittance_id = new_id()
        work.conn.execute(
            sa.insert(remittances).values(
                remittance_id=remittance_id, number="RM-1", creditor_id="kroon", currency="EUR", state="created",
                made_on=hub.business_date(), made_at=work.now,
            )
        )
    assert envelope_id is not None, "the case went out"
    pair = a_pair(office)
    debtor = office.client("operator").get(f"/api/v1/cases/{opened['case_id']}/debtor").json()
    access, erasure = (
        office.client("operator").post(f"/api/v1/debtors/{debtor['identity_id']}/requests", json={"kind": kind}, headers=once()).json()
        for kind in ("access", "erasure")
    )
    key = office.client("operator").post("/api/v1/keys", json={"name": "x", "role": "creditor", "creditor_id": "kroon"}).json()["key"]
    return {
        "identity_id": debtor["identity_id"], "books_id": debtor["books"][0]["connection_id"],
        "debtor_ref": debtor["books"][0]["debtor_ref"], "twin_id": pair, "request_id": access["request_id"],
        "erasure_id": erasure["request_id"], "key_id": key["key_id"],
        "case_id": opened["case_id"], "document_id": added["document_id"], "connection_id": "books",
        "task_id": task_id, "source": "task", "item_id": task_id, "payment_id": payment["payment_id"], "quarantine_id": entry or "", "envelope_id": envelope_id, "remittance_id": remittance_id,
        "mandate_id": paper.json()["mandate_id"], "report_id": report.json()["report_id"], "webhook_id": webhook.json()["webhook_id"],
        "terms_id": terms_id, "act_id": an_act(office, "bailiff"), "number": "1", "balance_id": balance["balance_id"], "partner_id": "bailiff", "link_id": link.json()["link_id"],
    }  # fmt: skip


PLAYBOOK = (
    "[[contact]]\nname = 'a'\nhandover_after_days = 9\n"
    "[[contact.steps]]\nname = 's'\nafter_days = 3\nchannel = 'email'\ntone = 'firm'\n"
)
X_SHA256 = hashlib.sha256(b"x").hexdigest()


def a_pair(office: Office) -> str:
    """Two of kroon's customers who may be one."""
    for number in ("1", "2"):
        debtor = {"name": "Bloemen Roos", "country": "BE", "email": "roos@example.org"}
        office.open_case(debtor=debtor, debtor_ref=number)
    identify(office.hub, "kroon")
    (pair,) = office.client("kroon").get("/api/v1/twins").json()["items"]
    return str(pair["twin_id"])


def an_act(office: Office, partner_id: str, addressee: str = "A") -> str:
    """An act that a partner asks for."""
    with office.hub.work() as work:
        debtor = {"name": addressee, "address": {"lines": ["Kouter 1"], "city": "Gent", "country": "BE"}}
        file = {
            "type": "case_file", "message_id": addressee, "case_id": addressee, "case_number": "1", "procedure": "judicial",
            "currency": "EUR", "language": "fr", "creditor": {"name": "Z", "country": "FR"}, "debtors": [debtor],
            "claims": [], "principal": "1.00", "payment": {"payee": "Z"}, "orders": [{"code": "service"}],
            "documents": [{"name": "a", "kind": "other", "media_type": "application/pdf", "content": "eA==", "sha256": X_SHA256}],
        }  # fmt: skip
        return take_request(office.hub, work, partner_id, msgspec.convert(file, CaseFile, strict=False)).act_id


def test_nothing_of_one_tenant_exists_for_another(office: Office, world: World) -> None:
    ids = kroons_things(office, world)
    unknown = {name: new_id() for name in ids} | {"number": ids["number"]}  # a place in a list, nobody's id
    routes = list(routes_with_ids())
    assert len(routes) >= 25
    for (method, path), who in itertools.product(routes, ("other", "stranger")):
        theirs, nobodys = call(office, who, method, path, ids), call(office, who, method, path, unknown)
        assert theirs == nobodys, (who, method, path)
        assert theirs[0] in (403, 404), (who, method, path, theirs)


def test_the_owner_is_let_in_where_the_others_were_not(office: Office, world: World) -> None:
    """The twin of the test above: with the same ids the right tenant is not answered 404."""
    ids = kroons_things(office, world)
    for method, path in routes_with_ids():
        who = owner_of(path)
        status, body = call(office, who, method, path, ids)
        assert status != 404, (method, path, body)


def test_lists_hold_only_the_tenants_own(office: Office, world: World) -> None:
    ids = kroons_things(office, world)
    for path, item in document(all_doors())["paths"].items():
        if "get" not in item or "{" in path or not path.startswith("/api/"):
            continue
        asks = any(parameter.get("required") for parameter in item["get"].get("parameters", ()))
        for who in ("other", "stranger"):
            response = office.client(who).get(path)
            assert response.status_code in ((403, 422) if asks else (200, 403)), (who, path)
            assert not any(value in response.text for name, value in ids.items() if name not in ("connection_id", "partner_id", "number")), (who, path)
            assert "kroon" not in response.text, (who, path)


def test_a_tenant_in_body_or_query_is_not_believed(office: Office, world: World) -> None:
    ids = kroons_things(office, world)
    assert office.client("other").get("/api/v1/cases", params={"creditor": "kroon"}).json()["items"] == []
    body = {"debtor": {"name": "x"}, "currency": "EUR", "creditor_id": "kroon",
            "claims": [{"number": "1", "due_on": "2026-01-01", "amount": "1.00"}]}  # fmt: skip
    foreign = office.client("other").post("/api/v1/cases", json=body, headers=change())
    unknown = office.client("other").post("/api/v1/cases", json={**body, "creditor_id": "nobody"}, headers=change())
    assert (foreign.status_code, foreign.content) == (404, unknown.content)
    tasks = office.client("other").get("/api/v1/tasks", params={"case_id": ids["case_id"]})
    assert tasks.json()["items"] == []


def test_a_partner_sees_what_it_holds_and_only_what_it_needs(office: Office, world: World) -> None:
    ids = kroons_things(office, world)
    client = office.client("bailiff")
    (item,) = client.get("/api/v1/cases").json()["items"]
    assert item["case_id"] == ids["case_id"]
    assert not {"creditor_id", "holds", "owner", "partner_id", "debtor_ref"} & item.keys()
    root = f"/api/v1/cases/{ids['case_id']}"
    assert not {"holds", "past_placements", "owner", "origin_ref", "connection_id"} & client.get(root).json().keys()
    kinds = {entry["kind"] for entry in client.get(f"{root}/timeline").json()["items"]}
    assert "case_sent" in kinds
    assert not kinds & {"case_opened", "route_chosen", "note_added", "hold_set"}
    assert client.get("/api/v1/cases", params={"hold": "any"}).status_code == 422
    note = client.post(f"{root}/notes", json={"text": "x"}, headers=change())
    assert note.status_code == 403
    office.client("kroon").post(f"{root}/withdraw", json={"text": "x"}, headers=change())
    office.run()
    assert client.get(root).status_code == 200  # still out: the recall is not confirmed yet


def test_secrets_of_a_connection_are_never_shown(office: Office, world: World) -> None:
    office.hub.plugins.add("hooked", hooked)
    body = {"kind": "pushing", "name": "p", "partner_id": "stranger", "settings": {"word": "open-sesame"}}
    made = office.client("operator").post("/api/v1/connections", json=body, headers=change())
    assert made.status_code == 201, made.text
    shown = office.client("operator").get(f"/api/v1/connections/{made.json()['connection_id']}").text
    assert "open-sesame" not in shown
    with office.hub.work() as work:
        rows = work.conn.execute(sa.select(t.connections.c.settings)).scalars().all()
        assert not any("open-sesame" in row for row in rows)
    assert office.hub.connector(made.json()["connection_id"]) is not None
