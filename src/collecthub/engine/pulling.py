"""Runner of `pull` and `normalise`: an ERP's pages enter the store, each with its checkpoint.

A run is complete when it was read to its end and the ERP's own totals, where it stated them, are ours. What an
incomplete run brought stays in the store; it opens, lowers and closes no case (`collecthub.engine.opening`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import msgspec

from collecthub.corridor.pull import pull
from collecthub.engine.case_work import close_tasks, open_task
from collecthub.engine.changed_debtors import read_changed
from collecthub.engine.connection_settings import chosen_divisions
from collecthub.engine.context import Hub, Work
from collecthub.engine.control_totals import difference
from collecthub.engine.hook_subscriptions import keep_subscribed
from collecthub.engine.missing_items import read_freed, settle_missing
from collecthub.engine.pulled_pages import PageKeeper
from collecthub.engine.trouble import connection_trouble, connection_well
from collecthub.errors import CollecthubError, PermanentError
from collecthub.model.ids import new_id
from collecthub.ports import ControlTotal, Divided, InvoiceSource, Page
from collecthub.store.connections import ConnectionRow, change_connection, read_connection
from collecthub.store.runs import AGREED, COMPLETE, DIFFERS, INCOMPLETE, begin_run, end_run

LATE_AFTER = dt.timedelta(hours=26)  # a person is told when a connection that is read hourly was not whole for a day
_TASK = "pull_incomplete"


class _End(msgspec.Struct, frozen=True):
    """How a run ended. `control` is None when it broke off before anything could be compared."""

    state: str
    problem: str = ""
    control: str | None = None


def pull_connection(hub: Hub, connection_id: str) -> None:
    """Pull one ERP connection from its checkpoint to its end. Each page and its checkpoint commit together."""
    with hub.database.read() as conn:
        row = read_connection(conn, connection_id)
    if row is None or row.creditor_id is None:
        return
    run_id = new_id()
    with hub.work() as work:
        differed = begin_run(work.conn, run_id, connection_id, work.now)
    try:
        end = _read_all(hub, row, run_id, differed=differed)
    except CollecthubError as error:
        _end(hub, row, run_id, _End(INCOMPLETE, error.message))
        connection_trouble(hub, connection_id, error, job="pull")
        return
    _end(hub, row, run_id, end)
    connection_well(hub, row)
    if end.control == AGREED:
        keep_subscribed(hub, row)


def _read_all(hub: Hub, row: ConnectionRow, run_id: str, *, differed: bool) -> _End:
    """Every page to the last one. Raises what the connector raises."""
    source = hub.connector_for(row)
    if not isinstance(source, InvoiceSource):
        raise PermanentError(f"{row.kind} cannot pull invoices", cure="Use an ERP connection.")
    keeper = PageKeeper(hub, row, run_id)
    end = _End(COMPLETE) if not differed else _End(INCOMPLETE, _UNSETTLED, DIFFERS)
    for page in pull(source, row.checkpoint, hub.walk(f"{row.kind}.pull", row.connection_id)):
        keeper.keep(page)
        end = _compared(hub, row, source, page, keeper) or end
    read_freed(hub, row, keeper)
    read_changed(hub, row)
    return end


_UNSETTLED = "The ERP's own totals differed when they were last compared; they are compared again once a day."


def _compared(hub: Hub, row: ConnectionRow, source: object, page: Page, keeper: PageKeeper) -> _End | None:
    """What the totals of a page mean for the run. Divisions that a person left out since count on neither side.

    Items that are open here and not there are read one by one before the totals are said to differ.
    """
    if page.control is None:
        return None
    groups = chosen_divisions(row, source) if isinstance(source, Divided) else ()
    found = _difference(hub, row, page.control, groups)
    if found and settle_missing(hub, row, keeper, groups):
        found = _difference(hub, row, page.control, groups)
    return _End(INCOMPLETE, found, DIFFERS) if found else _End(COMPLETE, control=AGREED)


def _difference(hub: Hub, row: ConnectionRow, control: Sequence[ControlTotal], groups: Sequence[str]) -> str:
    with hub.database.read() as conn:
        return difference(conn, row.connection_id, control, groups)


def _end(hub: Hub, row: ConnectionRow, run_id: str, end: _End) -> None:
    with hub.work() as work:
        end_run(
            work.conn, run_id, row.connection_id, state=end.state, control=end.control, problem=end.problem, now=work.now
        )
        if end.state == COMPLETE:
            change_connection(work.conn, row.connection_id, last_complete_at=work.now)
            close_tasks(work, done_by="hub", connection_id=row.connection_id, kind=_TASK)
        else:
            _see_to_it(work, row, end)
        work.wake("open_cases", row.connection_id)


def _see_to_it(work: Work, row: ConnectionRow, end: _End) -> None:
    """What follows from an incomplete run: everything is read anew, a person is told, or the next run repairs it."""
    is_new_difference = end.control == DIFFERS and end.problem != _UNSETTLED
    if is_new_difference and row.checkpoint:
        change_connection(work.conn, row.connection_id, checkpoint="")
        work.wake("pull", row.connection_id)
    elif is_new_difference:
        _tell(work, row, f"{row.name} was read anew and still does not add up", end.problem)
    elif work.now - (row.last_complete_at or row.created_at) > LATE_AFTER:
        _tell(work, row, f"{row.name} had no complete pull for more than a day", end.problem)


def _tell(work: Work, row: ConnectionRow, title: str, problem: str) -> None:
    close_tasks(work, done_by="hub", connection_id=row.connection_id, kind=_TASK)  # the newest one says it all
    open_task(
        work, kind=_TASK, title=title, detail=problem[:2000], creditor_id=row.creditor_id,
        connection_id=row.connection_id,
    )
