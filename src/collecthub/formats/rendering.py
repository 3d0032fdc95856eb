"""An exchange as people read it: HTML and PDF of every message, case files with all they hold.

What is shown is the exchange itself, nothing is looked up: a person sees what was sent.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from collecthub.errors import QuarantineError
from collecthub.formats.rendering_account import account_sections, claim_notes, money
from collecthub.formats.scalars import AMOUNT
from collecthub.formats.shape import Record, fields_of
from collecthub.model.exchange import CaseFile, Decoded, DocumentItem, Exchange, Message
from collecthub.model.party import Party
from collecthub.paper.sheet import Column, Section, Sheet, Table

Facts = tuple[tuple[str, str], ...]

_TEST_BANNER = "TEST: this exchange is for trial only and asks nobody to act."
_PROCEDURES = {
    "amicable": "amicable collection",
    "judicial": "judicial procedure",
    "enforcement": "enforcement of a title",
}
_CLAIM_COLUMNS = (
    Column(name="Invoice"), Column(name="Issued on"), Column(name="Due on"),
    Column(name="Original", is_amount=True), Column(name="Open", is_amount=True),
)  # fmt: skip


class HtmlRendering:
    """Writes an exchange as one HTML file."""

    format_id = "html"
    media_type = "text/html"

    def encode(self, exchange: Exchange) -> bytes:
        """Escaped and self-contained."""
        from collecthub.paper.html import sheet_html  # the printers are large: only who prints loads them

        return sheet_html(exchange_sheet(exchange))

    def decode(self, content: bytes) -> Decoded:
        """A rendering is for people; raises `QuarantineError` (`rendering.one_way`)."""
        raise _one_way(self.format_id)


class PdfRendering:
    """Writes an exchange as PDF/A."""

    format_id = "pdf"
    media_type = "application/pdf"

    def encode(self, exchange: Exchange) -> bytes:
        """Dated with the exchange itself. Raises `PermanentError` for a script that no installed font has."""
        from collecthub.paper.pdf import sheet_pdf

        return sheet_pdf(exchange_sheet(exchange), exchange.created_at)

    def decode(self, content: bytes) -> Decoded:
        """A rendering is for people; raises `QuarantineError` (`rendering.one_way`)."""
        raise _one_way(self.format_id)


def _one_way(format_id: str) -> QuarantineError:
    return QuarantineError(
        f"{format_id} is for people and is not read back.", code="rendering.one_way",
        cure="Ask the sender for the exchange itself.",
    )  # fmt: skip


def exchange_sheet(exchange: Exchange) -> Sheet:
    """What an exchange says, ready to be laid out."""
    only = exchange.messages[0] if len(exchange.messages) == 1 else None
    title = f"{_heading(only)} {_number(only)}" if only is not None else f"{len(exchange.messages)} messages"
    facts = (
        ("From", exchange.sender_ref), ("To", exchange.receiver_ref), ("Written", _moment(exchange.created_at)),
        ("Exchange", exchange.exchange_id),
    )  # fmt: skip
    sections = [section for message in exchange.messages for section in _sections(message, is_only=only is not None)]
    return Sheet(
        title=title, subtitle=_subtitle(only), banner=_TEST_BANNER if exchange.is_test else "",
        footer=f"Exchange {exchange.exchange_id}, version {exchange.version}", facts=facts, sections=tuple(sections),
    )  # fmt: skip


def _heading(message: Message) -> str:
    """`CaseStatusUpdate` as people say it.

    >>> from collecthub.model.exchange import CaseReturn
    >>> _spaced(CaseReturn.__name__)
    'Case return'
    """
    return _spaced(type(message).__name__)


def _spaced(name: str) -> str:
    words = "".join(f" {char.lower()}" if char.isupper() else char for char in name).split()
    return " ".join(words).capitalize()


def _number(message: Message) -> str:
    return message.case_number if isinstance(message, CaseFile) else message.case_id


def _subtitle(message: Message | None) -> str:
    if not isinstance(message, CaseFile):
        return ""
    return f"{message.creditor.name} against {', '.join(debtor.name for debtor in message.debtors)}"


def _sections(message: Message, *, is_only: bool) -> Iterator[Section]:
    if isinstance(message, CaseFile):
        yield from _case_file(message, "" if is_only else f"{message.case_number}: ")
        return
    title = "Message" if is_only else f"{_heading(message)} {_number(message)}"
    yield Section(title=title, facts=tuple(_record_facts(message)))


# --- a case file --------------------------------------------------------------------------------------------------


def _case_file(file: CaseFile, prefix: str) -> Iterator[Section]:
    yield Section(title=f"{prefix}What is asked", facts=_asked(file))
    yield Section(title=f"{prefix}Creditor", facts=_party(file.creditor))
    for number, debtor in enumerate(file.debtors, 1):
        place = f" {number} of {len(file.debtors)}" if len(file.debtors) > 1 else ""
        yield Section(title=f"{prefix}Debtor{place}", facts=_party(debtor))
    yield Section(title=f"{prefix}Claims", table=_claims(file), paragraphs=tuple(claim_notes(file)))
    payment = file.payment
    where = (("Payee", payment.payee), ("Account", payment.account), ("Reference", payment.reference))
    yield Section(title=f"{prefix}Payment", facts=_told(where))
    yield from account_sections(file, prefix)
    for document in file.documents:
        yield Section(title=f"{prefix}Document: {document.name}", facts=_document(document))
    if file.remarks:
        yield Section(title=f"{prefix}Remarks", paragraphs=tuple(file.remarks.splitlines()))


def _told_of(record: Record, currency: str) -> str:
    return "; ".join(f"{label} {text}" for label, text in _record_facts(record, currency))


def _asked(file: CaseFile) -> Facts:
    return _told(
        (
            ("Procedure", _PROCEDURES[file.procedure]), ("Principal", money(file.principal, file.currency)),
            ("Language", file.language), ("Mandate", file.mandate_ref),
            ("Reminders sent", f"dunning level {file.dunning_level}" if file.dunning_level else ""),
            ("Case", file.case_id), ("Message", file.message_id),
        )
    )  # fmt: skip


def _party(party: Party) -> Facts:
    address = party.address
    town = " ".join(part for part in (address.postcode, address.city) if part)
    place = tuple(line for line in (*address.lines, town) if line)
    country = address.country or party.country
    contacts = [
        ", ".join(part for part in (contact.name, contact.role, contact.email, contact.phone) if part)
        for contact in party.contacts
    ]
    facts = (
        ("Name", party.name), ("Kind", party.kind.value), ("Address", "\n".join((*place, country) if place else ())),
        ("Country", "" if place and country == party.country else party.country or country), ("Language", party.language),
        ("Registration", party.registration_ref), ("VAT number", party.vat_ref),
    )  # fmt: skip
    return _told((*facts, *(("Contact", contact) for contact in contacts)))


def _claims(file: CaseFile) -> Table:
    rows = [
        (
            claim.invoice_ref, _day(claim.issued_on), _day(claim.due_on),
            money(claim.original_amount, file.currency), money(claim.open_amount, file.currency),
        )
        for claim in file.claims
    ]  # fmt: skip
    sums = [("Principal", "", "", "", money(file.principal, file.currency))]
    if file.credits:
        sums.insert(0, ("Less payments and credits not tied to one claim", "", "", "", money(-file.credits, file.currency)))
    return Table(columns=_CLAIM_COLUMNS, rows=(*rows, *sums), sum_rows=len(sums))


def _document(document: DocumentItem) -> Facts:
    size = f"{len(document.content):,} bytes" if document.content else "travels beside this file"
    return _told(
        (("Kind", document.kind), ("Type", document.media_type), ("Size", size), ("SHA-256", document.sha256))
    )


# --- every other message -------------------------------------------------------------------------------------------


def _record_facts(record: Record, currency: str = "") -> Iterator[tuple[str, str]]:
    """Every field that says something, by its name; amounts are in the record's own currency, else in `currency`."""
    own = getattr(record, "currency", currency)
    for field in fields_of(type(record)):
        value = getattr(record, field.name)
        if field.is_many:
            for place, entry in enumerate(value, 1):
                told = _told_of(entry, own) if field.record else _spelled(entry, own)
                yield f"{_label(field.name.removesuffix('s'))} {place}", told
        elif value not in (None, ""):
            yield _label(field.name), _spelled(value, own if field.scalar is AMOUNT else "")


def _label(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _spelled(value: Any, currency: str) -> str:
    if isinstance(value, Decimal):
        return money(value, currency) if currency else f"{value:,f}"
    if isinstance(value, dt.datetime):
        return _moment(value)
    return str(value)


def _told(facts: tuple[tuple[str, str], ...]) -> Facts:
    return tuple((label, value) for label, value in facts if value)


def _day(day: dt.date | None) -> str:
    return day.isoformat() if day is not None else ""


def _moment(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
