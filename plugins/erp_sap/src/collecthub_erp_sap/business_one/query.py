"""OData as the Service Layer speaks it, V3 and V4: the envelope of an answer and the options that ask for it. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Generic, TypeVar

import msgspec

from collecthub_erp_sap.odata import literal

T = TypeVar("T")
COUNT = {"v1": ("$inlinecount", "allpages"), "v2": ("$count", "true")}


class Found(msgspec.Struct, Generic[T], kw_only=True):
    """The records of one answer.

    The link to the next page only tells that there is one: it counts records, which loses some when the set changes,
    and drops the filter, which lets others in. So it is never followed; the next page is asked for by key.
    """

    value: list[T]
    next_v1: str | None = msgspec.field(name="odata.nextLink", default=None)
    next_v2: str | None = msgspec.field(name="@odata.nextLink", default=None)
    count_v1: str | int | None = msgspec.field(name="odata.count", default=None)
    count_v2: str | int | None = msgspec.field(name="@odata.count", default=None)

    @property
    def has_more(self) -> bool:
        """Whether the service says that it cut the answer."""
        return bool(self.next_v1 or self.next_v2)

    @property
    def count(self) -> int:
        """How many records match; 0 when it was not asked for."""
        return int(self.count_v1 or self.count_v2 or 0)


def columns(row: type[msgspec.Struct]) -> str:
    """What is selected for a record of this type."""
    return ",".join(row.__struct_encode_fields__)


def day_text(day: dt.date) -> str:
    """A date in a filter: quoted in both versions, a bare one is refused.

    >>> day_text(dt.date(2026, 6, 15))
    "'2026-06-15'"
    """
    return f"'{day.isoformat()}'"


def one_of(name: str, values: Iterable[str | int]) -> str:
    """Condition that a property has one of these values, bracketed.

    >>> one_of("CardCode", ["C'1", "C2"]), one_of("DocEntry", [7])
    ("(CardCode eq 'C''1' or CardCode eq 'C2')", '(DocEntry eq 7)')
    """
    texts = (str(value) if isinstance(value, int) else literal(value) for value in values)
    return "(" + " or ".join(f"{name} eq {text}" for text in texts) + ")"
