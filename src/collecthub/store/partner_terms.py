"""What was agreed with all partners, read at once for routing."""

from __future__ import annotations

import sqlalchemy as sa

from collecthub.model.contract import Contract, Side
from collecthub.store.contracts import contract_of
from collecthub.store.remittance_tables import contracts


def partner_contracts(conn: sa.Connection) -> list[Contract]:
    """Every version of every partner's contract, by partner and version."""
    query = sa.select(contracts).where(contracts.c.side == Side.PARTNER.value)
    return [contract_of(row) for row in conn.execute(query.order_by(contracts.c.party_id, contracts.c.version))]
