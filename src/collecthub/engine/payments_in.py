"""A bank file comes in: kept, read whole, and only then taken over, each movement once however many files show it.

A file that contradicts itself is refused with line and reason, and nothing of it is booked. Taking over is done in
chunks; what is cut off by a crash is finished when the same file comes again.
"""

from __future__ import annotations

import datetime as dt
import struct
import tempfile
from collections.abc import Iterator
from itertools import islice
from typing import IO

import msgspec
import sqlalchemy as sa

from collecthub.engine.case_work import open_task
from collecthub.engine.context import Hub
from collecthub.engine.page_guard import safe_name
from collecthub.engine.sightings import take_chunk
from collecthub.errors import PermanentError, QuarantineError
from collecthub.formats.bank.csv_rows import CsvLayout
from collecthub.formats.bank.reading import read_bank_file
from collecthub.formats.bank.statement import BankStatement, BankTransaction
from collecthub.model.ids import derived_id
from collecthub.store import tables as t
from collecthub.store.case_log import to_minor
from collecthub.store.evidence_files import keep_stream
from collecthub.store.queries.case_file import check_creditor
from collecthub.store.queries.scope import Role, Scope, not_there

READING, IMPORTED, REFUSED = "reading", "imported", "refused"
PAYMENTS_PER_CHUNK = 1000
_LENGTH = struct.Struct(">I")


class Owner(msgspec.Struct, frozen=True, kw_only=True):
    """Whose account a file is of: a creditor's, or with None the operator's client account."""

    creditor_id: str | None


class ImportedFile(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one bank file. `fresh` payments were not known from another file."""

    file_id: str
    name: str
    state: str
    creditor_id: str | None = None
    is_duplicate: bool = False
    kinds: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    statements: int = 0
    transactions: int = 0
    fresh: int = 0
    findings: tuple[str, ...] = ()
    problem: str = ""
    place: str = ""
    cure: str = ""


class _Read(msgspec.Struct, kw_only=True):
    """A file that was read to its end: its transactions lie in a spool on disk."""

    spool: IO[bytes]
    statements: list[BankStatement] = []
    transactions: int = 0

    @property
    def accounts(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(statement.account for statement in self.statements))


def import_bank_file(
    hub: Hub, scope: Scope, stream: IO[bytes], name: str, owner: Owner | None = None, layout: CsvLayout | None = None
) -> ImportedFile:
    """Take a bank file over. Without an owner its accounts must be known.

    Raises `NotThereError` for a creditor outside the scope, `PermanentError` when nobody knows whose account it is.
    """
    owner = _owner_of(hub, scope, owner)
    sha256 = keep_stream(hub.evidence, stream)
    name = safe_name(name)
    with tempfile.TemporaryFile() as spool:
        try:
            with hub.evidence.path(sha256).open("rb") as content:
                read = _spooled(read_bank_file(content, name, layout), spool)
        except QuarantineError as error:
            return _refused(hub, scope, name, sha256, owner or Owner(creditor_id=scope.creditor_id), error)
        return _take(hub, scope, name, sha256, _whose(hub, scope, owner, read.accounts), read)


def _owner_of(hub: Hub, scope: Scope, owner: Owner | None) -> Owner | None:
    if scope.role is Role.PARTNER:
        raise not_there("bank account", "")
    if scope.role is Role.CREDITOR:
        if owner is not None and owner.creditor_id != scope.creditor_id:
            raise not_there("creditor", owner.creditor_id or "")
        return Owner(creditor_id=scope.creditor_id)
    if owner is not None and owner.creditor_id is not None:
        with hub.database.read() as conn:
            check_creditor(conn, scope, owner.creditor_id)
    return owner


def _spooled(parts: Iterator[BankTransaction | BankStatement], spool: IO[bytes]) -> _Read:
    read = _Read(spool=spool, statements=[])
    encode = msgspec.msgpack.Encoder().encode
    for part in parts:
        if isinstance(part, BankStatement):
            read.statements.append(part)
            continue
        packed = encode(part)
        spool.write(_LENGTH.pack(len(packed)) + packed)
        read.transactions += 1
    spool.seek(0)
    return read


def _unspooled(spool: IO[bytes]) -> Iterator[BankTransaction]:
    while head := spool.read(_LENGTH.size):
        yield msgspec.msgpack.decode(spool.read(_LENGTH.unpack(head)[0]), type=BankTransaction)


# --- whose account it is --------------------------------------------------------------------------


def _whose(hub: Hub, scope: Scope, owner: Owner | None, numbers: tuple[str, ...]) -> Owner:
    """The owner of the accounts in a file. A known account never changes hands by a file."""
    with hub.database.read() as conn:
        query = sa.select(t.bank_accounts).where(t.bank_accounts.c.number.in_(numbers))
        known = {row.number: Owner(creditor_id=row.creditor_id) for row in conn.execute(query)}
    found = set(known.values()) | ({owner} if owner is not None else set())
    if len(found) > 1:
        cure = "Import each account's file for its owner." if scope.role is Role.OPERATOR else "Ask the operator."
        raise PermanentError(f"account {', '.join(numbers)} belongs to somebody else in this hub", cure=cure)
    if not found:
        raise PermanentError(
            f"nobody has said whose account {', '.join(numbers)} is",
            cure="Name the creditor, or say that it is the operator's client account; it is remembered.",
        )
    return found.pop()


def _register(conn: sa.Connection, owner: Owner, numbers: tuple[str, ...], now: dt.datetime) -> dict[str, str]:
    ids = {number: derived_id("bank_account", owner.creditor_id or "", number) for number in numbers}
    query = sa.select(t.bank_accounts.c.account_id).where(t.bank_accounts.c.account_id.in_(ids.values()))
    known = set(conn.scalars(query))
    rows = [
        {"account_id": account_id, "number": number, "creditor_id": owner.creditor_id, "created_at": now}
        for number, account_id in ids.items()
        if account_id not in known
    ]
    if rows:
        conn.execute(sa.insert(t.bank_accounts), rows)
    return ids


# --- taking over ----------------------------------------------------------------------------------


def _file_id(owner: Owner, sha256: str) -> str:
    return derived_id("bank_file", owner.creditor_id or "", sha256)


def _take(hub: Hub, scope: Scope, name: str, sha256: str, owner: Owner, read: _Read) -> ImportedFile:
    file_id = _file_id(owner, sha256)
    kinds = tuple(sorted({statement.kind for statement in read.statements}))
    with hub.work() as work:
        row = work.conn.execute(sa.select(t.bank_files).where(t.bank_files.c.file_id == file_id)).first()
        if row is None or row.state != IMPORTED:
            _note_file(work.conn, scope, file_id, owner, name, sha256, READING, work.now, is_new=row is None)
            accounts = _register(work.conn, owner, read.accounts, work.now)
    if row is not None and row.state == IMPORTED:
        return _result(file_id, name, owner, read, kinds, fresh=0, is_duplicate=True)
    kind_of = {(one.account, one.statement_ref): one.kind for one in read.statements}
    waiting, ordinal = _unspooled(read.spool), 0
    while chunk := list(islice(waiting, PAYMENTS_PER_CHUNK)):
        with hub.work() as work:
            take_chunk(work, file_id, owner.creditor_id, accounts, kind_of, chunk, ordinal)
        ordinal += len(chunk)
    assert ordinal == read.transactions, "every transaction of the spool was looked at"
    with hub.work() as work:
        fresh = work.conn.scalar(sa.select(sa.func.count()).where(t.payments.c.file_id == file_id)) or 0
        _note_statements(work.conn, file_id, owner, accounts, read.statements)
        done = sa.update(t.bank_files).where(t.bank_files.c.file_id == file_id)
        work.conn.execute(
            done.values(
                state=IMPORTED, kinds=" ".join(kinds), statements=len(read.statements), transactions=read.transactions,
                fresh=fresh, problem="",
            )
        )
        for statement in read.statements:
            if statement.finding:
                open_task(
                    work, kind="bank_statement", title=f"bank statement {statement.statement_ref} does not add up",
                    detail=f"{name}: {statement.finding}", creditor_id=owner.creditor_id,
                )
    return _result(file_id, name, owner, read, kinds, fresh=fresh)


def _result(
    file_id: str, name: str, owner: Owner, read: _Read, kinds: tuple[str, ...], *, fresh: int, is_duplicate: bool = False
) -> ImportedFile:
    return ImportedFile(
        file_id=file_id, name=name, state=IMPORTED, creditor_id=owner.creditor_id, is_duplicate=is_duplicate,
        kinds=kinds, accounts=read.accounts, statements=len(read.statements), transactions=read.transactions, fresh=fresh,
        findings=tuple(f"{one.account} {one.statement_ref}: {one.finding}" for one in read.statements if one.finding),
    )  # fmt: skip


def _note_file(
    conn: sa.Connection, scope: Scope, file_id: str, owner: Owner, name: str, sha256: str, state: str, now: dt.datetime,
    *, is_new: bool, problem: str = "",
) -> None:  # fmt: skip
    values = {"state": state, "problem": problem, "name": name[:300], "imported_by": scope.subject, "imported_at": now}
    if is_new:
        conn.execute(
            sa.insert(t.bank_files).values(file_id=file_id, creditor_id=owner.creditor_id, sha256=sha256, **values)
        )
    else:
        conn.execute(sa.update(t.bank_files).where(t.bank_files.c.file_id == file_id).values(**values))


def _note_statements(
    conn: sa.Connection, file_id: str, owner: Owner, accounts: dict[str, str], statements: list[BankStatement]
) -> None:
    rows = [
        {
            "statement_id": derived_id(file_id, str(place)), "file_id": file_id, "account_id": accounts[one.account],
            "creditor_id": owner.creditor_id, "kind": one.kind, "statement_ref": one.statement_ref,
            "sequence": one.sequence, "currency": one.currency, "opened_on": one.opened_on, "closed_on": one.closed_on,
            "opening_minor": None if one.opening is None else to_minor(one.opening, one.currency),
            "closing_minor": None if one.closing is None else to_minor(one.closing, one.currency),
            "transactions": one.transactions, "finding": one.finding,
        }
        for place, one in enumerate(statements)
    ]
    if rows:
        conn.execute(sa.insert(t.bank_statements), rows)


def _refused(hub: Hub, scope: Scope, name: str, sha256: str, owner: Owner, error: QuarantineError) -> ImportedFile:
    """Keep the refusal with its reason, and tell a person."""
    file_id = _file_id(owner, sha256)
    problem = f"{error.code}: {error.message}"
    with hub.work() as work:
        row = work.conn.execute(sa.select(t.bank_files.c.state).where(t.bank_files.c.file_id == file_id)).first()
        if row is None or row.state != IMPORTED:
            _note_file(
                work.conn, scope, file_id, owner, name, sha256, REFUSED, work.now, is_new=row is None, problem=problem
            )
            open_task(
                work, kind="bank_file", title=f"bank file {name[:100]} is refused", detail=problem[:2000],
                creditor_id=owner.creditor_id,
            )
    return ImportedFile(
        file_id=file_id, name=name, state=REFUSED, creditor_id=owner.creditor_id, problem=problem,
        place=error.reference, cure=error.cure,
    )  # fmt: skip
