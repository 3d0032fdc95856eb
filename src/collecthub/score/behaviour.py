"""What a customer's past says on the day of an invoice: only invoices settled before that day are known then."""

from __future__ import annotations

import bisect
import math
from collections.abc import Mapping, Sequence

import msgspec

from collecthub.score.receivables import PastInvoice

PRIOR_INVOICES = 2.0  # a short history is pulled towards the average as if this many average invoices stood before it
RECENT = 3


class Behaviour(msgspec.Struct, frozen=True, kw_only=True):
    """How a customer paid, as known on a day."""

    settled: int = 0
    late: int = 0
    late_of_recent: int = 0
    recent: int = 0
    mean_days_late: float = 0.0
    mean_days_after_due: float = 0.0  # negative is early
    open_invoices: int = 0
    overdue_invoices: int = 0

    def late_share(self, average: float) -> float:
        """The share of late invoices, pulled towards the average where little is known."""
        return (self.late + PRIOR_INVOICES * average) / (self.settled + PRIOR_INVOICES)

    def recent_share(self, average: float) -> float:
        """The same of the invoices settled last."""
        return (self.late_of_recent + average) / (self.recent + 1.0)


class Histories:
    """All invoices by customer, read on any day without looking ahead."""

    def __init__(self, invoices: Sequence[PastInvoice]) -> None:
        self._all: dict[str, list[PastInvoice]] = {}
        self._settled: dict[str, list[PastInvoice]] = {}
        for invoice in invoices:
            self._all.setdefault(invoice.customer, []).append(invoice)
            if invoice.settled_on is not None:
                self._settled.setdefault(invoice.customer, []).append(invoice)
        for settled in self._settled.values():
            settled.sort(key=_settled_on)

    def before(self, invoice: PastInvoice) -> Behaviour:
        """What was known of the customer when this invoice left: settled strictly before its day, or open on it."""
        on = invoice.issued_on.toordinal()
        settled = self._settled.get(invoice.customer, [])
        known = settled[: bisect.bisect_left(settled, on, key=_settled_on)]
        others = self._all.get(invoice.customer, [])
        unsettled = [
            one for one in others
            if one.issued_on.toordinal() < on and (one.settled_on is None or one.settled_on.toordinal() >= on)
        ]  # fmt: skip
        recent = known[-RECENT:]
        count = max(len(known), 1)
        return Behaviour(
            settled=len(known),
            late=sum(one.is_late for one in known),
            recent=len(recent),
            late_of_recent=sum(one.is_late for one in recent),
            mean_days_late=sum(max(_settled_on(one) - one.due_on.toordinal(), 0) for one in known) / count,
            mean_days_after_due=sum(_settled_on(one) - one.due_on.toordinal() for one in known) / count,
            open_invoices=len(unsettled),
            overdue_invoices=sum(one.due_on.toordinal() < on for one in unsettled),
        )


def _settled_on(invoice: PastInvoice) -> int:
    return invoice.settled_on.toordinal() if invoice.settled_on is not None else 0


def plain_inputs(invoice: PastInvoice) -> Mapping[str, float]:
    """What the invoice alone says."""
    return {
        "amount (log)": math.log1p(abs(float(invoice.amount))),
        "term in days": float((invoice.due_on - invoice.issued_on).days),
        "paper invoice": 1.0 if invoice.is_paper else 0.0,
        "month's end": 1.0 if invoice.issued_on.day >= 25 else 0.0,
    }


def history_inputs(past: Behaviour, average: float) -> Mapping[str, float]:
    """What the customer's past says, with the average of the training set in place of what is not known."""
    return {
        "share late": past.late_share(average),
        "share late, last three": past.recent_share(average),
        "mean days late": past.mean_days_late,
        "mean days after due": past.mean_days_after_due,
        "invoices settled (log)": math.log1p(past.settled),
        "no history": 0.0 if past.settled else 1.0,
        "open invoices": float(past.open_invoices),
        "overdue invoices": float(past.overdue_invoices),
    }
