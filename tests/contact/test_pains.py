"""The pains of rival tools that the hub answers, by their number, each with the tests that prove it.

Numbers are those of section 3 of the requirements. A test that is renamed or removed leaves its pain unproven and fails here.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
COURSE, BACK, TRIAL, KILLED, LIMITS, CLOCKS = (
    f"contact/test_{name}.py" for name in ("course", "back", "trial", "killed", "limits", "clocks")
)
PAINS: dict[tuple[int, str], tuple[tuple[str, str], ...]] = {
    (1, "a paid debt is still chased"): (
        (COURSE, "test_a_payment_between_the_decision_and_the_sending_stops_the_message"),
        (COURSE, "test_who_pays_gets_no_further_reminder"),
    ),
    (2, "no routine comparison of the books"): (
        ("money/test_reconcile.py", "test_the_clock_asks_once_for_every_new_business_day"),
        ("money/test_reconcile.py", "test_a_partner_that_lacks_a_case_or_was_told_otherwise"),
    ),
    (3, "silence"): (
        ("contact/test_debtor_more.py", "test_whatever_he_says_is_in_the_case_when_the_page_answers"),
        ("human/test_proceedings.py", "test_a_day_that_a_court_names_has_its_alarm_and_silence_has_one_too"),
    ),
    (4, "files arrive with wrong balances, without dates or proof"): (
        ("walk/test_feasibility_gate.py", "test_a_blocker_stops_the_hand_over_and_tells_the_creditor_what_to_supply"),
        ("walk/test_feasibility_gate.py", "test_data_that_is_supplied_sets_a_blocked_case_free"),
    ),
    (5, "the creditor does not answer when proof is asked for"): (
        ("human/test_objections.py", "test_a_creditor_who_is_silent_hears_of_it_and_nobody_asks_for_the_disputed_part"),
    ),
    (6, "paid, wrong numbers and the like are forgotten"): (
        (BACK, "test_what_a_call_came_to_drives_the_next_step"),
        (BACK, "test_a_mail_that_comes_back_is_said_by_letter_and_mail_is_not_tried_again"),
        ("contact/test_told_past.py", "test_the_next_holder_is_told_of_titles_orders_and_reminders"),
    ),
    (7, "foreign cases are second class"): (
        ("walk/test_pains.py", "test_pain_7_a_foreign_case_has_the_same_clocks_and_the_same_history"),
    ),
    (8, "the principal is paid, interest and fee are silently lost"): (
        ("money/test_case_charges.py", "test_a_paid_principal_closes_the_case_and_the_rest_is_given_up_or_kept"),
    ),
    (9, "a payment does not settle costs and interest first"): (
        ("money/test_case_charges.py", "test_a_payment_books_what_had_grown_and_settles_it_first"),
    ),
    (10, "interest goes on as if nothing had been paid"): (
        ("human/test_plans.py", "test_the_settlement_adds_up_and_its_interest_is_the_laws"),
    ),
    (11, "an instalment is overdue only after the last one"): (
        ("human/test_plans.py", "test_a_missed_instalment_goes_from_free_reminder_to_the_handler_to_collection"),
    ),
    (12, "no catch-up, so that number 2 arrives without number 1"): (
        (COURSE, "test_three_reminders_go_out_in_order_and_then_the_case_is_handed_over"),
        (COURSE, "test_a_hold_stops_the_steps_and_they_do_not_pile_up_afterwards"),
        (CLOCKS, "test_what_fell_due_during_downtime_is_said_once_and_keeps_its_distance"),
        (CLOCKS, "test_a_late_reminder_never_comes_after_the_next_one"),
    ),
    (13, "a job that runs twice acts twice"): (
        (KILLED, "test_nobody_is_written_to_twice_and_nobody_is_forgotten"),
        (CLOCKS, "test_a_clock_that_jumps_ahead_and_back_repeats_and_skips_nothing"),
        ("human/test_nightly.py", "test_lost_waits_come_back_and_nothing_is_done_twice"),
    ),
    (14, "a national rule is missing"): (
        ("contact/test_pain_of_terms.py", "test_pain_14_norway_gets_fourteen_days_after_each_reminder"),
        ("contact/test_pain_of_terms.py", "test_pain_14_a_dry_run_counts_the_same_terms"),
        ("contact/test_dunning_fee.py", "test_the_law_of_each_country_has_the_last_word"),
        ("money/test_lawful_steps.py", "test_the_hubs_own_reminder_starts_the_fourteen_days"),
    ),
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
    (20, "too complex, fields that nobody explains"): (
        ("portal/test_agenda.py", "test_the_agenda_is_worked_off_with_the_keyboard"),
        ("contact/test_debtor_page.py", "test_the_page_on_a_phone_in_four_languages"),
    ),
    (21, "a collector's cut and pages are missing"): (
        ("remittance/test_contract.py", "test_the_minimum_is_per_case_and_a_return_takes_its_fee_back"),
        ("remittance/test_money_out_doors.py", "test_the_cost_statement_names_every_line_and_its_bearer"),
        ("partner/test_partner_page.py", "test_an_offer_shows_the_fee_in_money_and_is_accepted"),
    ),
    (22, "a nightly import overwrites what people entered"): (
        ("walk/test_pains.py", "test_pain_22_a_nightly_pull_does_not_overwrite_what_a_person_entered"),
        ("walk/test_pains.py", "test_pain_22_contact_data_is_refreshed_after_the_invoice_was_paid_too"),
    ),
    (23, "a reminder without a day to pay by"): (
        (COURSE, "test_three_reminders_go_out_in_order_and_then_the_case_is_handed_over"),
        ("law/test_reminder_term.py", "test_a_reminder_names_the_day_that_the_law_grants"),
    ),
    (24, "replies land in a mailbox outside the tool"): (
        (BACK, "test_an_answer_waits_for_a_person_and_the_next_step_waits_with_it"),
    ),
    (25, "connectors trail the releases of an ERP"): (
        ("../plugins/erp_sap/tests/test_business_one_accounts.py", "test_a_release_without_the_action_is_told_and_may_be_read_without_journal_entries"),
        ("../plugins/erp_sap/tests/test_client.py", "test_a_missing_column_is_named_by_the_check_and_by_a_pull"),
        ("../plugins/erp_exact/tests/test_mapping.py", "test_every_selected_column_exists_at_the_vendor"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("pain", PAINS, ids=lambda pain: f"{pain[0]} {pain[1]}")
def test_every_pain_has_its_proof(pain: tuple[int, str]) -> None:
    for file, name in PAINS[pain]:
        tree = ast.parse((TESTS / file).read_text(encoding="utf-8"))
        assert name in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}, f"{file} lost {name}"


def test_the_page_of_the_docs_says_the_same() -> None:
    page = (TESTS.parent / "docs" / "pains.md").read_text(encoding="utf-8")
    rows = [
        f"| {number} | {pain} | {', '.join(f'`{file}::{name}`' for file, name in found)} |"
        for (number, pain), found in PAINS.items()
    ]
    assert [line for line in page.splitlines() if line.startswith("| ") and line[2].isdigit()] == rows
