"""Every rule: what finds it, what clears it, and what it says when nobody knows."""

from __future__ import annotations

import csv
import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from collecthub.law.feasibility.assess import CHECKS
from collecthub.law.feasibility.finding import (
    CaseFacts,
    KnownDocument,
    Licence,
    Mandate,
    PartnerFacts,
)
from collecthub.law.feasibility.rules import rule_book
from collecthub.law.limitation import LegalAct
from collecthub.model import event as ev
from collecthub.model.circumstances import Clause, InterestTerms, Letter
from collecthub.model.codes import Phase
from collecthub.model.exchange import CostBearer, Procedure
from collecthub.model.facts_human import SolvencyChecked
from collecthub.model.ledger import Balance
from collecthub.model.party import Address, Party
from collecthub.model.solvency import SolvencyCheck, SolvencyVerdict
from feasibility.files import case, claim, file, hold, judged

COURT, ENFORCE = Procedure.JUDICIAL, Procedure.ENFORCEMENT


def owed(principal: str = "1000", **parts: str) -> Balance:
    return Balance(currency="EUR", principal=Decimal(principal), **{name: Decimal(v) for name, v in parts.items()})


def agency(**changes: Any) -> PartnerFacts:
    return PartnerFacts(**{"partner_id": "p", "role": "agency", **changes})


def stated(**changes: Any) -> InterestTerms:
    return InterestTerms(**changes)


def interest(country: str = "DE", **changes: Any) -> CaseFacts:
    return file(of=case(country, balance=owed(interest="50")), interest=stated(**changes) if changes else None)


def clause(kind: str, **changes: Any) -> tuple[Clause, ...]:
    return (Clause(kind=kind, **{"document_kind": "contract", **changes}),)


INVOICE_ONLY = (KnownDocument(kind="invoice", language="nl"),)
NOWHERE = Address()
COST = ev.CostReported(
    cost_ref="k1", cost_type="collection_fee", amount=Decimal(80), tax_amount=Decimal(0), bearer=CostBearer.DEBTOR,
    occurred_on=dt.date(2026, 6, 1), legal_basis="",
)  # fmt: skip
PAID = ev.PaymentRecorded(amount=Decimal(1000), paid_on=dt.date(2026, 6, 1))


def look(source: str, verdict: SolvencyVerdict = SolvencyVerdict.NOTHING_FOUND) -> SolvencyChecked:
    check = SolvencyCheck(source=source, verdict=verdict, text="", checked_on=dt.date(2026, 6, 14))
    return SolvencyChecked(check=check)


LOOKED, OWN_LOOK, INSOLVENT = look("bureau"), look("own records"), look("bureau", SolvencyVerdict.INSOLVENT)
OLD_IN_FRANCE = case("FR", claims=[claim(due="2021-01-01")])
BE_TO_DE = {"instrument": "epo", "procedure": COURT}


def consumer(country: str, **changes: Any) -> CaseFacts:
    of = case(country, segment="B2C", claims=[claim(level=changes.pop("level", 2))])
    return file(of=of, **changes)


# id, verdict, a word of the evidence, the file
CASES: list[tuple[str, str, str, CaseFacts]] = [
    # DE: three years from the end of the year. BE, the creditor's law: ten years.
    ("LIM-01", "clear", "", file("DE")),
    ("LIM-01", "found", "2023-12-31", file(of=case(claims=[claim(due="2020-05-01")]))),
    ("LIM-01", "found", "days left", file(of=case("FR", claims=[claim(due="2021-09-01")]))),
    ("LIM-01", "clear", "", file(of=OLD_IN_FRANCE, acts=(LegalAct(act="acknowledgment", on=dt.date(2025, 5, 1)),))),
    ("LIM-01", "found", "acts on file", file(of=OLD_IN_FRANCE, acts=(LegalAct(act="demand", on=dt.date(2025, 5, 1)),))),
    ("LIM-01", "clear", "", file(of=case("BE", segment="B2C", claims=[claim(due="2023-05-01")]), nature="utilities")),
    ("LIM-01", "found", "1 year", file(of=case("BE", segment="B2C", claims=[claim(due="2023-05-01")]), nature="goods")),
    ("LIM-01", "found", "2023-12-31", file(of=case(claims=[claim(due="2020-05-01")]), nature="utilities")),
    ("LIM-01", "unknown", "no limitation period of UY", file("UY")),
    ("LIM-01", "unknown", "an unknown country", file("")),
    ("LIM-01", "found", "2023-12-31", file(of=case(claims=[claim(due="2020-05-01")]), procedure=ENFORCE)),
    ("LIM-01", "not_applicable", "", file(of=case(claims=[claim(due="2020-05-01")]), procedure=ENFORCE, title_on=dt.date(2023, 5, 1))),
    ("LIM-02", "not_applicable", "", file(procedure=COURT)),
    ("LIM-02", "unknown", "not on file", file("BE", procedure=ENFORCE)),
    ("LIM-02", "clear", "", file("BE", procedure=ENFORCE, title_on=dt.date(2017, 1, 1))),
    ("LIM-02", "found", "10 years", file("BE", procedure=ENFORCE, title_on=dt.date(2015, 1, 1))),
    ("LIM-02", "unknown", "not known", file("KE", procedure=ENFORCE, title_on=dt.date(2015, 1, 1))),
    ("INT-01", "not_applicable", "", file("US")),
    ("INT-01", "clear", "", interest("US")),
    ("INT-01", "found", "by contract only", file(of=case("US", balance=owed(interest="9")), documents=INVOICE_ONLY)),
    ("INT-01", "unknown", "documents", file(of=case("US", balance=owed(interest="9")), documents=None)),
    ("INT-01", "unknown", "no rule on interest", interest("UY")),
    # Book XIX since 2023: a consumer's clause follows the commercial rate at most, 10.5 per cent in 2026
    ("INT-01", "clear", "", file(of=case("BE", segment="B2C"), clauses=clause("interest"), interest=stated(percent=Decimal("10.5")))),
    ("INT-01", "found", "above", file(of=case("BE", segment="B2C"), clauses=clause("interest"), interest=stated(percent=Decimal(12)))),
    ("INT-01", "unknown", "no rule on interest", interest("UY", percent=Decimal(12))),
    ("INT-01", "unknown", "caps an agreed rate", file("UY", clauses=clause("interest"), interest=stated(percent=Decimal(12)))),
    ("INT-02", "clear", "", file(clauses=clause("interest"), interest=stated(percent=Decimal(12)))),
    ("INT-02", "found", "gives 10.27", file(clauses=clause("interest", document_kind="invoice"), interest=stated(percent=Decimal(12)))),
    ("INT-02", "not_applicable", "", file()),
    ("INT-02", "unknown", "without the rate", interest()),
    # DE: base rate 1.27 of 2026-01-01 and nine points between companies; BE: 2.15 lifted to 2.5, and eight points
    ("INT-02", "clear", "", interest(percent=Decimal("10.27"))),
    ("INT-02", "clear", "", interest(percent=Decimal("10.32"))),
    ("INT-02", "found", "gives 10.27", interest(percent=Decimal("10.33"))),
    ("INT-02", "found", "gives 10.5", interest("BE", percent=Decimal("10.15"))),
    ("INT-02", "clear", "", file(of=case(balance=owed(interest="9")), is_interest_counted_here=True)),
    ("INT-02", "unknown", "lawful rate", interest("UY", percent=Decimal(9))),
    ("INT-03", "unknown", "not stated", interest()),
    ("INT-03", "clear", "", interest(fixing="floating")),
    ("INT-03", "found", "floating", interest(fixing="at_start")),
    ("INT-03", "found", "at_start", interest("CZ", fixing="floating")),
    ("INT-04", "clear", "", interest(is_compound=False)),
    ("INT-04", "found", "simple", interest("SI", is_compound=True)),
    ("INT-04", "clear", "", interest("NL", is_compound=True)),
    ("INT-04", "unknown", "not stated", interest()),
    ("INT-05", "not_applicable", "", file()),
    ("INT-05", "clear", "", file(**BE_TO_DE)),
    ("INT-05", "found", "from-date", file(**BE_TO_DE, interest=stated(percent=Decimal(9)))),
    ("INT-05", "unknown", "not on file", file(of=case(balance=owed(interest="9")), **BE_TO_DE)),
    # Book XIX: a balance of 1,200 may bear 65 + 5 per cent above 500, which is 100
    ("CST-01", "not_applicable", "", file()),
    ("CST-01", "clear", "", file(of=case("BE", segment="B2C", balance=owed("1200", compensation="100.00")))),
    ("CST-01", "found", "100", file(of=case("BE", segment="B2C", balance=owed("1200", compensation="100.01")))),
    ("CST-01", "unknown", "UY", file(of=case("UY", balance=owed(compensation="40")))),
    ("CST-02", "not_applicable", "", file()),
    ("CST-02", "found", "stay with creditor", file(of=case("FR", facts=[COST]))),
    ("CST-02", "not_applicable", "", file(of=case("FR", facts=[COST], phase=Phase.JUDICIAL))),
    ("CST-02", "found", "no contract", file(of=case("US", facts=[COST]), documents=INVOICE_ONLY)),
    ("CST-02", "clear", "", file(of=case("US", facts=[COST]))),
    ("CST-02", "found", "B2C", file(of=case("BE", segment="B2C", facts=[COST]))),
    ("CST-02", "unknown", "compared", file(of=case("DE", facts=[COST]))),
    ("CST-02", "unknown", "UY", file(of=case("UY", facts=[COST]))),
    ("CST-03", "clear", "", file(of=case("ES", balance=owed(compensation="40")))),
    ("CST-03", "found", "1 invoices", file(of=case("ES", balance=owed(compensation="80")))),
    ("CST-03", "unknown", "UY", file(of=case("UY", balance=owed(compensation="40")))),
    ("DOC-01", "clear", "", file()),
    ("DOC-01", "found", "contract or order", file(documents=INVOICE_ONLY)),
    ("DOC-01", "clear", "", file(documents=(KnownDocument(kind="judgment"),))),
    ("DOC-01", "unknown", "not known", file(documents=None)),
    ("DOC-02", "clear", "", file()),
    ("DOC-02", "found", "only a copy", file(mandate=Mandate(form="copy"))),
    ("DOC-02", "found", "expired", file(mandate=Mandate(form="original", expires_on=dt.date(2026, 6, 14)))),
    ("DOC-02", "unknown", "no power", file(mandate=None)),
    ("DOC-02", "not_applicable", "", file("FR", mandate=None)),
    ("DOC-02", "unknown", "which form UY", file("UY", procedure=COURT)),
    ("DOC-03", "not_applicable", "", file()),
    ("DOC-03", "clear", "", file(procedure=COURT)),
    ("DOC-03", "found", "documents in nl", file(procedure=COURT, documents=INVOICE_ONLY)),
    ("DOC-03", "clear", "", file(procedure=COURT, documents=INVOICE_ONLY, document_languages=("de",))),
    ("DOC-03", "unknown", "courts of UY", file("UY", procedure=COURT)),
    ("DOC-03", "unknown", "languages of the documents", file(procedure=COURT, documents=(KnownDocument(kind="invoice"),))),
    ("DOC-04", "clear", "", file()),
    ("DOC-04", "found", "ledger says", file(of=case(balance=owed("900")))),
    ("DOC-05", "clear", "", file(clauses=clause("penalty"))),
    ("DOC-05", "found", "penalty", file(clauses=clause("penalty", document_kind="invoice"))),
    ("DOC-05", "unknown", "not on file", file(clauses=None)),
    ("PAR-01", "clear", "", file()),
    ("PAR-01", "found", "no name", file(of=case(debtor=Party(name=" ", country="DE")))),
    ("PAR-01", "clear", "", file(of=case("BE", debtor=Party(name="K", country="BE", vat_ref="BE 0403.019.261")))),
    ("PAR-01", "found", "VAT", file(of=case("BE", debtor=Party(name="K", country="BE", vat_ref="BE 0403.019.262")))),
    ("PAR-01", "found", "VAT", file(of=case("BE", debtor=Party(name="K", country="BE", vat_ref="DE 136695976")))),
    ("PAR-01", "unknown", "no registration", file(of=case(debtor=Party(name="K", country="DE")))),
    ("PAR-01", "unknown", "country", file(of=case(debtor=Party(name="K")))),
    ("PAR-02", "clear", "", file()),
    ("PAR-02", "unknown", "who issued", file(of=case(origin="form"))),
    ("PAR-02", "found", "no assignment", file(issuer_name="Another seller")),
    ("PAR-02", "clear", "", file(issuer_name="BROUWERIJ DE KROON")),
    ("PAR-02", "clear", "", file(issuer_name="Another seller", documents=(KnownDocument(kind="assignment"),))),
    ("PAR-03", "clear", "", file()),
    ("PAR-03", "unknown", "register", file(registers_asked_on=None)),
    ("PAR-03", "found", "insolvency known since 2026-06-01", file(of=case("BE", holds=(hold("insolvency"),)))),
    ("PAR-03", "unknown", "more than 90 days", file(registers_asked_on=dt.date(2026, 3, 16))),
    ("PAR-03", "clear", "", file(registers_asked_on=dt.date(2026, 3, 17))),
    ("PAR-03", "clear", "", file(of=case(facts=[LOOKED]), registers_asked_on=None)),
    ("PAR-03", "unknown", "register", file(of=case(facts=[OWN_LOOK]), registers_asked_on=None)),
    ("PAR-03", "found", "bureau of 2026-06-14: insolvent", file(of=case(facts=[INSOLVENT]))),
    ("PAR-03", "found", "not known", file(of=case("UY", holds=(hold("insolvency"),)))),
    ("JUR-01", "not_applicable", "", file()),
    ("JUR-01", "clear", "", consumer("DE", procedure=COURT)),
    ("JUR-01", "found", "lives in DE", consumer("DE", procedure=COURT, forum="BE")),
    ("JUR-02", "clear", "", file(procedure=COURT)),
    ("JUR-02", "found", "exclusive", file(procedure=COURT, clauses=clause("court", country="BE"))),
    ("JUR-02", "clear", "", file(procedure=COURT, clauses=clause("court", country="DE"))),
    ("JUR-02", "found", "arbitration", file(procedure=COURT, clauses=clause("arbitration"))),
    ("JUR-02", "unknown", "not on file", file(procedure=COURT, clauses=None)),
    ("JUR-03", "clear", "", file(procedure=COURT)),
    ("JUR-03", "unknown", "delivered", file(procedure=COURT, forum="BE")),
    ("JUR-03", "found", "performed in FR", file(procedure=COURT, forum="BE", performed_in="FR")),
    ("JUR-03", "clear", "", file(procedure=COURT, forum="BE", performed_in="BE")),
    ("JUR-03", "clear", "", file(procedure=COURT, forum="BE", clauses=clause("court", country="BE"))),
    ("INS-01", "not_applicable", "", file()),
    ("INS-01", "clear", "", file(**BE_TO_DE)),
    ("INS-01", "found", "DK: not_bound", file("DK", **BE_TO_DE)),
    ("INS-01", "found", "GB: ended", file("GB", **BE_TO_DE)),
    ("INS-01", "unknown", "GP", file("GP", **BE_TO_DE)),
    ("INS-01", "found", "cross-border", file("BE", **BE_TO_DE)),
    ("INS-01", "clear", "", file(instrument="escp", procedure=COURT, of=case(claims=[claim(amount="5000.00")]))),
    ("INS-01", "found", "5,000", file(instrument="escp", procedure=COURT, of=case(claims=[claim(amount="5000.01")]))),
    ("INS-01", "unknown", "SEK", file(instrument="escp", procedure=COURT, of=case("SE", currency="SEK"))),
    ("INS-01", "found", "not due", file(of=case(claims=[claim(due="2026-06-15")]), **BE_TO_DE)),
    ("INS-01", "clear", "", file("BE", instrument="ios", procedure=COURT)),
    ("INS-01", "found", "Belgian enterprises", file("DE", instrument="ios", procedure=COURT)),
    ("INS-01", "unknown", "not in the atlas", file(instrument="vienna", procedure=COURT)),
    ("INS-02", "not_applicable", "", file(instrument="escp", procedure=COURT)),
    ("INS-02", "clear", "", file(**BE_TO_DE)),
    ("INS-02", "found", "dispute", file(of=case(holds=(hold("dispute"),)), **BE_TO_DE)),
    ("INS-03", "clear", "", file(procedure=COURT)),
    ("INS-03", "clear", "", file("UY", procedure=COURT, forum="BE")),
    ("INS-03", "found", "BE and US", file("US", procedure=COURT, forum="BE")),
    ("INS-03", "found", "ZA", file("ZA", procedure=COURT, forum="BE")),
    ("INS-03", "clear", "", file("SG", procedure=COURT, forum="BE", clauses=clause("court", country="BE"))),
    ("INS-03", "found", "SG", file("SG", procedure=COURT, forum="BE")),
    ("INS-03", "unknown", "ME", file("ME", procedure=COURT, forum="BE")),
    ("SRV-01", "not_applicable", "", file()),
    ("SRV-01", "clear", "", file(procedure=COURT)),
    ("SRV-01", "found", "address", file(procedure=COURT, of=case(debtor=Party(name="K", country="DE", address=NOWHERE)))),
    ("SRV-01", "found", "post box", file(procedure=COURT, of=case("NL", debtor=Party(
        name="K", country="NL", address=Address(lines=("Postbus 12",), city="Breda", country="NL"))))),
    ("SRV-01", "clear", "", file("FR", procedure=COURT, forum="BE")),
    ("SRV-01", "clear", "", file("CN", procedure=COURT, forum="BE")),
    ("SRV-01", "found", "no treaty on service", file("UY", procedure=COURT, forum="BE")),
    ("SRV-01", "unknown", "GL", file("GL", procedure=COURT, forum="BE")),
    ("CON-01", "not_applicable", "", file("BE")),
    ("CON-01", "clear", "", consumer("BE")),
    ("CON-01", "found", "no reminder", consumer("BE", letters=())),
    ("CON-01", "found", "know of no reminder", consumer("BE", letters=None, level=0)),
    ("CON-01", "unknown", "reminder 2", consumer("BE", letters=None)),
    # e-mail of 2 June: the wait is 3 to 16 June
    ("CON-01", "found", "until 2026-06-16", consumer("BE", letters=(
        Letter(kind="reminder", sent_on=dt.date(2026, 6, 2), channel="email"),))),
    ("CON-01", "clear", "", consumer("BE", letters=(
        Letter(kind="reminder", sent_on=dt.date(2026, 5, 31), channel="email"),))),
    ("CON-01", "unknown", "UY", consumer("UY")),
    ("CON-02", "not_applicable", "", file(**BE_TO_DE)),
    ("CON-02", "clear", "", consumer("DE", **BE_TO_DE)),
    ("CON-02", "found", "contract", consumer("DE", documents=INVOICE_ONLY, **BE_TO_DE)),
    ("CON-02", "unknown", "not known", consumer("DE", documents=None, **BE_TO_DE)),
    ("LIC-01", "not_applicable", "", file()),
    ("LIC-01", "not_applicable", "", file(partner=agency(role="bailiff"))),
    ("LIC-01", "unknown", "not recorded", file(partner=agency())),
    ("LIC-01", "found", "no licence in force", file(partner=agency(licences=()))),
    ("LIC-01", "clear", "", file(partner=agency(licences=(Licence(country="DE", number="R1"),)))),
    ("LIC-01", "found", "B2B", file(partner=agency(licences=(Licence(country="DE", number="R1", segments=("B2C",)),)))),
    ("LIC-01", "found", "DE", file(partner=agency(licences=(
        Licence(country="DE", number="R1", expires_on=dt.date(2026, 6, 14)),)))),
    ("LIC-01", "clear", "", file("ES", partner=agency())),
    ("LIC-01", "clear", "", file("BE", partner=agency())),
    ("LIC-01", "unknown", "BE", consumer("BE", partner=agency())),
    ("LIC-01", "found", "prohibited", file("CN", partner=agency(licences=(Licence(country="CN", number="1"),)))),
    ("LIC-01", "unknown", "UY", file("UY", partner=agency())),
    ("GDP-01", "not_applicable", "", file("IN")),
    ("GDP-01", "clear", "", file("DE", partner=agency())),
    ("GDP-01", "clear", "", file("UY", partner=agency())),
    ("GDP-01", "unknown", "recorded", file("IN", partner=agency())),
    ("GDP-01", "found", "no clauses", file("IN", partner=agency(has_signed_clauses=False))),
    ("GDP-01", "clear", "", file("IN", partner=agency(has_signed_clauses=True))),
    ("GDP-01", "unknown", "Data Privacy Framework", file("US", partner=agency())),
    ("GDP-01", "clear", "", file("IN", partner=agency(country="FR"))),
    ("GDP-01", "clear", "", file("IN", creditor=Party(name="I", country="IN"), partner=agency())),
    ("GDP-01", "unknown", "own law", file("DE", creditor=Party(name="I", country="IN"), partner=agency())),
    ("SAN-01", "clear", "", file("RU")),
    ("SAN-01", "unknown", "not screened", file(sanctions_asked_on=None)),
    ("SAN-01", "found", "hit", file(is_sanctioned=True)),
    ("CUR-01", "clear", "", file("BG")),
    ("CUR-01", "found", "1.95583", file(of=case("BG", currency="BGN", claims=[claim()]))),
    ("CUR-01", "found", "7.53450", file(of=case("HR", currency="HRK"))),
    ("ADR-01", "not_applicable", "", file("CZ")),
    ("ADR-01", "clear", "", file("CZ", procedure=COURT)),
    ("ADR-01", "found", "seven days", file("CZ", procedure=COURT, letters=())),
    ("ADR-01", "unknown", "not on file", file("CZ", procedure=COURT, letters=None)),
    ("ADR-01", "unknown", "UY", file("UY", procedure=COURT, letters=())),
    ("ECO-01", "not_applicable", "", file()),
    ("ECO-01", "clear", "", file(partner=agency(minimum_amount=Decimal(1000), minimum_currency="EUR"))),
    ("ECO-01", "found", "minimum 1,001", file(partner=agency(minimum_amount=Decimal(1001)))),
    ("ECO-01", "unknown", "USD", file(partner=agency(minimum_amount=Decimal(100), minimum_currency="USD"))),
    ("ECO-01", "found", "expected cost", file(partner=agency(expected_cost=Decimal(1000)))),
    ("ECO-01", "found", "nothing is owed", file(of=case(facts=[PAID]))),
]  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "verdict", "word", "of"), CASES, ids=[f"{n}-{rule}-{verdict}" for n, (rule, verdict, _, _) in enumerate(CASES)]
)
def test_a_rule_finds_clears_and_does_not_guess(rule: str, verdict: str, word: str, of: CaseFacts) -> None:
    answer = judged(of)
    assert answer.verdicts[rule] == verdict, [one.evidence for one in answer.findings if one.id == rule]
    told = [one for one in answer.findings if one.id == rule]
    assert len(told) == (verdict in ("found", "unknown"))
    for one in told:
        assert word in one.evidence and (one.verdict, one.rule_version) == (verdict, answer.rule_version)
        assert one.source and one.fix and one.owner in ("creditor", "operator", "partner") and one.deadline_on


def test_every_rule_is_tried_in_every_way_it_can_end() -> None:
    tried = {(rule, verdict) for rule, verdict, _, _ in CASES}
    ids = {rule.id for rule in rule_book().rules}
    assert ids == set(CHECKS) and len(ids) == 33
    assert {rule for rule, verdict in tried if verdict == "found"} == ids
    assert {rule for rule, verdict in tried if verdict == "clear"} == ids
    always_sayable = {"DOC-04", "CUR-01", "INS-02", "JUR-01"}  # need only what every case has
    assert {rule for rule, verdict in tried if verdict == "unknown"} >= ids - always_sayable


def test_the_rules_are_those_that_were_gathered(shared_data: Path) -> None:
    with (shared_data / "jurisdictions" / "inconsistency_checks.csv").open(encoding="utf-8", newline="") as lines:
        gathered = {row["id"]: row for row in csv.DictReader(lines)}
    book = {rule.id: rule for rule in rule_book().rules}
    assert book.keys() == gathered.keys()
    for rule_id, row in gathered.items():
        rule = book[rule_id]
        assert (rule.category, rule.severity, rule.evidence) == (row["category"], row["severity"], row["verification"])
        assert (rule.severity == "block") == bool(rule.blocks), rule_id


def test_days_of_the_law_come_before_house_days() -> None:
    told = {one.id: one for one in judged(file(of=case("BE", holds=(hold("insolvency"),)))).findings}
    assert told["PAR-03"].deadline_on == dt.date(2026, 7, 1)  # thirty days from 1 June
    settled = judged(file(of=case("BE", holds=(hold("collective_settlement"),)), creditor=Party(name="A", country="FR")))
    assert settled.findings[0].deadline_on == dt.date(2026, 9, 1)  # three months for another Member State
    near = judged(file(of=case("FR", claims=[claim(due="2021-09-01")])))
    assert [(one.id, one.deadline_on, one.severity, one.is_blocking) for one in near.findings] == [
        ("LIM-01", dt.date(2026, 9, 1), "high", False)
    ]


def test_what_is_barred_by_one_nature_only_warns() -> None:
    """A Belgian consumer's goods are lost after a year, other claims after ten: a person must look."""
    told = judged(file(of=case("BE", segment="B2C", claims=[claim(due="2023-05-01")]))).findings[0]
    assert (told.id, told.verdict, told.severity, told.is_blocking) == ("LIM-01", "found", "high", False)
    assert "may last until" in told.evidence
