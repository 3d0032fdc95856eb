"""The parties of an XJustiz enforcement order: creditor (C1), debtors (D1...) and who files for the creditor (R1)."""

from __future__ import annotations

from collecthub.formats.xjustiz_particulars import PartyDetails, Place, Representative, XJustizCase
from collecthub.formats.xjustiz_sheet import XJustizSheet
from collecthub.model.exchange import CaseFile, PaymentInstruction
from collecthub.model.party import Address, Party, PartyKind
from collecthub.wire.xml import Element

_HOME = "DE"
_MAIL, _PHONE = "001", "007"  # GDS.Telekommunikationsart


def write_parties(sheet: XJustizSheet, frame: Element, case_file: CaseFile, case: XJustizCase) -> None:
    """`beteiligung` for each party, in the order creditor, debtors, representative."""
    told = "particulars.case.creditor"
    _party(sheet, frame, "C1", case_file.creditor, case.creditor, "creditor", told, case_file.payment)
    for place, debtor in enumerate(case_file.debtors):
        details = case.debtors[place] if place < len(case.debtors) else None
        told = f"particulars.case.debtors[{place}]"
        _party(sheet, frame, f"D{place + 1}", debtor, details, f"debtors[{place}]", told)
    if case.representative is not None:
        _representative(sheet, frame, case.representative)


def write_debtor_details(sheet: XJustizSheet, facts: Element, case_file: CaseFile, case: XJustizCase) -> None:
    """`beteiligter.zusatz`: how each party is addressed (business rule SCH-ZVSTR-0071 asks for this or the sex)."""
    told: list[tuple[str, str, bool, str]] = []
    if case.creditor is not None:
        is_net = case.creditor.is_without_input_tax
        told.append(("C1", case.creditor.salutation, is_net, "particulars.case.creditor"))
    for place, details in enumerate(case.debtors[: len(case_file.debtors)]):
        told.append((f"D{place + 1}", details.salutation, False, f"particulars.case.debtors[{place}]"))
    if case.representative is not None:
        told.append(("R1", case.representative.salutation, False, "particulars.case.representative"))
    for role, salutation, is_without_input_tax, origin in told:
        box = sheet.box(facts, "beteiligter.zusatz")
        sheet.say(sheet.box(box, "ref.beteiligter"), "ref.rollennummer", role, origin)
        sheet.say(box, "anrede.freitext", salutation, f"{origin}.salutation")
        if is_without_input_tax:
            sheet.mark(box, "glaeubigerNichtVorsteuerabzugsberechtigt")


def _party(
    sheet: XJustizSheet, frame: Element, role: str, party: Party, details: PartyDetails | None, element: str,
    told: str, payment: PaymentInstruction | None = None,
) -> None:  # fmt: skip
    if details is None:
        sheet.carrier.object(told, "is missing (role, salutation, and names or legal form)", "beteiligung")
        return
    box = sheet.box(frame, "beteiligung")
    part = sheet.box(box, "rolle")
    sheet.say(part, "rollennummer", role, element)
    sheet.code(part, "rollenbezeichnung", details.role, f"{told}.role")
    choice = sheet.box(box, "beteiligter", "auswahl_beteiligter")
    if party.kind is PartyKind.PERSON:
        box = _person(sheet, choice, details, told)
    else:
        box = _organisation(sheet, choice, party, details, element, told)
    if details.address is not None:
        _given_address(sheet, box, details.address, f"{told}.address")
    else:
        _address(sheet, box, party.address, party.country, f"{element}.address")
    _contacts(sheet, box, party, element)
    if payment is not None and payment.account:
        _account(sheet, box, payment)
    if party.vat_ref and party.kind is not PartyKind.PERSON:
        sheet.say(box, "umsatzsteuerID", party.vat_ref, f"{element}.vat_ref")


def _person(sheet: XJustizSheet, choice: Element, details: PartyDetails, told: str) -> Element:
    box = sheet.box(choice, "natuerlichePerson")
    name = sheet.box(box, "vollerName")
    sheet.may_say(name, "vorname", details.given_name, f"{told}.given_name")
    sheet.say(name, "nachname", details.family_name, f"{told}.family_name")
    return box


def _organisation(
    sheet: XJustizSheet, choice: Element, party: Party, details: PartyDetails, element: str, told: str
) -> Element:
    box = sheet.box(choice, "organisation")
    sheet.say(sheet.box(box, "bezeichnung"), "bezeichnung.aktuell", party.name, f"{element}.name")
    sheet.code(sheet.box(box, "angabenZurRechtsform"), "rechtsform", details.legal_form, f"{told}.legal_form")
    return box


def _address(sheet: XJustizSheet, box: Element, address: Address, country: str, element: str) -> None:
    """The last line is street and number as they are written; lines before it are additions. States abroad have codes
    of a list outside the schema: an address abroad is given as particulars."""
    sheet.carrier.only(address.country or country, (_HOME,), f"{element}.country", "anschrift/staat")
    place = sheet.box(box, "anschrift")
    for number, line in enumerate(address.lines[:-1]):
        sheet.say(place, "anschriftenzusatz", line, f"{element}.lines[{number}]")
    street = address.lines[-1] if address.lines else ""
    sheet.say(place, "strasse", street, f"{element}.lines[{max(len(address.lines) - 1, 0)}]")
    sheet.say(place, "postleitzahl", address.postcode, f"{element}.postcode")
    sheet.say(place, "ort", address.city, f"{element}.city")


def _given_address(sheet: XJustizSheet, box: Element, place: Place, origin: str) -> None:
    written = sheet.box(box, "anschrift")
    sheet.say(written, "strasse", place.street, f"{origin}.street")
    sheet.say(written, "postleitzahl", place.postcode, f"{origin}.postcode")
    sheet.say(written, "ort", place.town, f"{origin}.town")
    if place.state is not None:
        sheet.code(written, "staat", place.state, f"{origin}.state")


def _contacts(sheet: XJustizSheet, box: Element, party: Party, element: str) -> None:
    for place, contact in enumerate(party.contacts):
        for kind, value, name in ((_MAIL, contact.email, "email"), (_PHONE, contact.phone, "phone")):
            if value:
                link = sheet.box(box, "telekommunikation")
                sheet.listed(link, "telekommunikationsart", kind, f"{element}.contacts[{place}]")
                sheet.say(link, "verbindung", value, f"{element}.contacts[{place}].{name}")


def _account(sheet: XJustizSheet, box: Element, payment: PaymentInstruction) -> None:
    """The creditor's account stands with him; the order refers to it by number."""
    account = sheet.box(box, "bankverbindung")
    sheet.say(account, "bankverbindungsnummer", "1", "payment.account")
    sheet.say(account, "kontoinhaber", payment.payee, "payment.payee")
    sheet.say(account, "iban", payment.account.replace(" ", ""), "payment.account")
    sheet.may_say(account, "verwendungszweck", payment.reference, "payment.reference")


def _representative(sheet: XJustizSheet, frame: Element, person: Representative) -> None:
    origin = "particulars.case.representative"
    box = sheet.box(frame, "beteiligung")
    part = sheet.box(box, "rolle")
    sheet.say(part, "rollennummer", "R1", origin)
    sheet.code(part, "rollenbezeichnung", person.role, f"{origin}.role")
    sheet.say(sheet.box(part, "referenz"), "ref.rollennummer", "C1", origin)
    unit = sheet.box(box, "beteiligter", "auswahl_beteiligter", "organisation")
    sheet.say(sheet.box(unit, "bezeichnung"), "bezeichnung.aktuell", person.name, f"{origin}.name")
    sheet.code(sheet.box(unit, "angabenZurRechtsform"), "rechtsform", person.legal_form, f"{origin}.legal_form")
    place = sheet.box(unit, "anschrift")
    sheet.say(place, "strasse", person.street, f"{origin}.street")
    sheet.say(place, "postleitzahl", person.postcode, f"{origin}.postcode")
    sheet.say(place, "ort", person.town, f"{origin}.town")
