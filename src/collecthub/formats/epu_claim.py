"""Case files as a package of claims (`Pozwy`) for the Polish electronic payment-order court."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from collecthub.formats.carrying import Carrier, Objection, case_files, left_behind, read_particulars
from collecthub.formats.epu_acts import read_acts
from collecthub.formats.epu_particulars import (
    CASES_MOST,
    CLAIMS_MOST,
    CURRENCIES,
    DEFENDANTS_MOST,
    PACKAGE_BYTES_MOST,
    RATE_NEEDED,
    TEXT_NEEDED,
    VERSION,
    EpuCase,
    EpuParticulars,
    InterestPeriod,
    PartyDetails,
)
from collecthub.formats.epu_parties import ACCOUNT, PEN, write_court, write_filer, write_party
from collecthub.formats.markup import spelled
from collecthub.model.exchange import CaseFile, ClaimItem, Decoded, Exchange
from collecthub.wire.xml import Element, serialise

FORMAT_ID = "epu-claim"
_CARRIED = frozenset(
    "payment.account creditor.vat_ref creditor.registration_ref debtors.vat_ref debtors.registration_ref".split()
)
_TEXT_MOST, _MARK_MOST = 32_000, 60


class EpuFormat:
    """Writes case files as claims and reads the bailiff's acts that come back."""

    format_id = FORMAT_ID
    media_type = "application/xml"

    def __init__(self, particulars: EpuParticulars | None = None) -> None:
        self._particulars = particulars or EpuParticulars()

    def with_particulars(self, given: Mapping[str, Any]) -> EpuFormat:
        """The same format with court, filer and what the cases need. Raises `ConfigurationError`."""
        return EpuFormat(read_particulars(EpuParticulars, given, FORMAT_ID))

    def objections(self, case_file: CaseFile) -> tuple[Objection, ...]:
        """Everything that keeps one case file from being written; empty when it can be."""
        carrier = Carrier(FORMAT_ID, case_file.case_number)
        _claim_document(PEN.root("Pozwy"), case_file, 1, self._particulars, carrier)
        return carrier.objections

    def left_behind(self, exchange: Exchange) -> tuple[Objection, ...]:
        """What the case files hold and this document has no place for."""
        return left_behind(exchange, _CARRIED)

    def encode(self, exchange: Exchange) -> bytes:
        """The package. Raises `UnfitCaseError` with every reason, also when it is larger than the court takes."""
        files = case_files(exchange, FORMAT_ID, CASES_MOST)
        carrier = Carrier(FORMAT_ID, files[0].case_number if len(files) == 1 else exchange.exchange_id)
        mark = self._particulars.package or exchange.exchange_id
        carrier.text(mark, "particulars.package", "Pozwy/@OznaczeniePaczki", most=_MARK_MOST)
        root = PEN.root("Pozwy", OznaczeniePaczki=mark)
        for number, case_file in enumerate(files, 1):
            carrier.within(f"messages[{number - 1}]" if len(files) > 1 else "")
            _claim_document(root, case_file, number, self._particulars, carrier)
        carrier.within("")
        content = serialise(root)
        limit = f"makes a package of {len(content)} bytes, at most {PACKAGE_BYTES_MOST} are taken"
        carrier.check(len(content) <= PACKAGE_BYTES_MOST, "messages", limit, "Pozwy")
        carrier.refuse_if_unfit()
        return content

    def decode(self, content: bytes) -> Decoded:
        """The bailiff's acts. Raises `QuarantineError` (`xml.*`, `epu.unknown`)."""
        return read_acts(content, self._particulars.signatures)


def _claim_document(
    root: Element, case_file: CaseFile, number: int, given: EpuParticulars, carrier: Carrier
) -> None:
    """`PozewEPU` in the order of the schema."""
    case = given.of(case_file.case_number)
    carrier.something_open(case_file)
    filed_on = given.filed_on
    carrier.check(filed_on is not None, "particulars.filed_on", "is missing", "PozewEPU/@dataZlozenia")
    document = PEN.add(root, "PozewEPU", ID=str(number), version=VERSION, dataZlozenia=spelled(filed_on or ""))
    write_court(document, "Adresat", given.court, "particulars.court", carrier)
    if case.competent_court is not None:
        write_court(document, "SadWlasciwy", case.competent_court, "particulars.case.competent_court", carrier)
    write_filer(document, given.filer, carrier)
    _parties(document, case_file, case, carrier)
    reference = carrier.text(case_file.case_number, "case_number", "SprawaWgPowoda", most=_MARK_MOST)
    PEN.add(document, "SprawaWgPowoda", reference)
    _costs(document, case_file, case, carrier)
    _refund(document, given, carrier)
    _claims(document, case_file, case, carrier)
    reasons = carrier.text(case.reasons, "particulars.case.reasons", "Uzasadnienie", most=_TEXT_MOST)
    PEN.add(document, "Uzasadnienie", reasons)
    limit = "have no place in a claim; move them to particulars.case.reasons"
    carrier.check(not case_file.remarks, "remarks", limit)


def _parties(document: Element, case_file: CaseFile, case: EpuCase, carrier: Carrier) -> None:
    claimants = PEN.add(document, "ListaPowodow")
    account = case_file.payment.account
    write_party(claimants, "Powod", 1, case_file.creditor, case.claimant, account, "creditor", carrier)
    count = len(case_file.debtors)
    limit = f"are {count}, at most {DEFENDANTS_MOST} can be sued at once"
    carrier.check(count <= DEFENDANTS_MOST, "debtors", limit, "ListaPozwanych")
    defendants = PEN.add(document, "ListaPozwanych")
    for place, debtor in enumerate(case_file.debtors[:DEFENDANTS_MOST]):
        details = case.defendants[place] if place < len(case.defendants) else PartyDetails()
        write_party(defendants, "Pozwany", place + 1, debtor, details, "", f"debtors[{place}]", carrier)


def _costs(document: Element, case_file: CaseFile, case: EpuCase, carrier: Carrier) -> None:
    """Value, court fee and costs. The value is in zloty; another currency needs its value from a person."""
    is_zloty = case_file.currency == "PLN"
    value = case_file.principal if is_zloty else case.value_pln
    element = "particulars.case.value_pln"
    carrier.check(value is not None, element, f"is missing: the claims are in {case_file.currency}", "WartoscSporu")
    PEN.add(document, "WartoscSporu", value or Decimal(0))
    carrier.check(case.court_fee is not None, "particulars.case.court_fee", "is missing", "OplataSadowa/@wartosc")
    fee = {"wartosc": spelled(case.court_fee or Decimal(0)), "zwolnienie": "0", "zasadzenie": "1"}
    if case.fee_transaction is not None:
        fee["identyfikator"] = str(case.fee_transaction)
    PEN.add(document, "OplataSadowa", **fee)
    PEN.add(document, "KosztyZastepstwa", **_cost(case.representation_costs, "representation_costs", carrier))
    if case.other_costs is not None:
        PEN.add(document, "InneKoszty", **_cost(case.other_costs, "other_costs", carrier))


def _cost(amount: Decimal | None, name: str, carrier: Carrier) -> dict[str, str]:
    """`typKoszty`: an amount of at most ten digits, two of them decimals; without one the statutory norms hold."""
    if amount is None:
        return {"wartosc": "0.00", "zasadzenie": "1", "wgNorm": "1"}
    is_fit = amount >= 0 and amount == amount.quantize(Decimal("0.01")) and amount < Decimal(10) ** 8
    limit = "is not a positive amount of at most 8 digits and 2 decimals"
    carrier.check(is_fit, f"particulars.case.{name}", limit, "@wartosc")
    return {"wartosc": spelled(amount), "zasadzenie": "1", "wgNorm": "0"}


def _refund(document: Element, given: EpuParticulars, carrier: Carrier) -> None:
    box = PEN.add(document, "RachunekDoZwrotuOplat")
    number = carrier.text(
        given.refund_account.replace(" ", ""), "particulars.refund_account", "NumerRachunkuDoZwrotuOplat", most=26,
        pattern=ACCOUNT, words="a Polish account of 26 digits",
    )  # fmt: skip
    PEN.add(box, "NumerRachunkuDoZwrotuOplat", number)
    owner = carrier.text(given.refund_owner, "particulars.refund_owner", "WlascicielRachunku", most=150, least=2)
    PEN.add(box, "WlascicielRachunku", owner)


def _claims(document: Element, case_file: CaseFile, case: EpuCase, carrier: Carrier) -> None:
    """Claims and their evidence: every invoice is one claim and proves itself under the same number."""
    carrier.only(case_file.currency, CURRENCIES, "currency", "Roszczenie/@waluta")
    count = len(case_file.claims)
    limit = f"are {count}, at most {CLAIMS_MOST} can carry their evidence"
    carrier.check(count <= CLAIMS_MOST, "claims", limit, "ListaDowodow/Dowod/@numer")
    limit = "is not tied to one claim; the court sees claims alone: allocate it first"
    carrier.check(case_file.credits == 0, "credits", limit, "ListaRoszczen")
    claims = PEN.add(document, "ListaRoszczen")
    for number, claim in enumerate(case_file.claims, 1):
        _claim(claims, claim, number, case_file, case, carrier)
    evidence = PEN.add(document, "ListaDowodow")
    for number, claim in enumerate(case_file.claims, 1):
        _evidence(evidence, claim, number, case, carrier)


def _claim(
    claims: Element, claim: ClaimItem, number: int, case_file: CaseFile, case: EpuCase, carrier: Carrier
) -> None:
    told = claim.description or f"Faktura {claim.invoice_ref}"
    item = PEN.add(
        claims, "Roszczenie", numer=str(number), wartosc=spelled(claim.open_amount), waluta=case_file.currency,
        opis=told, odsetki="1" if case.interest else "0", solidarnie=str(case.joint_liability),
        typ="1" if case.is_business else "0", dataWymagalnosci=spelled(claim.due_on),
    )  # fmt: skip
    carrier.check(0 <= case.joint_liability <= 4, "particulars.case.joint_liability", "is not one of 0 to 4")
    if case.interest:
        box = PEN.add(item, "Odsetki")
        for place, period in enumerate(case.interest):
            _period(box, period, claim, f"particulars.case.interest[{place}]", carrier)
    proofs = PEN.add(item, "Dowody")
    PEN.add(proofs, "Dowod", number)


def _period(box: Element, period: InterestPeriod, claim: ClaimItem, element: str, carrier: Carrier) -> None:
    target = "OkresOdsetkowy"
    from_on = period.from_on or claim.due_on + dt.timedelta(days=1)
    carrier.check(0 <= period.kind <= TEXT_NEEDED, f"{element}.kind", "is not one of 0 to 18", f"{target}/@czyUstawowe")
    has_rate = period.percent is not None and period.per is not None and 0 <= period.per <= 4
    limit = "and per are needed for this kind"
    carrier.check(period.kind != RATE_NEEDED or has_rate, f"{element}.percent", limit, f"{target}/@stopa")
    is_told = bool(period.text) == (period.kind == TEXT_NEEDED) and len(period.text) <= 10_000
    carrier.check(is_told, f"{element}.text", "goes with kind 18 alone, at most 10000 characters", f"{target}/Opis")
    is_ordered = period.to_on is None or period.to_on >= from_on
    carrier.check(is_ordered, f"{element}.to_on", "is before the period begins", f"{target}/@dataDo")
    parts: dict[str, object] = {
        "dataOd": from_on, "dataDo": period.to_on, "czyUstawowe": period.kind, "stopa": period.percent,
        "okres": period.per,
    }  # fmt: skip
    item = PEN.add(box, target, **{name: spelled(value) for name, value in parts.items() if value is not None})
    PEN.optional(item, "Opis", period.text)


def _evidence(evidence: Element, claim: ClaimItem, number: int, case: EpuCase, carrier: Carrier) -> None:
    element, target = f"claims[{number - 1}].invoice_ref", "Dowod/@oznaczenie"
    name = carrier.text(claim.invoice_ref, element, target, most=120)
    parts = {"numer": str(number), "typDowodu": "faktura", "oznaczenie": name}
    if claim.issued_on is not None:
        parts["dataDowodu"] = spelled(claim.issued_on)
    item = PEN.add(evidence, "Dowod", **parts)
    PEN.optional(item, "FaktStwierdzany", case.proves)
