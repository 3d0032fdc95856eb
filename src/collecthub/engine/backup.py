"""Backup and restore: the hub's own tables, its evidence and its settings file, in one tar with a manifest.

The tables are read in one snapshot and written as JSON lines, so that a backup of SQLite can be restored into
PostgreSQL and the other way round. The master key is never in a backup, the engine's queue is not either: what has
to be done follows from the business tables. A restored hub stands behind a fence: it knows nothing of what was sent
after the backup, so it sends nothing until `collecthub.engine.fence` has compared all sides or a person lets it.
"""

from __future__ import annotations

import datetime as dt
import gzip
import hashlib
import io
import os
import tarfile
import tempfile
from pathlib import Path
from typing import IO, Any

import msgspec
import sqlalchemy as sa

from collecthub import __version__
from collecthub.engine.context import Hub
from collecthub.errors import ConfigurationError, PermanentError
from collecthub.store.database import Database
from collecthub.store.migrate import schema_version
from collecthub.store.schema import metadata

FORMAT, FORMAT_VERSION = "collecthub-backup", 1
MANIFEST, CONFIG = "manifest.json", "config/collecthub.toml"
TABLES, EVIDENCE = "tables/", "evidence/"
# What belongs to running processes or open browsers, not to the business.
LEFT_OUT = frozenset({"leases", "workers", "wakes", "sessions", "logins", "consents"})
CHUNK_ROWS, CHUNK_BYTES = 2000, 1 << 20


class PackedFile(msgspec.Struct, frozen=True, kw_only=True):
    """One file of a backup: its name there, SHA-256 and size in bytes."""

    name: str
    sha256: str
    size: int


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a backup consists of. `rows` counts by table, `schema` is the revision of the tables."""

    format: str
    format_version: int
    collecthub_version: str
    schema: str
    created_at: dt.datetime
    rows: dict[str, int]
    files: tuple[PackedFile, ...]


def kept_tables() -> list[sa.Table]:
    """The tables that a backup holds, parents first."""
    return [table for table in metadata.sorted_tables if table.name not in LEFT_OUT]


# --- backup ---------------------------------------------------------------------------------------


def backup(hub: Hub, target: Path, config: Path | None = None) -> Manifest:
    """Write a backup, with the settings file `config`, and read it back before it gets its name.

    The hub may go on working meanwhile. Raises `ConfigurationError` when the file exists or cannot be written.
    """
    if target.exists():
        raise ConfigurationError(f"{target} exists", cure="Choose another name; a backup is never written over.")
    if not target.parent.is_dir():
        raise ConfigurationError(f"there is no folder {target.parent}", cure="Make it first.")
    partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
    try:
        with _private(partial) as file, tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar:
            manifest = _pack(hub, tar, config)
            file.flush()
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        if verify_backup(partial) != manifest:
            raise PermanentError(f"{target} could not be read back as it was written", cure="Look at the disk.")
        partial.rename(target)
    finally:
        partial.unlink(missing_ok=True)
    return manifest


def _private(path: Path) -> IO[bytes]:
    """A new file that only its owner may read: it holds personal data."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def _pack(hub: Hub, tar: tarfile.TarFile, config: Path | None) -> Manifest:
    files: list[PackedFile] = []
    rows: dict[str, int] = {}
    created_at = dt.datetime.now(dt.UTC)
    schema = schema_version(hub.database) or ""
    with _snapshot(hub.database) as conn:
        for table in kept_tables():
            with tempfile.TemporaryFile() as spool:
                rows[table.name] = _write_rows(conn, table, spool)
                files.append(_add(tar, f"{TABLES}{table.name}.jsonl.gz", spool))
    # Evidence is written before any row names it and never changes: after the snapshot nothing can be missing.
    for path in sorted(hub.evidence.folder.glob("??/" + "[0-9a-f]" * 64)):
        with path.open("rb") as content:
            files.append(_add(tar, f"{EVIDENCE}{path.name}", content))
    if config is not None:
        with config.open("rb") as content:
            files.append(_add(tar, CONFIG, content))
    manifest = Manifest(
        format=FORMAT, format_version=FORMAT_VERSION, collecthub_version=__version__, schema=schema,
        created_at=created_at, rows=rows, files=tuple(files),
    )  # fmt: skip
    _add(tar, MANIFEST, io.BytesIO(msgspec.json.format(msgspec.json.encode(manifest), indent=1)))
    return manifest


def _snapshot(database: Database) -> Any:
    """A connection on which every table is seen as of one moment."""
    if database.is_sqlite:
        return database.read()
    return database.engine.connect().execution_options(isolation_level="REPEATABLE READ")


def _write_rows(conn: sa.Connection, table: sa.Table, spool: IO[bytes]) -> int:
    count = 0
    query = sa.select(table).order_by(*table.primary_key.columns)
    with gzip.GzipFile(fileobj=spool, mode="wb", compresslevel=1, mtime=0) as packed:
        result = conn.execute(query.execution_options(yield_per=CHUNK_ROWS))
        for chunk in result.partitions():
            packed.write(b"".join(msgspec.json.encode(tuple(row)) + b"\n" for row in chunk))
            count += len(chunk)
    return count


def _add(tar: tarfile.TarFile, name: str, content: IO[bytes]) -> PackedFile:
    content.seek(0)
    digest = hashlib.sha256()
    while part := content.read(CHUNK_BYTES):
        digest.update(part)
    info = tarfile.TarInfo(name)
    info.size = content.tell()
    info.mode = 0o600
    content.seek(0)
    tar.addfile(info, content)
    return PackedFile(name=name, sha256=digest.hexdigest(), size=info.size)


# --- reading a backup -----------------------------------------------------------------------------


def verify_backup(path: Path) -> Manifest:
    """Read a backup whole and compare every file with its manifest. Raises `PermanentError` naming what is wrong."""
    found: dict[str, PackedFile] = {}
    text = b""
    try:
        with tarfile.open(path, mode="r:") as tar:
            for member in tar:
                content = tar.extractfile(member) if member.isreg() else None
                if content is None or member.name in found:
                    raise _damaged(path, f"{member.name} does not belong there")
                if member.name == MANIFEST:
                    text = content.read()
                    continue
                digest = hashlib.sha256()
                while part := content.read(CHUNK_BYTES):
                    digest.update(part)
                found[member.name] = PackedFile(name=member.name, sha256=digest.hexdigest(), size=member.size)
        manifest = msgspec.json.decode(text, type=Manifest)
    except (tarfile.TarError, EOFError, msgspec.DecodeError) as error:
        raise _damaged(path, str(error)) from error
    if (manifest.format, manifest.format_version) != (FORMAT, FORMAT_VERSION):
        raise _damaged(path, f"its format is {manifest.format} {manifest.format_version}")
    for entry in manifest.files:
        if found.pop(entry.name, None) != entry:
            raise _damaged(path, f"{entry.name} is missing or was changed")
    if found:
        raise _damaged(path, f"{min(found)} is not in its manifest")
    return manifest


def _damaged(path: Path, why: str) -> PermanentError:
    return PermanentError(f"{path} is not a whole backup of collecthub: {why}", cure="Take another copy of it.")
