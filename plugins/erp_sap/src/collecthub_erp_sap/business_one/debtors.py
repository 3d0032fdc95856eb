"""Customers of Business One: who the debtor is, where he lives and how to reach him."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence

import msgspec

from collecthub.sdk import Address, Contact, DebtorRecord, Party, PartyKind
from collecthub_erp_sap.business_one.client import ServiceLayerClient
from collecthub_erp_sap.business_one.mapping import YES, calendar_day
from collecthub_erp_sap.business_one.query import Found, columns, day_text, one_of
from collecthub_erp_sap.odata import literal

_AT_A_TIME = 20
_KINDS = {"cPrivate": PartyKind.PERSON, "cGovernment": PartyKind.PUBLIC}
# Codes of BoSuppLangs, the vendor's own list of user languages, read 2026-11.
_LANGUAGES = {
    2: "es", 3: "en", 5: "pl", 6: "en", 7: "es", 8: "en", 9: "de", 10: "sr", 11: "da", 12: "no", 13: "it", 14: "hu",
    15: "zh", 16: "nl", 17: "fi", 18: "el", 19: "pt", 20: "sv", 21: "en", 22: "fr", 23: "es", 24: "ru", 25: "es",
    26: "cs", 27: "sk", 28: "ko", 29: "pt", 30: "ja", 31: "tr",
}  # fmt: skip


class PostalAddress(msgspec.Struct, kw_only=True):
    """What we read of an address of a customer."""

    kind: str | None = msgspec.field(name="AddressType", default=None)
    street: str | None = msgspec.field(name="Street", default=None)
    house: str | None = msgspec.field(name="StreetNo", default=None)
    postcode: str | None = msgspec.field(name="ZipCode", default=None)
    city: str | None = msgspec.field(name="City", default=None)
    country: str | None = msgspec.field(name="Country", default=None)


class Employee(msgspec.Struct, kw_only=True):
    """What we read of a contact person; never a birth date."""

    name: str | None = msgspec.field(name="Name", default=None)
    role: str | None = msgspec.field(name="Position", default=None)
    email: str | None = msgspec.field(name="E_Mail", default=None)
    phone: str | None = msgspec.field(name="Phone1", default=None)
    mobile: str | None = msgspec.field(name="MobilePhone", default=None)
    is_active: str | None = msgspec.field(name="Active", default=None)


class Customer(msgspec.Struct, kw_only=True):
    """What we read of a business partner."""

    code: str = msgspec.field(name="CardCode")
    name: str | None = msgspec.field(name="CardName", default=None)
    kind: str | None = msgspec.field(name="CompanyPrivate", default=None)
    country: str | None = msgspec.field(name="Country", default=None)
    vat: str | None = msgspec.field(name="FederalTaxID", default=None)
    email: str | None = msgspec.field(name="EmailAddress", default=None)
    phone: str | None = msgspec.field(name="Phone1", default=None)
    language: int | None = msgspec.field(name="LanguageCode", default=None)
    terms: int | None = msgspec.field(name="PayTermsGrpCode", default=None)
    frozen: str | None = msgspec.field(name="Frozen", default=None)
    dunning_level: int | None = msgspec.field(name="DunningLevel", default=None)
    dunned: str | None = msgspec.field(name="DunningDate", default=None)
    blocked: str | None = msgspec.field(name="BlockDunning", default=None)
    addresses: list[PostalAddress] = msgspec.field(name="BPAddresses", default_factory=list)
    people: list[Employee] = msgspec.field(name="ContactEmployees", default_factory=list)


class _Code(msgspec.Struct):
    code: str = msgspec.field(name="CardCode")


_CUSTOMERS = msgspec.json.Decoder(Found[Customer])
_CODES = msgspec.json.Decoder(Found[_Code])


class CustomerReader:
    """Reads customers of one connection, a handful at a time."""

    def __init__(self, client: ServiceLayerClient, page_size: int) -> None:
        self._client = client
        self._prefer = {"Prefer": f"odata.maxpagesize={page_size}"}

    def debtors(self, debtor_refs: Sequence[str]) -> Iterator[DebtorRecord]:
        """Master data of the customers that Business One knows; the others are left out."""
        refs = list(dict.fromkeys(debtor_refs))
        for start in range(0, len(refs), _AT_A_TIME):
            options = {"$filter": one_of("CardCode", refs[start : start + _AT_A_TIME]), "$select": columns(Customer)}
            found = self._client.read("BusinessPartners", options, _CUSTOMERS, self._prefer)
            yield from map(to_debtor, found.value)

    def attempt(self) -> str:
        """Read nobody with all columns, to see whether that is possible. Raises what the service refuses."""
        list(self.debtors(["-"]))
        return "readable"

    def changed(self, since: dt.date) -> Iterator[str]:
        """Customers whose record was changed on that day or later."""
        last, has_more = "", True
        while has_more:
            condition = f"CardType eq 'cCustomer' and UpdateDate ge {day_text(since)}"
            beyond = f" and CardCode gt {literal(last)}" if last else ""
            options = {"$filter": condition + beyond, "$select": "CardCode", "$orderby": "CardCode"}
            found = self._client.read("BusinessPartners", options, _CODES, self._prefer)
            yield from (row.code for row in found.value)
            has_more = found.has_more and bool(found.value)
            last = found.value[-1].code if found.value else last


def to_debtor(customer: Customer) -> DebtorRecord:
    """The debtor that a customer is."""
    address = next(
        (one for one in customer.addresses if one.kind == "bo_BillTo"), next(iter(customer.addresses), None)
    )
    party = Party(
        name=customer.name or customer.code,
        kind=_KINDS.get(customer.kind or "", PartyKind.COMPANY),
        country=(address and address.country) or customer.country or "",
        language=_LANGUAGES.get(customer.language or 0, ""),
        vat_ref=customer.vat or "",
        address=to_address(address) if address else Address(),
        contacts=tuple(_contacts(customer)),
    )
    return DebtorRecord(
        debtor_ref=customer.code, party=party, is_blocked=customer.frozen == YES,
        payment_terms="" if customer.terms is None else str(customer.terms), notes=reminders(customer),
    )  # fmt: skip


def reminders(customer: Customer) -> tuple[str, ...]:
    """The creditor's own reminders, in a sentence; none when there were none and they are not blocked.

    >>> reminders(Customer(code="C1", dunning_level=2, dunned="2026-06-01", blocked="tYES"))
    ('Own reminders: level 2, last on 2026-06-01; blocked.',)
    """
    last_on = calendar_day(customer.dunned)
    parts = [f"level {customer.dunning_level}" if customer.dunning_level else "", f"last on {last_on}" if last_on else ""]
    said = "; ".join(filter(None, (", ".join(filter(None, parts)), "blocked" if customer.blocked == YES else "")))
    return (f"Own reminders: {said}.",) if said else ()


def to_address(address: PostalAddress) -> Address:
    """The address as it goes on an envelope.

    >>> to_address(PostalAddress(street="Rue X", house="4", postcode="1000", city="Bruxelles", country="BE"))
    Address(lines=('Rue X 4',), postcode='1000', city='Bruxelles', country='BE')
    """
    street = " ".join(filter(None, (address.street, address.house)))
    return Address(
        lines=(street,) if street else (), postcode=address.postcode or "", city=address.city or "",
        country=address.country or "",
    )  # fmt: skip


def _contacts(customer: Customer) -> Iterator[Contact]:
    """The customer's own e-mail and phone first, then his contact persons that are active."""
    if customer.email or customer.phone:
        yield Contact(email=customer.email or "", phone=customer.phone or "")
    for person in customer.people:
        if person.is_active != "tNO":
            yield Contact(
                name=person.name or "", email=person.email or "", phone=person.mobile or person.phone or "",
                role=person.role or "contact person",
            )  # fmt: skip
