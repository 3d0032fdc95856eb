"""Reminders that a creditor sent himself, from a file: each good row is kept with its invoice, each bad one is answered.

The columns are `invoice`, `sent_on`, and where known `level`, `channel` and `fee` in the case's currency. Rows are found
by invoice number in the creditor's open cases; the same file again changes nothing.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import Decimal
from itertools import islice

import msgspec
import sqlalchemy as sa

from collecthub.engine.case_work import change_case, locked_case
from collecthub.engine.context import Hub, Work
from collecthub.engine.intake import FieldError, ready_intake
from collecthub.errors import PermanentError
from collecthub.model.case import Case
from collecthub.model.codes import Status
from collecthub.model.contact import Channel
from collecthub.model.event import Claim, NoteAdded
from collecthub.model.money import parse_amount, round_amount
from collecthub.store import tables as t
from collecthub.store.case_log import read_cases, to_minor
from collecthub.store.connections import read_connection
from collecthub.store.erp_tables import own_reminders
from collecthub.store.quarantine import quarantine_row
from collecthub.store.queries.scope import Scope, not_there, owned_by
from collecthub.store.upsert import putting
from collecthub.wire.tabular import Row, read_rows

COLUMNS = ("invoice", "sent_on", "level", "channel", "fee")
ROWS_MOST, LEVEL_MOST, CASES_PER_CHUNK = 100_000, 9, 50
_Found = Mapping[str, list[tuple[Case, Claim]]]


class ReminderRow(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one row; without errors it is kept in its case."""

    line: int
    invoice: str
    case_id: str = ""
    errors: tuple[FieldError, ...] = ()


class UploadedReminders(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a file: rows that were taken, that were refused, and each with its reason."""

    taken: int
    refused: int
    cases: int
    rows: tuple[ReminderRow, ...]


class _Told(msgspec.Struct, frozen=True, kw_only=True):
    """One reminder as a row tells it, in its case."""

    case: Case
    claim: Claim
    sent_on: dt.date
    level: int | None
    channel: str
    fee: Decimal | None


def take_reminders(hub: Hub, scope: Scope, creditor_id: str, content: bytes, name: str, case_id: str = "") -> UploadedReminders:
    """Keep the reminders of a file, of one case or of all open ones of a creditor.

    Raises `QuarantineError` for a file that is no table, `PermanentError` for one without the columns, `NotThereError`.
    """
    books_id = ready_intake(hub, scope, creditor_id)
    rows = list(read_rows(content, name, headings=COLUMNS[:2], max_rows=ROWS_MOST))
    if lacking := [column for column in COLUMNS[:2] if not rows or column not in rows[0].cells]:
        raise PermanentError(
            f"the file {name} has no column {' and no column '.join(lacking)}, or no rows",
            cure=f"Name the columns {', '.join(COLUMNS)}; the first two are needed.",
        )
    with hub.database.read() as conn:
        mine = owned_by(scope, t.cases.c.creditor_id) & (t.cases.c.creditor_id == creditor_id)
        chosen = (t.cases.c.case_id == case_id) if case_id else (t.cases.c.status != Status.CLOSED.value)
        found = _by_number(read_cases(conn, mine & chosen))
    if case_id and not found:
        raise not_there("case", case_id)
    results: list[ReminderRow] = []
    told: dict[str, list[_Told]] = {}
    for row in rows:
        result, one = _read(row, found, hub.business_date())
        results.append(result)
        if one is not None:
            told.setdefault(one.case.case_id, []).append(one)
    _keep(hub, scope, books_id, name, hub.evidence.keep(content), told, [one for one in results if one.errors])
    taken = sum(map(len, told.values()))
    return UploadedReminders(taken=taken, refused=len(results) - taken, cases=len(told), rows=tuple(results))


def _by_number(cases: Iterable[Case]) -> _Found:
    found: dict[str, list[tuple[Case, Claim]]] = {}
    for case in cases:
        for claim in case.claims:
            found.setdefault(claim.number.strip(), []).append((case, claim))
    return found


# --- one row --------------------------------------------------------------------------------------


def _read(row: Row, found: _Found, today: dt.date) -> tuple[ReminderRow, _Told | None]:
    """The row in its case, or everything that is wrong with it."""
    said = {name: row.cells.get(name, "").strip() for name in COLUMNS}
    errors: list[FieldError] = []

    def wrong(field: str, reason: str) -> None:
        errors.append(FieldError(field=field, reason=reason))

    places = found.get(said["invoice"], [])
    if row.surplus:
        wrong("", "the row has more cells than the header")
    if len(places) != 1:
        wrong("invoice", "is in several cases: upload it in its case" if places else "is in no open case of this creditor")
    sent_on = _day(said["sent_on"])
    if sent_on is None or sent_on > today:
        wrong("sent_on", "lies ahead" if sent_on else "is not a date written YYYY-MM-DD")
    level = int(said["level"]) if said["level"].isascii() and said["level"].isdigit() and len(said["level"]) < 3 else 0
    if said["level"] and not 1 <= level <= LEVEL_MOST:
        wrong("level", f"must be 1 to {LEVEL_MOST}")
    if said["channel"] and said["channel"] not in list(Channel):
        wrong("channel", f"must be one of {', '.join(Channel)}")
    fee = _fee(said["fee"], places[0][0].currency) if said["fee"] and places else None
    if said["fee"] and places and fee is None:
        wrong("fee", "is not an amount of nought or more with a point as decimal mark")
    if errors or sent_on is None:
        return ReminderRow(line=row.line, invoice=said["invoice"][:140], errors=tuple(errors)), None
    case, claim = places[0]
    told = _Told(case=case, claim=claim, sent_on=sent_on, level=level or None, channel=said["channel"], fee=fee)
    return ReminderRow(line=row.line, invoice=said["invoice"], case_id=case.case_id), told


def _day(text: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text) if len(text) == len("2026-01-31") else None
    except ValueError:
        return None


def _fee(text: str, currency: str) -> Decimal | None:
    try:
        fee = parse_amount(text)
    except PermanentError:
        return None
    return fee if fee >= 0 and fee == round_amount(fee, currency) else None


# --- keeping --------------------------------------------------------------------------------------


def _keep(
    hub: Hub, scope: Scope, books_id: str, name: str, sha256: str, told: Mapping[str, list[_Told]], refused: list[ReminderRow]
) -> None:
    waiting = iter(told.items())
    while chunk := list(islice(waiting, CASES_PER_CHUNK)):
        with hub.work() as work:
            for case_id, reminders in chunk:
                if rows := _new(work, _rows(reminders, sha256)):
                    work.conn.execute(putting(work.conn.dialect.name, own_reminders, tuple(rows[0])), rows)
                    note = NoteAdded(text=f"{len(rows)} earlier reminders of the creditor were uploaded ({name[:140]}).")
                    change_case(hub, work, locked_case(work, case_id), [note], actor=scope.subject)
    with hub.work() as work:
        _keep_refused(work, books_id, refused, sha256)


def _new(work: Work, rows: list[dict[str, object]]) -> list[dict[str, object]]:
    """The rows that say more than what is kept already."""
    names = [column for column in rows[0] if column != "sha256"]
    c = own_reminders.c
    mine = (c.connection_id == rows[0]["connection_id"]) & c.item_ref.in_({str(row["item_ref"]) for row in rows})
    kept = {tuple(known) for known in work.conn.execute(sa.select(*(c[name] for name in names)).where(mine))}
    return [row for row in rows if tuple(row[name] for name in names) not in kept]


def _rows(reminders: list[_Told], sha256: str) -> list[dict[str, object]]:
    """A level that the file leaves out follows from the order of the days."""
    counted: Counter[str] = Counter()
    rows: list[dict[str, object]] = []
    for one in sorted(reminders, key=lambda told: told.sent_on):
        counted[one.claim.claim_id] += 1
        fee = None if one.fee is None else to_minor(one.fee, one.case.currency)
        rows.append({
            "connection_id": one.case.connection_id, "item_ref": one.claim.claim_id, "dunned_on": one.sent_on,
            "level": one.level or min(counted[one.claim.claim_id], LEVEL_MOST), "creditor_id": one.case.creditor_id,
            "channel": one.channel, "fee_minor": fee, "sha256": sha256,
        })  # fmt: skip
    return rows


def _keep_refused(work: Work, books_id: str, refused: list[ReminderRow], sha256: str) -> None:
    row = read_connection(work.conn, books_id) if refused else None
    for one in refused if row is not None else ():
        assert row is not None, "asked in the line above"
        reason = "; ".join(f"{error.field} {error.reason}".strip() for error in one.errors)
        reference = f"reminders {sha256[:8]}:{one.line}"
        quarantine_row(work.conn, row, "file", reference, "reminders.row", reason[:2000], sha256, work.now)
