"""A partner network for trials: one made-up partner in each of many countries, marked as demo and counted apart.

Languages, currencies and licence duties are those of the atlas; names, licences and prices are made up and say so. Where
the law bars agencies the partner is a lawyer.
"""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from importlib.resources import files

from collecthub.law.atlas.facts import Atlas, Topic, fact_on
from collecthub.law.atlas.reading import bundled_atlas
from collecthub.model.contract import GridRow, Terms
from collecthub.model.licence import Licence
from collecthub.model.partner import PartnerProfile, Withdrawal

BEGAN_ON = dt.date(2026, 1, 1)
LICENCE_ENDS_ON = dt.date(2027, 12, 31)
PREFIX = "demo-"
_EVERYWHERE = ("EUR", "USD")
_EUROPE = "Europe"


@cache
def demo_partners() -> tuple[tuple[PartnerProfile, Terms | None], ...]:
    """Every demo partner, with its standard terms where it has any; the others quote.

    >>> found = dict((profile.countries[0], terms) for profile, terms in demo_partners())
    >>> len(found) >= 154, found["UY"] is not None, found["ZW"]
    (True, True, None)
    """
    text = (files("collecthub.engine") / "demo_network.csv").read_text(encoding="utf-8")
    atlas = bundled_atlas()
    return tuple(
        (_profile(atlas, row["country"], row["role"]), _terms(atlas, row["country"]) if row["tier"] == "standard" else None)
        for row in csv.DictReader(text.splitlines())
    )


def _profile(atlas: Atlas, country: str, role: str) -> PartnerProfile:
    known = atlas.countries[country]
    local = fact_on(atlas, country, Topic.CURRENCY, BEGAN_ON).code
    spoken = tuple(fact_on(atlas, country, Topic.LANGUAGES, BEGAN_ON).code.split())
    return PartnerProfile(
        partner_id=f"{PREFIX}{country.lower()}", name=f"Demo {role} {known.name}", role=role, countries=(country,),
        currencies=tuple(dict.fromkeys((*filter(None, (local,)), *_EVERYWHERE))),
        languages=tuple(dict.fromkeys((*spoken, "en"))), minimum_amount=Decimal(100), minimum_currency="EUR",
        work_country=country, licences=tuple(_licences(atlas, country)), has_signed_clauses=True, channels=("web",),
        capacity=500, needs=("agreement", "power_of_attorney", "identity_check"),
        withdrawal=Withdrawal(free_days=14, fee_percent=Decimal(2)), is_demo=True,
    )  # fmt: skip


def _licences(atlas: Atlas, country: str) -> Iterator[Licence]:
    duty = fact_on(atlas, country, Topic.LICENCE_DUTY, BEGAN_ON).code
    if duty.startswith("required") or duty == "declaration":
        yield Licence(
            country=country, number=f"DEMO-{country}-1", expires_on=LICENCE_ENDS_ON, scope="made up for trials, given by nobody"
        )


def _terms(atlas: Atlas, country: str) -> Terms:
    """Made up: a grid by amount and age, dearer outside Europe."""
    extra = Decimal(0) if atlas.countries[country].continent == _EUROPE else Decimal(6)
    return Terms(
        valid_from=BEGAN_ON, minimum_fee=Decimal("25.00"), minimum_currency="EUR",
        grid=tuple(_grid(extra)), note="demo terms, made up for trials: nobody offers them",
    )  # fmt: skip


def _grid(extra: Decimal) -> Iterator[GridRow]:
    for old, more in ((730, Decimal(20)), (365, Decimal(10)), (None, Decimal(0))):
        for above, percent in ((Decimal(50_000), Decimal(7)), (Decimal(5_000), Decimal(10)), (None, Decimal(15))):
            yield GridRow(percent=percent + extra + more, amount_from=above, age_days_from=old)
