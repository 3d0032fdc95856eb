"""One letter to a debtor about everything that is open with the operator, in place of one from each creditor's case.

Only the operator writes it and only the debtor reads it: its bytes are evidence of no case, and each case's history has a
sentence or its own step, with its own amount, that names no other creditor.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import msgspec
import sqlalchemy as sa

from collecthub.engine.case_work import change_case, locked_case
from collecthub.engine.contact_term import asked_by, rest_after
from collecthub.engine.contact_words import letters_folder, obstacle, operator_party, payment_code
from collecthub.engine.context import Hub, Work
from collecthub.errors import PermanentError
from collecthub.law.contact_course import is_paused
from collecthub.model.case import Case
from collecthub.model.contact import Channel, Tone
from collecthub.model.event import Fact, NoteAdded
from collecthub.model.facts_contact import ContactMade
from collecthub.model.ids import derived_id
from collecthub.model.party import PartyKind
from collecthub.paper.letter_page import letter_pdf
from collecthub.paper.letter_text import LetterFacts, LetterItem, languages, shipped_language, words
from collecthub.store.audit import append_audit
from collecthub.store.contact_tables import contacts
from collecthub.store.queries.debtors import OneDebtor, one_debtor
from collecthub.store.queries.scope import Scope

TONES = (Tone.FRIENDLY, Tone.FIRM, Tone.FINAL)


class OneLetter(msgspec.Struct, frozen=True, kw_only=True):
    """The letter as PDF, the cases that it speaks of, and those that it leaves out with the reason."""

    content: bytes
    asked: Decimal
    case_ids: tuple[str, ...]
    left_out: tuple[tuple[str, str], ...]


def write_one_letter(
    hub: Hub, work: Work, scope: Scope, identity_id: str, *, currency: str, account: str, tone: Tone = Tone.FRIENDLY
) -> OneLetter:
    """Write it and note it in each case, where it takes the agreed step that comes next. A case that rests is left out.

    `account` is where one payment under the debtor's own reference arrives: the operator's client account. Raises
    `NotThereError` for everybody but the operator, `PermanentError` when there is nothing to ask for.
    """
    view = one_debtor(work.conn, scope, identity_id)
    chosen, left_out = _chosen(hub, work, view, currency)
    if not chosen or not account.strip():
        missing = "no case may be written about" if not chosen else "no account is named"
        raise PermanentError(f"one letter cannot be written: {missing}", cure="Look at the cases, and name the client account.")
    facts = _facts(hub, view, chosen, currency, account.strip(), tone)
    party = view.books[0].party
    folder = letters_folder(hub)
    said = words(facts, tone, shipped_language(party.language, known=languages(folder)), folder)
    sender = operator_party(hub, party.address.country)
    content = letter_pdf(
        said, sender=sender, recipient=party, number=view.number, today=facts.today, printed_at=work.now,
        code=payment_code(facts),
    )
    for case in chosen:
        change_case(hub, work, case, [_noted(hub, case, tone, said.language)], actor=scope.subject)
        work.conn.execute(sa.insert(contacts).values(_row(case, tone, work.now)))
    append_audit(
        work.conn, now=work.now, actor=scope.subject, action="debtor.one_letter", subject=identity_id,
        detail=f"{len(chosen)} cases, {facts.total} {currency}, kept as {hub.evidence.keep(content)}",
    )
    return OneLetter(
        content=content, asked=facts.total, case_ids=tuple(case.case_id for case in chosen), left_out=tuple(left_out)
    )


def _chosen(hub: Hub, work: Work, view: OneDebtor, currency: str) -> tuple[list[Case], list[tuple[str, str]]]:
    chosen: list[Case] = []
    left_out: list[tuple[str, str]] = []
    for one in view.cases:
        if one.currency != currency or one.owed <= 0:
            continue
        case = locked_case(work, one.case_id)
        law = obstacle(hub, case)
        why = (
            "it rests" if is_paused(case)
            else "a message of its own is on its way" if case.contact is not None and case.contact.pending_id
            else "a partner acts" if case.placement is not None and case.placement.is_out
            else "its claims are sensitive" if case.is_sensitive
            else f"{law.article}: {law.reason}" if law is not None
            else ""
        )  # fmt: skip
        if why:
            left_out.append((case.number, why))
        else:
            chosen.append(case)
    return chosen, left_out


def _facts(hub: Hub, view: OneDebtor, cases: list[Case], currency: str, account: str, tone: Tone) -> LetterFacts:
    """Every open claim beside the name of its creditor; what lowers and raises them is one sum each."""
    names = {one.case_id: one.creditor_name for one in view.cases}
    items = tuple(
        LetterItem(
            number=f"{claim.number} ({names[case.case_id]})", issued_on=claim.issued_on, due_on=claim.due_on,
            amount=claim.open_amount,
        )
        for case in cases for claim in case.claims if claim.open_amount
    )  # fmt: skip
    total = sum((case.balance.total for case in cases), Decimal(0))
    charges = sum((case.balance.total - case.balance.open_principal for case in cases), Decimal(0))
    lowered = sum((item.amount for item in items), Decimal(0)) + charges - total
    return LetterFacts(
        number=view.number, creditor=hub.settings.operator_name, currency=currency, items=items, credits=lowered, paid=Decimal(0),
        charges=charges, total=total, reference=view.reference, account=account, today=hub.business_date(),
        controllers=", ".join(dict.fromkeys(names[case.case_id] for case in cases)),
        operator="" if all(case.told_on for case in cases) else hub.settings.operator_name,
        pay_by=max(asked_by(hub, case, Channel.LETTER, tone) for case in cases), is_person=view.books[0].party.kind is PartyKind.PERSON,
    )  # fmt: skip


def _noted(hub: Hub, case: Case, tone: Tone, language: str) -> Fact:
    """The case's own next step, taken by this letter; a sentence where no step was agreed.

    The bytes stay out of it: they name the other creditors, and a case's papers can be exported by its own.
    """
    step = case.contact.next_step if case.contact is not None and not case.contact.is_over else None
    if step is None:
        asked = f"{case.balance.total} {case.currency}"
        return NoteAdded(text=f"The operator asked the debtor for {asked} of this case by letter ({tone.value}).")
    return ContactMade(
        contact_id=_contact_id(case), step=step.name, channel=Channel.LETTER,
        asked=case.balance.total, language=language, receipt_ref="printed by the operator",
        rests_until=rest_after(hub, case, Channel.LETTER, tone),
    )  # fmt: skip


def _contact_id(case: Case) -> str:
    return derived_id(case.case_id, "one letter", str(case.version))


def _row(case: Case, tone: Tone, now: dt.datetime) -> dict[str, object]:
    """The letter in the case's list of messages, by which the debtor's page says what is real."""
    step = case.contact.next_step if case.contact is not None and not case.contact.is_over else None
    return {
        "contact_id": _contact_id(case), "case_id": case.case_id, "creditor_id": case.creditor_id,
        "channel": Channel.LETTER.value, "step": step.name if step else "one letter", "tone": tone.value, "state": "sent",
        "queued_at": now, "sent_at": now, "receipt_ref": "printed by the operator",
    }  # fmt: skip
