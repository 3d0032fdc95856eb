"""Case files as an HMCTS SDT bulk request: county court claims (`sdt-claim`) and warrants (`sdt-warrant`).

England and Wales alone: pounds, one or two defendants with a British postcode. One claim or warrant per case file,
1 to 2000 in a request.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from collecthub.formats.bundled_schemas import refuse_invalid
from collecthub.formats.carrying import (
    Carrier,
    Objection,
    address_rows,
    case_files,
    left_behind,
    read_particulars,
)
from collecthub.formats.markup import Markup
from collecthub.formats.sdt_particulars import (
    ANY_POSTCODE,
    BASE,
    BULK,
    CASES_MOST,
    CLAIM,
    CUSTOMER_REFERENCE,
    WARRANT,
    Interest,
    SdtCase,
    SdtParticulars,
    request_id,
    sdt_rows,
    sdt_text,
    uk_postcode,
)
from collecthub.formats.sdt_replies import read_reply
from collecthub.model.exchange import CaseFile, Decoded, Exchange
from collecthub.model.party import Party
from collecthub.wire.xml import Element, serialise

_BULK, _BASE = Markup(BULK, "bul"), Markup(BASE, "base")
_CLAIM, _WARRANT = Markup(CLAIM, "clm"), Markup(WARRANT, "wnt")
_PREFIXES = {"base": BASE, "clm": CLAIM, "wnt": WARRANT}
_PENNY_LINES_MOST, _PENNY_LINE_CHARS = 24, 45
_CARRIED: frozenset[str] = frozenset()
_DAYS = Decimal(36500)  # per cent and days of a year


class SdtFormat:
    """Writes case files as bulk requests of one kind and reads what SDT answers."""

    media_type = "application/xml"

    def __init__(self, request_type: str, particulars: SdtParticulars | None = None) -> None:
        self._request_type = request_type
        self._particulars = particulars or SdtParticulars()
        self._write = _WRITERS[request_type]
        self.format_id = FORMAT_IDS[request_type]

    def with_particulars(self, given: Mapping[str, Any]) -> SdtFormat:
        """The same format with the customer's registration and what the cases need. Raises `ConfigurationError`."""
        return SdtFormat(self._request_type, read_particulars(SdtParticulars, given, self.format_id))

    def objections(self, case_file: CaseFile) -> tuple[Objection, ...]:
        """Everything that keeps one case file from being written; empty when it can be."""
        carrier = Carrier(self.format_id, case_file.case_number)
        self._request(case_file, carrier)
        return carrier.objections

    def left_behind(self, exchange: Exchange) -> tuple[Objection, ...]:
        """What the case files hold and this document has no place for."""
        return left_behind(exchange, _CARRIED)

    def encode(self, exchange: Exchange) -> bytes:
        """The bulk request. Raises `UnfitCaseError` with every reason of every case that does not fit."""
        files = case_files(exchange, self.format_id, CASES_MOST)
        carrier = Carrier(self.format_id, files[0].case_number if len(files) == 1 else exchange.exchange_id)
        root = _BULK.root("bulkRequest", _PREFIXES)
        self._header(root, exchange, len(files), carrier)
        requests = _BULK.add(root, "requests")
        for number, case_file in enumerate(files):
            carrier.within(f"messages[{number}]" if len(files) > 1 else "")
            requests.append(self._request(case_file, carrier))
        carrier.refuse_if_unfit()
        refuse_invalid(root, self.format_id, exchange.exchange_id)
        return serialise(root)

    def decode(self, content: bytes) -> Decoded:
        """What SDT answered. Raises `QuarantineError` (`xml.*`, `sdt.*`)."""
        return read_reply(content)

    def _header(self, root: Element, exchange: Exchange, count: int, carrier: Carrier) -> None:
        given, reference = self._particulars, exchange.exchange_id
        carrier.text(
            given.sdt_customer_id, "particulars.sdt_customer_id", "header/sdtCustomerId", most=8,
            pattern="[1-9][0-9]{7}", words="eight digits that do not begin with 0",
        )  # fmt: skip
        sdt_text(carrier, given.target_application_id, "particulars.target_application_id", "targetApplicationId", 4)
        carrier.text(
            reference, "exchange_id", "header/customerReference", most=32, pattern=CUSTOMER_REFERENCE,
            words="letters, digits, - and _",
        )  # fmt: skip
        header = _BULK.add(root, "header")
        _BULK.add(header, "sdtCustomerId", given.sdt_customer_id)
        _BULK.add(header, "targetApplicationId", given.target_application_id)
        _BULK.add(header, "requestCount", count)
        _BULK.add(header, "customerReference", reference)

    def _request(self, case_file: CaseFile, carrier: Carrier) -> Element:
        identifier = request_id(case_file.case_id, case_file.message_id)
        carrier.check(bool(identifier), "case_id", "is not 32 hex digits", "request/@requestId")
        carrier.only(case_file.currency, ("GBP",), "currency")
        carrier.something_open(case_file)
        request = _BULK.root("request", requestType=self._request_type, requestId=identifier)
        request.append(self._write(case_file, self._particulars, carrier))
        return request


# --- a claim ------------------------------------------------------------------------------------------------------


def _claim(case_file: CaseFile, given: SdtParticulars, carrier: Carrier) -> Element:
    case = given.of(case_file.case_number)
    claim = _BULK.root("mcolClaim")
    reference = sdt_text(carrier, case_file.case_number, "case_number", "claimantReference", 24)
    _CLAIM.add(claim, "claimantReference", reference)
    if given.with_claimant:
        _claimant(claim, case_file.creditor, carrier)
    _correspondence(claim, given, carrier)
    carrier.check(len(case_file.debtors) <= 2, "debtors", f"are {len(case_file.debtors)}, at most 2 can be sued at once")
    for number, debtor in enumerate(case_file.debtors[:2], 1):
        _defendant(claim, debtor, number, carrier)
    _CLAIM.add(claim, "sendParticularsSeparately", case.send_particulars_separately)
    _CLAIM.add(claim, "reserveRightToClaimInterest", case.reserve_interest)
    if case.interest is not None:
        _interest(claim, case.interest, case_file, carrier)
    _CLAIM.add(claim, "claimAmount", carrier.minor(case_file.principal, "GBP", "principal", "claimAmount"))
    _costs(_CLAIM, claim, case, carrier)
    for line in _lines(case_file, case, carrier):
        _CLAIM.add(claim, "particulars", line)
    _unsaid(case_file, carrier)
    _signature(_CLAIM, claim, given, carrier)
    return claim


def _claimant(claim: Element, creditor: Party, carrier: Carrier) -> None:
    claimant = _CLAIM.add(claim, "claimant")
    _CLAIM.add(claimant, "name", sdt_text(carrier, creditor.name, "creditor.name", "claimant/name", 60))
    address = _CLAIM.add(claimant, "address")
    rows = sdt_rows(carrier, address_rows(creditor.address), "creditor.address", "claimant/address")
    for number, row in enumerate(rows, 1):
        _CLAIM.add(address, f"line{number}", row)
    if creditor.address.postcode:
        postcode = carrier.text(
            creditor.address.postcode, "creditor.address.postcode", "claimant/address/postcode", most=8,
            pattern=ANY_POSTCODE, words="letters, digits and spaces",
        )  # fmt: skip
        _CLAIM.add(address, "postcode", postcode)


def _correspondence(claim: Element, given: SdtParticulars, carrier: Carrier) -> None:
    told = given.correspondence
    if told is None:
        return
    box = _CLAIM.add(claim, "claimantCorrespondence")
    path, target = "particulars.correspondence", "claimantCorrespondence"
    _CLAIM.add(box, "name", sdt_text(carrier, told.name, f"{path}.name", f"{target}/name", 30))
    address = _CLAIM.add(box, "address")
    for name, row in (("line1", told.line1), ("line2", told.line2)):
        _CLAIM.add(address, name, sdt_text(carrier, row, f"{path}.{name}", f"{target}/address/{name}", 30))
    if told.postcode:
        carrier.text(
            told.postcode, f"{path}.postcode", f"{target}/address/postcode", most=8, pattern=ANY_POSTCODE,
            words="letters, digits and spaces",
        )  # fmt: skip
        _CLAIM.add(address, "postcode", told.postcode)


def _defendant(claim: Element, debtor: Party, number: int, carrier: Carrier) -> None:
    element, target = f"debtors[{number - 1}]", f"defendant{number}"
    box = _CLAIM.add(claim, target)
    _CLAIM.add(box, "name", sdt_text(carrier, debtor.name, f"{element}.name", f"{target}/name", 60))
    _address(_CLAIM.add(box, "address"), debtor, element, target, carrier)


def _address(address: Element, debtor: Party, element: str, target: str, carrier: Carrier) -> None:
    country = debtor.address.country or debtor.country
    carrier.only(country, ("GB",), f"{element}.address.country", target)
    rows = sdt_rows(carrier, address_rows(debtor.address), f"{element}.address", f"{target}/address")
    for row_number, row in enumerate(rows, 1):
        _BASE.add(address, f"line{row_number}", row)
    _BASE.add(address, "postcode", uk_postcode(carrier, debtor.address, f"{element}.address", f"{target}/address"))


def _interest(claim: Element, terms: Interest, case_file: CaseFile, carrier: Carrier) -> None:
    path = "particulars.case.interest"
    carrier.check(terms.annual_percent > 0, f"{path}.annual_percent", "must be positive", "interest/dailyAmount")
    carrier.check(terms.owed_from <= terms.claim_on, f"{path}.owed_from", "is after claim_on", "interest/owedDate")
    daily = (case_file.principal * terms.annual_percent / _DAYS).quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)
    box = _CLAIM.add(claim, "interest")
    _CLAIM.add(box, "dailyAmount", carrier.minor(daily, "GBP", path, "interest/dailyAmount"))
    _CLAIM.add(box, "owedDate", terms.owed_from)
    _CLAIM.add(box, "claimDate", terms.claim_on)
    base = carrier.minor(case_file.principal, "GBP", "principal", "interest/claimAmountInterestBase")
    _CLAIM.add(box, "claimAmountInterestBase", base)


def _lines(case_file: CaseFile, case: SdtCase, carrier: Carrier) -> tuple[str, ...]:
    """The particulars of claim: given, or one line per invoice; never cut."""
    given = bool(case.particulars)
    lines = case.particulars or tuple(
        f"Invoice {claim.invoice_ref} due {claim.due_on:%d/%m/%Y} £{claim.open_amount:f}" for claim in case_file.claims
    )
    if not given and case_file.credits:
        lines = (*lines, f"Less credits £{case_file.credits:f}")
    element = "particulars.case.particulars" if given else "claims"
    is_fit = len(lines) <= _PENNY_LINES_MOST
    carrier.check(is_fit, element, f"fill {len(lines)} lines, at most {_PENNY_LINES_MOST} fit", "particulars")
    for number, line in enumerate(lines):
        where = f"{element}[{number}]" if given or number < len(case_file.claims) else "credits"
        sdt_text(carrier, line, where, f"particulars[{number + 1}]", _PENNY_LINE_CHARS)
    return lines


def _unsaid(case_file: CaseFile, carrier: Carrier) -> None:
    """What SDT has no place for must not be lost unseen. Documents stay with the claimant, as the rules of court say."""
    carrier.check(not case_file.remarks, "remarks", "have no place in a claim; move them to particulars.case.particulars")


# --- a warrant ----------------------------------------------------------------------------------------------------


def _warrant(case_file: CaseFile, given: SdtParticulars, carrier: Carrier) -> Element:
    case = given.of(case_file.case_number)
    warrant = _BULK.root("mcolWarrant")
    carrier.text(
        case.claim_number, "particulars.case.claim_number", "claimNumber", most=8, pattern="[0-9A-Za-z]{8}",
        words="eight letters or digits",
    )  # fmt: skip
    _WARRANT.add(warrant, "claimNumber", case.claim_number)
    is_known = case.defendant in (1, 2) and case.defendant <= len(case_file.debtors)
    carrier.check(is_known, "particulars.case.defendant", "names no debtor of the case", "defendantId")
    _WARRANT.add(warrant, "defendantId", case.defendant)
    if case.with_address and is_known:
        place = case.defendant - 1
        address = _WARRANT.add(warrant, "defendantAddress")
        _address(address, case_file.debtors[place], f"debtors[{place}]", "defendantAddress", carrier)
    balance = carrier.minor(case_file.principal, "GBP", "principal", "balanceOfDebt")
    _WARRANT.add(warrant, "balanceOfDebt", balance)
    wanted = case_file.principal if case.warrant_amount is None else case.warrant_amount
    carrier.check(
        wanted <= case_file.principal, "particulars.case.warrant_amount", "is more than the principal", "warrantAmount"
    )
    amount = carrier.minor(wanted, "GBP", "particulars.case.warrant_amount", "warrantAmount")
    _WARRANT.add(warrant, "warrantAmount", amount)
    _costs(_WARRANT, warrant, case, carrier)
    if case.notes:
        notes = sdt_text(carrier, case.notes, "particulars.case.notes", "additionalNotes", 120)
        _WARRANT.add(warrant, "additionalNotes", notes)
    carrier.check(not case_file.remarks, "remarks", "have no place in a warrant; move them to particulars.case.notes")
    _signature(_WARRANT, warrant, given, carrier)
    return warrant


# --- both ---------------------------------------------------------------------------------------------------------


def _costs(pen: Markup, parent: Element, case: SdtCase, carrier: Carrier) -> None:
    if case.solicitor_cost is not None:
        cost = carrier.minor(case.solicitor_cost, "GBP", "particulars.case.solicitor_cost", "solicitorCost")
        pen.add(parent, "solicitorCost", cost)


def _signature(pen: Markup, parent: Element, given: SdtParticulars, carrier: Carrier) -> None:
    """The statement of truth: a person's name; the adapter never signs for anybody by itself."""
    name = sdt_text(carrier, given.signatory, "particulars.signatory", "sotSignature/name", 30)
    signature = pen.add(parent, "sotSignature")
    _BASE.add(signature, "flag", True)
    _BASE.add(signature, "name", name)


FORMAT_IDS = {"mcolClaim": "sdt-claim", "mcolWarrant": "sdt-warrant"}
_WRITERS: Mapping[str, Callable[[CaseFile, SdtParticulars, Carrier], Element]] = {
    "mcolClaim": _claim,
    "mcolWarrant": _warrant,
}
