"""Parties: who is owed, who owes, who acts."""

from __future__ import annotations

import enum

import msgspec


class PartyKind(enum.StrEnum):
    """What a party is; decides which law protects it (consumer, business or public body)."""

    PERSON = "person"
    COMPANY = "company"
    PUBLIC = "public"


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """A postal address. `country` is ISO 3166-1 alpha-2 or empty when unknown; it is never guessed."""

    lines: tuple[str, ...] = ()
    postcode: str = ""
    city: str = ""
    country: str = ""


class Contact(msgspec.Struct, frozen=True, kw_only=True):
    """A person or desk to reach a party by."""

    name: str = ""
    email: str = ""
    phone: str = ""
    role: str = ""


class Party(msgspec.Struct, frozen=True, kw_only=True):
    """A creditor, debtor or partner as others name it. Texts come from outside and are only ever text."""

    name: str
    kind: PartyKind = PartyKind.COMPANY
    country: str = ""
    language: str = ""
    registration_ref: str = ""
    vat_ref: str = ""
    address: Address = Address()
    contacts: tuple[Contact, ...] = ()

    @property
    def email(self) -> str:
        """First e-mail address known, or empty."""
        return next((contact.email for contact in self.contacts if contact.email), "")


def segment(debtor: Party) -> str:
    """B2B, B2C or B2G, by what the debtor is; sellers here are businesses.

    >>> segment(Party(name="B", kind=PartyKind.PERSON))
    'B2C'
    """
    return {PartyKind.PERSON: "B2C", PartyKind.COMPANY: "B2B", PartyKind.PUBLIC: "B2G"}[debtor.kind]
