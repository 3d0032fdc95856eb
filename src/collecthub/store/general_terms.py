"""General terms as they are kept: every statement stays."""

from __future__ import annotations

import msgspec
import sqlalchemy as sa

from collecthub.model.general_terms import GeneralTerms
from collecthub.store.network_tables import general_terms as g


def write_general_terms(conn: sa.Connection, stated: GeneralTerms) -> None:
    """Keep a new statement."""
    conn.execute(sa.insert(g).values(
        terms_id=stated.terms_id, creditor_id=stated.creditor_id, doc=msgspec.json.encode(stated).decode(),
        stated_at=stated.stated_at,
    ))  # fmt: skip


def read_general_terms(conn: sa.Connection, *conditions: sa.ColumnElement[bool]) -> tuple[GeneralTerms, ...]:
    """Statements that satisfy all conditions, the newest first."""
    query = sa.select(g.c.doc).where(*conditions).order_by(g.c.stated_at.desc(), g.c.terms_id)
    return tuple(msgspec.json.decode(doc, type=GeneralTerms) for doc in conn.scalars(query))
