"""Restore a backup into a home and database, whole or not at all, behind a fence."""

from __future__ import annotations

import base64
import datetime as dt
import gzip
import itertools
import tarfile
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa

from collecthub.config import HubSettings
from collecthub.engine.backup import (
    CHUNK_ROWS,
    CONFIG,
    EVIDENCE,
    TABLES,
    Manifest,
    kept_tables,
    verify_backup,
)
from collecthub.engine.durable import DEAD_AFTER_SECONDS
from collecthub.engine.durable_queue import prepare
from collecthub.errors import ConfigurationError, PermanentError, RetryableError
from collecthub.store import tables as t
from collecthub.store.audit import append_audit
from collecthub.store.columns import Moment
from collecthub.store.database import Database
from collecthub.store.evidence import Evidence
from collecthub.store.facts import FENCE, write_fact
from collecthub.store.migrate import schema_version, upgrade
from collecthub.store.schema import metadata

# Facts of the database itself, not of the business that was backed up.
OWN_FACTS = ("engine_schema",)
ENGINE_TABLES = ("workflow_status", "workflow_input", "workflow_output")
ENGINE_SCHEMA = "dbos"  # on PostgreSQL; on SQLite the engine's tables lie beside the others


def restore(settings: HubSettings, source: Path, *, replace: bool, actor: str) -> tuple[Manifest, Path | None]:
    """Bring back a backup; returns its manifest and where its settings file was put, if it had one.

    The database changes in one transaction. Raises `PermanentError` for a damaged backup, `ConfigurationError` for a
    home that is in use (unless `replace`) or another schema, `RetryableError` while a worker runs.
    """
    manifest = verify_backup(source)
    settings.home.mkdir(parents=True, exist_ok=True)
    database = Database(settings.database)
    try:
        upgrade(database)
        prepare(database)
        _check_target(database, manifest, replace=replace)
        with tarfile.open(source, mode="r:") as tar:
            _restore_evidence(tar, Evidence(settings.home / "evidence"))
            with database.write() as conn:
                _restore_tables(conn, tar, manifest)
                _raise_fence(conn, manifest, actor)
            config = _restore_config(tar, settings.home)
    finally:
        database.close()
    return manifest, config


def _check_target(database: Database, manifest: Manifest, *, replace: bool) -> None:
    here = schema_version(database)
    if manifest.schema != here:
        raise ConfigurationError(
            f"the backup has schema {manifest.schema}, this version of collecthub has {here}",
            cure=f"Restore it with collecthub {manifest.collecthub_version}, then run `collecthub db upgrade`.",
        )
    alive = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=DEAD_AFTER_SECONDS)
    with database.read() as conn:
        working = conn.scalar(sa.select(t.workers.c.executor_id).where(t.workers.c.beat_at > alive).limit(1))
        used = [
            table.name
            for table in kept_tables()
            if table is not t.facts and conn.scalar(sa.select(sa.literal(1)).select_from(table).limit(1))
        ]
    if working:
        raise RetryableError(f"worker {working} works on this database", cure="Stop every worker, then restore.")
    if used and not replace:
        raise ConfigurationError(
            f"this hub is not empty: it has {', '.join(used[:3])}",
            cure="Restore into an empty home, or say --replace to lose what is here.",
        )


def _restore_evidence(tar: tarfile.TarFile, evidence: Evidence) -> None:
    for member in tar:
        if not member.name.startswith(EVIDENCE):
            continue
        content = tar.extractfile(member)
        if content is None or evidence.keep(content.read()) != member.name.removeprefix(EVIDENCE):
            raise PermanentError(f"{member.name} is not what its name says", cure="Take another copy of the backup.")


def _restore_tables(conn: sa.Connection, tar: tarfile.TarFile, manifest: Manifest) -> None:
    """Everything that was here goes, the engine's queue included; the backup's rows come."""
    _empty_queue(conn)
    for table in reversed(metadata.sorted_tables):
        conn.execute(sa.delete(table).where(t.facts.c.name.not_in(OWN_FACTS)) if table is t.facts else sa.delete(table))
    for table in kept_tables():
        count = 0
        for rows in _chunks(_rows(tar, table)):
            conn.execute(sa.insert(table), rows)
            count += len(rows)
        if table is not t.facts and count != manifest.rows.get(table.name):
            raise PermanentError(f"table {table.name} of the backup is not whole", cure="Take another copy of it.")
        _advance_sequence(conn, table)


def _empty_queue(conn: sa.Connection) -> None:
    schema = None if conn.dialect.name == "sqlite" else ENGINE_SCHEMA
    present = set(sa.inspect(conn).get_table_names(schema=schema))
    for name in ENGINE_TABLES:
        if name in present:
            conn.execute(sa.delete(sa.table(name, schema=schema)))


def _chunks(rows: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    while chunk := list(itertools.islice(rows, CHUNK_ROWS)):
        yield chunk


def _rows(tar: tarfile.TarFile, table: sa.Table) -> Iterator[dict[str, Any]]:
    name = f"{TABLES}{table.name}.jsonl.gz"
    packed = tar.extractfile(name) if name in tar.getnames() else None
    if packed is None:
        raise PermanentError(f"table {table.name} is not in the backup", cure="Take another copy of it.")
    names = [column.name for column in table.columns]
    readers = [(place, reader) for place, column in enumerate(table.columns) if (reader := _reader(column.type))]
    with gzip.GzipFile(fileobj=packed) as lines:
        for line in lines:
            values = msgspec.json.decode(line)
            for place, reader in readers:
                if values[place] is not None:
                    values[place] = reader(values[place])
            row = dict(zip(names, values, strict=True))
            if table is not t.facts or row["name"] not in OWN_FACTS:
                yield row


def _reader(kind: sa.types.TypeEngine[Any]) -> Callable[[str], object] | None:
    """How a value of JSON becomes the column's again; None where it is the same."""
    if isinstance(kind, Moment):
        return dt.datetime.fromisoformat
    if isinstance(kind, sa.Date):
        return dt.date.fromisoformat
    return base64.b64decode if isinstance(kind, sa.LargeBinary) else None


def _advance_sequence(conn: sa.Connection, table: sa.Table) -> None:
    """PostgreSQL counts on its own: tell it which numbers are taken."""
    column = table.autoincrement_column
    if conn.dialect.name != "postgresql" or column is None:
        return
    named = sa.func.pg_get_serial_sequence(table.name, column.name)
    if conn.scalar(sa.select(named)) is not None:
        highest = sa.select(sa.func.coalesce(sa.func.max(column), 0) + 1).scalar_subquery()
        conn.execute(sa.select(sa.func.setval(named, highest, sa.false())))


def _raise_fence(conn: sa.Connection, manifest: Manifest, actor: str) -> None:
    made = manifest.created_at.isoformat(timespec="seconds")
    write_fact(conn, FENCE, f"restored from a backup of {made}")
    append_audit(conn, now=dt.datetime.now(dt.UTC), actor=actor, action="hub.restored", subject=made)


def _restore_config(tar: tarfile.TarFile, home: Path) -> Path | None:
    """The settings file goes to its place only if that is free and it does not point to another database."""
    if CONFIG not in tar.getnames():
        return None
    packed = tar.extractfile(CONFIG)
    content = packed.read() if packed else b""
    target = home / "collecthub.toml"
    if target.exists() or tomllib.loads(content.decode("utf-8")).keys() & {"database_url", "master_key_file", "home"}:
        target = home / "collecthub.restored.toml"
    target.write_bytes(content)
    return target
