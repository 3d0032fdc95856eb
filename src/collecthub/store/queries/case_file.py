"""Everything on one case: detail, timeline, balance, documents, messages with how far each has come."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec import UNSET, UnsetType

from collecthub.model.case import Case, Hold, Placement
from collecthub.model.event import CaseEvent, Claim
from collecthub.model.ledger import LedgerLine
from collecthub.model.party import Party
from collecthub.model.placement_ladder import Stop, ladder_of, stop_of
from collecthub.model.rungs import Rung
from collecthub.store import tables as t
from collecthub.store.case_log import read_cases, read_events, read_lines
from collecthub.store.queries.erp_view import ErpFacts, erp_facts
from collecthub.store.queries.scope import Role, Scope, cases_of, not_there, owned_by


class Amounts(msgspec.Struct, frozen=True, kw_only=True):
    """What is owed, in parts. `total` is what was charged less payments, credits and write-offs."""

    currency: str
    principal: Decimal
    interest: Decimal
    compensation: Decimal
    dunning_fees: Decimal
    costs: Decimal
    payments: Decimal
    credits: Decimal
    write_offs: Decimal
    total: Decimal
    open_principal: Decimal
    creditor_costs: Decimal | UnsetType = UNSET


class CaseDetail(msgspec.Struct, frozen=True, kw_only=True):
    """One case. Fields that may be left out are left out for a partner, who has no purpose for them."""

    case_id: str
    number: str
    debtor: Party
    currency: str
    segment: str
    phase: str
    status: str
    outcome: str | None
    claims: tuple[Claim, ...]
    balance: Amounts
    contact_person: str
    opened_at: dt.datetime
    changed_at: dt.datetime
    version: int
    erp: ErpFacts = ErpFacts()
    placement: Placement | None = None
    ladder: tuple[Rung, ...] = ()  # how far the placement's case file has come
    stop: Stop | None = None  # since when everyone ought to stop, and whether everyone has
    creditor_id: str | UnsetType = UNSET
    connection_id: str | UnsetType = UNSET
    debtor_ref: str | UnsetType = UNSET
    holds: tuple[Hold, ...] | UnsetType = UNSET
    past_placements: tuple[Placement, ...] | UnsetType = UNSET
    owner: str | UnsetType = UNSET
    origin: str | UnsetType = UNSET
    origin_ref: str | UnsetType = UNSET


class TimelineEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One fact of the history. `fact` holds its own fields, as the event's `kind` defines them."""

    seq: int
    kind: str
    occurred_at: dt.datetime
    recorded_at: dt.datetime
    fact: dict[str, Any]
    actor: str | UnsetType = UNSET
    hash: str | UnsetType = UNSET


class BalanceSheet(msgspec.Struct, frozen=True, kw_only=True):
    """The balance with every ledger line that it is the sum of."""

    case_id: str
    balance: Amounts
    lines: tuple[LedgerLine, ...]


class DocumentView(msgspec.Struct, frozen=True, kw_only=True):
    """A document of a case; its bytes are downloaded by `document_id`."""

    document_id: str
    case_id: str
    name: str
    kind: str
    media_type: str
    sha256: str
    size: int
    created_at: dt.datetime
    added_by: str | UnsetType = UNSET
    is_withheld: bool = False  # of a sensitive case: it is opened for a stated purpose only


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One rung of a message's ladder: queued, sent, received, accepted, refused."""

    name: str
    at: dt.datetime


class MessageView(msgspec.Struct, frozen=True, kw_only=True):
    """One message to a partner and how far it has come."""

    message_id: str
    kind: str
    partner_id: str
    state: str
    ladder: tuple[Step, ...]
    envelope_id: str | None
    envelope_name: str = ""
    envelope_state: str = ""
    problem: str = ""


# What a holder works with: what was asked of it and what it said itself.
_PARTNER_KINDS = frozenset(
    "case_sent case_acknowledged case_accepted case_refused amendment_queued amendment_sent amendment_acknowledged "
    "status_reported cost_reported payment_reported instruction_received instruction_queued case_returned".split()
)


def read_owned_case(conn: sa.Connection, scope: Scope, case_id: str) -> Case:
    """The case, if it exists for the scope. Raises `NotThereError`."""
    found = read_cases(conn, (t.cases.c.case_id == case_id) & cases_of(scope))
    if not found:
        raise not_there("case", case_id)
    return found[0]


def amounts(case: Case, *, is_partner: bool = False) -> Amounts:
    """A case's balance as it is shown."""
    balance = case.balance
    return Amounts(
        currency=balance.currency, principal=balance.principal, interest=balance.interest,
        compensation=balance.compensation, dunning_fees=balance.dunning_fees, costs=balance.costs,
        payments=balance.payments, credits=balance.credits,
        write_offs=balance.write_offs, total=balance.total, open_principal=balance.open_principal,
        creditor_costs=UNSET if is_partner else balance.creditor_costs,
    )


def case_detail(conn: sa.Connection, scope: Scope, case_id: str, now: dt.datetime | None = None) -> CaseDetail:
    """One case as the scope may see it, its clocks as they stand `now` (else at its last change). Raises `NotThereError`."""
    case = read_owned_case(conn, scope, case_id)
    moment = now or case.changed_at
    placed = (case.placement,) if case.placement is not None else ()
    is_partner = scope.role is Role.PARTNER
    view = CaseDetail(
        case_id=case.case_id, number=case.number, debtor=case.debtor, currency=case.currency, segment=case.segment,
        phase=case.phase.value, status=case.status.value, outcome=case.outcome.value if case.outcome else None,
        claims=case.claims, balance=amounts(case, is_partner=is_partner), contact_person=case.contact_person,
        opened_at=case.opened_at, changed_at=case.changed_at, version=case.version, placement=case.placement,
        ladder=ladder_of(case.placement, moment) if case.placement is not None else (),
        stop=stop_of(placed if is_partner else (*case.past_placements, *placed), moment),
        erp=erp_facts(conn, scope, case),
    )
    if is_partner:
        return view
    return msgspec.structs.replace(
        view, creditor_id=case.creditor_id, connection_id=case.connection_id, debtor_ref=case.debtor_ref,
        holds=case.holds, past_placements=case.past_placements, owner=case.owner, origin=case.origin,
        origin_ref=case.origin_ref,
    )


def timeline(conn: sa.Connection, scope: Scope, case_id: str) -> tuple[TimelineEntry, ...]:
    """The history of a case, oldest first; for a partner only what passed between it and the hub."""
    case = read_owned_case(conn, scope, case_id)
    history = read_events(conn, case_id)
    if scope.role is not Role.PARTNER:
        return tuple(_told(_entry(event, is_partner=False), case) for event in history)
    begin = max((event.seq for event in history if event.kind == "route_chosen"), default=0)
    return tuple(
        _entry(event, is_partner=True) for event in history if event.seq > begin and event.kind in _PARTNER_KINDS
    )


def _told(entry: TimelineEntry, case: Case) -> TimelineEntry:
    """Without the names of a sensitive case's documents."""
    if entry.kind != "document_added" or not case.is_sensitive:
        return entry
    return msgspec.structs.replace(entry, fact={**entry.fact, "name": str(entry.fact.get("document_kind", ""))})


def _entry(event: CaseEvent, *, is_partner: bool) -> TimelineEntry:
    fact = msgspec.to_builtins(event.fact, builtin_types=(dt.datetime, dt.date, Decimal))
    fact.pop("kind", None)
    return TimelineEntry(
        seq=event.seq, kind=event.kind, occurred_at=event.occurred_at, recorded_at=event.recorded_at, fact=fact,
        actor=UNSET if is_partner else event.actor, hash=UNSET if is_partner else event.hash,
    )


def balance_sheet(conn: sa.Connection, scope: Scope, case_id: str) -> BalanceSheet:
    """Balance and ledger lines. A partner sees no costs that the creditor bears."""
    case = read_owned_case(conn, scope, case_id)
    is_partner = scope.role is Role.PARTNER
    lines = read_lines(conn, case_id)
    if is_partner:
        lines = [line for line in lines if line.bearer == "debtor"]
    return BalanceSheet(case_id=case_id, balance=amounts(case, is_partner=is_partner), lines=tuple(lines))


def documents(conn: sa.Connection, scope: Scope, case_id: str) -> tuple[DocumentView, ...]:
    """The documents of a case, oldest first."""
    case = read_owned_case(conn, scope, case_id)
    query = sa.select(t.documents).where(t.documents.c.case_id == case_id).order_by(t.documents.c.created_at)
    found = (_document(row, scope) for row in conn.execute(query))
    return tuple(_discreet(one) for one in found) if case.is_sensitive else tuple(found)


def _discreet(one: DocumentView) -> DocumentView:
    """Without the name, which may tell what was treated."""
    return msgspec.structs.replace(one, name=f"{one.kind} {one.document_id[-6:]}", is_withheld=True)


def document(conn: sa.Connection, scope: Scope, document_id: str) -> DocumentView:
    """One document's record. Raises `NotThereError`."""
    row = conn.execute(sa.select(t.documents).where(t.documents.c.document_id == document_id)).first()
    if row is None or conn.scalar(
        sa.select(t.cases.c.case_id).where(t.cases.c.case_id == row.case_id, cases_of(scope))
    ) is None:
        raise not_there("document", document_id)
    return _document(row, scope)


def _document(row: Any, scope: Scope) -> DocumentView:
    return DocumentView(
        document_id=row.document_id, case_id=row.case_id, name=row.name, kind=row.kind, media_type=row.media_type,
        sha256=row.sha256, size=row.size, created_at=row.created_at,
        added_by=UNSET if scope.role is Role.PARTNER else row.added_by,
    )


_RUNGS = {
    "case_acknowledged": "received", "case_accepted": "accepted", "case_refused": "refused",
    "amendment_acknowledged": "accepted",
}  # fmt: skip


def messages(conn: sa.Connection, scope: Scope, case_id: str) -> tuple[MessageView, ...]:
    """Every message about a case, oldest first; a partner sees those for itself."""
    read_owned_case(conn, scope, case_id)
    query = (
        sa.select(
            t.messages, t.envelopes.c.name.label("envelope_name"), t.envelopes.c.state.label("envelope_state"),
            t.envelopes.c.sent_at, t.envelopes.c.problem.label("envelope_problem"),
        )
        .outerjoin(t.envelopes, t.envelopes.c.envelope_id == t.messages.c.envelope_id)
        .where(t.messages.c.case_id == case_id)
        .order_by(t.messages.c.queued_at, t.messages.c.message_id)
    )
    if scope.role is Role.PARTNER:
        query = query.where(t.messages.c.partner_id == (scope.partner_id or ""))
    history = read_events(conn, case_id)
    return tuple(_message(row, history) for row in conn.execute(query))


def _message(row: Any, history: Sequence[CaseEvent]) -> MessageView:
    ladder = [Step(name="queued", at=row.queued_at)]
    if row.sent_at is not None:
        ladder.append(Step(name="sent", at=row.sent_at))
    ladder += [
        Step(name=_RUNGS[event.kind], at=event.occurred_at)
        for event in history
        if event.kind in _RUNGS and getattr(event.fact, "message_id", "") == row.message_id
    ]
    return MessageView(
        message_id=row.message_id, kind=row.kind, partner_id=row.partner_id, state=row.state, ladder=tuple(ladder),
        envelope_id=row.envelope_id, envelope_name=row.envelope_name or "", envelope_state=row.envelope_state or "",
        problem=row.problem or row.envelope_problem or "",
    )


def check_creditor(conn: sa.Connection, scope: Scope, creditor_id: str) -> None:
    """Raises `NotThereError` unless the creditor exists for the scope."""
    found = conn.scalar(
        sa.select(t.creditors.c.creditor_id).where(
            t.creditors.c.creditor_id == creditor_id, owned_by(scope, t.creditors.c.creditor_id)
        )
    )
    if found is None:
        raise not_there("creditor", creditor_id)
