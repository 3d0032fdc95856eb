"""What the creditor's playbook says on the cost of courts and enforcement, applied to one case."""

from __future__ import annotations

from decimal import Decimal

import sqlalchemy as sa

from collecthub.model.approval import ApprovalLimits
from collecthub.model.case import Case
from collecthub.model.proceeding import COSTLY
from collecthub.store.connections import read_creditor

BEFOREHAND = "allowed beforehand: the playbook gives up to"


def cost_limits(conn: sa.Connection, case: Case) -> ApprovalLimits:
    """What was agreed with the case's creditor."""
    creditor = read_creditor(conn, case.creditor_id)
    return creditor.playbook.approval if creditor else ApprovalLimits()


def committed(case: Case) -> Decimal:
    """What the costly steps of a case have cost or may still cost: caps of what runs or waits, what was spent on the rest."""
    begun = [one for one in case.proceedings.all if one.kind in COSTLY]
    running = sum(((one.cost_cap or Decimal(0)) if one.is_open else one.cost_spent for one in begun), Decimal(0))
    return running + sum((one.cap for one in case.proceedings.approvals if one.is_unspent), Decimal(0))
