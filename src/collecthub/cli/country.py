"""`collecthub country`: what is known of a country on a day, with its sources, and what is not. Needs no database."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Annotated

import typer

from collecthub.cli.dates import day
from collecthub.cli.output import Json, note, print_json, print_listed, print_table, say

if TYPE_CHECKING:
    from collecthub.law.atlas.sheet import CountrySheet

app = typer.Typer(no_args_is_help=True, help="Countries: law, instruments, languages, and how well each is known.")


AsOf = Annotated[
    dt.date | None, typer.Option("--as-of", parser=day, metavar="DATE", help="Day to look at; today when left out.")
]


def business_date(given: dt.date | None) -> dt.date:
    """The day that was asked for, else the hub's business date, else today."""
    from collecthub.config import load_settings

    return given or load_settings().business_date or dt.datetime.now(dt.UTC).date()


@app.command("show")
def show_country(
    country: Annotated[str, typer.Argument(help="Two letters of ISO 3166-1, such as UY.")],
    as_of: AsOf = None,
    as_json: Json = False,
) -> None:
    """Show everything known of a country on a day, each fact with its source and evidence level."""
    from collecthub.law.atlas.reading import bundled_atlas
    from collecthub.law.atlas.sheet import country_sheet

    sheet = country_sheet(bundled_atlas(), country.upper(), business_date(as_of))
    if as_json:
        print_json(sheet)
    else:
        _show(sheet)


def _show(sheet: CountrySheet) -> None:
    belongs = f", belongs to {sheet.parent}" if sheet.parent else ""
    say(f"{sheet.name} ({sheet.country}, {sheet.iso3}), {sheet.region}{belongs}; as of {sheet.as_of}")
    print_table(
        ["fact", "what is known", "from", "to", "evidence", "source", "note"],
        [
            [topic, fact.value or "unknown", fact.valid_from, fact.valid_to, fact.evidence, fact.source, fact.note]
            for topic, fact in sheet.facts.items()
        ],
    )
    print_table(
        ["instrument", "standing", "from", "to", "evidence", "source", "note"],
        [
            [name, one.standing, one.valid_from, one.valid_to, one.evidence, one.source, one.note]
            for name, one in sheet.instruments.items()
        ],
    )
    if sheet.unknown:
        note(f"Not known, ask a lawyer there: {', '.join(sheet.unknown)}.")
    note("An empty date is not known. This is no legal advice.")


@app.command("between")
def show_between(
    one: Annotated[str, typer.Argument(help="The creditor's country, such as BE.")],
    other: Annotated[str, typer.Argument(help="The debtor's country, such as UY.")],
    as_of: AsOf = None,
    as_json: Json = False,
) -> None:
    """Show what links two countries on a day: orders, judgments, service, arbitration, documents."""
    from collecthub.law.atlas.reading import bundled_atlas
    from collecthub.law.atlas.sheet import between

    atlas = bundled_atlas()
    found = between(atlas, one.upper(), other.upper(), business_date(as_of))
    if as_json:
        print_json(found)
        return
    say(f"{found.one} and {found.other} as of {found.as_of}")
    print_table(
        ["purpose", "in force in both", "what it is"],
        [
            [purpose, name or "none", atlas.instruments[name].title if name else ""]
            for purpose, names in found.shared.items() for name in names or ("",)
        ],
    )  # fmt: skip
    if found.unknown:
        note(f"Not known for one of the two: {', '.join(found.unknown)}.")


@app.command("list")
def list_countries(as_of: AsOf = None, as_json: Json = False) -> None:
    """List the 249 countries and territories of ISO 3166-1."""
    from collecthub.law.atlas.reading import bundled_atlas
    from collecthub.law.atlas.sheet import country_lines

    print_listed(
        country_lines(bundled_atlas(), business_date(as_of)), None,
        "country name currency languages in_force known_topics unknown_topics", as_json=as_json,
    )  # fmt: skip
