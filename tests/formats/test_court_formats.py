"""Case files as courts take them: the published schemas and hand-counted sums decide, and a refusal names everything."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from lxml import etree

from collecthub.errors import ConfigurationError, PermanentError
from collecthub.formats import plugin
from collecthub.formats.business_rules import RuleBook
from collecthub.formats.carrying import UnfitCaseError
from collecthub.formats.epu_claim import EpuFormat
from collecthub.formats.epu_schemas import epu_faults
from collecthub.formats.sdt_claim import SdtFormat
from collecthub.formats.verdict import judge
from collecthub.formats.xjustiz import XJustizFormat
from collecthub.model.exchange import CaseFile, Exchange, TitleItem
from collecthub.model.party import Address, Party, PartyKind
from collecthub.wire.xml import parse
from formats.court_cases import (
    CASE_ID,
    DEMO,
    ENGLISH,
    GERMAN,
    MESSAGE_ID,
    POLISH,
    altered,
    debtor_with,
    particulars,
    sent,
)
from formats.exchanges import exchange, payment

ADAPTERS: dict[str, Callable[[], Any]] = {
    "sdt-claim": lambda: SdtFormat("mcolClaim"),
    "sdt-warrant": lambda: SdtFormat("mcolWarrant"),
    "epu-claim": EpuFormat,
    "xjustiz-2600003": XJustizFormat,
}
CASES = {"sdt-claim": ENGLISH, "sdt-warrant": ENGLISH, "epu-claim": POLISH, "xjustiz-2600003": GERMAN}


def written(name: str, file: CaseFile | None = None) -> etree._Element:
    adapter = ADAPTERS[name]().with_particulars(particulars(name))
    return etree.fromstring(adapter.encode(sent(file or CASES[name])))


def texts(root: etree._Element, name: str) -> list[str]:
    """The texts of every element with this local name, in order; lxml alone reads here."""
    return [found.text or "" for found in root.iter() if etree.QName(found).localname == name]


def refusal(name: str, exchange: Exchange, given: dict[str, Any] | None = None) -> dict[str, str]:
    """Element and limit of every reason why an adapter refuses."""
    adapter = ADAPTERS[name]().with_particulars(particulars(name) if given is None else given)
    with pytest.raises(UnfitCaseError) as caught:
        adapter.encode(exchange)
    assert all(objection.sentence() in caught.value.message for objection in caught.value.objections)
    return {objection.element: objection.limit for objection in caught.value.objections}


# --- what is written --------------------------------------------------------------------------------------------------


def xsd(folder: Path, path: str) -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(folder / path))


@pytest.mark.parametrize("name", ["sdt-claim", "sdt-warrant"])
def test_an_sdt_request_is_what_the_published_schema_accepts(name: str, shared_data: Path) -> None:
    schema = xsd(shared_data / "formats/hmcts-sdt/xsd/BulkRequestResponse", "BulkSubmitRequest.xsd")
    assert schema.validate(written(name)), schema.error_log


def test_three_cases_become_one_bulk_request(shared_data: Path) -> None:
    files = [altered(ENGLISH, case_id=f"{number:032x}", message_id=f"{number + 9:032x}") for number in range(3)]
    adapter = SdtFormat("mcolClaim").with_particulars(particulars("sdt-claim"))
    root = etree.fromstring(adapter.encode(sent(*files)))
    schema = xsd(shared_data / "formats/hmcts-sdt/xsd/BulkRequestResponse", "BulkSubmitRequest.xsd")
    assert schema.validate(root), schema.error_log
    assert texts(root, "requestCount") == ["3"]
    identifiers = [request.get("requestId") or "" for request in root.iter() if etree.QName(request).localname == "request"]
    assert len(set(identifiers)) == 3
    assert {len(identifier) for identifier in identifiers} == {24}


def test_sdt_money_is_whole_pence_and_the_daily_interest_is_derived() -> None:
    """500.00 at 8 % a year: 500 x 0.08 / 365 = 0.10958..., which is 11p a day."""
    root = written("sdt-claim")
    assert texts(root, "claimAmount") == texts(root, "claimAmountInterestBase") == ["50000"]
    assert (texts(root, "dailyAmount"), texts(root, "solicitorCost")) == (["11"], ["5000"])
    assert texts(root, "particulars") == [
        "Invoice 2026-0001 due 01/03/2026 £100.00", "Invoice 2026-0002 due 02/03/2026 £400.00",
    ]  # fmt: skip
    warrant = written("sdt-warrant")
    assert (texts(warrant, "balanceOfDebt"), texts(warrant, "warrantAmount")) == (["50000"], ["50000"])


def test_a_polish_package_is_what_the_courts_schema_accepts(shared_data: Path) -> None:
    assert epu_faults(written("epu-claim"), shared_data / "formats/epu-poland/xsd") == []


def test_a_polish_claim_says_value_claims_interest_and_evidence() -> None:
    root = written("epu-claim")
    assert texts(root, "WartoscSporu") == ["500.00"]
    claims = [found for found in root.iter() if etree.QName(found).localname == "Roszczenie"]
    assert [(claim.get("wartosc"), claim.get("dataWymagalnosci")) for claim in claims] == [
        ("100.00", "2026-03-01"), ("400.00", "2026-03-02"),
    ]  # fmt: skip
    periods = [found for found in root.iter() if etree.QName(found).localname == "OkresOdsetkowy"]
    assert [(period.get("dataOd"), period.get("czyUstawowe")) for period in periods] == [
        ("2026-03-02", "15"), ("2026-03-03", "15"),
    ]  # fmt: skip
    streets = [found.get("ulica") for found in root.iter() if etree.QName(found).localname == "Adres"]
    assert streets == ["Rynek", "ul. Przemysłowa", "ul. Długa"]
    assert texts(root, "KRS") == ["0000012345"]


def test_the_courts_own_schemas_compile_only_corrected_and_refuse_its_own_sample(shared_data: Path) -> None:
    """Eight findings, as the folder's README counted them with another program."""
    folder = shared_data / "formats/epu-poland"
    sample = parse((folder / "samples/PrzykladowaPaczkaPozwow.xml").read_bytes())
    faults = epu_faults(sample, folder / "xsd")
    assert len(faults) == 8
    assert all(fault.line > 2 and fault.path.startswith("/Pozwy/PozewEPU") for fault in faults)


def test_a_german_order_is_what_the_published_schema_accepts(shared_data: Path) -> None:
    schema = xsd(shared_data / "formats/xjustiz-3.6.2/xsd", "xjustiz_2600_zwangsvollstreckung_3_4.xsd")
    assert schema.validate(written("xjustiz-2600003")), schema.error_log


def test_a_german_order_keeps_the_published_business_rules(shared_data: Path) -> None:
    """And the rules do speak: without the salutation and with another event they object."""
    root = written("xjustiz-2600003")
    book = RuleBook(shared_data / "formats/xjustiz-3.6.2/schematron/xjustiz.zvstr_1_3.sch")
    assert list(book.findings(root)) == []
    for name, value in (("anrede.freitext", None), ("ereignis", "999")):
        for found in [part for part in root.iter() if etree.QName(part).localname == name]:
            if value is None:
                found.getparent().remove(found)  # type: ignore[union-attr]  # it has a parent
            else:
                found[0].text = value
    assert {finding.rule for finding in book.findings(root)} == {"SCH-ZVSTR-071", "SCH-ZVSTR-0310"}


def test_a_german_order_sums_up_parts_i_to_iv() -> None:
    """100.00 + 3.37 accrued interest + 400.00, 36.00 titled costs, 13.00 enforcement costs."""
    root = written("xjustiz-2600003")
    assert texts(root, "summe.i-iv") == ["552.37"]
    assert Decimal("552.37") == Decimal("100.00") + Decimal("3.37") + Decimal("400.00") + Decimal("36.00") + Decimal("13.00")
    assert texts(root, "hauptforderung.inEuro") == ["100.00", "450.00"]
    assert texts(root, "restforderung.inEuro") == ["400.00"]
    assert texts(root, "zinsbeginndatum") == ["2026-03-02", "2026-06-16", "2026-06-16"]
    assert texts(root, "iban") == ["DE02120300000000202051"]
    assert texts(root, "eigeneNachrichtenID") == ["0197a3c4-d5e6-f708-1920-a1b2c3d4e5f7"]
    assert texts(root, "prozessID") == ["0197a3c4-d5e6-f708-1920-a1b2c3d4e5f6"]


def test_loose_credits_of_a_german_order_lower_its_sum() -> None:
    file = altered(GERMAN, principal=Decimal("490.00"), credits=Decimal("10.00"))
    given = particulars("xjustiz-2600003")
    given["case"]["stated_total"] = "542.37"
    root = etree.fromstring(XJustizFormat().with_particulars(given).encode(sent(file)))
    assert (texts(root, "freieEingabe.wert"), texts(root, "summe.i-iv")) == (["-10.00"], ["542.37"])
    assert refusal("xjustiz-2600003", sent(file)) == {
        "particulars.case.stated_total": "is 552.37, the parts sum up to 542.37"
    }


BELGIAN = Party(name="Meridiaan Technics NV", country="BE", address=Address(country="BE"))
ABROAD = {"sdt-claim": ENGLISH, "epu-claim": POLISH, "xjustiz-2600003": GERMAN}


@pytest.mark.parametrize("name", list(ABROAD))
def test_a_creditor_abroad_is_carried_with_the_demos_particulars(name: str, shared_data: Path) -> None:
    """As the demo's creditor: Belgian, no address, a Belgian account, a company as debtor."""
    file = ABROAD[name]
    company = msgspec.structs.replace(file.debtors[0], kind=PartyKind.COMPANY)
    account = msgspec.structs.replace(file.payment, account="BE68539007547034")
    adapter = ADAPTERS[name]().with_particulars(particulars(name, DEMO))
    root = etree.fromstring(adapter.encode(sent(altered(file, creditor=BELGIAN, debtors=(company,), payment=account))))
    if name == "epu-claim":
        assert epu_faults(root, shared_data / "formats/epu-poland/xsd") == []
    else:
        assert judge(etree.tostring(root)).findings == ()


def test_the_same_case_is_written_the_same_twice() -> None:
    for name in ADAPTERS:
        assert etree.tostring(written(name)) == etree.tostring(written(name))


# --- what is refused --------------------------------------------------------------------------------------------------

LONG = "x" * 61
REFUSED: dict[str, tuple[str, CaseFile, dict[str, str]]] = {
    "another currency": ("sdt-claim", altered(ENGLISH, currency="EUR"), {"currency": "only GBP can be written"}),
    "a fraction of a penny": (
        "sdt-claim", altered(ENGLISH, principal=Decimal("500.005")), {"principal": "whole minor units"},
    ),
    "a long name": ("sdt-claim", debtor_with(ENGLISH, name=LONG), {"debtors[0].name": "61 characters, at most 60"}),
    "a foreign script": ("sdt-claim", debtor_with(ENGLISH, name="Łukasz Ltd"), {"debtors[0].name": "letters A-Z"}),
    "a third debtor": (
        "sdt-claim", altered(ENGLISH, debtors=ENGLISH.debtors * 3), {"debtors": "are 3, at most 2"},
    ),
    "five address lines": (
        "sdt-claim",
        debtor_with(ENGLISH, address=Address(lines=("a", "b", "c", "d"), city="e", postcode="SW1A 2AA", country="GB")),
        {"debtors[0].address": "has 5 lines with the town, 2 to 4 fit"},
    ),
    "a postcode that cannot be": (
        "sdt-claim",
        debtor_with(ENGLISH, address=Address(lines=("a",), city="e", postcode="SW1A 2OK", country="GB")),
        {"debtors[0].address.postcode": "British postcode"},
    ),
    "25 invoices": (
        "sdt-claim", altered(ENGLISH, claims=ENGLISH.claims * 13), {"claims": "fill 26 lines, at most 24 fit"},
    ),
    "remarks": ("sdt-claim", altered(ENGLISH, remarks="Dog in the yard"), {"remarks": "have no place in a claim"}),
    "six defendants": (
        "epu-claim", altered(POLISH, debtors=POLISH.debtors * 6), {"debtors": "are 6, at most 5"},
    ),
    "a currency that the court does not list": (
        "epu-claim", altered(POLISH, currency="UAH"),
        {"currency": "only PLN", "particulars.case.value_pln": "is missing"},
    ),
    "loose credits": (
        "epu-claim", altered(POLISH, principal=Decimal(490), credits=Decimal(10)), {"credits": "not tied to one claim"},
    ),
    "an address that does not part": (
        "epu-claim",
        debtor_with(POLISH, address=Address(lines=("Kwatera główna",), city="X", postcode="00-001", country="PL")),
        {"debtors[0].address": "does not part into street, house and flat"},
    ),
    "a debtor abroad": (
        "epu-claim",
        debtor_with(POLISH, country="DE", address=Address(lines=("Weg 5",), city="X", postcode="10115", country="DE")),
        {"debtors[0].address.country": "only PL"},
    ),
    "another currency in Germany": ("xjustiz-2600003", altered(GERMAN, currency="CHF"), {"currency": "only EUR"}),
    "two German debtors": (
        "xjustiz-2600003", altered(GERMAN, debtors=GERMAN.debtors * 2), {"debtors": "are 2, an order names one"},
    ),
    "a script that DIN 91379 lacks": (
        "xjustiz-2600003", altered(GERMAN, creditor=GERMAN.creditor.__class__(
            name="中国公司", address=GERMAN.creditor.address,
        )), {"creditor.name": "does not admit here"},
    ),
    "no IBAN": (
        "xjustiz-2600003",
        altered(GERMAN, payment=GERMAN.payment.__class__(payee="Weberei", account="12345")),
        {"payment.account": "is not an IBAN"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("why", REFUSED)
def test_what_a_format_cannot_carry_is_named_by_element_and_limit(why: str) -> None:
    name, file, expected = REFUSED[why]
    found = refusal(name, sent(file))
    for element, limit in expected.items():
        assert limit in found.get(element, ""), found


def test_without_particulars_every_missing_piece_is_named_at_once() -> None:
    assert set(refusal("sdt-claim", sent(ENGLISH), {})) == {"particulars.sdt_customer_id", "particulars.signatory"}
    polish = set(refusal("epu-claim", sent(POLISH), {}))
    assert {f"particulars.{name}" for name in ("filed_on", "court", "filer", "refund_account", "refund_owner")} <= polish
    assert {f"particulars.case.{name}" for name in ("court_fee", "reasons", "defendants[0].family_name")} <= polish
    german = set(refusal("xjustiz-2600003", sent(GERMAN), {}))
    assert {f"particulars.{name}" for name in ("office", "subject", "event_version", "ordered_on")} <= german
    assert {f"particulars.case.{name}" for name in ("titles", "orders", "creditor", "debtors[0]")} <= german


@pytest.mark.parametrize("name", list(ADAPTERS))
def test_a_case_in_which_nothing_is_open_is_not_taken_to_court(name: str) -> None:
    paid = altered(CASES[name], claims=(), principal=Decimal(0))
    assert "there is nothing to ask" in refusal(name, sent(paid))["principal"]


def test_a_batch_names_the_message_of_each_reason() -> None:
    bad = debtor_with(altered(ENGLISH, case_id="1" * 32, message_id="2" * 32), name=LONG)
    found = refusal("sdt-claim", sent(ENGLISH, bad))
    assert list(found) == ["messages[1].debtors[0].name"]


def test_a_claim_must_be_covered_by_one_title() -> None:
    given = particulars("xjustiz-2600003")
    given["case"]["titles"][0]["claim_ids"] = ["claim-1"]
    given["case"].pop("stated_total")
    assert refusal("xjustiz-2600003", sent(GERMAN), given) == {"claims[1]": "is covered by 0 titles, must be by one"}


@pytest.mark.parametrize(
    ("name", "change", "field"),
    [
        ("sdt-claim", {"signatury": "Jane"}, "signatury"),
        ("epu-claim", {"court": {"name": "x"}}, "division"),
        ("xjustiz-2600003", {"ordered_on": "soon"}, "ordered_on"),
    ],
)
def test_a_slip_in_the_particulars_is_named(name: str, change: dict[str, Any], field: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        ADAPTERS[name]().with_particulars(particulars(name) | change)
    assert field in caught.value.message


def test_only_case_files_are_carried() -> None:
    for adapter in ADAPTERS.values():
        with pytest.raises(PermanentError, match="PaymentReport"):
            adapter().encode(exchange(payment()))


def test_what_stays_behind_is_said() -> None:
    left = {one.element for one in SdtFormat("mcolClaim").left_behind(sent(altered(GERMAN, dunning_level=3)))}
    assert {"dunning_level", "debtors.contacts", "payment.account", "creditor.vat_ref"} <= left
    german = {one.element for one in XJustizFormat().left_behind(sent(altered(GERMAN, dunning_level=3)))}
    assert german == {"dunning_level", "language"}


def test_the_hub_finds_the_formats_by_their_id() -> None:
    found = {one.format_id for one in plugin.register_case_formats()}
    assert {*ADAPTERS, "html", "pdf"} <= found


def test_ids_lead_back_to_the_case() -> None:
    from collecthub.formats.sdt_particulars import case_of_request, request_id

    assert case_of_request(request_id(CASE_ID, MESSAGE_ID)) == CASE_ID
    assert request_id(CASE_ID, MESSAGE_ID) != request_id(CASE_ID, "another")
    assert case_of_request("USER_REQUEST_ID_BF1") == ""


def test_a_title_of_the_case_is_carried_when_the_particulars_know_it() -> None:
    """A German order needs more of a title than a case file says; one that the particulars do not name is told."""
    adapter = XJustizFormat().with_particulars(particulars("xjustiz-2600003"))
    for number, is_left in (("26-1234567-0-1", False), ("26-7654321-0-1", True)):
        title = TitleItem(kind="payment_order", authority="AG Hagen", file_ref=number, dated_on=dt.date(2026, 4, 1))
        left = {one.element for one in adapter.left_behind(sent(altered(GERMAN, titles=(title,))))}
        assert ("titles" in left) is is_left
