"""The pains of rival tools that contact, playbook and debtor's page answer, by their number, each with the tests that prove it.

Numbers are those of section 3 of the requirements. A test that is renamed or removed leaves its pain unproven and fails here.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
COURSE, BACK, TRIAL, KILLED, LIMITS = (
    f"contact/test_{name}.py" for name in ("course", "back", "trial", "killed", "limits")
)
PAINS: dict[tuple[int, str], tuple[tuple[str, str], ...]] = {
    (1, "a paid debt is still chased"): (
        (COURSE, "test_a_payment_between_the_decision_and_the_sending_stops_the_message"),
        (COURSE, "test_who_pays_gets_no_further_reminder"),
    ),
    (6, "wrong numbers and the like are forgotten"): (
        (BACK, "test_what_a_call_came_to_drives_the_next_step"),
        (BACK, "test_a_mail_that_comes_back_is_said_by_letter_and_mail_is_not_tried_again"),
    ),
    (12, "no catch-up, so that number 2 arrives without number 1"): (
        (COURSE, "test_three_reminders_go_out_in_order_and_then_the_case_is_handed_over"),
        (COURSE, "test_a_hold_stops_the_steps_and_they_do_not_pile_up_afterwards"),
    ),
    (13, "a job that runs twice acts twice"): ((KILLED, "test_nobody_is_written_to_twice_and_nobody_is_forgotten"),),
    (15, "credit notes are ignored, too much is asked"): (
        ("human/test_objections.py", "test_what_is_upheld_stays_out_until_it_is_credited"),
    ),
    (16, "a partial payment hides the history"): ((COURSE, "test_a_part_payment_lowers_what_is_asked"),),
    (17, "a hold with a reason and an end of its own"): (
        (BACK, "test_a_promise_holds_until_its_day_and_the_steps_go_on_when_it_is_broken"),
        ("human/test_objections.py", "test_a_wholly_disputed_case_rests"),
    ),
    (18, "many letters instead of one"): ((TRIAL, "test_one_message_asks_for_everything_that_is_overdue"),),
    (19, "a letter although there is an e-mail address"): (
        (COURSE, "test_a_letter_is_printed_where_an_e_mail_cannot_go"),
    ),
    (23, "a reminder without a day to pay by"): (
        (COURSE, "test_three_reminders_go_out_in_order_and_then_the_case_is_handed_over"),
    ),
    (24, "replies land in a mailbox outside the tool"): (
        (BACK, "test_an_answer_waits_for_a_person_and_the_next_step_waits_with_it"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("pain", PAINS, ids=lambda pain: f"{pain[0]} {pain[1]}")
def test_every_pain_has_its_proof(pain: tuple[int, str]) -> None:
    for file, name in PAINS[pain]:
        tree = ast.parse((TESTS / file).read_text(encoding="utf-8"))
        assert name in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}, f"{file} lost {name}"
