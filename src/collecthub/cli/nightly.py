"""`collecthub nightly`: the decision run over every open case, now."""

from __future__ import annotations

from collecthub.cli.hub_access import client
from collecthub.cli.output import Json, print_json, say


def nightly(as_json: Json = False) -> None:
    """Look at every open case once and do what is due; the clock does it once a business day by itself."""
    from collecthub.engine.nightly import decide_all

    with client() as hub:
        run = decide_all(hub)
    if as_json:
        print_json(run)
    else:
        say(f"{run.looked} open cases looked at in {run.seconds:.1f} s: {run.acted} acted on, {run.renewed} waits set again")
