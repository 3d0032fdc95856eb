"""A creditor connects his own ERP, in the portal and by API; the tenant comes from the credential and nowhere else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

import pytest
import requests
import sqlalchemy as sa
from lxml import html

from collecthub.model.party import Party
from collecthub.sandbox.exact_books import DEFAULT_DIVISION
from collecthub.sandbox.twin import start_twin
from collecthub.store import tables as t
from collecthub.store.accounts import add_api_key
from collecthub.store.connections import CreditorRow, Playbook, write_creditor
from collecthub.store.queries.scope import Role
from collecthub.store.secrets import ConnectionVault
from portal.town import PASSWORD
from portal.vendor_hub import VendorHub, open_vendor_hub

API = "/api/v1/connections"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VendorHub]:
    with open_vendor_hub(tmp_path_factory.mktemp("own")) as found:
        with found.hub.database.write() as conn:
            other = Party(name="Molens NV", country="BE")
            row = CreditorRow(creditor_id="molens", name=other.name, party=other, playbook=Playbook())
            write_creditor(conn, row, found.hub.now())
        found.owe("F-1", "C1", "1210.00")
        yield found


class Browser:
    """A logged-in browser without scripts."""

    def __init__(self, place: VendorHub, name: str) -> None:
        self.place = place
        self.http = requests.Session()
        self.page = self.http.post(
            f"{place.url}/login", data={"email": f"{name}@town.example", "password": PASSWORD}, timeout=30
        )

    def get(self, path: str) -> requests.Response:
        self.page = self.http.get(f"{self.place.url}{path}", timeout=60)
        return self.page

    def post(self, path: str, **fields: Any) -> requests.Response:
        csrf = re.search(r'name="csrf" value="([^"]+)"', self.page.text)
        assert csrf, self.page.text[:500]
        self.page = self.http.post(f"{self.place.url}{path}", data={"csrf": csrf[1], **fields}, timeout=60)
        return self.page


@pytest.fixture
def creditor(place: VendorHub) -> Browser:
    return Browser(place, "kroon")


def fields(place: VendorHub, **changes: str) -> dict[str, str]:
    values = {f"s.{name}": str(value) for name, value in place.exact_values.items()}
    return {"name": "Our Exact", **values, **changes}


def owners(place: VendorHub) -> dict[str, str | None]:
    with place.hub.database.read() as conn:
        return {row.connection_id: row.creditor_id for row in conn.execute(sa.select(t.connections))}


def test_a_creditor_adds_and_consents_his_own_erp(place: VendorHub, creditor: Browser) -> None:
    kinds = creditor.get("/connections/add").text
    assert "Exact Online" in kinds and "/connections/add/erp_sap_b1" in kinds
    offered = kinds[kinds.index("<main") :].lower()  # the menu names webhooks
    assert "sftp" not in offered and "/connections/add/creditor_webhook" not in offered

    form = creditor.get("/connections/add/erp_exact").text
    assert 'name="owner"' not in form
    added = creditor.post("/connections/add/erp_exact", **fields(place))
    assert added.status_code == 200 and "The connection is added." in added.text
    connection_id = urlsplit(added.url).path.rpartition("/")[2]
    assert owners(place)[connection_id] == "kroon"

    place.exact.control("consent", {"page": "agree"})
    leads = creditor.post(f"/connections/{connection_id}/consent").text
    vendor = re.search(r'href="([^"]+/api/oauth2/auth[^"]+)"', leads)
    assert vendor, leads
    back = creditor.http.get(vendor[1].replace("&amp;", "&"), timeout=60)
    assert urlsplit(back.url).path == f"/connections/{connection_id}/divisions"
    creditor.page = back
    chosen = creditor.post(f"/connections/{connection_id}/divisions", division=str(DEFAULT_DIVISION))
    assert "The choice is kept." in chosen.text
    place.pull(connection_id)
    with place.hub.database.read() as conn:
        assert conn.scalar(sa.select(t.cases.c.creditor_id).where(t.cases.c.connection_id == connection_id)) == "kroon"


SAP = {
    "erp_sap": ("sap", {"sap_client": "100", "company_codes": "1000", "username": "COLLECTHUB"}),
    "erp_sap_b1": ("b1", {"company_db": "SBODEMO", "username": "collecthub"}),
}


@pytest.mark.parametrize("kind", SAP)
def test_a_creditor_connects_sap_checks_it_and_sees_the_first_pull(
    place: VendorHub, creditor: Browser, tmp_path: Path, kind: str
) -> None:
    name, settings = SAP[kind]
    twin = start_twin(name, tmp_path)
    try:
        given = {"base_url": twin.url, "password": "sandbox-password", **settings}
        person = {"customer_ref": "0000010001", "name": "Klant BV", "kind": "company", "country": "BE"}
        item = {
            "customer_ref": "0000010001", "number": "F-1", "issue_on": "2026-01-05", "due_on": "2026-02-04",
            "amount": "1210.00", "open_amount": "1210.00", "currency": "EUR", "kind": "invoice", "settles": "",
        }  # fmt: skip
        twin.control("load", {"company_code": "1000", "customers": [person], "items": [item]})
        creditor.get(f"/connections/add/{kind}")
        wrong = {f"s.{field}": value for field, value in {**given, "password": "guessed"}.items()}
        added = creditor.post(f"/connections/add/{kind}", **{"name": "Our SAP", **wrong})
        path = urlsplit(added.url).path
        refused = creditor.post(f"{path}/check").text
        assert "Not everything works" in refused and "refused our log-on" in refused
        creditor.get(f"{path}/settings")
        creditor.post(f"{path}/settings", **{"name": "Our SAP", **{f"s.{field}": value for field, value in given.items()}})
        assert "Everything works" in creditor.post(f"{path}/check").text
        place.pull(path.rpartition("/")[2])
        pulled = creditor.get(path).text
        assert "own totals agreed" in pulled and "1,210.00" in pulled and "Everything that came" in pulled
        assert "sandbox-password" not in pulled
    finally:
        twin.stop()


def test_the_tenant_is_that_of_the_credential(place: VendorHub, creditor: Browser) -> None:
    before = owners(place)
    creditor.get("/connections/add/erp_exact")
    refused = creditor.post("/connections/add/erp_exact", **fields(place, owner="molens"))
    assert refused.status_code in (404, 422)
    assert owners(place) == before
    assert creditor.get("/connections/add/sftp_batch").status_code == 404


def test_a_creditor_who_changes_settings_types_the_secrets_again(place: VendorHub, creditor: Browser) -> None:
    """The client secret may be the operator's: it is not sent to another address by somebody who does not know it."""
    connection_id = place.connect("Set up by the operator")
    vault = ConnectionVault(place.hub.database, place.hub.key, connection_id)
    kept = vault.read("setting:client_secret")
    creditor.get(f"/connections/{connection_id}/settings")
    elsewhere = fields(place, **{"s.base_url": "http://127.0.0.1:9", "s.client_secret": ""})
    refused = creditor.post(f"/connections/{connection_id}/settings", **elsewhere)
    assert refused.status_code == 422 and vault.read("setting:client_secret") == kept
    assert "127.0.0.1:9" not in place.row(connection_id).settings
    creditor.get(f"/connections/{connection_id}/settings")
    known = creditor.post(f"/connections/{connection_id}/settings", **fields(place))
    assert known.status_code == 200 and place.row(connection_id).name == "Our Exact"


def test_by_api(place: VendorHub) -> None:
    with place.hub.database.write() as conn:
        secret, _ = add_api_key(
            conn, name="kroon's program", role=Role.CREDITOR, now=place.hub.now(), creditor_id="kroon"
        )
    http = requests.Session()
    http.headers.update({"Authorization": f"Bearer {secret}"})

    def add(number: int, **more: Any) -> requests.Response:
        body = {"kind": "erp_exact", "name": "By API", "settings": place.exact_values, **more}
        headers = {"Idempotency-Key": f"own-erp-{number}"}
        return http.post(f"{place.url}{API}", json=body, headers=headers, timeout=30)

    made = add(1)
    assert made.status_code == 201, made.text
    connection_id = made.json()["connection_id"]
    assert owners(place)[connection_id] == "kroon" and made.json()["mode"] == "shadow"
    assert add(2, creditor_id="kroon").status_code == 201
    assert add(3, creditor_id="molens").status_code == 404
    assert add(4, kind="sftp_batch", settings={}).status_code == 422
    assert add(5, partner_id="office").status_code == 422

    place.exact.control("consent", {"page": "agree"})
    begun = http.post(f"{place.url}{API}/{connection_id}/consent", timeout=30)
    assert begun.status_code == 200, begun.text
    answer = requests.get(begun.json()["url"], allow_redirects=False, timeout=30)
    assert parse_qs(urlsplit(answer.headers["location"]).query)["state"]
    assert requests.get(answer.headers["location"], timeout=60).status_code == 200
    chosen = http.put(
        f"{place.url}{API}/{connection_id}/divisions", json={"division_refs": [str(DEFAULT_DIVISION)]}, timeout=60
    )
    assert chosen.status_code == 200, chosen.text


def test_a_token_that_is_refused_for_good_asks_for_consent_again(place: VendorHub, creditor: Browser) -> None:
    connection_id = place.connect("Withdrawn")
    place.consent(connection_id)
    place.pull(connection_id)
    assert place.row(connection_id).status == "ok"
    place.exact.control("faults", {"path": "/api/v1/", "status": 401, "times": 1000, "body": "Unauthorized"})
    place.pull(connection_id)
    place.exact.control("faults", {})
    assert (place.row(connection_id).status, place.row(connection_id).cause) == ("stopped", "consent")
    shown = creditor.get(f"/connections/{connection_id}").text
    assert shown.count(">Reconnect</button>") == 1
    place.consent(connection_id)
    place.pull(connection_id)
    assert place.row(connection_id).status == "ok"


def test_every_kind_has_a_form_that_says_what_is_wrong(place: VendorHub) -> None:
    """Whatever a plugin's settings model holds, its form is whole, labelled, and names every wrong field."""
    operator, connectors = Browser(place, "operator"), place.hub.plugins.connectors
    assert {"erp_exact", "erp_sap", "sftp_batch", "soap_exchange", "partner_network", "creditor_webhook"} <= set(connectors)
    for kind in sorted(set(connectors) - {"intake"}):
        page, asked = html.fromstring(operator.get(f"/connections/add/{kind}").text), connectors[kind].settings.model_fields
        form = next(one for one in page.forms if one.xpath(".//*[starts-with(@name, 's.')]"))
        assert sorted(form.xpath(".//@name[starts-with(., 's.')]")) == sorted(f"s.{name}" for name in asked)
        entries = page.xpath("//input[not(@type='hidden')] | //select | //textarea")
        assert [one.name for one in entries if not is_labelled(one)] == [], kind
        secrets = page.xpath("//input[@type='password'] | //textarea[contains(concat(' ', @class, ' '), ' masked ')]")
        assert len(secrets) == sum("Secret" in str(info.annotation) for info in asked.values()), kind
        answer = operator.http.post(urljoin(operator.page.url, form.action), data=[*form.form_values(), ("name", "")], timeout=60)
        told = html.fromstring(answer.text)
        assert answer.status_code == 422
        assert "The connection is not added yet." in told.xpath("string(//*[@role='alert'])"), kind
        wrong = told.xpath("//*[contains(concat(' ', @class, ' '), ' is-wrong ')]")
        assert len(wrong) >= 1 + sum(info.is_required() for info in asked.values()), kind


def is_labelled(entry: html.HtmlElement) -> bool:
    """Whether a reader of the page is told what to enter here."""
    labels = entry.label, entry.get("aria-label"), next(entry.iterancestors("label"), None)
    return any(label is not None for label in labels)
