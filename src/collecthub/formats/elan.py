"""The Norwegian request for attachment (ELAN, `begjæring` version 0 of Skatteetaten, JSON) as a case file. It is read, not written.

Amounts that remain must be what the request's own payments leave of the original. A national identity number is not taken over:
nothing here has a purpose for it. Source: the published sample, `../shared/data/formats/norway-elan`.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from collecthub.errors import PermanentError, QuarantineError
from collecthub.formats.json import JsonFormat, parse
from collecthub.formats.records import RepeatedKeys
from collecthub.model.exchange import (
    CaseFile,
    ClaimItem,
    Decoded,
    Exchange,
    OrderItem,
    PaymentInstruction,
    Procedure,
)
from collecthub.model.ids import derived_id
from collecthub.model.money import minor_units, parse_amount
from collecthub.model.party import Address, Contact, Party, PartyKind

FORMAT_ID = "elan-request"
CLAIMS, TITLES = "kravTilInnkreving", "begjaeringensTvangsgrunnlag"
KINDS = {"Hovedkrav": "principal", "Rentekrav": "interest", "UtenrettsligeKostnader": "out_of_court_cost"}
_HOME = "NO"
# What a case file has no place for; it is named whenever it is there, never dropped unsaid.
_LEFT = (
    "vedlegg", "varsel", "prosessfullmektig", "tilleggsfristForeldelse", "innbetaling", "prioritetDekningsloven", "betalingsoppfordring",
    "renteOpplysning", "erRentekrav", "bevillingshaver", "foedselsdato", "saerligTvangsgrunnlag", "begrunnelseUnnlatVarsel",
    "kreverRettsgebyrErstattet", "berOmInnkallingTilMoeteMedBegrunnelse", "berOmUnnlattForeleggelseMedBegrunnelse",
)  # fmt: skip
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
Tree = dict[str, Any]


class ElanFormat:
    """Reads an ELAN request."""

    format_id = FORMAT_ID
    media_type = "application/json"

    def encode(self, exchange: Exchange) -> bytes:
        """Nobody here files with the Norwegian enforcement officer. Raises `PermanentError`."""
        raise PermanentError(f"{FORMAT_ID} is read and not written", cure="Choose another format.")

    def decode(self, content: bytes) -> Decoded:
        """The request as a case file. Raises `QuarantineError` (`json.*`, `elan.*`)."""
        exchange = read_elan(content)
        return Decoded(exchange_id=exchange.exchange_id, sender_ref=exchange.sender_ref, messages=exchange.messages)


def is_elan(whole: Any) -> bool:
    """Whether a JSON document is such a request."""
    return isinstance(whole, dict) and CLAIMS in whole and TITLES in whole


def read_elan(content: bytes) -> Exchange:
    """The request as an exchange with one case file. Raises `QuarantineError` (`json.*`, `elan.*`) with the place."""
    whole = parse(content)
    if not is_elan(whole):
        raise _bad("", "is no request for attachment", "elan.unknown")
    if any(isinstance(part, RepeatedKeys) for part in _parts(whole)):
        raise _bad("", "states a field twice in one object")
    try:
        exchange = _exchange(whole)
    except (KeyError, TypeError, IndexError, AttributeError, ValueError, ArithmeticError) as error:
        raise _bad("", f"lacks or misstates {str(error)[:80]}") from error
    return _kept(exchange)


def _kept(exchange: Exchange) -> Exchange:
    """The exchange as its own rules leave it: texts that are too long and sums that are wrong are found here."""
    form = JsonFormat()
    try:
        read = form.read(form.encode(exchange))
    except PermanentError as error:
        raise _bad("", error.message) from error
    if read.faults:
        raise _bad(read.faults[0].path, read.faults[0].reason)
    return read.exchange


def left_behind(content: bytes) -> tuple[str, ...]:
    """The elements of a request that its case file does not carry, by their names."""
    found = set(_names(parse(content)))
    return tuple(name for name in _LEFT if name in found)


def _names(whole: Any) -> Iterator[str]:
    for part in _parts(whole):
        if isinstance(part, dict):
            yield from part


def _parts(whole: Any) -> Iterator[Any]:
    """The document and everything in it, without going down one call for each level."""
    waiting = [whole]
    while waiting:
        part = waiting.pop()
        yield part
        if isinstance(part, dict | list):
            waiting += part.values() if isinstance(part, dict) else part


def _exchange(whole: Tree) -> Exchange:
    sender = _party(whole["innsender"]["innsender"])
    own = str(whole["innsenderReferanse"])
    case_id = derived_id("elan", sender.registration_ref or sender.name, own)
    office = str(whole["valgtNamsmannsdistrikt"]["namsmannsdistrikt"])
    asked_at = dt.datetime.combine(_day(whole, "begjaeringsdato", ""), dt.time(), dt.UTC)
    exchange_id = derived_id(case_id, asked_at.isoformat())
    file = _case_file(whole, case_id, own, derived_id(exchange_id, "file"))
    return Exchange(
        exchange_id=exchange_id, sender_ref=sender.registration_ref or sender.name, receiver_ref=office, created_at=asked_at,
        messages=(file,),
    )  # fmt: skip


def _case_file(whole: Tree, case_id: str, number: str, message_id: str) -> CaseFile:
    applicant = whole["saksoeker"][0]
    creditor = _party(applicant["saksoeker"], applicant.get("saksoekerKontaktinformasjon"))
    ids = {str(one["kravreferanse"]): derived_id(case_id, str(one["kravreferanse"])) for one in whole[CLAIMS]}
    claims = tuple(_claim(one, f"{CLAIMS}[{place}]", ids) for place, one in enumerate(whole[CLAIMS]))
    (currency,) = currencies if len(currencies := {_currency(one) for one in whole[CLAIMS]}) == 1 else ("",)
    if not currency:
        raise _bad(CLAIMS, f"has amounts in {', '.join(sorted(currencies))}; a case has one currency")
    account = whole["betalingsinformasjon"]["norskKonto"]
    return CaseFile(
        message_id=message_id, case_id=case_id, case_number=number, procedure=Procedure.ENFORCEMENT, currency=currency,
        language="", creditor=creditor, debtors=tuple(_party(one["saksoekt"]) for one in whole["saksoekt"]), claims=claims,
        principal=sum((claim.open_amount for claim in claims), Decimal(0)),
        payment=PaymentInstruction(
            payee=creditor.name, account=str(account.get("iban") or account.get("kontonummer", "")),
            reference=str(account.get("kidnummer", "")),
        ),
        remarks="\n".join(_title(one) for one in whole[TITLES]),
        orders=tuple(OrderItem(code="attachment", text=str(what)) for what in whole.get("spesiellUtleggsgjenstand", ())),
    )  # fmt: skip


def _claim(one: Tree, place: str, ids: dict[str, str]) -> ClaimItem:
    kind = KINDS.get(str(one["kravdetaljer"]))
    if kind is None:
        raise _bad(f"{place}.kravdetaljer", f"is {str(one['kravdetaljer'])[:40]!r}, known are {', '.join(KINDS)}")
    strangers = [name for name in one.get("relatertKrav", ()) if name not in ids]
    if strangers or (kind != "principal" and not one.get("relatertKrav")):
        raise _bad(f"{place}.relatertKrav", "names no claim of the request")
    original, remaining = (_amount(one[name], f"{place}.{name}") for name in ("opprinneligBeloep", "gjenstaaendeBeloep"))
    paid = sum((_amount(part["beloep"], f"{place}.innbetaling") for part in one.get("innbetaling", ())), Decimal(0))
    if remaining != original - paid:
        raise _bad(f"{place}.gjenstaaendeBeloep", f"is {remaining}, the payments leave {original - paid}")
    return ClaimItem(
        claim_id=ids[str(one["kravreferanse"])], invoice_ref=str(one["kravreferanse"]), original_amount=original,
        due_on=_day(one["kravforfall"], "forfallsdato", f"{place}.kravforfall."), open_amount=remaining,
        description=str(one.get("kravbeskrivelse", "")), kind=kind,
        related_claim_ids=tuple(ids[str(name)] for name in one.get("relatertKrav", ())),
    )  # fmt: skip


def _currency(claim: Tree) -> str:
    return str(claim["gjenstaaendeBeloep"]["valuta"])


def _amount(stated: Tree, place: str) -> Decimal:
    """Amounts are JSON numbers, taken digit by digit as they are written; one with an exponent is none."""
    try:
        amount = parse_amount(str(stated["beloep"]))
    except PermanentError as error:
        raise _bad(place, "is no amount") from error
    currency = str(stated["valuta"])
    if not amount.is_finite() or amount < 0 or amount > 10**12 or amount != round(amount, minor_units(currency)):
        raise _bad(place, f"is {amount}, no amount of {currency}")
    return round(amount, minor_units(currency))


def _day(tree: Tree, name: str, place: str) -> dt.date:
    text = str(tree[name])
    try:
        return dt.date.fromisoformat(text if _DAY.fullmatch(text) else "")
    except ValueError as error:
        raise _bad(f"{place}{name}", f"is {text[:20]!r}, no day") from error


def _title(one: Tree) -> str:
    """Authority and court are not stated as such, so that this is told in words and not as a title."""
    of = f" for {', '.join(map(str, one['innsendersKravreferanse']))}" if one.get("innsendersKravreferanse") else ""
    return f"Enforcement title {one['eksternSaksreferanse']} of {one['tvangsgrunnlagsdato']} ({one['betegnelseAvTvangsgrunnlag']}){of}"


def _party(one: Tree, contact: Tree | None = None) -> Party:
    company, person = one.get("virksomhet"), one.get("person")
    names = (person or {}).get("personnavn", {})
    said = contact or {}
    reach = Contact(email=str(said.get("epostAdresse", "")), phone=str(said.get("telefonnummer", "")))
    return Party(
        name=str(company["navn"]) if company else " ".join(str(names[part]) for part in ("fornavn", "mellomnavn", "etternavn") if part in names),
        kind=PartyKind.COMPANY if company else PartyKind.PERSON, country=_HOME,
        registration_ref=str(company["identifikator"]["verdi"]) if company else "",
        address=_address(one["adresse"][0]), contacts=(reach,) if reach != Contact() else (),
    )  # fmt: skip


def _address(one: Tree) -> Address:
    """Of a place in Norway; one abroad has another form, which the published sample does not show."""
    home = one["adresseInnland"]["adresseFrittFormatInnland"]
    return Address(
        lines=(str(home["adressetekst"]),), postcode=str(home.get("postnummer", "")), city=str(home.get("poststedsnavn", "")),
        country=_HOME,
    )  # fmt: skip


def _bad(place: str, reason: str, code: str = "elan.invalid") -> QuarantineError:
    return QuarantineError(
        f"ELAN request{f', {place}' if place else ''}: {reason}.", code=code, cure="Ask the sender for a corrected request."
    )
