"""Status tables: complete for our own words, faithful to their sources, and honest about what they do not know."""

from __future__ import annotations

import pytest

from collecthub.errors import ConfigurationError, PermanentError
from collecthub.formats import plugin
from collecthub.model.codes import Axis, Outcome, Phase, translate
from collecthub.model.crosswalk import Fidelity, codes_for, meaning_of, report, translation
from collecthub.model.status_tables import OWN_VOCABULARY, read_table, status_tables

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
        ("nobody", "X", "no status table 'nobody'", "buckaroo, collecthub, debitura, debrec, eda, epu, riverty, sdt, xjustiz, ygc"),
        ("riverty", "FULL_PAYMNT", "does not know", "FULL_PAYMENT"),
        ("riverty", "☃", "does not know", "Ask the partner"),
        ("debitura", "Pre-Legal Exhausted", "ambiguous (exhausted_contact or exhausted_no_contact)", "a person decide"),
        ("ygc", "39", "unmapped", "a person decide"),
    ],
)
def test_what_is_not_known_is_said_and_never_guessed(vocabulary: str, code: str, message: str, cure: str) -> None:
    with pytest.raises(PermanentError) as refusal:
        meaning_of(TABLES, vocabulary, code)
    assert message in refusal.value.message
    assert cure in refusal.value.cure


# What the field asks of the tables: partner, its code, our word or outcome, and how well it is said.
ASKED = """
riverty   FULL_PAYMENT                     paid_full            exact
riverty   UNKNOWN_ADDRESS                  untraceable          exact
riverty   PERIOD_OF_LIMITATION_REACHED     statute_barred       exact
riverty   TOO_LOW_FOR_LEGAL_ACTION         uneconomical         exact
riverty   PAYMENT_BEFORE_HANDOVER          paid_before_handover exact
buckaroo  71                               sent                 exact
buckaroo  72                               accepted             exact
buckaroo  79                               refused              lossy
ygc       12                               payment_direct       lossy
ygc       30                               payment_received     lossy
ygc       38                               balance_statement    exact
ygc       41                               judgment_given       lossy
ygc       43                               plan_agreed          lossy
eda       08                               objection_filed      lossy
eda       18                               objection_filed      exact
debrec    acknowledge                      received             lossy
epu       2                                accepted             exact
sdt       Received                         received             exact
"""
OPEN = {
    ("debitura", "Pre-Legal Exhausted"): {"exhausted_contact", "exhausted_no_contact"},
    ("buckaroo", "74"): {"paid_partial", "other"},
    ("eda", "02"): {"summons_served", "service_failed"},
}


@pytest.mark.parametrize("line", ASKED.strip().splitlines(), ids=lambda line: "-".join(line.split()[:2]))
def test_the_tables_say_what_the_field_asks_for(line: str) -> None:
    vocabulary, code, word, verdict = line.split()
    found = translation(TABLES[vocabulary], code)
    assert (found.outcome or found.meaning, found.verdict) == (word, verdict)
    assert found.axis is not None
    assert bool(found.lost) == (verdict == "lossy")
    assert code in [row.code for row in codes_for(TABLES[vocabulary], word)]


# The canonical words of the field, row by row, for the courts whose replies the hub reads: what each code becomes here.
# `call` is about the call and never reaches a case; `person` is put before a person with its candidates.
CANONICAL = """
RECEIVED             received           sdt:Received epu:0 epu:201 eda:90 xjustiz:2200007
FORWARDED            sent               sdt:Forwarded
FORWARDED            assigned           epu:1
ACCEPTED             accepted           sdt:Initially_Accepted sdt:Accepted sdt:Validated epu:2 epu:200 xjustiz:0005008
REJECTED_TECHNICAL   refused            sdt:CUST_XML_ERR sdt:REQ_COUNT_MISMATCH sdt:Error epu:400 epu:602 epu:-50 epu:-100 xjustiz:0005007
REJECTED_BUSINESS    refused            sdt:Rejected epu:3 epu:4 epu:-150 epu:-600 epu:-700
DUPLICATE            call               sdt:DUP_CUST_FILEID sdt:DUP_CUST_REQID
RETRY_LATER          call               sdt:TAR_APP_BUSY sdt:Resubmit_Message sdt:SDT_INT_ERR epu:500
UNAUTHORISED         call               sdt:CUST_NOT_SETUP sdt:CUST_ID_INVALID epu:401 epu:600 epu:601
PENDING_INFORMATION  waiting_creditor   sdt:Awaiting_Data epu:12 eda:20
ORDER_ISSUED         judicial           sdt:issueDate eda:03
SERVED               summons_served     sdt:serviceDate
SERVED               person             eda:05
CONTESTED            legal_objection    sdt:DE sdt:DC sdt:AS sdt:PA eda:18 eda:30
TITLE_OBTAINED       judgment_given     sdt:judgmentEnteredDate
TITLE_OBTAINED       title_enforceable  eda:22
ENFORCEMENT_STARTED  enforcement        sdt:warrantNumber epu:podjęcie_postępowania_egzekucyjnego xjustiz:2500002
ATTACHED             person             xjustiz:2600002
TRANSFERRED          transferred        epu:przekazano_sprawę
TRANSFERRED          person             eda:16
SUSPENDED            moratorium         sdt:BS sdt:MH sdt:BC sdt:MC
WITHDRAWN            withdrawn          sdt:WD sdt:DI epu:20 epu:21 eda:25R
RETURNED_UNRECOVERED person             epu:umorzono_w_inny_sposób epu:zwrot_wniosku
RECOVERED_PARTLY     paid_partial       epu:umorzono_przez_wyegzekwowanie_w_części
SETTLED              payment_unconfirmed sdt:MP
SETTLED              paid_full          epu:umorzono_przez_wyegzekwowanie_w_całości
SETTLED              person             epu:9 eda:25E
CLOSED               call               sdt:Completed
CLOSED               claim_dismissed    epu:11
CLOSED               person             epu:10
COSTS_ADDED          cost_incurred      epu:koszty_egzekucyjne_poniesione_przez_wierzyciela eda:03
"""


@pytest.mark.parametrize("line", CANONICAL.strip().splitlines(), ids=lambda line: line.split()[0])
def test_every_row_of_the_canonical_words_is_mapped(line: str) -> None:
    _, wanted, *codes = line.split()
    for vocabulary, code in (name.replace("_", " ").split(":") for name in codes):
        table = TABLES[vocabulary]
        stored = code if code in {*table.codes, *table.ambiguous, *table.unmapped} else code.replace(" ", "_")
        found = translation(table, stored)
        if wanted in ("call", "person"):
            assert found.verdict is {"call": Fidelity.UNMAPPED, "person": Fidelity.AMBIGUOUS}[wanted], code
            continue
        row = table.codes[stored]
        assert wanted in (row.meaning, row.hold, row.phase, row.outcome), code


def test_a_code_that_no_table_holds_is_unknown_and_not_refused() -> None:
    """Of the ranges that the Polish court names, only the codes that it explains are known; the others wait for a person."""
    assert translation(TABLES["epu"], "-310").verdict is Fidelity.UNKNOWN


@pytest.mark.parametrize(("vocabulary", "code"), OPEN, ids=str)
def test_what_could_be_two_things_is_neither(vocabulary: str, code: str) -> None:
    found = translation(TABLES[vocabulary], code)
    assert (found.verdict, found.meaning, found.outcome) == (Fidelity.AMBIGUOUS, "", None)
    assert set(found.candidates) == OPEN[vocabulary, code]
    assert found.reason and found.source and found.as_of


def test_every_word_of_ours_is_about_one_axis() -> None:
    words = {word: row.axis for word, row in OWN.items()}
    assert None not in words.values()
    assert set(words.values()) == set(Axis)
    assert (words["dispute_raised"], words["plan_agreed"]) == (Axis.DISPUTE, Axis.PLAN)
    assert all(row.axis is None for name, table in TABLES.items() if name != OWN_VOCABULARY
               for row in table.codes.values())  # fmt: skip


@pytest.mark.parametrize("vocabulary", TABLES)
def test_a_report_accounts_for_every_code(vocabulary: str) -> None:
    table = TABLES[vocabulary]
    found = report(table)
    assert len(found.codes) == len(table.codes) + len(table.ambiguous) + len(table.unmapped)
    assert sum(found.counts.values()) == len(found.codes) and found.counts[Fidelity.UNKNOWN] == 0
    for one in found.codes:
        assert bool(one.meaning) == (one.verdict in (Fidelity.EXACT, Fidelity.LOSSY))
        assert bool(one.reason) == (one.verdict in (Fidelity.AMBIGUOUS, Fidelity.UNMAPPED))
        assert set(one.candidates) <= OWN.keys() and len(one.candidates) != 1
    said = {row.code for word in set(OWN) - set(found.not_sayable) for row in codes_for(table, word)}
    assert said == set(table.codes) - {row.code for row in table.codes.values() if row.outcome and row.meaning not in
                                       ("closed", "recalled")}  # fmt: skip


def test_what_is_open_never_reaches_the_corridor() -> None:
    handed = {name: {row.code for row in rows} for name, rows in plugin.register_status_codes().items()}
    for name, table in TABLES.items():
        assert not handed[name] & (table.ambiguous.keys() | table.unmapped.keys())


def test_the_plugin_hands_over_what_the_corridor_translates_with() -> None:
    handed = {name: {row.code: row for row in rows} for name, rows in plugin.register_status_codes().items()}
    found = translate(handed, ("riverty", "collecthub"), "contact_made")
    assert found is not None and found.meaning == "contact_made"
    assert translate(handed, ("debitura", "collecthub"), "Pre-Legal Exhausted") is None
    assert [spelling.format_id for spelling in plugin.register_case_formats()][:2] == [
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
        HEAD + 'codes = []\n[unmapped]\nA = "why"\n[ambiguous]\nA = { candidates = ["closed", "merged"], reason = "r" }',
        HEAD + 'codes = []\n[ambiguous]\nA = { candidates = ["closed", "merged"] }',
        HEAD + "codes = []\nsurplus = 1",
    ],
)
def test_a_damaged_table_is_one_clear_error(text: str) -> None:
    with pytest.raises(ConfigurationError, match="status table mine"):
        read_table("mine", text)
