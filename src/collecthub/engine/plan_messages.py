"""Messages of a payment plan: in line as soon as the plan moved, said by the channel's runner as every other message.

Where no channel reaches the debtor the task of the same kind stays on a person's list; what is sent takes it off.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from collecthub.contact_ports import Attachment, DebtorMessage
from collecthub.engine.contact_words import code_picture, facts_of_plan, letters_folder, payment_code
from collecthub.engine.context import Hub
from collecthub.engine.plan_desk import read_settlement
from collecthub.engine.plan_line import STEPS
from collecthub.errors import PermanentError
from collecthub.model import facts_human as fh
from collecthub.model.case import Case
from collecthub.model.contact import Channel
from collecthub.model.event import Fact, NoteAdded
from collecthub.model.history_human import settled
from collecthub.model.human_course import missing
from collecthub.model.payment_reference import payment_reference
from collecthub.model.plan import Plan
from collecthub.paper.letter_page import letter_pdf
from collecthub.paper.letter_text import LetterFacts, Words, shipped_language, with_ways
from collecthub.paper.plan_text import PlanFacts, PlanWord, plan_words
from collecthub.store.connections import CreditorRow, read_creditor
from collecthub.store.queries.scope import Role, Scope

_HUB = Scope(role=Role.OPERATOR, subject="hub")


def plan_message(
    hub: Hub, case: Case, *, contact_id: str, step: str, channel: Channel
) -> tuple[DebtorMessage, tuple[Fact, ...]]:
    """The words for the plan as it is now, and what is recorded once they were said."""
    with hub.database.read() as conn:
        creditor = read_creditor(conn, case.creditor_id)
    if creditor is None or case.plan is None:
        raise PermanentError(f"case {case.number} has no plan", cure="There is nothing to say.")
    plain = _words(hub, case, case.plan, creditor, STEPS[step])
    awaited = case.plan.next_instalment
    owed = missing(case.plan, settled(case)) if STEPS[step] is PlanWord.REMINDER else awaited.amount if awaited else Decimal(0)
    facts = facts_of_plan(hub, case, creditor, owed)
    said = with_ways(plain, facts, letters_folder(hub))
    paper = (_letter(hub, case, creditor, said, facts),) if channel is Channel.LETTER else code_picture(facts)
    message = DebtorMessage(
        contact_id=contact_id, channel=channel, sender_name=creditor.name, reply_to=creditor.party.email,
        recipient=case.debtor.name, email=case.debtor.email, address=case.debtor.address, language=said.language,
        subject=said.subject, text=said.text, attachments=paper,
    )  # fmt: skip
    sent = fh.PlanMessageSent(
        contact_id=contact_id, plan_id=case.plan.plan_id, step=step, channel=channel, language=said.language,
        sha256=hub.evidence.keep(said.text.encode()), tells_of_data=facts.is_person and bool(facts.operator) and channel is not Channel.SMS,
    )  # fmt: skip
    return message, (sent,)


def _words(hub: Hub, case: Case, plan: Plan, creditor: CreditorRow, about: PlanWord) -> Words:
    settlement = None
    if about is PlanWord.STATEMENT:
        with hub.database.read() as conn:
            settlement = read_settlement(hub, conn, _HUB, case.case_id)
    facts = PlanFacts(
        number=case.number, creditor=creditor.name, currency=case.currency, plan=plan, paid=plan.paid(settled(case)),
        missing=missing(plan, settled(case)), reference=payment_reference(case.number, case.debtor.country),
        account=creditor.playbook.payment_account, is_discreet=case.is_sensitive, settlement=settlement,
    )  # fmt: skip
    return plan_words(facts, about, shipped_language(case.debtor.language, creditor.party.language))


def _letter(hub: Hub, case: Case, creditor: CreditorRow, said: Words, facts: LetterFacts) -> Attachment:
    content = letter_pdf(
        said, sender=creditor.party, recipient=case.debtor, number=case.number, today=hub.business_date(),
        printed_at=hub.now(), code=payment_code(facts),
    )  # fmt: skip
    return Attachment(name=f"{case.number}-plan.pdf", media_type="application/pdf", content=content)


def not_sent(case: Case, row: Any, error: PermanentError) -> list[Fact]:
    """It could not be brought: the task of its kind stays with a person."""
    return [NoteAdded(text=f"{row.step.replace('_', ' ')} could not be sent by {row.channel}: {error.message}")]

