"""Parties, addresses and courts as EPU writes them, each value checked against the court's limits."""

from __future__ import annotations

import re

from collecthub.formats.carrying import Carrier
from collecthub.formats.epu_particulars import (
    LEGAL,
    NAMESPACE,
    NATURAL,
    TRADER,
    Court,
    EpuAddress,
    Filer,
    PartyDetails,
)
from collecthub.formats.markup import Markup
from collecthub.model.party import Address, Party, PartyKind
from collecthub.wire.xml import Element

PEN = Markup(NAMESPACE, "curr")
ACCOUNT = "[0-9]{26}"
_PESEL, _KRS, _REGON = "[0-9]{11}", "[0-9]{10}", r"\d{9}|\d{14}"
_NIP = r"[1-9]((\d[1-9])|([1-9]\d))\d{7}"
_POSTCODE = "[0-9]{2}-?[0-9]{3}"
# "ul. Długa 5", "Rynek 12A/3", "al. Jerozolimskie 100 m. 7": street, house, flat. Anything else is not guessed.
_STREET = re.compile(r"(?P<street>.*\D)\s+(?P<house>\d+[A-Za-z]?)(?:\s*(?:/|m\.?|lok\.?)\s*(?P<flat>\d+[A-Za-z]?))?")


def write_court(parent: Element, name: str, court: Court | None, element: str, carrier: Carrier) -> None:
    """`Adresat` or `SadWlasciwy`."""
    if court is None:
        carrier.object(element, "is missing", name)
        return
    box = PEN.add(parent, name, ID=str(court.court_id))
    PEN.add(box, "Nazwa", carrier.text(court.name, f"{element}.name", f"{name}/Nazwa", most=120))
    PEN.add(box, "Wydzial", carrier.text(court.division, f"{element}.division", f"{name}/Wydzial", most=120))
    if court.address is not None:
        _write_address(box, court.address, f"{element}.address", f"{name}/Adres", carrier)


def write_filer(parent: Element, filer: Filer | None, carrier: Carrier) -> None:
    """`OsobaSkladajaca`: who files and on what authority."""
    element, target = "particulars.filer", "OsobaSkladajaca"
    if filer is None:
        carrier.object(element, "is missing", target)
        return
    attorney = "1" if filer.is_attorney else "0"
    carrier.text(filer.authority, f"{element}.authority", f"{target}/@podstawa", most=32_000)
    box = PEN.add(parent, target, pelnomocnik=attorney, podstawa=filer.authority)
    person = PEN.add(box, "Osoba")
    PEN.add(person, "Imie", carrier.text(filer.given_name, f"{element}.given_name", f"{target}/Imie", most=30))
    PEN.add(person, "Nazwisko", carrier.text(filer.family_name, f"{element}.family_name", f"{target}/Nazwisko", most=60))
    PEN.add(person, "PESEL", _number(carrier, filer.pesel, _PESEL, "11 digits", f"{element}.pesel", f"{target}/PESEL"))
    if filer.position:
        place = f"{target}/stanowisko"
        PEN.add(person, "stanowisko", carrier.text(filer.position, f"{element}.position", place, most=60))
    if filer.firm:
        PEN.add(box, "Nazwa", carrier.text(filer.firm, f"{element}.firm", f"{target}/Nazwa", most=200))
    _write_address(box, filer.address, f"{element}.address", f"{target}/Adres", carrier)


def write_party(
    parent: Element, name: str, number: int, party: Party, details: PartyDetails, account: str,
    element: str, carrier: Carrier,
) -> None:  # fmt: skip
    """`Powod` or `Pozwany`."""
    box = PEN.add(parent, name, ID=str(number))
    PEN.add(box, "ObcokrajowiecString", details.citizenship)
    PEN.add(box, "Obcokrajowiec", details.is_foreign)
    PEN.add(box, "BrakNumerowIdentyfikacyjnych", details.lacks_numbers)
    PEN.add(box, "reprezentacja", 1 if details.is_by_attorney else 4)
    kind = details.kind if details.kind is not None else (NATURAL if party.kind is PartyKind.PERSON else LEGAL)
    carrier.check(0 <= kind <= 3, f"{_details_path(name, number)}.kind", "is not one of 0, 1, 2, 3", f"{name}/rodzajStrony")
    PEN.add(box, "rodzajStrony", kind)
    _identity(box, name, party, details, kind, element, _details_path(name, number), carrier)
    nip = details.nip or (party.vat_ref.removeprefix("PL") if party.vat_ref.startswith("PL") else "")
    if nip:
        place = f"{element}.vat_ref"
        PEN.add(box, "NIP", _number(carrier, nip, _NIP, "ten digits as in a Polish NIP", place, f"{name}/NIP"))
    country = party.address.country or party.country
    if details.address is None:
        carrier.only(country, ("PL",), f"{element}.address.country", f"{name}/Adres")
    address = details.address or _address_of(party.address, f"{element}.address", name, carrier)
    if address is not None:
        _write_address(box, address, f"{element}.address", f"{name}/Adres", carrier)
    account = details.account or account
    if account:
        words = "a Polish account of 26 digits"
        number_text = account.replace(" ", "").removeprefix("PL")
        PEN.add(box, "numerKonta", _number(carrier, number_text, ACCOUNT, words, "payment.account", f"{name}/numerKonta"))


def _details_path(name: str, number: int) -> str:
    """Where the details of a party stand in the particulars."""
    return "particulars.case.claimant" if name == "Powod" else f"particulars.case.defendants[{number - 1}]"


def _identity(
    box: Element, name: str, party: Party, details: PartyDetails, kind: int, element: str, where: str,
    carrier: Carrier,
) -> None:  # fmt: skip
    needs_number = not details.lacks_numbers and not details.is_foreign
    if kind in (NATURAL, TRADER):
        person = PEN.add(box, "OsobaFizyczna")
        given, family = details.given_name, details.family_name
        PEN.add(person, "Imie", carrier.text(given, f"{where}.given_name", f"{name}/OsobaFizyczna/Imie", most=30))
        PEN.add(person, "Nazwisko", carrier.text(family, f"{where}.family_name", f"{name}/OsobaFizyczna/Nazwisko", most=60))
        if kind == TRADER:
            PEN.add(person, "Nazwa", carrier.text(party.name, f"{element}.name", f"{name}/OsobaFizyczna/Nazwa", most=200))
        if details.pesel:
            place = f"{name}/OsobaFizyczna/PESEL"
            PEN.add(person, "PESEL", _number(carrier, details.pesel, _PESEL, "11 digits", f"{where}.pesel", place))
        has_number = bool(details.pesel or (kind == TRADER and details.nip))
        limit = "is missing; give it, or say lacks_numbers"
        carrier.check(has_number or not needs_number, f"{where}.pesel", limit, f"{name}/OsobaFizyczna/PESEL")
        return
    _institution(box, name, party, details, element, where, carrier)


def _institution(
    box: Element, name: str, party: Party, details: PartyDetails, element: str, where: str, carrier: Carrier
) -> None:
    place = f"{name}/Instytucja"
    unit = PEN.add(box, "Instytucja")
    PEN.add(unit, "Nazwa", carrier.text(party.name, f"{element}.name", f"{place}/Nazwa", most=200))
    seat = details.seat or party.address.city
    PEN.add(unit, "Siedziba", carrier.text(seat, f"{element}.address.city", f"{place}/Siedziba", most=60))
    if details.regon:
        words = "9 or 14 digits"
        regon = _number(carrier, details.regon, _REGON, words, f"{where}.regon", f"{place}/REGON")
        PEN.add(unit, "REGON", regon)
    krs = details.krs or (party.registration_ref if re.fullmatch(_KRS, party.registration_ref) else "")
    PEN.add(unit, "czyRejestr", 1 if krs else 0)
    if krs:
        PEN.add(unit, "KRS", _number(carrier, krs, _KRS, "10 digits", f"{element}.registration_ref", f"{place}/KRS"))


def _address_of(address: Address, element: str, target: str, carrier: Carrier) -> EpuAddress | None:
    """A Polish address written the usual way, in the court's parts; what is not written so is not guessed."""
    match = _STREET.fullmatch(address.lines[0].strip()) if len(address.lines) == 1 else None
    if match is None:
        carrier.object(
            element, "does not part into street, house and flat by itself; give it as particulars", f"{target}/Adres"
        )
        return None
    return EpuAddress(
        street=match["street"], house=match["house"], flat=match["flat"] or "", postcode=address.postcode,
        town=address.city,
    )  # fmt: skip


def _write_address(parent: Element, address: EpuAddress, element: str, target: str, carrier: Carrier) -> None:
    town = "town" if element.startswith("particulars") else "city"
    parts = {
        "ulica": carrier.text(address.street, f"{element}.street", f"{target}/@ulica", most=100),
        "nr_domu": carrier.text(address.house, f"{element}.house", f"{target}/@nr_domu", most=20),
        "nr_mieszkania": carrier.text(address.flat, f"{element}.flat", f"{target}/@nr_mieszkania", most=20, least=0),
        "kod": _number(carrier, address.postcode, _POSTCODE, "written 00-000", f"{element}.postcode", f"{target}/@kod"),
        "miejscowosc": carrier.text(address.town, f"{element}.{town}", f"{target}/@miejscowosc", most=60),
    }
    PEN.add(parent, "Adres", **{name: value for name, value in parts.items() if value})


def _number(carrier: Carrier, value: str, pattern: str, words: str, element: str, target: str) -> str:
    return carrier.text(value, element, target, most=64, pattern=pattern, words=words)
