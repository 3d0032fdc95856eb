"""The real thing: `pull_connection` with the Exact Online plugin. `python -m bench.ours`, with
HOME SERVER DATABASE ITEMS PHASES."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import sqlalchemy as sa

from bench.usage import measured, peak_mb
from collecthub.config import load_settings
from collecthub.engine.context import Hub
from collecthub.engine.memory import spare_what_is_there, walk_seldom
from collecthub.engine.pulling import pull_connection
from collecthub.hub import open_client
from collecthub.model.party import Party
from collecthub.store import tables as t
from collecthub.store.connections import (
    SHADOW,
    ConnectionRow,
    CreditorRow,
    Exclusions,
    Playbook,
    add_connection,
    change_connection,
    write_creditor,
)
from collecthub.store.secrets import write_secret

BOOKS = "books"


def connect(hub: Hub, server: str, division: int) -> None:
    """A creditor with one connection to the division, consent given."""
    settings = {
        "base_url": server, "client_id": "bench", "redirect_uri": "https://hub.example.org/callback",
        "divisions": [division], "compare_daily": False,
    }  # fmt: skip
    with hub.database.write() as conn:
        party = Party(name="Bench", country="BE")
        write_creditor(conn, CreditorRow(creditor_id="bench", name="Bench", party=party, playbook=Playbook()), hub.now())
        write_secret(conn, hub.key, BOOKS, "setting:client_secret", '"bench"')
        add_connection(
            conn,
            ConnectionRow(
                connection_id=BOOKS, kind="erp_exact", role="erp", name=BOOKS, creditor_id="bench", partner_id=None,
                settings=json.dumps(settings), mode=SHADOW, release=Exclusions(), checkpoint="", status="ok",
                status_detail="", status_until=None, created_at=hub.now(), last_complete_at=None, next_due_at=None,
            ),
        )
    consent = getattr(hub.connector(BOOKS), "finish_consent")  # noqa: B009  # a door of this plugin, not of the port
    consent("code")


def pull_anew(hub: Hub) -> None:
    """Pull everything, as after a lost checkpoint. Raises `RuntimeError` when the run did not end complete."""
    with hub.database.write() as conn:
        change_connection(conn, BOOKS, checkpoint="")
    pull_connection(hub, BOOKS)
    with hub.database.read() as conn:
        unfinished = conn.execute(sa.select(t.runs.c.problem).where(t.runs.c.state != "complete")).first()
    if unfinished is not None:
        raise RuntimeError(f"the pull did not end complete: {unfinished.problem}")


def main(home: str, server: str, database: str, items: int, phases: str) -> None:
    """Pull everything once per phase (`load,again`) and say what it took."""
    walk_seldom()  # as every worker does
    spare_what_is_there()
    hub = open_client(load_settings({}, home=Path(home), database_url=database, allow_loopback=True))
    connect(hub, server, items)
    told: dict[str, object] = {phase: measured(lambda: pull_anew(hub)) for phase in phases.split(",")}
    with hub.database.read() as conn:
        count, total = conn.execute(sa.select(sa.func.count(), sa.func.sum(t.invoices.c.open_minor))).one()
    print(json.dumps({**told, "rows": count, "open_minor": int(total), "peak_mb": peak_mb()}))
    hub.close()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), sys.argv[5])
