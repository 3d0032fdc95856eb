"""`collecthub demo`: the main job on counterparties that run on this machine."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import Annotated

import typer

from collecthub.cli.dates import day
from collecthub.cli.output import Json

_COUNTRY = re.compile("[A-Z]{2}")


def demo(
    invoices: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, readable=True, help="CSV of open items instead of the bundled ones."),
    ] = None,
    as_of: Annotated[
        dt.date | None, typer.Option(parser=day, metavar="DATE", help="Business date; a file of open items needs one.")
    ] = None,
    creditor_country: Annotated[str, typer.Option(help="Country of the creditors in the file.")] = "BE",
    debtor_countries: Annotated[
        str, typer.Option(help="Countries assigned to the file's customers, such as BE,DE,UY.")
    ] = "",
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the demo that is there.")] = False,
    as_json: Json = False,
) -> None:
    """Run the main job from ERP to partner and back, on counterparties on this machine."""
    countries = tuple(_country(code) for code in debtor_countries.split(",") if code.strip())
    creditor = _country(creditor_country)
    if resume and (invoices or as_of):
        raise typer.BadParameter("--resume goes on with the demo that is there; leave out --invoices and --as-of")
    from collecthub.cli.demo.command import Request, run_demo
    from collecthub.config import load_settings

    request = Request(
        invoices=str(invoices.resolve()) if invoices else "", as_of=as_of,
        creditor_country=creditor, debtor_countries=countries,
    )  # fmt: skip
    raise typer.Exit(run_demo(load_settings(), request, resume=resume, as_json=as_json))


def _country(text: str) -> str:
    code = text.strip().upper()
    if not _COUNTRY.fullmatch(code):
        raise typer.BadParameter(f"{text[:20]!r} is not a country code of two letters, such as BE")
    return code
