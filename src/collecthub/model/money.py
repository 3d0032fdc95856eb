"""Exact money: a decimal amount and an ISO 4217 currency.

Rounding happens in one place only, `Money.rounded`, half up to the currency's minor unit, because the
claims that leave this hub are read by courts and bailiffs who round half up.
"""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Decimal

import msgspec

from collecthub.errors import PermanentError

# ISO 4217 currencies whose minor unit is not two decimals (amendment list of 2026-01-01).
_MINOR_UNITS: dict[str, int] = {
    **dict.fromkeys(
        ("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF").split(), 0
    ),
    **dict.fromkeys(("BHD IQD JOD KWD LYD OMR TND").split(), 3),
    "CLF": 4,
    "UYW": 4,
}
_CENT = Decimal("0.01")
_SMALLEST = {currency: Decimal(1).scaleb(-places) for currency, places in _MINOR_UNITS.items()}
_CURRENCY = re.compile(r"[A-Z]{3}")
_AMOUNT = re.compile(r"-?\d{1,15}(\.\d{1,6})?", re.ASCII)


def minor_units(currency: str) -> int:
    """Number of decimals the currency is paid in.

    >>> [minor_units(code) for code in ("EUR", "JPY", "KWD")]
    [2, 0, 3]
    """
    return _MINOR_UNITS.get(currency, 2)


def round_amount(amount: Decimal, currency: str) -> Decimal:
    """Round half up to the currency's minor unit.

    >>> round_amount(Decimal("2309.7899999999995"), "USD"), round_amount(Decimal("0.5"), "JPY")
    (Decimal('2309.79'), Decimal('1'))
    """
    return amount.quantize(_SMALLEST.get(currency, _CENT), ROUND_HALF_UP)


def parse_amount(text: str) -> Decimal:
    """Read an amount from outside text: ASCII digits, optional minus, point as decimal mark.

    Raises `PermanentError` for anything else (NaN, exponents, separators, other digits).

    >>> parse_amount("-12.50")
    Decimal('-12.50')
    """
    if not _AMOUNT.fullmatch(text):
        raise PermanentError(
            f"{text[:40]!r} is not an amount",
            cure="Write digits with a point as decimal mark, for example 1234.50.",
        )
    return Decimal(text)


class Money(msgspec.Struct, frozen=True, order=False):
    """An exact amount in one currency. Never mixes currencies, never holds a float."""

    amount: Decimal
    currency: str

    def __post_init__(self) -> None:
        if not isinstance(self.amount, Decimal) or not self.amount.is_finite():
            raise PermanentError(f"{self.amount!r} is not an exact amount", cure="Pass a finite Decimal.")
        if not _CURRENCY.fullmatch(self.currency):
            raise PermanentError(
                f"{self.currency!r} is not a currency", cure="Use the three capital letters of ISO 4217."
            )

    def rounded(self) -> Money:
        """The same money at the currency's minor unit, half up."""
        return Money(round_amount(self.amount, self.currency), self.currency)

    def _same(self, other: Money) -> None:
        if self.currency != other.currency:
            raise PermanentError(
                f"{self.currency} and {other.currency} cannot be added",
                cure="Keep one case per currency or convert with a dated rate first.",
            )

    def __add__(self, other: Money) -> Money:
        self._same(other)
        return Money(self.amount + other.amount, self.currency)

    def __sub__(self, other: Money) -> Money:
        self._same(other)
        return Money(self.amount - other.amount, self.currency)

    def __neg__(self) -> Money:
        return Money(-self.amount, self.currency)

    def __bool__(self) -> bool:
        return self.amount != 0

    def __str__(self) -> str:
        return f"{round_amount(self.amount, self.currency):,} {self.currency}"


def zero(currency: str) -> Money:
    """Nothing, in the given currency."""
    return Money(round_amount(Decimal(0), currency), currency)
