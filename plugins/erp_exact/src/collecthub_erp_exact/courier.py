"""Carries one call to the token endpoint in a process of its own, so that the answer outlives whoever asked for it.

A refresh token works once: when a worker is killed between the vendor's answer and the vault, the pair would be lost
and a person would have to consent again. So the worker writes an errand into the vault first, then sends this
process. It keeps the answer in a file, which the next worker finds through the errand. The file is covered by the
errand's pad (random bytes that are used once and lie in the vault alone), and locked for as long as the call is
under way.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import fcntl
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import msgspec

from collecthub.sdk import (
    CollecthubError,
    ConfigurationError,
    InDoubtError,
    PermanentError,
    QuarantineError,
    RetryableError,
)
from collecthub.wire.http import HttpClient, HttpResponse

CALL_SECONDS = 30.0
_START_SECONDS = 30.0  # a busy machine needs seconds to start a process
_ANSWER_BYTES_MAX = 12_000  # a pair has about 2,000
_PAD_BYTES = 16_384
_POLL_SECONDS = 0.02
_ELSEWHERE = dt.timedelta(minutes=5)
_HEADERS = ("content-type", "reason", "retry-after")
_ERRORS = {one.__name__: one for one in (ConfigurationError, InDoubtError, PermanentError, RetryableError)}


class Errand(msgspec.Struct, frozen=True):
    """A call to the token endpoint that may be under way: what it renews and where its answer will lie.

    `calls` counts the errands of its day (UTC), because the vendor does. A settled one renews nothing any more.
    """

    renews: str
    begun_at: dt.datetime
    host: str
    path: str
    pad: bytes
    calls: int

    def text(self) -> str:
        """As the vault keeps it."""
        return msgspec.json.encode(self).decode()

    def settled(self) -> Errand:
        """What remains to be known of it."""
        return msgspec.structs.replace(self, renews="", pad=b"")

    def calls_on(self, day: dt.date) -> int:
        """How many errands that day has seen."""
        return self.calls if self.begun_at.date() == day else 0


class Outcome(msgspec.Struct, frozen=True):
    """How a call ended: with an answer, or with an error of ours."""

    status: int = 0
    headers: dict[str, str] = {}
    content: bytes = b""
    error: str = ""
    message: str = ""
    cure: str = ""

    def answer(self) -> HttpResponse:
        """The answer; raises the error that the call ended with."""
        if self.error:
            raise _ERRORS.get(self.error, RetryableError)(self.message, cure=self.cure)
        return HttpResponse(status=self.status, headers=self.headers, content=self.content, url="")


class _Job(msgspec.Struct):
    origin: str
    path: str
    form: str
    pad: bytes
    allow_loopback: bool
    descriptor: int


def new_errand(renews: str, now: dt.datetime, earlier: Errand | None) -> Errand:
    """An errand with its file in place."""
    descriptor, path = tempfile.mkstemp(prefix="collecthub-exact-")
    os.close(descriptor)
    calls = 1 + (earlier.calls_on(now.date()) if earlier else 0)
    return Errand(renews, now, socket.gethostname(), path, secrets.token_bytes(_PAD_BYTES), calls)


def read_errand(text: str | None) -> Errand | None:
    """The errand that `text` holds."""
    return msgspec.json.decode(text, type=Errand) if text else None


def run(errand: Errand, origin: str, path: str, form: str, *, allow_loopback: bool) -> Outcome:
    """Send the courier with a form to `origin` + `path` and return what it kept.

    Raises `RetryableError` when the courier could not be sent or is late.
    """
    with Path(errand.path).open("r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # shared with the courier: ends with the last of the two
        job = _Job(origin, path, form, errand.pad, allow_loopback, file.fileno())
        try:
            process = subprocess.Popen(
                [sys.executable, "-m", __name__],
                stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, pass_fds=(file.fileno(),), start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            raise RetryableError(
                f"No process could be started to renew the token: {error.strerror}.",
                cure="Give the hub more processes or memory; it is tried again.",
                retry_after_seconds=60,
            ) from error
    try:
        process.communicate(msgspec.json.encode(job), timeout=CALL_SECONDS + _START_SECONDS)
    except subprocess.TimeoutExpired as late:
        raise _under_way() from late
    outcome = _kept(errand)
    if outcome is None:
        raise RetryableError(
            "The process that should renew the token ended without an answer.",
            cure="It is tried again.", retry_after_seconds=5,
        )  # fmt: skip
    return outcome


def recover(errand: Errand, now: dt.datetime) -> Outcome | None:
    """The outcome of an errand whose sender died; None when the vendor was not asked, or nobody can tell.

    Raises `RetryableError` while it is under way, here or on another host, which then has to collect it.
    """
    path = Path(errand.path)
    if not path.exists():
        if errand.host != socket.gethostname() and now - errand.begun_at < _ELSEWHERE:
            raise _under_way()
        return None
    deadline = time.monotonic() + CALL_SECONDS + _START_SECONDS
    with path.open("rb") as file:
        while not _is_free(file.fileno()):
            if time.monotonic() > deadline:
                raise _under_way()
            time.sleep(_POLL_SECONDS)
    return _kept(errand)


def discard(errand: Errand) -> None:
    """Remove the file of an errand that is settled."""
    with contextlib.suppress(OSError):
        Path(errand.path).unlink()


def _kept(errand: Errand) -> Outcome | None:
    try:
        covered = Path(errand.path).read_bytes()
    except OSError:
        return None
    return msgspec.msgpack.decode(_covered(covered, errand.pad), type=Outcome) if covered else None


def _is_free(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    fcntl.flock(descriptor, fcntl.LOCK_UN)
    return True


def _under_way() -> RetryableError:
    return RetryableError(
        "The token is being renewed.", cure="Nothing to do; it is tried again.", retry_after_seconds=15
    )


def _covered(content: bytes, pad: bytes) -> bytes:
    """Content and pad combined bit by bit; done twice, it is the content again."""
    size = len(content)
    assert size <= len(pad), "an answer is shorter than the pad"
    mixed = int.from_bytes(content, "big") ^ int.from_bytes(pad[:size], "big")
    return mixed.to_bytes(size, "big")


def _carry(job: _Job) -> Outcome:
    try:
        with HttpClient(
            job.origin, allow_loopback=job.allow_loopback, total_seconds=CALL_SECONDS, cookies=False,
            max_bytes=_ANSWER_BYTES_MAX, headers={"Accept": "application/json"},
        ) as http:  # fmt: skip
            answer = http.request(
                "POST", job.path, headers={"Content-Type": "application/x-www-form-urlencoded"},
                body=job.form.encode(), is_safe_to_repeat=False,
            )  # fmt: skip
    except QuarantineError as error:  # an answer of another size than any answer of a token endpoint
        return Outcome(error=RetryableError.__name__, message=error.message, cure="It is tried again.")
    except CollecthubError as error:
        return Outcome(error=type(error).__name__, message=error.message, cure=error.cure)
    headers = {name: answer.headers[name][:400] for name in _HEADERS if name in answer.headers}
    return Outcome(status=answer.status, headers=headers, content=answer.content)


def main() -> None:
    """Read a job from standard input, do it, keep its outcome in the file that was handed over open and locked.

    A job that is cut short was never begun: its sender died while writing it.
    """
    try:
        job = msgspec.json.decode(sys.stdin.buffer.read(), type=_Job)
    except msgspec.DecodeError:
        return
    kept = msgspec.msgpack.encode(_carry(job))
    with os.fdopen(job.descriptor, "r+b") as file:
        file.write(_covered(kept, job.pad))
        file.flush()
        os.fsync(file.fileno())


if __name__ == "__main__":
    main()
