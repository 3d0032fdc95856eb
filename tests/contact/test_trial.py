"""A playbook tried on the past: hand-counted days, and the two real files of receivables."""

from __future__ import annotations

import datetime as dt
import itertools
import json
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from collecthub.cli.main import app
from collecthub.errors import PermanentError
from collecthub.law.contact_trial import HANDOVER, PastItem, try_policy
from collecthub.model.contact import Channel, ContactPolicy, ContactStep, Tone
from contact.conftest import THREE_MAILS

D = dt.date
TOML = """
[[contact]]
name = "Three reminders"
handover_after_days = 31
handover_cost = "15.00"
[[contact.steps]]
name = "reminder 1"
after_days = 3
channel = "email"
tone = "friendly"
cost = "0.05"
[[contact.steps]]
name = "last word"
after_days = 20
channel = "letter"
tone = "final"
cost = "1.95"
"""


def item(due: D, settled: D | None, amount: str = "100.00", debtor: str = "A") -> PastItem:
    return PastItem(debtor=debtor, due_on=due, settled_on=settled, amount=Decimal(amount))


def days(items: list[PastItem], until: D) -> list[tuple[str, D, Decimal]]:
    _, taken = try_policy(THREE_MAILS, items, until, country="BE", segment="B2B")
    return [(one.step, one.on, one.asked) for one in taken]


def test_an_invoice_that_nobody_pays_goes_all_the_way() -> None:
    assert days([item(D(2026, 1, 31), None)], D(2026, 12, 31)) == [
        ("reminder 1", D(2026, 2, 3), Decimal("100.00")), ("reminder 2", D(2026, 2, 10), Decimal("100.00")),
        ("last word", D(2026, 2, 20), Decimal("100.00")), (HANDOVER, D(2026, 3, 3), Decimal("100.00")),
    ]  # fmt: skip


def test_payment_ends_it_and_a_later_invoice_begins_anew() -> None:
    paid = item(D(2026, 1, 31), D(2026, 2, 5))
    later = item(D(2026, 5, 31), D(2026, 6, 1), "50.00")  # paid the day after: nobody writes
    last = item(D(2026, 8, 31), D(2026, 9, 4), "70.00")
    assert days([paid, later, last], D(2026, 12, 31)) == [
        ("reminder 1", D(2026, 2, 3), Decimal("100.00")), ("reminder 1", D(2026, 9, 3), Decimal("70.00")),
    ]  # fmt: skip


def test_one_message_asks_for_everything_that_is_overdue() -> None:
    both = [item(D(2026, 1, 31), None), item(D(2026, 2, 5), None, "40.00")]
    assert [asked for _, _, asked in days(both, D(2026, 2, 12))] == [Decimal("100.00"), Decimal("140.00")]


@given(
    st.lists(
        st.tuples(st.integers(0, 200), st.one_of(st.none(), st.integers(0, 400)), st.integers(1, 10_000)), max_size=12
    )
)  # fmt: skip
def test_whatever_the_past_the_steps_keep_their_distances(lines: list[tuple[int, int | None, int]]) -> None:
    begin = D(2026, 1, 1)
    items = [
        item(
            begin + dt.timedelta(days=due), None if settled is None else begin + dt.timedelta(days=settled),
            f"{cents / 100:.2f}",
        )
        for due, settled, cents in lines
    ]  # fmt: skip
    _, taken = try_policy(THREE_MAILS, items, begin + dt.timedelta(days=400), country="BE", segment="B2B")
    for before, after in itertools.pairwise(taken):
        assert before.on < after.on
        gaps = {"reminder 2": 7, "last word": 10, HANDOVER: 11}
        if after.step in gaps:
            assert (after.on - before.on).days == gaps[after.step]
    open_on = {
        one.on: sum((i.amount for i in items if i.due_on < one.on and (i.settled_on is None or i.settled_on >= one.on)), Decimal(0))
        for one in taken
    }
    assert all(one.asked == open_on[one.on] > 0 for one in taken)


@pytest.mark.parametrize(
    ("days_of", "said"), [((3, 3), "wrong order"), ((5, 3), "wrong order"), ((-1, 3), "before the due date"), ((), "no step")]
)
def test_a_policy_that_makes_no_sense_is_refused(days_of: tuple[int, ...], said: str) -> None:
    steps = tuple(
        ContactStep(name=f"s{number}", after_days=after, channel=Channel.EMAIL, tone=Tone.FIRM)
        for number, after in enumerate(days_of)
    )
    with pytest.raises(PermanentError, match=said):
        ContactPolicy(name="x", steps=steps, handover_after_days=30)


def test_two_playbooks_side_by_side_on_a_real_history(shared_data: Path, tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(TOML, encoding="utf-8")
    (tmp_path / "b.toml").write_text(TOML.replace("after_days = 3\n", "after_days = 10\n"), encoding="utf-8")
    file = shared_data / "ar" / "ibm_late_payments.csv"
    asked = ["playbook", "dry-run", str(file), "--playbook", str(tmp_path / "a.toml"), "--against", str(tmp_path / "b.toml")]
    done = CliRunner().invoke(app, [*asked, "--country", "US", "--json"])
    assert done.exit_code == 0, done.output
    early, late = json.loads(done.stdout)
    counts = [{one["step"]: one["times"] for one in found["trial"]["steps"]} for found in (early, late)]
    assert early["trial"]["invoices"] == late["trial"]["invoices"] == 2466
    assert counts[0]["reminder 1"] > counts[1]["reminder 1"] > 0  # who pays within ten days is never written to
    assert counts[0]["last word"] >= counts[0][HANDOVER]
    assert early["trial"]["paid_before_any_step"] < late["trial"]["paid_before_any_step"]


def test_the_other_real_file_runs_too(shared_data: Path, tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(TOML, encoding="utf-8")
    file = shared_data / "ar" / "highradius_open_invoices.csv"
    done = CliRunner().invoke(
        app, ["playbook", "dry-run", str(file), "--playbook", str(tmp_path / "a.toml"), "--country", "US", "--json"]
    )
    assert done.exit_code == 0, done.output
    [found] = json.loads(done.stdout)
    assert found["trial"]["invoices"] > 0


def test_a_file_that_is_no_playbook_says_where(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(TOML.replace('tone = "final"', 'tone = "rude"'), encoding="utf-8")
    done = CliRunner().invoke(app, ["playbook", "check", str(tmp_path / "a.toml")])
    assert done.exit_code != 0
    assert "rude" in done.output + done.stderr
