"""The page of a partner without an API: link and code, offers, the month, files, papers, score and balances."""

from __future__ import annotations

import datetime as dt
import json
import re
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient
from web.office import BASE, Office, once

from collecthub.engine.clock import tick
from collecthub.engine.contracting import enter_contract
from collecthub.formats.partner_form import COLUMNS
from collecthub.model.contract import GridRow, Side, Terms
from collecthub.store import partner_tables as p
from collecthub.store.queries.scope import LOCAL_OPERATOR
from collecthub.web.auth import auth_now
from collecthub.web.partner.speech import words_of
from collecthub.wire.tabular import read_rows, write_csv, write_xlsx
from partner.agency_office import AGENCY, case_file_of, placed_case
from partner.test_partner_api import accepted, facts


class Page:
    """A browser without scripts on a partner's page."""

    def __init__(self, office: Office, language: str = "es", partner_id: str = AGENCY) -> None:
        body = {"language": language, "zone": "America/Montevideo"}
        made = office.client("operator").post(f"/api/v1/partners/{partner_id}/links", json=body, headers=once())
        assert made.status_code == 201, made.text
        self.office, self.path, self.code = office, made.json()["path"], made.json()["code"]
        self.link_id = made.json()["link_id"]
        self.client = TestClient(office.app, base_url=BASE, raise_server_exceptions=False)

    def enter(self) -> Page:
        response = self.client.post(f"{self.path}/code", data={"code": self.code})
        assert response.status_code == 200, response.text
        return self

    def get(self, path: str = "") -> str:
        response = self.client.get(self.path + path)
        assert response.status_code == 200, response.text
        return response.text

    def post(self, path: str, data: dict[str, str], **more: Any) -> Any:
        csrf = re.search(r'name="csrf" value="([^"]+)"', self.get("/papers"))
        assert csrf is not None
        return self.client.post(self.path + path, data={"csrf": csrf.group(1), **data}, **more)


def test_every_language_has_every_text() -> None:
    wanted = words_of("en").keys()
    for language in ("nl", "fr", "de", "es"):
        assert words_of(language).keys() == wanted
        assert all(text.strip() for text in words_of(language).values())


def test_a_link_opens_with_its_code_only_and_ends_when_it_is_revoked(office: Office, agency: TestClient) -> None:
    case_name = placed_case(office) and "Estancia UY"
    page = Page(office)
    closed = page.client.get(page.path)
    assert closed.status_code == 200 and "Introduzca su código" in closed.text and case_name not in closed.text
    for _ in range(5):
        wrong = page.client.post(f"{page.path}/code", data={"code": "00000000x"})
        assert wrong.status_code == 422
    with office.hub.work() as work:  # the last wrong try was just now, however slow this machine is
        just_now = auth_now() + dt.timedelta(minutes=1)
        work.conn.execute(sa.update(p.partner_links).values(tried_at=just_now))
    slowed = page.client.post(f"{page.path}/code", data={"code": page.code})
    assert slowed.status_code == 429 and "segundos" in slowed.text
    other = Page(office).enter()
    assert case_name in other.get()
    assert page.client.get("/p/nothing").status_code == 404
    office.client("operator").post(f"/api/v1/partner-links/{other.link_id}/revoke")
    assert other.client.get(other.path).status_code == 404


def test_an_offer_shows_the_fee_in_money_and_is_accepted(office: Office, agency: TestClient) -> None:
    terms = Terms(valid_from=dt.date(2026, 1, 1), grid=(GridRow(percent=Decimal(20)),))
    with office.hub.work() as work:
        enter_contract(work, LOCAL_OPERATOR, Side.PARTNER, AGENCY, terms)
    case_id = placed_case(office)["case_id"]
    page = Page(office).enter()
    text = page.get()
    assert "120,50" in text and "24,10" in text and "Aceptar" in text and "Rechazar" in text
    nothing = page.post(f"/offers/{case_id}", {"answer": "accept"})
    assert nothing.status_code == 422 and "número de expediente" in nothing.text
    page.post(f"/offers/{case_id}", {"answer": "accept", "holder_ref": "UY-1"})
    office.run()
    (fact,) = facts(office, case_id, "case_accepted")
    assert (fact["holder_ref"], fact["actor"]) == ("UY-1", f"partner:{AGENCY}")
    assert "Ningún expediente nuevo" in page.get()


@pytest.mark.parametrize(("button", "kind"), [("info", "instruction_received"), ("decline", "case_refused")])
def test_the_other_two_buttons(office: Office, agency: TestClient, button: str, kind: str) -> None:
    case_id = placed_case(office)["case_id"]
    page = Page(office, "fr").enter()
    page.post(f"/offers/{case_id}", {"answer": button, "words": "Numéro de TVA ?"})
    office.run()
    assert "TVA" in json.dumps(facts(office, case_id, kind), ensure_ascii=False)


def test_the_month_is_one_page_and_counts_once(office: Office, agency: TestClient) -> None:
    ids = [accepted(office, agency) for _ in range(2)]
    page = Page(office, "de").enter()
    filled = {
        f"happened:{ids[0]}": "contact_made", f"remark:{ids[0]}": "Ruft zurück",
        f"received:{ids[1]}": "20,50", f"received_on:{ids[1]}": "2026-06-10", f"cost:{ids[1]}": "1.234,50",
    }  # fmt: skip
    response = page.post("/month", filled)
    assert response.status_code == 422 and "1.234,50" in response.text
    filled[f"cost:{ids[1]}"] = "12,50"
    for _ in range(2):
        assert page.post("/month", filled).status_code == 200
    office.run()
    assert [fact["text"] for fact in facts(office, ids[0], "status_reported")] == ["Ruft zurück"]
    again = page.get("/month")
    assert "Schuldner erreicht · Ruft zurück" in again and "100,00" in again, "filled in with what is known"
    (payment,) = facts(office, ids[1], "payment_reported")
    assert (payment["amount"], payment["received_on"]) == ("20.50", "2026-06-10")
    (cost,) = facts(office, ids[1], "cost_reported")
    assert (cost["amount"], cost["bearer"]) == ("12.50", "creditor")


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_the_form_goes_out_filled_in_and_comes_back(office: Office, agency: TestClient, kind: str) -> None:
    offered, held = placed_case(office)["case_id"], accepted(office, agency)
    page = Page(office).enter()
    blank = page.client.get(f"{page.path}/form.{kind}")
    rows = [row.cells for row in read_rows(blank.content, "form")]
    named = "Id del expediente"
    assert {row[named] for row in rows} == {offered, held} and len(rows[0]) == len(COLUMNS)
    assert {row["Deudor"] for row in rows} == {"Estancia UY"} and {row["Acreedor"] for row in rows} == {"Brouwerij De Kroon"}
    for row in rows:
        if row[named] == offered:
            row |= {"Respuesta": "Aceptar", "Su número de expediente": "UY-9"}
        else:
            row |= {"Importe recibido": "20,50", "Recibido el": "2026-06-12", "Qué ha ocurrido": "who knows"}
    bad = dict.fromkeys(rows[0], "") | {named: held, "Importe recibido": "many"}
    write = write_xlsx if kind == "xlsx" else write_csv
    content = write(list(bad), [[row[name] for name in bad] for row in (*rows, bad)])
    for _ in range(2):
        response = page.post("/imports", {}, files={"file": (f"f.{kind}", content)})
        assert response.status_code == 422 and "línea 4: &#39;many&#39; no es un importe" in response.text
    nothing = page.post("/imports", {}, files={"file": ("f.csv", b"a,b\n1,2\n")})
    assert nothing.status_code == 422 and "no es el formulario" in nothing.text
    office.run()
    assert [fact["holder_ref"] for fact in facts(office, offered, "case_accepted")] == ["UY-9"]
    assert [fact["amount"] for fact in facts(office, held, "payment_reported")] == ["20.50"]
    codes = sorted(entry["code"] for entry in office.client("operator").get("/api/v1/quarantine").json()["items"])
    assert codes == ["form.row", "status.unknown"]


def test_a_form_of_somebody_else_changes_nothing(office: Office, agency: TestClient) -> None:
    foreign = office.open_case()["case_id"]  # goes to the bailiff
    office.run()
    page = Page(office).enter()
    row = dict.fromkeys(COLUMNS, "") | {"case_id": foreign, "currency": "EUR", "received_amount": "5.00"}
    page.post("/imports", {}, files={"file": ("f.csv", write_csv(COLUMNS, [[row[name] for name in COLUMNS]]))})
    office.run()
    assert facts(office, foreign, "payment_reported") == []
    (entry,) = office.client("operator").get("/api/v1/quarantine").json()["items"]
    assert entry["code"] == "record.unknown_case"
    assert page.post(f"/offers/{foreign}", {"answer": "accept", "holder_ref": "x"}).status_code == 404


def test_it_joins_with_a_licence_and_two_signatures(office: Office, agency: TestClient) -> None:
    page = Page(office, "nl").enter()
    refused = page.post("/documents", {}, files={"file": ("x.exe", b"MZ....")})
    assert refused.status_code == 422
    page.post("/documents", {"expires_on": "2027-01-31"}, files={"file": ("licentie.pdf", b"%PDF-1.7 ...")})
    assert page.post("/papers", {"kind": "agreement", "name": "Ana Díaz"}).status_code == 422, "the box is not ticked"
    for kind in ("agreement", "power_of_attorney"):
        page.post("/papers", {"kind": kind, "name": "Ana Díaz", "agree": "yes"})
    text = page.get("/papers")
    assert text.count("Ondertekend door Ana Díaz") == 2 and "licentie.pdf" in text and "31 jan 2027" in text
    tasks = office.client("operator").get("/api/v1/tasks").json()["items"]
    assert any("brought a licence" in task["title"] for task in tasks)


def test_a_form_from_elsewhere_is_refused(office: Office, agency: TestClient) -> None:
    page = Page(office).enter()
    csrf = re.search(r'name="csrf" value="([^"]+)"', page.get("/papers"))
    assert csrf is not None
    data = {"csrf": csrf.group(1), "kind": "agreement", "name": "x", "agree": "yes"}
    elsewhere = page.client.post(f"{page.path}/papers", data=data, headers={"Origin": "https://evil.example"})
    forged = page.client.post(f"{page.path}/papers", data={**data, "csrf": "x"})
    assert (elsewhere.status_code, forged.status_code) == (403, 403)


def test_names_stay_text(office: Office, agency: TestClient) -> None:
    office.open_case(debtor={"name": "<script>alert(1)</script>", "country": "UY"})
    office.run()
    text = Page(office).enter().get()
    assert "<script>" not in text and "&lt;script&gt;" in text


def test_the_clock_opens_the_month_and_tells_the_partner_once(office: Office, agency: TestClient) -> None:
    accepted(office, agency)
    months = []
    begin = office.hub.now() - dt.datetime.now(dt.UTC)
    for days in (0, 1, 30, 31):
        office.hub._day_offset = begin + dt.timedelta(days=days)
        tick(office.hub)
        office.run()
        with office.hub.database.read() as conn:
            months.append(conn.scalars(sa.select(p.partner_balances.c.period).order_by("period")).all())
    assert months == [["2026-06"], ["2026-06"], ["2026-06", "2026-07"], ["2026-06", "2026-07"]]
    items = agency.get("/api/v1/partner/messages").json()["items"]
    said = [one["message"]["text"][:29] for one in items if "saldos de" in one["message"].get("text", "")]
    assert said == ["Los saldos de 2026-06 esperan", "Los saldos de 2026-07 esperan"]


def test_the_list_of_differences_is_signed(office: Office, agency: TestClient) -> None:
    case_id = accepted(office, agency)
    body = {"payment_ref": "p1", "currency": "EUR", "amount": "20.50", "received_on": "2026-06-14"}
    agency.post(f"/api/v1/partner/cases/{case_id}/receipts", json=body, headers=once())
    office.run()
    page = Page(office).enter()
    assert "20.50" in page.get("/balances")
    (balance,) = agency.get("/api/v1/partner/balances").json()["items"]
    (line,) = balance["comparison"]["lines"]
    assert line["ours"] == {"received": "20.50", "costs": "0", "demanded": "100.00"}
    page.post(f"/balances/{balance['balance_id']}", {f"received:{case_id}": "25,00", "name": "Ana", "agree": "yes"})
    assert "25,00" in page.get("/balances"), "what differs is read after it was signed"
    (signed,) = agency.get("/api/v1/partner/balances").json()["items"]
    assert (signed["state"], signed["differences"], signed["signed_by"]) == ("signed", 1, "Ana")
    again = agency.post(f"/api/v1/partner/balances/{balance['balance_id']}/books", json={"lines": []}, headers=once())
    assert again.status_code == 422, "signed is signed"
    tasks = office.client("operator").get("/api/v1/tasks").json()["items"]
    assert any("differ in 1 cases" in task["title"] for task in tasks)
    assert case_file_of(agency, case_id).case_id == case_id
