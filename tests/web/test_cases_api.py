"""Cases by API: opened once, seen by their tenant, changed on what was seen."""

from __future__ import annotations

import pytest

from web.office import Office, case_body, change, once


def test_a_case_enters_is_confirmed_and_listed(both_office: Office) -> None:
    opened = both_office.open_case(origin_ref="A-1")
    assert opened["number"].startswith("CH-")
    client = both_office.client("kroon")
    page = client.get("/api/v1/cases").json()
    assert [item["case_id"] for item in page["items"]] == [opened["case_id"]]
    assert page["items"][0]["total"] == "120.50"
    assert page["next_cursor"] is None
    detail = client.get(f"/api/v1/cases/{opened['case_id']}")
    assert detail.json()["claims"][0]["open_amount"] == "120.50"
    tag = detail.headers["etag"]
    assert tag.startswith(f'"v{detail.json()["version"]}-')
    again = client.get(f"/api/v1/cases/{opened['case_id']}", headers={"If-None-Match": f'"x", W/{tag}'})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    kinds = [entry["kind"] for entry in client.get(f"/api/v1/cases/{opened['case_id']}/timeline").json()["items"]]
    assert kinds[0] == "case_opened"


def test_the_same_draft_twice_is_one_case(office: Office) -> None:
    body = case_body(origin_ref="A-1")
    client, key = office.client("kroon"), once()
    first = client.post("/api/v1/cases", json=body, headers=key)
    again = client.post("/api/v1/cases", json=body, headers=key)
    assert (first.status_code, first.content) == (again.status_code, again.content)
    assert again.headers["idempotent-replayed"] == "true"
    other_body = client.post("/api/v1/cases", json={**body, "debtor_ref": "x"}, headers=key)
    assert (other_body.status_code, other_body.json()["code"]) == (422, "idempotency-key-reused")
    no_key = client.post("/api/v1/cases", json=body)
    assert (no_key.status_code, no_key.json()["code"]) == (400, "idempotency-key-missing")
    new_key = client.post("/api/v1/cases", json=body, headers=once())
    assert (new_key.status_code, new_key.json()["code"]) == (422, "refused")
    assert first.json()["number"] in new_key.json()["detail"]
    assert len(client.get("/api/v1/cases").json()["items"]) == 1


def test_every_wrong_field_is_named_and_nothing_is_kept(office: Office) -> None:
    body = case_body(
        claims=[
            {"number": "F-1", "due_on": "2030-01-01", "amount": "10.001"},
            {"number": "F-1", "due_on": "2026-01-01", "amount": "-5.00"},
        ],
        debtor={"name": " "},
    )
    response = office.client("kroon").post("/api/v1/cases", json=body, headers=once())
    assert response.status_code == 422
    fields = {error["field"] for error in response.json()["errors"]}
    assert {"debtor.name", "claims", "claims[0].due_on", "claims[0].amount", "claims[1].amount"} <= fields
    assert office.client("operator").get("/api/v1/cases").json()["items"] == []


@pytest.mark.parametrize(
    "amount", [0.1, 12, "1e3", "1_000", " 1.00 ", "١٢", "NaN", "1.0000001", "9" * 5000, "", "+1", None, "1,50"]
)
def test_money_is_a_plain_decimal_string(office: Office, amount: object) -> None:
    body = case_body(claims=[{"number": "F-1", "due_on": "2026-05-01", "amount": amount}])
    response = office.client("kroon").post("/api/v1/cases", json=body, headers=once())
    assert (response.status_code, response.json()["code"]) == (422, "validation")


def test_changes_need_the_version_that_was_seen(office: Office) -> None:
    client, case_id = office.client("kroon"), office.open_case()["case_id"]
    path = f"/api/v1/cases/{case_id}/payments"
    body = {"amount": "20.50", "paid_on": "2026-06-01"}
    version = client.get(f"/api/v1/cases/{case_id}").json()["version"]
    assert client.post(path, json=body, headers=once()).status_code == 428
    stale = client.post(path, json=body, headers=change(version + 7))
    assert (stale.status_code, stale.json()["code"]) == (412, "version-changed")
    note = f"/api/v1/cases/{case_id}/notes"
    assert client.post(note, json={"text": "x"}, headers=change(version + 7)).status_code == 412
    headers = {**once(), "If-Match": client.get(f"/api/v1/cases/{case_id}").headers["etag"]}
    done = client.post(path, json=body, headers=headers)
    assert done.status_code == 200, done.text
    assert client.post(path, json=body, headers=headers).content == done.content
    balance = client.get(f"/api/v1/cases/{case_id}/balance").json()
    assert balance["balance"]["total"] == "100.00"
    assert [line["amount"] for line in balance["lines"]] == ["120.50", "20.50"]
    too_much = client.post(path, json={**body, "amount": "100.01"}, headers=change())
    assert (too_much.status_code, too_much.json()["code"]) == (422, "refused")


def test_what_a_creditor_does_on_a_case(office: Office) -> None:
    client, case_id = office.client("kroon"), office.open_case()["case_id"]
    root = f"/api/v1/cases/{case_id}"
    assert client.post(f"{root}/notes", json={"text": "called them"}, headers=once()).status_code == 200
    hold = {"reason": "dispute", "note": "goods were broken", "until_on": "2026-07-01"}
    assert client.post(f"{root}/holds", json=hold, headers=change()).status_code == 200
    assert client.get(root).json()["holds"][0]["reason"] == "dispute"
    shadow = client.post(f"{root}/holds", json={"reason": "shadow"}, headers=change())
    assert shadow.status_code == 422
    assert client.post(f"{root}/holds/release", json={"reason": "dispute"}, headers=change()).status_code == 200
    assert client.post(f"{root}/answers", json={"text": "yes"}, headers=change()).status_code == 422
    assert client.post(f"{root}/withdraw", json={"text": "settled"}, headers=change()).status_code == 200
    closed = client.get(root).json()
    assert (closed["status"], closed["outcome"]) == ("closed", "withdrawn")
    assert client.post(f"{root}/owner", json={"owner": "Jan"}, headers=change()).status_code == 403


def test_a_document_is_kept_and_only_saved(office: Office) -> None:
    client, case_id = office.client("kroon"), office.open_case()["case_id"]
    root, html = f"/api/v1/cases/{case_id}/documents", b"<script>document.title='ran'</script>"
    added = client.post(
        root, params={"name": "Faktur Nr. 1 é.html", "kind": "invoice"}, content=html,
        headers={**once(), "Content-Type": "text/html"},
    )
    assert added.status_code == 201, added.text
    view = client.get(root).json()["items"][0]
    assert (view["name"], view["size"]) == ("Faktur Nr. 1 é.html", len(html))
    got = client.get(f"{root}/{view['document_id']}")
    assert got.content == html
    assert got.headers["content-disposition"].startswith("attachment;")
    assert got.headers["content-type"] == "application/octet-stream"
    assert "sandbox" in got.headers["content-security-policy"]
    elsewhere = office.open_case()["case_id"]
    assert client.get(f"/api/v1/cases/{elsewhere}/documents/{view['document_id']}").status_code == 404
    bad_name = client.post(root, params={"name": "../x"}, content=b"x", headers=once())
    assert bad_name.status_code == 422


def test_pages_join_without_gap_or_repeat(both_office: Office) -> None:
    opened = {both_office.open_case()["case_id"] for _ in range(7)}
    client = both_office.client("kroon")
    for sort in ("number", "-opened_at", "total", "-debtor_name", "case_id"):
        seen, cursor = [], ""
        while True:
            page = client.get("/api/v1/cases", params={"limit": 3, "sort": sort, "cursor": cursor}).json()
            seen += [item["case_id"] for item in page["items"]]
            cursor = page["next_cursor"]
            if cursor is None:
                break
        assert len(seen) == 7
        assert set(seen) == opened


def test_a_cursor_is_bound_to_list_and_tenant(office: Office) -> None:
    for _ in range(3):
        office.open_case()
    client = office.client("kroon")
    cursor = client.get("/api/v1/cases", params={"limit": 1}).json()["next_cursor"]
    for who, params in (
        ("kroon", {"cursor": cursor, "sort": "total"}),
        ("kroon", {"cursor": cursor, "country": "BE"}),
        ("other", {"cursor": cursor}),
        ("operator", {"cursor": cursor}),
        ("kroon", {"cursor": cursor[:-2] + "AA"}),
        ("kroon", {"cursor": "é"}),
    ):
        response = office.client(who).get("/api/v1/cases", params={"limit": 1, **params})
        assert (response.status_code, response.json()["code"]) == (422, "invalid-cursor"), params
    assert client.get("/api/v1/cases", params={"limit": 1, "cursor": cursor}).status_code == 200


@pytest.mark.parametrize(
    "params",
    [{"limit": 0}, {"limit": 10**9}, {"limit": "x"}, {"sort": "id,(select 1)"}, {"status": "';--"},
     {"min_amount": "1"}, {"min_amount": "1e9", "currency": "EUR"}, {"phase": "none"}, {"country": "Belgium"},
     {"currency": "eur"}, {"stauts": "active"}, {"limit": [1, 2]}],
)  # fmt: skip
def test_a_list_refuses_what_it_does_not_offer(office: Office, params: dict[str, object]) -> None:
    response = office.client("kroon").get("/api/v1/cases", params=params)
    assert (response.status_code, response.json()["code"]) == (422, "invalid-query")


def test_filters_find_what_they_say(both_office: Office) -> None:
    wanted = both_office.open_case(
        debtor={"name": "100%_Beton Σίσυφος", "country": "GR"}, origin_ref="Z",
        claims=[{"number": "INV/77", "due_on": "2026-05-01", "amount": "900.00"}],
    )["case_id"]
    both_office.open_case()
    client = both_office.client("operator")
    for params in (
        {"q": "100%_b"}, {"q": "ΣΊΣΥΦΟΣ"}, {"q": "inv/77"}, {"country": "GR"}, {"creditor": "kroon", "country": "GR"},
        {"min_amount": "900.00", "currency": "EUR"}, {"segment": "B2B", "country": "GR", "is_open": "true"},
    ):
        items = client.get("/api/v1/cases", params=params).json()["items"]
        assert [item["case_id"] for item in items] == [wanted], params
    assert client.get("/api/v1/cases", params={"q": "%"}).json()["items"] != []
    assert client.get("/api/v1/cases", params={"q": "10%_b"}).json()["items"] == []
