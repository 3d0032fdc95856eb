"""A way that was considered for a case, as its history keeps it."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import msgspec

NONE = "none"  # the route on which nobody acts


class RouteOption(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A way that was considered, and why it was chosen or not.

    `standing` is `possible`, `rejected` or `unknown` (a person must look); empty where nothing more was compared.
    `cost` is the whole cost if everything is recovered, `days` until money or title usually come, `documents` what it
    needs, `limitation_on` the day on which the claim is barred, `success` a share of 1 from cases of the hub itself, and
    `source` where these figures come from. What is not known stays None.
    """

    route: str  # bailiff, lawyer, agency, a way before a court, none, or a plugin's own word
    partner_id: str | None
    rank: int
    reason: str
    proposed_by: str
    procedure: str = ""
    standing: str = ""
    cost: Decimal | None = None
    currency: str = ""
    cost_basis: str = ""
    days: int | None = None
    days_basis: str = ""
    documents: tuple[str, ...] = ()
    limitation_on: dt.date | None = None
    success: Decimal | None = None
    source: str = ""
