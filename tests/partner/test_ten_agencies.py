"""Agencies of ten countries work their cases at once: through REST, a Spanish form in an SFTP folder and the web page, while
the network loses calls and answers of APIs and browsers, and the SFTP server dies and comes back. Every fact is there once,
and the books agree."""

from __future__ import annotations

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from fastapi.testclient import TestClient
from web.office import Office, once

from collecthub.bundled import form_folder
from collecthub.engine.inward import receive_connection
from collecthub.engine.partner_balances import our_books
from collecthub.model.partner import PartnerProfile
from collecthub.sandbox.twin import RunningTwin, start_twin
from collecthub.store.connections import write_partner
from collecthub.wire.crypto import Identity, generate_identity
from collecthub.wire.tabular import read_rows, write_csv
from partner.agency_office import add_agency
from partner.test_partner_api import AT, facts
from partner.test_partner_page import Page

REST, FORM, WEB = ("UY", "CL", "AR", "BR"), ("MX", "CO", "PE"), ("MA", "TR", "JP")
PAID = {"currency": "EUR", "amount": "20.50", "received_on": "2026-06-14"}


class LosingClient:
    """A client whose network loses every third call and every third answer; it asks again with the same key."""

    def __init__(self, client: TestClient, seed: str) -> None:
        self._client, self._chance, self.lost = client, random.Random(seed), 0

    def post(self, path: str, body: Any) -> None:
        key = once()
        while True:
            luck = self._chance.random()
            if luck > 1 / 3:
                response = self._client.post(f"/api/v1/partner/{path}", json=body, headers=key)
                if luck > 2 / 3:
                    assert response.status_code == 202, response.text
                    return
            self.lost += 1


class LosingPage:
    """A browser whose network loses every third form and every third answer; the person presses the button again."""

    def __init__(self, page: Page, seed: str) -> None:
        self._page, self._chance, self.lost = page, random.Random(seed), 0

    def post(self, path: str, data: dict[str, str]) -> None:
        while True:
            luck = self._chance.random()
            if luck > 1 / 3:
                response = self._page.post(path, data)
                assert response.status_code == 200, response.text
                if luck > 2 / 3:
                    return
            self.lost += 1


@pytest.fixture(scope="module")
def identity() -> Identity:
    return generate_identity("hub", bits=2048)


@pytest.fixture
def server(tmp_path: Path, identity: Identity) -> Iterator[RunningTwin]:
    """An SFTP server with a folder for each agency. The twin behind it does not look into these."""
    found = start_twin("bailiff", tmp_path / "sftp-server")
    key = serialization.load_pem_private_key(identity.private_key_pem, None).public_key()
    public = key.public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH).decode()
    known = {"certificate_pem": identity.certificate_pem.decode(), "ssh_public_key": public, "sender_ref": "collecthub"}
    found.control("hub", known)
    for country in FORM:
        for name in ("in", "out"):
            (found.home / "sftp" / country / name).mkdir(parents=True)
    yield found
    found.kill()


def add_form_agency(office: Office, server: RunningTwin, identity: Identity, country: str) -> str:
    """An agency with nothing but a folder; returns its connection."""
    with office.hub.database.write() as conn:
        profile = PartnerProfile(partner_id=f"agency-{country}", name=country, role="agency", countries=(country,))
        write_partner(conn, profile, office.hub.now())
    settings = {
        "host": server.facts["sftp_host"], "port": server.facts["sftp_port"], "username": server.facts["username"],
        "private_key": identity.private_key_pem.decode(), "to_partner": f"{country}/in", "from_partner": f"{country}/out",
        "host_key_fingerprints": [server.facts["host_key_fingerprint"]], "file_kind": "csv",
        "language": "es",
    }  # fmt: skip
    body = {"kind": "form_folder", "name": country, "partner_id": f"agency-{country}", "settings": settings}
    made = office.client("operator").post("/api/v1/connections", json=body, headers=once())
    assert made.status_code == 201, made.text
    return str(made.json()["connection_id"])


def works_by_rest(client: LosingClient, ids: list[str]) -> None:
    for case_id in ids:
        client.post(f"cases/{case_id}/acceptance", {"holder_ref": f"R-{case_id[-4:]}"})
        client.post(f"cases/{case_id}/status-reports", {"status_code": "contact_made", "occurred_at": AT})
        client.post(f"cases/{case_id}/receipts", {"payment_ref": f"p-{case_id}", **PAID})


def works_by_form(folder: Path) -> None:
    """Fill in every form that lies there, and put the result back twice, under two names."""
    rows = [dict(row.cells) for path in (folder / "in").glob("*.csv") for row in read_rows(path.read_bytes(), path.name)]
    for row in rows:
        row |= {
            "Respuesta": "Aceptar", "Su número de expediente": f"F-{row['Id del expediente'][-4:]}",
            "Qué ha ocurrido": "Deudor contactado", "Ocurrido el": "2026-06-14", "Importe recibido": "20,50",
            "Recibido el": "2026-06-14",
        }  # fmt: skip
    content = write_csv(list(rows[0]), [list(row.values()) for row in rows])
    for name in ("filled.csv", "filled again.csv"):
        (folder / "out" / name).write_bytes(content)


def works_by_page(page: LosingPage, ids: list[str]) -> None:
    for case_id in ids:
        page.post(f"/offers/{case_id}", {"answer": "accept", "holder_ref": f"W-{case_id[-4:]}"})


def reports_by_page(page: LosingPage, ids: list[str]) -> None:
    filled = {f"happened:{case_id}": "contact_made" for case_id in ids}
    filled |= {f"received:{case_id}": "20,50" for case_id in ids}
    filled |= {f"received_on:{case_id}": "2026-06-14" for case_id in ids}
    page.post("/month", filled)


@pytest.mark.slow
def test_ten_countries_at_once_while_the_network_fails(
    office: Office, server: RunningTwin, identity: Identity
) -> None:
    office.hub.plugins.add("form_folder", form_folder)
    by_rest = {country: LosingClient(add_agency(office, f"agency-{country}", country), country) for country in REST}
    lines = {country: add_form_agency(office, server, identity, country) for country in FORM}
    for country in WEB:
        add_agency(office, f"agency-{country}", country)
    ids: dict[str, list[str]] = {}
    for country in (*REST, *FORM, *WEB):
        ids[country] = [str(office.open_case(debtor={"name": f"Debtor {country}", "country": country})["case_id"])]
    office.run()
    pages = {country: LosingPage(Page(office, "fr", f"agency-{country}").enter(), country) for country in WEB}
    with ThreadPoolExecutor(10) as pool:
        at_work = [pool.submit(works_by_rest, by_rest[country], ids[country]) for country in REST]
        at_work += [pool.submit(works_by_form, server.home / "sftp" / country) for country in FORM]
        at_work += [pool.submit(works_by_page, pages[country], ids[country]) for country in WEB]
        for one in at_work:
            one.result()
    assert sum(client.lost for client in by_rest.values()) > 5
    server.kill()
    for connection_id in lines.values():
        receive_connection(office.hub, connection_id)  # nobody answers: it waits
    waiting = office.client("operator").get("/api/v1/connections").json()["items"]
    assert {row["status"] for row in waiting if row["connection_id"] in lines.values()} == {"waiting"}
    restarted = start_twin("bailiff", server.home)
    try:
        for connection_id in lines.values():
            moved = {"settings": {"port": restarted.facts["sftp_port"]}}  # usually the one it had
            assert office.client("operator").patch(f"/api/v1/connections/{connection_id}", json=moved).status_code == 200
            receive_connection(office.hub, connection_id)
        office.run()
        for country in WEB:
            reports_by_page(pages[country], ids[country])
        office.run()
        assert sum(page.lost for page in pages.values()) > 3
        _check(office, ids)
        assert all(list((server.home / "sftp" / country / "out").iterdir()) == [] for country in FORM)
    finally:
        restarted.kill()


def _check(office: Office, ids: dict[str, list[str]]) -> None:
    for country, cases in ids.items():
        for case_id in cases:
            seen = {kind: len(facts(office, case_id, kind)) for kind in ("case_accepted", "status_reported", "payment_reported")}
            assert seen == {"case_accepted": 1, "status_reported": 1, "payment_reported": 1}, (country, seen)
            balance = office.client("operator").get(f"/api/v1/cases/{case_id}/balance").json()["balance"]
            assert (balance["payments"], balance["total"]) == ("20.50", "100.00")
        with office.hub.database.read() as conn:
            books = our_books(conn, f"agency-{country}")
        assert {line.case_id for line in books} == set(cases)
        assert [str(line.ours.received) for line in books] == ["20.50"]
    assert office.client("operator").get("/api/v1/quarantine").json()["items"] == []
