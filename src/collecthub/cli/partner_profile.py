"""`collecthub partner profile`: what would happen with a partner, before anything is sent to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from collecthub.cli.hub_access import client
from collecthub.cli.output import Json, plain, print_json, print_table, say

if TYPE_CHECKING:
    from collecthub.engine.partner_profile import LineProfile

app = typer.Typer(no_args_is_help=True, help="How a partner is reached, and whether a dispatch would go through.")


@app.command("check")
def check_profile(
    partner: Annotated[str, typer.Argument(metavar="PARTNER", help="Id of the partner, as in `collecthub partner list`.")],
    as_json: Json = False,
) -> None:
    """Say what happens with a partner, then look at its door without leaving anything there. Exit code 1 if something fails.

    Format, container, signature, encryption, names, hours in the partner's zone, limits, level, keys and their ends.
    """
    from collecthub.engine.partner_profile import check_profile as read

    with client() as hub:
        lines = read(hub, partner)
    is_ok = all(line.is_ok for line in lines)
    if as_json:
        told = [{**msgspec.to_builtins(line), "is_ok": line.is_ok} for line in lines]
        print_json({"partner_id": partner, "is_ok": is_ok, "lines": told})
    else:
        for line in lines:
            _show(line)
        say("A dispatch would go through." if is_ok else "A dispatch would not go through: see what is not ok above.")
    raise typer.Exit(0 if is_ok else 1)


def _show(line: LineProfile) -> None:
    say(f"{plain(line.name)} ({line.kind}, {line.connection_id})")
    print_table(["topic", "what happens"], [[one.topic, one.says] for one in line.profile])
    if line.keys:
        rows = [[one.key, f"{one.ends_at:%Y-%m-%d}", f"{one.days_left} days", one.cure] for one in line.keys]
        print_table(["key", "ends on", "left", "what to do"], rows)
    print_table(["step", "ok", "detail", "cure"], [
        [step.name, "yes" if step.is_ok else "NO", step.detail, step.cure] for step in line.steps
    ])  # fmt: skip
