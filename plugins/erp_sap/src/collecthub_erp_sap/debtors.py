"""Customer master data: who the debtor is, where he lives and how to reach him.

An item names a customer; the business partner behind it may have another number, so he is looked up by his customer
number. Only columns with a purpose are selected: never a birth date, never bank details.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

import msgspec

from collecthub.sdk import Address, Contact, DebtorRecord, Party, PartyKind
from collecthub.wire.decoders import decoder
from collecthub_erp_sap.client import SapClient
from collecthub_erp_sap.mapping import calendar_day
from collecthub_erp_sap.odata import Answer, Results, after, any_of, day_literal, equals
from collecthub_erp_sap.settings import S4Settings

T = TypeVar("T", bound=msgspec.Struct)
_AT_A_TIME = 25  # keeps the address line below the two kilobytes that old proxies accept
_PERSON = "1"
_MANY_ROWS = "5000"


class Customer(msgspec.Struct, kw_only=True):
    """What we read of A_Customer."""

    customer: str = msgspec.field(name="Customer")
    name: str | None = msgspec.field(name="CustomerName", default=None)
    account_group: str | None = msgspec.field(name="CustomerAccountGroup", default=None)
    vat: str | None = msgspec.field(name="VATRegistration", default=None)
    is_posting_blocked: bool | None = msgspec.field(name="PostingIsBlocked", default=None)


class CustomerCompany(msgspec.Struct, kw_only=True):
    """What we read of A_CustomerCompany."""

    customer: str = msgspec.field(name="Customer")
    company: str = msgspec.field(name="CompanyCode")
    terms: str | None = msgspec.field(name="PaymentTerms", default=None)


class Partner(msgspec.Struct, kw_only=True):
    """What we read of A_BusinessPartner."""

    partner: str = msgspec.field(name="BusinessPartner")
    customer: str | None = msgspec.field(name="Customer", default=None)
    category: str | None = msgspec.field(name="BusinessPartnerCategory", default=None)
    full_name: str | None = msgspec.field(name="BusinessPartnerFullName", default=None)
    language: str | None = msgspec.field(name="CorrespondenceLanguage", default=None)
    is_blocked: bool | None = msgspec.field(name="BusinessPartnerIsBlocked", default=None)
    is_archived: bool | None = msgspec.field(name="IsMarkedForArchiving", default=None)


class PostalAddress(msgspec.Struct, kw_only=True):
    """What we read of A_BusinessPartnerAddress."""

    partner: str = msgspec.field(name="BusinessPartner")
    address: str = msgspec.field(name="AddressID")
    street: str | None = msgspec.field(name="StreetName", default=None)
    house: str | None = msgspec.field(name="HouseNumber", default=None)
    box: str | None = msgspec.field(name="POBox", default=None)
    postcode: str | None = msgspec.field(name="PostalCode", default=None)
    city: str | None = msgspec.field(name="CityName", default=None)
    country: str | None = msgspec.field(name="Country", default=None)
    language: str | None = msgspec.field(name="Language", default=None)


class Email(msgspec.Struct, kw_only=True):
    """What we read of A_AddressEmailAddress."""

    address: str = msgspec.field(name="AddressID")
    is_default: bool | None = msgspec.field(name="IsDefaultEmailAddress", default=None)
    text: str | None = msgspec.field(name="EmailAddress", default=None)


class Phone(msgspec.Struct, kw_only=True):
    """What we read of A_AddressPhoneNumber."""

    address: str = msgspec.field(name="AddressID")
    is_default: bool | None = msgspec.field(name="IsDefaultPhoneNumber", default=None)
    international: str | None = msgspec.field(name="InternationalPhoneNumber", default=None)
    text: str | None = msgspec.field(name="PhoneNumber", default=None)


class ContactPerson(msgspec.Struct, kw_only=True):
    """What we read of A_BPContactToFuncAndDept."""

    partner: str = msgspec.field(name="BusinessPartnerCompany")
    person: str = msgspec.field(name="BusinessPartnerPerson")
    email: str | None = msgspec.field(name="EmailAddress", default=None)
    phone: str | None = msgspec.field(name="PhoneNumber", default=None)


class Dunning(msgspec.Struct, kw_only=True):
    """What we read of A_CustomerDunning: how far the creditor's own reminders went."""

    customer: str = msgspec.field(name="Customer")
    company: str = msgspec.field(name="CompanyCode")
    level: str | None = msgspec.field(name="DunningLevel", default=None)
    block: str | None = msgspec.field(name="DunningBlock", default=None)
    last: str | None = msgspec.field(name="LastDunnedOn", default=None)


class PartnerNumber(msgspec.Struct, kw_only=True):
    """A business partner and the customer that he is."""

    partner: str = msgspec.field(name="BusinessPartner")
    customer: str | None = msgspec.field(name="Customer", default=None)


MASTER_COLUMNS: Mapping[str, tuple[str, ...]] = {
    name: row.__struct_encode_fields__
    for name, row in (
        ("A_Customer", Customer), ("A_CustomerCompany", CustomerCompany), ("A_CustomerDunning", Dunning),
        ("A_BusinessPartner", Partner), ("A_BusinessPartnerAddress", PostalAddress),
        ("A_AddressEmailAddress", Email), ("A_AddressPhoneNumber", Phone), ("A_BPContactToFuncAndDept", ContactPerson),
    )
}  # fmt: skip
"""Entity set of the customer master to the columns that we read of it."""
_NUMBERS = msgspec.json.Decoder(Answer[Results[PartnerNumber]])


class MasterData(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that was read on a handful of customers, by customer, partner or address."""

    partners: dict[str, list[Partner]]
    terms: dict[str, list[CustomerCompany]]
    addresses: dict[str, list[PostalAddress]]
    emails: dict[str, list[Email]]
    phones: dict[str, list[Phone]]
    people: dict[str, list[ContactPerson]]
    names: dict[str, list[Partner]]
    dunning: dict[str, list[Dunning]]


class DebtorReader:
    """Reads customer master data of one connection, a handful of customers at a time."""

    def __init__(self, client: SapClient, settings: S4Settings) -> None:
        self._client = client
        self._service = settings.partner_path
        self._public_groups = frozenset(settings.public_account_groups)

    def debtors(self, debtor_refs: Sequence[str]) -> Iterator[DebtorRecord]:
        """Master data of the customers that SAP knows; the others are left out."""
        refs = list(dict.fromkeys(debtor_refs))
        for start in range(0, len(refs), _AT_A_TIME):
            yield from self._debtors(refs[start : start + _AT_A_TIME])

    def changed(self, since: dt.date) -> Iterator[str]:
        """Customers whose business partner was changed on that day or later, or is marked for archiving since."""
        after_key: tuple[str, ...] = ()
        while True:
            conditions = [f"LastChangeDate ge {day_literal(since)}", "Customer ne ''"]
            conditions += [after(("BusinessPartner",), after_key)] if after_key else []
            options = {
                "$filter": " and ".join(conditions), "$select": "BusinessPartner,Customer",
                "$orderby": "BusinessPartner", "$top": _MANY_ROWS, "$format": "json",
            }  # fmt: skip
            found = self._client.read(f"{self._service}/A_BusinessPartner", options, _NUMBERS).d
            yield from (row.customer for row in found.results if row.customer)
            if not found.results or (len(found.results) < int(_MANY_ROWS) and found.next_link is None):
                return
            after_key = (found.results[-1].partner,)

    def _debtors(self, refs: Sequence[str]) -> Iterator[DebtorRecord]:
        customers = self._by("A_Customer", Customer, "customer", refs)
        partners = self._by("A_BusinessPartner", Partner, "customer", refs)
        numbers = [found[0].partner for found in partners.values()]
        addresses = self._by("A_BusinessPartnerAddress", PostalAddress, "partner", numbers)
        address_ids = [found[0].address for found in addresses.values()]
        people = self._by("A_BPContactToFuncAndDept", ContactPerson, "partner", numbers)
        persons = [person.person for found in people.values() for person in found]
        master = MasterData(
            partners=partners,
            terms=self._by("A_CustomerCompany", CustomerCompany, "customer", refs),
            addresses=addresses,
            emails=self._by("A_AddressEmailAddress", Email, "address", address_ids),
            phones=self._by("A_AddressPhoneNumber", Phone, "address", address_ids),
            people=people,
            names=self._by("A_BusinessPartner", Partner, "partner", persons),
            dunning=self._by("A_CustomerDunning", Dunning, "customer", refs),
        )
        for found in customers.values():
            yield to_debtor(found[0], master, self._public_groups)

    def _by(self, entity: str, row: type[T], attribute: str, values: Iterable[str]) -> dict[str, list[T]]:
        """The records whose column has one of these values, in SAP's order, by that value."""
        wanted = sorted(set(values))
        if not wanted:
            return {}
        column = dict(zip(row.__struct_fields__, row.__struct_encode_fields__, strict=True))[attribute]
        answer: msgspec.json.Decoder[Answer[Results[T]]] = decoder(Answer[Results[row]])  # type: ignore[valid-type]  # the class is chosen at run time
        found: dict[str, list[T]] = defaultdict(list)
        for start in range(0, len(wanted), _AT_A_TIME):
            options = {
                "$filter": any_of(equals((column,), (value,)) for value in wanted[start : start + _AT_A_TIME]),
                "$select": ",".join(row.__struct_encode_fields__),
                "$top": _MANY_ROWS,
                "$format": "json",
            }
            for record in self._client.read(f"{self._service}/{entity}", options, answer).d.results:
                found[getattr(record, attribute)].append(record)
        return found


def to_debtor(customer: Customer, master: MasterData, public_groups: frozenset[str]) -> DebtorRecord:
    """The debtor that a customer is. One marked for archiving keeps his name and loses address and contacts."""
    partner = next(iter(master.partners.get(customer.customer, [])), None)
    is_archived = partner is not None and bool(partner.is_archived)
    addresses = master.addresses.get(partner.partner, []) if partner and not is_archived else []
    address = next(iter(addresses), None)
    party = Party(
        name=(partner and partner.full_name) or customer.name or customer.customer,
        kind=_kind(customer, partner, public_groups),
        country=(address and address.country) or "",
        language=_language(partner, address),
        vat_ref=customer.vat or "",
        address=to_address(address) if address else Address(),
        contacts=tuple(_contacts(partner, address, master)) if partner and not is_archived else (),
    )
    terms = next((row.terms for row in master.terms.get(customer.customer, []) if row.terms), "") or ""
    return DebtorRecord(
        debtor_ref=customer.customer,
        party=party,
        payment_terms=terms,
        is_blocked=bool(customer.is_posting_blocked) or bool(partner and partner.is_blocked),
        is_anonymised=is_archived,
        notes=() if is_archived else tuple(filter(None, map(reminders, master.dunning.get(customer.customer, [])))),
    )


def reminders(row: Dunning) -> str:
    """The creditor's own reminders in one set of books, in a sentence; empty when there were none and none is blocked.

    >>> reminders(Dunning(customer="1", company="1000", level="2", block="C", last="/Date(1780272000000)/"))
    'Own reminders of company code 1000: level 2, last on 2026-06-01; dunning block C.'
    >>> reminders(Dunning(customer="1", company="1000", level="0"))
    ''
    """
    last_on = calendar_day(row.last)
    parts = [
        f"level {row.level}" if (row.level or "").strip("0") else "",
        f"last on {last_on}" if last_on else "",
    ]
    said = "; ".join(filter(None, (", ".join(filter(None, parts)), row.block and f"dunning block {row.block}")))
    return f"Own reminders of company code {row.company}: {said}." if said else ""


def to_address(address: PostalAddress) -> Address:
    """The address as it goes on an envelope.

    >>> to_address(PostalAddress(partner="1", address="9", street="Rue X", house="4", postcode="1000", country="BE"))
    Address(lines=('Rue X 4',), postcode='1000', city='', country='BE')
    """
    street = " ".join(filter(None, (address.street, address.house)))
    box = f"PO Box {address.box}" if address.box else ""
    return Address(
        lines=tuple(filter(None, (street, box))),
        postcode=address.postcode or "",
        city=address.city or "",
        country=address.country or "",
    )


def _kind(customer: Customer, partner: Partner | None, public_groups: frozenset[str]) -> PartyKind:
    if customer.account_group in public_groups:
        return PartyKind.PUBLIC
    return PartyKind.PERSON if partner and partner.category == _PERSON else PartyKind.COMPANY


def _language(partner: Partner | None, address: PostalAddress | None) -> str:
    code = (partner and partner.language) or (address and address.language) or ""
    return code.lower()


def _contacts(partner: Partner, address: PostalAddress | None, master: MasterData) -> Iterator[Contact]:
    """The debtor's own e-mail and phone first, the default ones before the others, then his contact persons."""
    if address is not None:
        emails = sorted(master.emails.get(address.address, []), key=lambda row: not row.is_default)
        phones = sorted(master.phones.get(address.address, []), key=lambda row: not row.is_default)
        email = next((row.text for row in emails if row.text), "") or ""
        phone = next((row.international or row.text for row in phones if row.international or row.text), "") or ""
        if email or phone:
            yield Contact(email=email, phone=phone)
    for person in master.people.get(partner.partner, []):
        named = next(iter(master.names.get(person.person, [])), None)
        yield Contact(
            name=(named and named.full_name) or "",
            email=person.email or "",
            phone=person.phone or "",
            role="contact person",
        )
