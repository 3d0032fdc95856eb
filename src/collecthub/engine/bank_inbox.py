"""Bank files from a folder: what a bank's client, an SFTP client or a person puts there is taken over and moved away.

A file is looked at when it was not written to for some seconds. It goes to `done` or `refused` beside it, under a name
that begins with its hash; one whose account nobody knows stays, and a person is told. A bank's table (CSV, XLSX) is read
by the layout that lies beside it: `kbc.layout.json` is for every file whose name begins with `kbc`, the longest name first.
"""

from __future__ import annotations

import hashlib
import time
from pathlib import Path

import msgspec

from collecthub.engine.case_work import open_task
from collecthub.engine.context import Hub
from collecthub.engine.matching import match_payments
from collecthub.engine.payment_orders import take_answer
from collecthub.engine.payments_in import IMPORTED, REFUSED, import_bank_file
from collecthub.errors import ConfigurationError, PermanentError, QuarantineError
from collecthub.formats.bank.csv_rows import CsvLayout
from collecthub.store.queries.scope import LOCAL_OPERATOR, Scope

FOLDER, DONE, REFUSED_FOLDER = "bank-inbox", "done", "refused"
LAYOUT = ".layout.json"  # holds a `CsvLayout`
ANSWERED, STAYS = "answered", "stays"
SETTLED_SECONDS = 5
_LOOK = 4000
_UNFINISHED = (".part", ".tmp", ".filepart", ".crdownload")


class InboxFile(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one file: `imported`, `answered` (a bank's answer to an order), `refused` or `stays`."""

    name: str
    state: str
    problem: str = ""


def read_inbox(
    hub: Hub, scope: Scope, folder: Path | None = None, *, settled_seconds: float = SETTLED_SECONDS
) -> tuple[InboxFile, ...]:
    """Take over what lies in the folder, oldest first, and match the payments. Safe to run at any time, also twice."""
    folder = folder or hub.settings.home / FOLDER
    if not folder.is_dir():
        return ()
    latest = time.time() - settled_seconds
    waiting = [
        path for path in folder.iterdir()
        if path.is_file() and not path.is_symlink() and not path.name.startswith(".")
        and not path.name.endswith((*_UNFINISHED, LAYOUT)) and path.stat().st_mtime <= latest
    ]  # fmt: skip
    found = tuple(_take(hub, scope, path) for path in sorted(waiting, key=lambda path: (path.stat().st_mtime, path.name)))
    if any(one.state == IMPORTED for one in found):
        match_payments(hub, scope)
    return found


def watch_inbox(hub: Hub) -> None:
    """The clock's part."""
    if (hub.settings.home / FOLDER).is_dir():
        read_inbox(hub, LOCAL_OPERATOR)


def _take(hub: Hub, scope: Scope, path: Path) -> InboxFile:
    try:
        if _is_answer(path):
            take_answer(hub, scope, path.read_bytes())
            _move(path, DONE)
            return InboxFile(name=path.name, state=ANSWERED)
        with path.open("rb") as stream:
            found = import_bank_file(hub, scope, stream, path.name, layout=_layout_for(path))
    except QuarantineError as error:
        return _refuse(hub, path, f"{error.code}: {error.message}")
    except (PermanentError, ConfigurationError) as error:
        _tell(hub, path.name, f"{error.message}. {error.cure}")
        return InboxFile(name=path.name, state=STAYS, problem=error.message)
    _move(path, REFUSED_FOLDER if found.state == REFUSED else DONE)
    return InboxFile(name=path.name, state=found.state, problem=found.problem)


def _layout_for(path: Path) -> CsvLayout | None:
    """The layout whose name the file's begins with, or None. Raises `ConfigurationError` for one that cannot be read."""
    named = (one for one in path.parent.glob(f"*{LAYOUT}") if path.name.lower().startswith(one.name.removesuffix(LAYOUT).lower()))
    found = max(named, key=lambda one: len(one.name), default=None)
    if found is None:
        return None
    try:
        layout = msgspec.json.decode(found.read_bytes(), type=CsvLayout)
    except msgspec.DecodeError as error:
        raise ConfigurationError(f"the layout {found.name} cannot be read: {error}", cure="Correct it; the tables wait.") from error
    layout.check()
    return layout


def _is_answer(path: Path) -> bool:
    with path.open("rb") as stream:
        return b"pain.002" in stream.read(_LOOK)


def _refuse(hub: Hub, path: Path, problem: str) -> InboxFile:
    _tell(hub, path.name, problem)
    _move(path, REFUSED_FOLDER)
    return InboxFile(name=path.name, state=REFUSED, problem=problem)


def _tell(hub: Hub, name: str, problem: str) -> None:
    with hub.work() as work:
        open_task(work, kind="bank_file", title=f"bank file {name[:100]} was not taken over", detail=f"{name}: {problem}"[:2000])


def _move(path: Path, where: str) -> None:
    """Out of the inbox; the same bytes under the same name lie there once."""
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()[:12]
    target = path.parent / where / f"{digest}-{path.name}"
    target.parent.mkdir(exist_ok=True)
    path.replace(target)
