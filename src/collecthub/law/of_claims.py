"""The law on all claims of a case: interest, compensation and limitation claim by claim, and their sums.

A claim that the law cannot answer for says why and stops no other. The principal is what is open now: what was paid
before, and when, is the ledger's knowledge.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

import msgspec

from collecthub.errors import PermanentError
from collecthub.law.interest import InterestQuestion
from collecthub.law.late_payment import LatePayment, Reminded, late_payment
from collecthub.law.limitation import Alarm, LegalAct, Limitation, LimitationQuestion, earliest, limitation
from collecthub.law.rules import CountryLaw
from collecthub.model.event import Claim


class ClaimLaw(msgspec.Struct, frozen=True, kw_only=True):
    """What the law says of one claim. `problem` is why a part of the answer is missing."""

    claim_id: str
    number: str
    due_on: dt.date
    principal: Decimal
    late: LatePayment | None = None
    limitation_on: dt.date | None = None
    limitation_country: str = ""
    is_barred: bool = False
    alarms: tuple[Alarm, ...] = ()
    problem: str = ""


class ClaimsLaw(msgspec.Struct, frozen=True, kw_only=True):
    """Every claim and the sums; compensation by currency, because a law may grant it in its own."""

    country: str
    currency: str
    until: dt.date
    interest: Decimal
    compensation: dict[str, Decimal]
    next_limitation_on: dt.date | None
    claims: tuple[ClaimLaw, ...]


def law_of_claims(
    laws: Sequence[CountryLaw], claims: Iterable[Claim], *, segment: str, currency: str, until: dt.date,
    acts: Sequence[LegalAct] = (), natures: Mapping[str, str] | None = None,
    reminded: Mapping[str, Reminded] | None = None,
) -> ClaimsLaw:  # fmt: skip
    """Interest and compensation under the first law, limitation under the one of them all that loses a claim first.

    Interest stops at the last known rate, and its notes say so. `natures` says what kind of claim each is, by id; where
    the law does not know the kind, the claim counts as one whose kind nobody said. `reminded` is the first reminder of each.
    """
    kinds, first = natures or {}, reminded or {}
    found = tuple(
        _of(laws, claim, _late(laws[0], claim, segment, currency, until, first.get(claim.claim_id)), LimitationQuestion(
            segment=segment, due_on=claim.due_on, as_of=until, acts=tuple(acts), nature=kinds.get(claim.claim_id, "")
        ))
        for claim in claims
    )  # fmt: skip
    answers = [part.late for part in found if part.late]
    compensation: dict[str, Decimal] = {}
    for late in answers:
        if late.compensation:
            sum_ = compensation.get(late.compensation_currency, Decimal(0))
            compensation[late.compensation_currency] = sum_ + late.compensation
    return ClaimsLaw(
        country=laws[0].country,
        currency=currency,
        until=until,
        interest=sum((late.interest for late in answers), Decimal(0)),
        compensation=compensation,
        next_limitation_on=min((part.limitation_on for part in found if part.limitation_on), default=None),
        claims=found,
    )


def _of(
    laws: Sequence[CountryLaw], claim: Claim, answer: tuple[LatePayment | None, str], question: LimitationQuestion
) -> ClaimLaw:
    late, why_not_late = answer
    clock, why_no_clock = _clock(laws, question)
    return ClaimLaw(
        claim_id=claim.claim_id, number=claim.number, due_on=claim.due_on, principal=claim.open_amount, late=late,
        limitation_on=clock.limitation_on if clock else None, limitation_country=clock.country if clock else "",
        is_barred=clock is not None and clock.is_barred, alarms=clock.alarms if clock else (),
        problem="; ".join(filter(None, (why_not_late, why_no_clock))),
    )  # fmt: skip


def _late(
    law: CountryLaw, claim: Claim, segment: str, currency: str, until: dt.date, reminder: Reminded | None
) -> tuple[LatePayment | None, str]:
    question = InterestQuestion(
        segment=segment,
        principal=claim.open_amount,
        due_on=claim.due_on,
        until=until,
        currency=currency,
        may_stop_early=True,
    )
    try:
        return late_payment(law, question, reminded=reminder), ""
    except PermanentError as error:
        return None, error.message


def _clock(laws: Sequence[CountryLaw], question: LimitationQuestion) -> tuple[Limitation | None, str]:
    unnamed = msgspec.structs.replace(question, nature="")
    try:
        return earliest(limitation(law, question if _knows(law, question.nature) else unnamed) for law in laws), ""
    except PermanentError as error:
        return None, error.message


def _knows(law: CountryLaw, nature: str) -> bool:
    return any(rule.nature == nature for rule in law.limitation)
