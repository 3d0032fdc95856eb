"""A partner's mailbox as files: what SFTP shows of the hub's own ledger, and what the partner brings.

`/in` holds the envelopes that were sent and not taken, `/out` takes the partner's files, `/receipt` tells what became of
them. There is no folder on disk: a partner sees rows of his own connection and nothing else can be named. A file that
he writes lies aside under a temporary name until its rename, which stores it and puts it in line in one transaction.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa

from collecthub.engine.context import Hub
from collecthub.engine.inbound import keep_inbound
from collecthub.engine.inward import RECORDED
from collecthub.exchange_ports import MailboxAccount
from collecthub.ports import RawMessage
from collecthub.registers import ConnectorRole
from collecthub.store import tables as t
from collecthub.store.connections import BY_PERSON, ConnectionRow, read_connection, read_connections
from collecthub.store.mailbox_tables import mailbox_taken
from collecthub.wire.crypto import sha256_hex
from collecthub.wire.names import name_problem
from collecthub.wire.sftp_service import Entry, Tree

FILE_BYTES_MAX: Final = 100_000_000
STAGED_MOST: Final = 20  # files that a partner may have begun: what he can fill of the disk without a single message
SHOWN_MOST: Final = 5_000
_ROOT = tuple(Entry(name, is_folder=True) for name in ("in", "out", "receipt"))
_TEMPORARY = (".tmp", ".part", ".filepart")
_RULE = "write it as out/.NAME.part and rename it when it is whole"


def admit(hub: Hub, username: str, key_line: str) -> Tree | None:
    """The mailbox of the partner with this id, if the key is one of his; None for everybody else."""
    offered = key_line.split()[:2]
    mine = (t.connections.c.partner_id == username) & (t.connections.c.role == ConnectorRole.PARTNER.value)
    with hub.database.read() as conn:
        rows = read_connections(conn, mine)
    for row in rows:
        account = hub.connector_for(row) if row.cause != BY_PERSON else None
        if isinstance(account, MailboxAccount) and any(line.split()[:2] == offered for line in account.login_keys):
            return MailboxTree(hub, row)
    return None


class MailboxTree:
    """Satisfies `wire.sftp_service.Tree` for one connection."""

    def __init__(self, hub: Hub, row: ConnectionRow) -> None:
        self._hub = hub
        self._row = row
        self._staging = hub.settings.home / "mailbox" / row.connection_id

    def _refuse_outdated(self) -> None:
        """A session ends with what let it in: a key that was taken away, a person who stopped the connection."""
        with self._hub.database.read() as conn:
            row = read_connection(conn, self._row.connection_id)
        if row is None or row.revision != self._row.revision or row.cause == BY_PERSON:
            raise PermissionError("this mailbox was changed or closed since the login: log in again")

    def entries(self, folder: str) -> Sequence[Entry]:
        """The names in one of the folders."""
        self._refuse_outdated()
        shown = {
            "/": lambda: _ROOT, "/in": self._waiting, "/out": self._begun, "/receipt": self._receipts,
            "/in/done": list, "/out/done": list,
        }.get(folder)  # fmt: skip
        if shown is None:
            raise FileNotFoundError(f"there is no {folder}")
        return shown()

    def _waiting(self) -> list[Entry]:
        with self._hub.database.read() as conn:
            rows = conn.execute(self._envelopes().order_by(t.envelopes.c.envelope_id).limit(SHOWN_MOST)).all()
        return [Entry("done", is_folder=True), *(Entry(one.name, size=one.size, mtime=_seconds(one.sent_at)) for one in rows)]

    def _begun(self) -> list[Entry]:
        found = sorted(self._staging.iterdir()) if self._staging.is_dir() else []
        return [Entry(path.name, size=path.stat().st_size, mtime=int(path.stat().st_mtime)) for path in found]

    def _receipts(self) -> list[Entry]:
        answered = t.inbox.c.answered_at
        query = self._brought().where(answered.is_not(None)).order_by(answered.desc()).limit(SHOWN_MOST)
        with self._hub.database.read() as conn:
            rows = conn.execute(query).all()
        return [Entry(_receipt_name(one), size=len(_receipt(one)), mtime=_seconds(one.answered_at)) for one in rows]

    def read(self, path: str) -> bytes:
        """An envelope's bytes, or a receipt."""
        self._refuse_outdated()
        folder, _, name = path.rpartition("/")
        with self._hub.database.read() as conn:
            if folder == "/in":
                found = conn.execute(self._envelopes().where(t.envelopes.c.name == name)).first()
                if found is not None:
                    return self._hub.evidence.read(found.sha256)
            elif folder == "/receipt":
                of_name = t.inbox.c.remote_ref == name.removesuffix(".json").rpartition(".")[0]
                rows = conn.execute(self._brought().where(of_name, t.inbox.c.answered_at.is_not(None))).all()
                for one in rows:
                    if _receipt_name(one) == name:
                        return _receipt(one)
        raise FileNotFoundError(f"there is no {path} that can be read")

    def staged(self, path: str) -> Path:
        """Where a file that is being written lies; only a temporary name in `out` may be written."""
        self._refuse_outdated()
        folder, _, name = path.rpartition("/")
        if folder != "/out" or not _is_temporary(name):
            raise PermissionError(f"{path} cannot be written: {_RULE}")
        if problem := name_problem(name):
            raise PermissionError(f"the name {problem}")
        self._staging.mkdir(parents=True, exist_ok=True, mode=0o700)
        place = self._staging / name
        if not place.exists() and len(list(self._staging.iterdir())) >= STAGED_MOST:
            raise PermissionError(f"{STAGED_MOST} files were begun and not renamed: rename or remove them first")
        return place

    def limit(self, path: str) -> int:
        """How large a file may be."""
        return FILE_BYTES_MAX

    def rename(self, old: str, new: str) -> None:
        """Bring a written file, or take one from `in` by moving it to `in/done`."""
        self._refuse_outdated()
        folder, _, name = new.rpartition("/")
        if old.startswith("/in/") and folder == "/in/done" and name == old.rpartition("/")[2]:
            self.remove(old)
        elif folder == "/out" and not _is_temporary(name) and not name_problem(name):
            self._bring(self._written(old), name)
        else:
            raise PermissionError(f"{old} cannot become {new}: {_RULE}")

    def _written(self, path: str) -> Path:
        place = self.staged(path)
        if not place.is_file():
            raise FileNotFoundError(f"there is no {path}")
        return place

    def _bring(self, place: Path, name: str) -> None:
        content = place.read_bytes()
        with self._hub.work() as work:
            known = work.conn.scalars(sa.select(t.inbox.c.sha256).where(self._of_mine, t.inbox.c.remote_ref == name)).all()
            if known and sha256_hex(content) not in known:
                raise FileExistsError(f"out/{name} came before with other content: give changed content a new name")
            raw = RawMessage(remote_ref=name, media_type="application/octet-stream", content=content)
            keep_inbound(self._hub, work, self._row, raw)
        place.unlink(missing_ok=True)

    def remove(self, path: str) -> None:
        """Take a file out of `in`, or throw away one that was begun in `out`. Taken twice is taken once."""
        self._refuse_outdated()
        folder, _, name = path.rpartition("/")
        if folder == "/out":
            self._written(path).unlink(missing_ok=True)
            return
        if folder != "/in":
            raise PermissionError(f"{path} stays where it is")
        with self._hub.work() as work:
            found = work.conn.execute(self._envelopes().where(t.envelopes.c.name == name)).first()
            if found is None:
                raise FileNotFoundError(f"there is no {path}")
            work.conn.execute(
                sa.insert(mailbox_taken).values(
                    connection_id=self._row.connection_id, envelope_id=found.envelope_id, taken_at=work.now
                )
            )

    def _envelopes(self) -> sa.Select[Any]:
        """What was sent into this mailbox and not taken."""
        box = t.envelopes.c
        taken = sa.select(mailbox_taken.c.envelope_id).where(mailbox_taken.c.connection_id == self._row.connection_id)
        return sa.select(box.envelope_id, box.name, box.size, box.sha256, box.sent_at).where(
            box.connection_id == self._row.connection_id, box.state == "sent", box.envelope_id.not_in(taken)
        )

    @property
    def _of_mine(self) -> sa.ColumnElement[bool]:
        return t.inbox.c.connection_id == self._row.connection_id

    def _brought(self) -> sa.Select[Any]:
        inbox = t.inbox.c
        return sa.select(inbox.remote_ref, inbox.state, inbox.problem, inbox.answered_at).where(self._of_mine)


def _is_temporary(name: str) -> bool:
    return name.startswith(".") or name.endswith(_TEMPORARY)


def _receipt_name(one: Any) -> str:
    return f"{one.remote_ref}.{'ack' if one.state == RECORDED else 'nak'}.json"


def _receipt(one: Any) -> bytes:
    """As the handbook writes receipts."""
    is_accepted = one.state == RECORDED
    said = {
        "file": one.remote_ref, "code": "" if is_accepted else one.problem.split(":", 1)[0], "reason": one.problem,
        "recorded_at": one.answered_at.isoformat(),
    }  # fmt: skip
    return json.dumps(said, ensure_ascii=False).encode()


def _seconds(moment: Any) -> int:
    return int(moment.timestamp()) if moment is not None else 0
