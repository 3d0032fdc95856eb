"""How an amount of an option is read."""

from __future__ import annotations

from decimal import Decimal

import typer

from collecthub.errors import PermanentError
from collecthub.model.money import parse_amount


def amount(text: str | Decimal) -> Decimal:
    """An amount of zero or more as typed: ASCII digits with a point.

    >>> amount("50.00")
    Decimal('50.00')
    """
    if isinstance(text, Decimal):  # the option's own default passes through here as well
        return text
    try:
        value = parse_amount(text)
    except PermanentError as error:
        raise typer.BadParameter(f"{text[:40]!r} is not an amount such as 50.00") from error
    if value < 0:
        raise typer.BadParameter(f"{text[:40]!r} is not an amount of zero or more")
    return value
