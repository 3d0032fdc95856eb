"""Country packs: what ships is sourced and consistent, what a stranger brings works the same way."""

from __future__ import annotations

import ast
import datetime as dt
import doctest
import importlib
import json
import os
import pkgutil
import subprocess
import sys
import textwrap
import tomllib
import types
from pathlib import Path

import pytest

import collecthub.law
from collecthub.bundled import jurisdictions
from collecthub.errors import ConfigurationError, ContractError, PermanentError
from collecthub.law.basis import Evidence
from collecthub.law.deadline import deadline
from collecthub.law.late_payment import late_payment
from collecthub.law.pack_check import pack_faults
from collecthub.law.packs import bundled_countries, bundled_rates, country_law
from collecthub.law.rates import read_rates
from collecthub.plugins import PluginSet
from collecthub.sdk import CountryLaw, JurisdictionPack, hookimpl
from law.asked import D, law, question
from law.naive import rows

SHEET = """
country = "{country}"
title = "Utopia"
version = 2026-06-01
currency = "EUR"

[[interest]]
id = "q.interest"
formula = "central rate plus 3 points"
evidence = "verified"
source = "gazette of Utopia"
series = "Q_RATE"
margin = "3"
"""
RATES = "series,valid_from,valid_to,value,evidence,source,note\nQ_RATE,2020-01-01,2026-12-31,4.00,verified,gazette of Utopia,\n"


class Stranger:
    """A plugin that brings one pack."""

    def __init__(self, pack: JurisdictionPack) -> None:
        self.pack = pack

    @hookimpl
    def register_jurisdictions(self) -> list[JurisdictionPack]:
        return [self.pack]


def utopia(country: str = "QU") -> CountryLaw:
    return country_law(SHEET.format(country=country), read_rates(RATES))


def plugins(*packs: JurisdictionPack) -> PluginSet:
    found = PluginSet()
    found.add("jurisdictions", jurisdictions)
    for number, pack in enumerate(packs):
        found.add(f"stranger{number}", Stranger(pack))
    return found


# --- what ships ---------------------------------------------------------------------------------------


def test_every_fact_has_a_source_and_a_level() -> None:
    for country in bundled_countries():
        pack = law(country)
        assert pack.country == country
        for rule in pack.rules():
            assert rule.source or rule.evidence in (Evidence.GENERAL_KNOWLEDGE, Evidence.UNKNOWN), rule.id
            assert rule.id.startswith(f"{country.lower()}."), rule.id
        assert all(act.source for act in pack.acts), country
    for series in bundled_rates().values():
        for period in series.periods:
            assert (period.value is None) == (period.evidence is Evidence.UNKNOWN), (series.series_id, period)
            assert period.source, (series.series_id, period)


def test_no_pack_that_ships_has_a_fault() -> None:
    assert {country: faults for country in bundled_countries() if (faults := pack_faults(law(country)))} == {}


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({'source = "gazette of Utopia"': ""}, "q.interest is verified and names no source"),
        ({'margin = "3"': 'margin = "3"\npercent = "5"'}, "needs exactly one of percent, series"),
        ({'margin = "3"': 'segments = ["C2C"]'}, "names the segment C2C"),
        ({}, ""),
    ],
)
def test_the_check_finds_what_is_wrong_with_a_pack(change: dict[str, str], fault: str) -> None:
    sheet = SHEET.format(country="QU")
    for old, new in change.items():
        assert old in sheet
        sheet = sheet.replace(old, new)
    found = pack_faults(country_law(sheet, read_rates(RATES)))
    assert len(found) == bool(fault) and all(fault in text for text in found)


@pytest.mark.parametrize(
    ("first", "second", "is_fault"),
    [
        ("", "", True),
        ("valid_to = 2019-12-31", "valid_from = 2020-01-01", False),
        ("valid_to = 2020-01-01", "valid_from = 2020-01-01", True),
        ("contract_before = 2020-01-01", "contract_from = 2020-01-01", False),
        ("default_before = 2020-01-02", "default_from = 2020-01-01", True),
        ('segments = ["B2B"]', 'segments = ["B2C"]', False),
        ('segments = ["B2B"]', "", True),
        ('variant = "fixed"', "", False),
    ],
)
def test_two_rules_for_one_day_are_found(first: str, second: str, is_fault: bool) -> None:
    rule = SHEET[SHEET.index("[[interest]]") :]
    sheet = SHEET.format(country="QU") + first + "\n" + rule.replace("q.interest", "q.other") + second + "\n"
    found = pack_faults(country_law(sheet, read_rates(RATES)))
    assert found == (("q.interest and q.other both govern some day",) if is_fault else ())


def test_the_levels_are_not_better_than_those_of_the_tables(shared_data: Path) -> None:
    """What the tables hold as general knowledge does not become verified here, unless it was read since."""
    read_since = {"AT", "PL", "SK"}
    for row in rows(shared_data, "late_payment_rules.csv"):
        levels = {rule.evidence.value for rule in law(row["iso2"]).interest}
        if row["verification"] != "verified" and row["iso2"] not in read_since | {"BG", "HR"}:
            assert "verified" not in levels, row["iso2"]


def test_docstrings_of_the_law_are_right() -> None:
    for module in pkgutil.walk_packages(collecthub.law.__path__, "collecthub.law."):
        if not module.name.startswith(("collecthub.law.atlas", "collecthub.law.feasibility")):
            failures, _ = doctest.testmod(importlib.import_module(module.name))
            assert failures == 0, module.name


# --- what a stranger brings ---------------------------------------------------------------------------


def test_a_third_party_adds_a_country() -> None:
    found = plugins(JurisdictionPack(country="QU", load=utopia))
    answer = late_payment(found.country_law("QU"), question("2024-12-31", "2025-12-31"))
    assert (answer.interest, answer.rule, answer.source) == (D("700.00"), "q.interest", "gazette of Utopia")
    assert (answer.compensation, answer.rule_version) == (0, dt.date(2026, 6, 1))


def test_a_second_pack_of_a_country_has_to_say_that_it_replaces_the_first() -> None:
    silent = plugins(JurisdictionPack(country="BE", load=lambda: utopia("BE")))
    assert silent.country_law("BE").title == "Belgium"
    assert (
        not silent.states["stranger0"].is_loaded
        and "law of BE is already there" in silent.states["stranger0"].problem
    )
    said = plugins(JurisdictionPack(country="BE", load=lambda: utopia("BE"), replaces=True))
    assert said.country_law("BE").title == "Utopia"


def test_a_broken_pack_disables_its_country_only() -> None:
    def broken() -> CountryLaw:
        raise ZeroDivisionError("oops")

    found = plugins(JurisdictionPack(country="QU", load=broken))
    with pytest.raises(ContractError, match="country pack of QU failed with ZeroDivisionError"):
        found.country_law("QU")
    assert found.country_law("BE").title == "Belgium"
    with pytest.raises(PermanentError, match="no country pack knows the law of 'XX'"):
        found.country_law("XX")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ("country = ", "cannot be read"),
        (SHEET.format(country="QU") + 'colour = "red"\n', "unknown field `colour`"),
        (SHEET.format(country="QU").replace('"3"', "3e2"), "'3e2' is not an amount"),
        (SHEET.format(country="QU").replace('"3"', "nan"), "cannot be read"),
        (SHEET.format(country="QU").replace('"3"', '"1E+3"'), "'1E.3' is not an amount"),
        (SHEET.format(country="QU") + SHEET[SHEET.index("[[") :], "two rules q.interest"),
        (SHEET.format(country="QU").replace('"verified"', '"sure"'), "sure"),
    ],
)
def test_a_damaged_sheet_is_refused_with_its_reason(wrong: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        country_law(wrong, read_rates(RATES))


def test_numbers_of_a_sheet_are_exact_however_they_are_written() -> None:
    for written in ('"3.10"', "3.10", '"3.1"'):
        pack = country_law(SHEET.format(country="QU").replace('"3"', written), read_rates(RATES))
        assert pack.interest[0].margin == D("3.1")


def test_an_installed_distribution_is_found_by_the_command(tmp_path: Path) -> None:
    """A real distribution with an entry point, in a process of its own, without any database."""
    (tmp_path / "utopia_law.py").write_text(
        "from collecthub.sdk import JurisdictionPack, country_law, hookimpl, read_rates\n"
        f"SHEET = '''{SHEET.format(country='QU')}'''\nRATES = {RATES!r}\n"
        + textwrap.dedent("""
            @hookimpl
            def register_jurisdictions():
                return [JurisdictionPack(country="QU", load=lambda: country_law(SHEET, read_rates(RATES)))]
        """)
    )
    info = tmp_path / "utopia_law-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: utopia-law\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[collecthub]\nutopia = utopia_law\n")
    words = "law interest --country QU --principal 10000 --due 2024-12-31 --until 2025-12-31 --json".split()
    home = tmp_path / "home"
    done = subprocess.run(
        [sys.executable, "-c", "from collecthub.cli.main import app; app()", *words],
        env={**os.environ, "PYTHONPATH": str(tmp_path), "COLLECTHUB_HOME": str(home)}, capture_output=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()
    answer = json.loads(done.stdout)
    assert (answer["interest"], answer["currency"], answer["rule"]) == ("700.00", "EUR", "q.interest")
    assert not home.exists()


def test_no_float_stands_in_the_law() -> None:
    """Neither as a number in the code nor in a sheet: percentages and amounts are text or whole numbers."""
    root = Path(collecthub.law.__file__).parent
    found = [
        f"{path.name}:{node.lineno}"
        for path in [*root.glob("*.py"), *root.glob("belgium/*.py")]
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, float)
    ]
    floats: list[str] = []
    for sheet in root.glob("sheets/*.toml"):
        tomllib.loads(
            sheet.read_text(encoding="utf-8"),
            parse_float=lambda text, name=sheet.name: floats.append(f"{name}: {text}"),
        )
    assert not found and not floats, (found, floats)


def test_the_page_on_writing_a_pack_is_right(tmp_path: Path) -> None:
    """Its sheet, table and plugin, as they are printed, give a pack without faults that answers."""
    page = (Path(__file__).parents[2] / "docs" / "law" / "writing-a-pack.md").read_text(encoding="utf-8")
    blocks = {name: page.split(f"```{name}\n")[1].split("```")[0] for name in ("toml", "csv", "python")}
    for name, block in {
        "qu.toml": blocks["toml"],
        "rates.csv": blocks["csv"],
        "qu_law.py": blocks["python"],
    }.items():
        (tmp_path / name).write_text(block, encoding="utf-8")
    module = types.ModuleType("qu_law")
    module.__file__ = str(tmp_path / "qu_law.py")
    exec(compile(blocks["python"], module.__file__, "exec"), module.__dict__)  # noqa: S102  # the page's own words
    found = PluginSet()
    found.add("qu", module)
    pack = found.country_law("QU")
    assert pack_faults(pack) == ()
    answer = late_payment(pack, question("2023-12-31", "2024-12-31", principal="1000"))
    assert (answer.interest, answer.compensation) == (D("68.93"), D("70.00"))  # 182 days at 7%, 184 at 6.75%
    assert (
        str(deadline(pack, "insolvency_claim", dt.date(2024, 1, 31), actor_country="FR").deadline_on)
        == "2024-03-31"
    )
