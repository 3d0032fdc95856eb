"""The hub's words for what happens in a case, and tables that translate partners' codes into them.

A code that no table knows, or that could mean several things, is parked for a person; it is never guessed.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence

import msgspec


class Phase(enum.StrEnum):
    """The legal stage of a case."""

    PREVENTION = "prevention"
    REMINDER = "reminder"
    AMICABLE = "amicable"
    JUDICIAL = "judicial"
    ENFORCEMENT = "enforcement"
    MONITORING = "monitoring"


class Status(enum.StrEnum):
    """Where the file is in its hand-over; independent of phase, holds and outcome."""

    DRAFT = "draft"  # opened in shadow: nothing leaves
    NEEDS_INFO = "needs_info"
    READY = "ready"
    SENDING = "sending"  # a placement waits for or is in dispatch
    SENT = "sent"
    ACKNOWLEDGED = "acknowledged"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    ACTIVE = "active"
    RECALLING = "recalling"
    CLOSED = "closed"


class Outcome(enum.StrEnum):
    """Why a case ended. The first four mean that money came in."""

    PAID_FULL = "paid_full"
    PAID_PARTIAL = "paid_partial"
    SETTLED_REDUCED = "settled_reduced"
    PAID_BEFORE_HANDOVER = "paid_before_handover"
    CREDITED = "credited"
    WITHDRAWN = "withdrawn"
    RECALLED = "recalled"
    INVALID_DATA = "invalid_data"
    DUPLICATE = "duplicate"
    DISPUTED = "disputed_no_action"
    SETTLEMENT_REJECTED = "settlement_rejected"
    CREDITOR_UNRESPONSIVE = "creditor_unresponsive"
    UNTRACEABLE = "untraceable"
    DECEASED = "deceased"
    INCAPABLE = "minor_or_incapable"
    INSOLVENT = "insolvent"
    LIQUIDATED = "liquidated"
    STATUTE_BARRED = "statute_barred"
    EXHAUSTED = "exhausted_contact"
    EXHAUSTED_UNREACHED = "exhausted_no_contact"
    UNECONOMICAL = "uneconomical"
    FRAUD = "fraud"
    CLAIM_DISMISSED = "claim_dismissed"
    VULNERABLE = "vulnerable"
    NO_ROUTE_ABROAD = "abroad_no_route"
    NO_QUOTE = "no_quote"
    WRITTEN_OFF = "written_off"
    OTHER = "other"


class Axis(enum.StrEnum):
    """What a word of the hub's vocabulary is about; every word is about one of these."""

    FLOW = "flow"
    CONTACT = "contact"
    MONEY = "money"
    PLAN = "plan"
    DISPUTE = "dispute"
    LAW = "law"
    INSOLVENCY = "insolvency"


class StatusCode(msgspec.Struct, frozen=True, kw_only=True):
    """One row of a translation table: a partner's code and what it means here.

    `meaning` is a word of the hub's vocabulary (`contact_made`, `judgment_given`, ...). `phase` moves the
    case, `hold` pauses it (a `hold_released` ends that pause), `outcome` closes it; each may be empty. `lost` says what
    the partner's code states and the hub's word does not. `axis` is given in the hub's own table only.
    """

    code: str
    meaning: str
    phase: Phase | None = None
    hold: str = ""
    outcome: Outcome | None = None
    title: str = ""
    lost: str = ""
    axis: Axis | None = None


def translate(
    tables: Mapping[str, Mapping[str, StatusCode]], vocabularies: Sequence[str], code: str
) -> StatusCode | None:
    """The meaning of a partner's code: the first of its vocabularies that knows it, else None."""
    for vocabulary in vocabularies:
        found = tables.get(vocabulary, {}).get(code)
        if found is not None:
            return found
    return None
