"""The only way a case changes: `apply(case, event)`, a fold over its history.

What the facts of one field do to a case stands in that field's own module; `HANDLERS` joins them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import msgspec

from collecthub.errors import PermanentError
from collecthub.model import event as ev
from collecthub.model import (
    facts_money,
    facts_remittance,
    history_contact,
    history_exchange,
    history_money,
    history_network,
)
from collecthub.model.booking import ledger_lines
from collecthub.model.case import RECORDED, Case, Hold, Placement
from collecthub.model.codes import Phase, Status
from collecthub.model.exchange import Procedure
from collecthub.model.history_human import HANDLERS as HUMAN_HANDLERS
from collecthub.model.history_human import HISTORY_ONLY as HUMAN_HISTORY_ONLY
from collecthub.model.history_human import charged
from collecthub.model.history_person import HANDLERS as PERSON_HANDLERS
from collecthub.model.history_person import HISTORY_ONLY as PERSON_HISTORY_ONLY
from collecthub.model.ledger import Balance, add_lines
from collecthub.model.placement_change import acted, ended, on_placement

replace = msgspec.structs.replace
Handler = Callable[[Case, Any, ev.CaseEvent], Case]

_PHASE_OF = {
    Procedure.AMICABLE: Phase.AMICABLE,
    Procedure.JUDICIAL: Phase.JUDICIAL,
    Procedure.ENFORCEMENT: Phase.ENFORCEMENT,
}


def apply(case: Case | None, event: ev.CaseEvent) -> Case:
    """The case after the event. Raises `PermanentError` when the event does not follow the case's last one."""
    if case is None:
        if not isinstance(event.fact, ev.CaseOpened):
            raise PermanentError(
                f"the history of case {event.case_id} does not begin with its opening",
                cure="Run `collecthub verify` to find the missing event.",
                reference=event.case_id,
            )
        changed = _opened(event.fact, event)
    else:
        if event.seq != case.version + 1:
            raise PermanentError(
                f"event {event.seq} does not follow version {case.version} of case {case.case_id}",
                cure="Read the case again and decide anew.",
                reference=case.case_id,
            )
        handler = HANDLERS.get(type(event.fact))
        changed = handler(case, event.fact, event) if handler else case
        changed = replace(changed, balance=add_lines(changed.balance, ledger_lines(case.currency, event)))
    return replace(
        changed, version=event.seq, changed_at=event.recorded_at, last_hash=event.hash
    )


# --- state by fact --------------------------------------------------------------------------------


def _opened(fact: ev.CaseOpened, event: ev.CaseEvent) -> Case:
    return Case(
        case_id=event.case_id,
        number=fact.number,
        creditor_id=fact.creditor_id,
        connection_id=fact.connection_id,
        debtor_ref=fact.debtor_ref,
        currency=fact.currency,
        segment=fact.segment,
        status=Status.READY,
        claims=fact.claims,
        balance=add_lines(Balance(currency=fact.currency), ledger_lines(fact.currency, event)),
        loose_credits=fact.credits,
        origin=fact.origin,
        origin_ref=fact.origin_ref,
        opened_at=event.occurred_at,
        changed_at=event.recorded_at,
        version=event.seq,
    )


def _claim_added(case: Case, fact: ev.ClaimAdded, event: ev.CaseEvent) -> Case:
    return replace(case, claims=(*case.claims, fact.claim))


def _change_claim(case: Case, claim_id: str, delta: Decimal) -> tuple[ev.Claim, ...]:
    return tuple(
        replace(claim, open_amount=claim.open_amount + delta) if claim.claim_id == claim_id else claim
        for claim in case.claims
    )


def _claim_reopened(case: Case, fact: ev.ClaimReopened, event: ev.CaseEvent) -> Case:
    return replace(
        case,
        claims=_change_claim(case, fact.claim_id, fact.amount),
        direct_payments=case.direct_payments - fact.amount,
    )


def _direct_payment(case: Case, fact: ev.DirectPaymentSeen, event: ev.CaseEvent) -> Case:
    return replace(
        case,
        claims=_change_claim(case, fact.claim_id, -fact.amount),
        direct_payments=case.direct_payments + fact.amount,
    )


def _credit(case: Case, fact: ev.CreditSeen, event: ev.CaseEvent) -> Case:
    if not fact.claim_id:
        return replace(case, loose_credits=case.loose_credits + fact.amount)
    return replace(case, claims=_change_claim(case, fact.claim_id, -fact.amount))


def placed(fact: ev.RouteChosen, at: dt.datetime) -> Placement:
    """The placement that begins with a route."""
    return Placement(
        placement_id=fact.placement_id, partner_id=fact.partner_id, partner_name=fact.partner_name, route=fact.route,
        procedure=fact.procedure, reason=fact.reason, chosen_at=at, country=fact.partner_country,
    )  # fmt: skip


def _route_chosen(case: Case, fact: ev.RouteChosen, event: ev.CaseEvent) -> Case:
    placement = placed(fact, event.occurred_at)
    past = (*case.past_placements, case.placement) if case.placement else case.past_placements
    return replace(case, status=Status.SENDING, placement=placement, past_placements=past, transfer=None)


def _needs_info(case: Case, fact: ev.RouteMissing | ev.DispatchBlocked, event: ev.CaseEvent) -> Case:
    return replace(case, status=Status.NEEDS_INFO, placement=ended(case, event, "blocked before sending"))


def _free(case: Case, fact: ev.PlacementWithdrawn, event: ev.CaseEvent) -> Case:
    return replace(case, status=Status.READY, placement=ended(case, event, f"withdrawn: {fact.reason}"))


def _supplied(case: Case, fact: ev.InformationSupplied, event: ev.CaseEvent) -> Case:
    return replace(case, status=Status.READY) if case.status is Status.NEEDS_INFO else case


def _sent(case: Case, fact: ev.CaseSent, event: ev.CaseEvent) -> Case:
    sent = on_placement(
        case, Status.SENT,
        message_id=fact.message_id, sent_at=event.occurred_at, told_principal=fact.principal,
    )
    return replace(
        sent,
        phase=_PHASE_OF[sent.placement.procedure] if sent.placement else sent.phase,
        tried_partners=(*sent.tried_partners, sent.placement.partner_id) if sent.placement else (),
    )


_RANK = {Status.SENDING: 0, Status.SENT: 1, Status.ACKNOWLEDGED: 2, Status.ACCEPTED: 3, Status.ACTIVE: 4}


def _at_least(case: Case, status: Status) -> Status:
    """Acknowledgements may come late or out of order; the ladder is never climbed down."""
    if case.status not in _RANK:
        return case.status
    return max(case.status, status, key=_RANK.__getitem__)


def _acknowledged(case: Case, fact: ev.CaseAcknowledged, event: ev.CaseEvent) -> Case:
    held = case.placement.holder_ref if case.placement else ""
    return on_placement(
        case, _at_least(case, Status.ACKNOWLEDGED),
        acknowledged_at=event.occurred_at, last_heard_at=event.recorded_at, holder_ref=fact.holder_ref or held,
    )


def _accepted(case: Case, fact: ev.CaseAccepted, event: ev.CaseEvent) -> Case:
    held = case.placement.holder_ref if case.placement else ""
    return on_placement(
        case, _at_least(case, Status.ACCEPTED),
        accepted_at=event.occurred_at, last_heard_at=event.recorded_at, holder_ref=fact.holder_ref or held,
    )


def _refused(case: Case, fact: ev.CaseRefused, event: ev.CaseEvent) -> Case:
    status = case.status if case.status is Status.CLOSED else Status.REFUSED
    over = ended(case, event, f"refused: {fact.code}")
    # Whoever refuses holds nothing, whatever it was told.
    return replace(case, status=status, placement=replace(over, told_principal=Decimal(0)) if over else None)


def _status_reported(case: Case, fact: ev.StatusReported, event: ev.CaseEvent) -> Case:
    if case.placement is None or not case.placement.is_live:
        return case  # kept in the history; a closed or recalled case is not moved by a late report
    if fact.is_late:
        return on_placement(case, case.status, last_heard_at=event.recorded_at)
    moved = on_placement(
        case, _at_least(case, Status.ACTIVE), last_sequence=max(fact.sequence, case.placement.last_sequence),
        last_heard_at=event.recorded_at, acted_at=(case.placement.acted_at or event.occurred_at),
    )
    return replace(moved, phase=fact.phase) if fact.phase else moved


def _cost(case: Case, fact: ev.CostReported, event: ev.CaseEvent) -> Case:
    known = replace(acted(case, event), known_refs=(*case.known_refs, fact.cost_ref))
    return charged(known, fact.allowed_by, fact.amount + fact.tax_amount) if fact.allowed_by else known


def _payment(case: Case, fact: ev.PaymentReported, event: ev.CaseEvent) -> Case:
    if fact.reverses_ref:
        unmatched = tuple(entry for entry in case.unmatched if entry[0] != fact.reverses_ref)
    else:
        unmatched = (*case.unmatched, (fact.payment_ref, fact.amount))
    return replace(acted(case, event), unmatched=unmatched, known_refs=(*case.known_refs, fact.payment_ref))


def _recorded(case: Case, fact: ev.PaymentRecorded, event: ev.CaseEvent) -> Case:
    if fact.reverses_ref:
        unmatched = _without_first(case.unmatched, fact.reverses_ref)
    else:
        unmatched = (*case.unmatched, (f"{RECORDED}{event.seq}", fact.amount))
    return replace(case, direct_payments=case.direct_payments + fact.amount, unmatched=unmatched)


def _remittance_booked(case: Case, fact: ev.RemittanceBooked, event: ev.CaseEvent) -> Case:
    direct = fact.payment_ref.startswith((RECORDED, facts_money.WRITTEN_OFF))
    return replace(
        case,
        claims=_change_claim(case, fact.claim_id, -fact.amount),
        unmatched=_without_first(case.unmatched, fact.payment_ref),
        remittances_booked=case.remittances_booked + (Decimal(0) if direct else fact.amount),
    )


def _without_first(entries: tuple[tuple[str, Decimal], ...], ref: str) -> tuple[tuple[str, Decimal], ...]:
    position = next((index for index, entry in enumerate(entries) if entry[0] == ref), None)
    return entries if position is None else entries[:position] + entries[position + 1 :]


def _hold_set(case: Case, fact: ev.HoldSet, event: ev.CaseEvent) -> Case:
    hold = Hold(
        reason=fact.reason, note=fact.note, since_at=event.occurred_at, until_on=fact.until_on, set_by=event.actor
    )
    return replace(case, holds=(*(h for h in case.holds if h.reason != fact.reason), hold))


def _hold_released(case: Case, fact: ev.HoldReleased, event: ev.CaseEvent) -> Case:
    return replace(case, holds=tuple(hold for hold in case.holds if hold.reason != fact.reason))


def _returned(case: Case, fact: ev.CaseReturned, event: ev.CaseEvent) -> Case:
    placement = ended(case, event, f"returned: {fact.close_code}")
    return replace(case, placement=placement, known_refs=(*case.known_refs, f"return:{fact.close_code}"))


def _closed(case: Case, fact: ev.CaseClosed, event: ev.CaseEvent) -> Case:
    return replace(case, status=Status.CLOSED, outcome=fact.outcome)


def _reopened(case: Case, fact: ev.CaseReopened, event: ev.CaseEvent) -> Case:
    out = case.placement is not None and case.placement.is_out
    return replace(case, status=Status.ACTIVE if out else Status.READY, outcome=None)


def _taken_over(case: Case, fact: ev.TakenOver, event: ev.CaseEvent) -> Case:
    hold = ev.HoldSet(reason="held_elsewhere", note=f"{fact.holder_name} {fact.holder_ref}".strip())
    return _hold_set(case, hold, event)


def _owner(case: Case, fact: ev.OwnerChanged, event: ev.CaseEvent) -> Case:
    return replace(case, owner=fact.owner, contact_person=fact.contact_person)


HANDLERS: Mapping[type, Handler] = {
    ev.ClaimAdded: _claim_added,
    ev.ClaimReopened: _claim_reopened,
    ev.DirectPaymentSeen: _direct_payment,
    ev.CreditSeen: _credit,
    ev.RouteChosen: _route_chosen,
    ev.RouteMissing: _needs_info,
    ev.DispatchBlocked: _needs_info,
    ev.PlacementWithdrawn: _free,
    ev.InformationSupplied: _supplied,
    ev.CaseSent: _sent,
    ev.CaseAcknowledged: _acknowledged,
    ev.CaseAccepted: _accepted,
    ev.CaseRefused: _refused,
    ev.StatusReported: _status_reported,
    ev.CostReported: _cost,
    ev.PaymentReported: _payment,
    ev.PaymentRecorded: _recorded,
    ev.RemittanceBooked: _remittance_booked,
    ev.HoldSet: _hold_set,
    ev.HoldReleased: _hold_released,
    ev.CaseReturned: _returned,
    ev.CaseClosed: _closed,
    ev.CaseReopened: _reopened,
    ev.TakenOver: _taken_over,
    ev.OwnerChanged: _owner,
    **history_money.HANDLERS,
    **history_exchange.HANDLERS,
    **history_network.HANDLERS,
    **HUMAN_HANDLERS,
    **PERSON_HANDLERS,
    **history_contact.HANDLERS,
}

# Facts that are history only; named here so that a new fact must say where it belongs.
HISTORY_ONLY = (
    frozenset({ev.DocumentAdded, ev.InstructionReceived, ev.InstructionQueued, ev.CreditorTold, ev.NoteAdded})
    | {facts_remittance.MoneyPassedOn, facts_remittance.MoneyCameNet, facts_remittance.FeeCharged}
    | history_money.HISTORY_ONLY
    | history_network.HISTORY_ONLY
    | HUMAN_HISTORY_ONLY
    | PERSON_HISTORY_ONLY
)
