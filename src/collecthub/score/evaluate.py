"""The evaluation: learn on the older 70 % of a history, be asked on the newer 30 %, never look ahead.

The model sees outcomes that were known on the day of the cut, a customer's past is what was settled before the day
of each invoice, and a column that is only known afterwards is not read at all.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import math
from collections.abc import Callable, Mapping, Sequence

import msgspec

from collecthub.errors import QuarantineError
from collecthub.score.behaviour import Behaviour, Histories, history_inputs, plain_inputs
from collecthub.score.logistic import LogisticModel, fit
from collecthub.score.measures import Bin, auc, brier, calibration, calibration_error
from collecthub.score.receivables import Layout, PastInvoice
from collecthub.score.scorecard import Scorecard, scorecard

TRAIN_SHARE = 0.7
GROUPS = 5  # customers are held out in five groups, each asked by a model that never saw them
Inputs = Callable[[PastInvoice], Mapping[str, float]]


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """What one scorer reached on the newer part."""

    scorer: str
    asked: int
    auc: float
    brier: float
    calibration_error: float
    calibration: tuple[Bin, ...]


class Weight(msgspec.Struct, frozen=True, kw_only=True):
    """What one standard deviation of an input adds to the log-odds of late payment."""

    name: str
    weight: float


class Evaluation(msgspec.Struct, frozen=True, kw_only=True):
    """Everything the command prints."""

    layout: str
    invoices: int
    customers: int
    late_share: float
    refused: tuple[str, ...]
    cut_on: dt.date
    trained_on: int
    not_known_at_cut: int
    asked: int
    results: tuple[Measured, ...]
    weights: tuple[Weight, ...]
    left_out: Mapping[str, str]
    notes: tuple[str, ...]


def evaluate(layout: Layout, invoices: Sequence[PastInvoice], refused: Sequence[str] = ()) -> Evaluation:
    """Both scorers with history, and without for customers never seen. Raises `QuarantineError` if it cannot be."""
    settled = sorted((one for one in invoices if one.settled_on is not None), key=lambda one: one.issued_on)
    if len(settled) < len(invoices) or len(settled) < 2:
        raise QuarantineError(
            f"{len(invoices) - len(settled)} of {len(invoices)} invoices have no day of settlement: "
            f"column {layout.settled_on} is empty, so nobody can say whether a forecast came true",
            code="score.no_outcome", cure="Give a history in which every invoice was settled.",
        )  # fmt: skip
    cut = settled[int(len(settled) * TRAIN_SHARE)].issued_on
    asked = [one for one in settled if one.issued_on >= cut]
    known = [one for one in settled if one.due_on < cut]  # on the day of the cut it is known whether these were late
    if len({one.is_late for one in known}) < 2 or len({one.is_late for one in asked}) < 2:
        raise QuarantineError(
            "all invoices before or after the cut were late, or none", code="score.one_outcome",
            cure="Give a longer history.",
        )  # fmt: skip
    average = sum(one.is_late for one in known) / len(known)
    histories = Histories(settled)

    def with_history(invoice: PastInvoice) -> Mapping[str, float]:
        return {**plain_inputs(invoice), **history_inputs(histories.before(invoice), average)}

    model = _fitted(known, with_history)
    card = scorecard("invoice")

    def card_points(invoice: PastInvoice) -> Mapping[str, float]:
        return {"points": float(card.points(card_answers(invoice, histories.before(invoice))))}

    results = (
        _asked("fitted model, with history", asked, model, with_history),
        _asked(f"{card.version}, with history", asked, _fitted(known, card_points), card_points),
        _never_seen("fitted model, customers never seen", known, asked, plain_inputs),
        _never_seen(f"{card.version}, customers never seen", known, asked, lambda one: _first_contact(card, one)),
    )
    return Evaluation(
        layout=layout.name, invoices=len(settled), customers=len({one.customer for one in settled}),
        late_share=sum(one.is_late for one in settled) / len(settled), refused=tuple(refused), cut_on=cut,
        trained_on=len(known), not_known_at_cut=len(settled) - len(asked) - len(known), asked=len(asked),
        results=results, left_out=layout.left_out, notes=_notes(settled),
        weights=tuple(Weight(name=n, weight=w) for n, w in zip(model.names, model.weights[1:], strict=True)),
    )  # fmt: skip


def card_answers(invoice: PastInvoice, past: Behaviour) -> Mapping[str, float | None]:
    """The card's questions answered for one invoice; None where nobody knows."""
    return {
        "mean days after due": past.mean_days_after_due if past.settled else None,
        "share late": past.late / past.settled if past.settled else None,
        "overdue invoices": float(past.overdue_invoices),
        "paper invoice": None if invoice.is_paper is None else float(invoice.is_paper),
    }


def _first_contact(card: Scorecard, invoice: PastInvoice) -> Mapping[str, float]:
    return {"points": float(card.points(card_answers(invoice, Behaviour())))}


def _fitted(invoices: Sequence[PastInvoice], inputs: Inputs) -> LogisticModel:
    rows = [inputs(one) for one in invoices]
    return fit(list(rows[0]), [list(row.values()) for row in rows], [one.is_late for one in invoices])


def _asked(name: str, invoices: Sequence[PastInvoice], model: LogisticModel, inputs: Inputs) -> Measured:
    return _measured(name, [(model.chance(list(inputs(one).values())), one.is_late) for one in invoices])


def _never_seen(name: str, known: Sequence[PastInvoice], asked: Sequence[PastInvoice], inputs: Inputs) -> Measured:
    """Each group of customers is asked by a model that was fitted on the others, without any history."""
    said: list[tuple[float, bool]] = []
    for group in range(GROUPS):
        others = [one for one in known if group_of(one.customer) != group]
        held_out = [one for one in asked if group_of(one.customer) == group]
        if held_out and others:
            model = _fitted(others, inputs)
            said += [(model.chance(list(inputs(one).values())), one.is_late) for one in held_out]
    return _measured(name, said)


def group_of(customer: str) -> int:
    """The same group for the same customer on every machine."""
    return hashlib.sha256(customer.encode()).digest()[0] % GROUPS


def _measured(name: str, said: Sequence[tuple[float, bool]]) -> Measured:
    chances, events = [chance for chance, _ in said], [event for _, event in said]
    bins = calibration(chances, events)
    return Measured(
        scorer=name, asked=len(said), auc=auc(chances, events), brier=brier(chances, events),
        calibration=bins, calibration_error=calibration_error(bins),
    )  # fmt: skip


def _notes(settled: Sequence[PastInvoice]) -> tuple[str, ...]:
    very_late = sum(one.settled_on is not None and (one.settled_on - one.due_on).days > 30 for one in settled)
    share = 100 * very_late / len(settled)
    log_amounts = [math.log1p(abs(float(one.amount))) for one in settled]
    spread = max(log_amounts) - min(log_amounts)
    found = [
        f"{share:.1f} % of the invoices were more than 30 days late: this says who pays late, not who never pays",
        "with history counts customers who paid before; a new customer's chance is the last two lines",
    ]
    if spread < 4:
        found.append("the amounts are of one size: the weight of the amount says nothing about large invoices")
    return tuple(found)
