"""The whole of a case: what stops which procedure, what order findings come in, how fast a portfolio goes."""

from __future__ import annotations

import datetime as dt
import time
from decimal import Decimal

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from collecthub.law.atlas.reading import bundled_atlas
from collecthub.law.feasibility.assess import assess, findings
from collecthub.law.feasibility.finding import CaseFacts, KnownDocument, PartnerFacts, Verdict
from collecthub.model.exchange import Procedure
from collecthub.model.party import Party, PartyKind
from feasibility.files import CREDITOR, DAY, case, claim, file, judged, law

ATLAS = bundled_atlas()
SECONDS_FOR_100_000 = 120  # issue 7
FEW = 1_500


def test_a_sound_file_has_no_findings() -> None:
    for procedure in (Procedure.AMICABLE, Procedure.JUDICIAL):
        answer = judged(file("DE", procedure=procedure, letters=file().letters))
        open_points = {one.id for one in answer.findings}
        assert answer.is_feasible and open_points <= {"ADR-01"}, answer.findings  # no rule of DE before a suit is known
    assert len(answer.verdicts) == 33


def test_a_finding_stops_only_the_procedures_of_its_rule() -> None:
    barred = case(claims=[claim(due="2020-05-01")])
    by_procedure = {procedure: judged(file(of=barred, procedure=procedure)).is_feasible for procedure in Procedure}
    assert by_procedure == {Procedure.AMICABLE: True, Procedure.JUDICIAL: False, Procedure.ENFORCEMENT: False}
    assert judged(file(of=barred, procedure=Procedure.ENFORCEMENT, title_on=DAY)).is_feasible, "a title has its own period"


def test_a_bare_case_abroad_is_told_what_is_missing_and_nothing_is_guessed() -> None:
    """What the hub knows of a debtor in Uruguay on the day the case opens."""
    of = case("UY", debtor=Party(name="Cliente", country="UY"))
    answer = assess(CaseFacts(case=of, creditor=CREDITOR), DAY, ATLAS, law)
    assert answer.is_feasible
    assert {one.id for one in answer.findings if one.verdict is Verdict.UNKNOWN} == {
        "LIM-01", "DOC-01", "PAR-01", "PAR-03", "SAN-01", "DOC-05",
    }  # fmt: skip
    assert not [one for one in answer.findings if one.verdict is Verdict.FOUND]


def test_the_worst_comes_first() -> None:
    of = case(claims=[claim(due="2020-05-01")], origin="form")
    answer = judged(file(of=of, procedure=Procedure.JUDICIAL, documents=None, sanctions_asked_on=None, clauses=None))
    told = [(one.is_blocking, one.verdict.value, one.severity.value) for one in answer.findings]
    assert told[0] == (True, "found", "block")
    assert told == sorted(told, key=lambda x: (not x[0], x[1] != "found", ["block", "high", "medium"].index(x[2])))


def test_no_name_and_no_text_of_a_person_is_in_the_evidence() -> None:
    of = case("XX", segment="B2C", debtor=Party(name="Erika Mustermann", kind=PartyKind.PERSON, country="XX"))
    answer = judged(CaseFacts(case=of, creditor=CREDITOR, procedure=Procedure.JUDICIAL, forum="BE"))
    assert answer.findings and b"Mustermann" not in msgspec.json.encode(answer)


COUNTRIES = ["BE", "DE", "FR", "NL", "UY", "US", "GB", "CN", "XK", "GL", "AQ", "ZZ", ""]


@given(
    st.sampled_from(COUNTRIES), st.sampled_from(["B2B", "B2C", "B2G"]), st.sampled_from(list(Procedure)),
    st.sampled_from(["", "epo", "escp", "eeo", "ios", "apostille_1961", "nothing"]), st.sampled_from(COUNTRIES),
    st.sampled_from(["EUR", "BGN", "UYU"]), st.integers(-400, 15_000), st.booleans(), st.sampled_from(COUNTRIES),
)  # fmt: skip
def test_any_file_gets_an_answer_and_unknown_never_blocks(
    country: str, segment: str, procedure: Procedure, instrument: str, forum: str, currency: str, age: int, bare: bool,
    creditor: str,
) -> None:  # fmt: skip
    due = (DAY - dt.timedelta(days=age)).isoformat()
    of = case(country, segment=segment, currency=currency, claims=[claim(due=due), claim("F2", due=due)])
    changes = {} if not bare else {"documents": None, "clauses": None, "letters": None, "mandate": None}
    given_file = file(
        of=of, procedure=procedure, instrument=instrument, forum=forum, creditor=Party(name="C", country=creditor),
        partner=PartnerFacts(partner_id="p", role="agency", country=forum), **changes,
    )  # fmt: skip
    answer = judged(given_file)
    assert sum(verdict in ("found", "unknown") for verdict in answer.verdicts.values()) == len(answer.findings)
    assert not any(one.is_blocking for one in answer.findings if one.verdict is Verdict.UNKNOWN)
    assert answer.is_feasible == (not any(one.is_blocking for one in answer.findings))
    assert findings(given_file, DAY, ATLAS, law) == answer.findings


def test_a_portfolio_of_100_000_cases_would_take_less_than_two_minutes_of_one_core() -> None:
    countries = ["BE", "BE", "NL", "FR", "DE", "UY", "GB", "US", "PL", "ES", "IT", "BR", "CN", "KE"]
    files = [
        CaseFacts(
            case=case(
                countries[n % len(countries)], segment="B2C" if n % 3 == 0 else "B2B",
                claims=[claim(f"F{n}-{k}", due=str(DAY - dt.timedelta(days=n * 7 % 2000 + k))) for k in range(3)],
            ),
            creditor=CREDITOR, documents=(KnownDocument(kind="invoice"),), procedure=list(Procedure)[n % 3],
            partner=PartnerFacts(partner_id="p", role="agency", minimum_amount=Decimal(100)),
        )
        for n in range(FEW)
    ]
    began = time.process_time()
    told = sum(len(assess(one, DAY, ATLAS, law).findings) for one in files)
    spent = time.process_time() - began
    assert told > FEW
    assert spent / FEW * 100_000 < SECONDS_FOR_100_000
