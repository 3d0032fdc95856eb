"""Runner of the `report` room: case events in line are told to the creditor's systems, each once."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import sqlalchemy as sa

from collecthub.corridor.report import report, sentence
from collecthub.engine.case_work import UNASKED, change_case, locked_case, open_task
from collecthub.engine.context import Hub, Work
from collecthub.engine.trouble import backoff, connection_trouble, connection_well
from collecthub.engine.webhook_schedule import log_attempts, webhook_wait
from collecthub.errors import (
    CollecthubError,
    ConfigurationError,
    GoneError,
    InDoubtError,
    RetryableError,
    UnsettledError,
)
from collecthub.model.event import CreditorTold, HoldSet
from collecthub.ports import CaseReport, CaseReporter, Receipt
from collecthub.registers import ConnectorRole
from collecthub.store import tables as t
from collecthub.store.case_log import read_cases, read_histories, replay
from collecthub.store.connections import BY_THEM, ConnectionRow, change_connection, read_connection
from collecthub.store.facts import FENCE, read_fact

CHUNK, AT_ONCE = 40, 4
LAST_ATTEMPT = 20  # of telling an ERP; webhooks have the schedule of `webhook_schedule`


def report_connection(hub: Hub, connection_id: str) -> None:
    """Tell everything that waits for one reporter, oldest first, until it is done or must wait."""
    with hub.database.read() as conn:
        row = read_connection(conn, connection_id)
        fenced = read_fact(conn, FENCE)
    if row is None or fenced:
        return
    try:
        reporter = hub.connector_for(row)
    except CollecthubError as error:
        connection_trouble(hub, connection_id, error, job="report")
        return
    _ask(hub, connection_id, reporter)
    if not isinstance(reporter, CaseReporter):
        return
    while waiting := _waiting(hub, connection_id):
        if not _tell_chunk(hub, row, reporter, waiting):
            return


def _ask(hub: Hub, connection_id: str, reporter: object) -> None:
    """What came into line while the connector could not be asked: what it does not want leaves the line."""
    unasked = (
        (t.reports.c.connection_id == connection_id) & (t.reports.c.state == "queued") & (t.reports.c.problem == UNASKED)
    )
    with hub.database.read() as conn:
        kinds = list(conn.scalars(sa.select(t.reports.c.kind).where(unasked).distinct()))
    if not kinds:
        return
    wanted = [kind for kind in kinds if isinstance(reporter, CaseReporter) and reporter.wants(kind)]
    with hub.work() as work:
        work.conn.execute(sa.delete(t.reports).where(unasked, t.reports.c.kind.not_in(wanted)))
        work.conn.execute(sa.update(t.reports).where(unasked).values(problem=""))


def _tell_chunk(hub: Hub, row: ConnectionRow, reporter: CaseReporter, waiting: Sequence[Any]) -> bool:
    """Tell some and note it at once; after a crash between the two they are told again under the same ids.

    Debtors are told about side by side, what concerns one debtor in its order.
    """
    by_debtor: dict[str, list[tuple[Any, CaseReport]]] = {}
    for entry, message in _messages(hub, waiting):
        by_debtor.setdefault(message.debtor_ref, []).append((entry, message))
    teller = Teller(hub, row, reporter)
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="tell") as pool:
        troubles = [trouble for trouble in pool.map(teller.tell, by_debtor.values()) if trouble is not None]
    _told(hub, row, teller.done)
    goes_on = [_not_told(hub, row, entry, error) for entry, error in troubles]
    if troubles:
        return all(goes_on)
    connection_well(hub, row)
    return True


class Teller:
    """Tells one reporter; once it cannot be reached nobody else tries."""

    def __init__(self, hub: Hub, row: ConnectionRow, reporter: CaseReporter) -> None:
        self._hub, self._row, self._reporter = hub, row, reporter
        self._away = threading.Event()
        self.done: list[tuple[Any, Receipt]] = []

    def tell(self, messages: Sequence[tuple[Any, CaseReport]]) -> tuple[Any, CollecthubError] | None:
        """Tell these one after the other; the first that fails, and why."""
        what = f"{self._row.kind}.report"
        for entry, message in messages:
            if self._away.is_set():
                return None
            try:
                receipt = self._hub.call(
                    report, self._reporter, message, what=what, connection_id=self._row.connection_id
                )
            except CollecthubError as error:
                if _is_away(error):
                    self._away.set()
                return entry, error
            self.done.append((entry, receipt))
        return None


def _messages(hub: Hub, waiting: Sequence[Any]) -> list[tuple[Any, CaseReport]]:
    """The reports in line. Rebuilt from the event and the case as it was right after it, so that they never change."""
    case_ids = [entry.case_id for entry in waiting]
    with hub.database.read() as conn:
        newest = {case.case_id: case for case in read_cases(conn, t.cases.c.case_id.in_(case_ids))}
        histories = read_histories(conn, case_ids, max(entry.seq for entry in waiting))
    messages = []
    for entry in waiting:
        history = histories[entry.case_id][: entry.seq]
        current = newest[entry.case_id]
        case = current if current.version == entry.seq else replay(history)
        assert case is not None, "an event belongs to a history"
        case = msgspec.structs.replace(case, debtor=current.debtor)
        message = CaseReport(
            report_id=entry.report_id, case=case, event=history[-1], text=sentence(case, history[-1]),
            debtor_ref=case.debtor_ref, item_refs=tuple(claim.claim_id for claim in case.claims),
        )
        messages.append((entry, message))
    return messages


def _waiting(hub: Hub, connection_id: str) -> list[Any]:
    with hub.database.read() as conn:
        return list(conn.execute(_IN_LINE, {"of": connection_id, "now": hub.now()}))


_QUEUED = (t.reports.c.connection_id == sa.bindparam("of")) & (t.reports.c.state == "queued")
_MUST_WAIT = t.reports.c.next_attempt_at > sa.bindparam("now")
# What follows in a case waits for what comes before it: a block must not be set after the act that lifts it.
_IN_LINE = (
    sa.select(t.reports)
    .where(_QUEUED, t.reports.c.case_id.not_in(sa.select(t.reports.c.case_id).where(_QUEUED, _MUST_WAIT)))
    .order_by(t.reports.c.queued_at, t.reports.c.case_id, t.reports.c.seq)
    .limit(CHUNK)
)


_NOTE_DONE = (
    sa.update(t.reports)
    .where(t.reports.c.report_id == sa.bindparam("of_report"))
    .values({name: sa.bindparam(name) for name in ("state", "done_at", "problem", "receipt_ref", "attempts")})
)


def _told(hub: Hub, row: ConnectionRow, done: Sequence[tuple[Any, Receipt]]) -> None:
    if not done:
        return
    with hub.work() as work:
        notes = [
            {
                "of_report": entry.report_id, "state": "done", "done_at": work.now, "problem": "",
                "receipt_ref": receipt.reference[:400], "attempts": entry.attempts + 1,
            }
            for entry, receipt in done
        ]
        work.conn.execute(_NOTE_DONE, notes)
        if row.role == ConnectorRole.REPORTER.value:
            log_attempts(work, [(entry, receipt.detail) for entry, receipt in done], is_delivered=True)
        if row.role == ConnectorRole.ERP.value:
            work.hold(entry.case_id for entry, _ in done)
            for entry, receipt in done:
                case = locked_case(work, entry.case_id)
                told = CreditorTold(reporter=row.kind, about=entry.kind, receipt_ref=receipt.reference[:140])
                change_case(hub, work, case, [told], actor=f"connection:{row.connection_id}")


def _not_told(hub: Hub, row: ConnectionRow, entry: Any, error: CollecthubError) -> bool:
    """Telling is safe to repeat (same id), so doubt is a retry too. True when the next report may go at once."""
    attempts = entry.attempts + 1
    wait = _wait(row, entry.report_id, attempts, error)
    with hub.work() as work:
        values: dict[str, Any] = {"attempts": attempts, "problem": error.message[:2000]}
        if row.role == ConnectorRole.REPORTER.value:
            log_attempts(work, [(entry, error.message)], is_delivered=False)
        if isinstance(error, GoneError):
            _disable(work, row, error)
        elif wait is not None:
            asked = dt.timedelta(seconds=getattr(error, "retry_after_seconds", None) or 0)
            values["next_attempt_at"] = work.now + max(wait, asked)
        else:
            values["state"] = "failed"
            _hold(hub, work, row, entry, error)
            open_task(
                work, kind="report_failed", title=f"{row.name} could not be told", case_id=entry.case_id,
                detail=f"{error.message} {error.cure}".strip(), creditor_id=row.creditor_id,
                connection_id=row.connection_id,
            )
        work.conn.execute(sa.update(t.reports).where(t.reports.c.report_id == entry.report_id).values(values))
    if _is_away(error) and not isinstance(error, GoneError):
        connection_trouble(hub, row.connection_id, error, job="report")
    return not _is_away(error)


def _wait(row: ConnectionRow, report_id: str, attempts: int, error: CollecthubError) -> dt.timedelta | None:
    """How long to wait for the next try; None when there is none."""
    if not isinstance(error, RetryableError | InDoubtError | ConfigurationError):
        return None
    if row.role == ConnectorRole.REPORTER.value:
        return webhook_wait(report_id, attempts)
    return backoff(attempts) if attempts < LAST_ATTEMPT else None


def _disable(work: Work, row: ConnectionRow, error: GoneError) -> None:
    """Nothing more is sent until a person resumes the connection; what waits for it is kept."""
    change_connection(
        work.conn, row.connection_id, status="stopped", cause=BY_THEM, status_until=None,
        status_detail=f"{error.message}. {error.cure}".strip(),
    )
    open_task(
        work, kind="connection", title=f"connection {row.name} was ended by the other side",
        detail=f"{error.message} {error.cure}".strip(), creditor_id=row.creditor_id, connection_id=row.connection_id,
    )


def _is_away(error: CollecthubError) -> bool:
    return isinstance(error, RetryableError | ConfigurationError | GoneError) and not isinstance(error, UnsettledError)


# An ERP that was not told of these goes on reminding the debtor while somebody else collects.
_MUST_BE_KNOWN = frozenset({"case_sent", "case_reopened"})


def _hold(hub: Hub, work: Work, row: ConnectionRow, entry: Any, error: CollecthubError) -> None:
    """The case rests until a person has seen to it that the ERP stops."""
    case = locked_case(work, entry.case_id)
    if row.role == ConnectorRole.ERP.value and entry.kind in _MUST_BE_KNOWN and case.is_open:
        hold = HoldSet(reason="erp_not_told", note=error.message[:500])
        change_case(hub, work, case, [hold], actor=f"connection:{row.connection_id}")
