"""Names, addresses and numbers of parties as they are compared: without script, accents, legal forms and order."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import stdnum
from anyascii import anyascii
from stdnum.exceptions import ValidationError

from collecthub.model.party import Address, Party, PartyKind

_WORD = re.compile(r"[A-Z0-9]+")
_DOTTED = re.compile(r"\b[A-Z](?:\.[A-Z])+\b\.?")
_HOUSE = re.compile(r"[0-9]+[A-Z]?")
# Legal forms and titles, which say nothing about who it is.
LEGAL_FORMS = frozenset(
    "AB AD AE AG AO AS ASA ASBL BT BV BVBA CO COMM COMMV CORP CORPORATION COOP CV CVBA DD DOO DOOEL EAD EI EIRL "
    "EOOD EPE ESV EURL GBR GIE GMBH HF IKE INC INCORPORATED IVZW KFT KG KGAA KS LDA LIMITED LLC LLP LP LTD LTDA MBH MON NV "
    "OAO OG OHG OOD OOO OU OY OYJ PAO PJSC PLC PMC PRIVATSTIFTUNG PUBL RT SA SAM SARL SAS SASU SC SCA SCOP SCRL SCS SE SIA "
    "SL SLU SNC SOC SP SPA SPJ SPK SPRL SPRLU SPZOO SRL SRLS SRO TOV UAB UG VOF VZW ZAO ZOO ZRT ZZP "
    "EN ET UND AND Y E DE HERR FRAU MR MRS MS DR MEVR DHR MME MONSIEUR MADAME".split()
)


def bare(text: str) -> str:
    """Capitals and digits of any script as plain letters.

    >>> bare("Škoda é Straße"), bare("ООО Ромашка"), bare("Καφενείο")
    ('SKODA E STRASSE', 'OOO ROMASHKA', 'KAFENEIO')
    """
    return text.upper() if text.isascii() else anyascii(text).upper()


def party_name(name: str) -> str:
    """A party's name as it is compared; empty when nothing but a legal form is there.

    >>> party_name("Café Zoé S.P.R.L."), party_name("ZOE, Cafe"), party_name("ООО «Ромашка»")
    ('CAFE ZOE', 'CAFE ZOE', 'ROMASHKA')
    >>> party_name("Debtor 1") == party_name("Debtor 2"), party_name("BV")
    (False, '')
    """
    plain = _DOTTED.sub(lambda found: found.group().replace(".", ""), bare(name).replace("'", ""))
    return " ".join(sorted({word for word in _WORD.findall(plain) if word not in LEGAL_FORMS}))


def place(address: Address, country: str) -> str:
    """Country, postcode and house of an address; empty when it does not name a house. Streets are spelled too freely.

    >>> place(Address(lines=("Rue Haute 12 bte 3",), postcode="1000"), "BE")
    'BE 1000 12'
    """
    houses = _HOUSE.findall(bare(" ".join(address.lines)))
    postcode = "".join(_WORD.findall(bare(address.postcode)))
    return f"{address.country or country} {postcode} {houses[0]}" if houses and postcode else ""


def register_number(party: Party) -> str:
    """The number of a company in its country's register, with the country; empty when none is valid.

    In Belgium, France and others the VAT number is made of it, so that either names the same company. A person has none:
    a national number is not used to tell people apart.

    >>> register_number(Party(name="x", country="BE", registration_ref="0403.170.701"))
    'BE0403170701'
    >>> register_number(Party(name="x", country="BE", vat_ref="BE 0403 170 701"))
    'BE0403170701'
    >>> register_number(Party(name="x", country="BE", vat_ref="BE 0403 170 702"))
    ''
    """
    if party.kind is PartyKind.PERSON or not party.country:
        return ""
    checker = _vat_module(party.country)
    for written in (party.vat_ref, party.registration_ref):
        if written and checker is not None:
            try:
                return f"{party.country}{str(checker.validate(written)).removeprefix(party.country)}"
            except ValidationError:
                continue
    return ""


@cache
def _vat_module(country: str) -> Any:
    return stdnum.get_cc_module(country.lower(), "vat")
