"""Delivering 2,000 small files, each checked and renamed: ours beside the OpenSSH `sftp` client in batch mode.

Both do the same: write under a temporary name, read the file back and compare it, give it its final name; against one
OpenSSH server, on loopback and through a proxy that holds every byte for half of a 20 ms round trip. The client's batch is
`put`, `get`, `rename` for every file, and a comparison of what came back; ours is `deliver_many`'s way, and has every file
synced as well.

    python -m bench.sftp_delivery FOLDER COUNT ROUND_TRIP_MS    prints {"ours": s, "sftp": s, "count": n}
"""

from __future__ import annotations

import asyncio
import contextlib
import getpass
import hashlib
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from bench.findings import Finding, median, spread
from bench.places import BenchError, run
from collecthub.wire.crypto import generate_login_key, login_public_key
from collecthub.wire.sftp import SftpAddress, SftpClient

FILE_BYTES = 4_096
AT_LEAST = 1.5


@contextlib.contextmanager
def sshd(home: Path) -> Iterator[tuple[int, str]]:
    """OpenSSH's server over `home/files`: its port, and the host key's fingerprint."""
    server = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin:/usr/bin")
    if server is None:
        raise SystemExit("openssh-server is not installed")
    (home / "files").mkdir(parents=True)
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", home / "host"], check=True)
    login = generate_login_key()
    (home / "key").write_bytes(login)
    (home / "key").chmod(0o600)
    (home / "authorized").write_text(login_public_key(login))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    (home / "config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {home}/host\nPidFile none\nAuthorizedKeysFile {home}/authorized\n"
        f"StrictModes no\nUsePAM no\nPermitRootLogin yes\nPasswordAuthentication no\nSubsystem sftp internal-sftp -d {home}/files\n"
    )
    if os.getuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)
    with subprocess.Popen([server, "-D", "-e", "-f", home / "config"], stderr=subprocess.PIPE) as running:
        assert running.stderr is not None, "it is a pipe"
        for line in running.stderr:
            if b"listening on" in line:
                break
        shown = subprocess.run(["ssh-keygen", "-l", "-f", home / "host.pub"], check=True, capture_output=True, text=True)
        try:
            yield port, shown.stdout.split()[1]
        finally:
            running.terminate()


@contextlib.contextmanager
def far_away(port: int, seconds: float) -> Iterator[int]:
    """A port that hands everything on after half of the round trip, in order, each way."""
    loop = asyncio.new_event_loop()

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

        async def take() -> None:
            while data := await reader.read(65_536):
                line.put_nowait((loop.time() + seconds / 2, data))
            line.put_nowait((0.0, b""))

        taking = loop.create_task(take())
        while True:
            due, data = await line.get()
            if not data:
                break
            await asyncio.sleep(max(0.0, due - loop.time()))
            writer.write(data)
            await writer.drain()
        writer.close()
        await taking

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_connection("127.0.0.1", port)
        with contextlib.suppress(OSError):
            await asyncio.gather(carry(reader, there_writer), carry(there_reader, writer))

    async def listen() -> int:
        server = await asyncio.start_server(meet, "127.0.0.1", 0)
        found: int = server.sockets[0].getsockname()[1]
        return found

    threading.Thread(target=loop.run_forever, daemon=True).start()  # ends with the process
    yield asyncio.run_coroutine_threadsafe(listen(), loop).result()


def ours(home: Path, port: int, fingerprint: str, contents: dict[str, bytes]) -> float:
    """Seconds with the hub's client; the connection's opening counts, as it does for the other."""
    address = SftpAddress("127.0.0.1", port, getpass.getuser(), (fingerprint,), (home / "key").read_bytes())
    root = f"{home}/files"
    started = time.perf_counter()
    with SftpClient(address, allow_loopback=True) as client:
        uploads = [(f"{root}/.a-{name}.part", content) for name, content in contents.items()]
        assert not any(client.upload_many(uploads)), "every file arrived whole"
        names = [(temporary, f"{root}/a-{name}") for (temporary, _), name in zip(uploads, contents, strict=True)]
        assert not any(client.rename_many(names)), "every file has its name"
    return time.perf_counter() - started


def openssh(home: Path, port: int, contents: dict[str, bytes]) -> float:
    """Seconds with `sftp -b`, which stops at the first command that fails, and the comparison of what it got back."""
    local, back = home / "local", home / "back"
    for folder in (local, back):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
    for name, content in contents.items():
        (local / name).write_bytes(content)
    lines = [
        f"put {local}/{name} {home}/files/.b-{name}.part\nget {home}/files/.b-{name}.part {back}/{name}\n"
        f"rename {home}/files/.b-{name}.part {home}/files/b-{name}\n"
        for name in contents
    ]
    (home / "batch").write_text("".join(lines))
    command: list[str | Path] = [
        "sftp", "-q", "-b", home / "batch", "-P", str(port), "-i", home / "key", "-o", "StrictHostKeyChecking=no",
        "-o", f"UserKnownHostsFile={home}/known", f"{getpass.getuser()}@127.0.0.1",
    ]
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for name, content in contents.items():
        same = hashlib.sha256((back / name).read_bytes()).digest() == hashlib.sha256(content).digest()
        assert same, "every file arrived whole"
    return time.perf_counter() - started


def rows(folder: Path, counts: Mapping[int, int], times: int) -> Iterator[Finding]:
    """Ours by the OpenSSH client, so many files at each round trip (ms); left out where there is no OpenSSH server."""
    for milliseconds, count in counts.items():
        places = [folder / f"sftp-{milliseconds:g}-{turn}" for turn in range(times)]
        try:
            found = [run("sftp_delivery", place, count, milliseconds, seconds=1_800) for place in places]
        except BenchError as reason:
            yield Finding(name=f"SFTP, {milliseconds:g} ms", left_out=str(reason), at_least=AT_LEAST)
            continue
        ratios = [one["ratio"] for one in found]
        yield Finding(
            name=f"SFTP: {count:,} files checked and renamed, {milliseconds:g} ms{spread(ratios)}",
            ours=f"{count / found[-1]['ours']:,.0f}/s", beside=f"OpenSSH sftp {count / found[-1]['sftp']:,.0f}/s",
            ratio=round(median(ratios), 2), at_least=AT_LEAST,
        )


def main(folder: Path, count: int, round_trip_ms: float) -> None:
    """Measure both, ours second, so that nothing of the server is warmer for us than for the other was."""
    contents = {f"{number:05}": os.urandom(FILE_BYTES) for number in range(count)}
    with sshd(folder) as (port, fingerprint), contextlib.ExitStack() as stack:
        seen = stack.enter_context(far_away(port, round_trip_ms / 1000)) if round_trip_ms else port
        told = {"sftp": openssh(folder, seen, contents), "ours": ours(folder, seen, fingerprint, contents), "count": count}
        assert len(list((folder / "files").iterdir())) == 2 * count, "both delivered everything"
    print(json.dumps({**told, "ratio": round(told["sftp"] / told["ours"], 2), "at_least": AT_LEAST}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]))
