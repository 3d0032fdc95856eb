"""Acts asked from elsewhere over lines that no person sees: a partner's SFTP folder with sealed files, and another hub."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from lxml import etree
from web.office import Office, once

import collecthub_sftp_batch
from collecthub.bundled import jurisdictions
from collecthub.engine.inward import receive_connection
from collecthub.formats.json import JsonFormat
from collecthub.formats.xml import XmlFormat
from collecthub.model.exchange import Exchange, Message
from collecthub.sandbox import signed_container as theirs
from collecthub.sandbox.twin import RunningTwin, start_twin
from collecthub.wire.crypto import generate_identity
from partner.agency_office import add_agency
from partner.test_acts import ACTS, LAWYER, certify, request, yes

SAID = ["CaseAcknowledgement", "CaseInstruction", "CaseAcknowledgement", "CaseStatusUpdate", "CostStatement", "CaseReturn"]
OWN = generate_identity("hub", bits=2048)
NOON = dt.datetime(2026, 6, 15, 9, tzinfo=dt.UTC)


@pytest.fixture
def here(office: Office) -> Office:
    office.hub.plugins.add("jurisdictions", jurisdictions)
    return office


def exchange(number: int, *messages: Message) -> Exchange:
    return Exchange(
        exchange_id=f"act-{number}", sender_ref=LAWYER, receiver_ref="collecthub", created_at=NOON, messages=messages
    )


def worked(office: Office, say: Callable[[Exchange], None], heard: Callable[[], list[str]]) -> None:
    """From the request to the certificate: whatever we say comes back by the line on which it was asked."""
    say(exchange(1, request("M-9")))
    assert heard() == SAID[:1]
    (act,) = office.client("operator").get(ACTS).json()["items"]
    quoted = office.client("operator").post(f"{ACTS}/{act['act_id']}/quote", json={}, headers=once()).json()["quote"]
    office.run()
    assert heard() == SAID[:2]
    say(exchange(2, yes(quoted, "M-9")))
    say(exchange(2, yes(quoted, "M-9")))
    certify(office, act["act_id"])
    office.run()
    assert heard() == SAID, "said twice, ordered once"
    assert office.client("operator").get("/api/v1/quarantine").json()["items"] == []


# --- sealed files in a folder ---------------------------------------------------------------------


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RunningTwin]:
    """An SFTP server with folders that nobody works in."""
    found = start_twin("bailiff", tmp_path / "server", settings={"auto": "1", "seed": "t"})
    key = serialization.load_pem_private_key(OWN.private_key_pem, None).public_key()
    public = key.public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH).decode()
    known = {"certificate_pem": OWN.certificate_pem.decode(), "ssh_public_key": public, "sender_ref": "collecthub"}
    found.control("hub", known)
    for name in ("in", "out", "out/done", "receipt"):
        (found.home / "sftp" / "quiet" / name).mkdir(parents=True)
    yield found
    found.kill()


def connected(office: Office, server: RunningTwin) -> str:
    office.hub.plugins.add("sftp_batch", collecthub_sftp_batch)
    facts = server.facts
    settings: dict[str, Any] = {
        "host": facts["sftp_host"], "port": facts["sftp_port"], "username": facts["username"], "folder": "quiet",
        "private_key": OWN.private_key_pem.decode(), "own_key": OWN.private_key_pem.decode(),
        "own_certificate": OWN.certificate_pem.decode(), "partner_certificate": facts["certificate_pem"],
        "host_key_fingerprints": [facts["host_key_fingerprint"]],
    }  # fmt: skip
    body = {"kind": "sftp_batch", "name": "folder", "partner_id": LAWYER, "settings": settings}
    made = office.client("operator").post("/api/v1/connections", json=body, headers=once())
    assert made.status_code == 201, made.text
    return str(made.json()["connection_id"])


def test_an_act_is_asked_by_a_sealed_file_in_a_folder_and_answered_there(here: Office, server: RunningTwin) -> None:
    add_agency(here, LAWYER, "FR")
    line, quiet = connected(here, server), server.home / "sftp" / "quiet"
    mine = theirs.kept_identity(server.home, "bailiff")
    hub = x509.load_pem_x509_certificate(OWN.certificate_pem)

    def say(said: Exchange) -> None:
        xml = theirs.sign(etree.fromstring(XmlFormat().encode(said)), mine)
        (quiet / "out" / f"{said.exchange_id}.zip.p7m").write_bytes(theirs.seal("exchange.xml", xml, hub))
        receive_connection(here.hub, line)
        here.run()

    def heard() -> list[str]:
        found = []
        for path in sorted((quiet / "in").iterdir(), key=lambda one: one.stat().st_mtime_ns):
            root, _ = theirs.unseal(path.read_bytes(), mine, hub)
            found += [type(one).__name__ for one in XmlFormat().decode(etree.tostring(root)).messages]
        return found

    worked(here, say, heard)


def test_another_hub_asks_for_an_act_and_fetches_the_answers(here: Office) -> None:
    peer = add_agency(here, LAWYER, "FR")

    def say(said: Exchange) -> None:
        sent = peer.post(
            "/exchange/v1/exchanges", content=JsonFormat().encode(said), headers={"Idempotency-Key": said.exchange_id}
        )
        assert sent.status_code == 202, sent.text
        here.run()

    def heard() -> list[str]:
        items = peer.get("/exchange/v1/outbox").json()["items"]
        return [type(one).__name__ for item in items for one in JsonFormat().decode(json.dumps(item["exchange"]).encode()).messages]

    worked(here, say, heard)

