"""Case reports as the hub makes them, for both kinds of SAP."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from collecthub.model.codes import Outcome
from collecthub.model.event import AmendmentAcknowledged, CaseClosed, CaseEvent, CaseOpened, CaseSent, Fact
from collecthub.model.exchange import AmendmentCode
from collecthub.model.history import apply
from collecthub.ports import CaseReport

NOW = dt.datetime(2026, 6, 15, 18, 0, tzinfo=dt.UTC)
SENT = CaseSent(placement_id="p", message_id="m", envelope_name="e", receipt_ref="r", principal=Decimal(1000))
CLOSED = CaseClosed(outcome=Outcome.PAID_FULL)
RECALLED = AmendmentAcknowledged(message_id="m", code=AmendmentCode.RECALL)
SUSPENDED = AmendmentAcknowledged(message_id="m", code=AmendmentCode.SUSPEND)


def report(
    fact: Fact, customer: str, item_refs: tuple[str, ...], report_id: str = "f" * 32, case_id: str = "case"
) -> CaseReport:
    """What the hub tells about one event of a case."""
    opened = CaseOpened(
        number="C-1", creditor_id="cr", connection_id="co", debtor_ref=customer, debtor_digest="d", currency="EUR",
        segment="B2B", claims=(),
    )  # fmt: skip
    events = [
        CaseEvent(
            case_id=case_id, seq=seq, occurred_at=NOW, recorded_at=NOW, actor="hub", fact=one, previous_hash=""
        )
        for seq, one in enumerate((opened, fact), 1)
    ]
    return CaseReport(
        report_id=report_id, case=apply(None, events[0]), event=events[1], text="Case C-1: something.",
        debtor_ref=customer, item_refs=item_refs,
    )  # fmt: skip
