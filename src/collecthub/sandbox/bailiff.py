"""The bailiff's office: an SFTP server of its own and a clerk who works the files in its folders.

Ready file: `sftp_host`, `sftp_port`, `username`, `host_key_fingerprint`, `certificate_pem`, `partner_ref`.
Control: `hub` (`certificate_pem`, `ssh_public_key`, `sender_ref`), `work` (`days` or `up_to`, `advance_clock`), `books`,
`accounts`, `down` (`seconds`: hangs up on whoever connects).
Settings: see `office.profile_from`, and `username`.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import hashlib
import json
import re
import sys
import time
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import asyncssh
from cryptography import x509
from starlette.applications import Starlette

from collecthub.sandbox.contract import ContractBreach
from collecthub.sandbox.exchange_xml import check, read_exchange, to_bytes, write_accounts, write_exchange
from collecthub.sandbox.office import Office, profile_from
from collecthub.sandbox.office_books import Json
from collecthub.sandbox.office_desk import ChangedExchange
from collecthub.sandbox.signed_container import kept_identity, new_identity, seal, sign, unseal
from collecthub.sandbox.twin import LOOPBACK, Clock, TwinOptions, open_books
from collecthub.sandbox.twin_http import Control, serve_http

FOLDERS = ("in", "out", "out/done", "receipt")
SPOILS = {"truncated": "quarantine", "doctype": "quarantine", "wrong_signature": "quarantine"}
_SUFFIX = ".zip.p7m"
_POLL_SECONDS = 0.1
_MAX_FILE_BYTES = 100_000_000


class Door(asyncssh.SSHServer):
    """Lets in the one user with the key that the hub gave; no passwords, no shell."""

    def __init__(self, bailiff: Bailiff) -> None:
        self._bailiff = bailiff

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        """Hang up at once while the office is closed."""
        if time.monotonic() < self._bailiff.down_until:
            conn.abort()

    def begin_auth(self, username: str) -> bool:
        return True

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        """Whether this is the hub: its name and its key."""
        known = self._bailiff.hub.get("ssh_public_key", "")
        return (
            bool(known)
            and username == self._bailiff.username
            and asyncssh.import_public_key(known).public_data == key.public_data
        )


class Bailiff:
    """The office behind the folders below `home/sftp`; `taken` and `read` lie outside the hub's reach."""

    def __init__(self, options: TwinOptions, office: Office) -> None:
        self.office = office
        self.username = options.setting("username", "hub")
        self.files, self._taken, self._read = (options.home / name for name in ("sftp", "taken", "read"))
        for folder in (*(self.files / name for name in FOLDERS), self._taken, self._read):
            folder.mkdir(parents=True, exist_ok=True)
        self._home = options.home
        self._identity = kept_identity(options.home, office.profile.ref)
        self._stranger = new_identity("stranger") if office.profile.is_mischievous else self._identity
        self.down_until = 0.0
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def hub(self) -> Json:
        """What the hub told about itself; empty until it did."""
        known: Json = self.office.books.books.get("hub", {})
        return known

    def actions(self) -> dict[str, Control]:
        """The control actions of this twin."""
        return {
            "hub": self._know_hub,
            "work": self._work,
            "books": lambda _: self.office.report(),
            "accounts": lambda _: {"file": self.publish_accounts()},
            "down": self._down,
        }

    def _down(self, payload: Json) -> Json:
        self.down_until = time.monotonic() + payload["seconds"]
        return {}

    def _know_hub(self, payload: Json) -> Json:
        x509.load_pem_x509_certificate(payload["certificate_pem"].encode())
        asyncssh.import_public_key(payload["ssh_public_key"])
        self.office.books.books.put("hub", payload)
        self.office.books.books.put("hub_ref", payload["sender_ref"])
        return {"partner_ref": self.office.profile.ref, "certificate_pem": self._identity.certificate_pem}

    def _work(self, payload: Json) -> Json:
        self.sweep()
        done = self.office.work(**payload)
        self._deliver()
        return {**done, "accounts": self.publish_accounts()}

    async def open(self) -> Mapping[str, Any]:
        """Start the SFTP server and the clerk; returns the facts for the ready file."""
        key_file = self._home / "ssh_host_key"
        if not key_file.exists():
            asyncssh.generate_private_key("ssh-ed25519").write_private_key(key_file)
        key = asyncssh.read_private_key(key_file)
        chroot = str(self.files).encode()
        books = self.office.books.books
        server = await asyncssh.listen(
            LOOPBACK, books.get("sftp_port", 0), reuse_address=True, server_host_keys=[key],
            server_factory=lambda: Door(self), allow_pty=False,
            sftp_factory=lambda channel: asyncssh.SFTPServer(channel, chroot=chroot),
            keepalive_interval=30, login_timeout=10,
        )  # fmt: skip
        books.put("sftp_port", server.get_port())
        clerk = asyncio.create_task(self._clerk())
        clerk.add_done_callback(lambda ended: ended.cancelled() or ended.result())  # a defect shows in the log
        self._tasks.add(clerk)
        return {
            "sftp_host": LOOPBACK, "sftp_port": server.get_port(), "username": self.username,
            "host_key_fingerprint": key.get_fingerprint(), "certificate_pem": self._identity.certificate_pem,
            "partner_ref": self.office.profile.ref,
        }  # fmt: skip

    async def _clerk(self) -> None:
        while True:
            if self.sweep():
                self._deliver()
                self.publish_accounts()
            await asyncio.sleep(_POLL_SECONDS)

    def sweep(self) -> int:
        """Take what lies in `in` and `receipt` and read it; returns the number of exchanges among it."""
        if not self.hub:
            return 0
        for folder in ("in", "receipt"):
            for path in sorted((self.files / folder).iterdir()):
                if path.is_file() and not path.name.startswith("."):
                    path.replace(self._taken / f"{folder}~{path.name}")
        taken = sorted(self._taken.iterdir())
        for path in taken:
            kind, _, name = path.name.partition("~")
            try:
                self._read_receipt(path, name) if kind == "receipt" else self._read_exchange(path, name)
            except (ContractBreach, ChangedExchange) as error:
                code = error.code if isinstance(error, ContractBreach) else "exchange.changed"
                self.office.books.refuse(name, code, str(error))
            except (ValueError, LookupError, TypeError, ArithmeticError) as error:
                traceback.print_exc(file=sys.stderr)
                self.office.books.refuse(name, "internal", f"{type(error).__name__}: {error}")
            path.replace(self._read / path.name)
        return sum(path.name.startswith("in~") for path in taken)

    def _read_exchange(self, path: Path, name: str) -> None:
        if path.stat().st_size > _MAX_FILE_BYTES:
            raise ContractBreach("file.size", "The file is larger than 100 MB.")
        content = path.read_bytes()
        sender = x509.load_pem_x509_certificate(self.hub["certificate_pem"].encode())
        root, documents = unseal(content, self._identity, sender)
        check(root)
        exchange = read_exchange(root)
        mine, hub = self.office.profile.ref, self.office.hub_ref
        if (exchange["sender_ref"], exchange["receiver_ref"]) != (hub, mine):
            raise ContractBreach("exchange.address", f"Not from {hub} to {mine}.")
        if name != f"{mine}-{exchange['exchange_id']}{_SUFFIX}":
            raise ContractBreach("file.name", f"The file is not named {mine}-<ExchangeId>{_SUFFIX}.")
        _check_documents(exchange, documents)
        # Encryption is salted: a retry of the same exchange has other bytes around the same signed content.
        self.office.receive(exchange, hashlib.sha256(to_bytes(root)).hexdigest())

    def _read_receipt(self, path: Path, name: str) -> None:
        found = re.fullmatch(rf"(?P<file>.+{re.escape(_SUFFIX)})\.(?P<verdict>ack|nak)\.json", name)
        if found is None:
            raise ContractBreach("receipt.name", "A receipt is named <file>.ack.json or <file>.nak.json.")
        try:
            said = json.loads(path.read_bytes())
        except ValueError as error:
            raise ContractBreach("receipt.malformed", str(error)) from error
        if said.get("file") != found["file"]:
            raise ContractBreach("receipt.file", "The receipt's name and its content name different files.")
        if found["file"].startswith("accounts-"):
            return
        exchange_id = found["file"].removeprefix(f"{self.office.hub_ref}-").removesuffix(_SUFFIX)
        accepted = found["verdict"] == "ack"
        code, reason = said.get("code", ""), said.get("reason", "")
        if not self.office.record_verdict(exchange_id, accepted=accepted, code=code, reason=reason):
            raise ContractBreach("receipt.unknown", "The receipt is for a file that this office did not send.")

    def _deliver(self) -> None:
        if not self.hub:
            return
        for one in self.office.undelivered(1_000):
            exchange_id = one["exchange"]["exchange_id"]
            name = f"{self.office.hub_ref}-{exchange_id}{_SUFFIX}"
            if not (self.files / "out" / "done" / name).exists():
                self._put(name, self._container("exchange.xml", self._xml(one["exchange"], one["spoil"])))
            self.office.mark(exchange_id, is_delivered=True)

    def _xml(self, exchange: Json, spoil: str) -> bytes:
        signer = self._stranger if spoil == "wrong_signature" else self._identity
        xml = sign(write_exchange(exchange), signer)
        if spoil == "truncated":
            return xml[: len(xml) // 2]
        return xml.replace(b"<Exchange", b"<!DOCTYPE Exchange>\n<Exchange", 1) if spoil == "doctype" else xml

    def _container(self, name: str, xml: bytes) -> bytes:
        return seal(name, xml, x509.load_pem_x509_certificate(self.hub["certificate_pem"].encode()))

    def publish_accounts(self) -> str:
        """Put the office's books into `out`; returns the file's name, empty while the hub is unknown."""
        if not self.hub:
            return ""
        books = self.office.books.books
        moment = max(int(self.office.clock.timestamp() * 1000), books.get("accounts", 0) + 1)
        books.put("accounts", moment)
        written = dt.datetime.fromtimestamp(moment / 1000, dt.UTC)
        name = f"accounts-{written:%Y%m%dT%H%M%S}.{moment % 1000:03d}Z{_SUFFIX}"
        self._put(name, self._container("accounts.xml", sign(write_accounts(self.office.accounts()), self._identity)))
        return name

    def _put(self, name: str, content: bytes) -> None:
        """A temporary name that readers skip, then a rename."""
        temporary = self.files / "out" / f".{name}.part"
        temporary.write_bytes(content)
        temporary.replace(self.files / "out" / name)


def _check_documents(exchange: Json, files: dict[str, bytes]) -> None:
    """Every document that names a file has it, unchanged, and every file is named."""
    named = {
        document["href"]: document["sha256"]
        for message in exchange["messages"]
        for document in message.get("documents", [])
        if "href" in document
    }
    if named != {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}:
        raise ContractBreach("archive.documents", "The documents in the container are not those that the file names.")


def serve(options: TwinOptions) -> None:
    """Run the twin until it is told to stop."""
    books = open_books(options)
    clock = Clock(books)
    ref = options.setting("ref", "bailiff")
    profile = profile_from(options, ref=ref, kind="bailiff", spoils=SPOILS, is_inline=False)
    bailiff = Bailiff(options, Office(books, clock, profile))
    serve_http(options, Starlette(), clock, bailiff.actions(), bailiff.open)
