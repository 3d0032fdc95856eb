"""What the Polish electronic payment-order court (EPU) asks for beyond the case file.

Source of every limit and code: the court's own published interface (repository e-sad/dokumentacja, schemas
TypyDanych.xsd and Pozwy.xsd, document 1.14.3 of 2017).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal

import msgspec

NAMESPACE = "http://www.currenda.pl/epu"
VERSION = "1.0"  # the only one that a package of claims may carry
CASES_MOST = 1000
PACKAGE_BYTES_MOST = 5_000_000
DEFENDANTS_MOST = 5
CLAIMS_MOST = 127  # the number of a piece of evidence is a signed byte
CURRENCIES = ("PLN", "USD", "EUR", "CHF", "GBP", "AUD", "CAD", "CZK", "DKK", "HUF", "JPY")
NATURAL, TRADER, LEGAL, UNIT = 0, 1, 2, 3
RATE_NEEDED, TEXT_NEEDED = 1, 18


class _Given(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part of the particulars: unknown fields are refused, so that a slip of the pen is not lost."""


class EpuAddress(_Given, frozen=True, kw_only=True):
    """An address in the court's parts."""

    street: str
    house: str
    flat: str = ""
    postcode: str
    town: str


class Court(_Given, frozen=True, kw_only=True):
    """A court and its division. `court_id` is the number in the court's own list."""

    court_id: int = 0
    name: str
    division: str
    address: EpuAddress | None = None


class Filer(_Given, frozen=True, kw_only=True):
    """The person who files: an attorney or another representative, with the description of the authority to act."""

    given_name: str
    family_name: str
    pesel: str
    position: str = ""
    firm: str = ""
    address: EpuAddress
    is_attorney: bool
    authority: str


class PartyDetails(_Given, frozen=True, kw_only=True):
    """What the court must know of a party. `kind`: 0 person, 1 person in trade, 2 legal person, 3 other unit."""

    kind: int | None = None
    given_name: str = ""
    family_name: str = ""
    pesel: str = ""
    nip: str = ""
    regon: str = ""
    krs: str = ""
    seat: str = ""
    citizenship: str = ""
    is_foreign: bool = False
    lacks_numbers: bool = False
    is_by_attorney: bool = True
    address: EpuAddress | None = None
    account: str = ""  # instead of the account in the case file


class InterestPeriod(_Given, frozen=True, kw_only=True):
    """One period of interest on every claim. `kind` is `czyUstawowe` 0 to 18; without `from_on` it begins on the day
    after the claim is due, without `to_on` it runs until payment."""

    kind: int
    from_on: dt.date | None = None
    to_on: dt.date | None = None
    percent: Decimal | None = None
    per: int | None = None  # 0 year, 1 quarter, 2 month, 3 week, 4 day
    text: str = ""


class EpuCase(_Given, frozen=True, kw_only=True):
    """What one case needs."""

    claimant: PartyDetails = PartyDetails()
    defendants: tuple[PartyDetails, ...] = ()
    competent_court: Court | None = None
    value_pln: Decimal | None = None  # needed when the claims are not in zloty
    court_fee: Decimal | None = None
    fee_transaction: int | None = None
    representation_costs: Decimal | None = None  # by the statutory norms when not given
    other_costs: Decimal | None = None
    interest: tuple[InterestPeriod, ...] = ()
    is_business: bool = True
    joint_liability: int = 1  # `solidarnie`: 0 joint and several, 1 other, 2 to 4 as in the schema
    reasons: str = ""
    proves: str = ""  # what the invoices prove


class EpuParticulars(_Given, frozen=True, kw_only=True):
    """The package: court, filer, refund account, and what the cases need (`cases` by case number, else `case`).

    `signatures` names, for replies, the case that a file number of the court belongs to.
    """

    package: str = ""
    filed_on: dt.date | None = None
    court: Court | None = None
    filer: Filer | None = None
    refund_account: str = ""
    refund_owner: str = ""
    case: EpuCase = EpuCase()
    cases: Mapping[str, EpuCase] = {}
    signatures: Mapping[str, str] = {}

    def of(self, case_number: str) -> EpuCase:
        """The particulars of one case."""
        return self.cases.get(case_number, self.case)
