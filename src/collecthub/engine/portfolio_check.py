"""The dry run of a portfolio that is too large to wait for: made by a worker, its result kept until the next one."""

from __future__ import annotations

import msgspec
import sqlalchemy as sa

from collecthub.engine.context import Hub, Work
from collecthub.engine.feasibility import DryRun, dry_run
from collecthub.store.facts import read_fact, remove_fact, write_fact
from collecthub.store.queries.scope import LOCAL_OPERATOR, Scope

JOB = "portfolio_check"
_EVERYBODY = "*"


def ask_check(work: Work, scope: Scope) -> None:
    """Have the portfolio of whoever asks looked at; once, however often it is asked for meanwhile."""
    whose = scope.creditor_id or _EVERYBODY
    write_fact(work.conn, _asked(whose), work.now.isoformat())
    work.wake(JOB, whose)


def check_portfolio(hub: Hub, whose: str) -> None:
    """Job: the dry run of one creditor's open cases, or of all."""
    with hub.database.read() as conn:
        told = dry_run(hub, conn, LOCAL_OPERATOR, "" if whose == _EVERYBODY else whose, hub.business_date())
    with hub.work() as work:
        write_fact(work.conn, _done(whose), msgspec.json.encode(told).decode())
        remove_fact(work.conn, _asked(whose))


def last_check(conn: sa.Connection, scope: Scope) -> tuple[DryRun | None, bool]:
    """The last result, if there is one, and whether a new one is under way."""
    whose = scope.creditor_id or _EVERYBODY
    told = read_fact(conn, _done(whose))
    return msgspec.json.decode(told, type=DryRun) if told else None, read_fact(conn, _asked(whose)) is not None


def _asked(whose: str) -> str:
    return f"{JOB}.asked:{whose}"


def _done(whose: str) -> str:
    return f"{JOB}:{whose}"
