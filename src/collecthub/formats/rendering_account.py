"""What stands in a case file beside its claims, as people read it: interest, titles, orders, earlier reminders, the account."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from collecthub.model.exchange import CaseFile, ClaimItem, ClaimPart, InterestTerm, TitleItem, Totals
from collecthub.model.money import minor_units
from collecthub.paper.sheet import Column, Section, Table

_INTEREST = (
    Column(name="Invoice"), Column(name="On", is_amount=True), Column(name="A year"), Column(name="Days"),
    Column(name="Grown", is_amount=True), Column(name="Basis"),
)  # fmt: skip
_SENT = (Column(name="Day"), Column(name="Level"), Column(name="Channel"), Column(name="Reference"))
_ACCOUNT = (Column(name="Part"), Column(name="Amount", is_amount=True))


def account_sections(file: CaseFile, prefix: str) -> Iterator[Section]:
    """The sections, each only where the file says something."""
    terms = tuple(_term(claim, term, file.currency) for claim in file.claims for term in claim.interest)
    if terms:
        yield Section(title=f"{prefix}Interest", table=Table(columns=_INTEREST, rows=terms))
    if file.titles:
        yield Section(title=f"{prefix}Enforceable titles", facts=tuple((one.file_ref, _title(one, file)) for one in file.titles))
    if file.orders:
        facts = tuple((_words(one.code), one.text or "asked for") for one in file.orders)
        yield Section(title=f"{prefix}Acts that are asked for", facts=facts)
    if file.dunning_steps:
        rows = tuple((one.sent_on.isoformat(), str(one.level), one.channel, one.reference) for one in file.dunning_steps)
        yield Section(title=f"{prefix}Sent to the debtor before", table=Table(columns=_SENT, rows=rows))
    if file.totals is not None:
        yield Section(title=f"{prefix}Account", table=_account(file.totals, file.currency))


def claim_notes(file: CaseFile) -> Iterator[str]:
    """What a claim says beside its amounts, one line each."""
    refs = {claim.claim_id: claim.invoice_ref for claim in file.claims}
    for claim in file.claims:
        parts = (
            claim.description, _words(claim.kind), f"part {claim.part.value}" if claim.part is not ClaimPart.PRINCIPAL else "",
            f"for {_words(claim.cause)}" if claim.cause else "",
            f"arose from {', '.join(refs.get(one, one) for one in claim.related_claim_ids)}" if claim.related_claim_ids else "",
        )  # fmt: skip
        if any(parts):
            yield f"{claim.invoice_ref}: {'; '.join(filter(None, parts))}"


def money(amount: Decimal, currency: str) -> str:
    """An amount with at least the decimals of its currency, and all that it has."""
    places = max(minor_units(currency), -int(amount.as_tuple().exponent))
    return f"{amount:,.{places}f} {currency}"


def _term(claim: ClaimItem, term: InterestTerm, currency: str) -> tuple[str, ...]:
    days = f"from {term.from_on}" + (f" to {term.to_on}" if term.to_on else "")
    grown = money(term.accrued_amount, currency) if term.accrued_amount is not None else ""
    basis = "; ".join(filter(None, (term.legal_basis, term.method)))
    return claim.invoice_ref, money(term.base_amount, currency), _rate(term), days, grown, basis


def _rate(term: InterestTerm) -> str:
    """A rate with what comes on top of it.

    >>> import datetime as dt
    >>> term = InterestTerm(base_amount=Decimal(1), reference_rate="ecb_main", margin_percent=Decimal("8.00"), from_on=dt.date(2026, 1, 1))
    >>> _rate(term)
    'ecb_main + 8 %'
    """
    parts = (
        f"{term.rate_percent.normalize():f} %" if term.rate_percent is not None else term.reference_rate,
        f"{term.margin_percent.normalize():f} %" if term.margin_percent is not None else "",
    )
    return " + ".join(filter(None, parts))


def _title(title: TitleItem, file: CaseFile) -> str:
    covered = [claim.invoice_ref for claim in file.claims if claim.claim_id in title.claim_ids]
    return "\n".join(
        filter(
            None,
            (
                f"{_words(title.kind)}, {title.authority}, {title.dated_on}",
                f"served on {title.served_on}" if title.served_on else "", f"final on {title.final_on}" if title.final_on else "",
                f"certificate for use abroad: {title.certificate}" if title.certificate else "",
                f"for {', '.join(covered)}" if covered else "",
            ),
        )
    )  # fmt: skip


def _account(totals: Totals, currency: str) -> Table:
    """Parts that are nought are left out; what was received and is disputed comes off."""
    parts = (
        ("Principal", totals.principal), ("Interest", totals.interest), ("Surcharges", totals.surcharges),
        ("Recurring", totals.recurring), ("Titled costs", totals.titled_costs), ("Costs of enforcement", totals.enforcement_costs),
        ("Received, credited and given up", -totals.received), ("Disputed, not asked for", -totals.withheld),
    )  # fmt: skip
    rows = tuple((name, money(amount, currency)) for name, amount in parts if amount or name == "Principal")
    return Table(columns=_ACCOUNT, rows=(*rows, (f"Total on {totals.as_of_on}", money(totals.total, currency))), sum_rows=1)


def _words(code: str) -> str:
    return code.replace("_", " ")
