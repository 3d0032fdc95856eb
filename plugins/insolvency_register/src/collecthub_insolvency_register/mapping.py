"""A publication as the feed has it, as a notice: pure."""

from __future__ import annotations

import datetime as dt
from typing import Any

from collecthub.sdk import Address, InsolvencyNotice, ProceedingKind

KINDS = {
    "bankruptcy": ProceedingKind.BANKRUPTCY, "reorganisation": ProceedingKind.REORGANISATION,
    "collective_debt_settlement": ProceedingKind.COLLECTIVE_SETTLEMENT,
}  # fmt: skip


def notice_of(row: Any) -> InsolvencyNotice:
    """One publication. Raises `ValueError`, `KeyError` or `TypeError` for one that cannot be understood.

    >>> notice_of({"id": "1", "type": "bankruptcy", "debtor": {"name": "X", "country": "BE"}, "declared_on": "2026-06-01",
    ...            "published_on": "2026-06-02"}).kind.value
    'bankruptcy'
    """
    debtor, court = row["debtor"], row.get("court") or {}
    place = debtor.get("address") or {}
    return InsolvencyNotice(
        notice_ref=_text(row["id"]), kind=KINDS[row["type"]], name=_text(debtor["name"]), country=_text(debtor["country"]),
        declared_on=dt.date.fromisoformat(row["declared_on"]), published_on=dt.date.fromisoformat(row["published_on"]),
        register_ref=_text(debtor.get("number", "")), authority=_text(court.get("name", "")),
        reference=_text(court.get("reference", "")), holder=_text(row.get("trustee", "")), is_end=row.get("event") == "closed",
        address=Address(
            lines=tuple(filter(None, [_text(place.get("street", ""))])), postcode=_text(place.get("postcode", "")),
            city=_text(place.get("city", "")), country=_text(debtor["country"]),
        ),
    )  # fmt: skip


def _text(value: Any) -> str:
    if not isinstance(value, str) or len(value) > 140:
        raise ValueError("no text of at most 140 characters")
    return value.strip()
