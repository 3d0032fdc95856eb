"""The portal's pages keep nobody out, as axe-core judges them: every page there is, found from the routes."""

from __future__ import annotations

import re
from collections.abc import Callable

import sqlalchemy as sa
from playwright.sync_api import Page
from web.test_partner_isolation import get_routes

from collecthub.engine.identity import identify
from collecthub.store import tables as t
from collecthub.store.human_tables import identity_members
from collecthub.web.app import bare_app
from portal.conftest import PHONE, LogIn
from portal.town import Town

# Two pages hold a map of every country, which takes the judge as long as ten others; the page of one country is judged.
NO_PAGES = re.compile(r"/(countries|portfolio)$|/(api|d|p|exchange|static|hooks|healthz|login|logout|oauth|payment-orders)\b|.*(\.svg|/content|/progress|/certificate|/statement|/preview)$")
ON_A_DESK = ("/agenda",)  # where the table stands as a table


def known(town: Town) -> dict[str, str]:
    """An id for every part of an address that the town has one for."""
    with town.hub.database.read() as conn:
        creditor_ids = list(conn.scalars(sa.select(t.creditors.c.creditor_id)))
    for creditor_id in creditor_ids:
        identify(town.hub, creditor_id)
    asked = {
        "case_id": sa.select(t.cases.c.case_id).where(t.cases.c.total_minor > 0), "envelope_id": sa.select(t.envelopes.c.envelope_id),
        "partner_id": sa.select(t.partners.c.partner_id), "creditor_id": sa.select(t.creditors.c.creditor_id),
        "connection_id": sa.select(t.connections.c.connection_id).where(t.connections.c.role == "erp"),
        "quarantine_id": sa.select(t.quarantine.c.quarantine_id), "identity_id": sa.select(identity_members.c.identity_id),
        "payment_id": sa.select(t.payments.c.payment_id),
    }  # fmt: skip
    with town.hub.database.read() as conn:
        found = {name: conn.scalar(query.limit(1)) for name, query in asked.items()}
    return {**{name: str(value) for name, value in found.items() if value}, "country": "UY", "kind": "town_erp"}


def test_every_page_there_is(log_in: LogIn, url: str, town: Town, barriers: Callable[[Page], list[str]]) -> None:
    ids = known(town)
    paths = [path for path in sorted(set(get_routes(bare_app()))) if not NO_PAGES.match(path)]
    reachable = [path for path in paths if set(re.findall(r"{(\w+)}", path)) <= ids.keys()]
    assert len(reachable) > 45, "the town has one of almost everything"
    page, found = log_in("operator", PHONE), {}
    for path in [*reachable, *ON_A_DESK]:
        if path in found:
            page.set_viewport_size({"width": 1280, "height": 900})
        answered = page.goto(url + re.sub(r"{(\w+)}", lambda match: ids[match.group(1)], path))
        if answered is not None and answered.headers.get("content-type", "").startswith("text/html"):
            found[path] = [*found.get(path, ()), *barriers(page)]
    assert len(found) > 40
    assert {path: some for path, some in found.items() if some} == {}
