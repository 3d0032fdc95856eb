"""The cases of a partner as it may see them: a list with what is asked, and the case file of one."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import msgspec
import sqlalchemy as sa

from collecthub.corridor.decide import timers
from collecthub.corridor.dispatch import compose_case_file
from collecthub.engine.partner_texts import language_of_remarks
from collecthub.engine.told_history import with_past
from collecthub.model.case import Case
from collecthub.model.codes import Status
from collecthub.model.exchange import CaseFile, DocumentItem
from collecthub.model.partner_words import asked_of_partner
from collecthub.store import tables as t
from collecthub.store.case_log import read_cases
from collecthub.store.connections import read_creditor
from collecthub.store.queries.paging import Listed, Order, PageRequest, moment, read_page
from collecthub.store.queries.scope import Scope, cases_of, not_there
from collecthub.store.secrets import MasterKey

_STATUSES = {
    "acceptance": (Status.SENT.value, Status.ACKNOWLEDGED.value),
    "recall": (Status.RECALLING.value, Status.CLOSED.value),
}
_ANSWER_TIMERS = frozenset({"no_acknowledgement", "no_decision", "no_stop"})


class HeldCase(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the partner's list. `asked` is what the hub waits for: `acceptance`, `recall`, `balance` or nothing."""

    case_id: str
    case_number: str
    debtor_name: str
    debtor_country: str
    currency: str
    demanded: Decimal
    status: str
    phase: str
    holder_ref: str
    asked: str
    changed_at: dt.datetime


def held_cases(
    conn: sa.Connection, scope: Scope, key: MasterKey, page: PageRequest, asked: str = ""
) -> Listed[HeldCase]:
    """One page of the cases that a partner holds, newest first."""
    query = sa.select(t.cases.c.case_id, t.cases.c.opened_at).where(cases_of(scope))
    if asked in _STATUSES:
        query = query.where(t.cases.c.status.in_(_STATUSES[asked]))
    order = Order(column=t.cases.c.opened_at, unique=t.cases.c.case_id, is_descending=True, read=moment)
    rows, cursor = read_page(conn, query, order, page, key=key, scope=scope, name=f"partner-cases/{asked}")
    found = {case.case_id: case for case in read_cases(conn, t.cases.c.case_id.in_([row.case_id for row in rows]))}
    items = tuple(held_line(found[row.case_id]) for row in rows)
    return Listed(items=tuple(one for one in items if not asked or one.asked == asked), next_cursor=cursor)


def held_line(case: Case) -> HeldCase:
    """A case as the partner's list shows it."""
    placement = case.placement
    return HeldCase(
        case_id=case.case_id, case_number=case.number, debtor_name=case.debtor.name, debtor_country=case.debtor.country,
        currency=case.currency, demanded=case.demanded, status=case.status.value, phase=case.phase.value,
        holder_ref=placement.holder_ref if placement else "", asked=asked_of_partner(case), changed_at=case.changed_at,
    )


def offered_file(conn: sa.Connection, scope: Scope, case_id: str) -> tuple[Case, CaseFile, dt.datetime | None]:
    """The case, its file as the holder reads it today, and until when an answer is due. Raises `NotThereError`."""
    found = read_cases(conn, (t.cases.c.case_id == case_id) & cases_of(scope))
    case = found[0] if found else None
    creditor = read_creditor(conn, case.creditor_id) if case is not None else None
    if case is None or creditor is None or case.placement is None or case.placement.sent_at is None:
        raise not_there("case", case_id)
    file = compose_case_file(
        case, case.placement, creditor.party, creditor.playbook.payment_account, _documents(conn, case_id),
        case.placement.message_id,
        language=language_of_remarks(conn, case, case.placement.partner_id, case.changed_at.date()),
    )
    return case, with_past(conn, case, file), answer_until(case)


def answer_until(case: Case) -> dt.datetime | None:
    """Until when the holder should have answered; None when nothing is asked."""
    if not asked_of_partner(case):
        return None
    return min((timer.due_at for timer in timers(case) if timer.kind in _ANSWER_TIMERS), default=None)


def _documents(conn: sa.Connection, case_id: str) -> tuple[DocumentItem, ...]:
    query = sa.select(t.documents).where(t.documents.c.case_id == case_id).order_by(t.documents.c.created_at)
    return tuple(
        DocumentItem(name=row.name, kind=row.kind, media_type=row.media_type, sha256=row.sha256)
        for row in conn.execute(query)
    )
