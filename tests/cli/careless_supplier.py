"""A supplier's software that reads the handbook badly: it trusts every signature, counts every copy, ignores recalls.

`python careless_supplier.py HOME` reads HOME/hub.json (certificate, login key), writes HOME/ready.json and serves until
its input ends. Its own means: asyncssh, cryptography, signxml by the sandbox's container.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
import zipfile
from io import BytesIO
from pathlib import Path

import asyncssh
from cryptography import x509
from cryptography.hazmat.primitives.serialization import pkcs7
from lxml import etree

from collecthub.sandbox.signed_container import Identity, new_identity, seal, sign

NS = "{urn:collecthub:case-exchange:1.0}"
NUMBERS = itertools.count(1)
ANSWER = """<Exchange xmlns="urn:collecthub:case-exchange:1.0"><ExchangeId>c-{n}</ExchangeId><Version>1.0</Version>
<SenderRef>careless</SenderRef><ReceiverRef>collecthub</ReceiverRef><CreatedAt>2026-06-15T12:00:00Z</CreatedAt>
<MessageCount>1</MessageCount><Messages><CaseAcknowledgement><MessageId>c-{n}-1</MessageId><CaseId>{case}</CaseId>
<HolderRef>C-{n}</HolderRef><InReplyTo>{file}</InReplyTo><Verdict>accepted</Verdict>
<OccurredAt>2026-06-15T09:00:00Z</OccurredAt></CaseAcknowledgement></Messages></Exchange>"""


class Door(asyncssh.SSHServer):
    """Lets the hub's key in."""

    def __init__(self, known: str) -> None:
        self._known = asyncssh.import_public_key(known)

    def begin_auth(self, username: str) -> bool:
        return True

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        return key.public_data == self._known.public_data


def sweep(files: Path, own: Identity, hub: x509.Certificate) -> None:
    """Accept every case file that lies there, whoever signed it and however often it came."""
    for path in sorted((files / "in").iterdir()):
        if path.name.startswith("."):
            continue
        content = path.read_bytes()
        path.unlink()
        opened = pkcs7.pkcs7_decrypt_der(content, own.certificate, own.key, [])
        with zipfile.ZipFile(BytesIO(opened)) as archive:
            root = etree.fromstring(archive.read("exchange.xml"), etree.XMLParser(huge_tree=True))
        for message in root.iter(f"{NS}CaseFile"):
            number = next(NUMBERS)
            said = ANSWER.format(n=number, case=message.findtext(f"{NS}CaseId"), file=message.findtext(f"{NS}MessageId"))
            sealed = seal("exchange.xml", sign(etree.fromstring(said.encode()), own), hub)
            (files / "out" / f".c-{number}").write_bytes(sealed)
            (files / "out" / f".c-{number}").rename(files / "out" / f"collecthub-c-{number}.zip.p7m")


async def serve(home: Path) -> None:
    """Open the server and work until the input ends."""
    given = json.loads((home / "hub.json").read_text())
    files, own = home / "files", new_identity("careless")
    for folder in ("in", "out/done", "receipt"):
        (files / folder).mkdir(parents=True)
    key = asyncssh.generate_private_key("ssh-ed25519")
    server = await asyncssh.listen(
        "127.0.0.1", 0, server_host_keys=[key], server_factory=lambda: Door(given["login"]),
        sftp_factory=lambda channel: asyncssh.SFTPServer(channel, chroot=str(files).encode()),
    )
    facts = {"port": server.get_port(), "fingerprint": key.get_fingerprint(), "certificate": own.certificate_pem}
    (home / ".ready").write_text(json.dumps(facts))
    (home / ".ready").rename(home / "ready.json")
    hub = x509.load_pem_x509_certificate(given["certificate"].encode())
    ended = asyncio.create_task(asyncio.to_thread(sys.stdin.read))
    while not ended.done():
        sweep(files, own, hub)
        await asyncio.sleep(0.05)


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1])))
