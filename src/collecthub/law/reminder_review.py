"""What the creditor already sent, looked at before a final summons: against the law, the due day and the playbook. Pure.

The ERP keeps level and day of a reminder, neither its channel, its price nor its words; an uploaded list may tell the
first two. So nothing here says that a reminder was sound: only what is wrong for certain, and what nobody can prove.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal

import msgspec

from collecthub.law.rules import CountryLaw
from collecthub.law.steps import Happened, Happening, Step, StepQuestion
from collecthub.model.contact import BY_PEOPLE, ContactPolicy
from collecthub.model.debtor_account import OwnReminder
from collecthub.model.event import Claim

UNKNOWN_CHANNEL = "unknown"


class ReviewFinding(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong with one reminder: `kind` is early, same_day, falls_back, hasty or unlawful; `article` only for the last."""

    kind: str
    on: dt.date
    said: str
    article: str = ""


class ReviewedInvoice(msgspec.Struct, frozen=True, kw_only=True):
    """One invoice with the creditor's own reminders, oldest first, and what is wrong with them."""

    claim_id: str
    number: str
    due_on: dt.date
    reminders: tuple[OwnReminder, ...] = ()
    findings: tuple[ReviewFinding, ...] = ()


class ReminderReview(msgspec.Struct, frozen=True, kw_only=True):
    """The invoices of a case, and what to do before the final summons; no advice means that nothing was found."""

    invoices: tuple[ReviewedInvoice, ...]
    advice: tuple[str, ...] = ()


def review_reminders(
    claims: Iterable[tuple[Claim, Sequence[OwnReminder]]], *, segment: str, law: CountryLaw | None,
    policy: ContactPolicy | None, on: dt.date, happened: tuple[Happened, ...] = (),
) -> ReminderReview:  # fmt: skip
    """The review of open claims with their reminders. Without a pack that checks steps the law is not asked.

    `happened` is what the case knows beside them, such as a bankruptcy.
    """
    pairs = tuple(claims)
    invoices = tuple(
        ReviewedInvoice(
            claim_id=claim.claim_id, number=claim.number, due_on=claim.due_on, reminders=tuple(sent),
            findings=tuple(sorted(
                (*_in_time(claim, sent, policy), *_unlawful(claim, sent, segment, law, happened)), key=lambda one: one.on
            )),
        )
        for claim, sent in pairs
    )  # fmt: skip
    advice = (*_advice(invoices, law, policy), *_charging(pairs, segment, law, on, happened))
    return ReminderReview(invoices=invoices, advice=tuple(dict.fromkeys(advice)))


def _in_time(claim: Claim, sent: Sequence[OwnReminder], policy: ContactPolicy | None) -> Iterator[ReviewFinding]:
    for one in sent:
        if one.dunned_on <= claim.due_on:
            said = f"sent on {one.dunned_on}, when nothing was late: it is no reminder"
            yield ReviewFinding(kind="early", on=one.dunned_on, said=said)
    for before, after in itertools.pairwise(sent):
        yield from _between(before, after, policy)


def _between(before: OwnReminder, after: OwnReminder, policy: ContactPolicy | None) -> Iterator[ReviewFinding]:
    days = (after.dunned_on - before.dunned_on).days
    if days == 0:
        yield ReviewFinding(kind="same_day", on=after.dunned_on, said="two reminders on one day count as one")
    if after.level < before.level:
        said = f"level {after.level} came after level {before.level}: the debtor was told that it became less urgent"
        yield ReviewFinding(kind="falls_back", on=after.dunned_on, said=said)
    shortest = _shortest_gap(policy)
    if 0 < days < shortest:
        said = f"{days} days after the one before; the playbook leaves at least {shortest}"
        yield ReviewFinding(kind="hasty", on=after.dunned_on, said=said)


def _shortest_gap(policy: ContactPolicy | None) -> int:
    days = [step.after_days for step in policy.steps] if policy is not None else []
    return min((later - earlier for earlier, later in itertools.pairwise(days)), default=0)


def _unlawful(
    claim: Claim, sent: Sequence[OwnReminder], segment: str, law: CountryLaw | None, happened: tuple[Happened, ...]
) -> Iterator[ReviewFinding]:
    if law is None or law.check_step is None:
        return
    before = happened
    for one in sent:
        question = StepQuestion(
            step=Step.REMIND, on=one.dunned_on, segment=segment, principal=claim.open_amount, due_on=claim.due_on,
            happened=before, is_collector=False, claimed=one.fee or Decimal(0),
        )  # fmt: skip
        for obstacle in law.check_step(law, question).obstacles:
            yield ReviewFinding(kind="unlawful", on=one.dunned_on, said=obstacle.reason, article=obstacle.article)
        before += (_happened(one),)


def _happened(one: OwnReminder) -> Happened:
    return Happened(
        kind=Happening.REMINDER, on=one.dunned_on, channel=one.channel or UNKNOWN_CHANNEL, fee=one.fee or Decimal(0)
    )


def _advice(
    invoices: Sequence[ReviewedInvoice], law: CountryLaw | None, policy: ContactPolicy | None
) -> Iterator[str]:
    good = {one.number: _counting(one) for one in invoices}
    if never := [number for number, days in good.items() if not days]:
        yield f"Remind of {', '.join(never)} first: no reminder after the due day is known."
    steps = sum(step.channel not in BY_PEOPLE for step in policy.steps) if policy is not None else 0
    if fewer := [f"{number} ({len(days)})" for number, days in good.items() if 0 < len(days) < steps]:
        yield f"The playbook has {steps} messages before a hand-over; fewer are known for {', '.join(fewer)}."
    if any(one.kind == "unlawful" for invoice in invoices for one in invoice.findings):
        yield "Ask nothing for the reminders that the law forbids, and say so if something was asked."
    if any(not _is_told(one) for invoice in invoices for one in invoice.reminders if one.dunned_on in _counting(invoice)):
        yield (
            "Keep copies, and upload a list with channel and fee: the ERP says neither by which channel a reminder went, nor what it cost or named. Without them"
            " interest and costs that wait for a reminder count from one of the hub's own."
        )
    if invoices and (law is None or law.check_step is None):
        yield "The law was not asked: no pack for the debtor's country checks steps. Ask a lawyer there."


def _counting(invoice: ReviewedInvoice) -> set[dt.date]:
    """The days after the due day on which a reminder went that the law does not forbid."""
    forbidden = {one.on for one in invoice.findings if one.kind == "unlawful"}
    return {one.dunned_on for one in invoice.reminders if one.dunned_on > invoice.due_on} - forbidden


def _charging(
    pairs: Sequence[tuple[Claim, Sequence[OwnReminder]]], segment: str, law: CountryLaw | None, on: dt.date,
    happened: tuple[Happened, ...],
) -> Iterator[str]:  # fmt: skip
    """What the law has against asking anything beside the principal, and whether proof of a reminder would help."""
    if law is None or law.check_step is None:
        return
    for claim, sent in pairs:
        question = StepQuestion(
            step=Step.CHARGE_CLAUSE, on=on, segment=segment, principal=claim.open_amount, due_on=claim.due_on,
            happened=happened, is_collector=False,
        )  # fmt: skip
        found = law.check_step(law, question).obstacles
        if not found:
            continue
        told = tuple(_happened(one) for one in sent if _is_told(one) and one.dunned_on > claim.due_on)
        if told and not law.check_step(law, msgspec.structs.replace(question, happened=(*happened, *told))).obstacles:
            yield (
                f"{claim.number}: by what you told of your reminders, more than the principal may be asked. Keep the copies:"
                " the hub itself asks for it only after a reminder of its own."
            )
            continue
        said = f"{claim.number}: ask nothing beside the principal yet. {found[0].article}: {found[0].reason}. {found[0].cure}"
        first = min((one.dunned_on for one in sent if one.dunned_on > claim.due_on), default=None)
        if first is not None and not law.check_step(law, _proven(question, first)).obstacles:
            said += f" If you can prove that the reminder of {first} was free and in writing, this falls away."
        yield said


def _is_told(one: OwnReminder) -> bool:
    """Whether somebody said how it went and what it cost."""
    return bool(one.channel) and one.fee is not None


def _proven(question: StepQuestion, on: dt.date) -> StepQuestion:
    """The same, had the reminder gone by letter, which the law lets wait longest."""
    return msgspec.structs.replace(question, happened=(*question.happened, Happened(kind=Happening.REMINDER, on=on)))
