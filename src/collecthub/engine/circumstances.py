"""What is known around a case beyond its own state: what a person stated, and what the history tells by itself.

The checks are told only what is stored. Where both say something, a person's word goes first.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from collecthub.engine.case_work import change_case
from collecthub.engine.context import Hub, Work
from collecthub.engine.desk import case_for
from collecthub.errors import PermanentError
from collecthub.law.allocation.of_case import acts
from collecthub.law.atlas.reading import bundled_atlas
from collecthub.law.feasibility.finding import CaseFacts, KnownDocument
from collecthub.law.of_history import WRITTEN, happened
from collecthub.law.steps import Happening
from collecthub.model.case import Case
from collecthub.model.circumstances import CLAUSE_KINDS, FIXINGS, LETTER_KINDS, Circumstances, Letter
from collecthub.model.event import CaseEvent
from collecthub.model.facts_contact import ContactMade
from collecthub.model.facts_money import ChargeKind
from collecthub.model.facts_network import CircumstancesStated
from collecthub.model.general_terms import GeneralTerms, terms_on
from collecthub.store.queries.scope import Scope

_OLDEST_YEAR = 1950


def state_circumstances(
    hub: Hub, work: Work, scope: Scope, case_id: str, stated: Circumstances, *, expected_version: int | None = None
) -> Case:
    """Record what a person knows of contract, clauses, letters, title and screenings, in place of what was said before.

    The case is checked anew. Raises `PermanentError` for a word that no check knows and a day that lies ahead.
    """
    case = case_for(work, scope, case_id, expected_version)
    problem = _wrong(stated, hub)
    if problem:
        raise PermanentError(problem, cure="Correct it and state the whole again: it replaces what was said before.")
    if stated == (case.circumstances or Circumstances()):
        return case
    return change_case(hub, work, case, [CircumstancesStated(circumstances=stated)], actor=scope.subject)


def _wrong(stated: Circumstances, hub: Hub) -> str:
    clauses, letters = stated.clauses or (), stated.letters or ()
    interest = stated.interest
    today, known = hub.business_date(), bundled_atlas().countries
    days = {
        "contract": stated.contract_on, "title": stated.title_on, "look into registers": stated.registers_asked_on,
        "screening": stated.screened_on, **{f"{one.kind} letter": one.sent_on for one in letters},
    }  # fmt: skip
    ahead = next((name for name, day in days.items() if day is not None and day > today), "")
    old = next((name for name, day in days.items() if day is not None and day.year < _OLDEST_YEAR), "")
    countries = (stated.performed_in, stated.title_country, *(one.country for one in clauses))
    strange = next((code for code in countries if code and code not in known), "")
    return (
        f"the {ahead} of {days[ahead]} lies ahead" if ahead
        else f"the {old} of {days[old]} is not of our time" if old
        else f"{strange[:40]!r} is no country of ISO 3166-1" if strange
        else "a hit of a screening needs its day" if stated.is_sanctioned and stated.screened_on is None
        else "the country of a title needs the day of the title" if stated.title_country and stated.title_on is None
        else f"a clause is one of {', '.join(CLAUSE_KINDS)}" if any(one.kind not in CLAUSE_KINDS for one in clauses)
        else f"a letter is one of {', '.join(LETTER_KINDS)}" if any(one.kind not in LETTER_KINDS for one in letters)
        else f"interest is fixed in one of these ways: {', '.join(FIXINGS)}"
        if interest is not None and interest.fixing not in ("", *FIXINGS)
        else ""
    )  # fmt: skip


# --- what the checks are told ---------------------------------------------------------------------


def needs_history(case: Case) -> bool:
    """Whether the history holds what a check wants to know: payments, written reminders of ours, a title."""
    return bool(case.balance.payments or case.contact is not None or case.proceedings.all)


def with_circumstances(
    file: CaseFacts, history: Sequence[CaseEvent] = (), terms: Sequence[GeneralTerms] = ()
) -> CaseFacts:
    """The file with everything that is stored around the case; most cases have nothing of it.

    `terms` are the creditor's general ones, the newest first: what was stated of the case itself goes before them.
    """
    case = file.case
    told: dict[str, object] = {}
    if case.natures:
        told["nature"] = _nature(case)
    if case.balance.interest:
        told["is_interest_counted_here"] = _counted_here(case)
    if history:
        told |= _of_history(history)
    if terms:
        told |= _of_terms(file, terms)
    if case.circumstances is not None:
        told |= _stated(case.circumstances, file)
    return msgspec.structs.replace(file, **told) if told else file


def _nature(case: Case) -> str:
    """The kind of all claims; empty where they differ or one was not said."""
    named = {case.nature_of(claim.claim_id) for claim in case.claims}
    return named.pop() if len(named) == 1 else ""


def _counted_here(case: Case) -> bool:
    fixed = case.charges.fixed if case.charges else ()
    ours = sum(part.amount for part in fixed if part.kind is ChargeKind.INTEREST)
    return case.balance.interest <= ours


def _of_history(history: Sequence[CaseEvent]) -> dict[str, object]:
    letters = tuple(
        Letter(kind="reminder", sent_on=event.occurred_at.date(), channel=event.fact.channel.value)
        for event in history if isinstance(event.fact, ContactMade) and event.fact.channel in WRITTEN
    )  # fmt: skip
    titles = [one.on for one in happened(history) if one.kind is Happening.TITLE]
    return {"letters": letters or None, "acts": acts(history), "title_on": max(titles, default=None)}


def _of_terms(file: CaseFacts, newest_first: Sequence[GeneralTerms]) -> dict[str, object]:
    """The terms under which all invoices of the case were written; their interest only where interest is asked."""
    held = terms_on(newest_first, [claim.issued_on for claim in file.case.claims])
    if held is None:
        return {}
    told: dict[str, object] = {"clauses": held.clauses}
    if held.interest is not None and file.case.balance.interest:
        told["interest"] = held.interest
    if held.document_sha256 and held.accepted_by != "invoice" and file.documents is not None:
        told["documents"] = (*file.documents, KnownDocument(kind="terms", language=held.language))
    return told


def _stated(said: Circumstances, file: CaseFacts) -> dict[str, object]:
    told: dict[str, object] = {
        "contract_on": said.contract_on, "performed_in": said.performed_in, "issuer_name": said.issuer_name,
        "document_languages": said.document_languages, "clauses": said.clauses, "letters": said.letters,
        "interest": said.interest, "title_on": said.title_on, "title_country": said.title_country,
        "registers_asked_on": said.registers_asked_on, "sanctions_asked_on": said.screened_on,
        "is_sanctioned": said.is_sanctioned,
    }  # fmt: skip
    return {name: value for name, value in told.items() if value not in (None, "", False)}
