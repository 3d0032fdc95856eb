"""Evidence: raw bytes kept by their SHA-256, written before anyone parses or acknowledges them."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from collecthub.errors import PermanentError, RetryableError


class Evidence:
    """A folder of files named by hash. Writing the same bytes again changes nothing."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, sha256: str) -> Path:
        """Where the bytes with this hash lie."""
        return self.folder / sha256[:2] / sha256

    def keep(self, content: bytes) -> str:
        """Store the bytes durably and return their hash. Has returned only when a power cut cannot lose them."""
        sha256 = hashlib.sha256(content).hexdigest()
        target = self.path(sha256)
        if target.exists():
            return sha256
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.with_name(f".{sha256}.{os.getpid()}.{os.urandom(4).hex()}")
        try:
            with temporary.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            temporary.rename(target)
            _sync_folder(target.parent)
        except OSError as error:
            temporary.unlink(missing_ok=True)
            raise RetryableError(
                f"evidence cannot be written to {self.folder} ({error.strerror})",
                cure="Free space on that disk; nothing was acknowledged and the hub tries again.",
            ) from error
        return sha256

    def read(self, sha256: str) -> bytes:
        """The bytes, checked against their hash. Raises `PermanentError` when they are gone or changed."""
        try:
            content = self.path(sha256).read_bytes()
        except OSError as error:
            raise PermanentError(
                f"evidence {sha256[:12]} is not there", cure="Restore the evidence folder from the backup."
            ) from error
        if hashlib.sha256(content).hexdigest() != sha256:
            raise PermanentError(
                f"evidence {sha256[:12]} was changed", cure="Restore it from the backup and look who wrote there."
            )
        return content

    def changed(self) -> Iterator[str]:
        """The hashes whose bytes are not what was kept; every file is read."""
        for file in sorted(self.folder.glob("??/*")):
            if not file.name.startswith("."):
                with file.open("rb") as content:
                    if hashlib.file_digest(content, "sha256").hexdigest() != file.name:
                        yield file.name


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
