"""Whatever a case says: a court's format carries every text whole and the court's schema accepts it, or it is refused."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from collecthub.formats.carrying import UnfitCaseError
from collecthub.formats.epu_claim import EpuFormat
from collecthub.formats.epu_schemas import epu_faults
from collecthub.formats.sdt_claim import SdtFormat
from collecthub.formats.xjustiz import XJustizFormat
from collecthub.model.exchange import CaseFile, ClaimItem
from collecthub.model.party import PartyKind
from formats.court_cases import DEMO, ENGLISH, GERMAN, POLISH, particulars, sent
from formats.exchanges import generated

# Texts around the limits: what a court admits, what it does not, and lengths on both sides of 20, 30, 45, 60 and 200.
LETTERS = st.sampled_from("abcXYZ 0189-+.,£@?'()/%_&!:łÓßé#\"<>;*中")
PLAIN = st.sampled_from("abcXYZ 0189-.,'")
LENGTHS = (1, 7, 8, 9, 19, 20, 21, 29, 30, 31, 44, 46, 59, 60, 61, 120, 121, 200, 201)


def texts(alphabet: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    exact = st.sampled_from(LENGTHS).flatmap(lambda size: st.text(alphabet, min_size=size, max_size=size))
    return (exact | st.text(alphabet, min_size=1, max_size=40)).map(lambda text: f"{text.strip()}x")


TEXT = texts(PLAIN) | texts(LETTERS)
AMOUNTS = st.integers(1, 10**9).map(lambda cents: Decimal(cents).scaleb(-2)) | st.just(Decimal("10.005"))
CLAIMS = st.lists(
    st.builds(
        lambda number, amount, due: ClaimItem(
            claim_id=number[:40], invoice_ref=number, issued_on=due - dt.timedelta(days=30), due_on=due,
            original_amount=amount, open_amount=amount,
        ),
        TEXT, AMOUNTS, st.dates(dt.date(2024, 1, 1), dt.date(2026, 6, 1)),
    ),
    min_size=1, max_size=26, unique_by=lambda claim: claim.claim_id,
)  # fmt: skip


@st.composite
def changed(draw: st.DrawFn, file: CaseFile) -> CaseFile:
    """The case with one thing different, so that about half of the cases still fit."""
    debtor = file.debtors[0]
    address = debtor.address
    match draw(st.sampled_from(("number", "name", "lines", "city", "postcode", "country", "debtors", "claims"))):
        case "number":
            return msgspec.structs.replace(file, case_number=draw(TEXT))
        case "name":
            debtor = msgspec.structs.replace(debtor, name=draw(TEXT))
        case "lines":
            lines = tuple(draw(st.lists(TEXT, max_size=5)))
            debtor = msgspec.structs.replace(debtor, address=msgspec.structs.replace(address, lines=lines))
        case "city":
            debtor = msgspec.structs.replace(debtor, address=msgspec.structs.replace(address, city=draw(TEXT)))
        case "postcode":
            code = draw(st.sampled_from(["LS1 4AP", "SW1A2AA", "sw1a 2aa", "00-001", "90001", "10115", "1234", ""]))
            debtor = msgspec.structs.replace(debtor, address=msgspec.structs.replace(address, postcode=code))
        case "country":
            debtor = msgspec.structs.replace(debtor, address=msgspec.structs.replace(address, country="FR"))
        case "debtors":
            return msgspec.structs.replace(file, debtors=(debtor,) * draw(st.integers(1, 6)))
        case "claims":
            claims = tuple(draw(CLAIMS))
            principal = sum((claim.open_amount for claim in claims), Decimal(0))
            return msgspec.structs.replace(file, claims=claims, principal=principal)
    return msgspec.structs.replace(file, debtors=(debtor,))


def written(adapter: Any, file: CaseFile) -> etree._Element | None:
    """The document, or None when the case is refused with reasons; any other error fails the test."""
    try:
        content = adapter.encode(sent(file))
    except UnfitCaseError as refusal:
        assert refusal.objections
        return None
    adapter.carried = getattr(adapter, "carried", 0) + 1  # a property that never applies proves nothing
    return etree.fromstring(content)


def said(root: etree._Element) -> set[str]:
    """Every text and attribute of a document."""
    return {found.text or "" for found in root.iter()} | {str(value) for found in root.iter() for value in found.attrib.values()}


SDT = SdtFormat("mcolClaim").with_particulars(particulars("sdt-claim"))


@generated
@given(changed(ENGLISH))
def an_english_claim_is_whole_or_refused(file: CaseFile) -> None:
    """An accepted one has passed the published schema: `encode` ends with it, and another error would show here."""
    root = written(SDT, file)
    if root is None:
        return
    assert {file.case_number, file.debtors[0].name, *file.debtors[0].address.lines, file.debtors[0].address.city} <= said(root)
    lines = " ".join(found.text or "" for found in root.iter() if etree.QName(found).localname == "particulars")
    assert all(claim.invoice_ref in lines for claim in file.claims)


FIRM = msgspec.structs.replace(
    POLISH, debtors=(msgspec.structs.replace(POLISH.debtors[0], kind=PartyKind.COMPANY),), payment=ENGLISH.payment
)
EPU = EpuFormat().with_particulars(particulars("epu-claim", DEMO))


@generated
@given(file=changed(FIRM))
def a_polish_claim_is_whole_and_accepted_or_refused(shared_data: Path, file: CaseFile) -> None:
    root = written(EPU, file)
    if root is None:
        return
    assert epu_faults(root, shared_data / "formats/epu-poland/xsd") == []
    assert {file.case_number, file.debtors[0].name, *(claim.invoice_ref for claim in file.claims)} <= said(root)


GIVEN = particulars("xjustiz-2600003")
GIVEN["case"].pop("stated_total")
GIVEN["case"]["titles"][0]["interest"] = []
XJUSTIZ = XJustizFormat().with_particulars(GIVEN)


@settings(generated, max_examples=25)
@given(changed(GERMAN))
def a_german_order_is_whole_or_refused_and_its_sum_is_the_sum(file: CaseFile) -> None:
    root = written(XJUSTIZ, file)
    if root is None:
        return
    assert {file.case_number, *file.debtors[0].address.lines, file.debtors[0].address.city} <= said(root)
    total = next(found.text for found in root.iter() if etree.QName(found).localname == "summe.i-iv")
    assert Decimal(total or "0") == file.principal + Decimal("36.00") + Decimal("13.00")


def test_an_english_claim_is_whole_or_refused() -> None:
    an_english_claim_is_whole_or_refused()
    assert SDT.carried > 5  # type: ignore[attr-defined]  # counted above


def test_a_polish_claim_is_whole_and_accepted_or_refused(shared_data: Path) -> None:
    a_polish_claim_is_whole_and_accepted_or_refused(shared_data)
    assert EPU.carried > 5  # type: ignore[attr-defined]  # counted above


def test_a_german_order_is_whole_or_refused_and_its_sum_is_the_sum() -> None:
    a_german_order_is_whole_or_refused_and_its_sum_is_the_sum()
    assert XJUSTIZ.carried > 5  # type: ignore[attr-defined]  # counted above
