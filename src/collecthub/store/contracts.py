"""Versions of contracts in their table: added, never changed, read together."""

from __future__ import annotations

import datetime as dt
from functools import lru_cache
from typing import Any

import msgspec
import sqlalchemy as sa

from collecthub.errors import RetryableError
from collecthub.model.contract import Contract, Side, Terms
from collecthub.model.ids import new_id
from collecthub.store.remittance_tables import contracts
from collecthub.wire.decoders import decoder


def add_contract(
    conn: sa.Connection, side: Side, party_id: str, terms: Terms, *, entered_by: str, now: dt.datetime
) -> Contract:
    """The next version. Raises `RetryableError` when somebody entered one at the same moment."""
    mine = (contracts.c.side == side.value) & (contracts.c.party_id == party_id)
    last = conn.scalar(sa.select(sa.func.max(contracts.c.version)).where(mine)) or 0
    made = Contract(contract_id=new_id(), side=side, party_id=party_id, version=last + 1, terms=terms)
    row = {
        "contract_id": made.contract_id, "side": side.value, "party_id": party_id, "version": made.version,
        "valid_from": terms.valid_from, "doc": msgspec.json.encode(terms).decode(), "entered_by": entered_by,
        "entered_at": now,
    }  # fmt: skip
    try:
        conn.execute(sa.insert(contracts).values(**row))
    except sa.exc.IntegrityError as error:
        raise RetryableError(
            "somebody entered a version of this contract at the same moment", cure="Look at it and enter yours again.",
            retry_after_seconds=0,
        ) from error
    return made


def versions_of(conn: sa.Connection, side: Side, party_id: str) -> list[Contract]:
    """Every version agreed with one party, oldest first."""
    query = sa.select(contracts).where(contracts.c.side == side.value, contracts.c.party_id == party_id)
    return [contract_of(row) for row in conn.execute(query.order_by(contracts.c.version))]


def contract_of(row: Any) -> Contract:
    """A row of the table."""
    return Contract(
        contract_id=row.contract_id, side=Side(row.side), party_id=row.party_id, version=row.version,
        terms=_terms(row.doc),
    )


@lru_cache(maxsize=1024)
def _terms(doc: str) -> Terms:
    """Terms as they were signed: frozen, and each routing reads those of the whole network again."""
    terms: Terms = decoder(Terms).decode(doc)
    return terms
