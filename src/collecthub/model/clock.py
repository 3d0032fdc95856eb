"""What the clock works with: acts a case needs and waits that somebody owns."""

from __future__ import annotations

import datetime as dt

import msgspec

from collecthub.model.codes import Outcome
from collecthub.model.exchange import AmendmentCode


class Place(msgspec.Struct, frozen=True, tag=True):
    """Route the case and hand it over."""


class Amend(msgspec.Struct, frozen=True, tag=True):
    """Tell the holder: stop, or a new balance."""

    code: AmendmentCode
    reason_code: str


class Close(msgspec.Struct, frozen=True, tag=True):
    """End the case."""

    outcome: Outcome
    reason: str


class Follow(msgspec.Struct, frozen=True, tag=True):
    """Record what follows from what the case knows already, such as an instalment that was met."""


Act = Place | Amend | Close | Follow


class Timer(msgspec.Struct, frozen=True, kw_only=True):
    """A wait: what for, until when, and who is told when it is over."""

    kind: str
    due_at: dt.datetime
    owner: str  # operator, creditor, partner
    title: str
