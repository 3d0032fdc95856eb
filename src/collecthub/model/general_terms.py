"""A creditor's general terms: clauses that hold for his invoices of a time, stated once and not for each case."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence

import msgspec

from collecthub.model.circumstances import Clause, InterestTerms

ACCEPTED_BY = ("contract", "order", "terms", "invoice")


class GeneralTerms(msgspec.Struct, frozen=True, kw_only=True):
    """One statement, never changed: for invoices issued from `from_on` to `until_on` the newest statement counts.

    `accepted_by` is the paper by which debtors accept the terms; `invoice`: they stand on the invoice only. Each clause
    names that paper too. `language` is a BCP 47 tag, `document_*` the text of the terms where it was given.
    """

    terms_id: str
    creditor_id: str
    from_on: dt.date
    until_on: dt.date | None = None
    accepted_by: str
    language: str = ""
    clauses: tuple[Clause, ...] = ()
    interest: InterestTerms | None = None
    document_name: str = ""
    document_sha256: str = ""
    stated_by: str = ""
    stated_at: dt.datetime

    def holds_on(self, day: dt.date) -> bool:
        """Whether an invoice of that day is under it."""
        return self.from_on <= day and (self.until_on is None or day <= self.until_on)


def terms_on(newest_first: Sequence[GeneralTerms], days: Collection[dt.date | None]) -> GeneralTerms | None:
    """What held on each of the days; None where nothing did, where a day is not known, or where they are under several."""
    held = {
        next((one.terms_id for one in newest_first if day is not None and one.holds_on(day)), "") for day in days
    }  # fmt: skip
    return next((one for one in newest_first if held == {one.terms_id}), None)
