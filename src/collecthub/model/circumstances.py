"""What a person states of a case that no field of an ERP and no document kind tells: contract, clauses, letters, title.

The checks of `collecthub.law.feasibility` read it. What is empty or None was not said, and is never taken for a no;
an empty tuple says that there is none.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import msgspec

CLAUSE_KINDS = ("court", "arbitration", "interest", "penalty", "terms", "retention", "law")
LETTER_KINDS = ("reminder", "notice", "pre_action")
FIXINGS = ("floating", "at_start", "at_due")  # of `collecthub.law.rules.Fixing`


class Clause(msgspec.Struct, frozen=True, kw_only=True):
    """A clause that the claim relies on or that binds the route. `document_kind`: where it stands."""

    kind: str  # one of CLAUSE_KINDS
    country: str = ""
    is_exclusive: bool = True
    document_kind: str = ""


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """A letter to the debtor whose text and day are known."""

    kind: str  # one of LETTER_KINDS
    sent_on: dt.date
    channel: str = "letter"


class InterestTerms(msgspec.Struct, frozen=True, kw_only=True):
    """Interest as the creditor's statement has it: percent a year, one of FIXINGS, from which day."""

    percent: Decimal | None = None
    fixing: str = ""
    is_compound: bool | None = None
    from_on: dt.date | None = None


class Circumstances(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was stated of one case. A later statement replaces the one before as a whole.

    `performed_in` is where was delivered or served, `issuer_name` who wrote the invoices if not the creditor,
    `document_languages` the BCP 47 tags of the papers at hand. `title_*` is the judgment or other title that exists.
    `screened_on` is the day of a screening against sanctions lists, `is_sanctioned` that it hit.
    """

    contract_on: dt.date | None = None
    performed_in: str = ""
    issuer_name: str = ""
    document_languages: tuple[str, ...] = ()
    clauses: tuple[Clause, ...] | None = None
    letters: tuple[Letter, ...] | None = None
    interest: InterestTerms | None = None
    title_on: dt.date | None = None
    title_country: str = ""
    registers_asked_on: dt.date | None = None
    screened_on: dt.date | None = None
    is_sanctioned: bool = False
