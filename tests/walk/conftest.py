"""A small house for the walk: one creditor, one scripted ERP, one scripted partner, on either database."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest
from walk.scripted import ScriptedPlugin, World

from collecthub.bundled import routes
from collecthub.config import load_settings
from collecthub.engine.context import Hub
from collecthub.formats import plugin as formats_plugin
from collecthub.hub import open_hub
from collecthub.model.partner import PartnerProfile
from collecthub.model.party import Party
from collecthub.plugins import PluginSet
from collecthub.store.connections import (
    RELEASED,
    ConnectionRow,
    CreditorRow,
    Exclusions,
    Playbook,
    add_connection,
    write_creditor,
    write_partner,
)
from collecthub.testing.inline import InlineQueue

TODAY = dt.date(2026, 6, 15)


class House:
    """The hub and its world."""

    def __init__(self, hub: Hub, world: World) -> None:
        self.hub = hub
        self.world = world
        self.queue = hub.queue

    def wake(self, job: str, target: str) -> None:
        with self.hub.work() as work:
            work.wake(job, target)


@pytest.fixture
def house(tmp_path: Path, database_url: str) -> Iterator[House]:
    settings = load_settings({}, home=tmp_path, database_url=database_url, business_date=TODAY)
    world = World()
    plugins = PluginSet()
    plugins.add("formats", formats_plugin)
    plugins.add("routes", routes)
    plugins.add("scripted", ScriptedPlugin(world))
    hub = open_hub(settings, plugins=plugins)
    hub.queue = InlineQueue()
    now = hub.now()
    with hub.database.write() as conn:
        creditor = Party(name="Brouwerij De Kroon", country="BE")
        write_creditor(
            conn, CreditorRow(creditor_id="kroon", name=creditor.name, party=creditor, playbook=Playbook()), now
        )
        write_partner(
            conn, PartnerProfile(partner_id="office", name="Office Peeters", role="bailiff", countries=("BE",)), now
        )
        for connection_id, kind, role, partner in (
            ("books", "scripted_erp", "erp", None),
            ("line", "scripted_partner", "partner", "office"),
        ):
            add_connection(conn, connection(connection_id, kind, role, partner, now))
    yield House(hub, world)
    hub.close()


def connection(connection_id: str, kind: str, role: str, partner_id: str | None, now: dt.datetime) -> ConnectionRow:
    return ConnectionRow(
        connection_id=connection_id, kind=kind, role=role, name=connection_id,
        creditor_id="kroon" if role == "erp" else None, partner_id=partner_id, settings="{}", mode=RELEASED,
        release=Exclusions(), checkpoint="", status="ok", status_detail="", status_until=None, created_at=now,
        last_complete_at=None, next_due_at=None,
    )
