"""What was agreed with all partners, read at once for routing."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa

from collecthub.model.contract import Contract, Side, in_force
from collecthub.store.contracts import contract_of
from collecthub.store.remittance_tables import contracts


def partner_contracts(conn: sa.Connection) -> list[Contract]:
    """Every version of every partner's contract, by partner and version."""
    query = sa.select(contracts).where(contracts.c.side == Side.PARTNER.value)
    return [contract_of(row) for row in conn.execute(query.order_by(contracts.c.party_id, contracts.c.version))]


def contracts_in_force(conn: sa.Connection, on: dt.date) -> dict[str, Contract]:
    """The contract that counts on a day, by partner; partners without one are left out."""
    by_partner: dict[str, list[Contract]] = {}
    for one in partner_contracts(conn):
        by_partner.setdefault(one.party_id, []).append(one)
    found = {partner_id: in_force(versions, on) for partner_id, versions in by_partner.items()}
    return {partner_id: one for partner_id, one in found.items() if one is not None}
