"""What a finding rests on is a code with values that reads in every language: found from the rules, not from a list."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from collecthub.engine.partner_links import LANGUAGES as OF_PARTNERS
from collecthub.law import feasibility
from collecthub.law.atlas.facts import Standing, Topic
from collecthub.law.atlas.reading import bundled_atlas
from collecthub.law.feasibility.evidence import LANGUAGES, parts, sentences, words
from collecthub.law.feasibility.finding import Verdict
from collecthub.law.packs import bundled_countries, bundled_law
from collecthub.law.rules import Fixing
from collecthub.model.case import Feasibility
from collecthub.model.circumstances import CLAUSE_KINDS, FIXINGS
from collecthub.model.exchange import Procedure
from collecthub.paper.remarks import evidence_in, remarks
from feasibility.files import DAY, judged
from feasibility.test_rules import CASES

FOLDER = Path(str(feasibility.__file__)).parent
ENGLISH_ONLY = "text"  # a sentence of the atlas or of a law; other languages say it by the code beside it


def said_by_rules() -> Iterator[tuple[str, set[str]]]:
    """Each `found("code", ...)` and `unknown("code", ...)` of the rules, with the names of its values."""
    for path in FOLDER.glob("*.py"):
        for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(function, ast.FunctionDef) and function.name not in ("found", "unknown"):
                yield from of_function(function)


def of_function(function: ast.FunctionDef) -> Iterator[tuple[str, set[str]]]:
    shared = {
        key.value for node in ast.walk(function) if isinstance(node, ast.Dict) for key in node.keys
        if isinstance(key, ast.Constant)
    } | {
        node.slice.value for node in ast.walk(function)
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant) and isinstance(node.ctx, ast.Store)
    }  # fmt: skip
    for call in ast.walk(function):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in ("found", "unknown"):
            first = call.args[0]
            assert isinstance(first, ast.Constant), f"{function.name}: the code of a finding is written where it is found"
            named = {one.arg or "" for one in call.keywords} - {"severity", "deadline_on", "level"}
            yield str(first.value), named | {str(name) for name in shared if len(call.args) == 2}


def test_every_code_of_the_rules_reads_in_every_language() -> None:
    made = dict(said_by_rules())
    assert set(made) == set(sentences()) and len(made) > 80
    for code, values in made.items():
        assert set(sentences()[code]) == set(LANGUAGES), code
        used = {language: {name for _, name, _ in parts(code, language) if name} for language in LANGUAGES}
        assert set().union(*used.values()) <= values, code
        others = [used[language] for language in LANGUAGES if language != "en"]
        assert all(one == others[0] and ENGLISH_ONLY not in one for one in others), code
        assert used["en"] - {ENGLISH_ONLY} <= others[0], code


def test_every_word_that_a_value_can_be_is_in_every_language() -> None:
    atlas, laws = bundled_atlas(), [bundled_law(country) for country in bundled_countries()]
    prefixes = {Topic.LICENCE_DUTY: "licence", Topic.CHARGEABLE_FEES: "fees", Topic.TRANSFER_BASIS: "transfer"}
    wanted = {
        f"{prefixes[topic]}_{fact.code}" for (_, topic), facts in atlas.facts.items() if topic in prefixes for fact in facts
    }
    wanted |= {f"nature_{rule.nature}" for law in laws for rule in law.limitation if rule.nature}
    wanted |= {f"fixing_{name}" for name in (*FIXINGS, *Fixing)} | {f"clause_{kind}" for kind in CLAUSE_KINDS}
    wanted |= {*atlas.instruments, *(one.value for one in Standing if one is not Standing.UNKNOWN)}
    assert wanted <= set(words())
    assert all(set(one) == set(LANGUAGES) and all(one.values()) for one in words().values())


def test_every_finding_of_the_rules_reads_in_every_language() -> None:
    read: dict[str, set[str]] = {}
    for _, verdict, _, file in CASES:
        for one in judged(file).findings if verdict in (Verdict.FOUND.value, Verdict.UNKNOWN.value) else ():
            said = {language: evidence_in(language, one.code, one.values, "") for language in LANGUAGES}
            assert all(said.values()) and not any("{" in text for text in said.values()), said
            assert not any("_" in text for language, text in said.items() if language != "en"), said
            read.setdefault(one.code, set()).update(text for language, text in said.items() if language != "en")
    assert len(read) > 60


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("en", "since 31 Dec 2023: law of Germany, 3 years (goods) from 1 Jan 2021; no interruption is on file"),
        ("nl", "sinds 31 dec 2023: recht van Duitsland, 3 jaar (goederen) vanaf 1 jan 2021; er is geen stuiting in het dossier"),
        ("fr", "depuis le 31 déc. 2023 : droit applicable Allemagne, 3 ans (marchandises) à partir du 1 janv. 2021 ; aucune interruption n'est au dossier"),
        ("de", "seit 31.12.2023: Recht Deutschland, 3 Jahre (Waren) ab 01.01.2021; keine Unterbrechung ist in der Akte"),
        ("es", "desde el 31 dic 2023: ley de Alemania, 3 años (mercancías) desde el 1 ene 2021; no consta ninguna interrupción"),
    ],
)  # fmt: skip
def test_days_countries_and_periods_are_written_as_the_reader_does(language: str, expected: str) -> None:
    values = {
        "until": "2023-12-31", "law": "DE", "period": "3 years", "nature": "nature_goods", "began": "2021-01-01",
        "acts": "no_interruption",
    }  # fmt: skip
    assert evidence_in(language, "barred", values, "") == expected


def test_money_languages_and_treaties_are_written_as_the_reader_does() -> None:
    money = {"demanded": "5000.01 EUR", "ceiling": "5000 EUR"}
    assert evidence_in("es", "above_ceiling", money, "") == "5.000,01\xa0€ supera el límite de 5.000,00\xa0€"
    tongues = {"papers": "nl", "court": "de fr"}
    assert evidence_in("de", "wrong_languages", tongues, "") == (
        "Unterlagen auf: Niederländisch; das Gericht nimmt an: Deutsch, Französisch"
    )
    treaties = {"court": "BE", "assets": "", "open": "lugano_2007 CH, hague_judgments_2019 UY"}
    assert evidence_in("fr", "no_known_treaty", treaties, "") == (
        "Belgique et un pays inconnu : aucun traité n'est connu ; en suspens : Convention de Lugano 2007 (Suisse), "
        "Convention de La Haye de 2019 sur les jugements (Uruguay)"
    )


def test_what_was_recorded_before_there_were_codes_stays_readable() -> None:
    old = Feasibility(
        procedure=Procedure.AMICABLE, checked_on=DAY, rule_version=DAY, atlas_version=DAY,
        findings=(("PAR-01", "the debtor has no name", False),),
    )  # fmt: skip
    assert remarks(old, "de").endswith(": the debtor has no name")


def test_the_languages_are_those_of_partners() -> None:
    assert set(OF_PARTNERS) == set(LANGUAGES)
