"""Options that the commands of `collecthub law` share, and how their texts are read."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from collecthub.cli.amounts import amount
from collecthub.cli.dates import day

if TYPE_CHECKING:
    from collecthub.law.rules import CountryLaw

Segment = Literal["B2B", "B2C", "B2G"]


def currency(text: str) -> str:
    """Three capital letters."""
    if len(text) != 3 or not text.isascii() or not text.isupper():
        raise typer.BadParameter(f"{text[:20]!r} is not a currency such as EUR")
    return text


def today() -> dt.date:
    """The business date of the settings, else the day it is."""
    from collecthub.config import load_settings

    return load_settings().business_date or dt.datetime.now(dt.UTC).date()


def law_of(country: str, rates: Path | None = None) -> CountryLaw:
    """The law of a country from the bundled packs and those of installed plugins, with the rates of a file on top."""
    from collecthub.config import load_settings
    from collecthub.hub import load_all_plugins
    from collecthub.law.packs import with_rates
    from collecthub.law.rates import read_rates

    law = load_all_plugins(load_settings()).country_law(country.strip().upper())
    return law if rates is None else with_rates(law, read_rates(rates.read_text(encoding="utf-8-sig"), rates.name))


Country = Annotated[str, typer.Option(help="Country whose law governs, ISO 3166 code such as BE.")]
SegmentOption = Annotated[Segment, typer.Option(help="Who owes: a business, a consumer or a public body.")]
Due = Annotated[dt.date, typer.Option(parser=day, metavar="DATE", help="Due date of the claim.")]
ContractDate = Annotated[
    dt.date | None,
    typer.Option("--contract-date", parser=day, metavar="DATE", help="Day the contract was concluded."),
]
CurrencyOption = Annotated[
    str, typer.Option("--currency", help="Currency of the claim; the country's own by default.")
]
Variant = Annotated[str, typer.Option(help="A rule that one asks for, such as agri_food in IT or fixed in SK.")]
Exchange = Annotated[
    Decimal | None,
    typer.Option(
        "--exchange-rate",
        parser=amount,
        metavar="RATE",
        help="Units of the claim's currency for one of the law's.",
    ),
]
Rates = Annotated[
    Path | None,
    typer.Option(
        "--rates",
        exists=True,
        dir_okay=False,
        readable=True,
        help="Table of rates published since, like sheets/rates.csv.",
    ),
]
ToLastKnown = Annotated[
    bool, typer.Option("--to-last-known", help="Stop at the last known figure, and say so, instead of refusing.")
]
