"""Checks on time and money: limitation, interest, costs, currency, economics."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from functools import lru_cache

from collecthub.errors import PermanentError
from collecthub.law.atlas.facts import Topic
from collecthub.law.basis import Matter
from collecthub.law.charges import COMPENSATION, ChargeQuestion, charge
from collecthub.law.feasibility.finding import (
    CLEAR,
    NOT_APPLICABLE,
    Answer,
    Severity,
    View,
    found,
    money,
    unknown,
)
from collecthub.law.interest import InterestQuestion, Stretch, UnknownRateError, accrue
from collecthub.law.limitation import Limitation, LimitationQuestion, limitation
from collecthub.law.rules import CountryLaw, Fixing, InterestRule, Unit
from collecthub.model.codes import Phase
from collecthub.model.exchange import Procedure

LIMITATION_WARNING_DAYS = 180
# The least number of days in a unit, for a first look.
_DAYS = {Unit.DAYS: 1, Unit.WORKING_DAYS: 1, Unit.WEEKS: 7, Unit.MONTHS: 28, Unit.YEARS: 365}
_RATE_TOLERANCE = Decimal("0.05")  # percentage points
_NOT_A_CLAIM = frozenset({"judgment", "bailiff_fee"})
_CONTRACT_KINDS = ("contract", "order", "terms")


# --- limitation -----------------------------------------------------------------------------------


def limitation_of_claims(view: View) -> Answer:
    """LIM-01: the oldest claim under the laws of debtor and creditor, with the interruptions on file and no other."""
    has_title = view.file.title_on is not None or view.has("judgment")
    if not view.case.claims or (has_title and view.file.procedure is Procedure.ENFORCEMENT):
        return NOT_APPLICABLE  # a title has a period of its own: LIM-02
    oldest = min(claim.due_on for claim in view.case.claims)
    countries = {
        code: days for code in (view.debtor_country, view.creditor_country) if (days := _shortest(view, code)) is not None
    }
    answers = (_limitation(view, code, oldest) for code, days in countries.items() if _may_be_near(view, days, oldest))
    near = [one for one in answers if one and one.days_left is not None and one.days_left <= LIMITATION_WARNING_DAYS]
    if near:
        return _limitation_finding(view, min(near, key=lambda one: one.limitation_on or dt.date.max))
    if view.debtor_country in countries:
        return CLEAR
    return unknown("no_limitation_period", where=view.debtor_country)


def limitation_day(view: View) -> dt.date | None:
    """The first day on which a claim of the case is barred under the laws that may govern it: debtor's or creditor's.

    None while one of the two is not known, because it may be the earlier one.
    """
    countries = dict.fromkeys((view.debtor_country, view.creditor_country))
    if not view.case.claims or any(_shortest(view, code) is None for code in countries):
        return None
    oldest = min(claim.due_on for claim in view.case.claims)
    days = (found.limitation_on for code in countries if (found := _limitation(view, code, oldest)))
    return min(filter(None, days), default=None)


def _shortest(view: View, country: str) -> int | None:
    """Days of the shortest period that may hold for a claim of the case; None where no law or period is known."""
    law = view.law(country)
    return None if law is None else _shortest_by(_Law(law), view.case.segment, _nature(view, law))


def _nature(view: View, law: CountryLaw) -> str:
    """The kind of claim, where this law has a period of its own for it."""
    nature = view.file.nature
    return nature if nature and any(rule.nature == nature for rule in law.limitation) else ""


def _may_be_near(view: View, shortest: int, due_on: dt.date) -> bool:
    """Whether the shortest period could end within the warning time: most claims are too young to look closer."""
    return due_on + dt.timedelta(days=shortest - LIMITATION_WARNING_DAYS) <= view.as_of


def _limitation(view: View, country: str, due_on: dt.date) -> Limitation | None:
    law = view.law(country)
    if law is None:
        return None
    question = LimitationQuestion(
        segment=view.case.segment, due_on=due_on, as_of=view.as_of, nature=_nature(view, law),
        contract_on=view.file.contract_on, acts=view.file.acts or (),
    )
    return _limitation_by(_Law(law), question)


class _Law:
    """A law as a key: two are the same when they are one object."""

    __slots__ = ("law",)

    def __init__(self, law: CountryLaw) -> None:
        self.law = law

    def __hash__(self) -> int:
        return id(self.law)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Law) and other.law is self.law


@lru_cache(maxsize=512)
def _shortest_by(law: _Law, segment: str, nature: str) -> int | None:
    """Among the periods for this segment and nature; without a nature among the ordinary ones."""
    days = (
        _DAYS[rule.period.unit] * rule.period.count
        for rule in law.law.limitation
        if (rule.nature == nature if nature else rule.is_ordinary) and (not rule.segments or segment in rule.segments)
    )
    return min(days, default=None)


@lru_cache(maxsize=4096)  # claims of one due date are many in a portfolio
def _limitation_by(law: _Law, question: LimitationQuestion) -> Limitation | None:
    try:
        return limitation(law.law, question)
    except PermanentError:
        return None  # no period of the pack holds for a claim of that day


def _limitation_finding(view: View, first: Limitation) -> Answer:
    day = first.limitation_on
    said: dict[str, object] = {
        "until": day, "law": first.country, "period": first.period, "nature": first.nature and f"nature_{first.nature}",
        "began": first.began_on,
    }  # fmt: skip
    if not first.is_barred:
        return found(
            "days_left", said, days=first.days_left, severity=Severity.HIGH, deadline_on=day, level=first.evidence
        )
    said["acts"] = "acts_counted" if view.file.acts else "no_interruption"
    longest = max(
        (one.limitation_on for one in first.by_nature if one.nature not in _NOT_A_CLAIM), default=dt.date.min
    )
    if longest >= view.as_of and not view.file.nature:
        return found("barred_unless_nature", said, longest=longest, severity=Severity.HIGH, level=first.evidence)
    return found("barred", said, level=first.evidence)


def age_of_title(view: View) -> Answer:
    """LIM-02: the day of the title and the period of the State that gave it."""
    if view.file.procedure is not Procedure.ENFORCEMENT:
        return NOT_APPLICABLE
    if view.file.title_on is None:
        return unknown("title_day_unknown")
    country = view.file.title_country or view.forum
    law = view.law(country)
    question = LimitationQuestion(
        segment=view.case.segment, due_on=view.file.title_on, as_of=view.as_of, nature="judgment"
    )
    if law is None or all(rule.nature != "judgment" for rule in law.limitation):
        return unknown("title_period_unknown", where=country)
    answer = limitation(law, question)
    if answer.is_barred:
        return found(
            "title_too_old", of=view.file.title_on, period=answer.period, until=answer.limitation_on, level=answer.evidence
        )
    return CLEAR


# --- interest -------------------------------------------------------------------------------------


def _interest_rules(view: View) -> tuple[InterestRule, ...]:
    law = view.law(view.debtor_country)
    if law is None or not view.case.claims:
        return ()
    oldest = min(claim.due_on for claim in view.case.claims)
    matter = Matter(segment=view.case.segment, contract_on=view.file.contract_on or oldest, default_on=oldest + dt.timedelta(days=1))
    return tuple(rule for rule in law.interest if rule.is_for(matter) and rule.is_in_force(view.as_of))


def basis_of_interest(view: View) -> Answer:
    """INT-01: interest that only a contract grants, without a contract on file; an agreed rate above the ceiling."""
    if not _has_interest(view):
        return NOT_APPLICABLE
    stated = view.file.interest.percent if view.file.interest else None
    if stated is not None and _is_agreed(view):
        return _under_ceiling(view, stated)
    rules = _interest_rules(view)
    if not rules:
        return unknown("no_interest_rule", where=view.debtor_country)
    if not any(rule.needs_contract for rule in rules):
        return CLEAR
    if view.file.documents is None:
        return unknown("interest_by_contract_unknown", where=view.debtor_country)
    if view.has(*_CONTRACT_KINDS):
        return CLEAR
    return found("interest_by_contract", where=view.debtor_country)


def rate_of_interest(view: View) -> Answer:
    """INT-02: the stated rate against the lawful one, within 0.05 points."""
    if not _has_interest(view):
        return NOT_APPLICABLE
    if view.file.interest is None and view.file.is_interest_counted_here:
        return CLEAR
    stated = view.file.interest.percent if view.file.interest else None
    if stated is not None and _is_agreed(view):
        return CLEAR  # an agreed rate; INT-01 holds it against the ceiling
    lawful = _rate(view) if stated is not None else None
    if stated is None or lawful is None:
        return unknown("rate_unknown")
    if abs(stated - lawful.percent) <= _RATE_TOLERANCE:
        return CLEAR
    return found("wrong_rate", stated=stated, lawful=lawful.percent, on=view.as_of, level=lawful.rule.evidence)


def _has_interest(view: View) -> bool:
    return view.case.balance.interest != 0 or view.file.interest is not None


def _is_agreed(view: View) -> bool:
    """Whether a clause on interest stands in something that the debtor signed or accepted."""
    return any(one.kind == "interest" and one.document_kind not in ("", "invoice") for one in view.file.clauses or ())


def _under_ceiling(view: View, stated: Decimal) -> Answer:
    allowed = _rate(view, agreed=stated)
    if allowed is None:
        return unknown("rate_cap_unknown", where=view.debtor_country)
    if allowed.percent < stated:
        return found("rate_above_cap", stated=stated, cap=allowed.percent, text=allowed.basis, level=allowed.rule.evidence)
    return CLEAR


def _rate(view: View, agreed: Decimal | None = None) -> Stretch | None:
    """What the debtor's law gives on the day for the oldest claim; None where no rate of that day is known."""
    law = view.law(view.debtor_country)
    oldest = min((claim.due_on for claim in view.case.claims), default=view.as_of)
    if law is None or oldest >= view.as_of:
        return None
    question = InterestQuestion(
        segment=view.case.segment, principal=Decimal(1), due_on=oldest, until=view.as_of, currency=view.case.currency,
        contract_on=view.file.contract_on, contract_rate=agreed, may_stop_early=True,
    )  # fmt: skip
    try:
        accrued = accrue(law, question)
    except PermanentError:
        return None  # no rule or rate of the first day is known
    return None if accrued.stopped_because or not accrued.stretches else accrued.stretches[-1]


def fixing_of_interest(view: View) -> Answer:
    """INT-03: one rate for the life of the debt, or one for each half-year."""
    if not _has_interest(view):
        return NOT_APPLICABLE
    if view.file.interest is None and view.file.is_interest_counted_here:
        return CLEAR
    rules = [rule for rule in _interest_rules(view) if rule.series]
    stated = view.file.interest.fixing if view.file.interest else ""
    if not stated or not rules:
        return unknown("fixing_unknown")
    if any((rule.fixing is Fixing.FLOATING) == (stated == Fixing.FLOATING) for rule in rules):
        return CLEAR
    return found(
        "wrong_fixing", stated=f"fixing_{stated}", where=view.debtor_country, lawful=f"fixing_{rules[0].fixing.value}",
        level=rules[0].evidence,
    )


def compound_interest(view: View) -> Answer:
    """INT-04: interest on interest where the law does not capitalise."""
    if not _has_interest(view):
        return NOT_APPLICABLE
    if view.file.interest is None and view.file.is_interest_counted_here:
        return CLEAR
    rules = _interest_rules(view)
    stated = view.file.interest.is_compound if view.file.interest else None
    if stated is None or (stated and not rules):
        return unknown("compound_unknown")
    if not stated or any(rule.is_compounding for rule in rules):
        return CLEAR
    return found("simple_interest_only", where=view.debtor_country, level=rules[0].evidence)


def interest_on_form(view: View) -> Answer:
    """INT-05: what section 7 of Form A asks for."""
    if view.file.instrument != "epo":
        return NOT_APPLICABLE
    stated = view.file.interest
    if stated is None and view.file.is_interest_counted_here:
        return CLEAR
    if stated is None:
        return unknown("interest_details_unknown") if view.case.balance.interest else CLEAR
    missing = [name for name, value in (("rate", stated.percent), ("from_date", stated.from_on)) if value is None]
    return found("missing", what=" ".join(missing)) if missing else CLEAR


# --- costs ----------------------------------------------------------------------------------------


def penalty_clause(view: View) -> Answer:
    """CST-01: compensation above the ceiling of the debtor's law for the balance of the day."""
    claimed = view.case.balance.compensation
    if claimed == 0:
        return NOT_APPLICABLE
    law = view.law(view.debtor_country)
    if law is None:
        return unknown("no_cap_known", where=view.debtor_country)
    try:
        most = charge(law, _charge_question(view, max(Decimal(0), view.case.balance.open_principal)))
    except UnknownRateError:
        return unknown("cap_of_day_unknown", where=view.debtor_country)
    if most.rule is None or not most.rule.is_ceiling:
        return unknown("clause_cap_unknown", where=view.debtor_country)
    if claimed <= most.amount:
        return CLEAR
    currency = view.case.currency
    return found(
        "above_cap", asked=money(claimed, currency), cap=money(most.amount, currency), article=most.rule.article,
        level=most.evidence,
    )


def _charge_question(view: View, basis: Decimal) -> ChargeQuestion:
    oldest = min((claim.due_on for claim in view.case.claims), default=view.as_of)
    return ChargeQuestion(
        item=COMPENSATION, segment=view.case.segment, basis=basis, currency=view.case.currency, on=view.as_of,
        due_on=oldest, contract_on=view.file.contract_on, nature=view.file.nature,
    )


def amicable_costs(view: View) -> Answer:
    """CST-02: collection costs borne by the debtor before any judgment."""
    if view.case.balance.costs == 0 or view.case.phase in (Phase.JUDICIAL, Phase.ENFORCEMENT):
        return NOT_APPLICABLE
    rule = view.fact(view.debtor_country, Topic.CHARGEABLE_FEES)
    said = {
        "charged": money(view.case.balance.costs, view.case.currency), "where": view.debtor_country, "fees": f"fees_{rule.code}",
        "text": rule.value,
    }  # fmt: skip
    if rule.code == "none" or (rule.code == "b2b_only" and view.is_consumer):
        return found("costs_charged", said, level=rule.evidence)
    if rule.code == "contract":
        if view.file.documents is None:
            return unknown("costs_documents_unknown", said)
        return CLEAR if view.has(*_CONTRACT_KINDS) else found("costs_without_contract", said, level=rule.evidence)
    if rule.is_known:
        return unknown("costs_not_compared", said)
    return unknown("costs_rule_unknown", where=view.debtor_country)


def fixed_sum(view: View) -> Answer:
    """CST-03: the lump sum against the sum over the claims, and none towards consumers."""
    claimed = view.case.balance.compensation
    if claimed == 0:
        return NOT_APPLICABLE
    law = view.law(view.debtor_country)
    if law is None:
        return unknown("fixed_sum_unknown", where=view.debtor_country)
    try:
        each = [charge(law, _charge_question(view, claim.original_amount)) for claim in view.case.claims]
    except UnknownRateError:
        return unknown("fixed_sum_of_day_unknown", where=view.debtor_country)
    if any(one.rule is None or one.currency != view.case.currency for one in each):
        return unknown(
            "no_fixed_sum_known", where=view.debtor_country, currency=view.case.currency, segment=view.case.segment
        )
    if any(one.rule is not None and one.rule.is_ceiling for one in each):
        return NOT_APPLICABLE  # a clause under a cap, not a fixed sum: CST-01 looks at it
    most = sum((one.amount for one in each), Decimal(0))
    if claimed <= most:
        return CLEAR
    currency = view.case.currency
    return found(
        "above_fixed_sum", asked=money(claimed, currency), invoices=len(each), lawful=money(most, currency),
        level=each[0].evidence,
    )


# --- currency and economics -----------------------------------------------------------------------


def currency_that_ended(view: View) -> Answer:
    """CUR-01: a currency that the debtor's or creditor's country has given up."""
    for country in dict.fromkeys((view.debtor_country, view.creditor_country)):
        for fact in view.atlas.facts.get((country, Topic.CURRENCY), ()):
            if fact.code == view.case.currency and fact.valid_to and fact.valid_to < view.as_of:
                return found("currency_ended", currency=fact.code, on=fact.valid_to, text=fact.note, level=fact.evidence)
    return CLEAR


def economics(view: View) -> Answer:
    """ECO-01: the partner's minimum and the expected cost against what is demanded."""
    demanded, partner = view.case.demanded, view.file.partner
    if demanded <= 0:
        return found("nothing_owed")
    if partner is None:
        return NOT_APPLICABLE
    if partner.expected_cost is not None and partner.expected_cost >= demanded:
        return found(
            "cost_above_demand", cost=money(partner.expected_cost, view.case.currency),
            demanded=money(demanded, view.case.currency),
        )
    if partner.minimum_amount == 0:
        return CLEAR
    if partner.minimum_currency and partner.minimum_currency != view.case.currency:
        return unknown("minimum_in_other_currency", minimum=partner.minimum_currency, currency=view.case.currency)
    if demanded < partner.minimum_amount:
        return found(
            "below_minimum", demanded=money(demanded, view.case.currency),
            minimum=money(partner.minimum_amount, view.case.currency),
        )
    return CLEAR
