"""Every job of the runner by name. A job takes the hub and one target and may be run again at any time."""

from __future__ import annotations

from collections.abc import Callable

from collecthub.engine.act_desk import REPLIES as ACT_REPLIES
from collecthub.engine.act_messages import send_replies
from collecthub.engine.book_comparison import JOB as RECONCILE
from collecthub.engine.book_comparison import compare_books
from collecthub.engine.bulkhead import Bulkhead
from collecthub.engine.checking import check_cases, recheck
from collecthub.engine.claim_filing import make_claim_files
from collecthub.engine.clock import tick
from collecthub.engine.contact_back import JOB as CONTACT_BACK
from collecthub.engine.contact_back import hear_debtors
from collecthub.engine.contact_line import JOB as CONTACT
from collecthub.engine.contacting import contact_debtors
from collecthub.engine.context import Hub
from collecthub.engine.identity import JOB as IDENTIFY
from collecthub.engine.inward import receive_connection, record_connection
from collecthub.engine.mandates import release_waiting
from collecthub.engine.nightly import JOB as NIGHTLY
from collecthub.engine.nightly import decide_nightly
from collecthub.engine.notice_line import JOB as NOTICES
from collecthub.engine.notice_line import SAY_JOB, line_notices
from collecthub.engine.noticing import say_notices
from collecthub.engine.opening import open_cases
from collecthub.engine.papers import fetch_late_papers
from collecthub.engine.partner_balances import JOB as OPEN_BALANCE
from collecthub.engine.partner_balances import open_by_clock
from collecthub.engine.partner_score import JOB as REMIND_PARTNERS
from collecthub.engine.partner_score import remind_partners
from collecthub.engine.placing import place_cases
from collecthub.engine.portfolio_check import JOB as PORTFOLIO_CHECK
from collecthub.engine.portfolio_check import check_portfolio
from collecthub.engine.pulling import pull_connection
from collecthub.engine.register_watch import JOB as REGISTER
from collecthub.engine.register_watch import identify_and_watch, watch_register
from collecthub.engine.sending import dispatch_connection
from collecthub.engine.solvency import check_before_court, score_opened
from collecthub.engine.telling import report_connection
from collecthub.engine.trying_again import try_again
from collecthub.model.human_tasks import CHECK_JOB, CLAIM_FILES, SCORE_JOB
from collecthub.model.partner_jobs import TRY_AGAIN
from collecthub.store.connections import BY_PERSON, BY_THEM, read_connection

Job = Callable[[Hub, str], object]
_bulkhead = Bulkhead()


def unless_stopped(job: Job, *, is_periodic: bool = False) -> Job:
    """The job of a connection, left undone while a person has stopped it; what waits for it goes on waiting.

    Connections in trouble keep no worker from those that are well.
    """

    def run(hub: Hub, connection_id: str) -> None:
        with hub.database.read() as conn:
            row = read_connection(conn, connection_id)
        if row is None:
            job(hub, connection_id)
        elif row.cause not in (BY_PERSON, BY_THEM):
            _bulkhead.run(hub, row, job, is_periodic=is_periodic)

    return run


JOBS: dict[str, Job] = {
    "pull": unless_stopped(pull_connection, is_periodic=True),
    "open_cases": unless_stopped(open_cases),
    "papers": unless_stopped(fetch_late_papers),
    "place": place_cases,
    "check": check_cases,
    "recheck": recheck,
    "mandates": release_waiting,
    "dispatch": unless_stopped(dispatch_connection),
    "receive": unless_stopped(receive_connection, is_periodic=True),
    "record": record_connection,
    "report": unless_stopped(report_connection),
    CONTACT: contact_debtors,
    NOTICES: unless_stopped(line_notices),
    SAY_JOB: unless_stopped(say_notices),
    CONTACT_BACK: unless_stopped(hear_debtors),
    CHECK_JOB: check_before_court,
    SCORE_JOB: score_opened,
    IDENTIFY: identify_and_watch,
    CLAIM_FILES: make_claim_files,
    REGISTER: unless_stopped(watch_register),
    REMIND_PARTNERS: remind_partners,
    PORTFOLIO_CHECK: check_portfolio,
    TRY_AGAIN: try_again,
    ACT_REPLIES: send_replies,
    OPEN_BALANCE: open_by_clock,
    NIGHTLY: decide_nightly,
    RECONCILE: compare_books,
    "tick": lambda hub, _target: tick(hub),
}
