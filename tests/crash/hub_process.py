"""The process that is killed: what `collecthub run` does, with the web door open for the agencies' hooks.

Imported once by a fork server, so that each new process costs a fork and not three seconds of imports.
"""

from __future__ import annotations

import contextlib
import importlib
import logging
import multiprocessing
import os
from collections.abc import Callable
from importlib.metadata import entry_points
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Event
from pathlib import Path

from fastapi.testclient import TestClient

from collecthub.cli.demo.people import agree_with_partners, connect_creditor, is_connected
from collecthub.cli.hub_access import at_work
from collecthub.cli.serving import BackgroundServer
from collecthub.config import load_settings
from collecthub.engine.context import Hub
from collecthub.engine.idle import wake_outsides, work_until_idle
from collecthub.engine.memory import spare_what_is_there
from collecthub.engine.release import release_connection
from collecthub.hub import open_hub
from collecthub.plugins import GROUP
from collecthub.store import tables as t
from collecthub.store.connections import Exclusions, read_connections
from collecthub.store.queries.scope import LOCAL_OPERATOR
from collecthub.web.app import bare_app, create_app
from crash.town import NearbyTown, cut_plan

for _plugin in entry_points(group=GROUP):
    importlib.import_module(f"{_plugin.module}.connector")

ON_DEMAND = (
    "uvicorn.loops.uvloop", "uvicorn.protocols.http.auto", "uvicorn.protocols.websockets.auto", "uvicorn.lifespan.on",
    "zeep.transports", "signxml", "holidays.countries", "dbos._sys_db_sqlite", "collecthub_erp_sap.business_one.connector",
)  # fmt: skip
for _module in ON_DEMAND:
    importlib.import_module(_module)
with TestClient(bare_app()) as _nobody:
    _nobody.get("/nowhere")  # every path is analysed and matched once, here
cut_plan()
spare_what_is_there()  # or each life would walk through everything that it never made


def server() -> multiprocessing.context.ForkServerContext:
    """The fork server of this test process, with everything imported."""
    context = multiprocessing.get_context("forkserver")
    paths = [str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, paths))  # the server starts with this environment
    context.set_forkserver_preload(["crash.hub_process", "pytest"])
    return context


def start(home: Path, port: int, act: str, seconds: float) -> tuple[BaseProcess, Event]:
    """Start a hub process on its home; the event tells when it has begun to work."""
    context = server()
    begun = context.Event()
    process = context.Process(target=_live, args=(home, port, act, seconds, begun), daemon=True)
    process.start()
    return process, begun


def _live(home: Path, port: int, act: str, seconds: float, begun: Event) -> None:
    logging.basicConfig(
        filename=home / "hub.log", level=logging.INFO, format="%(asctime)s %(process)d %(name)s %(message)s", force=True
    )
    hub = open_hub(load_settings({}, home=home))
    town = NearbyTown(home / "town", ())
    web = BackgroundServer(create_app(hub), port=port)
    with contextlib.closing(hub), at_work(hub, ticking=False) as engine, web:
        _connect(hub, town, web.url)  # people do this once, before the hub has anything to lose
        begun.set()
        ACTS[act](hub)
        wake_outsides(hub, pull=True, listen=True)
        left = work_until_idle(hub, engine, seconds=seconds, outside_is_quiet=lambda: town.undelivered() == 0)
    raise SystemExit(f"left: {left}" if left.total else 0)


def _connect(hub: Hub, town: NearbyTown, url: str) -> None:
    plan = cut_plan()
    if not is_connected(hub, plan):
        agree_with_partners(hub, town, plan, url)
        for creditor in plan.creditors:
            connect_creditor(hub, town, creditor)


def _release(hub: Hub) -> None:
    with hub.database.read() as conn:
        rows = read_connections(conn, t.connections.c.role == "erp")
    for row in rows:
        release_connection(hub, LOCAL_OPERATOR, row.connection_id, Exclusions(reminders_by="creditor"))


ACTS: dict[str, Callable[[Hub], None]] = {"run": lambda hub: None, "release": _release}
"""What a person asks for before the hub works; asked again after each crash."""
