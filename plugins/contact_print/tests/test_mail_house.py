"""A mail house on a real SFTP server of another maker: each letter once, in one manifest, and its answers come back."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from wire.sftp_peers import SftpPeer, asyncssh_peer

from collecthub.sdk import Address, Attachment, CameBack, Channel, DebtorMessage
from collecthub.testing.fakes import ListJournal, context
from collecthub_contact_print.mail_house import ContactMailHouseConnector
from collecthub_contact_print.settings import ContactMailHouseSettings


@pytest.fixture
def peer(tmp_path: Path) -> Iterator[SftpPeer]:
    folder = tmp_path / "house"
    folder.mkdir()
    with asyncssh_peer(folder) as running:
        yield running


@pytest.fixture
def house(peer: SftpPeer) -> Iterator[ContactMailHouseConnector]:
    settings = ContactMailHouseSettings.model_validate({
        "host": "127.0.0.1", "port": peer.port, "username": peer.username, "private_key": peer.login_key.decode(),
        "host_key_fingerprints": [peer.fingerprint],
    })  # fmt: skip
    connector = ContactMailHouseConnector(context(settings))
    yield connector
    connector.close()


def letter(contact_id: str) -> DebtorMessage:
    page = Attachment(name="1.pdf", media_type="application/pdf", content=b"%PDF-1.7 " + contact_id.encode() * 50)
    return DebtorMessage(
        contact_id=contact_id, channel=Channel.LETTER, sender_name="Kroon", reply_to="", recipient="Zoe; Bold", language="nl",
        subject="s", text="t", address=Address(lines=("Markt 1",), city="Gent", country="BE"), attachments=(page,),
    )  # fmt: skip


def manifests(peer: SftpPeer) -> list[list[dict[str, str]]]:
    files = sorted((peer.folder / "batches").glob("*.csv"))
    return [list(csv.DictReader(io.StringIO(file.read_text("utf-8-sig")))) for file in files]


def test_each_letter_lies_there_once_and_stands_in_one_manifest(peer: SftpPeer, house: ContactMailHouseConnector) -> None:
    assert all(step.is_ok for step in house.check())
    notes = ListJournal()
    for contact_id in ("a1", "b2", "a1"):  # the last one is said again after a crash
        house.deliver(letter(contact_id), notes)
    assert list(house.entries()) == []  # nothing is answered; the batch is closed
    house.deliver(letter("b2"), notes)
    house.deliver(letter("c3"), notes)
    (peer.folder / "letters" / "b2.listed.json").rename(peer.folder / "letters" / "b2.json")  # cut off before its mark
    assert list(house.entries()) == [] and list(house.entries()) == []
    assert [[row["file"] for row in rows] for rows in manifests(peer)] == [["a1.pdf", "b2.pdf"], ["c3.pdf"]]
    assert manifests(peer)[0][0]["recipient"] == "Zoe; Bold"
    assert sorted(file.name for file in (peer.folder / "letters").glob("*.pdf")) == ["a1.pdf", "b2.pdf", "c3.pdf"]
    assert not list((peer.folder / "letters").glob(".*"))


def test_answers_come_back_row_by_row_and_are_let_go_with_their_last(peer: SftpPeer, house: ContactMailHouseConnector) -> None:
    house.check()
    answers = peer.folder / "answers"
    (answers / "1.csv").write_text("file;state;reason\na1.pdf;posted;\nb2.pdf;returned;moved\nx;lost;?\n")
    (answers / "2.csv").write_bytes(b"\xff\xfe\x00\x00")
    found = list(house.entries())
    said = [house.understand(content) for _, content in found]
    assert said[:3] == [
        CameBack(contact_id="a1", kind="note", reason="the mail house says posted: no reason given"),
        CameBack(contact_id="b2", kind="bounce", reason="the mail house says returned: moved"), None,
    ]  # fmt: skip
    assert said[3:] == [None]  # no table: a person reads it
    house.take(found[0][0])
    assert (answers / "1.csv").exists()
    for name, _ in found[1:]:
        house.take(name)
    assert not list(answers.iterdir())
