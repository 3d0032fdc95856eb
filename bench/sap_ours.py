"""The real thing: `pull_connection` with the SAP plugin. `python -m bench.sap_ours HOME SERVER DATABASE ITEMS PHASES`.

Phases are `load`, `again` (an identical pull from the start) and `cut`, in which the connection breaks in the middle
of the second page and the pull goes on at its checkpoint.
"""

from __future__ import annotations

import json
import sys
from functools import partial
from pathlib import Path

import sqlalchemy as sa

from bench.ours import BOOKS, pull_anew
from bench.sap_pages import COMPANY
from bench.sap_server import PAGE_ROWS
from bench.usage import measured, peak_mb
from collecthub.config import load_settings
from collecthub.engine.context import Hub
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
    write_creditor,
)
from collecthub.store.secrets import write_secret


def connect(hub: Hub, server: str, service: str) -> None:
    """A creditor with one connection to the company code."""
    settings = {
        "base_url": server, "company_codes": [COMPANY], "username": "BENCH", "page_size": PAGE_ROWS,
        "cube_path": f"/sap/opu/odata/{service}",
    }  # fmt: skip
    with hub.database.write() as conn:
        party = Party(name="Bench", country="BE")
        write_creditor(conn, CreditorRow(creditor_id="bench", name="Bench", party=party, playbook=Playbook()), hub.now())
        write_secret(conn, hub.key, BOOKS, "setting:password", '"bench"')
        add_connection(
            conn,
            ConnectionRow(
                connection_id=BOOKS, kind="erp_sap", role="erp", name=BOOKS, creditor_id="bench", partner_id=None,
                settings=json.dumps(settings), mode=SHADOW, release=Exclusions(), checkpoint="", status="ok",
                status_detail="", status_until=None, created_at=hub.now(), last_complete_at=None, next_due_at=None,
            ),
        )  # fmt: skip


def pull_with_a_cut(hub: Hub) -> None:
    """Pull until the connection breaks, then to the end. Raises `RuntimeError` when it did not break, or not end."""
    pull_connection(hub, BOOKS)
    pull_connection(hub, BOOKS)
    with hub.database.read() as conn:
        states = list(conn.scalars(sa.select(t.runs.c.state).order_by(t.runs.c.started_at)))
    if states != ["incomplete", "complete"]:
        raise RuntimeError(f"the two pulls ended {states}")


def main(home: str, server: str, database: str, items: int, phases: str) -> None:
    """Pull everything once per phase and say what it took."""
    hub = open_client(load_settings({}, home=Path(home), database_url=database, allow_loopback=True))
    connect(hub, server, f"cut-{items}" if phases == "cut" else str(items))
    work = {"load": pull_anew, "again": pull_anew, "cut": pull_with_a_cut}
    told: dict[str, object] = {phase: measured(partial(work[phase], hub)) for phase in phases.split(",")}
    with hub.database.read() as conn:
        count, total = conn.execute(sa.select(sa.func.count(), sa.func.sum(t.invoices.c.open_minor))).one()
        read = conn.scalar(sa.select(sa.func.sum(t.runs.c.rows)))
    print(json.dumps({**told, "rows": count, "open_minor": int(total), "read": int(read or 0), "peak_mb": peak_mb()}))
    hub.close()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), sys.argv[5])
