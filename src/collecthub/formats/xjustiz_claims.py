"""Titles and the statement of claims of an XJustiz enforcement order: parts I, III and IV, each with its sum."""

from __future__ import annotations

from decimal import Decimal

from collecthub.formats.xjustiz_particulars import Interest, LawyerFee, Title, TitledCost, XJustizCase
from collecthub.formats.xjustiz_sheet import XJustizSheet
from collecthub.model.exchange import CaseFile, ClaimItem
from collecthub.wire.xml import Element

_COST_KINDS = {
    "procedure": "kostenDesMahnverfahrens.vollstreckungsbescheid",
    "pre_court": "titulierteVorgerichtlicheKosten",
    "assessed": "festgesetzteKosten",
}
_OTHER_TITLE = "029"  # ZVSTR.Titelart: Sonstiger
_LOOSE = "Zahlungen und Gutschriften ohne Zuordnung"
_NOTHING = Decimal(0)


def write_titles(sheet: XJustizSheet, facts: Element, case: XJustizCase) -> None:
    """`vollstreckungstitel` for every title."""
    sheet.carrier.check(bool(case.titles), "particulars.case.titles", "are missing: without a title there is no order")
    for place, title in enumerate(case.titles):
        origin = f"particulars.case.titles[{place}]"
        box = sheet.box(facts, "vollstreckungstitel")
        sheet.say(box, "titelnummer", title.number, f"{origin}.number")
        sheet.listed(box, "titelart", title.kind, f"{origin}.kind")
        is_named = bool(title.other_kind) == (title.kind == _OTHER_TITLE)
        sheet.carrier.check(is_named, f"{origin}.other_kind", f"goes with kind {_OTHER_TITLE} alone", "sonstigerTitel")
        sheet.may_say(box, "sonstigerTitel", title.other_kind, f"{origin}.other_kind")
        sheet.say(box, "aktenzeichen", title.file_number, f"{origin}.file_number")
        issuer = sheet.box(box, "auswahl_ausstellendeBehoerde")
        if title.court is not None:
            sheet.code(issuer, "gericht", title.court, f"{origin}.court")
        else:
            sheet.say(issuer, "sonstige", title.authority, f"{origin}.authority")
        sheet.say(box, "titeldatum", title.dated_on, f"{origin}.dated_on")
        if title.is_service_proven:
            sheet.mark(box, "zuzueglichZustellungsnachweis")


def write_statement(sheet: XJustizSheet, facts: Element, case_file: CaseFile, case: XJustizCase) -> Decimal:
    """`forderungsaufstellung`: one statement per title. Returns the sum of all of them."""
    _check_cover(sheet, case_file, case)
    statement = sheet.box(facts, "forderungsaufstellung")
    total = _NOTHING
    for place, title in enumerate(case.titles):
        origin = f"particulars.case.titles[{place}]"
        box = sheet.box(statement, "forderungsaufstellung.angaben")
        sheet.say(box, "lfdNr.forderungsaufstellung", place + 1, origin)
        sheet.say(sheet.box(box, "ref.vollstreckungstitel"), "ref.titelnummer", title.number, f"{origin}.number")
        credits = case_file.credits if place == 0 else _NOTHING
        part_1 = _principal(sheet, box, case_file, title, origin, credits)
        part_3 = _titled_costs(sheet, box, title, origin)
        part_4 = _enforcement_costs(sheet, box, title, origin)
        sheet.money(box, "summe.i-iv", part_1 + part_3 + part_4, origin)
        total += part_1 + part_3 + part_4
    sheet.say(statement, "forderungsaufstellung.anzahl", len(case.titles), "particulars.case.titles")
    if case.stated_total is not None and case.stated_total != total:
        limit = f"is {case.stated_total}, the parts sum up to {total}"
        sheet.carrier.object("particulars.case.stated_total", limit, "summe.i-iv")
    return total


def _check_cover(sheet: XJustizSheet, case_file: CaseFile, case: XJustizCase) -> None:
    """Every claim must be covered by exactly one title, and loose credits need one to be set against."""
    covered = [claim.claim_id for title in case.titles for claim in _covered(case_file, title)]
    for place, claim in enumerate(case_file.claims):
        count = covered.count(claim.claim_id)
        if case.titles and count != 1:
            sheet.carrier.object(f"claims[{place}]", f"is covered by {count} titles, must be by one")
    if case_file.credits and len(case.titles) > 1:
        sheet.carrier.object("credits", "are not tied to one claim, and there are several titles: allocate them first")


def _covered(case_file: CaseFile, title: Title) -> tuple[ClaimItem, ...]:
    return tuple(claim for claim in case_file.claims if not title.claim_ids or claim.claim_id in title.claim_ids)


# --- part I -------------------------------------------------------------------------------------------------------


def _principal(
    sheet: XJustizSheet, box: Element, case_file: CaseFile, title: Title, origin: str, credits: Decimal
) -> Decimal:
    total = _NOTHING
    for place, claim in enumerate(case_file.claims):
        if title.claim_ids and claim.claim_id not in title.claim_ids:
            continue
        element = f"claims[{place}]"
        part = sheet.box(box, "i.hauptforderung.zinsenSaeumniszuschlaege")
        _amounts(sheet, part, claim, element)
        total += claim.open_amount
        for number, interest in enumerate(title.interest):
            if interest.claim_id in ("", claim.claim_id):
                total += _interest(sheet, part, interest, claim.open_amount, f"{origin}.interest[{number}]")
    if credits:
        entry = sheet.box(box, "i.hauptforderung.zinsenSaeumniszuschlaege", "freieEingabe")
        sheet.say(entry, "freieEingabe.bezeichnung", _LOOSE, "credits")
        sheet.money(entry, "freieEingabe.wert", -credits, "credits")
    return total - credits


def _amounts(sheet: XJustizSheet, part: Element, claim: ClaimItem, element: str) -> None:
    """The whole claim, or what remains of it."""
    choice = sheet.box(part, "auswahl_forderung")
    is_whole = claim.open_amount == claim.original_amount
    box = sheet.box(choice, "hauptforderung" if is_whole else "restforderungAusHauptforderung")
    sheet.money(box, "hauptforderung.inEuro", claim.original_amount, f"{element}.original_amount")
    if not is_whole:
        sheet.money(box, "restforderung.inEuro", claim.open_amount, f"{element}.open_amount")


def _interest(sheet: XJustizSheet, part: Element, terms: Interest, base: Decimal, origin: str) -> Decimal:
    """One period of interest. Returns what of it has accrued."""
    box = sheet.box(part, "zinsen")
    sheet.money(box, "zuVerzinsenderBetrag", base if terms.base is None else terms.base, f"{origin}.base")
    told = sheet.box(box, "zinsangaben")
    sheet.may_say(told, "zinssatz", terms.percent, f"{origin}.percent")
    if terms.method is not None:
        sheet.code(told, "zinsmethode", terms.method, f"{origin}.method")
    sheet.may_say(told, "zinsbeginndatum", terms.from_on, f"{origin}.from_on")
    sheet.may_say(told, "zinsendedatum", terms.to_on, f"{origin}.to_on")
    is_whole = (terms.to_on is None) == (terms.amount is None)
    sheet.carrier.check(is_whole, f"{origin}.amount", "goes with to_on, and to_on with it", "zinsbetrag.inEuro")
    if terms.amount is not None:
        sheet.money(box, "zinsbetrag.inEuro", terms.amount, f"{origin}.amount")
    return terms.amount or _NOTHING


# --- parts III and IV ---------------------------------------------------------------------------------------------


def _titled_costs(sheet: XJustizSheet, box: Element, title: Title, origin: str) -> Decimal:
    if not title.titled_costs:
        return _NOTHING
    part = sheet.box(box, "iii.titulierteKostenNebenforderungen")
    costs = enumerate(title.titled_costs)
    return sum((_titled(sheet, part, cost, f"{origin}.titled_costs[{place}]") for place, cost in costs), _NOTHING)


def _titled(sheet: XJustizSheet, part: Element, cost: TitledCost, origin: str) -> Decimal:
    sheet.carrier.only(cost.kind, _COST_KINDS, f"{origin}.kind", "auswahl_artDerKostenforderung")
    if cost.kind not in _COST_KINDS:
        return _NOTHING
    claim = sheet.box(part, "auswahl_artDerKostenforderung", _COST_KINDS[cost.kind])
    rest = cost.total if cost.remaining is None else cost.remaining
    choice = sheet.box(claim, "auswahl_kosten")
    box = sheet.box(choice, "gesamtkosten" if cost.remaining is None else "restkostenAusGesamtkosten")
    sheet.money(box, "gesamtkosten.inEuro", cost.total, f"{origin}.total")
    if cost.remaining is not None:
        sheet.carrier.check(cost.remaining <= cost.total, f"{origin}.remaining", "is more than total")
        sheet.money(box, "restkosten.inEuro", cost.remaining, f"{origin}.remaining")
    accrued = [
        _interest(sheet, claim, terms, rest, f"{origin}.interest[{place}]") for place, terms in enumerate(cost.interest)
    ]
    return rest + sum(accrued, _NOTHING)


def _enforcement_costs(sheet: XJustizSheet, box: Element, title: Title, origin: str) -> Decimal:
    earlier, collection = title.earlier_enforcement_costs, title.collection_costs
    if earlier is None and collection is None and not title.lawyer_fees and not title.other_costs:
        return _NOTHING
    part = sheet.box(box, "iv.kostenZwangsvollstreckung")
    total = (earlier or _NOTHING) + (collection or _NOTHING)
    if earlier is not None:
        name = "bisherigeVollstreckungskosten.anlage"
        sheet.money(part, name, earlier, f"{origin}.earlier_enforcement_costs")
    if collection is not None or title.lawyer_fees:
        costs = sheet.box(part, "kostenDesVerfahrens")
        for place, fee in enumerate(title.lawyer_fees):
            total += _lawyer_fee(sheet, costs, fee, f"{origin}.lawyer_fees[{place}]")
        if collection is not None:
            sheet.money(costs, "inkassokosten.anlage", collection, f"{origin}.collection_costs")
    for place, other in enumerate(title.other_costs):
        entry = sheet.box(part, "sonstigeKosten")
        sheet.say(entry, "bezeichnung", other.name, f"{origin}.other_costs[{place}].name")
        sheet.money(entry, "betragInEuro", other.amount, f"{origin}.other_costs[{place}].amount")
        total += other.amount
    return total


def _lawyer_fee(sheet: XJustizSheet, costs: Element, fee: LawyerFee, origin: str) -> Decimal:
    entry = sheet.box(costs, "anwaltskosten.gemaessRVG")
    sheet.say(entry, "vollstreckungsmassnahme", fee.act, f"{origin}.act")
    sheet.money(entry, "anwaltskosten.gegenstandswert", fee.value, f"{origin}.value")
    sheet.money(entry, "verfahrensgebuehr", fee.fee, f"{origin}.fee")
    if fee.expenses:
        sheet.money(entry, "auslagenpauschale", fee.expenses, f"{origin}.expenses")
    if fee.tax:
        sheet.money(entry, "umsatzsteuer", fee.tax, f"{origin}.tax")
    subtotal = fee.fee + fee.expenses + fee.tax
    sheet.money(entry, "zwischensummeRechtsanwaltskostenInEuro", subtotal, origin)
    return subtotal
