"""The words of a notice before the due day, from the creditor's books as they are now."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import msgspec
import sqlalchemy as sa

from collecthub.contact_ports import Attachment, DebtorMessage
from collecthub.corridor.open_case import net
from collecthub.engine.contact_words import code_picture, letters_folder, payment_code, phone_of, speaker
from collecthub.engine.context import Hub
from collecthub.model.codes import Status
from collecthub.model.contact import Channel, ContactPolicy, Heading, Tone
from collecthub.model.invoice import Invoice, ItemKind, ItemState
from collecthub.model.party import Party
from collecthub.paper.letter_page import letter_pdf
from collecthub.paper.letter_text import (
    LetterFacts,
    LetterItem,
    languages,
    shipped_language,
    short_words,
    words,
)
from collecthub.store import tables as t
from collecthub.store.case_log import from_minor
from collecthub.store.connections import CreditorRow
from collecthub.store.notice_tables import noticed_items

_REFERENCE_LONGEST = 60


class Coming(msgspec.Struct, frozen=True, kw_only=True):
    """What falls due soon for one debtor in one currency, and what lowers it."""

    items: tuple[tuple[Invoice, Decimal], ...] = ()
    credits: Decimal = Decimal(0)

    @property
    def total(self) -> Decimal:
        return sum((amount for _, amount in self.items), Decimal(0)) - self.credits


def coming(conn: sa.Connection, books_id: str, debtor_ref: str, today: dt.date) -> dict[str, Coming]:
    """By currency; empty while a case of this debtor is open: he hears one voice, and protection stands in the case."""
    if conn.execute(_OPEN_CASE, {"books": books_id, "debtor": debtor_ref, "closed": Status.CLOSED.value}).first():
        return {}
    by_currency: dict[str, list[Invoice]] = {}
    for record in conn.execute(_LINES, {"books": books_id, "debtor": debtor_ref}):
        by_currency.setdefault(record.currency, []).append(_line(record))
    found = {}
    for currency, rows in by_currency.items():
        netted = net(rows)
        items = tuple(
            (row, amount) for row, amount in netted.claims if amount > 0 and row.due_on > today and not row.is_blocked
        )
        found[currency] = Coming(items=items, credits=netted.credits)
    return found


_OPEN_CASE = sa.select(t.cases.c.case_id).where(
    t.cases.c.connection_id == sa.bindparam("books"), t.cases.c.debtor_ref == sa.bindparam("debtor"),
    t.cases.c.status != sa.bindparam("closed"),
)
_LINES = sa.select(t.invoices).where(
    t.invoices.c.connection_id == sa.bindparam("books"), t.invoices.c.debtor_ref == sa.bindparam("debtor")
)


def _line(record: Any) -> Invoice:
    stored = record._mapping
    values = {name: stored[name] for name in Invoice.__struct_fields__ if name in stored}
    return Invoice(**{
        **values, "kind": ItemKind(record.kind), "state": ItemState(record.state), "is_blocked": bool(record.is_blocked),
        "amount": from_minor(record.amount_minor, record.currency),
        "open_amount": from_minor(record.open_minor, record.currency),
    })  # fmt: skip


def debtor_party(conn: sa.Connection, books_id: str, debtor_ref: str) -> Party | None:
    """The debtor as the creditor's books know him."""
    stored = conn.scalar(
        sa.select(t.debtors.c.party).where(t.debtors.c.connection_id == books_id, t.debtors.c.debtor_ref == debtor_ref)
    )
    return msgspec.json.decode(stored, type=Party) if stored else None


def still_coming(conn: sa.Connection, row: Any, today: dt.date) -> Coming:
    """What a notice in line would say now: its own invoices, as far as they are open and not yet due."""
    mine = set(conn.scalars(sa.select(noticed_items.c.item_ref).where(noticed_items.c.notice_id == row.notice_id)))
    found = coming(conn, row.books_id, row.debtor_ref, today).get(row.currency, Coming())
    return msgspec.structs.replace(found, items=tuple(one for one in found.items if one[0].item_ref in mine))


def notice_message(hub: Hub, row: Any, creditor: CreditorRow, party: Party, now: Coming) -> DebtorMessage:
    """The message. Raises `PermanentError` as `words` does."""
    policy = msgspec.json.decode(row.policy, type=ContactPolicy)
    channel, today, folder = Channel(row.channel), hub.business_date(), letters_folder(hub)
    facts = _facts(policy, creditor, row.currency, now, today)
    spoken = shipped_language(party.language, creditor.party.language, known=languages(folder))
    said = (short_words if channel is Channel.SMS else words)(facts, Tone(row.tone), spoken, folder)
    sender = speaker(hub, creditor, policy.heading)
    attachments: tuple[Attachment, ...] = ()
    if channel is Channel.LETTER:
        content = letter_pdf(
            said, sender=sender, recipient=party, number=facts.number, today=today, printed_at=hub.now(),
            code=payment_code(facts),
        )
        attachments = (Attachment(name=f"{row.notice_id}.pdf", media_type="application/pdf", content=content),)
    elif channel is Channel.EMAIL:
        attachments = code_picture(facts)
    return DebtorMessage(
        contact_id=row.notice_id, channel=channel, sender_name=sender.name, reply_to=creditor.party.email,
        recipient=party.name, email=party.email, phone=phone_of(party), address=party.address, language=said.language,
        subject=said.subject, text=said.text, attachments=attachments,
    )  # fmt: skip


def _facts(policy: ContactPolicy, creditor: CreditorRow, currency: str, now: Coming, today: dt.date) -> LetterFacts:
    """There is no case number yet: the invoices' own numbers are the reference, as they stand on the invoices."""
    numbers = _numbers([row.number for row, _ in now.items])
    return LetterFacts(
        number=numbers, creditor=creditor.name, currency=currency, credits=now.credits, paid=Decimal(0), charges=Decimal(0),
        items=tuple(
            LetterItem(number=row.number, issued_on=row.issued_on, due_on=row.due_on, amount=amount)
            for row, amount in now.items
        ),
        total=now.total, reference=numbers, account=creditor.playbook.payment_account, today=today,
        pay_by=min(row.due_on for row, _ in now.items), phone=policy.phone or phone_of(creditor.party),
        on_behalf=policy.heading is Heading.OPERATOR,
    )  # fmt: skip


def _numbers(numbers: Sequence[str]) -> str:
    """Every number, as far as they fit a transfer.

    >>> _numbers(["F-1", "F-2"]), _numbers([f"F-{n:08}" for n in range(9)])
    ('F-1, F-2', 'F-00000000, F-00000001, F-00000002, F-00000003 ...')
    """
    said = ""
    for number in numbers:
        more = f"{said}, {number}" if said else number
        if len(more) + 4 > _REFERENCE_LONGEST:
            return f"{said} ..." if said else number[:_REFERENCE_LONGEST]
        said = more
    return said
