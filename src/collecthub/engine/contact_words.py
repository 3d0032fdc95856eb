"""The message of a case as it is now: who speaks, what is asked, in which language, and whether the law lets it go."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import msgspec

from collecthub.contact_ports import Attachment, DebtorMessage
from collecthub.engine.context import Hub
from collecthub.engine.debtor_links import link_of
from collecthub.engine.feasibility import laws_of
from collecthub.errors import PermanentError
from collecthub.formats.bank.epc_code import epc_code_svg
from collecthub.law.lawful import check_step
from collecthub.law.steps import Happened, Happening, Obstacle, Step, StepQuestion
from collecthub.model.case import Case
from collecthub.model.contact import Channel, Tone
from collecthub.model.payment_reference import payment_reference
from collecthub.paper.letter_page import letter_pdf
from collecthub.paper.letter_text import LetterFacts, LetterItem, Words, shipped_language, words
from collecthub.store.connections import CreditorRow, read_creditor
from collecthub.store.queries.case_file import read_owned_case
from collecthub.store.queries.scope import Scope

PAY_WITHIN_DAYS = 10
_CENT = Decimal(0)


def message_for(hub: Hub, case: Case, *, contact_id: str, channel: Channel, tone: str) -> DebtorMessage:
    """The message. Raises `PermanentError` when the debtor has no address for the channel."""
    with hub.database.read() as conn:
        creditor = read_creditor(conn, case.creditor_id)
    if creditor is None:
        raise PermanentError(f"creditor {case.creditor_id} is gone", cure="Run `collecthub verify`.")
    _has_address(case, channel)
    said = _said(case, creditor, Tone(tone), hub.business_date(), *_page_of(hub, case))
    on_paper = (_letter(hub, case, creditor, said),) if channel is Channel.LETTER else ()
    return DebtorMessage(
        contact_id=contact_id, channel=channel, sender_name=creditor.name, reply_to=creditor.party.email,
        recipient=case.debtor.name, email=case.debtor.email, phone=_phone(case), address=case.debtor.address,
        language=said.language, subject=said.subject, text=said.text, attachments=on_paper,
    )


def _letter(hub: Hub, case: Case, creditor: CreditorRow, said: Words) -> Attachment:
    today = hub.business_date()
    content = letter_pdf(
        said, sender=creditor.party, recipient=case.debtor, number=case.number, today=today, printed_at=hub.now(),
        code=payment_code(letter_facts(case, creditor, today)),
    )
    return Attachment(name=f"{case.number}.pdf", media_type="application/pdf", content=content)


def payment_code(facts: LetterFacts) -> str:
    """The payment code as SVG; empty where no transfer in euro can be named."""
    if not facts.account or facts.currency != "EUR" or facts.total <= 0:
        return ""
    try:
        return epc_code_svg(
            beneficiary=facts.creditor, account=facts.account, amount=facts.total, reference=facts.reference
        )
    except PermanentError:  # an account that is no IBAN
        return ""


def preview_message(hub: Hub, scope: Scope, case_id: str, tone: Tone) -> Words:
    """What this debtor would read today, whether or not he can be reached. Raises `NotThereError`."""
    with hub.database.read() as conn:
        case = read_owned_case(conn, scope, case_id)
        creditor = read_creditor(conn, case.creditor_id)
    assert creditor is not None, "a case belongs to a creditor"
    return _said(case, creditor, tone, hub.business_date())


def _page_of(hub: Hub, case: Case) -> tuple[str, str]:
    """Address and code of the debtor's page; empty while the hub has no address of its own."""
    if not hub.settings.public_url:
        return "", ""
    with hub.work() as work:
        link = link_of(hub, work, case.case_id)
    return hub.settings.public_url.rstrip("/") + link.path, link.code


def _said(
    case: Case, creditor: CreditorRow, tone: Tone, today: dt.date, page: str = "", code: str = ""
) -> Words:
    language = shipped_language(case.debtor.language, creditor.party.language)
    facts = msgspec.structs.replace(letter_facts(case, creditor, today), page=page, code=code)
    return words(facts, tone, language)


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
        paid=sum((amount for _, amount in case.unmatched), _CENT),
        charges=balance.total - balance.open_principal,
        total=balance.total, reference=payment_reference(case.number, case.debtor.country),
        account=creditor.playbook.payment_account, today=today, pay_by=today + dt.timedelta(days=PAY_WITHIN_DAYS),
    )


def _has_address(case: Case, channel: Channel) -> None:
    there = {
        Channel.EMAIL: bool(case.debtor.email), Channel.SMS: bool(_phone(case)),
        Channel.LETTER: bool(case.debtor.address.lines and case.debtor.address.city),
    }.get(channel, True)
    if not there:
        raise PermanentError(
            f"the debtor has no address for {channel.value}", cure="Add it in the ERP, or choose another channel."
        )


def _phone(case: Case) -> str:
    return next((contact.phone for contact in case.debtor.contacts if contact.phone), "")


def obstacle(hub: Hub, case: Case) -> Obstacle | None:
    """What the law of the debtor's country has against a reminder today; None also where its pack checks no steps."""
    reminded = tuple(
        Happened(kind=Happening.REMINDER, on=day)
        for day in ((case.contact.last_on,) if case.contact and case.contact.last_on else ())
    )
    question = StepQuestion(
        step=Step.REMIND, on=hub.business_date(), segment=case.segment, principal=case.balance.open_principal,
        due_on=min(claim.due_on for claim in case.claims), happened=reminded, is_collector=False,
    )
    law = laws_of(hub, case.debtor.country)
    if law is None or law.check_step is None:
        return None
    answer = check_step(law, question)
    return answer.obstacles[0] if answer.obstacles else None
