"""Papers without which no case leaves: the agreement, the power of attorney, the check of who somebody is.

A mandate names a partner, a creditor, or both. The one that names more counts before the one that names less; of equals
the newest. What a partner asks for stands in its profile (`needs`).
"""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Iterable, Sequence

import msgspec

IDENTITY_DAYS = 365  # house rule: who somebody is gets checked anew every year
WARNING_DAYS = 30


class MandateKind(enum.StrEnum):
    """What was signed or checked."""

    AGREEMENT = "agreement"  # operator and partner: on which terms it works
    POWER_OF_ATTORNEY = "power_of_attorney"  # creditor to partner: that it may act
    IDENTITY_CHECK = "identity_check"  # who the partner is
    CREDITOR_IDENTITY = "creditor_identity"  # who the creditor is


class MandateState(enum.StrEnum):
    """How a mandate stands on a day."""

    VALID = "valid"
    MISSING = "missing"
    EXPIRED = "expired"
    STALE = "stale"  # too old to rely on, or signed under another name
    REVOKED = "revoked"


class Mandate(msgspec.Struct, frozen=True, kw_only=True):
    """One paper. `form` is copy, original, notarised or apostille; empty where it makes no difference."""

    mandate_id: str
    kind: MandateKind
    partner_id: str | None = None
    creditor_id: str | None = None
    state: str = "signed"  # signed, revoked, stale
    signed_on: dt.date
    expires_on: dt.date | None = None
    checked_on: dt.date | None = None
    form: str = ""
    signed_by: str = ""
    document_sha256: str = ""
    note: str = ""
    created_at: dt.datetime


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """A paper that a hand-over waits for, and why the one on file is not enough."""

    kind: MandateKind
    partner_id: str
    creditor_id: str
    state: MandateState

    @property
    def text(self) -> str:
        """For a person: which paper, and what is wrong with it.

        >>> Wanted(kind=MandateKind.AGREEMENT, partner_id="uy", creditor_id="c", state=MandateState.EXPIRED).text
        'agreement of uy: expired'
        """
        whose = self.creditor_id if self.kind is MandateKind.CREDITOR_IDENTITY else self.partner_id
        return f"{self.kind.value.replace('_', ' ')} of {whose}: {self.state.value}"


def standing(mandate: Mandate | None, on: dt.date) -> MandateState:
    """How a paper stands on a day."""
    if mandate is None or mandate.signed_on > on:
        return MandateState.MISSING
    if mandate.state in ("revoked", "stale"):
        return MandateState(mandate.state)
    if mandate.expires_on is not None and mandate.expires_on < on:
        return MandateState.EXPIRED
    if mandate.kind in (MandateKind.IDENTITY_CHECK, MandateKind.CREDITOR_IDENTITY):
        seen = mandate.checked_on or mandate.signed_on
        if seen + dt.timedelta(days=IDENTITY_DAYS) < on:
            return MandateState.STALE
    return MandateState.VALID


def ends_on(mandate: Mandate) -> dt.date | None:
    """The last day on which a paper is good, by its own words or by its age; None without an end."""
    by_age = None
    if mandate.kind in (MandateKind.IDENTITY_CHECK, MandateKind.CREDITOR_IDENTITY):
        by_age = (mandate.checked_on or mandate.signed_on) + dt.timedelta(days=IDENTITY_DAYS)
    return min(filter(None, (mandate.expires_on, by_age)), default=None)


def best(mandates: Iterable[Mandate], kind: MandateKind, partner_id: str, creditor_id: str) -> Mandate | None:
    """The paper that counts for this partner and this creditor."""
    fitting = [
        one for one in mandates
        if one.kind is kind and one.partner_id in (None, partner_id) and one.creditor_id in (None, creditor_id)
        and (one.partner_id if kind is not MandateKind.CREDITOR_IDENTITY else one.creditor_id)
    ]  # fmt: skip
    return max(fitting, key=_rank, default=None)


def _rank(mandate: Mandate) -> tuple[bool, bool, dt.date, dt.datetime]:
    return (mandate.partner_id is not None, mandate.creditor_id is not None, mandate.signed_on, mandate.created_at)


def wanted(
    needs: Iterable[str], mandates: Sequence[Mandate], partner_id: str, creditor_id: str, on: dt.date
) -> tuple[Wanted, ...]:
    """What is missing before a creditor's case may go to a partner that asks for these papers."""
    found = []
    for kind in map(MandateKind, needs):
        state = standing(best(mandates, kind, partner_id, creditor_id), on)
        if state is not MandateState.VALID:
            found.append(Wanted(kind=kind, partner_id=partner_id, creditor_id=creditor_id, state=state))
    return tuple(found)
