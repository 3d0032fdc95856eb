"""Room beside BACK: whose payment is it? Every candidate gets a score with its reasons; nothing is decided on a hunch.

Pure: the runner looks up the candidates and carries out the verdict. A payment is *certain* when one case leads by
evidence that cannot be chance and nothing speaks against it; everything else is for a person.
"""

from __future__ import annotations

import datetime as dt
import enum
import re
from collections.abc import Iterator, Sequence
from decimal import Decimal

import msgspec

from collecthub.formats.bank.statement import BankTransaction
from collecthub.model.payment_reference import find_case_numbers, find_ogm, find_rf, ogm_digits
from collecthub.model.spelling import LEGAL_FORMS, bare

CERTAIN, LEAD = 90, 20  # the least score that books by itself, and by how much it must lead
_WORD = re.compile(r"[0-9A-Z]+")
_DIGIT = re.compile(r"[0-9]")
_BLANKS = re.compile(r"[\s,;:]+")
_TOKEN_LEAST, _TOKEN_LONGEST, _TOKENS_MOST = 4, 40, 60
_JOINED_MOST, _SHORT = 3, 4


class Verdict(enum.StrEnum):
    """What becomes of a payment."""

    CERTAIN = "certain"
    UNSURE = "unsure"
    UNKNOWN = "unknown"


class OpenClaim(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An invoice of a candidate: its number and what is open on it."""

    number: str
    open_amount: Decimal


class KnownMoney(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Money that the case knows already, from the ERP or a partner, and that no bank file has shown yet."""

    ref: str
    amount: Decimal
    on: dt.date
    source: str  # erp, partner or person


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """A case that the payment may belong to."""

    case_id: str
    number: str
    debtor_name: str
    currency: str
    owed: Decimal
    is_open: bool
    claims: tuple[OpenClaim, ...] = ()
    known_money: tuple[KnownMoney, ...] = ()


class Scored(msgspec.Struct, frozen=True, kw_only=True):
    """A candidate with what speaks for it and against it. `known_ref` is money that this payment may be."""

    case_id: str
    score: int
    reasons: tuple[str, ...]
    objections: tuple[str, ...] = ()
    known_ref: str = ""


class Matched(msgspec.Struct, frozen=True, kw_only=True):
    """The verdict, the candidates best first, and what a person should know besides."""

    verdict: Verdict
    candidates: tuple[Scored, ...]
    remarks: tuple[str, ...] = ()


class Clues(msgspec.Struct, frozen=True, kw_only=True):
    """What a payment says about its purpose, as the runner looks it up."""

    ogm: tuple[str, ...]
    case_numbers: tuple[str, ...]
    mistyped: tuple[str, ...]
    tokens: tuple[str, ...]  # that may be invoice numbers, bare
    name: str  # of the payer, as names are compared


def clues_of(payment: BankTransaction) -> Clues:
    """Everything in a payment by which a case can be found."""
    said = f"{payment.reference} {payment.text} {payment.end_to_end_ref}"
    good, bad = find_ogm(said)
    rf, bad_rf = find_rf(said)
    return Clues(
        ogm=good, case_numbers=find_case_numbers(f"{said} {' '.join(rf)}"), mistyped=(*bad, *bad_rf),
        tokens=tuple(_tokens(said)), name=bare_name(payment.payer_name),
    )


def _tokens(said: str) -> Iterator[str]:
    """Words with a digit, alone and joined with what follows: banks and people break references at any place.

    Only short words and words with digits are joined, as in "F 2026 077".
    """
    words = [plain for word in _BLANKS.split(bare(said))[:_TOKENS_MOST] if (plain := "".join(_WORD.findall(word)))]
    has_digit = [_DIGIT.search(word) is not None for word in words]
    joins = [numbered or len(word) <= _SHORT for word, numbered in zip(words, has_digit, strict=True)]
    seen: set[str] = set()
    for start in range(len(words)):
        token, is_numbered = "", False
        for place in range(start, min(start + _JOINED_MOST, len(words))):
            if place > start and not (joins[start] and joins[place]):
                break
            token += words[place]
            is_numbered = is_numbered or has_digit[place]
            if is_numbered and _TOKEN_LEAST <= len(token) <= _TOKEN_LONGEST and token not in seen:
                seen.add(token)
                yield token


def bare_number(number: str) -> str:
    """An invoice number as it is compared: capitals and digits.

    >>> bare_number("2026/INV-0042")
    '2026INV0042'
    """
    return "".join(_WORD.findall(bare(number)))


def bare_name(name: str) -> str:
    """A name as it is compared: without accents, legal forms and order.

    >>> bare_name("Café Zoé SPRL"), bare_name("ZOE CAFE")
    ('CAFE ZOE', 'CAFE ZOE')
    >>> bare_name("Debtor 1") == bare_name("Debtor 2")
    False
    """
    words = {word for word in _WORD.findall(bare(name)) if word not in LEGAL_FORMS and (len(word) > 1 or word.isdigit())}
    return " ".join(sorted(words))


def match(payment: BankTransaction, clues: Clues, candidates: Sequence[Candidate]) -> Matched:
    """Whose payment it is, with scores and reasons; the candidates best first."""
    scored = sorted(
        (found for candidate in candidates if (found := _score(payment, clues, candidate)).score > 0),
        key=lambda found: (-found.score, found.case_id),
    )
    remarks = [f"the reference {ref} fails its check digits" for ref in clues.mistyped]
    if payment.doubt:
        remarks.append(payment.doubt)
    if payment.payments > 1:
        remarks.append(f"the amount is the sum of {payment.payments} payments")
    if not scored:
        return Matched(verdict=Verdict.UNKNOWN, candidates=(), remarks=tuple(remarks))
    best = scored[0]
    leads = len(scored) == 1 or best.score - scored[1].score >= LEAD
    if not leads:
        remarks.append("two cases fit about equally well")
    is_certain = best.score >= CERTAIN and leads and not best.objections and not remarks
    return Matched(
        verdict=Verdict.CERTAIN if is_certain else Verdict.UNSURE, candidates=tuple(scored[:5]), remarks=tuple(remarks)
    )


def _score(payment: BankTransaction, clues: Clues, case: Candidate) -> Scored:
    found = list(_evidence(payment, clues, case))
    known = _known(payment, case)
    score = min(sum(points for points, _ in found), 100)
    return Scored(
        case_id=case.case_id, score=score, reasons=tuple(reason for _, reason in found),
        objections=tuple(_objections(payment, case, known)), known_ref=known.ref if known else "",
    )


def _evidence(payment: BankTransaction, clues: Clues, case: Candidate) -> Iterator[tuple[int, str]]:
    """What speaks for the case, in points of a hundred."""
    if ogm_digits(case.number) in clues.ogm:
        yield 95, "carries the structured communication of the case"
    if case.number in clues.case_numbers:
        yield 95, "carries the payment reference or number of the case"
    named = [claim for claim in case.claims if bare_number(claim.number) in clues.tokens]
    if named:
        yield 60, f"names invoice {', '.join(claim.number for claim in named[:5])}"
    if payment.amount == case.owed:
        yield 30, "is exactly what is owed"
    elif named and payment.amount == sum(claim.open_amount for claim in named):
        yield 30, "is exactly what is open on it"
    elif any(payment.amount == claim.open_amount for claim in case.claims):
        yield 20, "is exactly what is open on one invoice"
    elif any(known.amount == payment.amount for known in case.known_money):
        yield 20, "is exactly a sum that the case knows already"
    yield from _by_name(clues.name, bare_name(case.debtor_name))


def _by_name(payer: str, debtor: str) -> Iterator[tuple[int, str]]:
    if not payer or not debtor:
        return
    if payer == debtor:
        yield 30, "comes from the debtor"
        return
    left, right = set(payer.split()), set(debtor.split())
    if len(left & right) * 3 >= max(len(left), len(right)) * 2 or (min(len(left), len(right)) > 1 and (left <= right or right <= left)):
        yield 15, "comes from a name like the debtor's"


def _known(payment: BankTransaction, case: Candidate) -> KnownMoney | None:
    """The booking that this payment may already be: the same amount, seen from another side, not too far away.

    An ERP books after the bank, within days; a partner passes money on within weeks of receiving it.
    """
    for known in case.known_money:
        before, after = (45, 7) if known.source == "partner" else (10, 45)
        age = (known.on - payment.booked_on).days
        if known.amount == payment.amount and -before <= age <= after:
            return known
    return None


def _objections(payment: BankTransaction, case: Candidate, known: KnownMoney | None) -> Iterator[str]:
    if payment.currency != case.currency:
        yield f"the case is in {case.currency}, the payment in {payment.currency}"
    if known is not None and known.source == "person":
        yield "a person recorded a payment of this amount by hand: it may be this one"
    if known is not None:
        return
    if not case.is_open:
        yield "the case is closed"
    elif payment.amount > case.owed:
        yield f"is more than the {case.owed} {case.currency} that are owed"
