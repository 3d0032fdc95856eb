"""A holder's cost that the law forbids to ask of the debtor is held with the article, and its sender hears of it."""

from __future__ import annotations

from decimal import Decimal

from collecthub.engine.case_law import law_or_reason, told
from collecthub.engine.context import Hub
from collecthub.errors import QuarantineError
from collecthub.law.atlas.facts import Topic, fact_on
from collecthub.law.atlas.reading import bundled_atlas
from collecthub.law.chargeable import CostAsked, cost_obstacle
from collecthub.model.case import Case
from collecthub.model.codes import Phase
from collecthub.model.exchange import CostBearer, CostStatement, InboundMessage, Procedure

FORBIDDEN = "record.cost_forbidden"
ZERO = Decimal(0)


def check_cost(hub: Hub, case: Case, message: InboundMessage) -> None:
    """Raise `QuarantineError` for a cost that the debtor may not be asked; it is booked for nobody until that is settled."""
    if not isinstance(message, CostStatement) or message.bearer is not CostBearer.DEBTOR or message.cost_ref in case.known_refs:
        return
    country = case.debtor.country
    asked = CostAsked(
        cost_type=message.cost_type, amount=message.amount + message.tax_amount,
        before=case.balance.costs + case.balance.dunning_fees, currency=case.currency, on=message.occurred_on,
        segment=case.segment, principal=max(case.balance.open_principal, ZERO),
        due_on=min((claim.due_on for claim in case.claims), default=message.occurred_on), is_amicable=is_amicable(case),
    )  # fmt: skip
    fees = fact_on(bundled_atlas(), country, Topic.CHARGEABLE_FEES, message.occurred_on)
    found = cost_obstacle(country, law_or_reason(hub, country)[0], fees, asked)
    if found is not None:
        raise QuarantineError(
            f"cost {message.cost_ref} of {asked.amount} {case.currency} may not be asked of the debtor: {told(found)}",
            code=FORBIDDEN, cure=found.cure, reference=case.number,
        )


def is_amicable(case: Case) -> bool:
    """Whether neither the case nor what its holder was given it for has left the amicable phase."""
    procedure = case.placement.procedure if case.placement is not None else Procedure.AMICABLE
    return procedure is Procedure.AMICABLE and case.phase not in (Phase.JUDICIAL, Phase.ENFORCEMENT)
