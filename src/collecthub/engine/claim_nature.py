"""What kind of claims a case is about: said by a person where no field of the ERP tells it."""

from __future__ import annotations

from collections.abc import Iterable

from collecthub.engine.case_law import laws_of
from collecthub.engine.case_work import change_case, close_tasks
from collecthub.engine.context import Hub, Work
from collecthub.engine.desk import case_for
from collecthub.engine.limitation_watch import NATURE_TASK
from collecthub.errors import PermanentError
from collecthub.law.rules import CountryLaw
from collecthub.model.case import Case
from collecthub.model.facts_money import ClaimNatureSet
from collecthub.store.queries.scope import Scope

GENERAL = "general"


def known_natures(laws: Iterable[CountryLaw]) -> tuple[str, ...]:
    """The kinds of claims that the limitation rules and tariffs of these laws tell apart."""
    found = {GENERAL}
    for law in laws:
        found |= {rule.nature for rule in law.limitation}
        found |= {nature for rule in law.charges for nature in rule.natures}
    return tuple(sorted(found))


def set_nature(
    hub: Hub, work: Work, scope: Scope, case_id: str, *, nature: str, numbers: Iterable[str] = (),
    expected_version: int | None = None,
) -> Case:
    """Say what kind of claims the invoices with these numbers are, or all of them.

    Raises `PermanentError` for a kind that none of the case's laws knows, or a number that the case does not have.
    """
    case = case_for(work, scope, case_id, expected_version)
    natures = known_natures(laws_of(hub, work.conn, case))
    if nature not in natures:
        raise PermanentError(f"{nature[:40]!r} is no kind of claim here", cure=f"Choose one of {', '.join(natures)}.")
    wanted = set(numbers)
    claim_ids = tuple(claim.claim_id for claim in case.claims if claim.number in wanted)
    missing = wanted - {claim.number for claim in case.claims}
    if missing:
        raise PermanentError(
            f"case {case.number} has no invoice {', '.join(sorted(missing))[:100]}", cure="Look at the invoices of the case."
        )
    changed = change_case(
        hub, work, case, [ClaimNatureSet(nature=nature, claim_ids=claim_ids)], actor=scope.subject
    )
    close_tasks(work, done_by=scope.subject, case_id=case_id, kind=NATURE_TASK)
    return changed
