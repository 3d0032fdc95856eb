"""A hub with many cases behind its real web application: `python -m bench.hub_web HOME DATABASE CASES`.

A few cases are opened for real; the others are copies of their rows under identities of their own, because opening
a hundred thousand takes minutes and the list reads rows. It says address and API key on standard output and ends
with its standard input.
"""

from __future__ import annotations

import datetime as dt
import itertools
import json
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import sqlalchemy as sa
import uvicorn

from bench.house import BOOKS, furnished
from collecthub.engine.context import Hub
from collecthub.engine.opening import case_number, open_cases
from collecthub.model.ids import derived_id
from collecthub.store import accounts
from collecthub.store import tables as t
from collecthub.store.queries.scope import Role
from collecthub.web.app import create_app

_REAL = 200
_PART = 1000


def copies(real: list[dict[str, Any]], count: int) -> Iterator[dict[str, Any]]:
    """Rows like the real ones, opened one second after another, owing other amounts."""
    for number, row in zip(range(count), itertools.cycle(real), strict=False):
        opened_at = row["opened_at"] + dt.timedelta(seconds=number)
        minor = number * 104_729 % 9_000_000 + 1_000
        yield {
            **row, "case_id": derived_id("bench", str(number)), "number": case_number("bench", str(number)),
            "debtor_ref": f"X{number:06}", "debtor_name": f"{row['debtor_name']} {number}", "opened_at": opened_at,
            "changed_at": opened_at, "total_minor": minor, "principal_minor": minor,
        }  # fmt: skip


def fill(hub: Hub, cases: int) -> None:
    """Bring the number of cases up to `cases`."""
    open_cases(hub, BOOKS)
    with hub.database.write() as conn:
        real = [dict(row._mapping) for row in conn.execute(sa.select(t.cases).order_by(t.cases.c.case_id))]
        rows = copies(real, cases - len(real))
        while part := list(itertools.islice(rows, _PART)):
            conn.execute(sa.insert(t.cases), part)
    with hub.database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        conn.exec_driver_sql("ANALYZE")


def serve(hub: Hub, key: str) -> None:
    """Serve as `collecthub serve` does, one process, until standard input ends."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(create_app(hub), log_level="warning", access_log=False, server_header=False)
    server = uvicorn.Server(config)

    def end_with_input() -> None:
        sys.stdin.read()
        server.should_exit = True

    threading.Thread(target=end_with_input, daemon=True).start()
    print(json.dumps({"port": listener.getsockname()[1], "key": key}), flush=True)
    server.run(sockets=[listener])


def main(home: str, database: str, cases: int) -> None:
    """Fill and serve."""
    hub = furnished(Path(home), database, min(_REAL, cases))
    fill(hub, cases)
    with hub.database.write() as conn:
        key = accounts.add_api_key(conn, role=Role.OPERATOR, name="bench", now=dt.datetime.now(dt.UTC))[0]
    serve(hub, key)
    hub.close()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
