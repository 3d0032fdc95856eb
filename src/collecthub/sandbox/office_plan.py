"""What will become of a case at a partner's office: decided by its number alone, so that every run is the same.

A *track* is the course of a case, step by step in working days since it was taken on. Which track a case follows
is drawn from a hash of the office's seed and the creditor's `case_number`; nothing here looks at a clock or at books.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

_MINOR_DIGITS = {
    **dict.fromkeys(("CLP", "ISK", "JPY", "KRW", "PYG", "UGX", "VND", "XAF", "XOF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
}
"""Digits after the point where they are not two (ISO 4217)."""


@dataclass(frozen=True)
class Step:
    """One act on the so-manieth working day of a case.

    `act` is status, cost, pay, reverse, question or return; `code` the status, cost type or close code;
    `share` the part of what is owed (pay) or of the principal (cost), `most` the highest such amount.
    """

    day: int
    act: str
    code: str = ""
    share: Decimal = Decimal(1)
    bearer: str = ""
    most: Decimal = Decimal("Infinity")


@dataclass(frozen=True)
class Track:
    """A course and how many of a thousand cases follow it."""

    name: str
    weight: int
    steps: tuple[Step, ...] = ()


_HALF, _THIRD = Decimal("0.5"), Decimal("0.3")
_LETTER, _TALK = Step(1, "status", "contact_attempted"), Step(2, "status", "contact_made")

TRACKS = (
    Track("refused", 60),
    Track("paid_full", 220, (_LETTER, _TALK, Step(2, "status", "promise_to_pay"), Step(3, "pay"))),
    Track("paid_in_parts", 90, (_LETTER, Step(2, "status", "plan_agreed"), Step(3, "pay", share=_HALF), Step(6, "pay"))),
    Track("reversed", 30, (_LETTER, Step(3, "pay"), Step(4, "reverse"), Step(7, "pay"))),
    Track("part_only", 90, (_LETTER, _TALK, Step(4, "pay", share=_THIRD), Step(7, "status", "promise_broken"))),
    Track("dispute", 80, (_LETTER, Step(2, "question"), Step(2, "status", "dispute_raised"),
                          Step(8, "status", "dispute_resolved"))),
    Track("insolvent", 50, (_LETTER, Step(3, "status", "insolvency_found"), Step(5, "return", "insolvent"))),
    Track("untraceable", 70, (_LETTER, Step(2, "status", "address_lost"), Step(4, "return", "untraceable"))),
    Track("costly", 150, (_LETTER, Step(3, "cost", "collection_fee", Decimal("0.05"), "creditor"), _TALK)),
    Track("silent", 160, (_LETTER, Step(3, "status", "contact_attempted"), Step(6, "status", "contact_attempted"))),
)  # fmt: skip
"""About a third pay in full, some of them in two parts, a few after a reversal; the weights add up to 1000."""

_COURT_FEE_MOST = Decimal(650)  # a court's fee does not grow without end

KIND_STEPS = {
    "bailiff": (
        Step(2, "cost", "bailiff_act", Decimal("0.02"), "debtor"),
        Step(2, "status", "site_visit"),
        Step(9, "status", "attachment_done"),
    ),
    "lawyer": (
        Step(2, "cost", "court_fee", Decimal("0.03"), "creditor", _COURT_FEE_MOST),
        Step(2, "status", "summons_served"),
        Step(4, "status", "hearing_set"),
        Step(6, "status", "judgment_given"),
        Step(8, "status", "title_enforceable"),
    ),
    "agency": (),
}
"""What an office of this kind does in every case that it holds, beside the case's own course."""

REFUSALS = ("invalid_data", "statute_barred", "uneconomical")
"""Why a case is not taken on."""


def _draw(seed: str, case_number: str, purpose: str) -> int:
    digest = hashlib.sha256(f"{seed}|{purpose}|{case_number}".encode()).digest()
    return int.from_bytes(digest[:8], "big")


def track_of(seed: str, case_number: str) -> Track:
    """The course that a case takes at the office with this seed.

    >>> track_of("bailiff", "C-1") == track_of("bailiff", "C-1")
    True
    """
    drawn = _draw(seed, case_number, "track") % 1000
    for track in TRACKS:
        drawn -= track.weight
        if drawn < 0:
            return track
    raise ValueError("The weights of the tracks do not add up to 1000.")


def refusal_of(seed: str, case_number: str) -> str:
    """The reason code with which a case on the track `refused` is turned away."""
    return REFUSALS[_draw(seed, case_number, "refusal") % len(REFUSALS)]


def steps_on(kind: str, track: str, day: int) -> tuple[Step, ...]:
    """What is done on that working day of a case."""
    course = next(one.steps for one in TRACKS if one.name == track)
    return tuple(step for step in (*KIND_STEPS[kind], *course) if step.day == day)


def rounded(amount: Decimal, currency: str) -> Decimal:
    """Half up to the currency's smallest unit.

    >>> rounded(Decimal("10.5"), "JPY"), rounded(Decimal("1.2345"), "KWD"), rounded(Decimal("1"), "EUR")
    (Decimal('11'), Decimal('1.235'), Decimal('1.00'))
    """
    return amount.quantize(Decimal(1).scaleb(-_MINOR_DIGITS.get(currency, 2)), ROUND_HALF_UP)
