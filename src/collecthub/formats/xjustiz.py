"""A case file as the German enforcement order to a bailiff: XJustiz 3.6.2, message 2600003.

One case file per message. The message id is the canonical one as a UUID and the process id is the case's, so that
every answer (0005007, 0005008, 2200007, 2500002) finds its case.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from collecthub import __version__
from collecthub.formats.carrying import Carrier, Objection, as_uuid, case_files, left_behind, read_particulars
from collecthub.formats.xjustiz_claims import write_statement, write_titles
from collecthub.formats.xjustiz_orders import write_orders
from collecthub.formats.xjustiz_particulars import EVENT_CODE, Code, XJustizCase, XJustizParticulars
from collecthub.formats.xjustiz_parties import write_debtor_details, write_parties
from collecthub.formats.xjustiz_replies import read_reply
from collecthub.formats.xjustiz_sheet import XJustizSheet
from collecthub.model.exchange import CaseFile, Decoded, Exchange
from collecthub.wire.xml import Element, serialise

FORMAT_ID = "xjustiz-2600003"
VERSION = "3.6.2"
_MESSAGE = "nachricht.zvstr.vollstreckungsauftrag.2600003"
_PRODUCT, _UNKNOWN = "collecthub", "unbekannt"
_CARRIED = frozenset(
    "payment.account payment.reference creditor.contacts creditor.vat_ref debtors.contacts debtors.vat_ref".split()
)
_IBAN = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}")


class XJustizFormat:
    """Writes enforcement orders and reads receipts, errors and take-over confirmations."""

    format_id = FORMAT_ID
    media_type = "application/xml"

    def __init__(self, particulars: XJustizParticulars | None = None) -> None:
        self._particulars = particulars or XJustizParticulars()

    def with_particulars(self, given: Mapping[str, Any]) -> XJustizFormat:
        """The same format with titles, codes and orders. Raises `ConfigurationError`."""
        return XJustizFormat(read_particulars(XJustizParticulars, given, FORMAT_ID))

    def objections(self, exchange: Exchange) -> tuple[Objection, ...]:
        """Everything that keeps the order from being written; empty when it can be."""
        return self._sheet(exchange).carrier.objections

    def left_behind(self, exchange: Exchange) -> tuple[Objection, ...]:
        """What the case files hold and this document has no place for; a title goes with its details in the particulars."""
        has_titles = all(self._names_titles(one) for one in exchange.messages if isinstance(one, CaseFile))
        return left_behind(exchange, _CARRIED | {"titles"} if has_titles else _CARRIED)

    def _names_titles(self, case_file: CaseFile) -> bool:
        known = {title.file_number for title in self._particulars.of(case_file.case_number).titles}
        return {title.file_ref for title in case_file.titles} <= known

    def encode(self, exchange: Exchange) -> bytes:
        """The order. Raises `UnfitCaseError` with every reason, `PermanentError` for more than one case file."""
        sheet = self._sheet(exchange)
        sheet.carrier.refuse_if_unfit()
        return serialise(sheet.root)

    def decode(self, content: bytes) -> Decoded:
        """An answer. Raises `QuarantineError` (`xml.*`, `xjustiz.unknown`)."""
        return read_reply(content)

    def _sheet(self, exchange: Exchange) -> XJustizSheet:
        (case_file,) = case_files(exchange, FORMAT_ID, 1)
        given = self._particulars
        case = given.of(case_file.case_number)
        sheet = XJustizSheet(_MESSAGE, Carrier(FORMAT_ID, case_file.case_number))
        _check_scope(sheet.carrier, case_file)
        _header(sheet, exchange, case_file, given)
        _frame(sheet, case_file, given, case)
        sheet.box(sheet.root, "schriftgutobjekte")
        facts = sheet.box(sheet.root, "fachdaten")
        write_debtor_details(sheet, facts, case_file, case)
        sheet.say(facts, "antragsort", given.kind_of_request, "particulars.kind_of_request")
        sheet.say(facts, "antragsdatum", given.ordered_on, "particulars.ordered_on")
        sheet.say(sheet.box(facts, "angabenZumSchuldner"), "ref.rollennummer", "D1", "debtors[0]")
        if len(case_file.debtors) > 1:
            limit = f"are {len(case_file.debtors)}, an order names one; give the others a case of their own"
            sheet.carrier.object("debtors", limit, "angabenZumSchuldner")
        _account(sheet, facts, case_file)
        write_titles(sheet, facts, case)
        write_statement(sheet, facts, case_file, case)
        write_orders(sheet, facts, case)
        sheet.judge()
        return sheet


def _check_scope(carrier: Carrier, case_file: CaseFile) -> None:
    carrier.only(case_file.currency, ("EUR",), "currency", "summe.i-iv")
    carrier.something_open(case_file)
    limit = "have no place in an order; move them to particulars.case.hints"
    carrier.check(not case_file.remarks, "remarks", limit)


def _header(sheet: XJustizSheet, exchange: Exchange, case_file: CaseFile, given: XJustizParticulars) -> None:
    head = sheet.box(sheet.root, "nachrichtenkopf")
    head.set("xjustizVersion", VERSION)
    sheet.say(head, "erstellungszeitpunkt", exchange.created_at, "created_at")
    sender = sheet.box(head, "absender")
    _partner(sheet, sender, exchange.sender_ref, "sender_ref")
    sheet.say(sender, "aktenzeichen", case_file.case_number, "case_number")
    sheet.say(sender, "eigeneNachrichtenID", as_uuid(case_file.message_id), "message_id")
    receiver = sheet.box(head, "empfaenger")
    _partner(sheet, receiver, given.office, "particulars.office")
    choice = sheet.box(receiver, "auswahl_aktenzeichen")
    if given.office_file:
        sheet.say(choice, "aktenzeichen.freitext", given.office_file, "particulars.office_file")
    else:
        sheet.mark(choice, "aktenzeichen.neu")
    process = sheet.box(head, "nachrichtenuebergreifenderProzess")
    sheet.say(process, "prozessID", as_uuid(case_file.case_id), "case_id")
    version = given.event_version
    event = Code(code=EVENT_CODE, version=version) if version else None
    sheet.code(head, "ereignis", event, "particulars.event_version")
    product = sheet.box(head, "herstellerinformation")
    sheet.say(product, "nameDesProdukts", _PRODUCT, "sender_ref")
    sheet.say(product, "herstellerDesProdukts", _PRODUCT, "sender_ref")
    sheet.say(product, "version", __version__, "sender_ref")


def _partner(sheet: XJustizSheet, parent: Element, name: str, origin: str) -> None:
    sheet.say(sheet.box(parent, "informationen", "auswahl_kommunikationspartner"), "sonstige", name, origin)


def _frame(sheet: XJustizSheet, case_file: CaseFile, given: XJustizParticulars, case: XJustizCase) -> None:
    """`grunddaten`: the procedure before the bailiff and the one that led to the title, and the parties."""
    frame = sheet.box(sheet.root, "grunddaten", "verfahrensdaten")
    sheet.say(frame, "verfahrensnummer", case_file.case_number, "case_number")
    bailiff = _instance(sheet, frame, "1", given)
    sheet.say(sheet.box(bailiff, "auswahl_instanzbehoerde"), "sonstige", given.office, "particulars.office")
    _file_number(sheet, bailiff, given.office_file or _UNKNOWN, "particulars.office_file")
    title = case.titles[0] if case.titles else None
    if title is not None:
        court = _instance(sheet, frame, "2", given)
        origin = "particulars.case.titles[0]"
        issuer = sheet.box(court, "auswahl_instanzbehoerde")
        if title.court is not None:
            sheet.code(issuer, "gericht", title.court, f"{origin}.court")
        else:
            sheet.say(issuer, "sonstige", title.authority, f"{origin}.authority")
        _file_number(sheet, court, title.file_number, f"{origin}.file_number")
    write_parties(sheet, frame, case_file, case)


def _instance(sheet: XJustizSheet, frame: Element, number: str, given: XJustizParticulars) -> Element:
    box = sheet.box(frame, "instanzdaten")
    sheet.say(box, "instanznummer", number, "procedure")
    sheet.code(box, "sachgebiet", given.subject, "particulars.subject")
    return box


def _file_number(sheet: XJustizSheet, instance: Element, number: str, origin: str) -> None:
    sheet.say(sheet.box(instance, "aktenzeichen", "auswahl_aktenzeichen"), "aktenzeichen.freitext", number, origin)


def _account(sheet: XJustizSheet, facts: Element, case_file: CaseFile) -> None:
    """Where the bailiff pays to: the creditor's account, an IBAN."""
    account = case_file.payment.account.replace(" ", "")
    if not account:
        return
    sheet.carrier.check(bool(_IBAN.fullmatch(account)), "payment.account", "is not an IBAN", "bankverbindung/iban")
    box = sheet.box(facts, "angabenBankverbindung", "bankverbindung")
    sheet.say(sheet.box(box, "ref.kontoinhaber"), "ref.rollennummer", "C1", "creditor")
    sheet.say(sheet.box(box, "ref.bankverbindung"), "ref.bankverbindung", "1", "payment.account")
