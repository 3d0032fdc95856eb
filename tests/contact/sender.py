"""The processes that are killed while they write to debtors: `python -m contact.sender HOME DATABASE_URL MOMENT`.

Everything is imported once; each line on standard input forks a process that opens the hub and says what waits. Its id
is printed, and its exit status once it has ended or was killed.
"""

from __future__ import annotations

import datetime as dt
import os
import sys
from pathlib import Path

from web.office import make_hub

from collecthub.engine.contacting import contact_debtors
from collecthub.testing.inline import run_until_idle
from contact.conftest import at, contact_plugins


def say_all(home: str, database_url: str, moment: str) -> None:
    """Say everything that waits."""
    hub, _ = make_hub(Path(home), database_url, *contact_plugins())
    at(hub, dt.datetime.fromisoformat(moment))
    for line in ("post", "gateway"):
        contact_debtors(hub, line)
    run_until_idle(hub)


def main(*where: str) -> None:
    """One process a line."""
    for _ in sys.stdin:
        child = os.fork()
        if not child:
            say_all(*where)
            os._exit(0)
        print(child, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
