"""Put the demo network into a hub, once; partners that are there stay as they are."""

from __future__ import annotations

import sqlalchemy as sa

from collecthub.engine.context import Hub
from collecthub.engine.demo_partners import demo_partners
from collecthub.model.contract import Side
from collecthub.store import tables as t
from collecthub.store.connections import write_partner
from collecthub.store.contracts import add_contract


def install_demo_network(hub: Hub) -> int:
    """Add every demo partner with its terms. Returns how many were new."""
    with hub.work() as work:
        known = set(work.conn.scalars(sa.select(t.partners.c.partner_id)))
        fresh = [(profile, terms) for profile, terms in demo_partners() if profile.partner_id not in known]
        for profile, terms in fresh:
            write_partner(work.conn, profile, work.now)
            if terms is not None:
                add_contract(work.conn, Side.PARTNER, profile.partner_id, terms, entered_by="hub", now=work.now)
    return len(fresh)
