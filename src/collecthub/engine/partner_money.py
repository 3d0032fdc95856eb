"""A partner passes money on in its currency: what it received, in which cases, at which rate, less which charges and fee."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import msgspec
import sqlalchemy as sa

from collecthub.engine.case_work import open_task
from collecthub.engine.context import Work
from collecthub.errors import PermanentError
from collecthub.model.event import PaymentReported
from collecthub.model.ids import new_id
from collecthub.model.money import round_amount
from collecthub.store import partner_tables as p
from collecthub.store import tables as t
from collecthub.store.case_log import read_events, to_minor
from collecthub.store.queries.scope import not_there


class RemittedLine(msgspec.Struct, frozen=True, kw_only=True):
    """Money of one payment within a remittance, in the case's currency."""

    case_id: str
    payment_ref: str
    amount: Decimal


class PartnerRemittance(msgspec.Struct, frozen=True, kw_only=True):
    """What a partner says it paid. `rate` is how much of `currency` one unit of `case_currency` is, on `rate_on`.

    `amount` = sum of the lines x rate - `bank_charges` - `fee`, all of the last three in `currency`.
    """

    remittance_ref: str
    currency: str
    amount: Decimal
    paid_on: dt.date
    case_currency: str
    rate: Decimal = Decimal(1)
    rate_on: dt.date | None = None
    bank_charges: Decimal = Decimal(0)
    fee: Decimal = Decimal(0)
    lines: tuple[RemittedLine, ...]

    @property
    def expected(self) -> Decimal:
        """What the lines come to after rate, charges and fee."""
        gross = sum((line.amount for line in self.lines), Decimal(0))
        return round_amount(gross * self.rate, self.currency) - self.bank_charges - self.fee


class KeptRemittance(msgspec.Struct, frozen=True, kw_only=True):
    """A remittance as it is kept; `finding` says what does not add up, and is then on a person's list."""

    remittance_id: str
    remittance: PartnerRemittance
    finding: str = ""
    created_at: dt.datetime


def take_remittance(work: Work, partner_id: str, said: PartnerRemittance) -> KeptRemittance:
    """Keep what a partner says it passed on. The same reference with the same figures is kept once.

    Raises `PermanentError` for a known reference with other figures, and for money in cases that were never its.
    """
    doc = msgspec.json.encode(said).decode()
    mine = (p.partner_remittances.c.partner_id == partner_id) & (p.partner_remittances.c.remittance_ref == said.remittance_ref)
    known = work.conn.execute(sa.select(p.partner_remittances).where(mine)).first()
    if known is not None:
        if known.doc != doc:
            raise PermanentError(
                f"remittance {said.remittance_ref} came before with other figures", cure="Give it a reference of its own."
            )
        return KeptRemittance(
            remittance_id=known.remittance_id, remittance=said, finding=known.finding, created_at=known.created_at
        )
    finding = _finding(work, partner_id, said)
    kept = KeptRemittance(remittance_id=new_id(), remittance=said, finding=finding, created_at=work.now)
    work.conn.execute(
        sa.insert(p.partner_remittances).values(
            remittance_id=kept.remittance_id, partner_id=partner_id, remittance_ref=said.remittance_ref,
            currency=said.currency, amount_minor=to_minor(said.amount, said.currency), paid_on=said.paid_on, doc=doc,
            finding=finding, created_at=work.now,
        )
    )
    if finding:
        open_task(
            work, kind="partner_remittance", title=f"remittance {said.remittance_ref} of {partner_id} does not add up",
            detail=finding,
        )
    return kept


def _finding(work: Work, partner_id: str, said: PartnerRemittance) -> str:
    found = []
    if said.amount != said.expected:
        found.append(f"{said.amount} {said.currency} was paid, the lines come to {said.expected} {said.currency}")
    for case_id in dict.fromkeys(line.case_id for line in said.lines):
        found += _wrong_lines(work.conn, partner_id, case_id, said)
    return "; ".join(found)


def _wrong_lines(conn: sa.Connection, partner_id: str, case_id: str, said: PartnerRemittance) -> list[str]:
    was_its = sa.select(t.messages.c.case_id).where(t.messages.c.case_id == case_id, t.messages.c.partner_id == partner_id)
    if conn.scalar(was_its.limit(1)) is None:
        raise not_there("case", case_id)
    actor = f"partner:{partner_id}"
    reported = {
        event.fact.payment_ref: event.fact.amount
        for event in read_events(conn, case_id)
        if isinstance(event.fact, PaymentReported) and event.actor == actor
    }
    lines = [line for line in said.lines if line.case_id == case_id]
    return [
        f"payment {line.payment_ref} was reported as {reported.get(line.payment_ref, 'nothing')}, {line.amount} is passed on"
        for line in lines
        if reported.get(line.payment_ref) != line.amount
    ]


def list_remittances(conn: sa.Connection, partner_id: str) -> tuple[KeptRemittance, ...]:
    """What a partner said it passed on, newest first."""
    query = sa.select(p.partner_remittances).where(p.partner_remittances.c.partner_id == partner_id)
    return tuple(
        KeptRemittance(
            remittance_id=row.remittance_id, remittance=msgspec.json.decode(row.doc, type=PartnerRemittance),
            finding=row.finding, created_at=row.created_at,
        )
        for row in conn.execute(query.order_by(p.partner_remittances.c.created_at.desc()).limit(500))
    )
