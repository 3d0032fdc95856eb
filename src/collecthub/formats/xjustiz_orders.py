"""What the bailiff is asked to do: the orders of an XJustiz 2600003 message, in the order of its schema."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from collecthub.formats.xjustiz_particulars import XJustizCase
from collecthub.formats.xjustiz_sheet import XJustizSheet
from collecthub.wire.xml import Element

_DEBTOR = "D1"


def write_orders(sheet: XJustizSheet, facts: Element, case: XJustizCase) -> None:
    """Enclosures, assurances, orders and hints. Documents travel beside the message: their class is a code of a list
    outside the schema."""
    if case.court_title_copy:
        choice = sheet.box(facts, "auswahl_elektronischUebermittelteAntraege")
        sheet.mark(choice, "beigefuegtAbschriftVollstreckungsbescheid")
    if case.assurances:
        box = sheet.box(facts, "versicherung")
        for place, text in enumerate(case.assurances):
            sheet.say(box, "versicherung.weitere", text, f"particulars.case.assurances[{place}]")
    unknown = [name for name in case.orders if name not in _ORDERS]
    limit = f"are unknown: {', '.join(unknown)}; known are {', '.join(_ORDERS)}"
    sheet.carrier.check(not unknown, "particulars.case.orders", limit, "auftraege")
    is_asked = bool(case.orders or case.other_orders)
    sheet.carrier.check(is_asked, "particulars.case.orders", "are missing: an order must ask for something", "auftraege")
    orders = sheet.box(facts, "auftraege")
    for name, write in _ORDERS.items():
        if name in case.orders:
            write(sheet, orders, case)
    for place, text in enumerate(case.other_orders):
        sheet.say(orders, "weitereAuftraege", text, f"particulars.case.other_orders[{place}]")
    if case.hints:
        box = sheet.box(facts, "hinweiseVorgabenAnGerichtsvollzieher")
        for place, text in enumerate(case.hints):
            sheet.say(box, "weitereHinweiseUndVorgaben", text, f"particulars.case.hints[{place}]")


def _service(sheet: XJustizSheet, orders: Element, case: XJustizCase) -> None:
    sheet.mark(sheet.box(orders, "antrag.zustellung"), "zustellung.allerTitel")


def _amicable(sheet: XJustizSheet, orders: Element, case: XJustizCase) -> None:
    """An amicable settlement (§ 802b ZPO); instalments are agreed to when their least amount is given."""
    box = sheet.box(orders, "guetlicheErledigung.802bZPO")
    consent = sheet.box(box, "zahlungsvereinbarung", "auswahl_einverstaendnis")
    if case.instalment_least is None:
        sheet.mark(consent, "keinEinverstaendnis")
        return
    parts = sheet.box(consent, "einverstaendnisWieFolgt", "teilbetraege")
    sheet.money(parts, "mindestRatenhoehe", case.instalment_least, "particulars.case.instalment_least")
    sheet.mark(sheet.box(parts, "auswahl_turnus"), "monatlich")


def _disclosure(sheet: XJustizSheet, orders: Element, case: XJustizCase) -> None:
    box = sheet.box(orders, "abnahmeVermoegensauskunft")
    _debtor(sheet, box)
    sheet.mark(sheet.box(box, "auswahl_vermoegensauskunft"), "auskunft.802cZPO")


def _attachment(sheet: XJustizSheet, orders: Element, case: XJustizCase) -> None:
    box = sheet.box(orders, "pfaendungUndVerwertung", "durchfuehrungSachpfaendung")
    sheet.mark(box, "durchfuehrungSachpfaendung")


def _address_search(sheet: XJustizSheet, orders: Element, case: XJustizCase) -> None:
    box = sheet.box(orders, "aufenthaltsermittlung")
    _debtor(sheet, box)
    sheet.mark(sheet.box(box, "ermittlung.aufenthaltsortSchuldner"), "keineZustellungsfaehigeAnschrift")
    sheet.mark(sheet.box(box, "ermittlung.nach755Absatz1ZPO"), "nachfrageMeldebehoerde")


def _third_party_search(sheet: XJustizSheet, orders: Element, case: XJustizCase) -> None:
    box = sheet.box(orders, "einholungDrittauskuenfte")
    _debtor(sheet, box)
    sheet.mark(box, "ersuchen.bundeszentralamtSteuern")
    sheet.mark(box, "erhebung.kraftfahrtbundesamt")


def _debtor(sheet: XJustizSheet, box: Element) -> None:
    sheet.say(sheet.box(box, "ref.schuldner"), "ref.rollennummer", _DEBTOR, "debtors[0]")


# In the order of the schema.
_ORDERS: Mapping[str, Callable[[XJustizSheet, Element, XJustizCase], None]] = {
    "service": _service,
    "amicable": _amicable,
    "disclosure": _disclosure,
    "attachment": _attachment,
    "address_search": _address_search,
    "third_party_search": _third_party_search,
}
