"""What partners said about money passed on, in the table of earlier versions, lies in the one record of transfers."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from pathlib import Path

import sqlalchemy as sa

from collecthub.engine.partner_money import list_remittances
from collecthub.store import migrate
from collecthub.store.database import Database

SAID = {
    "remittance_ref": "R1", "currency": "UYU", "amount": "880.00", "paid_on": "2026-06-15", "case_currency": "EUR", "rate": "46.00",
    "rate_on": "2026-06-14", "bank_charges": "13.00", "fee": "50.00",
    "lines": [{"case_id": "c1", "payment_ref": "p1", "amount": "20.50"}],
}  # fmt: skip


def test_a_partners_remittance_is_a_transfer_afterwards(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'hub.sqlite'}")
    migrate.upgrade(database)
    old = sa.Table(
        "partner_remittances", sa.MetaData(), *(sa.Column(name, sa.Text) for name in ("remittance_id", "partner_id", "remittance_ref")),
        sa.Column("currency", sa.Text), sa.Column("amount_minor", sa.BigInteger), sa.Column("paid_on", sa.Date),
        sa.Column("doc", sa.Text), sa.Column("finding", sa.Text), sa.Column("created_at", sa.Text),
    )
    with database.write() as conn:
        old.create(conn)
        row = {
            "remittance_id": "r1", "partner_id": "agency", "remittance_ref": "R1", "currency": "UYU", "amount_minor": 88000,
            "paid_on": dt.date(2026, 6, 15), "doc": json.dumps(SAID), "finding": "", "created_at": "2026-06-15 10:00:00.000000",
        }
        conn.execute(sa.insert(old).values(**row))
        conn.execute(sa.text("UPDATE alembic_version SET version_num = '0015'"))
    migrate.upgrade(database)
    with database.read() as conn:
        (kept,) = list_remittances(conn, "agency")
        assert "partner_remittances" not in sa.inspect(conn).get_table_names()
        assert conn.scalar(sa.text("SELECT operator_minor FROM transfers")) == 5000  # nobody agreed that the creditor bears it
    assert (kept.remittance_id, kept.remittance.remittance_ref, kept.state) == ("r1", "R1", "announced")
    assert (kept.remittance.amount, kept.remittance.fee) == (Decimal("880.00"), Decimal("50.00"))
    assert [(line.case_id, line.amount) for line in kept.remittance.lines] == [("c1", Decimal("20.50"))]
    database.close()
