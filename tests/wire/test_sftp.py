"""wire.sftp against asyncssh (friendly and hostile) and, where it is installed, OpenSSH's server."""

from __future__ import annotations

import hashlib
import os
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import asyncssh
import pytest

from collecthub.errors import (
    ConfigurationError,
    InDoubtError,
    PermanentError,
    QuarantineError,
    RetryableError,
)
from collecthub.wire.crypto import generate_login_key
from collecthub.wire.sftp import SftpClient, seen_fingerprint
from collecthub.wire.target import TargetBlockedError
from wire.peers import tcp_peer
from wire.sftp_peers import Mischief, SftpPeer, asyncssh_peer, openssh_peer

CONTENT = os.urandom(300_001)


@pytest.fixture(params=["asyncssh", "openssh"])
def peer(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SftpPeer]:
    folder = tmp_path / "files"
    (folder / "in").mkdir(parents=True)
    with (asyncssh_peer if request.param == "asyncssh" else openssh_peer)(folder) as running:
        yield running


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    return tmp_path


def test_a_file_goes_out_checked_and_gets_its_name(peer: SftpPeer) -> None:
    with peer.client() as hub:
        hub.upload("in/.a.part", CONTENT)
        assert (hub.size("in/.a.part"), hub.size("in/a.zip")) == (len(CONTENT), None)
        assert hub.sha256("in/.a.part") == hashlib.sha256(CONTENT).hexdigest()
        hub.rename("in/.a.part", "in/a.zip")
        assert hub.read("in/a.zip", 1_000_000) == CONTENT
        assert [(file.name, file.size, file.is_regular) for file in hub.list("in")] == [
            ("a.zip", len(CONTENT), True)
        ]
        assert abs(hub.list("in")[0].mtime - time.time()) < 60
    assert (peer.folder / "in" / "a.zip").read_bytes() == CONTENT


def test_a_second_upload_replaces_the_temporary_file(peer: SftpPeer) -> None:
    with peer.client() as hub:
        hub.upload("in/.a.part", CONTENT)
        hub.upload("in/.a.part", b"short")
        assert hub.read("in/.a.part", 10) == b"short"
        hub.upload("in/.a.part", b"")
        assert hub.read("in/.a.part", 0) == b""


def test_a_rename_never_replaces(peer: SftpPeer) -> None:
    with peer.client() as hub:
        hub.upload("in/a", b"first")
        hub.upload("in/b", b"second")
        with pytest.raises(PermanentError, match="already exists"):
            hub.rename("in/b", "in/a")
        with pytest.raises(PermanentError, match="does not exist"):
            hub.rename("in/gone", "in/c")
    assert (peer.folder / "in" / "a").read_bytes() == b"first"
    assert (peer.folder / "in" / "b").read_bytes() == b"second"


def test_repeating_is_harmless(peer: SftpPeer) -> None:
    with peer.client() as hub:
        hub.mkdir("in/done")
        hub.mkdir("in/done")
        hub.upload("in/a", b"x")
        hub.remove("in/a")
        hub.remove("in/a")
    assert sorted(path.name for path in (peer.folder / "in").iterdir()) == ["done"]


def test_what_is_missing_is_told(peer: SftpPeer) -> None:
    with peer.client() as hub:
        for call in (lambda: hub.read("in/no", 1), lambda: hub.list("no"), lambda: hub.sha256("no")):
            with pytest.raises(PermanentError, match="does not exist"):
                call()
        with pytest.raises((PermanentError, RetryableError)):
            hub.upload("no/a", b"x")
        assert hub.list("in") == []


def test_only_regular_files_within_the_cap_are_read(peer: SftpPeer) -> None:
    inbox = peer.folder / "in"
    (inbox / "link.xml").symlink_to("/etc/passwd")
    os.mkfifo(inbox / "pipe.xml")
    (inbox / "folder.xml").mkdir()
    (inbox / "big.xml").write_bytes(b"x" * 1001)
    with peer.client() as hub:
        assert {file.name: file.is_regular for file in hub.list("in")} == {
            "big.xml": True, "folder.xml": False, "link.xml": False, "pipe.xml": False,
        }  # fmt: skip
        for name in ("link.xml", "pipe.xml", "folder.xml"):
            with pytest.raises(QuarantineError) as refused:
                hub.read(f"in/{name}", 1_000_000)
            assert refused.value.code == "file.type"
        with pytest.raises(QuarantineError) as refused:
            hub.read("in/big.xml", 1000)
        assert refused.value.code == "file.size"


def test_a_name_that_is_not_utf8_stops_nobody(peer: SftpPeer) -> None:
    inbox = peer.folder / "in"
    for number in range(10):
        (inbox / f"good{number}.xml").write_bytes(b"x")
    Path(os.fsdecode(bytes(inbox) + b"/\xff\xfe.xml")).write_bytes(b"x")
    (inbox / "a\nb.xml").write_bytes(b"x")
    (inbox / "x\u202elmx.exe").write_bytes(b"x")
    with peer.client() as hub:
        listing = hub.list("in")
        assert [file.name for file in listing] == [f"good{number}.xml" for number in range(10)]
        assert sorted(refused.code for refused in listing.refused) == [
            "name.encoding",
            "name.unsafe",
            "name.unsafe",
        ]
        assert all(refused.shown.isascii() and refused.shown.isprintable() for refused in listing.refused)
        assert len(hub.list("in", limit=5)) <= 5


def test_a_full_pipeline_stays_in_order_under_load(peer: SftpPeer) -> None:
    with peer.client() as hub:
        for number in range(5):
            hub.upload(f"in/{number}", CONTENT[number:])
        assert [hub.sha256(f"in/{number}") for number in range(5)] == [
            hashlib.sha256(CONTENT[number:]).hexdigest() for number in range(5)
        ]


def test_threads_share_one_connection(folder: Path) -> None:
    with asyncssh_peer(folder) as peer, peer.client() as hub:
        threads = [threading.Thread(target=hub.upload, args=(f"in/{n}", b"x" * n)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [file.size for file in hub.list("in")] == list(range(8))
        assert len(peer.logins) == 1


HOSTILE = (
    b"../../x.xml",
    b"/abs.xml",
    b"a/b.xml",
    b"a\nb.xml",
    b"x" * 300,
    b"a\0.xml",
    b"\xff\xfe",
    b"",
    b"..\\x",
    b"a\xe2\x80\xaeb",
)


def test_a_listing_cannot_name_a_way_out(folder: Path) -> None:
    with asyncssh_peer(folder, Mischief(names=HOSTILE + (b"good.xml",))) as peer, peer.client() as hub:
        listing = hub.list("in")
    assert [file.name for file in listing] == ["good.xml"]
    assert len(listing.refused) == len(HOSTILE)


def test_an_unapproved_host_key_learns_no_name(peer: SftpPeer) -> None:
    assert seen_fingerprint("127.0.0.1", peer.port, allow_loopback=True) == peer.fingerprint
    for approved in ((), ("SHA256:" + "A" * 43,)):
        hub = SftpClient(peer.address(host_key_fingerprints=approved), allow_loopback=True)
        with pytest.raises(ConfigurationError, match=peer.fingerprint.replace("+", r"\+")):
            hub.list(".")
    assert peer.logins == []
    both = peer.address(host_key_fingerprints=("SHA256:old", peer.fingerprint))
    with SftpClient(both, allow_loopback=True) as hub:
        assert hub.size("in") is not None


def test_a_refused_login_is_a_setting(peer: SftpPeer) -> None:
    for change in ({"private_key_pem": generate_login_key()}, {"private_key_pem": None, "password": "x"}):
        with pytest.raises(ConfigurationError, match="refused the login"):
            SftpClient(peer.address(**change), allow_loopback=True).list(".")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        SftpClient(peer.address(private_key_pem=b"x"), allow_loopback=True).list(".")


def test_a_password_works_too(folder: Path) -> None:
    with asyncssh_peer(folder, Mischief(password="geheim")) as peer:
        address = peer.address(private_key_pem=None, password="geheim")
        assert "geheim" not in repr(address)
        with SftpClient(address, allow_loopback=True) as hub:
            assert hub.list("in") == []


def test_loopback_needs_permission(peer: SftpPeer) -> None:
    with pytest.raises(TargetBlockedError):
        SftpClient(peer.address()).list(".")
    with pytest.raises(TargetBlockedError):
        seen_fingerprint("127.0.0.1", peer.port)
    assert peer.logins == []


@pytest.mark.parametrize("mischief", [Mischief(truncate_after=65_536), Mischief(fail_write_after=65_536)])
def test_a_full_disk_at_the_partner_is_noticed(folder: Path, mischief: Mischief) -> None:
    with asyncssh_peer(folder, mischief) as peer, peer.client() as hub:
        with pytest.raises(RetryableError):
            hub.upload("in/.a.part", CONTENT)
        assert hub.size("in/.a.part") is None, "the connection goes on, and nothing is left on the full disk"


def test_a_lost_answer_to_a_rename_is_in_doubt_and_can_be_looked_up(folder: Path) -> None:
    with asyncssh_peer(folder, Mischief(die_at="renamed")) as peer, peer.client() as hub:
        hub.upload("in/.a.part", b"x")
        with pytest.raises(InDoubtError):
            hub.rename("in/.a.part", "in/a")
        assert (hub.size("in/.a.part"), hub.size("in/a")) == (None, 1)
        assert len(peer.logins) == 2, "connected again by itself"


def test_a_frozen_server_ends_at_the_limit(folder: Path) -> None:
    with asyncssh_peer(folder, Mischief(freeze=True)) as peer, peer.client(operation_seconds=0.3) as hub:
        started = time.monotonic()
        with pytest.raises(RetryableError):
            hub.size("in")
        assert time.monotonic() - started < 3


def test_a_restarted_server_is_connected_again(folder: Path) -> None:
    host_key = asyncssh.generate_private_key("ssh-ed25519")
    with asyncssh_peer(folder, server_host_keys=[host_key]) as peer:
        address = peer.address(host_key_fingerprints=(host_key.get_fingerprint(),))
        hub = SftpClient(address, allow_loopback=True)
        assert hub.list("in") == []
    with pytest.raises(RetryableError):
        hub.list("in")
    keys = asyncssh.import_authorized_keys(
        asyncssh.import_private_key(peer.login_key).export_public_key().decode()
    )
    with asyncssh_peer(folder, port=peer.port, server_host_keys=[host_key], authorized_client_keys=keys):
        assert hub.list("in") == []
        hub.close()


@pytest.mark.parametrize(
    "options",
    [
        {"encryption_algs": ["aes256-cbc"], "mac_algs": ["hmac-sha2-256"]},
        {"kex_algs": ["diffie-hellman-group14-sha1"]},
        {"encryption_algs": ["aes128-ctr"], "mac_algs": ["hmac-sha1"]},
    ],
)
def test_an_outdated_server_is_refused_by_name(folder: Path, options: dict[str, list[str]]) -> None:
    with (
        asyncssh_peer(folder, **options) as peer,
        peer.client() as hub,
        pytest.raises(ConfigurationError, match="outdated"),
    ):
        hub.list("in")


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"SSH-2.0-x\r\n" + b"\xff" * 200])
def test_what_is_no_ssh_server_is_retryable(said: bytes) -> None:
    def greet(connection: socket.socket) -> None:
        connection.sendall(said)

    with tcp_peer(greet) as peer, pytest.raises(RetryableError):
        seen_fingerprint("127.0.0.1", peer.port, connect_seconds=2, allow_loopback=True)


def test_a_silent_server_ends_at_the_limit() -> None:
    stop = threading.Event()
    with tcp_peer(lambda connection: stop.wait(10) and None) as peer:
        started = time.monotonic()
        with pytest.raises(RetryableError):
            seen_fingerprint("127.0.0.1", peer.port, connect_seconds=0.5, allow_loopback=True)
        assert time.monotonic() - started < 3
        stop.set()
