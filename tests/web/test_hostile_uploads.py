"""Hostile files and names at every door that takes a file: judged by size and kind, kept as they came, never run, never a stranger's."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient
from walk.scripted import World

from collecthub.engine.debtor_links import admit_helper, link_of
from collecthub.store import tables as t
from collecthub.store.queries.scope import Role
from collecthub.web.guard import _FILE_DOORS
from web.office import BASE, PASSWORD, Office, change
from web.test_tenants import kroons_things, owner_of

RAN = b"<script>document.title='ran'</script>"
XML = "<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b 'bb'><!ENTITY c '&b;&b;&b;&b;'>]><Document>&c;</Document>"


def bomb() -> bytes:
    """A workbook of some thirty kilobytes that says to be thirty megabytes."""
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", bytes(30_000_000))
    return kept.getvalue()


FILES: dict[str, tuple[str, bytes]] = {
    "a page": ("bill<img src=x onerror=alert(1)>.html", RAN),
    "a picture that runs": ("logo.svg", b"<svg xmlns='http://www.w3.org/2000/svg' onload='document.title=1'>" + RAN + b"</svg>"),
    "a PDF that is a page": ("bill.pdf", b"%PDF-1.4\n" + RAN + b"\n%%EOF\n"),
    "a program named as a bill": ("../../etc/\u202efdp.exe", b"MZ\x90\x00" + RAN),
    "nothing but nought": ("a\".csv", bytes(64)),
    "entities": ("camt.xml", XML.encode()),
    "a workbook that swells": ("rows.xlsx", bomb()),
}


def doors(office: Office) -> Iterator[str]:
    """Every address that takes files, however deep its router lies."""
    for route in office.app.routes:
        inside = getattr(route, "effective_route_contexts", None)
        for one in inside() if inside is not None else [route]:
            if "POST" in (getattr(one, "methods", None) or ()) and one.path.rsplit("/", 1)[-1] in _FILE_DOORS:
                yield one.path


class Street:
    """One visitor for every door: keys for programs, logins for people, codes for guests."""

    def __init__(self, office: Office, world: World) -> None:
        self.tokens: dict[str, str] = {}
        self.office, self.ids = office, {**kroons_things(office, world), "creditor_id": "kroon"}
        with office.hub.work() as work:
            own, helps = link_of(office.hub, work, self.ids["case_id"]), admit_helper(work, self.ids["case_id"], "h")
        link = office.client("operator").post("/api/v1/partners/bailiff/links", json={}).json()
        self.guests = {
            "debtor": self._guest(own.path, own.code), "helper": self._guest(helps.path, helps.code),
            "partner": self._guest(link["path"], link["code"]),
        }  # fmt: skip
        office.add_user("clerk@example.org", Role.OPERATOR)
        self.clerk = office.client()
        assert self.clerk.post("/login", data={"email": "clerk@example.org", "password": PASSWORD}).status_code == 200

    def _guest(self, path: str, code: str) -> tuple[TestClient, str]:
        client = TestClient(self.office.app, base_url=BASE, raise_server_exceptions=False)
        assert client.post(f"{path}/code", data={"code": code}, follow_redirects=False).status_code == 303
        return client, path

    def knock(self, door: str, name: str, content: bytes, **more: Any) -> Iterator[Any]:
        """What everybody is answered who may come to a door with this file."""
        if door.startswith(("/d/", "/p/")):
            for who in ("debtor", "helper") if door.startswith("/d/") else ("partner",):
                client, path = self.guests[who]
                content += who.encode()  # the same bytes are one document
                place = door.replace("{what}", "complaint").replace(f"/{door[1]}/{{token}}", path)
                yield self._form(client, path if who != "partner" else f"{path}/papers", place, name, content)
        elif door.startswith(("/api/", "/exchange/")):
            client = self.office.client("bailiff" if door.startswith("/exchange/") else owner_of(door))
            yield client.post(self._at(door), params={"name": name, "kind": "other"}, content=content, headers={**change(), **more})
        else:
            yield self._form(self.clerk, f"/cases/{self.ids['case_id']}", self._at(door), name, content)

    def _at(self, door: str) -> str:
        return re.sub(r"\{(\w+)\}", lambda match: self.ids[match.group(1)], door)

    def _form(self, client: TestClient, page: str, place: str, name: str, content: bytes) -> Any:
        if page not in self.tokens:
            found = re.search(r'name="csrf" value="([^"]+)"', client.get(page).text)
            assert found is not None, page
            self.tokens[page] = found[1]
        fields = {"csrf": self.tokens[page], "text": "x", "kind": "other", "creditor_id": "kroon", "connection_id": "books"}
        return client.post(place, data=fields, files={"file": (name, content, "text/html")}, follow_redirects=False)


@pytest.fixture
def street(office: Office, world: World) -> Street:
    return Street(office, world)


def test_no_door_runs_shows_or_loses_what_it_should_not(office: Office, street: Street) -> None:
    known = sorted(set(doors(office)))
    assert len(known) >= 25
    taken = 0
    for door in known:
        for what, (name, content) in FILES.items():
            for answered in street.knock(door, name, content):
                is_fault = door.endswith("/soap") and b"Fault>" in answered.content  # which SOAP answers with 500
                assert answered.status_code < 500 or is_fault, (door, what, answered.text[:500])
                is_page = answered.headers.get("content-type", "").startswith("text/html")
                assert not is_page or (RAN not in answered.content and b"<img src=x" not in answered.content), (door, what)
                assert answered.headers["x-content-type-options"] == "nosniff"
                assert "\u202e" not in answered.headers.get("location", ""), (door, what)
                taken += answered.status_code in (200, 201, 303)
    assert taken > 20, "some of it is a document like any other"
    for door in known:  # what is too large is told so before it is read
        for answered in street.knock(door, "large.pdf", b"%PDF-", **{"Content-Length": "20000001"}):
            assert not door.startswith(("/api/", "/exchange/")) or answered.status_code == 413, door
    with office.hub.database.read() as conn:
        kept = conn.execute(sa.select(t.documents)).all()
    assert {row.kind for row in kept} >= {"complaint", "other"} and len(kept) >= 5
    for row in kept:
        assert row.name.isprintable() and not set(row.name) & set('/\\"<>|:*?'), row.name
        _is_only_saved(office, street, row)
    from_debtor = [row for row in kept if row.added_by.startswith(("debtor:", "helper:"))]
    assert {row.media_type for row in from_debtor} == {"application/pdf"}, "by its own first bytes, whatever was said of it"
    for page in (f"/cases/{street.ids['case_id']}", "/agenda", "/quarantine", "/payments", "/tasks"):
        shown = street.clerk.get(page).text
        assert "<script>document" not in shown and "<img src=x" not in shown and "\u202e" not in shown, page


def _is_only_saved(office: Office, street: Street, row: Any) -> None:
    path = f"/cases/{row.case_id}/documents/{row.document_id}"
    for client, prefix in ((office.client("kroon"), "/api/v1"), (office.client("operator"), "/api/v1"), (street.clerk, "")):
        read = client.get(prefix + path)
        assert read.status_code == 200, (prefix + path, read.text)
        assert read.headers["content-type"] == "application/octet-stream" and read.headers["x-content-type-options"] == "nosniff"
        assert read.headers["content-disposition"].startswith("attachment;") and "sandbox" in read.headers["content-security-policy"]
    for stranger in ("other", "stranger"):
        assert office.client(stranger).get("/api/v1" + path).status_code == 404
        assert office.client(stranger).get(f"/api/v1/partner{path}").status_code in (403, 404)
