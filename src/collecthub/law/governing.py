"""Which country's law governs a claim between two countries, as far as that can be said without the contract."""

from __future__ import annotations

import msgspec

from collecthub.law.basis import Evidence

CONSUMER = "B2C"


class Governing(msgspec.Struct, frozen=True, kw_only=True):
    """The country, why it is that one, and how well the reason is known."""

    country: str
    reason: str
    evidence: Evidence


def governing_law(segment: str, creditor_country: str, debtor_country: str, agreed: str = "") -> Governing:
    """The law of a claim: the one that was agreed; for a consumer his own country's; else the seller's.

    Regulation (EC) 593/2008 (Rome I), articles 3, 4(1)(a) and (b), 6(1). Whether the trader directed his business to
    the consumer's country is taken for granted, because that protects the debtor. An unknown country is empty.

    >>> governing_law("B2B", "BE", "DE").country, governing_law("B2C", "BE", "DE").country
    ('BE', 'DE')
    """
    if agreed:
        return Governing(country=agreed, reason="the law that the contracts choose", evidence=Evidence.UNKNOWN)
    if segment == CONSUMER:
        first, reason = debtor_country, "a consumer keeps the law of his own country (Rome I, art. 6)"
    else:
        first, reason = creditor_country, "the seller's law governs where nothing was agreed (Rome I, art. 4)"
    if first:
        return Governing(country=first, reason=reason, evidence=Evidence.GENERAL_KNOWLEDGE)
    other = creditor_country or debtor_country
    why = "the country that decides is not known; the other party's is taken" if other else "no country is known"
    return Governing(country=other, reason=why, evidence=Evidence.UNKNOWN)
