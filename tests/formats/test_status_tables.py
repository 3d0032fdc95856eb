"""Status tables: complete for our own words, faithful to their sources, and honest about what they do not know."""

from __future__ import annotations

import pytest

from collecthub.errors import ConfigurationError, PermanentError
from collecthub.formats import plugin
from collecthub.model.codes import Outcome, Phase, translate
from collecthub.model.status_tables import OWN_VOCABULARY, meaning_of, read_table, status_tables

TABLES = status_tables()
OWN = TABLES[OWN_VOCABULARY].codes


def test_every_outcome_is_a_close_code() -> None:
    assert {word: OWN[word].outcome for word in Outcome} == {word: word for word in Outcome}


def test_every_translation_ends_in_a_word_of_our_own() -> None:
    strays = [
        (name, row.code, row.meaning) for name, table in TABLES.items() for row in table.codes.values()
        if row.meaning not in OWN
    ]  # fmt: skip
    assert strays == []
    assert all(row.title for table in TABLES.values() for row in table.codes.values())


@pytest.mark.parametrize(
    ("vocabulary", "code", "outcome"),
    [
        ("riverty", "FULL_PAYMENT", Outcome.PAID_FULL),
        ("riverty", "UNKNOWN_ADDRESS", Outcome.UNTRACEABLE),
        ("riverty", "PERIOD_OF_LIMITATION_REACHED", Outcome.STATUTE_BARRED),
        ("riverty", "TOO_LOW_FOR_LEGAL_ACTION", Outcome.UNECONOMICAL),
        ("riverty", "PAYMENT_BEFORE_HANDOVER", Outcome.PAID_BEFORE_HANDOVER),
        ("sdt", "DI", Outcome.WITHDRAWN),
        ("epu", "11", Outcome.CLAIM_DISMISSED),
        ("epu", "umorzono przez wyegzekwowanie w części", Outcome.PAID_PARTIAL),
    ],
)
def test_close_codes_of_partners(vocabulary: str, code: str, outcome: Outcome) -> None:
    assert meaning_of(TABLES, vocabulary, code).outcome is outcome


def test_law_moves_the_phase_and_trouble_sets_a_hold() -> None:
    assert meaning_of(TABLES, "collecthub", "judgment_given").phase is Phase.JUDICIAL
    assert meaning_of(TABLES, "collecthub", "attachment_done").phase is Phase.ENFORCEMENT
    assert meaning_of(TABLES, "sdt", "BS").hold == "moratorium"
    assert meaning_of(TABLES, "debitura", "NeedsAdditionalDetails").hold == "waiting_creditor"


@pytest.mark.parametrize(
    ("vocabulary", "code", "message", "cure"),
    [
        ("nobody", "X", "no status table 'nobody'", "collecthub, debitura, epu, riverty, sdt"),
        ("riverty", "FULL_PAYMNT", "does not know", "FULL_PAYMENT"),
        ("riverty", "☃", "does not know", "Ask the partner"),
        ("debitura", "Pre-Legal Exhausted", "ambiguous", "a person decide"),
    ],
)
def test_what_is_not_known_is_said_and_never_guessed(vocabulary: str, code: str, message: str, cure: str) -> None:
    with pytest.raises(PermanentError) as refusal:
        meaning_of(TABLES, vocabulary, code)
    assert message in refusal.value.message
    assert cure in refusal.value.cure


def test_the_plugin_hands_over_what_the_corridor_translates_with() -> None:
    handed = {name: {row.code: row for row in rows} for name, rows in plugin.register_status_codes().items()}
    found = translate(handed, ("riverty", "collecthub"), "contact_made")
    assert found is not None and found.meaning == "contact_made"
    assert translate(handed, ("debitura", "collecthub"), "Pre-Legal Exhausted") is None
    assert [spelling.format_id for spelling in plugin.register_case_formats()] == [
        "case-exchange-xml", "case-exchange-json",
    ]  # fmt: skip


HEAD = 'title = "t"\nsource = "s"\nas_of = 2026-01-01\n'


@pytest.mark.parametrize(
    "text",
    [
        "codes = [",
        'codes = []\ntitle = "no source"',
        HEAD + 'codes = [{ code = "A", meaning = "closed", outcome = "vanished" }]',
        HEAD + 'codes = [{ code = "A", meaning = "closed" }, { code = "A", meaning = "merged" }]',
        HEAD + 'codes = [{ code = "A", meaning = "closed" }]\n[unmapped]\nA = "both"',
        HEAD + "codes = []\nsurplus = 1",
    ],
)
def test_a_damaged_table_is_one_clear_error(text: str) -> None:
    with pytest.raises(ConfigurationError, match="status table mine"):
        read_table("mine", text)
