"""Which law governs a case, and what it has against a step: one decision for account, limitation, portal, API and gates.

Interest and allocation follow the governing law; a step towards a debtor is looked at by the law where he lives too,
because that protects him whatever the contract says.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from decimal import Decimal

import sqlalchemy as sa

from collecthub.engine.context import Hub
from collecthub.errors import CollecthubError
from collecthub.law.allocation.of_case import acts
from collecthub.law.governing import Governing, governing_law
from collecthub.law.of_claims import ClaimsLaw, law_of_claims
from collecthub.law.of_history import happened, reminded
from collecthub.law.rules import CountryLaw
from collecthub.law.steps import Obstacle, Step, StepQuestion
from collecthub.model.case import Case
from collecthub.model.event import CaseEvent
from collecthub.model.exchange import Procedure
from collecthub.model.proceeding import ProceedingKind
from collecthub.store.case_log import read_events
from collecthub.store.connections import CreditorRow, read_creditor

# What a placement, or a proceeding, is in the words of the law.
STEP_OF_PROCEDURE = {
    Procedure.AMICABLE: Step.COLLECTOR_NOTICE, Procedure.JUDICIAL: Step.SUMMON, Procedure.ENFORCEMENT: Step.ENFORCE,
}  # fmt: skip
STEP_OF_PROCEEDING = {
    ProceedingKind.JUDICIAL: Step.SUMMON, ProceedingKind.UNDISPUTED: Step.UNCONTESTED_ROUTE,
    ProceedingKind.ENFORCEMENT: Step.ENFORCE,
}  # fmt: skip


def governing(case: Case, creditor: CreditorRow | None) -> Governing:
    """The law of the case's claims: the one that the playbook names, else by the general rule."""
    agreed = creditor.playbook.charges.law_country if creditor else ""
    return governing_law(case.segment, creditor.party.country if creditor else "", case.debtor.country, agreed)


def law_or_reason(hub: Hub, country: str) -> tuple[CountryLaw | None, str]:
    """The pack of a country, or why there is none."""
    if not country:
        return None, "the country whose law governs is not known: neither interest nor compensation is counted"
    try:
        return hub.plugins.country_law(country), ""
    except CollecthubError as error:
        return None, error.message


def laws_of(hub: Hub, conn: sa.Connection, case: Case) -> list[CountryLaw]:
    """The laws that may govern a case: the governing one first, then the debtor's. Those without a pack are left out."""
    first = governing(case, read_creditor(conn, case.creditor_id)).country
    return _known(hub, (first, case.debtor.country))


def _known(hub: Hub, countries: Iterable[str]) -> list[CountryLaw]:
    found = (law_or_reason(hub, country)[0] for country in dict.fromkeys(filter(None, countries)))
    return [law for law in found if law is not None]


def law_on_claims(
    hub: Hub, conn: sa.Connection, case: Case, until: dt.date, history: Sequence[CaseEvent], *, country: str = "",
    limitation_country: str = "",
) -> ClaimsLaw | None:
    """Interest, compensation and limitation claim by claim; None where no pack knows a law of the case.

    `country` counts by another law than the governing one, `limitation_country` adds one under which a claim may be
    lost earlier. Raises `PermanentError` where one that was named has no pack.
    """
    laws = [hub.plugins.country_law(country)] if country else laws_of(hub, conn, case)
    if limitation_country:
        laws.append(hub.plugins.country_law(limitation_country))
    if not laws:
        return None
    return law_of_claims(
        laws, case.claims, segment=case.segment, currency=case.currency, until=until, acts=acts(history),
        natures=dict(case.natures), reminded=reminded(history),
    )  # fmt: skip


def checks_steps(hub: Hub, case: Case) -> bool:
    """Whether the law where the debtor lives can have anything against a step; without it no history need be read."""
    return any(law.check_step is not None for law in _known(hub, (case.debtor.country,)))


def obstacles(
    hub: Hub, case: Case, step: Step, on: dt.date, history: Sequence[CaseEvent], *, claimed: Decimal = Decimal(0),
    is_collector: bool = True,
) -> tuple[Obstacle, ...]:  # fmt: skip
    """What the law where the debtor lives has against a step on a day. A pack that checks no steps has nothing to say.

    `claimed` is what the step asks beside the principal.
    """
    question = StepQuestion(
        step=step, on=on, segment=case.segment, principal=max(case.balance.open_principal, Decimal(0)), claimed=claimed,
        due_on=min((claim.due_on for claim in case.claims), default=on), happened=happened(history),
        is_collector=is_collector,
    )  # fmt: skip
    answers = (law.check_step(law, question) for law in _known(hub, (case.debtor.country,)) if law.check_step)
    return tuple(obstacle for answer in answers for obstacle in answer.obstacles)


def obstacles_now(
    hub: Hub, conn: sa.Connection, case: Case, step: Step, *, claimed: Decimal = Decimal(0), is_collector: bool = True
) -> tuple[Obstacle, ...]:
    """The same for today, with the history that is stored."""
    if not checks_steps(hub, case):
        return ()
    history = read_events(conn, case.case_id)
    return obstacles(hub, case, step, hub.business_date(), history, claimed=claimed, is_collector=is_collector)


def told(obstacle: Obstacle) -> str:
    """An obstacle as one sentence with its article."""
    return f"{obstacle.article}: {obstacle.reason}"
