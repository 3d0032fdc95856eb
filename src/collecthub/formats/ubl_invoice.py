"""UBL 2.x invoices and credit notes, as EN 16931 and Peppol write them."""

from __future__ import annotations

from decimal import Decimal

from lxml import etree

from collecthub.formats.bundled_schemas import kind_of, schema_faults
from collecthub.formats.electronic_invoice import CREDIT_NOTE_CODES, ElectronicInvoice, Reader
from collecthub.model.party import Address, Contact, Party
from collecthub.wire.xml import Element

_UBL = "urn:oasis:names:specification:ubl:schema:xsd:"
ROOTS = {f"{{{_UBL}Invoice-2}}Invoice", f"{{{_UBL}CreditNote-2}}CreditNote"}
_PREFIXES = {"cac": f"{_UBL}CommonAggregateComponents-2", "cbc": f"{_UBL}CommonBasicComponents-2"}
_ADDRESS_LINES = ("cbc:StreetName", "cbc:AdditionalStreetName", "cac:AddressLine/cbc:Line")


def read_ubl(root: Element) -> ElectronicInvoice:
    """An invoice or credit note. Raises `QuarantineError` (`invoice.unreadable`) without number, date or amounts."""
    document = Reader(root, _PREFIXES)
    is_note = etree.QName(root).localname == "CreditNote"
    type_code = document.text("cbc:CreditNoteTypeCode" if is_note else "cbc:InvoiceTypeCode")
    kind = kind_of(root)
    total = "cac:LegalMonetaryTotal"
    payable = document.amount(f"{total}/cbc:PayableAmount", "BT-115")
    return ElectronicInvoice(
        syntax="UBL",
        profile=document.text("cbc:CustomizationID"),
        number=document.needed("cbc:ID", "BT-1"),
        type_code=type_code,
        is_credit=is_note or type_code in CREDIT_NOTE_CODES,
        issued_on=document.issue_day("cbc:IssueDate"),
        due_on=document.day("cbc:DueDate", "BT-9") or document.day("cac:PaymentMeans/cbc:PaymentDueDate", "BT-9"),
        terms=document.text("cac:PaymentTerms/cbc:Note"),
        currency=_currency(document, f"{total}/cbc:PayableAmount"),
        total=document.amount(f"{total}/cbc:TaxInclusiveAmount", "BT-112", payable),
        paid=document.amount(f"{total}/cbc:PrepaidAmount", "BT-113", Decimal(0)),
        payable=payable,
        seller=_party(document.below("cac:AccountingSupplierParty/cac:Party")),
        buyer=_party(document.below("cac:AccountingCustomerParty/cac:Party")),
        payee_account=document.text("cac:PaymentMeans/cac:PayeeFinancialAccount/cbc:ID"),
        payment_ref=document.text("cac:PaymentMeans/cbc:PaymentID"),
        preceding=tuple(
            number
            for reference in document.each("cac:BillingReference/cac:InvoiceDocumentReference")
            if (number := reference.text("cbc:ID"))
        ),
        faults=tuple(schema_faults(root, kind)) if kind else (),
    )


def _currency(document: Reader, payable: str) -> str:
    """BT-5; a UBL document without it states the currency with its amounts."""
    return document.text("cbc:DocumentCurrencyCode") or document.attribute(payable, "currencyID")


def _party(party: Reader | None) -> Party:
    if party is None:
        return Party(name="")
    country = party.text("cac:PostalAddress/cac:Country/cbc:IdentificationCode")
    place = party.below("cac:PostalAddress")
    contact = Contact(
        name=party.text("cac:Contact/cbc:Name"), email=party.text("cac:Contact/cbc:ElectronicMail"),
        phone=party.text("cac:Contact/cbc:Telephone"),
    )  # fmt: skip
    return Party(
        name=party.text("cac:PartyLegalEntity/cbc:RegistrationName", "cac:PartyName/cbc:Name"),
        country=country, registration_ref=party.text("cac:PartyLegalEntity/cbc:CompanyID"),
        vat_ref=_vat(party), address=_address(place, country),
        contacts=(contact,) if contact != Contact() else (),
    )  # fmt: skip


def _vat(party: Reader) -> str:
    """The VAT number, not another tax number that stands beside it."""
    schemes = party.each("cac:PartyTaxScheme")
    return next((one.text("cbc:CompanyID") for one in schemes if one.text("cac:TaxScheme/cbc:ID") == "VAT"), "")


def _address(place: Reader | None, country: str) -> Address:
    if place is None:
        return Address(country=country)
    lines = tuple(line for path in _ADDRESS_LINES if (line := place.text(path)))
    return Address(lines=lines, postcode=place.text("cbc:PostalZone"), city=place.text("cbc:CityName"), country=country)
