"""The form on which a person states what is known of contract, clauses, letters and title; the page of findings shows it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from collecthub.model.circumstances import Circumstances, Clause, InterestTerms, Letter
from collecthub.web.portal.entered import Entered

Choices = tuple[tuple[str, str], ...]
STANDS: Choices = (("contract", "the contract"), ("order", "the order"), ("terms", "the accepted terms"), ("invoice", "the invoice only"))
COURT: Choices = (("exclusive", "only this court"), ("open", "this court among others"))
YES_NO: Choices = (("yes", "yes"), ("no", "no"))
FIXED: Choices = (
    ("floating", "the rate of each day"), ("at_start", "the rate of the first day of delay"), ("at_due", "the rate of the due day"),
)  # fmt: skip
CHANNELS: Choices = (("letter", "by letter"), ("email", "by e-mail"))
_PLACED = ("interest", "penalty", "retention", "terms")  # clauses of which only the place counts
_LETTERS = {"reminder": "reminder_on", "notice": "notice_on", "pre_action": "pre_action_on"}


def read_form(entered: Entered) -> Circumstances:
    """What a person filled in. Wrong fields are noted in `entered`."""
    percent = entered.amount("percent", "EUR", required=False) if entered.given.get("percent", "").strip() else None
    interest = InterestTerms(
        percent=percent, fixing=_chosen(entered, "fixing", FIXED), from_on=entered.date("interest_from_on"),
        is_compound={"yes": True, "no": False}.get(_chosen(entered, "is_compound", YES_NO)),
    )  # fmt: skip
    said = Circumstances(
        contract_on=entered.date("contract_on"), performed_in=_country(entered, "performed_in"),
        issuer_name=entered.text("issuer_name", longest=300),
        document_languages=tuple(entered.text("document_languages", longest=100).replace(",", " ").lower().split()),
        clauses=tuple(_clauses(entered)) if entered.given.get("clauses_read") else None,
        letters=tuple(_letters(entered)) or (() if entered.given.get("no_letters") else None),
        interest=interest if interest != InterestTerms() else None, title_on=entered.date("title_on"),
        title_country=_country(entered, "title_country"), registers_asked_on=entered.date("registers_asked_on"),
        screened_on=entered.date("screened_on"), is_sanctioned=_chosen(entered, "is_sanctioned", YES_NO) == "yes",
    )  # fmt: skip
    if any(_clauses(entered)) and said.clauses is None:
        entered.wrong["clauses_read"] = "Tick this too: then every clause that is not named is taken to be missing."
    entered.check()
    return said


def filled(said: Circumstances | None) -> Mapping[str, str]:
    """The form as it was filled in last."""
    if said is None:
        return {}
    days = {name: getattr(said, name) for name in ("contract_on", "title_on", "registers_asked_on", "screened_on")}
    found = {name: day.isoformat() for name, day in days.items() if day is not None}
    found |= {
        "performed_in": said.performed_in, "issuer_name": said.issuer_name, "title_country": said.title_country,
        "document_languages": " ".join(said.document_languages), "is_sanctioned": "yes" if said.is_sanctioned else "",
        "clauses_read": "yes" if said.clauses is not None else "", "no_letters": "yes" if said.letters == () else "",
    }  # fmt: skip
    for clause in said.clauses or ():
        if clause.kind in _PLACED:
            found[clause.kind] = clause.document_kind
        else:
            found[clause.kind] = "exclusive" if clause.is_exclusive else "open"
            found[f"{clause.kind}_country"] = clause.country
    for letter in said.letters or ():
        found |= {_LETTERS[letter.kind]: letter.sent_on.isoformat(), f"{letter.kind}_channel": letter.channel}
    return found | _interest(said.interest)


def _interest(terms: InterestTerms | None) -> dict[str, str]:
    if terms is None:
        return {}
    return {
        "percent": str(terms.percent) if terms.percent is not None else "", "fixing": terms.fixing,
        "is_compound": {True: "yes", False: "no"}.get(terms.is_compound, "") if terms.is_compound is not None else "",
        "interest_from_on": terms.from_on.isoformat() if terms.from_on else "",
    }  # fmt: skip


def _clauses(entered: Entered) -> Iterator[Clause]:
    court = _chosen(entered, "court", COURT)
    if court:
        where = _country(entered, "court_country")
        yield Clause(kind="court", country=where, is_exclusive=court == "exclusive", document_kind="contract")
    if entered.given.get("arbitration"):
        yield Clause(kind="arbitration", country=_country(entered, "arbitration_country"), document_kind="contract")
    law = _country(entered, "law_country")
    if law:
        yield Clause(kind="law", country=law, document_kind="contract")
    for kind in _PLACED:
        stands = _chosen(entered, kind, STANDS)
        if stands:
            yield Clause(kind=kind, document_kind=stands)


def _letters(entered: Entered) -> Iterator[Letter]:
    for kind, name in _LETTERS.items():
        day = entered.date(name)
        if day is not None:
            yield Letter(kind=kind, sent_on=day, channel=_chosen(entered, f"{kind}_channel", CHANNELS) or "letter")


def _chosen(entered: Entered, name: str, choices: Choices) -> str:
    return entered.choice(name, {"", *(value for value, _ in choices)})


def _country(entered: Entered, name: str) -> str:
    return entered.text(name, longest=2).upper()
