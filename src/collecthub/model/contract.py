"""What was agreed about money: versions of a contract with a creditor or a partner, each with its dates and grid.

A version is never changed: the next one begins on its own day. The version that counts is the one in force on the day
on which the payment came in, or the act was done.
"""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Iterable
from decimal import Decimal

import msgspec

from collecthub.errors import PermanentError
from collecthub.model.money import minor_units

HUNDRED = Decimal(100)


class Side(enum.StrEnum):
    """Whom the operator agreed it with."""

    CREDITOR = "creditor"
    PARTNER = "partner"


class Bearer(enum.StrEnum):
    """Who pays a cost in the end."""

    DEBTOR = "debtor"
    CREDITOR = "creditor"
    OPERATOR = "operator"
    PARTNER = "partner"


# Who may bear a fee, by whom the contract is with; the first where it does not say. What a debtor may be asked for the
# collecting is a matter of law and never of a contract to which he is no party.
_BEARERS = {Side.CREDITOR: (Bearer.CREDITOR,), Side.PARTNER: (Bearer.OPERATOR, Bearer.CREDITOR)}


class GridRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A percentage of what comes in, and for which cases. Limits: from (inclusive) and below; empty is any.

    `amount_*` is the principal with which the case was opened, `age_days_*` the days from its oldest due date until
    then, `countries` the debtor's.
    """

    percent: Decimal
    amount_from: Decimal | None = None
    amount_below: Decimal | None = None
    age_days_from: int | None = None
    age_days_below: int | None = None
    countries: tuple[str, ...] = ()
    currencies: tuple[str, ...] = ()


class CostRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The agreed price of an act or cost (`cost_type`), at most, without VAT, and who bears it."""

    cost_type: str
    currency: str
    amount_most: Decimal
    bearer: Bearer = Bearer.DEBTOR


class Terms(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one version says. The first row of `grid` that fits a case decides.

    `minimum_fee` is per case, in `minimum_currency`, and never more than what came in. `is_withheld`: the fee stays
    back when money is passed on; else it is invoiced. `on_direct_payments`: the fee is due also on what the debtor pays
    to the creditor himself, and is invoiced. Without a `fee_bearer` the other side of the contract bears what it says:
    the creditor the operator's fee, the operator the partner's.
    """

    valid_from: dt.date
    valid_to: dt.date | None = None
    grid: tuple[GridRow, ...] = ()
    minimum_fee: Decimal = Decimal(0)
    minimum_currency: str = "EUR"
    vat_percent: Decimal = Decimal(0)
    fee_bearer: Bearer | None = None
    is_withheld: bool = True
    on_direct_payments: bool = False
    costs: tuple[CostRow, ...] = ()
    note: str = ""

    def bearer_of_fee(self, side: Side) -> Bearer:
        """Who pays the fee in the end."""
        return self.fee_bearer or _BEARERS[side][0]


class Contract(msgspec.Struct, frozen=True, kw_only=True):
    """One version as it is kept."""

    contract_id: str
    side: Side
    party_id: str
    version: int
    terms: Terms

    @property
    def name(self) -> str:
        """How a line names it."""
        return f"contract version {self.version} from {self.terms.valid_from.isoformat()}"


def check_terms(terms: Terms, side: Side | None = None) -> None:
    """Raise `PermanentError` for figures that nobody can have agreed, and for a bearer who is no party to it."""
    wrong = list(_wrong(terms))
    if side is not None and terms.bearer_of_fee(side) not in _BEARERS[side]:
        wrong.append(f"fee_bearer: a fee by a {side.value}'s contract is borne by {' or '.join(_BEARERS[side])}, not {terms.fee_bearer}")
    if wrong:
        raise PermanentError("; ".join(wrong), cure="Correct the contract; nothing was entered.")


def _wrong(terms: Terms) -> Iterable[str]:
    if terms.valid_to is not None and terms.valid_to < terms.valid_from:
        yield "the contract ends before it begins"
    percents = [("vat_percent", terms.vat_percent), *((f"grid row {place}", row.percent) for place, row in enumerate(terms.grid, 1))]
    for where, percent in percents:
        if not percent.is_finite() or not 0 <= percent <= HUNDRED:
            yield f"{where}: {percent} is no percentage from 0 to 100"
    amounts = [("minimum_fee", terms.minimum_fee, terms.minimum_currency), *((row.cost_type, row.amount_most, row.currency) for row in terms.costs)]
    for where, amount, currency in amounts:
        if not amount.is_finite() or amount < 0 or amount != round(amount, minor_units(currency)):
            yield f"{where}: {amount} is no amount of {currency}"
    for place, row in enumerate(terms.grid, 1):
        if _is_empty(row.amount_from, row.amount_below) or _is_empty(row.age_days_from, row.age_days_below):
            yield f"grid row {place} fits nothing: its limits leave no room"


def _is_empty(start: Decimal | int | None, below: Decimal | int | None) -> bool:
    return start is not None and below is not None and start >= below


def in_force(versions: Iterable[Contract], on: dt.date) -> Contract | None:
    """The version that counts on a day: the latest to begin; of two that begin on one day the later entered."""
    begun = [one for one in versions if one.terms.valid_from <= on]
    newest = max(begun, key=lambda one: (one.terms.valid_from, one.version), default=None)
    if newest is None or (newest.terms.valid_to is not None and newest.terms.valid_to < on):
        return None
    return newest


class FeeFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What a grid asks of a case."""

    principal: Decimal
    age_days: int
    country: str
    currency: str


def row_for(terms: Terms, facts: FeeFacts) -> tuple[int, GridRow] | None:
    """The first row that fits, with its place in the grid from 1."""
    return next(((place, row) for place, row in enumerate(terms.grid, 1) if _fits(row, facts)), None)


def _fits(row: GridRow, facts: FeeFacts) -> bool:
    return (
        (row.amount_from is None or row.amount_from <= facts.principal)
        and (row.amount_below is None or facts.principal < row.amount_below)
        and (row.age_days_from is None or row.age_days_from <= facts.age_days)
        and (row.age_days_below is None or facts.age_days < row.age_days_below)
        and (not row.countries or facts.country in row.countries)
        and (not row.currencies or facts.currency in row.currencies)
    )
