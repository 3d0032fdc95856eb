"""From one holder to the next: the old one is stopped, its part sealed, and the case routed anew with what is on file."""

from __future__ import annotations

import msgspec
import sqlalchemy as sa

from collecthub.corridor.route import POSSIBLE
from collecthub.engine.case_work import change_case, close_tasks, open_task
from collecthub.engine.comparing import LEFT, compare_routes, options_of
from collecthub.engine.context import Hub, Work
from collecthub.engine.desk import case_for
from collecthub.engine.kept_address import keep_address
from collecthub.engine.opening import write_debtor
from collecthub.engine.routing import Ground, proposals
from collecthub.errors import PermanentError
from collecthub.model.case import Case
from collecthub.model.codes import Status
from collecthub.model.event import (
    AmendmentQueued,
    Fact,
    HoldReleased,
    HoldSet,
    InformationSupplied,
    PlacementWithdrawn,
    party_digest,
)
from collecthub.model.exchange import AmendmentCode
from collecthub.model.facts_human import ProceedingMoved
from collecthub.model.facts_network import DebtorMoved, TransferAsked
from collecthub.model.history_human import APPROVAL_HOLD
from collecthub.model.ids import derived_id
from collecthub.model.party import Address, Party
from collecthub.model.proceeding import ProceedingKind, next_state
from collecthub.model.route_option import NONE
from collecthub.store import tables as t
from collecthub.store.connections import read_connection
from collecthub.store.queries.scope import Scope, not_there

WRITE_OFF = "write_off"  # the task of a case that was left
_OTHER_WAY = "another way was chosen"
REASONS = ("recalled", "chosen", "debtor_moved", "refused")


def ask_transfer(
    hub: Hub, work: Work, scope: Scope, case_id: str, *, reason: str, text: str = "", partner_id: str = "", route: str = "",
    expected_version: int | None = None,
) -> Case:  # fmt: skip
    """Give the case to another holder, or by another route; to the one named, or to whoever is fit. Route `none`: to nobody.

    Who has the case hears a recall first, and the next one gets it when the recall is confirmed. Raises
    `PermanentError` when the case is closed or on its way already, `NotThereError` for a partner that does not exist.
    """
    case = case_for(work, scope, case_id, expected_version)
    if reason not in REASONS:
        raise PermanentError(f"{reason[:40]!r} is no reason for a transfer", cure=f"Choose one of {', '.join(REASONS)}.")
    if partner_id and work.conn.scalar(sa.select(t.partners.c.partner_id).where(t.partners.c.partner_id == partner_id)) is None:
        raise not_there("partner", partner_id)
    if route == NONE:
        return _leave(hub, work, scope, case, text.strip())
    if partner_id or route:
        _check_wish(hub, work, case, partner_id, route)
    asked = TransferAsked(reason=reason, text=text, partner_id=partner_id, route=route)
    facts = [*taken_up_again(work, case, scope.subject), *transfer_steps(case, asked)]
    return change_case(hub, work, case, facts, actor=scope.subject)


def _leave(hub: Hub, work: Work, scope: Scope, case: Case, reason: str) -> Case:
    """Nobody acts any more, for a reason; who has the case is stopped, and a person decides whether to write it off."""
    if not reason or case.held_for(LEFT):
        raise PermanentError(
            f"case {case.number} is left already" if reason else "nobody said why nothing more is done",
            cure="Write it off or choose another way." if reason else "Give a reason; it is kept in the history.",
        )
    told = compare_routes(hub, work.conn, scope, case.case_id, hub.business_date())
    asked = TransferAsked(reason="chosen", text=reason, route=NONE, options=options_of(told))
    barred = min((one.limitation_on for one in told.routes if one.limitation_on), default=None)
    open_task(
        work, kind=WRITE_OFF, title=f"case {case.number}: decide whether to write it off", owner="creditor",
        detail=f"{reason}\nThe claim is barred {f'on {barred}' if barred else 'on a day that is not known'}.",
        creditor_id=case.creditor_id, case_id=case.case_id,
    )  # fmt: skip
    return change_case(hub, work, case, [*transfer_steps(case, asked), HoldSet(reason=LEFT, note=reason)], actor=scope.subject)


def taken_up_again(work: Work, case: Case, actor: str) -> list[Fact]:
    """What lets a case go on that was left as it is, or that waited for better times or for an answer on a cost."""
    facts: list[Fact] = [
        HoldReleased(reason=reason, note=_OTHER_WAY) for reason in (LEFT, APPROVAL_HOLD) if case.held_for(reason)
    ]
    if case.held_for(LEFT):
        close_tasks(work, done_by=actor, case_id=case.case_id, kind=WRITE_OFF)
    watched = case.proceedings.open_of(ProceedingKind.MONITORING)
    if watched is not None:
        facts.append(ProceedingMoved(
            proceeding_id=watched.proceeding_id, act="resume", state=next_state(watched.kind, watched.state, "resume"),
            acted_on=work.now.date(), note=_OTHER_WAY,
        ))  # fmt: skip
    return facts


def _check_wish(hub: Hub, work: Work, case: Case, partner_id: str, route: str) -> None:
    """Nobody is recalled for a way that leads nowhere."""
    (proposed,) = proposals(hub, Ground(work.conn, [case.case_id], hub.business_date()), [case])
    fitting = [one for one in proposed if one.partner_id and partner_id in ("", one.partner_id) and route in ("", one.route)]
    if any(one.standing == POSSIBLE for one in fitting):
        return
    reason = fitting[0].reason if fitting else "nobody proposes it for this case"
    raise PermanentError(
        f"{' '.join(filter(None, (route, partner_id)))[:80]} does not lead on: {reason}", cure="See every route of the case and choose another."
    )


def transfer_steps(case: Case, asked: TransferAsked) -> list[Fact]:
    """What sends a case on its way to the next holder. Raises `PermanentError` where it cannot go now."""
    placement = case.placement
    if not case.is_open:
        raise PermanentError(f"case {case.number} is closed", cure="Open it again first.")
    if case.status is Status.RECALLING:
        raise PermanentError(f"case {case.number} is being recalled", cure="Wait until the holder confirms that it stopped.")
    if placement is not None and placement.is_live and asked.partner_id == placement.partner_id:
        raise PermanentError(f"{placement.partner_name} has the case already", cure="Name another partner.")
    if placement is not None and placement.is_out:
        message_id = derived_id(case.case_id, str(case.version), "transfer")
        recall = AmendmentQueued(
            message_id=message_id, code=AmendmentCode.RECALL, reason_code="transfer", principal=case.demanded - case.demanded
        )
        return [asked, recall]
    if placement is not None and placement.is_live:
        return [asked, PlacementWithdrawn(reason="the case goes to another holder")]
    if case.status is Status.NEEDS_INFO:
        return [asked, InformationSupplied(text="a person chose another way")]
    return [asked]


def move_debtor(
    hub: Hub, work: Work, scope: Scope, case_id: str, *, address: Address, expected_version: int | None = None
) -> list[Case]:
    """The debtor moved: his new address counts for all his cases, and a move abroad sends each open one on its way anew.

    Nothing else has to be entered again. Returns the cases that were changed.
    """
    case = case_for(work, scope, case_id, expected_version)
    if not address.country:
        raise PermanentError("the new country is missing", cure="Enter the two letters of the country.")
    before = case.debtor.country
    party = msgspec.structs.replace(case.debtor, country=address.country, address=address)
    row = read_connection(work.conn, case.connection_id)
    if row is not None:
        write_debtor(work, row, case.debtor_ref, party)
        keep_address(work, row, case.debtor_ref, given=address, erp=case.debtor.address)
    mine = (t.cases.c.connection_id == case.connection_id) & (t.cases.c.debtor_ref == case.debtor_ref)
    ids = list(work.conn.scalars(sa.select(t.cases.c.case_id).where(mine, t.cases.c.status != Status.CLOSED.value)))
    work.hold(ids)
    return [
        _moved(hub, work, scope, found, party, before) for one in ids if (found := work.book.held(one)) is not None
    ]


def _moved(hub: Hub, work: Work, scope: Scope, case: Case, party: Party, before: str) -> Case:
    digest = party_digest(case.case_id, msgspec.json.encode(party))
    facts: list[Fact] = [DebtorMoved(from_country=before, to_country=party.country, debtor_digest=digest)]
    if party.country != before and case.status is not Status.RECALLING:
        facts += transfer_steps(case, TransferAsked(reason="debtor_moved"))
    return change_case(hub, work, case, facts, actor=scope.subject, debtor=party)
