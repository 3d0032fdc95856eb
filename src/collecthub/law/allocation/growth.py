"""How claims grow: by the law of a country, or not at all."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal

import msgspec

from collecthub.errors import PermanentError
from collecthub.law.allocation.account import ZERO, Debt, Grown
from collecthub.law.basis import Matter
from collecthub.law.days import add_months
from collecthub.law.interest import InterestQuestion, Pause, Reduction
from collecthub.law.late_payment import LatePayment, Reminded, late_payment
from collecthub.law.rules import CountryLaw

_ONE = dt.timedelta(days=1)


class NoGrowth(msgspec.Struct, frozen=True):
    """The creditor asks for the principal only; `reason` says why."""

    reason: str = ""

    def grown(self, debt: Debt, reductions: Sequence[Reduction], until: dt.date) -> Grown:
        """Nothing."""
        return Grown(problem=self.reason)

    def paid_interest(
        self, debt: Debt, reductions: Sequence[Reduction], amount: Decimal, on: dt.date, *, paid_before: Decimal
    ) -> tuple[Reduction, ...]:
        """Nothing: there is no interest to pay."""
        return ()


class LawGrowth(msgspec.Struct, frozen=True, kw_only=True):
    """Interest and compensation as a country's law grants them.

    `reminded` is the first reminder by claim (an empty id is all claims). `kept` is what the creditor
    kept of interest and compensation, by claim, when he gave up the rest for good.
    """

    law: CountryLaw
    segment: str
    currency: str
    reminded: Mapping[str, Reminded] = {}
    pauses: tuple[Pause, ...] = ()
    kept: Mapping[str, tuple[Decimal, Decimal]] | None = None

    def grown(self, debt: Debt, reductions: Sequence[Reduction], until: dt.date) -> Grown:
        """The law's answer for the claim; what it cannot answer is a problem and counts as nothing."""
        if debt.principal <= 0:
            return Grown()
        question = InterestQuestion(
            segment=self.segment, principal=debt.principal, due_on=debt.due_on,
            until=until, currency=self.currency, reductions=tuple(reductions), pauses=self.pauses, may_stop_early=True,
        )  # fmt: skip
        reminder = self.reminded.get(debt.claim_id) or self.reminded.get("")
        try:
            late = late_payment(self.law, question, reminded=reminder)
        except PermanentError as error:
            return Grown(problem=error.message)
        compensation, problem = self._compensation(late)
        if self.kept is not None:
            most_interest, most_compensation = self.kept.get(debt.claim_id, (ZERO, ZERO))
            return Grown(interest=most_interest, compensation=most_compensation, late=late, problem=problem)
        return Grown(interest=late.interest, compensation=compensation, late=late, problem=problem)

    def _compensation(self, late: LatePayment) -> tuple[Decimal, str]:
        if late.compensation is None:
            return ZERO, "the law grants a compensation whose amount is not known here"
        if late.compensation and late.compensation_currency != self.currency:
            return ZERO, (
                f"the compensation of {late.compensation} {late.compensation_currency} is not counted: "
                f"no exchange rate into {self.currency} was given"
            )
        return late.compensation, ""

    def paid_interest(
        self, debt: Debt, reductions: Sequence[Reduction], amount: Decimal, on: dt.date, *, paid_before: Decimal
    ) -> tuple[Reduction, ...]:
        """Where interest bears interest: what was added to the principal goes off it now, the rest on the next anniversary."""
        first_day = debt.due_on + _ONE
        matter = Matter(segment=self.segment, contract_on=debt.due_on, default_on=first_day)
        if not any(rule.is_compounding and rule.is_for(matter) for rule in self.law.interest):
            return ()
        years = max(0, on.year - first_day.year)
        years -= add_months(first_day, 12 * years) > on
        last, following = add_months(first_day, 12 * years), add_months(first_day, 12 * (years + 1))
        added = self.grown(debt, reductions, last - _ONE).interest if years else ZERO
        now = min(amount, max(ZERO, added - paid_before))
        parts = ((on, now), (following - _ONE, amount - now))
        return tuple(Reduction(on=day, amount=part) for day, part in parts if part)
