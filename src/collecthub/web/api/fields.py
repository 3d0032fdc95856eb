"""Types of what comes in: amounts as strings, texts with an end, nothing that was not asked for."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Any

from fastapi import Depends, Query
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from collecthub.errors import PermanentError
from collecthub.model.money import parse_amount
from collecthub.store.queries.paging import LIMIT_DEFAULT, LIMIT_MAX, PageRequest

_AMOUNT_PATTERN = r"^-?[0-9]{1,15}(\.[0-9]{1,6})?$"
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")


class Inbound(BaseModel):
    """A body: exactly these fields, exactly these types."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _amount(value: Any) -> Decimal:
    if not isinstance(value, str):
        raise ValueError('write the amount as text, for example "1234.50"')  # noqa: TRY004  # pydantic's way
    try:
        return parse_amount(value)
    except PermanentError:
        raise ValueError('write digits with a point as decimal mark, for example "1234.50"') from None


def _clean(text: str) -> str:
    if _CONTROLS.search(text):
        raise ValueError("holds control characters")
    return text.strip()


Amount = Annotated[
    Decimal, BeforeValidator(_amount), WithJsonSchema({"type": "string", "pattern": _AMOUNT_PATTERN, "example": "12.50"})
]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
Country = Annotated[str, Field(pattern=r"^([A-Z]{2})?$")]
Ref = Annotated[str, Field(max_length=140), AfterValidator(_clean)]
Line = Annotated[str, Field(max_length=300), AfterValidator(_clean)]
Text = Annotated[str, Field(min_length=1, max_length=4000), AfterValidator(_clean)]
Note = Annotated[str, Field(max_length=4000), AfterValidator(_clean)]
Id = Annotated[str, Field(min_length=1, max_length=64)]


async def page_request(
    limit: Annotated[int, Query(ge=1, le=LIMIT_MAX, description="Most items on the page.")] = LIMIT_DEFAULT,
    cursor: Annotated[str, Query(max_length=2000, description="`next_cursor` of the page before.")] = "",
) -> PageRequest:
    return PageRequest(limit=limit, cursor=cursor)


Paging = Annotated[PageRequest, Depends(page_request)]
