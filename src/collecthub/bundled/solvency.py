"""The bundled scorer and the gate before a court: registered like any plugin's.

The own records are a source like every other one: proceedings, holds and what earlier checks said. Registers and
bureaus come as plugins that answer the same hook.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from collecthub.sdk import (
    Case,
    DebtorFacts,
    PartnerProfile,
    Score,
    SolvencyCheck,
    SolvencyVerdict,
    Veto,
    hookimpl,
    score_by_card,
)

OWN_RECORDS = "own records"
AMICABLE = "amicable"
UNCHECKED, INSOLVENT, CONTESTED = "solvency_unchecked", "debtor_insolvent", "score_contested"
_WARNING_HOLDS = frozenset({"debt_mediation", "moratorium"})
_INSOLVENT_HOLDS = frozenset({"insolvency", "collective_settlement"})


@hookimpl
def look_up_solvency(case: Case, as_of: dt.date) -> Sequence[SolvencyCheck]:
    """What the case's own holds say of an insolvency or of debt mediation."""
    found = {hold.reason for hold in case.holds}
    insolvent, warned = found & _INSOLVENT_HOLDS, found & _WARNING_HOLDS
    verdict = SolvencyVerdict.NOTHING_FOUND
    if insolvent or warned:
        verdict = SolvencyVerdict.INSOLVENT if insolvent else SolvencyVerdict.WARNING
    said = ", ".join(sorted(insolvent or warned)).replace("_", " ")
    text = f"the case is held for {said}" if said else "no insolvency, mediation or moratorium is on file"
    return [SolvencyCheck(source=OWN_RECORDS, verdict=verdict, text=text, checked_on=as_of)]


@hookimpl
def score_debtor(facts: DebtorFacts, occasion: str) -> Score | None:
    """The transparent card; a plugin that answers too is asked first."""
    return score_by_card(facts, occasion)


@hookimpl
def veto_dispatch(case: Case, partner: PartnerProfile, procedure: str, as_of: dt.date) -> Veto | None:
    """Nothing goes to a lawyer, and to nobody else for more than amicable work, without a look made for this very step.

    Nor does anything go against an insolvent. Since 2024-10-01 the look is a duty of Belgian bailiffs before the judicial phase.
    """
    if partner.role != "lawyer" and procedure in ("", AMICABLE):
        return None
    if not case.solvency.is_weighed(as_of):
        return Veto(code=UNCHECKED, reason="no fresh solvency check is logged before the judicial phase", vetoed_by="solvency")
    if case.solvency.contested:
        return Veto(code=CONTESTED, reason="the debtor contests his score: a person answers him first", vetoed_by="solvency")
    if case.solvency.band == "insolvent":
        return Veto(code=INSOLVENT, reason="the debtor is insolvent: file the claim instead", vetoed_by="solvency")
    return None
