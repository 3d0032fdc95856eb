"""UN/CEFACT Cross Industry Invoices: EN 16931 in CII, XRechnung, Factur-X and ZUGFeRD."""

from __future__ import annotations

from decimal import Decimal

from collecthub.formats.bundled_schemas import CII_NAMESPACE, bundled_schema
from collecthub.formats.electronic_invoice import CREDIT_NOTE_CODES, ElectronicInvoice, Reader
from collecthub.model.party import Address, Contact, Party
from collecthub.wire.xml import Element, SchemaFault

ROOT = f"{{{CII_NAMESPACE}}}CrossIndustryInvoice"
_UN = "urn:un:unece:uncefact:data:standard:"
_PREFIXES = {
    "rsm": CII_NAMESPACE,
    "ram": f"{_UN}ReusableAggregateBusinessInformationEntity:100",
    "udt": f"{_UN}UnqualifiedDataType:100",
}
_ADDRESS_LINES = ("ram:LineOne", "ram:LineTwo", "ram:LineThree")
# Factur-X names its profile in BT-24; every other document is judged by the schema of CII itself.
_PROFILES = {
    "urn:factur-x.eu:1p0:minimum": "minimum/Factur-X_MINIMUM.xsd",
    "urn:factur-x.eu:1p0:basicwl": "basicwl/Factur-X_BASICWL.xsd",
    "urn:cen.eu:en16931:2017#compliant#urn:factur-x.eu:1p0:basic": "basic/Factur-X_BASIC.xsd",
    "urn:cen.eu:en16931:2017": "en16931/Factur-X_EN16931.xsd",
    "urn:cen.eu:en16931:2017#conformant#urn:factur-x.eu:1p0:extended": "extended/Factur-X_EXTENDED.xsd",
}


def read_cii(root: Element) -> ElectronicInvoice:
    """An invoice or credit note. Raises `QuarantineError` (`invoice.unreadable`) without number, date or amounts."""
    document = Reader(root, _PREFIXES)
    head = "rsm:ExchangedDocument"
    deal = "rsm:SupplyChainTradeTransaction"
    agreed, settled = f"{deal}/ram:ApplicableHeaderTradeAgreement", f"{deal}/ram:ApplicableHeaderTradeSettlement"
    sums = f"{settled}/ram:SpecifiedTradeSettlementHeaderMonetarySummation"
    means = f"{settled}/ram:SpecifiedTradeSettlementPaymentMeans/ram:PayeePartyCreditorFinancialAccount"
    terms = f"{settled}/ram:SpecifiedTradePaymentTerms"
    profile = document.text("rsm:ExchangedDocumentContext/ram:GuidelineSpecifiedDocumentContextParameter/ram:ID")
    type_code = document.text(f"{head}/ram:TypeCode")
    payable = document.amount(f"{sums}/ram:DuePayableAmount", "BT-115")
    return ElectronicInvoice(
        syntax="CII",
        profile=profile,
        number=document.needed(f"{head}/ram:ID", "BT-1"),
        type_code=type_code,
        is_credit=type_code in CREDIT_NOTE_CODES,
        issued_on=document.issue_day(f"{head}/ram:IssueDateTime/udt:DateTimeString"),
        due_on=document.day(f"{terms}/ram:DueDateDateTime/udt:DateTimeString", "BT-9"),
        terms=document.text(f"{terms}/ram:Description"),
        currency=document.needed(f"{settled}/ram:InvoiceCurrencyCode", "BT-5"),
        total=document.amount(f"{sums}/ram:GrandTotalAmount", "BT-112", payable),
        paid=document.amount(f"{sums}/ram:TotalPrepaidAmount", "BT-113", Decimal(0)),
        payable=payable,
        seller=_party(document.below(f"{agreed}/ram:SellerTradeParty")),
        buyer=_party(document.below(f"{agreed}/ram:BuyerTradeParty")),
        payee_account=document.text(f"{means}/ram:IBANID", f"{means}/ram:ProprietaryID"),
        payment_ref=document.text(f"{settled}/ram:PaymentReference"),
        preceding=tuple(
            number
            for reference in document.each(f"{settled}/ram:InvoiceReferencedDocument")
            if (number := reference.text("ram:IssuerAssignedID"))
        ),
        faults=tuple(cii_faults(root, profile)),
    )


def cii_faults(root: Element, profile: str) -> list[SchemaFault]:
    """What the schema of the document's own profile says, else the one of CII."""
    if profile in _PROFILES:
        return bundled_schema("factur-x-1.09", _PROFILES[profile]).check(root)
    return bundled_schema("cii-d16b", "data/standard/CrossIndustryInvoice_100pD16B.xsd").check(root)


def fitting_profiles(root: Element) -> tuple[str, ...]:
    """The Factur-X profiles whose schema accepts a document, the smallest first."""
    return tuple(
        path.partition("/")[0]
        for path in _PROFILES.values()
        if not bundled_schema("factur-x-1.09", path).check(root)
    )


def _party(party: Reader | None) -> Party:
    if party is None:
        return Party(name="")
    country = party.text("ram:PostalTradeAddress/ram:CountryID")
    desk = "ram:DefinedTradeContact"
    contact = Contact(
        name=party.text(f"{desk}/ram:PersonName"),
        email=party.text(f"{desk}/ram:EmailURIUniversalCommunication/ram:URIID"),
        phone=party.text(f"{desk}/ram:TelephoneUniversalCommunication/ram:CompleteNumber"),
    )
    return Party(
        name=party.text("ram:Name"), country=country,
        registration_ref=party.text("ram:SpecifiedLegalOrganization/ram:ID"), vat_ref=_vat(party),
        address=_address(party.below("ram:PostalTradeAddress"), country),
        contacts=(contact,) if contact != Contact() else (),
    )  # fmt: skip


def _vat(party: Reader) -> str:
    """The VAT number (scheme VA), not the local tax number (FC) that may stand beside it."""
    numbers = party.each("ram:SpecifiedTaxRegistration")
    return next((one.text("ram:ID") for one in numbers if one.attribute("ram:ID", "schemeID") == "VA"), "")


def _address(place: Reader | None, country: str) -> Address:
    if place is None:
        return Address(country=country)
    lines = tuple(line for path in _ADDRESS_LINES if (line := place.text(path)))
    return Address(
        lines=lines, postcode=place.text("ram:PostcodeCode"), city=place.text("ram:CityName"), country=country
    )
