"""Evidence of files too big for memory: copied in blocks, hashed on the way, there for good when the copy is."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import IO

from collecthub.errors import RetryableError
from collecthub.store.evidence import Evidence

_BLOCK = 1_048_576


def keep_stream(evidence: Evidence, stream: IO[bytes]) -> str:
    """Store what the stream holds durably and return its SHA-256; the same bytes again change nothing."""
    evidence.folder.mkdir(parents=True, exist_ok=True)
    temporary = evidence.folder / f".incoming.{os.getpid()}.{os.urandom(4).hex()}"
    digest = hashlib.sha256()
    try:
        with temporary.open("wb") as file:
            while block := stream.read(_BLOCK):
                digest.update(block)
                file.write(block)
            file.flush()
            os.fsync(file.fileno())
        target = evidence.path(digest.hexdigest())
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            temporary.rename(target)
            _sync(target.parent)
    except OSError as error:
        raise RetryableError(
            f"evidence cannot be written to {evidence.folder} ({error.strerror})",
            cure="Free space on that disk; nothing was imported.",
        ) from error
    finally:
        temporary.unlink(missing_ok=True)
    return digest.hexdigest()


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
