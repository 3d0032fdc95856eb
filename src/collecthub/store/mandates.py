"""Mandates as they are kept: added, revoked and outdated, never changed."""

from __future__ import annotations

import sqlalchemy as sa

from collecthub.model.mandate import Mandate, MandateKind
from collecthub.store.network_tables import mandates


def read_mandates(conn: sa.Connection, *conditions: sa.ColumnElement[bool]) -> list[Mandate]:
    """Mandates that satisfy all conditions, oldest first."""
    query = sa.select(mandates).where(*conditions).order_by(mandates.c.created_at, mandates.c.mandate_id)
    return [_mandate(row) for row in conn.execute(query)]


def _mandate(row: sa.Row[tuple[object, ...]]) -> Mandate:
    values = {name: row._mapping[name] for name in Mandate.__struct_fields__}
    return Mandate(**{**values, "kind": MandateKind(values["kind"])})


def write_mandate(conn: sa.Connection, mandate: Mandate, actor: str) -> None:
    """Keep a new one."""
    values = {name: getattr(mandate, name) for name in Mandate.__struct_fields__}
    conn.execute(sa.insert(mandates).values(**{**values, "kind": mandate.kind.value}, actor=actor))


def revoke_mandate(conn: sa.Connection, mandate_id: str, note: str) -> None:
    """It counts no more; the row stays."""
    conn.execute(sa.update(mandates).where(mandates.c.mandate_id == mandate_id).values(state="revoked", note=note))


def outdate_mandates(conn: sa.Connection, partner_id: str, note: str) -> None:
    """What a partner signed or was checked by is stale; the rows stay."""
    standing = (mandates.c.partner_id == partner_id) & (mandates.c.state == "signed")
    conn.execute(sa.update(mandates).where(standing).values(state="stale", note=note))
