"""Documents in an SFTP folder, both ways: with the form in one file, listed and summed, and brought back by their names."""

from __future__ import annotations

import hashlib
import io
import subprocess
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from web.office import Office, once

from collecthub.bundled import form_folder
from collecthub.engine.inward import receive_connection
from collecthub.exchange_ports import KeyEnd, KeyHolder
from collecthub.sandbox.twin import RunningTwin, start_twin
from collecthub.wire.crypto import Identity, generate_identity
from collecthub.wire.tabular import read_rows, write_csv
from partner.test_ten_agencies import add_form_agency

INVOICE, RECEIPT = b"%PDF-1.4 factura\n%%EOF", b"%PDF-1.4 recibo\n%%EOF"


@pytest.fixture(scope="module")
def identity() -> Identity:
    return generate_identity("hub", bits=2048)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, identity: Identity) -> Iterator[RunningTwin]:
    """An SFTP server with a folder for each of three agencies."""
    found = start_twin("bailiff", tmp_path_factory.mktemp("sftp-server"))
    key = serialization.load_pem_private_key(identity.private_key_pem, None).public_key()
    public = key.public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH).decode()
    known = {"certificate_pem": identity.certificate_pem.decode(), "ssh_public_key": public, "sender_ref": "collecthub"}
    found.control("hub", known)
    for country in ("MX", "PE", "CO"):
        for name in ("in", "out"):
            (found.home / "sftp" / country / name).mkdir(parents=True)
    yield found
    found.kill()


def placed(office: Office, country: str) -> dict[str, Any]:
    """A case with an invoice's document, on its way to the agency of the country."""
    opened: dict[str, Any] = office.open_case(debtor={"name": f"Debtor {country}", "country": country})
    added = office.client("kroon").post(
        f"/api/v1/cases/{opened['case_id']}/documents", params={"name": "factura.pdf", "kind": "invoice"}, content=INVOICE,
        headers=once(),
    )
    assert added.status_code == 201, added.text
    office.run()
    return opened


def receive(office: Office, line: str) -> None:
    receive_connection(office.hub, line)
    office.run()


def brought_to(office: Office, case_id: str) -> list[tuple[str, str]]:
    """Who added which document."""
    items = office.client("operator").get(f"/api/v1/cases/{case_id}/timeline").json()["items"]
    return [(one["actor"], one["fact"]["name"]) for one in items if one["kind"] == "document_added"]


def quarantined(office: Office) -> set[str]:
    return {one["code"] for one in office.client("operator").get("/api/v1/quarantine").json()["items"]}


def test_documents_go_with_the_form_and_come_back_by_the_case_number(
    both_office: Office, server: RunningTwin, identity: Identity
) -> None:
    office = both_office
    office.hub.plugins.add("form_folder", form_folder)
    lines = {country: add_form_agency(office, server, identity, country) for country in ("MX", "PE")}
    case, others = placed(office, "MX"), placed(office, "PE")
    home = server.home / "sftp" / "MX"
    (parcel,) = (home / "in").glob("*.zip")
    with zipfile.ZipFile(parcel) as archive:
        (form,) = [name for name in archive.namelist() if name.startswith("cases-")]
        (row,) = read_rows(archive.read(form), form)
        (listed,) = read_rows(archive.read("documents.csv"), "documents.csv")
        assert row.cells["Id del expediente"] == listed.cells["Id del expediente"] == case["case_id"]
        content = archive.read(listed.cells["Documento"])
    assert (content, hashlib.sha256(content).hexdigest()) == (INVOICE, listed.cells["sha256"])
    for name, bytes_ in {
        f"{case['number']} recibo.pdf": RECEIPT, f"{case['number'].lower()}_otra_vez.pdf": RECEIPT, "recibo.pdf": RECEIPT,
        f"{others['number']}.pdf": RECEIPT, f"{case['number']} programa.exe": b"MZ", ".empieza.pdf": RECEIPT, "largo.pdf.part": b"%PDF",
        f"{case['number']} grande.pdf": b"%PDF-" + bytes(20_000_000),
    }.items():  # fmt: skip
        (home / "out" / name).write_bytes(bytes_)
    receive(office, lines["MX"])
    assert brought_to(office, case["case_id"])[1:] == [("partner:agency-MX", f"{case['number']} recibo.pdf")], "the same bytes once"
    assert len(brought_to(office, others["case_id"])) == 1, "nobody adds to another one's case"
    assert quarantined(office) == {"document.case", "document.type", "file.size", "record.unknown_case"}
    left = {path.name for path in (home / "out").iterdir()}
    assert left == {".empieza.pdf", "largo.pdf.part", f"{case['number']} grande.pdf"}, "what is not whole or too large stays"
    told = " ".join(path.read_text() for path in (home / "in").glob("*.receipt.txt"))
    assert told.count("no aceptado") == 4 and "no contiene un número de expediente" in told and "usted no tiene" in told
    for path in (*(home / "out").iterdir(), *(home / "in").iterdir()):
        path.unlink()


def form_keys(office: Office, line: str) -> Sequence[KeyEnd]:
    connector = office.hub.connector(line)
    assert isinstance(connector, KeyHolder)
    return connector.key_ends()


def openssl(folder: Path, *words: str, content: bytes) -> bytes:
    done = subprocess.run(("openssl", "cms", *words), input=content, cwd=folder, capture_output=True, check=True)
    return done.stdout


def test_a_sealed_folder_is_signed_and_encrypted_both_ways(
    office: Office, server: RunningTwin, identity: Identity, tmp_path: Path
) -> None:
    office.hub.plugins.add("form_folder", form_folder)
    line, partner = add_form_agency(office, server, identity, "CO"), generate_identity("agency", bits=2048)
    keys = {
        "partner_certificate": partner.certificate_pem.decode(), "own_certificate": identity.certificate_pem.decode(),
        "own_key": identity.private_key_pem.decode(),
    }  # fmt: skip
    client, door = office.client("operator"), f"/api/v1/connections/{line}"
    assert client.patch(door, json={"settings": {"partner_certificate": keys["partner_certificate"]}}).status_code == 422
    assert client.patch(door, json={"settings": keys}).status_code == 200
    checked = client.post(f"{door}/check", headers=once()).json()["steps"]
    assert [(step["name"], step["is_ok"]) for step in checked] == [("keys", True), ("CO/in", True), ("CO/out", True)]
    assert [one.key for one in form_keys(office, line)] == ["own certificate", "partner certificate"], "watched until they end"
    for name, pem in (("hub.crt", identity.certificate_pem), ("own.crt", partner.certificate_pem), ("own.key", partner.private_key_pem)):
        (tmp_path / name).write_bytes(pem)
    case = placed(office, "CO")
    home = server.home / "sftp" / "CO"
    (sealed,) = (home / "in").glob("*.zip.p7m")
    signed = openssl(tmp_path, "-decrypt", "-inform", "DER", "-recip", "own.crt", "-inkey", "own.key", "-binary", content=sealed.read_bytes())
    verify = ("-verify", "-inform", "DER", "-CAfile", "hub.crt", "-certfile", "hub.crt", "-purpose", "any", "-binary")
    with zipfile.ZipFile(io.BytesIO(openssl(tmp_path, *verify, content=signed))) as archive:
        (name,) = [one for one in archive.namelist() if one.startswith("cases-")]
        (row,) = read_rows(archive.read(name), name)
    filled = {**row.cells, "Respuesta": "Aceptar", "Su número de expediente": "CO-7"}
    form = write_csv(list(filled), [list(filled.values())])

    def seal(content: bytes) -> bytes:
        given = openssl(tmp_path, "-sign", "-nodetach", "-binary", "-outform", "DER", "-signer", "own.crt", "-inkey", "own.key", content=content)
        return openssl(tmp_path, "-encrypt", "-binary", "-outform", "DER", "-aes256", "hub.crt", content=given)

    (home / "out" / "form.csv.p7m").write_bytes(seal(form))
    (home / "out" / f"{case['number']}.pdf.p7m").write_bytes(seal(RECEIPT))
    (home / "out" / "open.csv").write_bytes(form)
    receive(office, line)
    assert client.get(f"/api/v1/cases/{case['case_id']}").json()["status"] == "accepted"
    assert [who for who, _ in brought_to(office, case["case_id"])][1:] == ["partner:agency-CO"]
    assert quarantined(office) == {"crypto.undecryptable"}, "what is not sealed is from anybody"
    assert all(path.name.endswith(".p7m") for path in (home / "in").iterdir())
