"""The message of a case as it is now: who speaks, what is asked, in which language, and whether the law lets it go."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import TypeVar

import msgspec

from collecthub.contact_ports import Attachment, DebtorMessage
from collecthub.engine.case_law import obstacles_now
from collecthub.engine.contact_term import asked_by
from collecthub.engine.context import Hub
from collecthub.engine.debtor_links import link_of
from collecthub.errors import PermanentError
from collecthub.formats.bank.epc_code import epc_code_png, epc_code_svg
from collecthub.law.reminder_term import PAY_WITHIN_DAYS
from collecthub.law.steps import Obstacle, Step
from collecthub.model.case import Case
from collecthub.model.contact import Channel, Heading, Tone
from collecthub.model.facts_money import WRITTEN_OFF
from collecthub.model.party import Address, Party, PartyKind
from collecthub.model.payment_reference import payment_reference
from collecthub.paper.letter_page import letter_pdf
from collecthub.paper.letter_text import (
    LetterFacts,
    LetterItem,
    Words,
    languages,
    shipped_language,
    short_words,
    words,
)
from collecthub.store.connections import CreditorRow, read_creditor
from collecthub.store.queries.case_file import read_owned_case
from collecthub.store.queries.scope import Scope

Drawn = TypeVar("Drawn", str, bytes)
_CENT = Decimal(0)


def message_for(hub: Hub, case: Case, *, contact_id: str, channel: Channel, tone: str) -> DebtorMessage:
    """The message. Raises `PermanentError` when the debtor has no address for the channel."""
    with hub.database.read() as conn:
        creditor = read_creditor(conn, case.creditor_id)
    if creditor is None:
        raise PermanentError(f"creditor {case.creditor_id} is gone", cure="Run `collecthub verify`.")
    _has_address(case, channel)
    said = _said(hub, case, creditor, Tone(tone), channel, *_page_of(hub, case))
    with_it: tuple[Attachment, ...] = (_letter(hub, case, creditor, said),) if channel is Channel.LETTER else ()
    if channel is Channel.EMAIL:
        with_it = code_picture(letter_facts(case, creditor, hub.business_date()))
    return DebtorMessage(
        contact_id=contact_id, channel=channel, sender_name=_sender(hub, case, creditor).name, reply_to=creditor.party.email,
        recipient=case.debtor.name, email=case.debtor.email, phone=phone_of(case.debtor), address=case.debtor.address,
        language=said.language, subject=said.subject, text=said.text, attachments=with_it,
    )


def _letter(hub: Hub, case: Case, creditor: CreditorRow, said: Words) -> Attachment:
    today = hub.business_date()
    content = letter_pdf(
        said, sender=_sender(hub, case, creditor), recipient=case.debtor, number=case.number, today=today, printed_at=hub.now(),
        code=payment_code(letter_facts(case, creditor, today)),
    )
    return Attachment(name=f"{case.number}.pdf", media_type="application/pdf", content=content)


def payment_code(facts: LetterFacts) -> str:
    """The payment code as SVG; empty where no transfer in euro can be named."""
    return _drawn(epc_code_svg, facts) or ""


def code_picture(facts: LetterFacts) -> tuple[Attachment, ...]:
    """The payment code as a picture that goes with an e-mail; none where no transfer in euro can be named."""
    drawn = _drawn(epc_code_png, facts)
    return (Attachment(name=f"{facts.number}.png", media_type="image/png", content=drawn),) if drawn else ()


def _drawn(draw: Callable[..., Drawn], facts: LetterFacts) -> Drawn | None:
    if not facts.account or facts.currency != "EUR" or facts.total <= 0:
        return None
    try:
        return draw(beneficiary=facts.creditor, account=facts.account, amount=facts.total, reference=facts.reference)
    except PermanentError:  # an account that is no IBAN
        return None


def _sender(hub: Hub, case: Case, creditor: CreditorRow) -> Party:
    """In whose name it is written: the creditor's, or under the heading of who runs the hub."""
    return speaker(hub, creditor, case.contact.policy.heading if case.contact else Heading.CREDITOR)


def speaker(hub: Hub, creditor: CreditorRow, heading: Heading) -> Party:
    """Who writes under a heading."""
    if heading is Heading.CREDITOR:
        return creditor.party
    return operator_party(hub, creditor.party.address.country)


def operator_party(hub: Hub, country: str) -> Party:
    """Who runs the hub, as letters under his heading name him; `country` is where he is taken to be."""
    parts = tuple(filter(None, (part.strip() for part in hub.settings.operator_address.split(","))))
    return Party(name=hub.settings.operator_name, address=Address(lines=parts, country=country))


def preview_message(
    hub: Hub, scope: Scope, case_id: str, tone: Tone, *, channel: Channel = Channel.EMAIL, language: str = ""
) -> Words:
    """What this debtor would read today, whether or not he can be reached. Raises `NotThereError`."""
    case, creditor = _for_preview(hub, scope, case_id)
    return _said(hub, case, creditor, tone, channel, language=language)


def preview_letter(hub: Hub, scope: Scope, case_id: str, tone: Tone, *, language: str = "") -> bytes:
    """The same as a letter on paper, as PDF."""
    case, creditor = _for_preview(hub, scope, case_id)
    return _letter(hub, case, creditor, _said(hub, case, creditor, tone, Channel.LETTER, language=language)).content


def _for_preview(hub: Hub, scope: Scope, case_id: str) -> tuple[Case, CreditorRow]:
    with hub.database.read() as conn:
        case = read_owned_case(conn, scope, case_id)
        creditor = read_creditor(conn, case.creditor_id)
    assert creditor is not None, "a case belongs to a creditor"
    return case, creditor


def letters_folder(hub: Hub) -> Path:
    """Where the operator's own templates are: `nl.toml` there replaces the shipped one, `pl.toml` adds a language."""
    return hub.settings.home / "letters"


def _page_of(hub: Hub, case: Case) -> tuple[str, str]:
    """Address and code of the debtor's page; empty while the hub has no address of its own."""
    if not hub.settings.public_url:
        return "", ""
    with hub.work() as work:
        link = link_of(hub, work, case.case_id)
    return hub.settings.public_url.rstrip("/") + link.path, link.code


def _said(
    hub: Hub, case: Case, creditor: CreditorRow, tone: Tone, channel: Channel, page: str = "", code: str = "", *,
    language: str = "",
) -> Words:
    folder = letters_folder(hub)
    spoken = shipped_language(language, case.debtor.language, creditor.party.language, known=languages(folder))
    policy = case.contact.policy if case.contact else None
    facts = msgspec.structs.replace(
        letter_facts(case, creditor, hub.business_date()), page=page, code=code,
        phone=answered_at(case, creditor), is_person=case.debtor.kind is PartyKind.PERSON,
        operator="" if case.told_on else hub.settings.operator_name,
        on_behalf=policy is not None and policy.heading is Heading.OPERATOR, sender=_sender(hub, case, creditor).name, pay_by=asked_by(hub, case, channel, tone),
    )  # fmt: skip
    return (short_words if channel is Channel.SMS else words)(facts, tone, spoken, folder)


def answered_at(case: Case, creditor: CreditorRow) -> str:
    """The number at which somebody answers a debtor: the one of the agreed steps, else the creditor's."""
    return (case.contact.policy.phone if case.contact else "") or phone_of(creditor.party)


def letter_facts(case: Case, creditor: CreditorRow, today: dt.date) -> LetterFacts:
    """What a message to this debtor says today: every open claim, what lowers it, what is added, and the sum."""
    balance = case.balance
    items = tuple(
        LetterItem(number=claim.number, issued_on=claim.issued_on, due_on=claim.due_on, amount=claim.open_amount)
        for claim in case.claims
        if claim.open_amount
    )
    return LetterFacts(
        number=case.number, creditor=creditor.name, currency=case.currency, items=items, credits=case.loose_credits,
        paid=sum((amount for ref, amount in case.unmatched if not ref.startswith(WRITTEN_OFF)), _CENT),
        waived=sum((amount for ref, amount in case.unmatched if ref.startswith(WRITTEN_OFF)), _CENT),
        charges=balance.total - balance.open_principal,
        total=balance.total, reference=payment_reference(case.number, case.debtor.country),
        account=creditor.playbook.payment_account, today=today, pay_by=today + dt.timedelta(days=PAY_WITHIN_DAYS),
        is_discreet=case.is_sensitive,
    )


def facts_of_plan(hub: Hub, case: Case, creditor: CreditorRow, amount: Decimal) -> LetterFacts:
    """What every message says of how to reach somebody, with an amount of a plan in place of the whole sum."""
    page, code = _page_of(hub, case)
    return msgspec.structs.replace(
        letter_facts(case, creditor, hub.business_date()), total=amount, page=page, code=code,
        phone=answered_at(case, creditor), is_person=case.debtor.kind is PartyKind.PERSON,
        operator="" if case.told_on else hub.settings.operator_name,
    )  # fmt: skip


def _has_address(case: Case, channel: Channel) -> None:
    if case.contact is not None and channel in case.contact.lost:
        raise PermanentError(
            f"the debtor is not reached by {channel.value} any more", cure="Choose another channel, or ask the debtor."
        )
    if channel.value in case.unwanted:
        raise PermanentError(
            f"the debtor does not want to be written to by {channel.value}", cure="Choose another channel, or ask the debtor."
        )
    if not is_reached_by(case.debtor, channel):
        raise PermanentError(
            f"the debtor has no address for {channel.value}", cure="Add it in the ERP, or choose another channel."
        )


def is_reached_by(party: Party, channel: Channel) -> bool:
    """Whether there is an address for a channel; a call and a visit are for people to find out."""
    return {
        Channel.EMAIL: bool(party.email), Channel.SMS: bool(phone_of(party)),
        Channel.LETTER: bool(party.address.lines and party.address.city),
    }.get(channel, True)


def phone_of(party: Party) -> str:
    """The first phone number known, or empty."""
    return next((contact.phone for contact in party.contacts if contact.phone), "")


def obstacle(hub: Hub, case: Case) -> Obstacle | None:
    """What the law of the debtor's country has against a reminder today; None also where its pack checks no steps."""
    with hub.database.read() as conn:
        found = obstacles_now(hub, conn, case, Step.REMIND, is_collector=False)
    return found[0] if found else None
