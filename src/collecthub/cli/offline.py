"""A command that needs no database: `sandbox`."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Annotated

import typer


def sandbox(
    name: Annotated[str, typer.Argument(help="Which one: exact, sap, b1, bailiff, lawyer, sdt, agency, debitura, mail, sms, insolvency_register or creditor.")],
    home: Annotated[Path, typer.Option(help="Folder for its books.")],
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port on 127.0.0.1; 0 takes the last or a free one.")] = 0,
    raised_limits: Annotated[bool, typer.Option("--raised-limits", help="Announce large rate limits.")] = False,
    given: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="A setting of the counterparty.")
    ] = None,
) -> None:
    """Run one executable counterparty in the foreground; it keeps its books in its home and says how to connect to it."""
    from collecthub.sandbox.__main__ import TWINS
    from collecthub.sandbox.twin import TwinOptions

    if name not in TWINS:
        raise typer.BadParameter(f"there is no counterparty {name[:40]!r}; there are {', '.join(sorted(TWINS))}")
    pairs = [text.partition("=") for text in given or ()]
    if any(not equals for _, equals, _ in pairs):
        raise typer.BadParameter("--set takes NAME=VALUE")
    settings = {key: value for key, _, value in pairs}
    options = TwinOptions(name=name, home=home, port=port, raised_limits=raised_limits, settings=settings, is_watched=True)
    importlib.import_module(TWINS[name]).serve(options)
