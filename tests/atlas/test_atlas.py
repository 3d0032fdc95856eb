"""The atlas: complete, dated, sourced, and honest about what is not known.

Oracles: pycountry and Babel for codes, currencies and languages; published counts and entry dates for the treaties; the
gathered data of the project, where it is present.
"""

from __future__ import annotations

import csv
import datetime as dt
from pathlib import Path

import pycountry
import pytest
from babel.languages import get_official_languages
from babel.numbers import get_territory_currencies

from collecthub.errors import PermanentError
from collecthub.law.atlas.facts import Standing, Topic, country_named, fact_on, membership_on
from collecthub.law.atlas.reading import bundled_atlas
from collecthub.law.atlas.sheet import between, country_lines, country_sheet, shared_instruments
from collecthub.law.basis import Evidence

ATLAS = bundled_atlas()
DAY = dt.date(2026, 6, 15)
GATHERED = dt.date(2026, 11, 22)
ISO = {found.alpha_2: found for found in pycountry.countries}


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


# --- countries ------------------------------------------------------------------------------------


def test_every_iso_entity_is_there_with_its_codes() -> None:
    ours = {code: found for code, found in ATLAS.countries.items() if found.is_iso}
    assert len(ours) == 249
    assert {code: (found.iso3, found.numeric) for code, found in ours.items()} == {
        code: (found.alpha_3, found.numeric) for code, found in ISO.items()
    }
    assert [line.country for line in country_lines(ATLAS, DAY)] == sorted(ISO)
    assert {found.parent for found in ours.values() if found.parent} <= ours.keys()
    assert not ATLAS.countries["XK"].is_iso


def test_currencies_agree_with_cldr() -> None:
    told = {code: fact_on(ATLAS, code, Topic.CURRENCY, DAY).code for code in ISO}
    expected = {code: get_territory_currencies(code, DAY, DAY) for code in ISO}
    assert (told["BG"], expected["BG"]) == ("EUR", ["BGN"])  # Babel 2.18 is behind the euro of 2026-01-01
    strange = {code for code in ISO if told[code] not in (expected[code] or [""])}
    assert strange == {"BG"}


def test_languages_agree_with_cldr() -> None:
    strange = set()
    for code in ISO:
        spoken = set(fact_on(ATLAS, code, Topic.LANGUAGES, DAY).code.replace("-", "_").split())
        official = set(get_official_languages(code, de_facto=True)) | set(get_official_languages(code, regional=True))
        if official and not spoken & official:
            strange.add(code)
    assert strange <= {"NO"}  # which CLDR calls no and the atlas nb and nn


def test_a_currency_is_that_of_the_day() -> None:
    told = {
        (country, when): fact_on(ATLAS, country, Topic.CURRENCY, day(when)).code
        for country, when in [("BG", "2025-12-31"), ("BG", "2026-01-01"), ("HR", "2022-12-31"), ("HR", "2023-01-01")]
    }
    assert list(told.values()) == ["BGN", "EUR", "HRK", "EUR"]
    assert "1.95583" in fact_on(ATLAS, "BG", Topic.CURRENCY, DAY).note


def test_letters_that_are_no_country_are_refused() -> None:
    assert country_named(ATLAS, "NA").name == "Namibia"
    for wrong in ("UK", "uy", "", "XX", "URY"):
        with pytest.raises(PermanentError, match="not a country of the atlas"):
            country_sheet(ATLAS, wrong, DAY)


# --- instruments ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("instrument", "count"),
    [
        ("epo", 26),
        ("escp", 26),
        ("eeo", 26),
        ("eapo", 26),
        ("brussels_ia", 27),
        ("eu_service_2020_1784", 27),
        ("lugano_2007", 30),
        ("hague_service_1965", 84 + 2),  # parties, and Hong Kong and Macao through China
        ("hague_judgments_2019", 30),
        ("hague_choice_of_court_2005", 35),
        ("new_york_1958", 172 + 2),
        ("apostille_1961", 129 + 2),
    ],
)
def test_as_many_are_bound_as_is_published(instrument: str, count: int) -> None:
    bound = [
        code for code in ATLAS.countries
        if membership_on(ATLAS, instrument, code, GATHERED).standing is Standing.IN_FORCE
    ]  # fmt: skip
    assert len(bound) == count


@pytest.mark.parametrize(
    ("instrument", "country", "when", "standing"),
    [
        ("hague_judgments_2019", "UY", "2024-09-30", "not_yet"),
        ("hague_judgments_2019", "UY", "2024-10-01", "in_force"),
        ("hague_judgments_2019", "GB", "2025-06-30", "not_yet"),
        ("hague_judgments_2019", "GB", "2025-07-01", "in_force"),
        ("hague_judgments_2019", "AD", "2026-06-15", "in_force"),
        ("hague_judgments_2019", "DK", "2026-06-15", "not_bound"),
        ("hague_judgments_2019", "US", "2026-06-15", "signed_only"),
        ("hague_judgments_2019", "AL", "2026-06-15", "unknown"),
        ("hague_judgments_2019", "BE", "2023-08-31", "not_bound"),
        ("hague_choice_of_court_2005", "CH", "2025-01-01", "in_force"),
        ("hague_choice_of_court_2005", "UA", "2023-07-31", "not_yet"),
        ("epo", "DK", "2026-06-15", "not_bound"),
        ("epo", "HR", "2013-06-30", "not_yet"),
        ("epo", "GB", "2020-12-31", "in_force"),
        ("epo", "GB", "2021-01-01", "ended"),
        ("epo", "UY", "2026-06-15", "not_bound"),
        ("epo", "GP", "2026-06-15", "unknown"),
        ("lugano_2007", "GB", "2020-12-31", "in_force"),
        ("lugano_2007", "GB", "2021-01-01", "not_bound"),
        ("brussels_ia", "DK", "2026-06-15", "in_force"),
        ("apostille_1961", "BD", "2025-03-29", "not_yet"),
        ("apostille_1961", "VN", "2026-09-11", "in_force"),
        ("apostille_1961", "GL", "2026-06-15", "unknown"),
        ("new_york_1958", "TW", "2026-06-15", "not_bound"),
        ("eu_service_2020_1784", "DK", "2022-06-30", "not_bound"),
        ("eu_service_2020_1784", "DK", "2022-07-01", "in_force"),
    ],
)
def test_an_instrument_stands_as_on_the_day(instrument: str, country: str, when: str, standing: str) -> None:
    assert membership_on(ATLAS, instrument, country, day(when)).standing == standing


@pytest.mark.parametrize(
    ("one", "other", "when", "shared"),
    [
        ("BE", "UY", "2026-06-15", {"hague_judgments_2019"}),
        ("BE", "UY", "2024-09-30", set()),
        ("BE", "GB", "2026-06-15", {"hague_judgments_2019", "hague_choice_of_court_2005"}),
        ("BE", "CH", "2026-06-15", {"lugano_2007", "hague_choice_of_court_2005"}),
        ("BE", "DK", "2026-06-15", {"brussels_ia", "lugano_2007", "hague_choice_of_court_2005"}),
        ("BE", "US", "2026-06-15", set()),
    ],
)
def test_a_judgment_travels_only_where_both_are_bound(one: str, other: str, when: str, shared: set[str]) -> None:
    assert set(shared_instruments(ATLAS, one, other, day(when), "judgment")) - {"eeo"} == shared
    assert shared_instruments(ATLAS, one, other, day(when)) == shared_instruments(ATLAS, other, one, day(when))


def test_every_row_begins_and_ends_on_its_day_and_not_before() -> None:
    one = dt.timedelta(days=1)
    dated = 0
    for (instrument, country), found in ATLAS.memberships.items():
        for row in found:
            if row.standing is not Standing.IN_FORCE or row.valid_from is None:
                continue
            dated += 1
            eve, first = (membership_on(ATLAS, instrument, country, day).standing for day in (row.valid_from - one, row.valid_from))
            assert first is Standing.IN_FORCE, (instrument, country)
            before = [other for other in found if other.valid_to == row.valid_from - one]
            assert before or eve in (Standing.NOT_YET, Standing.NOT_BOUND), (instrument, country)
            if row.valid_to is not None:
                after = membership_on(ATLAS, instrument, country, row.valid_to + one).standing
                assert after is not Standing.IN_FORCE, (instrument, country)
    assert dated > 250


# --- evidence -------------------------------------------------------------------------------------


def test_every_fact_has_a_source_a_level_and_a_day() -> None:
    facts = [fact for found in ATLAS.facts.values() for fact in found]
    assert len(facts) > 1_400
    for fact in facts:
        assert fact.value and fact.source and fact.as_of, fact
        assert fact.is_known and (fact.valid_from is None or fact.valid_to is None or fact.valid_from <= fact.valid_to)
    for rows in ATLAS.memberships.values():
        for row in rows:
            assert row.as_of and (row.source or row.standing is Standing.UNKNOWN), row
            assert row.standing is not Standing.UNKNOWN or row.note
    assert all(treaty.source and treaty.absence_source for treaty in ATLAS.instruments.values())


def test_what_is_unknown_is_shown_as_unknown() -> None:
    sheet = country_sheet(ATLAS, "UY", DAY)
    fact = sheet.facts[Topic.LIMITATION_B2B]
    assert (fact.value, fact.code, fact.evidence) == ("", "", Evidence.UNKNOWN)
    assert {"limitation_b2b", "licence_duty", "chargeable_fees", "interruption"} <= set(sheet.unknown)
    assert set(sheet.facts) == set(Topic) and set(sheet.instruments) == set(ATLAS.instruments)
    assert "hague_service_1965" in country_sheet(ATLAS, "GL", DAY).unknown
    empty = country_sheet(ATLAS, "AQ", DAY)  # nobody lives in Antarctica
    assert empty.languages == () and empty.currency == "" and Topic.CURRENCY in empty.unknown


@pytest.mark.parametrize(
    ("country", "when", "code"),
    [
        ("DE", "2026-06-15", "eea"),
        ("UY", "2026-06-15", "adequate"),
        ("BR", "2026-01-25", ""),
        ("BR", "2026-01-26", "adequate"),
        ("GB", "2020-12-31", "eea"),
        ("GB", "2031-12-27", "adequate"),
        ("GB", "2031-12-28", ""),
        ("US", "2026-06-15", "adequate_in_part"),
        ("CA", "2026-06-15", "adequate_in_part"),
        ("IN", "2026-06-15", "none"),
        ("GF", "2026-06-15", "check"),
    ],
)
def test_the_basis_of_a_transfer_is_that_of_the_day(country: str, when: str, code: str) -> None:
    fact = fact_on(ATLAS, country, Topic.TRANSFER_BASIS, day(when))
    assert (fact.code, fact.is_known) == (code, bool(code))


def test_of_several_editions_the_last_one_counts() -> None:
    told = [fact_on(ATLAS, "BE", Topic.COMPLEXITY, day(when)).code for when in ("2017-12-31", "2018-06-01", "2026-06-15")]
    assert told == ["", "36", "35"]


# --- against the gathered data --------------------------------------------------------------------


def rows(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / "jurisdictions" / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_treaties_are_those_of_the_gathered_list(shared_data: Path) -> None:
    ours = {
        "EPO_1896_2006": "epo", "ESCP_861_2007": "escp", "EEO_805_2004": "eeo", "EAPO_655_2014": "eapo",
        "BRUSSELS_IA_1215_2012": "brussels_ia",
    }  # fmt: skip
    for row in rows(shared_data, "instrument_membership.csv"):
        name = ours.get(row["instrument"], row["instrument"].lower())
        found = membership_on(ATLAS, name, row["iso2"], GATHERED)
        expected = {"contracting_party": "unknown", "check": "unknown"}.get(row["status"], row["status"])
        assert found.standing == expected, row
        if row["in_force_from"]:
            assert found.valid_from == day(row["in_force_from"])
        if expected != "unknown":
            assert found.evidence == row["verification"]


def test_rules_are_those_of_the_gathered_list(shared_data: Path) -> None:
    columns = {
        "interruption": Topic.INTERRUPTION, "collector_fees_chargeable_to_debtor": Topic.CHARGEABLE_FEES,
        "collector_licensing": Topic.LICENCE_DUTY, "court_languages": Topic.COURT_LANGUAGES,
        "amicable_phase_rules": Topic.AMICABLE_RULES, "limitation_start": Topic.LIMITATION_START,
    }  # fmt: skip
    for row in rows(shared_data, "collection_rules.csv"):
        for column, topic in columns.items():
            fact = fact_on(ATLAS, row["iso2"], topic, GATHERED)
            assert fact.value.replace("-", "_") == row[column].replace("-", "_"), (row["iso2"], column)
            assert not row[column] or fact.evidence == row["verification"]
        assert fact_on(ATLAS, row["iso2"], Topic.LIMITATION_B2B, GATHERED).value.startswith(row["limitation_b2b_years"][:1])


def test_currency_languages_and_unions_are_those_of_the_gathered_list(shared_data: Path) -> None:
    unions = {"eu": "eu_member", "eea": "eea_member", "efta": "efta_member", "euro": "eurozone"}
    listed = rows(shared_data, "countries_baseline.csv")
    assert len(listed) == 249
    for row in listed:
        told = {topic: fact_on(ATLAS, row["iso2"], topic, GATHERED) for topic in (Topic.CURRENCY, Topic.LANGUAGES, Topic.UNION)}
        assert told[Topic.CURRENCY].code == row["currency"], row["iso2"]
        assert told[Topic.LANGUAGES].code.replace("-", "_").split() == row["official_languages"].replace("-", "_").split()
        assert set(told[Topic.UNION].code.split()) == {name for name, column in unions.items() if row[column] == "1"}, row["iso2"]
        assert fact_on(ATLAS, row["iso2"], Topic.TRANSFER_BASIS, GATHERED).is_known == bool(row["gdpr_transfer_basis"])


def test_scores_are_only_those_that_were_seen(shared_data: Path) -> None:
    seen = {(row["iso2"], row["edition"]): row["score_0_100"] for row in rows(shared_data, "collection_complexity.csv")}
    ours = {
        (country, fact.note.removeprefix("edition ")): fact.code
        for (country, topic), found in ATLAS.facts.items() if topic is Topic.COMPLEXITY for fact in found
    }  # fmt: skip
    assert ours == {key: score for key, score in seen.items() if key[0] != "WORLD"}


def test_what_links_two_countries_is_told_by_purpose() -> None:
    found = between(ATLAS, "BE", "GL", DAY)
    assert {"order", "judgment", "service", "arbitration", "document", "preservation"} == set(found.shared)
    assert found.shared["service"] == () and "hague_service_1965" in found.unknown
    assert "epo" not in found.unknown  # Greenland is known to be outside
    neighbours = between(ATLAS, "BE", "DE", DAY)
    assert neighbours.shared["order"] == ("epo", "escp") and neighbours.unknown == ()
    with pytest.raises(PermanentError, match="'UK' is not a country"):
        between(ATLAS, "BE", "UK", DAY)
