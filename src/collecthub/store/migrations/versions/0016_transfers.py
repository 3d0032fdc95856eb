"""One record of what partners pass on; fees on payments to the creditor himself."""

from __future__ import annotations

import json
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from alembic import op

from collecthub.store.remittance_tables import direct_fees

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_INSERT = sa.text(
    "INSERT INTO transfers (transfer_id, partner_id, reference, state, currency, received_minor, operator_minor, doc, finding,"
    " entered_by, entered_at) VALUES (:transfer_id, :partner_id, :reference, 'announced', :currency, :received_minor,"
    " :operator_minor, :doc, :finding, :entered_by, :entered_at)"
)


def upgrade() -> None:
    """Transfers entered by the operator lose the parts beside their text; what partners said joins them."""
    bind = op.get_bind()
    direct_fees.create(bind, checkfirst=True)
    for row in bind.execute(sa.text("SELECT transfer_id, doc FROM transfers")).all():
        doc = json.loads(row.doc)
        if "transfer" in doc:
            bind.execute(
                sa.text("UPDATE transfers SET doc = :doc WHERE transfer_id = :transfer_id"),
                {"transfer_id": row.transfer_id, "doc": json.dumps(doc["transfer"])},
            )
    if "partner_remittances" not in sa.inspect(bind).get_table_names():
        return
    there = {(row.partner_id, row.reference) for row in bind.execute(sa.text("SELECT partner_id, reference FROM transfers"))}
    for said in bind.execute(sa.text("SELECT * FROM partner_remittances")).mappings().all():
        if (said["partner_id"], said["remittance_ref"]) not in there:
            bind.execute(_INSERT, _moved(said))
    op.drop_table("partner_remittances")


def _moved(row: Any) -> dict[str, object]:
    """A remittance in the words of a transfer. Amounts are decimal strings in both."""
    said = json.loads(row["doc"])
    lines = [{"case": line["case_id"], "payment_ref": line["payment_ref"], "amount": line["amount"]} for line in said["lines"]]
    doc = {
        "reference": said["remittance_ref"], "currency": said["case_currency"], "amount": _sum(line["amount"] for line in lines),
        "received_currency": said["currency"], "received": said["amount"], "rate": said.get("rate", "1"),
        "rate_on": said.get("rate_on") or said["paid_on"], "rate_source": "as the partner states it",
        "charges": said.get("bank_charges", "0"), "bearer": "creditor", "fee": said.get("fee", "0"), "fee_bearer": "operator",
        "paid_on": said["paid_on"], "lines": lines,
    }  # fmt: skip
    return {
        "transfer_id": row["remittance_id"], "partner_id": row["partner_id"], "reference": row["remittance_ref"],
        "currency": row["currency"], "received_minor": row["amount_minor"], "operator_minor": _minor(row, said, doc["fee"]),
        "doc": json.dumps(doc), "finding": row["finding"], "entered_by": f"partner:{row['partner_id']}",
        "entered_at": row["created_at"],
    }  # fmt: skip


def _sum(amounts: Iterable[str]) -> str:
    return str(sum((Decimal(amount) for amount in amounts), Decimal(0)))


def _minor(row: Any, said: Any, amount: object) -> int:
    """An amount in minor units of the currency in which the row states its own sum both ways."""
    return int(Decimal(str(amount)) * row["amount_minor"] / Decimal(said["amount"]))
