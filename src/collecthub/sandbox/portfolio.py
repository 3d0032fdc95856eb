"""The bundled portfolio: two creditors, 260 customers in thirty countries, 700 open items, the same in every run.

Creditor A is a Belgian firm that keeps its books in Exact Online; creditor B is larger, has two company codes and
runs SAP. People, firms and amounts are invented; e-mail addresses lie in the domains that are kept for examples.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal

from collecthub.sandbox.open_item import Customer, CustomerKind, ItemKind, OpenItem
from collecthub.sandbox.portfolio_names import COUNTRIES, PUBLIC_BODIES

BUSINESS_DATE = dt.date(2026, 6, 15)
_HOME = "BE"
_HOME_PERCENT = 60
_TERMS = (0, 14, 30, 30, 30, 60)
_UNITS = {
    "EUR": "1",
    "USD": "1.09",
    "GBP": "0.85",
    "CHF": "0.95",
    "JPY": "170",
    "KWD": "0.33",
    "PLN": "4.3",
    "SEK": "11",
}
_PLACES = {"JPY": 0, "KWD": 3}
_TRICKY_NAMES = {
    3: "<script>alert('hello')</script> Trading BV",
    7: 'Café "De Zwaan" & Zonen',
    11: "O'Reilly; DROP TABLE BV",
}


@dataclass(frozen=True)
class CreditorBooks:
    """A creditor with what his ERP knows. `erp` is the name of the twin that plays it."""

    name: str
    erp: Literal["exact", "sap"]
    companies: tuple[str, ...]
    customers: tuple[Customer, ...]
    items: tuple[OpenItem, ...]


def bundled_portfolio(seed: int = 2026) -> tuple[CreditorBooks, CreditorBooks]:
    """Both creditors of the portfolio; the same seed gives the same books on every machine."""
    return (
        _creditor("Houthandel Vermeulen BV", "exact", ("",), 100, 250, random.Random(seed)),
        _creditor("Meridiaan Technics NV", "sap", ("1000", "2000"), 160, 450, random.Random(seed + 1)),
    )


def _creditor(
    name: str,
    erp: Literal["exact", "sap"],
    companies: tuple[str, ...],
    customers: int,
    items: int,
    dice: random.Random,
) -> CreditorBooks:
    known = tuple(_customer(number, erp, dice) for number in range(customers))
    maker = _ItemMaker(erp, companies, dice)
    made = [item for customer in known for item in maker.items(customer)]
    while len(made) < items:
        # Everybody has something; beyond that a few have most, as in life.
        more = tuple(maker.items(known[int(customers * dice.random() ** 2)]))
        made.extend(more if len(made) + len(more) <= items else ())
    return CreditorBooks(name, erp, companies, known, tuple(made))


def _pick(dice: random.Random, choices: tuple[str, ...]) -> str:
    return choices[dice.randrange(len(choices))]


def _customer(number: int, erp: str, dice: random.Random) -> Customer:
    abroad = [code for code in COUNTRIES if code != _HOME]
    # Each foreign country comes up in turn, so that none is missing.
    country = (
        _HOME
        if number * 100 % 500 < _HOME_PERCENT * 5
        else abroad[(number // 5 * 2 + number % 5 - 3) % len(abroad)]
    )
    names = COUNTRIES[country]
    postcode, town, language = names.towns[dice.randrange(len(names.towns))]
    kind = _kind(dice.randrange(100), language)
    tricky = _TRICKY_NAMES.get(number) if erp == "exact" else None
    kind = "company" if tricky else kind
    reference = str(10_001 + number) if erp == "exact" else f"{1_000_100 + number:010d}"
    person = f"{_pick(dice, names.given)} {_pick(dice, names.family)}"
    name = _name(kind, country, language, town, person, dice)
    return Customer(
        customer_ref=reference,
        name=tricky or name,
        kind=kind,
        country=country,
        language=language,
        vat_ref="" if kind == "person" else vat_number(country, dice.randrange(10**8)),
        registration_ref="",
        street=f"{_pick(dice, names.streets)} {dice.randrange(1, 240)}",
        postcode=postcode,
        city=town,
        email=""
        if dice.randrange(100) < 8
        else f"{kind}.{reference}@example.{('com', 'org', 'net')[number % 3]}",
        phone=f"{names.prefix} {dice.randrange(2, 10)}{dice.randrange(10**7):07d}",
        contact="" if kind == "person" else person,
    )


def _kind(roll: int, language: str) -> CustomerKind:
    if roll < 30:
        return "person"
    return "public" if roll < 42 and language in PUBLIC_BODIES else "company"


def _name(
    kind: CustomerKind, country: str, language: str, town: str, person: str, dice: random.Random
) -> str:
    names = COUNTRIES[country]
    if kind == "person":
        return person
    if kind == "public":
        return _pick(dice, PUBLIC_BODIES[language]).format(town=town)
    return f"{_pick(dice, names.trades)} {_pick(dice, names.family)} {_pick(dice, names.forms)}"


def vat_number(country: str, seed: int) -> str:
    """A VAT number with the country's check digits, where this sandbox knows the rule, else empty.

    >>> vat_number("BE", 4_031_997), vat_number("LU", 100_003), vat_number("FR", 30_326_504)
    ('BE0403199702', 'LU10000356', 'FR40303265045')
    """
    if country == "BE":
        return f"BE{seed % 10**8:08d}{97 - seed % 10**8 % 97:02d}"
    if country == "LU":
        return f"LU{seed % 10**6:06d}{seed % 10**6 % 89:02d}"
    if country == "FR":
        siren = _with_luhn(f"{seed % 10**8:08d}")
        return f"FR{(12 + 3 * (int(siren) % 97)) % 97:02d}{siren}"
    if country == "DE":
        return f"DE{_with_mod_11_10(f'{10**7 + seed % 10**7:08d}')}"
    return ""


def _with_luhn(digits: str) -> str:
    doubled = [int(digit) * (2 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(digits))]
    return f"{digits}{-sum(value // 10 + value % 10 for value in doubled) % 10}"


def _with_mod_11_10(digits: str) -> str:
    """Digits with the check digit of ISO 7064 MOD 11,10 behind them.

    >>> _with_mod_11_10("13669597")
    '136695976'
    """
    product = 10
    for digit in digits:
        product = 2 * ((int(digit) + product) % 10 or 10) % 11
    return f"{digits}{(11 - product) % 10}"


class _ItemMaker:
    """Makes the open items of a customer, one case of life after the other."""

    def __init__(self, erp: str, companies: tuple[str, ...], dice: random.Random) -> None:
        self._erp = erp
        self._companies = companies
        self._dice = dice
        self._serial = 0

    def items(self, customer: Customer) -> Iterator[OpenItem]:
        """An invoice, sometimes with what belongs to it."""
        invoice = self._invoice(customer)
        roll = self._dice.randrange(100)
        if roll < 5:
            yield from self._instalments(invoice)
            return
        if 5 <= roll < 13 and self._erp == "exact":
            invoice = replace(invoice, open_amount=invoice.amount - self._part(invoice))
        yield invoice
        if 5 <= roll < 13 and self._erp == "sap":
            yield self._against(invoice, "payment", self._part(invoice), invoice.number)
        elif 13 <= roll < 18:
            yield self._against(invoice, "credit_note", self._part(invoice), invoice.number)
        elif 18 <= roll < 21:
            yield self._against(invoice, "credit_note", self._part(invoice), "")
        elif 21 <= roll < 24:
            yield self._against(invoice, "payment", self._part(invoice), "")

    def _number(self) -> str:
        self._serial += 1
        return f"2026{self._serial:05d}" if self._erp == "exact" else f"F26{self._serial:06d}"

    def _invoice(self, customer: Customer) -> OpenItem:
        dice = self._dice
        term = _TERMS[dice.randrange(len(_TERMS))]
        # From a year overdue to a month before the due date; about a fifth is not yet due.
        due = BUSINESS_DATE - dt.timedelta(
            days=int(400 * dice.random() ** 2) - (30 if dice.randrange(5) == 0 else 0) - 1
        )
        currency = COUNTRIES[customer.country].currency
        currency = currency if currency in _UNITS else "EUR"
        euros = Decimal(dice.randrange(2_500, 90_000 if customer.kind == "person" else 1_900_000)) / 100
        amount = _rounded(euros * Decimal(_UNITS[currency]), currency)
        days_late = (BUSINESS_DATE - due).days
        return OpenItem(
            customer_ref=customer.customer_ref,
            number=self._number(),
            issue_on=due - dt.timedelta(days=term),
            due_on=due,
            amount=amount,
            open_amount=amount,
            currency=currency,
            dunning_level=min(3, max(0, days_late // 20)),
            company=self._companies[int(customer.customer_ref) % len(self._companies)],
        )

    def _part(self, invoice: OpenItem) -> Decimal:
        share = Decimal(self._dice.randrange(10, 60)) / 100
        return _rounded(invoice.amount * share, invoice.currency)

    def _against(self, invoice: OpenItem, kind: ItemKind, amount: Decimal, settles: str) -> OpenItem:
        posted = min(invoice.due_on + dt.timedelta(days=self._dice.randrange(20)), BUSINESS_DATE)
        posted = max(posted, invoice.issue_on)
        return replace(
            invoice, number=self._number(), kind=kind, settles=settles, issue_on=posted, due_on=posted,
            amount=-amount, open_amount=-amount, dunning_level=0,
        )  # fmt: skip

    def _instalments(self, invoice: OpenItem) -> Iterator[OpenItem]:
        third = _rounded(invoice.amount / 3, invoice.currency)
        for index, amount in enumerate((third, third, invoice.amount - 2 * third)):
            due = invoice.due_on + dt.timedelta(days=30 * index)
            late = due < BUSINESS_DATE
            yield replace(
                invoice, number=f"{invoice.number}-{index + 1}", kind="instalment", settles=invoice.number, due_on=due,
                amount=amount, open_amount=amount, dunning_level=invoice.dunning_level if late else 0,
            )  # fmt: skip


def _rounded(amount: Decimal, currency: str) -> Decimal:
    return amount.quantize(Decimal(1).scaleb(-_PLACES.get(currency, 2)), ROUND_HALF_UP)
