"""A creditor with an ERP in memory, for what happens after the pull: cases, routes, lists.

Every debtor has three overdue invoices; debtors live in six countries, and each country has its partner.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path

from pydantic import BaseModel

from bench.pages import guid
from collecthub.config import load_settings
from collecthub.engine.context import Hub
from collecthub.engine.pulling import pull_connection
from collecthub.hub import BUNDLED, open_hub
from collecthub.model.partner import PartnerProfile
from collecthub.model.party import Party
from collecthub.plugins import PluginSet
from collecthub.sdk import (
    Address,
    ConnectorContext,
    ConnectorRole,
    ConnectorSpec,
    Contact,
    DebtorRecord,
    Page,
    PartyKind,
    RawInvoice,
    hookimpl,
)
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

BOOKS, CREDITOR = "books", "bench"
TODAY = dt.date(2026, 6, 15)
COUNTRIES = ("BE", "BE", "BE", "FR", "DE", "NL", "UY", "GR")
INVOICES_EACH = 3
_PAGE = 1000


class NoSettings(BaseModel):
    """This ERP needs none."""


class BooksInMemory:
    """An ERP without a wire: so many debtors, each with overdue invoices."""

    def __init__(self, debtors: int) -> None:
        self._debtors = debtors

    def pull(self, checkpoint: str) -> Iterator[Page]:
        """Everything, in pages."""
        items = self._debtors * INVOICES_EACH
        for first in range(0, items, _PAGE):
            rows = [_invoice(index, self._debtors) for index in range(first, min(first + _PAGE, items))]
            yield Page(rows=rows, checkpoint=str(first))

    def debtors(self, debtor_refs: Sequence[str]) -> Iterator[DebtorRecord]:
        """Master data, complete enough for a case file."""
        for ref in debtor_refs:
            yield DebtorRecord(debtor_ref=ref, party=_party(ref))


def _invoice(index: int, debtors: int) -> RawInvoice:
    amount = Decimal(index * 104_729 % 900_000 + 1_000).scaleb(-2)
    due_on = TODAY - dt.timedelta(days=1 + index % 300)
    debtor = index % debtors
    return RawInvoice(
        item_ref=guid("term", index), debtor_ref=f"D{debtor:06}", debtor_name=f"Debtor {debtor} & Zoon",
        number=str(1_000_000 + index), issued_on=due_on - dt.timedelta(days=30), due_on=due_on, currency="EUR",
        amount=amount, open_amount=amount, group_ref="1", text=f"Order {index}",
    )  # fmt: skip


def _party(ref: str) -> Party:
    country = COUNTRIES[int(ref[1:]) % len(COUNTRIES)]
    return Party(
        name=f"Debtor {int(ref[1:])} & Zoon", kind=PartyKind.COMPANY, country=country, language="en",
        vat_ref=f"{country}0{int(ref[1:]):09}", address=Address(
            lines=("Dorpsstraat 1",), postcode="1000", city="Town", country=country,
        ),
        contacts=(Contact(email=f"{ref.lower()}@example.org", phone="+32 2 000 00 00"),),
    )  # fmt: skip


class _InMemoryPlugin:
    def __init__(self, debtors: int) -> None:
        self._books = BooksInMemory(debtors)

    @hookimpl
    def register_connectors(self) -> list[ConnectorSpec]:
        def build(_context: ConnectorContext) -> BooksInMemory:
            return self._books

        return [
            ConnectorSpec(
                kind="memory", title="ERP in memory", role=ConnectorRole.ERP, settings=NoSettings, load=lambda: build
            )
        ]


def furnished(home: Path, database: str, debtors: int) -> Hub:
    """A hub with the creditor, its books pulled, and a partner in every country. Jobs wait; none runs by itself."""
    settings = load_settings({}, home=home, database_url=database, business_date=TODAY, allow_loopback=True)
    plugins = PluginSet()
    for name, module in (*BUNDLED, ("memory", _InMemoryPlugin(debtors))):
        plugins.add(name, module)
    hub = open_hub(settings, plugins=plugins)
    hub.queue = InlineQueue()
    now = hub.now()
    with hub.database.write() as conn:
        party = Party(name="Bench", country="BE")
        write_creditor(conn, CreditorRow(creditor_id=CREDITOR, name="Bench", party=party, playbook=Playbook()), now)
        for country in sorted(set(COUNTRIES)):
            role = "bailiff" if country == "BE" else "agency"
            profile = PartnerProfile(partner_id=f"office-{country}", name=country, role=role, countries=(country,))
            write_partner(conn, profile, now)
            add_connection(conn, _connection(f"line-{country}", "partner", f"office-{country}", now))
        add_connection(conn, _connection(BOOKS, "erp", None, now))
    pull_connection(hub, BOOKS)
    return hub


def _connection(connection_id: str, role: str, partner_id: str | None, now: dt.datetime) -> ConnectionRow:
    return ConnectionRow(
        connection_id=connection_id, kind="memory", role=role, name=connection_id,
        creditor_id=None if partner_id else CREDITOR, partner_id=partner_id, settings="{}", mode=RELEASED,
        release=Exclusions(), checkpoint="", status="ok", status_detail="", status_until=None, created_at=now,
        last_complete_at=None, next_due_at=None,
    )  # fmt: skip
