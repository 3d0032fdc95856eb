"""The cost statement as a sheet, in the reader's language: nl, fr, de or en. The rule of a line stays in its own words."""

from __future__ import annotations

import datetime as dt

from collecthub.paper.sheet import Column, Section, Sheet, Table
from collecthub.paper.written import money, short_day
from collecthub.store.queries.cost_statement import CostLine, CostStatement

LANGUAGES = ("en", "nl", "fr", "de")
LINES_ON_PAPER = 2_000

_WORDS: dict[str, dict[str, str]] = {
    "en": {
        "title": "Statement of costs", "of": "For", "from_on": "From", "until": "Until", "sums": "Who bears it", "lines": "Line by line",
        "bearer": "Borne by", "sum": "Sum", "day": "Day", "case": "Case", "what": "What and why", "amount": "Amount", "settled": "Settled",
        "creditor": "the creditor", "debtor": "the debtor", "operator": "the operator", "partner": "the partner",
        "cost": "Cost", "fee": "Fee", "vat": "VAT", "to_invoice": "to invoice", "by_debtor": "by the debtor's payments", "none": "No costs.",
        "cut": "The first {held} of {all} lines; the sums are those of all, and the CSV file holds every line.",
    },
    "nl": {
        "title": "Kostenstaat", "of": "Voor", "from_on": "Van", "until": "Tot en met", "sums": "Wie de kosten draagt",
        "lines": "Regel per regel", "bearer": "Ten laste van", "sum": "Som", "day": "Dag", "case": "Dossier", "what": "Wat en waarom",
        "amount": "Bedrag", "settled": "Verrekend", "creditor": "de schuldeiser", "debtor": "de schuldenaar",
        "operator": "het kantoor", "partner": "de partner", "cost": "Kost", "fee": "Ereloon", "vat": "Btw",
        "to_invoice": "te factureren", "by_debtor": "door betalingen van de schuldenaar", "none": "Geen kosten.",
        "cut": "De eerste {held} van {all} regels; de sommen zijn die van alle, en het CSV-bestand bevat elke regel.",
    },
    "fr": {
        "title": "Relevé des frais", "of": "Pour", "from_on": "Du", "until": "Au", "sums": "Qui les supporte", "lines": "Ligne par ligne",
        "bearer": "À charge de", "sum": "Somme", "day": "Jour", "case": "Dossier", "what": "Quoi et pourquoi", "amount": "Montant",
        "settled": "Réglé", "creditor": "le créancier", "debtor": "le débiteur", "operator": "l'étude", "partner": "le partenaire",
        "cost": "Frais", "fee": "Honoraires", "vat": "TVA", "to_invoice": "à facturer", "by_debtor": "par les paiements du débiteur",
        "none": "Aucun frais.", "cut": "Les {held} premières lignes sur {all} ; les sommes sont celles de toutes, et le fichier CSV les contient.",
    },
    "de": {
        "title": "Kostenaufstellung", "of": "Für", "from_on": "Von", "until": "Bis", "sums": "Wer sie trägt", "lines": "Zeile für Zeile",
        "bearer": "Zu Lasten von", "sum": "Summe", "day": "Tag", "case": "Akte", "what": "Was und warum", "amount": "Betrag",
        "settled": "Verrechnet", "creditor": "Gläubiger", "debtor": "Schuldner", "operator": "Büro", "partner": "Partner",
        "cost": "Kosten", "fee": "Honorar", "vat": "MwSt.", "to_invoice": "zu berechnen", "by_debtor": "durch Zahlungen des Schuldners",
        "none": "Keine Kosten.", "cut": "Die ersten {held} von {all} Zeilen; die Summen sind die aller Zeilen, die CSV-Datei enthält jede.",
    },
}  # fmt: skip


def cost_statement_pdf(
    statement: CostStatement, operator: str, reader: str, language: str, printed_at: dt.datetime
) -> bytes:
    """The paper as PDF/A."""
    from collecthub.paper.pdf import sheet_pdf  # large: only who prints loads it

    return sheet_pdf(cost_sheet(statement, operator, reader, language), printed_at)


def cost_sheet(statement: CostStatement, operator: str, reader: str, language: str) -> Sheet:
    """The paper for a reader, named as he is called; a language that is not there becomes English."""
    tongue = language.split("-")[0].lower()
    tongue = tongue if tongue in _WORDS else "en"
    words = _WORDS[tongue]
    held = statement.lines[:LINES_ON_PAPER]
    days = ((words["from_on"], statement.from_on), (words["until"], statement.until))
    cut = words["cut"].format(held=len(held), all=len(statement.lines)) if len(statement.lines) > len(held) else ""
    return Sheet(
        title=words["title"], subtitle=operator, language=tongue, footer=f"{operator} · {words['title']}", banner=cut,
        facts=(*(((words["of"], reader),) if reader else ()), *((name, short_day(day, tongue)) for name, day in days if day is not None)),
        sections=(_sums(statement, words, tongue), _lines(held, words, tongue)) if held else (Section(title=words["sums"], paragraphs=(words["none"],)),),
    )  # fmt: skip


def _sums(statement: CostStatement, words: dict[str, str], tongue: str) -> Section:
    rows = tuple((words.get(one.bearer, one.bearer), money(one.amount, one.currency, tongue)) for one in statement.sums)
    columns = Column(name=words["bearer"]), Column(name=words["sum"], is_amount=True)
    return Section(title=words["sums"], table=Table(columns=columns, rows=rows))


def _lines(lines: tuple[CostLine, ...], words: dict[str, str], tongue: str) -> Section:
    columns = (
        Column(name=words["day"], is_whole=True), Column(name=words["case"], is_whole=True), Column(name=words["what"]), Column(name=words["bearer"]),
        Column(name=words["settled"]), Column(name=words["amount"], is_amount=True),
    )  # fmt: skip
    rows = tuple(
        (
            short_day(line.booked_on, tongue), line.case_number, f"{words.get(line.kind, line.kind)}: {line.rule}".removesuffix(": "),
            words.get(line.bearer, line.bearer), _settled(line, words), money(line.amount, line.currency, tongue),
        )
        for line in lines
    )  # fmt: skip
    return Section(title=words["lines"], table=Table(columns=columns, rows=rows))


def _settled(line: CostLine, words: dict[str, str]) -> str:
    if line.settled_by:
        return line.settled_by
    return {"creditor": words["to_invoice"], "debtor": words["by_debtor"]}.get(line.bearer, "")
