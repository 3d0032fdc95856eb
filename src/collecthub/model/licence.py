"""A licence to collect."""

from __future__ import annotations

import datetime as dt

import msgspec


class Licence(msgspec.Struct, frozen=True, kw_only=True):
    """A licence of a partner. Empty `segments` mean every kind of debtor; `scope` is how the authority words it."""

    country: str
    number: str
    segments: tuple[str, ...] = ()
    expires_on: dt.date | None = None
    scope: str = ""
