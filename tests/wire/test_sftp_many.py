"""Many small files in flight, uploads that go on after a cut, and the ways to log in, against servers of other makers."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from collecthub.errors import ConfigurationError, PermanentError, RetryableError
from wire.sftp_peers import Mischief, SftpPeer, asyncssh_peer, openssh_peer


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "files"
    made.mkdir()
    return made


@pytest.fixture(params=[openssh_peer, asyncssh_peer], ids=["openssh", "asyncssh"])
def peer(request: pytest.FixtureRequest, folder: Path) -> Iterator[SftpPeer]:
    make: Callable[[Path], AbstractContextManager[SftpPeer]] = request.param
    with make(folder) as running:
        yield running


def test_many_files_arrive_whole_and_nothing_is_replaced(peer: SftpPeer, folder: Path) -> None:
    root = f"{folder}/" if peer.username != "hub" else ""
    contents = {f"f{number:03}": os.urandom(size) for number, size in enumerate([0, 1, 32_768, 32_769, *[4_096] * 80])}
    (folder / "f005").write_bytes(b"somebody else's")
    with peer.client() as client:
        uploads = [(f"{root}.{name}.part", content) for name, content in contents.items()]
        assert client.upload_many(uploads) == [None] * len(contents)
        (folder / ".f006.part").unlink()
        found = client.rename_many([(f"{root}.{name}.part", root + name) for name in contents])
    refused = {place for place, error in enumerate(found) if error is not None}
    assert refused == {5, 6}
    assert all(isinstance(found[place], PermanentError) for place in refused)
    assert (folder / "f005").read_bytes() == b"somebody else's"
    for place, (name, content) in enumerate(contents.items()):
        if place not in refused:
            assert (folder / name).read_bytes() == content


def test_a_disk_that_lies_is_found_out_file_by_file(folder: Path) -> None:
    with asyncssh_peer(folder, Mischief(truncate_after=1_000)) as peer, peer.client() as client:
        found = client.upload_many([("small", b"x" * 900), ("large", b"y" * 1_100), ("none/such", b"z")])
    assert [type(error) for error in found] == [type(None), RetryableError, RetryableError]
    assert [path.name for path in folder.iterdir()] == ["small"], "what did not arrive whole is taken away"


def test_a_lost_connection_says_that_nothing_is_known(folder: Path) -> None:
    with asyncssh_peer(folder, Mischief(die_at="renamed")) as peer, peer.client() as client:
        assert client.upload_many([(f"t{number}", b"x") for number in range(5)]) == [None] * 5
        with pytest.raises(Exception, match="broke during rename") as caught:
            client.rename_many([(f"t{number}", f"f{number}") for number in range(5)])
    assert type(caught.value).__name__ == "InDoubtError"


def test_a_cut_upload_goes_on_and_a_foreign_beginning_does_not(folder: Path) -> None:
    content = os.urandom(1_500_000)
    mischief = Mischief()
    with asyncssh_peer(folder, mischief) as peer, peer.client() as client:
        (folder / "cut").write_bytes(content[:1_200_000])
        client.upload("cut", content)
        assert min(mischief.offsets) == 1_200_000 - 524_288
        assert client.sha256("cut") == hashlib.sha256(content).hexdigest()
        (folder / "longer").write_bytes(content + b"more")
        client.upload("longer", content)
        assert (folder / "longer").read_bytes() == content


def test_a_key_with_a_passphrase_opens_the_door(folder: Path) -> None:
    with asyncssh_peer(folder) as peer:
        plain = serialization.load_ssh_private_key(peer.login_key, None)
        sealed = plain.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.BestAvailableEncryption(b"open")
        )
        for passphrase, outcome in (("open", None), ("shut", ConfigurationError), (None, ConfigurationError)):
            with type(peer.client())(
                peer.address(private_key_pem=sealed, key_passphrase=passphrase), allow_loopback=True
            ) as client:
                if outcome is None:
                    assert client.list(".") == []
                else:
                    with pytest.raises(outcome):
                        client.list(".")


def test_a_key_of_the_agent_opens_the_door(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with asyncssh_peer(folder) as peer:
        monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
        address = peer.address(private_key_pem=None, uses_agent=True)
        with type(peer.client())(address, allow_loopback=True) as client, pytest.raises(ConfigurationError, match="agent"):
            client.list(".")
        said = subprocess.run(["ssh-agent", "-a", str(tmp_path / "agent")], check=True, capture_output=True, text=True)
        pid = re.search(r"SSH_AGENT_PID=(\d+)", said.stdout)
        assert pid is not None
        monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "agent"))
        try:
            subprocess.run(["ssh-add", "-q", "-"], input=peer.login_key, check=True)
            with type(peer.client())(address, allow_loopback=True) as client:
                assert client.list(".") == []
        finally:
            os.kill(int(pid[1]), 15)
