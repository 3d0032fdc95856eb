"""A hub with one ERP and one partner that keeps books, and ways to back it up and bring it back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

from walk.scripted import Empty, ScriptedErp, ScriptedPartner, World

from collecthub.bundled import routes
from collecthub.config import HubSettings, load_settings
from collecthub.engine.context import Hub
from collecthub.engine.jobs import JOBS
from collecthub.formats import plugin as formats_plugin
from collecthub.hub import open_hub
from collecthub.model.exchange import AccountLine, CaseFile
from collecthub.model.partner import PartnerProfile
from collecthub.model.party import Party
from collecthub.plugins import PluginSet
from collecthub.ports import OpenItem
from collecthub.sdk import ConnectorContext, ConnectorRole, ConnectorSpec, hookimpl
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
from collecthub.testing.inline import InlineQueue, run_until_idle

TODAY = dt.date(2026, 6, 15)


class BookedErp(ScriptedErp):
    def open_items(self) -> Iterator[OpenItem]:
        for row in self.world.rows:
            yield OpenItem(
                item_ref=row.item_ref, debtor_ref=row.debtor_ref, currency=row.currency, open_amount=row.open_amount
            )


class BookedPartner(ScriptedPartner):
    """Shows what it was handed, from its own memory."""

    def accounts(self) -> Iterator[AccountLine]:
        for message in self.world.messages:
            if isinstance(message, CaseFile):
                yield AccountLine(
                    case_id=message.case_id, holder_ref="D-1", currency=message.currency,
                    principal=message.principal, paid=Decimal(0), costs=Decimal(0), is_stopped=False, **self.world.grown,
                )


class BookedPlugin:
    def __init__(self, world: World) -> None:
        self._world = world

    @hookimpl
    def register_connectors(self) -> list[ConnectorSpec]:
        def erp(_context: ConnectorContext) -> BookedErp:
            return BookedErp(self._world)

        def partner(_context: ConnectorContext) -> BookedPartner:
            return BookedPartner(self._world)

        return [
            ConnectorSpec(kind="booked_erp", title="E", role=ConnectorRole.ERP, settings=Empty, load=lambda: erp),
            ConnectorSpec(
                kind="booked_partner", title="P", role=ConnectorRole.PARTNER, settings=Empty, load=lambda: partner
            ),
        ]


def settings_for(home: Path, database_url: str = "") -> HubSettings:
    return load_settings({}, home=home, database_url=database_url, business_date=TODAY)


def hub_on(settings: HubSettings, world: World) -> Hub:
    plugins = PluginSet()
    plugins.add("formats", formats_plugin)
    plugins.add("routes", routes)
    plugins.add("booked", BookedPlugin(world))
    hub = open_hub(settings, plugins=plugins)
    hub.queue = InlineQueue()
    return hub


def furnish(hub: Hub) -> None:
    """One creditor with an ERP, one partner with a line."""
    now = hub.now()
    party = Party(name="Brouwerij De Kroon", country="BE")
    profile = PartnerProfile(partner_id="office", name="Office Peeters", role="bailiff", countries=("BE",))
    with hub.database.write() as conn:
        write_creditor(conn, CreditorRow(creditor_id="kroon", name=party.name, party=party, playbook=Playbook()), now)
        write_partner(conn, profile, now)
        for connection_id, role, owner in (("books", "erp", "kroon"), ("line", "partner", "office")):
            is_erp = role == "erp"
            row = ConnectionRow(
                connection_id=connection_id, kind=f"booked_{role}", role=role, name=connection_id,
                creditor_id=owner if is_erp else None, partner_id=None if is_erp else owner, settings="{}",
                mode=RELEASED, release=Exclusions(), checkpoint="", status="ok", status_detail="", status_until=None,
                created_at=now, last_complete_at=None, next_due_at=None,
            )  # fmt: skip
            add_connection(conn, row)


def wake(hub: Hub, job: str, target: str) -> None:
    with hub.work() as work:
        work.wake(job, target)


def work_all(hub: Hub) -> None:
    """Pull, listen and send until nothing is left."""
    wake(hub, "pull", "books")
    wake(hub, "dispatch", "line")
    run_until_idle(hub)


def work_without_sending(hub: Hub) -> None:
    """Everything up to the moment at which a case file would leave."""
    wake(hub, "pull", "books")
    queue = hub.queue
    assert isinstance(queue, InlineQueue)
    while queue.waiting:
        job, target = queue.waiting.popleft()
        if job != "dispatch":
            JOBS[job](hub, target)
