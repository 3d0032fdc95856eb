"""What a playbook would have done with invoices of the past: who would have been written to when, and handed over.

Pure and day by day, with the same counting as the course in earnest (`contact_course`): one case per debtor, steps at
their distances, nothing once everything is paid.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal

import msgspec

from collecthub.errors import PermanentError
from collecthub.law.days import add_span
from collecthub.law.notice_course import notice_on
from collecthub.law.reminder_term import Reminding, rests_until
from collecthub.law.rules import CountryLaw, Span, Unit
from collecthub.law.steps import Happened, Happening, Step, StepQuestion
from collecthub.model.contact import ContactPolicy, ContactStep, DayCount, policy_for

HANDOVER = "hand-over"
_ONE = dt.timedelta(days=1)
_ZERO = Decimal(0)


class PastItem(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An invoice of the past. `settled_on` is None while it is open; it counts as paid from that day on."""

    debtor: str
    due_on: dt.date
    settled_on: dt.date | None
    amount: Decimal


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """A step that would have been taken, or the hand-over; `refused` is the article that forbids it."""

    debtor: str
    on: dt.date
    step: str
    asked: Decimal
    cost: Decimal
    refused: str = ""


class StepSum(msgspec.Struct, frozen=True, kw_only=True):
    """How often a step would have been taken, what it would have asked for and cost, and how often the law said no."""

    step: str
    times: int
    asked: Decimal
    cost: Decimal
    refused: int


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """What one playbook comes to: its steps in order and the hand-over last, and who was never written to though late."""

    policy: str
    until: dt.date
    debtors: int
    invoices: int
    paid_before_any_step: int  # late invoices
    steps: tuple[StepSum, ...]
    cost: Decimal


def try_policy(
    policy: ContactPolicy, items: Iterable[PastItem], until: dt.date, *, country: str, segment: str,
    law: CountryLaw | None = None,
) -> tuple[Trial, list[Taken]]:
    """The sums and every single step up to and including `until`, for debtors whom the policy is for."""
    return _tried((policy,), items, until, country, segment, law)


def try_playbook(
    policies: Sequence[ContactPolicy], items: Iterable[PastItem], until: dt.date, *, country: str, segment: str,
    law: CountryLaw | None = None,
) -> tuple[Trial, list[Taken]] | None:
    """The same with the policies of a playbook, each case under the first that fits; None where none is for such debtors."""
    fit = tuple(one for one in policies if segment in (one.segments or (segment,)) and country in (one.countries or (country,)))
    return _tried(fit, items, until, country, segment, law) if fit else None


def _tried(
    policies: tuple[ContactPolicy, ...], items: Iterable[PastItem], until: dt.date, country: str, segment: str,
    law: CountryLaw | None,
) -> tuple[Trial, list[Taken]]:
    by_debtor: dict[str, list[PastItem]] = {}
    count = 0
    for item in items:
        count += 1
        by_debtor.setdefault(item.debtor, []).append(item)
    taken: list[Taken] = []
    untouched = 0
    for debtor in sorted(by_debtor):
        mine = list(_Course(policies, debtor, by_debtor[debtor], until, country, segment, law).steps())
        taken += mine
        untouched += _untouched(by_debtor[debtor], mine, until)
    return _summed(policies, taken, until, len(by_debtor), count, untouched), taken


def _untouched(items: Sequence[PastItem], taken: Sequence[Taken], until: dt.date) -> int:
    """Late invoices that were paid before the debtor was written to about them."""
    days = [one.on for one in taken]
    return sum(
        1
        for item in items
        if item.settled_on is not None and item.due_on < item.settled_on <= until
        and not any(item.due_on < day < item.settled_on for day in days)
    )  # fmt: skip


def _summed(
    policies: Sequence[ContactPolicy], taken: Sequence[Taken], until: dt.date, debtors: int, invoices: int, untouched: int
) -> Trial:
    names = [step.name for policy in policies for step in (*policy.before, *policy.steps)]
    sums: Mapping[str, list[Taken]] = {name: [] for name in (*names, HANDOVER)}
    for one in taken:
        sums[one.step].append(one)
    steps = tuple(
        StepSum(
            step=name, times=sum(not one.refused for one in ones), refused=sum(bool(one.refused) for one in ones),
            asked=sum((one.asked for one in ones if not one.refused), _ZERO),
            cost=sum((one.cost for one in ones if not one.refused), _ZERO),
        )
        for name, ones in sums.items()
    )  # fmt: skip
    return Trial(
        policy=", ".join(policy.name for policy in policies), until=until, debtors=debtors, invoices=invoices, paid_before_any_step=untouched, steps=steps,
        cost=sum((one.cost for one in steps), _ZERO),
    )


class _Course:
    """One debtor: each of his cases under the policy that fits when it opens."""

    def __init__(
        self, policies: tuple[ContactPolicy, ...], debtor: str, items: Sequence[PastItem], until: dt.date, country: str, segment: str,
        law: CountryLaw | None,
    ) -> None:
        self._policies, self._debtor, self._until = policies, debtor, until
        self._items = sorted(items, key=lambda item: item.due_on)
        self._country, self._segment, self._law = country, segment, law

    def steps(self) -> Iterator[Taken]:
        """Case after case until the day the trial ends."""
        after: dt.date | None = dt.date.min
        while after is not None and (opened := self._opens(after)) is not None:
            ended, taken = self._case(opened)
            yield from self._notices(after, opened)
            yield from taken
            after = ended
        if after is not None:
            yield from self._notices(after, None)

    def _notices(self, after: dt.date, opened: dt.date | None) -> Iterator[Taken]:
        """Friendly notices from the end of one case to the beginning of the next: one a day, at the step that is last."""
        end = self._until if opened is None else min(self._until, opened - _ONE)
        for policy in self._policies:
            for on, found in sorted(self._noticed(policy, after, end).items(), key=lambda one: one[0]):
                asked = sum((item.amount for _, item in found), _ZERO)
                if asked > 0 and self._policy(asked, on) is policy:
                    step = max((step for step, _ in found), key=lambda one: one.after_days)
                    yield Taken(debtor=self._debtor, on=on, step=step.name, asked=asked, cost=step.cost)

    def _noticed(
        self, policy: ContactPolicy, after: dt.date, end: dt.date
    ) -> dict[dt.date, list[tuple[ContactStep, PastItem]]]:
        by_day: dict[dt.date, list[tuple[ContactStep, PastItem]]] = {}
        for step in policy.before:
            for item in self._items:
                on = notice_on(step, item.due_on, self._country)
                if after <= on <= end and (item.settled_on is None or item.settled_on > on):
                    by_day.setdefault(on, []).append((step, item))
        return by_day

    def _policy(self, asked: Decimal, on: dt.date) -> ContactPolicy | None:
        """The one that fits a debtor who owes so much on a day; whoever had an invoice fall due before is a repeat customer."""
        due_before = sum(item.due_on < on for item in self._items)
        is_repeat = due_before > len(self._overdue(on))
        return policy_for(self._policies, self._segment, asked, country=self._country, is_repeat=is_repeat)

    def _opens(self, after: dt.date) -> dt.date | None:
        """The first day after `after` on which something is overdue."""
        days = (
            max(item.due_on + _ONE, after)
            for item in self._items
            if item.settled_on is None or item.settled_on > max(item.due_on + _ONE, after)
        )
        first = min(days, default=None)
        return first if first is not None and first <= self._until else None

    def _case(self, opened: dt.date) -> tuple[dt.date | None, list[Taken]]:
        """The steps of one case, and the day on which all of it was paid (None when it never was)."""
        taken: list[Taken] = []
        owed = self._overdue(opened)
        policy = self._policy(sum((item.amount for item in owed), _ZERO), opened)
        if policy is None:
            return self._after_handover(opened), taken
        oldest = min(item.due_on for item in owed)
        last: dt.date | None = None
        rest: dt.date | None = None  # nothing may follow the step before up to and including this day
        before = 0
        for step in (*policy.steps, None):
            days = step.after_days if step else policy.handover_after_days
            unit = Unit.WORKING_DAYS if step and step.days is DayCount.WORKING else Unit.DAYS
            base = oldest if last is None else last
            on = max(self._later(base, Span(count=days - before, unit=unit)), opened, rest + _ONE if rest else opened)
            before, last = days, on
            if on > self._until:
                return None, taken
            asked = sum((item.amount for item in self._overdue(on)), _ZERO)
            if asked < policy.minimum_amount or asked <= 0:
                return self._paid_up(opened, on), taken
            cost = step.cost if step else policy.handover_cost
            name = step.name if step else HANDOVER
            refused = self._refusal(on, oldest, asked, taken) if step else ""
            rest = self._rest(step, on, oldest, is_first=not taken) if step and not refused else None
            taken.append(Taken(debtor=self._debtor, on=on, step=name, asked=asked, cost=cost, refused=refused))
        return self._after_handover(last or opened), taken

    def _rest(self, step: ContactStep, on: dt.date, oldest: dt.date, *, is_first: bool) -> dt.date | None:
        return rests_until(self._law, Reminding(
            segment=self._segment, due_on=oldest, sent_on=on, channel=step.channel, tone=step.tone, is_first=is_first,
        ))  # fmt: skip

    def _later(self, day: dt.date, span: Span) -> dt.date:
        try:
            return add_span(day, span, self._country)
        except PermanentError:
            return day + dt.timedelta(days=-(-span.count * 7 // 5))

    def _overdue(self, on: dt.date) -> list[PastItem]:
        return [
            item for item in self._items if item.due_on < on and (item.settled_on is None or item.settled_on >= on)
        ]

    def _paid_up(self, opened: dt.date, on: dt.date) -> dt.date | None:
        """The day after which a new case may open: everything of this one was settled by then."""
        ends = [item.settled_on for item in self._items if item.settled_on and opened <= item.settled_on < on]
        return max(ends, default=on)

    def _after_handover(self, on: dt.date) -> dt.date | None:
        held = self._overdue(on)
        ends = [item.settled_on for item in held]
        return None if None in ends else max((end for end in ends if end), default=on)

    def _refusal(self, on: dt.date, oldest: dt.date, asked: Decimal, taken: Sequence[Taken]) -> str:
        if self._law is None or self._law.check_step is None:
            return ""
        before = tuple(Happened(kind=Happening.REMINDER, on=one.on) for one in taken if not one.refused)
        question = StepQuestion(
            step=Step.REMIND, on=on, segment=self._segment, principal=asked, due_on=oldest, happened=before,
            is_collector=False,
        )
        answer = self._law.check_step(self._law, question)
        return answer.obstacles[0].article if answer.obstacles else ""
