"""`collecthub score evaluate`: the figures on a real history, and that nothing of the future or of the outcome enters."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from collecthub.cli.main import app
from collecthub.score.behaviour import Histories
from collecthub.score.evaluate import card_answers, group_of
from collecthub.score.logistic import fit
from collecthub.score.measures import auc, calibration, calibration_error
from collecthub.score.receivables import IBM, PastInvoice, past_invoices
from collecthub.score.scorecard import scorecard


def evaluated(path: Path, wanted: int = 0) -> dict[str, Any]:
    outcome = CliRunner().invoke(app, ["score", "evaluate", str(path), "--json"])
    assert outcome.exit_code == wanted, outcome.output
    found = json.loads(outcome.stdout)
    assert isinstance(found, dict)
    return found


def counted_pairs(chances: list[float], events: list[bool]) -> float:
    """The area by its definition: every pair of a late and a punctual invoice, looked at one by one."""
    late = [chance for chance, event in zip(chances, events, strict=True) if event]
    punctual = [chance for chance, event in zip(chances, events, strict=True) if not event]
    won = sum((a > b) + 0.5 * (a == b) for a in late for b in punctual)
    return won / (len(late) * len(punctual))


@given(st.lists(st.tuples(st.sampled_from([0.1, 0.2, 0.2001, 0.7]), st.booleans()), min_size=2, max_size=40))
def test_auc_is_the_share_of_won_pairs(said: list[tuple[float, bool]]) -> None:
    chances, events = [chance for chance, _ in said], [event for _, event in said]
    if len(set(events)) == 1:
        assert math.isnan(auc(chances, events))
    else:
        assert auc(chances, events) == pytest.approx(counted_pairs(chances, events), abs=1e-12)


def test_the_real_history_reaches_what_was_asked(shared_data: Path) -> None:
    found = evaluated(shared_data / "ar" / "ibm_late_payments.csv")
    figures = {one["scorer"]: one for one in found["results"]}
    assert found["invoices"] == 2466 and found["customers"] == 100
    assert figures["fitted model, with history"]["auc"] >= 0.88
    assert figures["invoice-card 1, with history"]["auc"] >= 0.88
    assert 0.5 < figures["fitted model, customers never seen"]["auc"] < 0.65  # the honest figure
    assert found["left_out"]["Disputed"].endswith("leaks the outcome")
    fitted = figures["fitted model, with history"]
    assert sum(part["count"] for part in fitted["calibration"]) == found["asked"] == fitted["asked"]
    assert fitted["calibration_error"] < 0.06


def test_the_figure_agrees_with_a_count_by_hand(shared_data: Path) -> None:
    """One input, worked out from the file by the slow way, against the quick one that the model is given."""
    path = shared_data / "ar" / "ibm_late_payments.csv"
    rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))
    invoices, refused = past_invoices(IBM, list(enumerate(rows, 2)))
    assert not refused
    histories = Histories(invoices)

    def day(text: str) -> dt.date:
        month, of_month, year = map(int, text.split("/"))
        return dt.date(year, month, of_month)

    asked = [row for row in rows if day(row["InvoiceDate"]) >= dt.date(2013, 5, 6)]
    assert len(asked) == evaluated(path)["asked"]
    slow = []
    for row in asked:
        before = [
            other for other in rows
            if other["customerID"] == row["customerID"] and day(other["SettledDate"]) < day(row["InvoiceDate"])
        ]  # fmt: skip
        slow.append(sum(int(other["DaysLate"]) for other in before) / max(len(before), 1))
    quick = [histories.before(one).mean_days_late for one in invoices if one.issued_on >= dt.date(2013, 5, 6)]
    late = [int(row["DaysLate"]) > 0 for row in asked]
    assert quick == pytest.approx(slow)
    assert auc(quick, late) == pytest.approx(counted_pairs(slow, late), abs=1e-12)


def test_leaking_columns_change_nothing(shared_data: Path, tmp_path: Path) -> None:
    """With every dispute turned round and the outcome's other spellings blanked, the answer is the same."""
    path = shared_data / "ar" / "ibm_late_payments.csv"
    rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))
    for row in rows:
        row["Disputed"] = "No" if row["Disputed"] == "Yes" else "Yes"
        row["DaysLate"], row["DaysToSettle"], row["PaperlessDate"] = "", "", ""
    changed = tmp_path / "turned.csv"
    with changed.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    assert evaluated(changed) == evaluated(path)


def test_a_history_without_outcomes_is_refused_with_its_reason(shared_data: Path) -> None:
    found = evaluated(shared_data / "ar" / "highradius_open_invoices.csv", wanted=1)
    assert found["code"] == "score.no_outcome"
    assert "9681 of 9681" in found["message"] and "clear_date" in found["message"]


def test_a_file_of_other_columns_and_a_bad_row_are_named(tmp_path: Path) -> None:
    other = tmp_path / "other.csv"
    other.write_text("a,b\n1,2\n", encoding="utf-8")
    assert evaluated(other, wanted=1)["code"] == "score.columns"
    cells = {"customerID": "a", "InvoiceDate": "1/2/2013", "DueDate": "2/1/2013", "SettledDate": "31/31/2013"}
    invoices, refused = past_invoices(IBM, [(7, {**cells, "InvoiceAmount": "5"})])
    assert not invoices and refused[0].startswith("line 7")


def _invoice(number: int, customer: str, issued: int, settled: int) -> PastInvoice:
    start = dt.date(2020, 1, 1)
    return PastInvoice(
        customer=customer, issued_on=start + dt.timedelta(days=issued), due_on=start + dt.timedelta(days=issued + 30),
        settled_on=start + dt.timedelta(days=issued + settled), amount=number, is_paper=False,  # type: ignore[arg-type] # any number
    )  # fmt: skip


@settings(max_examples=50)
@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 200), st.integers(1, 90)), min_size=2, max_size=30))
def test_what_happens_later_is_not_known_before(drawn: list[tuple[str, int, int]]) -> None:
    """Whatever an invoice that was not settled yet does afterwards leaves the past of the asked one as it was."""
    invoices = [_invoice(n, *one) for n, one in enumerate(drawn)]
    asked = invoices[0]
    later = []
    for number, (customer, issued, settled) in enumerate(drawn):
        one = invoices[number]
        moved = one.settled_on is not None and one.settled_on >= asked.issued_on
        later.append(_invoice(number, customer, issued, settled + 50) if moved else one)
    assert Histories(later).before(asked) == Histories(invoices).before(asked)


def test_the_fit_is_the_maximum() -> None:
    """At the maximum the gradient of the penalised likelihood is nought: recomputed here from its definition."""
    rows = [(float(n % 7), float((n * n) % 5)) for n in range(60)]
    events = [(n * 13) % 10 < 3 + n % 7 for n in range(60)]
    model = fit(("a", "b"), rows, events, ridge=1.0)
    misses = [event - model.chance(row) for row, event in zip(rows, events, strict=True)]
    assert sum(misses) == pytest.approx(0, abs=1e-6)
    for at in range(2):
        mean, spread = model.means[at], model.spreads[at]
        pull = sum(miss * (row[at] - mean) / spread for miss, row in zip(misses, rows, strict=True))
        assert pull == pytest.approx(model.weights[at + 1], abs=1e-6)


def test_calibration_of_a_hand_made_case() -> None:
    bins = calibration([0.1, 0.2, 0.8, 0.9], [False, False, True, False], bins=2)
    assert [(one.count, round(one.predicted, 9), one.observed) for one in bins] == [(2, 0.15, 0.0), (2, 0.85, 0.5)]
    assert calibration_error(bins) == pytest.approx((0.15 + 0.35) / 2)


def test_the_card_is_added_up_by_hand() -> None:
    card = scorecard("invoice")
    past = Histories([_invoice(1, "a", 0, 31), _invoice(2, "a", 1, 20)]).before(_invoice(3, "a", 100, 1))
    answers = card_answers(_invoice(3, "a", 100, 1), past)
    # 1 day late and 10 days early: 4.5 days early on average (35 points), one of two late (12), nothing overdue (0)
    assert card.points(answers) == 35 + 12
    assert {group_of(str(n)) for n in range(100)} == {0, 1, 2, 3, 4}
