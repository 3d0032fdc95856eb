"""May this cost be asked of the debtor? What the law where he lives has against a collector's own costs.

Before a court a collector may ask a debtor only what that law grants; what a court or an enforcement costs is another
matter and has its own tariff. Pure: the pack is asked first, then what the atlas knows of chargeable fees, then the
ceiling that some packs have for all collection costs together.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from itertools import chain

import msgspec

from collecthub.law.atlas.facts import Fact
from collecthub.law.basis import Evidence
from collecthub.law.charges import ChargeQuestion, charge
from collecthub.law.interest import UnknownRateError
from collecthub.law.rules import CountryLaw
from collecthub.law.steps import Obstacle, Step, StepQuestion

COURT_FEE = "court_fee"
ALL_COSTS = "collection_total"  # the item of a pack that limits all collection costs together
_CURE = "Charge the creditor instead, and send the cost again with him as its bearer."
# A hunch about a country's law takes nobody's money away.
_SURE = frozenset({Evidence.VERIFIED, Evidence.PARTLY})


class CostAsked(msgspec.Struct, frozen=True, kw_only=True):
    """A cost that a holder asks of the debtor. `amount` is with VAT, `before` what was asked so far, with VAT.

    `is_amicable`: no court has the case and nothing is enforced.
    """

    cost_type: str
    amount: Decimal
    before: Decimal
    currency: str
    on: dt.date
    segment: str
    principal: Decimal
    due_on: dt.date
    is_amicable: bool


def cost_obstacle(country: str, law: CountryLaw | None, fees: Fact, asked: CostAsked) -> Obstacle | None:
    """What forbids it, or None. `fees` is the atlas's fact on chargeable fees of that country."""
    if not asked.is_amicable or asked.cost_type == COURT_FEE or asked.amount <= 0:
        return None
    return next(chain(_of_pack(law, asked), _of_fees(country, fees, asked), _over_total(law, asked)), None)


def _of_pack(law: CountryLaw | None, asked: CostAsked) -> Iterator[Obstacle]:
    if law is None or law.check_step is None:
        return
    question = StepQuestion(
        step=Step.CHARGE_COLLECTOR, on=asked.on, segment=asked.segment, principal=asked.principal, due_on=asked.due_on,
        claimed=asked.amount,
    )  # fmt: skip
    yield from law.check_step(law, question).obstacles


def _of_fees(country: str, fees: Fact, asked: CostAsked) -> Iterator[Obstacle]:
    is_none = fees.code == "none" or (fees.code == "b2b_only" and asked.segment == "B2C")
    if is_none and fees.evidence in _SURE:
        yield Obstacle(
            article=f"Chargeable fees in {country}", reason=fees.value, cure=_CURE, evidence=fees.evidence, source=fees.source
        )


def _over_total(law: CountryLaw | None, asked: CostAsked) -> Iterator[Obstacle]:
    if law is None:
        return
    question = ChargeQuestion(
        item=ALL_COSTS, segment=asked.segment, basis=asked.principal, currency=asked.currency, on=asked.on, due_on=asked.due_on
    )
    try:
        most = charge(law, question)
    except UnknownRateError:
        return  # a ceiling that is not known forbids nothing
    rule = most.rule
    if rule is None or not rule.is_ceiling or most.currency != asked.currency or most.evidence not in _SURE:
        return
    total = asked.before + asked.amount
    if total > most.amount:
        reason = f"{total} {asked.currency} of collection costs are above the {most.amount} that {rule.title.lower()} may be"
        yield Obstacle(article=rule.article or rule.id, reason=reason, cure=_CURE, evidence=most.evidence, source=rule.source)
