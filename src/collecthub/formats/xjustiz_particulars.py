"""What an enforcement order by XJustiz asks for beyond the case file.

Codes of lists that XJustiz keeps outside its schemas (type 3: court, role, legal form, state, subject) are given with the
version of their list; the hub does not know them and invents none. Source: XJustiz 3.6.2, message 2600003, and the
business rules published with it (xjustiz.zvstr 1.3).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal

import msgspec

EVENT_CODE = "113"  # GDS.Ereignis of an enforcement order: business rule SCH-ZVSTR-0310


class _Given(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part of the particulars: unknown fields are refused."""


class Code(_Given, frozen=True, kw_only=True):
    """A code of a published list and the version of that list."""

    code: str
    version: str


class Place(_Given, frozen=True, kw_only=True):
    """An address instead of the one in the case file. Abroad needs `state`, a code of BFJ.Staat."""

    street: str
    postcode: str
    town: str
    state: Code | None = None


class PartyDetails(_Given, frozen=True, kw_only=True):
    """What the order must say of a party. `salutation` as in a letter (Herr, Frau, Firma)."""

    role: Code
    salutation: str
    given_name: str = ""
    family_name: str = ""
    legal_form: Code | None = None
    is_without_input_tax: bool = False
    address: Place | None = None


class Representative(_Given, frozen=True, kw_only=True):
    """Who files for the creditor: an organisation with its address."""

    name: str
    role: Code
    salutation: str = "Firma"
    legal_form: Code | None = None
    street: str
    postcode: str
    town: str


class Interest(_Given, frozen=True, kw_only=True):
    """Interest on an amount. With an end its `amount` is needed, without one it must not be given (SCH-ZVSTR-0140, 0141)."""

    claim_id: str = ""  # for every claim of the title when empty
    base: Decimal | None = None  # the open amount when not given
    percent: Decimal | None = None
    method: Code | None = None
    from_on: dt.date | None = None
    to_on: dt.date | None = None
    amount: Decimal | None = None


class TitledCost(_Given, frozen=True, kw_only=True):
    """Part III. `kind`: procedure, pre_court or assessed. `remaining` when part of it was paid."""

    kind: str
    total: Decimal
    remaining: Decimal | None = None
    interest: tuple[Interest, ...] = ()


class LawyerFee(_Given, frozen=True, kw_only=True):
    """Part IV: a lawyer's fee for one act. The subtotal is computed."""

    act: str
    value: Decimal
    fee: Decimal
    expenses: Decimal = Decimal(0)
    tax: Decimal = Decimal(0)


class OtherCost(_Given, frozen=True, kw_only=True):
    """Part IV: a cost by name."""

    name: str
    amount: Decimal


class Title(_Given, frozen=True, kw_only=True):
    """An enforceable title, the claims it covers (all when empty) and its costs. `kind` is a code of ZVSTR.Titelart."""

    number: str = "1"
    kind: str
    other_kind: str = ""
    file_number: str
    court: Code | None = None
    authority: str = ""  # when it was not a court
    dated_on: dt.date
    is_service_proven: bool = False
    claim_ids: tuple[str, ...] = ()
    interest: tuple[Interest, ...] = ()
    titled_costs: tuple[TitledCost, ...] = ()
    earlier_enforcement_costs: Decimal | None = None
    collection_costs: Decimal | None = None
    lawyer_fees: tuple[LawyerFee, ...] = ()
    other_costs: tuple[OtherCost, ...] = ()


class XJustizCase(_Given, frozen=True, kw_only=True):
    """What one case needs. `orders`: service, amicable, disclosure, attachment, address_search, third_party_search;
    anything else goes to `other_orders` in words."""

    creditor: PartyDetails | None = None
    debtors: tuple[PartyDetails, ...] = ()
    representative: Representative | None = None
    titles: tuple[Title, ...] = ()
    orders: tuple[str, ...] = ()
    other_orders: tuple[str, ...] = ()
    instalment_least: Decimal | None = None
    hints: tuple[str, ...] = ()
    court_title_copy: bool = False  # a copy of the Vollstreckungsbescheid is enclosed
    assurances: tuple[str, ...] = ()
    stated_total: Decimal | None = None  # the ledger's own total; refused when the document sums up to another


class XJustizParticulars(_Given, frozen=True, kw_only=True):
    """The order itself and what the cases need (`cases` by case number, else `case`)."""

    ordered_on: dt.date | None = None
    kind_of_request: str = ""  # `antragsort`: the place where the request is signed
    office: str = ""
    office_file: str = ""
    subject: Code | None = None  # GDS.Sachgebiet
    event_version: str = ""  # version of the list GDS.Ereignis
    case: XJustizCase = XJustizCase()
    cases: Mapping[str, XJustizCase] = {}

    def of(self, case_number: str) -> XJustizCase:
        """The particulars of one case."""
        return self.cases.get(case_number, self.case)
