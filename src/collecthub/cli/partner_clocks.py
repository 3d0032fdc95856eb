"""`collecthub partner clocks`: how long each rung of a sending may take with one partner, and whose word that is."""

from __future__ import annotations

from typing import Annotated

import msgspec
import typer

from collecthub.cli.hub_access import client
from collecthub.cli.output import Json, print_json, print_table


def partner_clocks(
    partner: Annotated[str, typer.Argument(metavar="PARTNER", help="Id of the partner, as in `collecthub partner list`.")],
    set_to: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="CLOCK=NUMBER", help="Agree on a length, such as received_hours=48 or stopped_minutes=5; 0 for a rung that it does not report."),
    ] = None,
    unset: Annotated[list[str] | None, typer.Option(metavar="CLOCK", help="Take what was agreed back.")] = None,
    as_json: Json = False,
) -> None:  # fmt: skip
    """Show how long a partner may take for each rung, or agree on other lengths.

    They count for cases that are placed from now on. Where the partner says nothing the creditor's playbook counts, then the default.
    """
    from collecthub.engine.rung_clocks import agree_clocks, clocks_of
    from collecthub.model.rungs import DEFAULT_CLOCKS

    wanted: dict[str, int | None] = {**_read(set_to or []), **dict.fromkeys(unset or [], None)}
    with client() as hub:
        clocks = agree_clocks(hub, partner, wanted) if wanted else clocks_of(hub, partner)
    agreed, default = msgspec.structs.asdict(clocks), msgspec.structs.asdict(DEFAULT_CLOCKS)
    if as_json:
        print_json({"partner_id": partner, "agreed": {k: v for k, v in agreed.items() if v is not None}, "default": default})
        return
    print_table(
        ["clock", "length", "agreed by"],
        [[name, default[name] if agreed[name] is None else agreed[name], "default" if agreed[name] is None else "partner"] for name in default],
    )  # fmt: skip


def _read(given: list[str]) -> dict[str, int | None]:
    found: dict[str, int | None] = {}
    for text in given:
        name, _, number = text.partition("=")
        if not (number.isascii() and number.isdigit() and len(number) <= 6):
            raise typer.BadParameter(f"{text[:60]!r} is not CLOCK=NUMBER", param_hint="--set")
        found[name.strip()] = int(number)
    return found
