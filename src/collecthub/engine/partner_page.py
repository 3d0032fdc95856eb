"""What a partner's page shows and takes: offers with the fee in money, the month's form with every case filled in."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from typing import cast

import msgspec
import sqlalchemy as sa

from collecthub.engine.context import Hub, Work
from collecthub.engine.partner_balances import Sums, book_line
from collecthub.engine.partner_desk import ReportState, take_statement
from collecthub.engine.partner_offers import answer_until
from collecthub.errors import PermanentError
from collecthub.formats.partner_form import FormRow, about, read_form
from collecthub.model.case import Case
from collecthub.model.contract import Side, in_force
from collecthub.model.event import CaseEvent, StatusReported
from collecthub.model.exchange import Decoded, InboundMessage
from collecthub.model.fee import FeesBefore, facts_of, fee_on
from collecthub.model.ids import derived_id
from collecthub.model.partner_words import asked_of_partner
from collecthub.store import tables as t
from collecthub.store.case_log import LAST_EVENT, read_cases, read_histories
from collecthub.store.contracts import versions_of
from collecthub.store.queries.scope import Scope, cases_of

CASES_ON_PAGE = 500


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """A case that waits for the partner's answer. `fee` is what it earns when everything is recovered, without VAT.

    None when no contract says so: then the operator must be asked, and nothing is guessed.
    """

    case: Case
    creditor_name: str
    fee: Decimal | None
    fee_rule: str
    answer_until_at: dt.datetime | None


def partners_cases(conn: sa.Connection, scope: Scope) -> list[Case]:
    """Every case that the partner holds, oldest first."""
    query = sa.select(t.cases.c.case_id).where(cases_of(scope)).order_by(t.cases.c.opened_at).limit(CASES_ON_PAGE)
    ids = list(conn.scalars(query))
    found = {case.case_id: case for case in read_cases(conn, t.cases.c.case_id.in_(ids))}
    return [found[case_id] for case_id in ids if asked_of_partner(found[case_id]) or found[case_id].is_open]


def offers(conn: sa.Connection, scope: Scope, on: dt.date) -> tuple[Offer, ...]:
    """The cases that wait for an answer of the partner."""
    waiting = [case for case in partners_cases(conn, scope) if asked_of_partner(case) == "acceptance"]
    names = _creditor_names(conn, waiting)
    made = []
    for case in waiting:
        fee, rule = fee_in_money(conn, scope.partner_id or "", case, on)
        made.append(
            Offer(
                case=case, creditor_name=names.get(case.creditor_id, ""), fee=fee, fee_rule=rule,
                answer_until_at=answer_until(case),
            )
        )
    return tuple(made)


def fee_in_money(conn: sa.Connection, partner_id: str, case: Case, on: dt.date) -> tuple[Decimal | None, str]:
    """What the partner earns when the whole case is recovered, and by which rule; None when no contract says so."""
    contract = in_force(versions_of(conn, Side.PARTNER, partner_id), on)
    if contract is None:
        return None, ""
    oldest = min((claim.due_on for claim in case.claims), default=on)
    facts = facts_of(case.balance.principal, (on - oldest).days, case.debtor.country, case.currency)
    try:
        fee = fee_on(contract, facts, case.demanded, FeesBefore())
    except PermanentError:
        return None, ""
    return fee.amount, fee.rule


class MonthLine(msgspec.Struct, frozen=True, kw_only=True):
    """What the hub knows of a case when the month's page is opened: our books, and what the partner said last."""

    books: Sums
    last_code: str = ""
    last_text: str = ""
    last_on: dt.date | None = None


def month_lines(conn: sa.Connection, partner_id: str, cases: Sequence[Case]) -> dict[str, MonthLine]:
    """The month's page as far as it is filled in, by case."""
    histories = read_histories(conn, [case.case_id for case in cases], LAST_EVENT)
    return {case.case_id: _month_line(case, histories.get(case.case_id, []), partner_id) for case in cases}


def _month_line(case: Case, history: Sequence[CaseEvent], partner_id: str) -> MonthLine:
    books = book_line(case, history, partner_id).ours
    for event in reversed(history):
        if isinstance(event.fact, StatusReported) and event.actor == f"partner:{partner_id}":
            said = event.fact
            return MonthLine(books=books, last_code=said.foreign_code, last_text=said.text, last_on=event.occurred_at.date())
    return MonthLine(books=books)


def form_rows(conn: sa.Connection, cases: Sequence[Case]) -> tuple[FormRow, ...]:
    """The form for these cases, with everything filled in that the hub knows."""
    names = _creditor_names(conn, cases)
    return tuple(_form_row(case, names.get(case.creditor_id, "")) for case in cases)


def _creditor_names(conn: sa.Connection, cases: Sequence[Case]) -> dict[str, str]:
    wanted = t.creditors.c.creditor_id.in_({case.creditor_id for case in cases})
    return {row.creditor_id: row.name for row in conn.execute(sa.select(t.creditors).where(wanted))}


def _form_row(case: Case, creditor: str) -> FormRow:
    placement, asked = case.placement, asked_of_partner(case)
    answer_to = ""
    if placement is not None and asked:
        answer_to = placement.message_id if asked == "acceptance" else placement.amendment_id
    row = FormRow(
        case_id=case.case_id, case_number=case.number, creditor=creditor, currency=case.currency,
        demanded=f"{case.demanded:f}", asked=asked, answer_to=answer_to,
        holder_ref=placement.holder_ref if placement else "",
    )
    return about(row, case.debtor, [(one.number, one.due_on, one.open_amount) for one in case.claims if one.open_amount > 0])


def take_form(hub: Hub, work: Work, partner_id: str, content: bytes, name: str) -> tuple[ReportState, Decoded]:
    """Take a filled form as a file. Raises `QuarantineError` when it is no form."""
    decoded = read_form(content, name, partner_id, work.now)
    report_id = derived_id("form-file", partner_id, hub.evidence.keep(content))
    said = cast("tuple[InboundMessage, ...]", decoded.messages)  # the form can say nothing else
    return take_statement(hub, work, partner_id, report_id, said, decoded.faults), decoded
