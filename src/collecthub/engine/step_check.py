"""The rules asked again before a step that costs: a suit, an undisputed demand, an enforcement that begins here."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from collecthub.engine.case_work import change_case, close_tasks, locked_case
from collecthub.engine.checking import COSTLY_STEP, TASK, ask_owners, is_news, noted
from collecthub.engine.context import Hub, Work
from collecthub.engine.feasibility import laws_of
from collecthub.engine.routing import Ground
from collecthub.errors import PermanentError
from collecthub.law.atlas.reading import bundled_atlas
from collecthub.law.feasibility.assess import assess
from collecthub.law.feasibility.finding import Finding
from collecthub.model.case import Case
from collecthub.model.exchange import Procedure
from collecthub.model.proceeding import ProceedingKind

_PROCEDURES: Mapping[ProceedingKind, Procedure] = {
    ProceedingKind.JUDICIAL: Procedure.JUDICIAL, ProceedingKind.UNDISPUTED: Procedure.JUDICIAL,
    ProceedingKind.ENFORCEMENT: Procedure.ENFORCEMENT,
}  # fmt: skip
_INSTRUMENTS: Mapping[ProceedingKind, str] = {ProceedingKind.UNDISPUTED: "ios"}


def checked_for_step(hub: Hub, work: Work, case: Case, kind: ProceedingKind, *, actor: str) -> Case:
    """The case with what the rules say of a costly step noted in it, where that is news.

    Raises `PermanentError` with what must be supplied first, by whom, when something that is known stops the step; it
    stays on that person's list although the step is undone, until the step may be taken.
    """
    ground = Ground(work.conn, [case.case_id], hub.business_date(), chances={})
    placement = case.placement
    partner = ground.around.profiles.get(placement.partner_id) if placement and placement.is_live else None
    file = ground.file(case, _PROCEDURES[kind], partner, is_strict=False)
    file = msgspec.structs.replace(file, instrument=_INSTRUMENTS.get(kind, ""))
    answer = assess(file, ground.as_of, bundled_atlas(), lambda code: laws_of(hub, code))
    stops = [one for one in answer.findings if one.is_blocking]
    if stops:
        work.if_refused.append(lambda apart: ask_owners(apart, locked_case(apart, case.case_id), answer))
        raise PermanentError(
            f"case {case.number} may not go on: {'; '.join(map(_told, stops))}", cure=" ".join(map(_asked, stops))
        )
    close_tasks(work, done_by="hub", case_id=case.case_id, kind=TASK)
    said = noted(answer, COSTLY_STEP, partner.partner_id if partner else "")
    return change_case(hub, work, case, [said], actor=actor) if is_news(case, said) else case


def _told(one: Finding) -> str:
    return f"{one.title.lower()} ({one.evidence})"


def _asked(one: Finding) -> str:
    return f"{one.owner.capitalize()}, until {one.deadline_on}: {one.fix}"
