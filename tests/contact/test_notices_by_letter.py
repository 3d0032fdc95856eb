"""Notices before the due day by letter, through a mail house on a real SFTP server, and by text message: once each."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import msgspec
import pypdf
from wire.sftp_peers import asyncssh_peer

import collecthub_contact_print
import collecthub_contact_sms
from collecthub.engine.doors import connect
from collecthub.model.contact import Channel, Tone
from collecthub.model.party import Address, Contact, Party, PartyKind
from collecthub.sandbox.twin import RunningTwin
from collecthub.store.queries.scope import LOCAL_OPERATOR
from contact.conftest import Later, agree, gateway_settings
from contact.test_notices import BEFORE, WITH_NOTICES, Shop, shop  # noqa: F401 (a fixture)

BY_LETTER = msgspec.structs.replace(
    WITH_NOTICES, before=tuple(msgspec.structs.replace(one, channel=by) for one, by in zip(BEFORE, (Channel.LETTER, Channel.SMS), strict=True))
)


def test_a_notice_goes_by_letter_and_then_by_text_message(
    shop: Shop, later: Later, gateway: RunningTwin, tmp_path: Path  # noqa: F811 (the fixture)
) -> None:
    agree(shop.hub, BY_LETTER)
    shop.hub.plugins.add("sms", collecthub_contact_sms)
    shop.hub.plugins.add("print", collecthub_contact_print)
    folder = tmp_path / "house"
    for name in ("letters", "batches", "answers"):
        (folder / name).mkdir(parents=True)
    shop.world.parties["PAPER"] = Party(
        name="Customer PAPER", country="BE", language="de", kind=PartyKind.COMPANY, contacts=(Contact(phone="+32470999888"),),
        address=Address(lines=("Markt 1",), postcode="9000", city="Gent", country="BE"),
    )
    shop.world.invoice("1", "PAPER", "2026-06-24", "100.00")
    with asyncssh_peer(folder) as peer:
        house = {
            "host": "127.0.0.1", "port": peer.port, "username": peer.username, "private_key": peer.login_key.decode(),
            "host_key_fingerprints": [peer.fingerprint],
        }  # fmt: skip
        with shop.hub.work() as work:
            for kind, settings in (("contact_mail_house", house), ("contact_sms", gateway_settings(gateway))):
                connect(shop.hub, work, LOCAL_OPERATOR, kind=kind, name=kind, creditor_id="kroon", settings=settings)
        later(shop, 8)
    assert shop.states("PAPER") == ["sent", "sent"]
    [letter] = (folder / "letters").glob("*.pdf")
    words = "".join(page.extract_text() for page in pypdf.PdfReader(letter).pages)
    assert "Customer PAPER" in words and "100,00" in words and Tone.COURTESY.value not in words
    [manifest] = (folder / "batches").glob("*.csv")
    [row] = csv.DictReader(io.StringIO(manifest.read_text("utf-8-sig")))
    assert (row["file"], row["recipient"], row["language"]) == (letter.name, "Customer PAPER", "de")
    texts = gateway.control("messages", {"to": "+32470999888"})["items"]
    assert len(texts) == 1 and "100,00" in texts[0]["message"]
