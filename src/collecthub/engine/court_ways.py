"""A way before a court, chosen by a person: its cost is approved, its proceeding opened, and who files it gets the case.

What a court costs is in no data, so that whoever chooses says what is expected and the most it may cost. Nothing begins
before the creditor's yes, a fresh look into solvency and the law of the debtor's country.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

from collecthub.corridor.route import POSSIBLE, REJECTED
from collecthub.engine import proceeding_desk
from collecthub.engine.case_work import change_case, close_tasks, locked_case, open_task
from collecthub.engine.comparing import ComparedRoute, RouteComparison, compare_routes, options_of
from collecthub.engine.context import Hub, Work
from collecthub.engine.desk import case_for, instruction
from collecthub.engine.partner_texts import language_of_partner, partner_text, way_named
from collecthub.engine.transfer import taken_up_again, transfer_steps
from collecthub.errors import PermanentError
from collecthub.law.feasibility.ways import way_book
from collecthub.model.case import Case, CourtWay
from collecthub.model.codes import Status
from collecthub.model.event import Fact
from collecthub.model.exchange import InstructionCode, Procedure
from collecthub.model.facts_network import CourtWayChosen, CourtWayTaken, TransferAsked
from collecthub.model.proceeding import Proceeding, ProceedingKind
from collecthub.store.queries.scope import Scope

TASK = "court_way"
OWN_WISH = "the creditor asked for it himself, with this cap"
_KINDS = {Procedure.JUDICIAL: ProceedingKind.JUDICIAL, Procedure.ENFORCEMENT: ProceedingKind.ENFORCEMENT}


class Costs(msgspec.Struct, frozen=True):
    """What a way is expected to cost, and the most it may cost."""

    estimate: Decimal
    cap: Decimal


def is_court_way(route: str) -> bool:
    """Whether a route is one before a court or tribunal."""
    return any(rule.id == route for rule in way_book().ways)


def choose_way(
    hub: Hub, work: Work, scope: Scope, case_id: str, *, way: str, costs: Costs | None, partner_id: str = "", reason: str = "",
    expected_version: int | None = None,
) -> Case:  # fmt: skip
    """Choose a way for a case and ask for its cost; one whose cost is allowed already begins.

    Raises `PermanentError` for a rejected way, one of unknown standing without a reason, and unclear costs or filers.
    """
    case = case_for(work, scope, case_id, expected_version)
    if not case.is_open or case.status is Status.RECALLING:
        raise PermanentError(f"case {case.number} is closed or being recalled", cure="Wait for the end of the recall, or open it.")
    known = case.court_way
    if known is not None and known.way == way and _allowed(case, known):
        return carry_on(hub, work, scope, case)
    told = compare_routes(hub, work.conn, scope, case_id, hub.business_date())
    one = _checked(told, way, reason)
    if costs is None:
        raise PermanentError(f"the cost of {one.title.lower()} is in no data", cure="Say what it is expected to cost and the most it may.")
    filer = _filer(told, partner_id)
    kind = _KINDS[Procedure(one.procedure)]
    if case.proceedings.open_of(kind) is not None:
        raise PermanentError(f"a {kind.value} proceeding runs in case {case.number}", cure="Record what happened in it first.")
    case = proceeding_desk.ask_approval(
        hub, work, scope, case_id, kind=kind, estimate=costs.estimate, cap=costs.cap, reason=f"{one.title}. {reason}".strip()
    )
    asked = case.proceedings.approvals[-1]
    if scope.creditor_id is not None and not asked.is_given:  # he who would be asked has said what it may cost
        case = proceeding_desk.decide_approval(hub, work, scope, case_id, is_given=True, reason=OWN_WISH)
    chosen = CourtWayChosen(
        way=way, title=one.title, proceeding=kind, approval_id=asked.approval_id,
        partner_id=filer[0], partner_name=filer[1], reason=reason, options=options_of(told),
    )  # fmt: skip
    facts = [*taken_up_again(work, case, scope.subject), chosen]
    return carry_on(hub, work, scope, change_case(hub, work, case, facts, actor=scope.subject))


def decide_approval(
    hub: Hub, work: Work, scope: Scope, case_id: str, *, is_given: bool, cap: Decimal | None = None, reason: str = "",
    expected_version: int | None = None,
) -> Case:  # fmt: skip
    """Allow or refuse the cost that was asked for last; a way that waited for it begins."""
    case = proceeding_desk.decide_approval(
        hub, work, scope, case_id, is_given=is_given, cap=cap, reason=reason, expected_version=expected_version
    )
    return carry_on(hub, work, scope, case)


def carry_on(hub: Hub, work: Work, scope: Scope, case: Case) -> Case:
    """Begin the chosen way when its cost is allowed; what still stands against it becomes a task with what to do."""
    way = case.court_way
    if way is None or not _allowed(case, way):
        return case
    try:
        case = proceeding_desk.begin_proceeding(
            hub, work, scope, case.case_id, kind=way.proceeding, reference=way.title, approval_id=way.approval_id
        )
        begun = case.proceedings.open_of(way.proceeding)
        assert begun is not None, "it has just begun"
        facts = _handed_over(work, case, way, begun)
    except PermanentError as stop:
        case = locked_case(work, case.case_id)  # what was looked into before stays on record
        open_task(
            work, kind=TASK, title=f"case {case.number}: {way.title.lower()} is allowed and cannot begin",
            detail=f"{stop.message}. {stop.cure} Then choose it again.", creditor_id=case.creditor_id, case_id=case.case_id,
        )
        return case
    close_tasks(work, done_by=scope.subject, case_id=case.case_id, kind=TASK)
    if not way.partner_id:
        open_task(
            work, kind="file_court_way", title=f"case {case.number}: file {way.title.lower()}", creditor_id=case.creditor_id,
            detail=f"Nobody who files it is known in {case.debtor.country}; {_cap(begun)} {case.currency} are allowed.",
            case_id=case.case_id,
        )
    return change_case(hub, work, case, facts, actor=scope.subject)


def _allowed(case: Case, way: CourtWay) -> bool:
    return any(one.approval_id == way.approval_id and one.is_unspent for one in case.proceedings.approvals)


def _checked(told: RouteComparison, way: str, reason: str) -> ComparedRoute:
    one = next(found for found in told.routes if found.route == way)
    if one.standing == REJECTED:
        raise PermanentError(f"{one.title} is not open: {one.reason}", cure="Repair that or choose another way.")
    if one.standing != POSSIBLE and not reason.strip():
        raise PermanentError(
            f"whether {one.title.lower()} is open is not known: {one.reason}", cure="Look into it, and say in the text what you found."
        )
    return one


def _filer(told: RouteComparison, partner_id: str) -> tuple[str, str]:
    """Who files: the one named, the only one there is, or nobody."""
    filers = {one.partner_id: one.name for one in told.filers}
    if partner_id and partner_id not in filers:
        raise PermanentError(
            f"{partner_id[:40]!r} files nothing in {told.debtor_country}", cure=f"Name one of: {', '.join(filers) or 'nobody there'}."
        )
    if not partner_id and len(filers) > 1:
        raise PermanentError("several partners can file it", cure=f"Name one of: {', '.join(filers)}.")
    chosen = partner_id or next(iter(filers), "")
    return chosen, filers.get(chosen, "")


def _handed_over(work: Work, case: Case, way: CourtWay, begun: Proceeding) -> list[Fact]:
    """The case goes to whoever files; a holder that files itself is told so."""
    taken = CourtWayTaken(
        way=way.way, title=way.title, proceeding_id=begun.proceeding_id, cap=_cap(begun), partner_id=way.partner_id,
        partner_name=way.partner_name,
    )  # fmt: skip
    holder = case.placement
    if not way.partner_id:
        return [taken]
    if holder is not None and holder.is_live and holder.partner_id == way.partner_id:
        return [taken, instruction(case, InstructionCode.NEXT_ACT, _order(work, case, way, _cap(begun)))]
    return [taken, *transfer_steps(case, TransferAsked(reason="chosen", partner_id=way.partner_id, route=way.way))]


def _order(work: Work, case: Case, way: CourtWay, cap: Decimal) -> str:
    """The order to begin a procedure, in the partner's language."""
    language = language_of_partner(work.conn, way.partner_id, work.now.date())
    return partner_text(language, "file_it", number=case.number, way=way_named(language, way.title), cap=(cap, case.currency))


def _cap(begun: Proceeding) -> Decimal:
    return begun.cost_cap or Decimal(0)
