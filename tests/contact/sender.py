"""The process that is killed while it writes to debtors: `python -m contact.sender HOME DATABASE_URL MOMENT`."""

from __future__ import annotations

import datetime as dt
import sys
from pathlib import Path

from walk.scripted import ScriptedPlugin, World
from web.office import make_hub

import collecthub_contact_smtp
import collecthub_contact_smtp.connector
from collecthub.bundled import jurisdictions
from collecthub.engine.contacting import contact_debtors
from collecthub.testing.inline import run_until_idle
from contact.conftest import at


def main(home: str, database_url: str, moment: str) -> None:
    """Say everything that waits, once told to begin."""
    plugins = (("jurisdictions", jurisdictions), ("scripted", ScriptedPlugin(World())), ("smtp", collecthub_contact_smtp))
    hub, _ = make_hub(Path(home), database_url, *plugins)
    at(hub, dt.datetime.fromisoformat(moment))
    print("ready", flush=True)
    sys.stdin.readline()
    contact_debtors(hub, "post")
    run_until_idle(hub)
    print("done", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
