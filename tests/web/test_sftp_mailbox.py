"""Mailboxes by SFTP: the OpenSSH client fetches and brings, nobody sees more than his own, nothing lies on a disk.

The partner's side uses his own means: OpenSSH's `sftp`, and the sandbox's container of the handbook.
"""

from __future__ import annotations

import contextlib
import inspect
import shutil
import struct
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import asyncssh
import paramiko
import pytest
import sqlalchemy as sa
from formats.court_cases import particulars
from lxml import etree
from walk.scripted import ScriptedPlugin, World

import collecthub_sftp_batch
from collecthub.cli.serving import mailbox_service
from collecthub.engine.context import Hub
from collecthub.engine.doors import connect
from collecthub.formats.xml import XmlFormat
from collecthub.model.case import Case
from collecthub.model.codes import Status
from collecthub.model.event import DispatchBlocked
from collecthub.model.exchange import CaseFile
from collecthub.model.partner import PartnerProfile
from collecthub.model.party import Party
from collecthub.sandbox import signed_container as theirs
from collecthub.store import tables as t
from collecthub.store.case_log import read_cases, read_events
from collecthub.store.connections import (
    CreditorRow,
    Playbook,
    add_connection,
    change_connection,
    write_creditor,
    write_partner,
)
from collecthub.store.queries.scope import LOCAL_OPERATOR
from collecthub.testing.inline import run_until_idle
from collecthub.wire import sftp_service
from collecthub.wire.crypto import generate_identity, generate_login_key, load_certificate, login_public_key
from collecthub.wire.sftp_service import SftpService
from web.office import connection, make_hub

OWN = generate_identity("hub", bits=2048)
KEYS = {name: generate_login_key() for name in ("bailiff", "lawyer", "nobody")}
IDENTITIES = {name: theirs.new_identity(name) for name in ("bailiff", "lawyer")}


class Desk:
    """A hub with one case in the bailiff's mailbox and an empty one for a lawyer; partners with an OpenSSH client."""

    def __init__(self, hub: Hub, service: SftpService, home: Path) -> None:
        self.hub, self.service, self.home = hub, service, home
        for name, key in KEYS.items():
            (home / name).write_bytes(key)
            (home / name).chmod(0o600)
        public = service._key.export_public_key("openssh").decode().strip()
        (home / "known_hosts").write_text(f"[127.0.0.1]:{service.port} {public}\n")

    def sftp(self, who: str, *commands: str, key: str = "", wanted: int = 0) -> str:
        """Commands of OpenSSH's client in batch mode; a leading `-` lets one fail."""
        client = shutil.which("sftp")
        if client is None:
            pytest.skip("the OpenSSH client is not installed")
        options = [f"UserKnownHostsFile={self.home / 'known_hosts'}", "StrictHostKeyChecking=yes", "IdentitiesOnly=yes",
                   "PasswordAuthentication=no", "BatchMode=yes"]  # fmt: skip
        words = [client, "-q", "-b", "-", "-i", str(self.home / (key or who)), "-P", str(self.service.port)]
        words += [word for option in options for word in ("-o", option)]
        done = subprocess.run(
            [*words, f"{who}@127.0.0.1"], input="\n".join(commands), capture_output=True, text=True, cwd=self.home, check=False
        )
        assert done.returncode == wanted, done.stdout + done.stderr
        return done.stdout + done.stderr

    @contextlib.contextmanager
    def paramiko(self, who: str) -> Iterator[paramiko.SFTPClient]:
        """A session that stays open."""
        with paramiko.Transport(("127.0.0.1", self.service.port)) as transport:
            transport.connect(username=who, pkey=paramiko.Ed25519Key(filename=str(self.home / who)))
            session = paramiko.SFTPClient.from_transport(transport)
            assert session is not None
            yield session

    def unread(self) -> int:
        """Bytes of answers that wait in the server until somebody takes them."""
        connections = [door.connection for door in tuple(self.service._doors)]
        return sum(channel.get_write_buffer_size() for one in connections for channel in tuple(one._channels.values()))

    def names(self, who: str, folder: str) -> list[str]:
        lines = self.sftp(who, f"ls -1 {folder}").splitlines()
        return [line.rpartition("/")[2] for line in lines if not line.startswith("sftp>") and line.strip()]

    def case(self) -> Case:
        with self.hub.database.read() as conn:
            (found,) = read_cases(conn, sa.true())
        return found

    def answer(self, name: str, exchange_id: str = "b-1", *, signer: str = "bailiff", is_test: str = "false") -> None:
        """A sealed acceptance of the case, in the partner's folder."""
        case = self.case()
        assert case.placement is not None
        root = etree.fromstring(_ACCEPTED.format(
            exchange=exchange_id, hub=self.hub.settings.operator_name, case=case.case_id, file=case.placement.message_id,
            test=is_test,
        ).encode())  # fmt: skip
        signed = theirs.sign(root, IDENTITIES[signer])
        (self.home / name).write_bytes(theirs.seal("exchange.xml", signed, load_certificate(OWN.certificate_pem)))


_ACCEPTED = """<Exchange xmlns="urn:collecthub:case-exchange:1.0"><ExchangeId>{exchange}</ExchangeId><Version>1.0</Version>
<SenderRef>bailiff</SenderRef><ReceiverRef>{hub}</ReceiverRef><CreatedAt>2026-06-15T12:00:00Z</CreatedAt><IsTest>{test}</IsTest>
<MessageCount>1</MessageCount><Messages><CaseAcknowledgement><MessageId>{exchange}-1</MessageId><CaseId>{case}</CaseId>
<HolderRef>2026/77</HolderRef><InReplyTo>{file}</InReplyTo><Verdict>accepted</Verdict>
<OccurredAt>2026-06-15T09:00:00Z</OccurredAt></CaseAcknowledgement></Messages></Exchange>"""


def mailbox_settings(name: str) -> dict[str, object]:
    return {
        "login_keys": [login_public_key(KEYS[name])], "own_key": OWN.private_key_pem.decode(),
        "own_certificate": OWN.certificate_pem.decode(), "partner_certificate": IDENTITIES[name].certificate_pem,
    }  # fmt: skip


@pytest.fixture
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Desk]:
    """The desk; a parameter is added to the profile of both partners."""
    habits: dict[str, object] = getattr(request, "param", {})
    world = World()
    hub, _queue = make_hub(
        tmp_path / "hub", f"sqlite:///{tmp_path}/hub.sqlite3", ("scripted", ScriptedPlugin(world)),
        ("sftp_batch", collecthub_sftp_batch),
    )
    now = hub.now()
    with hub.database.write() as conn:
        party = Party(name="De Kroon", country="BE")
        write_creditor(conn, CreditorRow(creditor_id="kroon", name="De Kroon", party=party, playbook=Playbook()), now)
        for partner_id, country in (("bailiff", "UY"), ("lawyer", "XX")):
            profile = PartnerProfile(partner_id=partner_id, name=partner_id, role="agency", countries=(country,))
            write_partner(conn, profile, now)
        add_connection(conn, connection("books", "scripted_erp", "erp", "kroon", None, now))
    with hub.work() as work:
        for name in IDENTITIES:
            connect(
                hub, work, LOCAL_OPERATOR, kind="sftp_mailbox", name=name, settings=mailbox_settings(name) | habits,
                partner_id=name, connection_id=name,
            )  # fmt: skip
    world.parties["U1"] = Party(name="Montevideo SA", country="UY")
    world.invoice("1", "U1", "2026-04-01", "500.00")
    with hub.work() as work:
        work.wake("pull", "books")
    run_until_idle(hub)
    hub.settings = hub.settings.model_copy(update={"sftp_port": 0})
    with mailbox_service(hub, "127.0.0.1") as service:
        yield Desk(hub, service, tmp_path)
    hub.close()


def test_a_partner_fetches_a_case_and_brings_his_answer(desk: Desk) -> None:
    assert desk.case().status is Status.SENT
    (name,) = [one for one in desk.names("bailiff", "in") if one != "done"]
    desk.sftp("bailiff", f"get in/{name} fetched")
    root, _ = theirs.unseal((desk.home / "fetched").read_bytes(), IDENTITIES["bailiff"], load_certificate(OWN.certificate_pem))
    (message,) = XmlFormat().decode(etree.tostring(root)).messages
    assert isinstance(message, CaseFile) and str(message.principal) == "500.00"
    assert desk.names("bailiff", "receipt") == []
    desk.answer("answer")
    desk.sftp("bailiff", "put answer out/.b-1.zip.p7m.part", "rename out/.b-1.zip.p7m.part out/b-1.zip.p7m", f"rename in/{name} in/done/{name}")
    run_until_idle(desk.hub)
    assert desk.case().placement.holder_ref == "2026/77"
    assert desk.names("bailiff", "receipt") == ["b-1.zip.p7m.ack.json"]
    assert "b-1.zip.p7m" in desk.sftp("bailiff", "get receipt/b-1.zip.p7m.ack.json said", "!cat said")
    assert [one for one in desk.names("bailiff", "in") if one != "done"] == []  # taken is taken


def test_what_cannot_be_trusted_gets_its_receipt_with_the_reason(desk: Desk) -> None:
    desk.answer("forged", signer="lawyer")
    desk.sftp("bailiff", "put forged out/.f.part", "rename out/.f.part out/f.zip.p7m")
    run_until_idle(desk.hub)
    desk.sftp("bailiff", "get receipt/f.zip.p7m.nak.json said")
    assert b"sig.signer" in (desk.home / "said").read_bytes()
    assert desk.case().status is Status.SENT


def test_an_answer_that_is_marked_as_a_test_is_read_and_changes_nothing(desk: Desk) -> None:
    desk.answer("trial", is_test="true")
    desk.sftp("bailiff", "put trial out/.t.part", "rename out/.t.part out/t.zip.p7m")
    run_until_idle(desk.hub)
    assert desk.names("bailiff", "receipt") == ["t.zip.p7m.ack.json"]
    assert desk.case().status is Status.SENT and desk.case().placement.holder_ref == ""


def test_nobody_sees_another_ones_mailbox(desk: Desk) -> None:
    (name,) = [one for one in desk.names("bailiff", "in") if one != "done"]
    assert [one for one in desk.names("lawyer", "in") if one != "done"] == []
    for path in (f"in/{name}", f"../bailiff/in/{name}", f"/bailiff/in/{name}", "/etc/hostname", "../../../etc/hostname"):
        said = desk.sftp("lawyer", f"get {path} stolen", wanted=1)
        assert "not found" in said or "no such" in said.lower() or "there is no" in said, said
    assert not (desk.home / "stolen").exists()
    desk.sftp("lawyer", f"rm in/{name}", wanted=1)
    desk.sftp("lawyer", f"rename in/{name} in/done/{name}", wanted=1)
    assert name in desk.names("bailiff", "in")
    for who, key in (("bailiff", "lawyer"), ("lawyer", "bailiff"), ("bailiff", "nobody"), ("kroon", "lawyer"), ("nobody", "nobody")):
        desk.sftp(who, "ls", key=key, wanted=255)
    assert name in desk.names("bailiff", "in")


def test_a_mailbox_takes_files_and_nothing_else(desk: Desk) -> None:
    (name,) = [one for one in desk.names("bailiff", "in") if one != "done"]
    desk.answer("answer")
    for command in (
        "put answer out/b-1.zip.p7m", f"put answer in/{name}", "put answer receipt/x", "put answer .x", "mkdir new",
        "symlink /etc/passwd out/.link", "ln answer out/.hard", f"rename in/{name} in/other", "rmdir out",
    ):
        desk.sftp("bailiff", command, wanted=1)
    assert not list((desk.hub.settings.home / "mailbox").rglob("*link*"))
    with paramiko.Transport(("127.0.0.1", desk.service.port)) as transport:
        transport.connect(username="bailiff", pkey=paramiko.Ed25519Key(filename=str(desk.home / "bailiff")))
        session = transport.open_session()
        with pytest.raises(paramiko.SSHException):
            session.exec_command("id")
        with pytest.raises(paramiko.SSHException):
            transport.open_channel("direct-tcpip", ("127.0.0.1", 22), ("127.0.0.1", 0))


def test_a_login_ends_with_the_person_who_stops_it_or_the_key_that_goes(desk: Desk) -> None:
    with desk.paramiko("bailiff") as sftp:
        assert "in" in sftp.listdir(".")
        with desk.hub.database.write() as conn:
            change_connection(conn, "bailiff", cause="person")
        for act in (sftp.listdir, sftp.stat, sftp.file, sftp.remove):
            with pytest.raises(PermissionError):
                act("in")
    with desk.hub.database.write() as conn:
        change_connection(conn, "bailiff", cause="")
    with desk.paramiko("bailiff") as sftp:
        assert "in" in sftp.listdir(".")
        changed = sa.update(t.connections).where(t.connections.c.connection_id == "bailiff")
        with desk.hub.database.write() as conn:
            conn.execute(changed.values(revision=t.connections.c.revision + 1))  # as every change of settings does
        with pytest.raises(PermissionError):
            sftp.listdir("in")


def test_an_account_cannot_fill_the_memory(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    (name,) = [one for one in desk.names("bailiff", "in") if one != "done"]
    monkeypatch.setattr(sftp_service, "HANDLES_MOST", 3)
    monkeypatch.setattr(sftp_service, "UNREAD_BYTES_MOST", 50_000)
    with desk.paramiko("bailiff") as one, desk.paramiko("bailiff") as other:
        held = [one.open(f"in/{name}"), other.open(f"in/{name}"), one.open("out/.a.part", "w")]
        for session in (one, other):
            with pytest.raises(OSError, match="too many files are open"):
                session.open(f"in/{name}")
        held.pop().close()
        other.open(f"in/{name}").close()
        channel, handle = one.get_channel(), held[0].handle
        assert channel is not None
        ask = b"\x05\0\0\0\x63" + struct.pack(">I", len(handle)) + handle + struct.pack(">QI", 0, 4_000_000_000)
        channel.sendall((struct.pack(">I", len(ask)) + ask) * 5_000)  # and takes nothing of some twenty million bytes
        deadline = time.monotonic() + 30
        while desk.unread() < 50_000:
            assert time.monotonic() < deadline, "the answers did not pile up to their limit"
        for _ in range(10):
            assert other.listdir(".") == ["in", "out", "receipt"]
            assert desk.unread() < 50_000 + 2 * sftp_service.READ_BYTES_MOST


def test_a_name_is_used_once_and_the_same_again_changes_nothing(desk: Desk) -> None:
    desk.answer("answer")
    bring = ("put answer out/.b.part", "rename out/.b.part out/b.zip.p7m")
    desk.sftp("bailiff", *bring)
    desk.sftp("bailiff", *bring)
    desk.answer("answer", "b-2")
    desk.sftp("bailiff", *bring, wanted=1)
    assert desk.names("bailiff", "-a out")[-1] == ".b.part"  # what was not taken is still his
    run_until_idle(desk.hub)
    assert desk.names("bailiff", "receipt") == ["b.zip.p7m.ack.json"]


def test_an_upload_that_was_cut_goes_on(desk: Desk) -> None:
    desk.answer("answer")
    whole = (desk.home / "answer").read_bytes()
    (desk.home / "half").write_bytes(whole[:1000])
    desk.sftp("bailiff", "put half out/.b.part")
    desk.sftp("bailiff", "reput answer out/.b.part", "rename out/.b.part out/b.zip.p7m")
    run_until_idle(desk.hub)
    assert desk.names("bailiff", "receipt") == ["b.zip.p7m.ack.json"]


def test_the_host_key_stays_the_same(desk: Desk) -> None:
    again = mailbox_service(desk.hub, "127.0.0.1")
    assert again.fingerprint == desk.service.fingerprint
    assert (desk.hub.settings.home / "keys" / "sftp_host_key").stat().st_mode & 0o077 == 0


def test_every_request_of_the_protocol_is_answered_here_or_refused() -> None:
    """A method of the library that this server does not override would work on the machine's own files."""
    harmless = {
        "__init__", "channel", "connection", "env", "logger", "convert_attrs", "_to_sftpname", "format_user", "format_group",
        "format_longname", "exit",
    }  # fmt: skip
    offered = {name for name, value in vars(asyncssh.SFTPServer).items() if inspect.isfunction(value)}
    assert offered - harmless <= set(vars(sftp_service._Files))


COURT = {"case_format": "sdt-claim", "signature": "cms", "particulars": particulars("sdt-claim")}


@pytest.mark.parametrize("desk", [COURT], indirect=True)
def test_what_the_partners_format_cannot_carry_blocks_the_dispatch_by_name(desk: Desk) -> None:
    with desk.hub.database.read() as conn:
        facts = [event.fact for event in read_events(conn, desk.case().case_id)]
        tasks = conn.execute(sa.select(t.tasks.c.kind, t.tasks.c.detail)).all()
    (blocked,) = [fact for fact in facts if isinstance(fact, DispatchBlocked)]
    assert "currency is EUR, only GBP can be written" in blocked.reason
    assert any(kind == "dispatch_failed" and "only GBP" in detail for kind, detail in tasks)
    assert desk.names("bailiff", "in") == ["done"]
