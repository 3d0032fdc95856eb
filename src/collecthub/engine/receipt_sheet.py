"""A receipt for cash or card as a sheet, in the debtor's language: nl, fr, de or en."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import msgspec

from collecthub.paper.sheet import Section, Sheet
from collecthub.paper.written import day, money


class ReceiptFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What a receipt says. `owed` is what is left after it."""

    number: str
    operator: str
    creditor: str
    case_number: str
    debtor: str
    means: str
    place: str
    amount: Decimal
    currency: str
    received_on: dt.date
    received_by: str
    terminal_ref: str
    owed: Decimal
    reversed_on: dt.date | None = None
    reason: str = ""


_WORDS: dict[str, dict[str, str]] = {
    "en": {
        "title": "Receipt", "number": "Number", "received_on": "Received on", "received_by": "Received by", "from": "From",
        "amount": "Amount", "means": "Paid", "cash": "in cash", "card": "by card", "counter": "at the counter",
        "visit": "on a visit", "creditor": "For", "case": "Case", "terminal": "Terminal reference",
        "owed": "Still owed afterwards", "reversed": "Reversed", "reason": "Reason", "payment": "Payment",
    },
    "nl": {
        "title": "Ontvangstbewijs", "number": "Nummer", "received_on": "Ontvangen op", "received_by": "Ontvangen door",
        "from": "Van", "amount": "Bedrag", "means": "Betaald", "cash": "contant", "card": "met kaart",
        "counter": "aan het loket", "visit": "bij een bezoek", "creditor": "Voor", "case": "Dossier",
        "terminal": "Kenmerk van de terminal", "owed": "Daarna nog verschuldigd", "reversed": "Geannuleerd",
        "reason": "Reden", "payment": "Betaling",
    },
    "fr": {
        "title": "Reçu", "number": "Numéro", "received_on": "Reçu le", "received_by": "Reçu par", "from": "De",
        "amount": "Montant", "means": "Payé", "cash": "en espèces", "card": "par carte", "counter": "au guichet",
        "visit": "lors d'une visite", "creditor": "Pour", "case": "Dossier", "terminal": "Référence du terminal",
        "owed": "Reste dû après ce paiement", "reversed": "Annulé", "reason": "Motif", "payment": "Paiement",
    },
    "de": {
        "title": "Quittung", "number": "Nummer", "received_on": "Erhalten am", "received_by": "Erhalten von",
        "from": "Von", "amount": "Betrag", "means": "Bezahlt", "cash": "bar", "card": "mit Karte",
        "counter": "am Schalter", "visit": "bei einem Besuch", "creditor": "Für", "case": "Akte",
        "terminal": "Kennzeichen des Terminals", "owed": "Danach noch offen", "reversed": "Storniert",
        "reason": "Grund", "payment": "Zahlung",
    },
}  # fmt: skip


def receipt_sheet(facts: ReceiptFacts, language: str) -> Sheet:
    """The paper that the payer takes with him; a reversed one says so across the top."""
    tongue = language.split("-")[0].lower()
    tongue = tongue if tongue in _WORDS else "en"
    words = _WORDS[tongue]
    lines = [
        (words["received_on"], day(facts.received_on, tongue)), (words["amount"], money(facts.amount, facts.currency, tongue)),
        (words["means"], f"{words[facts.means]}, {words[facts.place]}"), (words["received_by"], facts.received_by),
        (words["terminal"], facts.terminal_ref), (words["owed"], money(facts.owed, facts.currency, tongue)),
    ]  # fmt: skip
    banner = "" if facts.reversed_on is None else f"{words['reversed']} {day(facts.reversed_on, tongue)}: {facts.reason}"
    return Sheet(
        title=f"{words['title']} {facts.number}", subtitle=facts.operator, banner=banner, language=tongue,
        footer=f"{facts.operator} · {facts.number}",
        facts=((words["from"], facts.debtor), (words["creditor"], facts.creditor), (words["case"], facts.case_number)),
        sections=(Section(title=words["payment"], facts=tuple((name, said) for name, said in lines if said)),),
    )  # fmt: skip
