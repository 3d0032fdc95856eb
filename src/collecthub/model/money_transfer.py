"""One sum for many cases: what a partner passes on, perhaps from another currency, with rate, charges and bearer. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from decimal import Decimal

import msgspec

from collecthub.errors import PermanentError
from collecthub.model.contract import Bearer
from collecthub.model.money import minor_units, round_amount

ZERO = Decimal(0)


class TransferLine(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The part of one payment that the partner reported, in the currency in which he sends."""

    case: str
    payment_ref: str
    amount: Decimal


class Transfer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A transfer as the partner announces it.

    `rate` is what one unit of `currency` is in `received_currency`, on `rate_on`, from `rate_source`. `charges` were
    taken off on the way and `fee` is what the partner keeps for its work, both in `received_currency`; `bearer` and
    `fee_bearer` say whose they are by the contract.
    """

    reference: str
    currency: str
    amount: Decimal
    received_currency: str
    received: Decimal
    rate: Decimal = Decimal(1)
    rate_on: dt.date | None = None
    rate_source: str = ""
    charges: Decimal = Decimal(0)
    bearer: Bearer = Bearer.CREDITOR
    fee: Decimal = Decimal(0)
    fee_bearer: Bearer = Bearer.OPERATOR
    paid_on: dt.date | None = None
    lines: tuple[TransferLine, ...]

    @property
    def by_rate(self) -> Decimal:
        """What the amount is at the rate, before charges and fee."""
        return round_amount(self.amount * self.rate, self.received_currency)

    @property
    def operators_part(self) -> Decimal:
        """What was taken off and is the operator's to bear: creditors hold as if it had arrived."""
        charges = self.charges if self.bearer is Bearer.OPERATOR else ZERO
        return charges + (self.fee if self.fee_bearer is Bearer.OPERATOR else ZERO)


def findings_of(transfer: Transfer) -> tuple[str, ...]:
    """What does not add up, with both figures."""
    return tuple(_findings(transfer))


def _findings(transfer: Transfer) -> Iterator[str]:
    lines = sum((line.amount for line in transfer.lines), ZERO)
    if lines != transfer.amount:
        yield f"the lines make {lines} {transfer.currency}, the transfer says {transfer.amount}"
    expected = transfer.by_rate - transfer.charges - transfer.fee
    if expected != transfer.received:
        fee = f" and a fee of {transfer.fee}" if transfer.fee else ""
        yield (
            f"{transfer.amount} {transfer.currency} at {transfer.rate} less charges of {transfer.charges}{fee} are {expected}"
            f" {transfer.received_currency}, the transfer says {transfer.received}"
        )
    if transfer.bearer is Bearer.PARTNER and transfer.charges:
        yield f"the partner bears the charges, but {transfer.charges} {transfer.received_currency} were taken off"


def check_transfer(transfer: Transfer) -> None:
    """Raise `PermanentError` for what no transfer can be."""
    places = minor_units(transfer.received_currency)
    if min(transfer.charges, transfer.fee) < 0 or min(transfer.received, transfer.rate) <= 0 or not transfer.lines:
        raise PermanentError("a transfer has lines, a rate and amounts above zero", cure="Correct the document.")
    if any(amount != round(amount, places) for amount in (transfer.received, transfer.charges, transfer.fee)):
        raise PermanentError(f"an amount is finer than {transfer.received_currency}", cure="Correct the document.")
    if any(line.amount <= 0 for line in transfer.lines):
        raise PermanentError("a line is not above zero", cure="Announce reversals by themselves.")
    if transfer.currency != transfer.received_currency and (transfer.rate_on is None or not transfer.rate_source):
        raise PermanentError("the rate has no day or no source", cure="Say of which day it is and whose.")


def shares(transfer: Transfer) -> tuple[Decimal, ...]:
    """What each line is in the currency received: in proportion, whole minor units, adding up exactly.

    What the operator bears is not the creditors' loss: then the shares add up to what was received and that.

    >>> line = TransferLine(case="A", payment_ref="P", amount=Decimal("1.00"))
    >>> one = Transfer(reference="T", currency="EUR", amount=Decimal("3.00"), received_currency="EUR",
    ...                received=Decimal("2.99"), charges=Decimal("0.01"), lines=(line, line, line))
    >>> shares(one)
    (Decimal('1.00'), Decimal('1.00'), Decimal('0.99'))
    """
    weights = [line.amount for line in transfer.lines]
    return in_proportion(transfer.received + transfer.operators_part, weights, minor_units(transfer.received_currency))


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """What one line lost on the way and its creditor bears, in the currency of the line."""

    fee: Decimal
    charges: Decimal


def taken_off(transfer: Transfer) -> tuple[Taken, ...]:
    """What the creditors bear of the partner's fee and the charges, by line, turned back by the transfer's own rate."""
    weights = [line.amount for line in transfer.lines]
    fee = transfer.fee if transfer.fee_bearer is Bearer.CREDITOR else ZERO
    charges = transfer.charges if transfer.bearer is Bearer.CREDITOR else ZERO
    places = minor_units(transfer.currency)
    parts = [
        in_proportion(round_amount(amount / transfer.rate, transfer.currency), weights, places) for amount in (fee, charges)
    ]
    return tuple(Taken(fee=of_fee, charges=of_charges) for of_fee, of_charges in zip(*parts, strict=True))


def in_proportion(total: Decimal, weights: Sequence[Decimal], places: int) -> tuple[Decimal, ...]:
    """A sum split by weights into amounts of so many decimals that add up to it; the largest remainders get the rest.

    >>> in_proportion(Decimal("0.10"), [Decimal(1), Decimal(1), Decimal(1)], 2)
    (Decimal('0.04'), Decimal('0.03'), Decimal('0.03'))
    """
    unit, whole = Decimal(1).scaleb(-places), sum(weights, ZERO)
    exact = [total * weight / whole for weight in weights]
    found = [amount.quantize(unit, rounding="ROUND_FLOOR") for amount in exact]
    short = int((total - sum(found, ZERO)) / unit)
    for place in sorted(range(len(exact)), key=lambda place: found[place] - exact[place])[:short]:
        found[place] += unit
    return tuple(found)
