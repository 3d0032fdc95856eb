"""Transfers of partners: announced line by line, found on the client account by their sum, tied to what was reported.

One movement on the account stands for many payments. None of them is booked again: every case knows its part already.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec
import sqlalchemy as sa

from collecthub.engine.case_work import open_task
from collecthub.engine.context import Hub, Work
from collecthub.engine.remitting import operator_only
from collecthub.errors import PermanentError
from collecthub.formats.plain_json import read_plain
from collecthub.model.contract import Bearer
from collecthub.model.event import PaymentReported
from collecthub.model.ids import derived_id
from collecthub.model.money_transfer import Transfer, check_transfer, findings_of, shares
from collecthub.store import payments as p
from collecthub.store import remittance_tables as r
from collecthub.store import tables as t
from collecthub.store.case_log import read_events, to_minor
from collecthub.store.queries.scope import Scope, not_there
from collecthub.wire.decoders import decoder

ANNOUNCED, ARRIVED = "announced", "arrived"
_AMOUNTS = frozenset({"amount", "received", "rate", "charges"})
_WITHIN = dt.timedelta(days=45)


class _Part(msgspec.Struct, frozen=True, kw_only=True):
    """A line that was found: the event of the case in which the partner reported it."""

    case_id: str
    creditor_id: str
    seq: int


class TransferTaken(msgspec.Struct, frozen=True, kw_only=True):
    """A transfer with what does not add up in it; `payment_id` once it is on the account."""

    transfer_id: str
    partner_id: str
    state: str
    transfer: Transfer
    findings: tuple[str, ...]
    payment_id: str | None = None


def take_transfer(hub: Hub, scope: Scope, partner_id: str, content: bytes) -> TransferTaken:
    """Note a transfer and look for it on the client account. The same one again changes nothing.

    Raises `PermanentError` for lines that the partner never reported, and for another one under a known reference.
    """
    operator_only(scope)
    transfer = read_plain(content, Transfer, _AMOUNTS)
    check_transfer(transfer)
    findings = findings_of(transfer)
    transfer_id = derived_id("transfer", partner_id, transfer.reference)
    with hub.work() as work:
        known = work.conn.execute(sa.select(r.transfers).where(r.transfers.c.transfer_id == transfer_id)).first()
        if known is None:
            parts = _parts(work.conn, partner_id, transfer)
            borne = transfer.charges if transfer.bearer is Bearer.OPERATOR else transfer.charges * 0
            work.conn.execute(
                sa.insert(r.transfers).values(
                    transfer_id=transfer_id, partner_id=partner_id, reference=transfer.reference, state=ANNOUNCED,
                    currency=transfer.received_currency, received_minor=to_minor(transfer.received, transfer.received_currency),
                    operator_minor=to_minor(borne, transfer.received_currency), finding="; ".join(findings),
                    doc=msgspec.json.encode({"transfer": transfer, "parts": parts}).decode(), entered_by=scope.subject,
                    entered_at=work.now,
                )
            )
            if findings:
                open_task(
                    work, kind="transfer", title=f"transfer {transfer.reference} of {partner_id} does not add up",
                    detail="; ".join(findings),
                )
        elif _stored(known).transfer != transfer:
            raise PermanentError(
                f"transfer {transfer.reference} was announced before with another content", cure="Ask the partner for a new reference."
            )
    settle_transfers(hub)
    with hub.database.read() as conn:
        return _stored(conn.execute(sa.select(r.transfers).where(r.transfers.c.transfer_id == transfer_id)).one())


def _stored(row: Any) -> TransferTaken:
    transfer = decoder(_Doc).decode(row.doc).transfer
    return TransferTaken(
        transfer_id=row.transfer_id, partner_id=row.partner_id, state=row.state, transfer=transfer,
        findings=findings_of(transfer), payment_id=row.payment_id,
    )  # fmt: skip


class _Doc(msgspec.Struct, frozen=True, kw_only=True):
    transfer: Transfer
    parts: tuple[_Part, ...]


def _parts(conn: sa.Connection, partner_id: str, transfer: Transfer) -> tuple[_Part, ...]:
    """The events in which the partner reported each line. Raises `PermanentError` for a line that he never did."""
    found: list[_Part] = []
    for line in transfer.lines:
        named = (t.cases.c.number == line.case) | (t.cases.c.case_id == line.case)
        case = conn.execute(sa.select(t.cases.c.case_id, t.cases.c.creditor_id).where(named)).first()
        if case is None:
            raise not_there("case", line.case)
        seq = next(
            (
                event.seq
                for event in read_events(conn, case.case_id)
                if isinstance(event.fact, PaymentReported) and event.fact.payment_ref == line.payment_ref
                and event.actor == f"partner:{partner_id}"
            ),
            None,
        )  # fmt: skip
        if seq is None:
            raise PermanentError(
                f"the partner never reported payment {line.payment_ref[:40]} in case {line.case[:40]}",
                cure="Ask him for the report; nothing of the transfer was taken over.",
            )
        found.append(_Part(case_id=case.case_id, creditor_id=case.creditor_id, seq=seq))
    return tuple(found)


def settle_transfers(hub: Hub) -> int:
    """Find announced transfers on the client account, by their sum and reference; returns how many were found."""
    with hub.database.read() as conn:
        if conn.scalar(sa.select(r.transfers.c.transfer_id).where(r.transfers.c.state == ANNOUNCED).limit(1)) is None:
            return 0
    settled = 0
    with hub.work() as work:
        rows = work.conn.execute(sa.select(r.transfers).where(r.transfers.c.state == ANNOUNCED).with_for_update()).all()
        for row in rows:
            payment = _movement(work.conn, row)
            if payment is not None:
                _tie(work, row, payment)
                settled += 1
    return settled


def _movement(conn: sa.Connection, row: Any) -> p.StoredPayment | None:
    """The one movement that the transfer can be: the only one of its sum that names it, else the only one of its sum."""
    booked = sa.exists().where(t.payment_bookings.c.payment_id == t.payments.c.payment_id)
    query = sa.select(t.payments).where(
        t.payments.c.creditor_id.is_(None), t.payments.c.state.in_((p.NEW, p.OPEN)), ~booked,
        t.payments.c.amount_minor == row.received_minor, t.payments.c.currency == row.currency,
        t.payments.c.booked_on >= (row.entered_at - _WITHIN).date(),
    )  # fmt: skip
    found = [p.stored(one) for one in conn.execute(query)]
    naming = [one for one in found if row.reference.casefold() in f"{one.transaction.reference} {one.transaction.text}".casefold()]
    chosen = naming or found
    return chosen[0] if len(chosen) == 1 else None


def _tie(work: Work, row: Any, payment: p.StoredPayment) -> None:
    doc = decoder(_Doc).decode(row.doc)
    for part, share in zip(doc.parts, shares(doc.transfer), strict=True):
        booking = p.booking_row(payment, part.case_id, part.creditor_id, part.seq, share, work.now, is_known=True)
        work.conn.execute(sa.insert(t.payment_bookings).values(**booking))
    settled = {"state": p.KNOWN, "decided_by": "hub", "decided_at": work.now, "note": f"transfer {row.reference}"}
    p.settle(work.conn, [{"of_payment": payment.payment_id, **settled}])
    work.conn.execute(
        sa.update(r.transfers)
        .where(r.transfers.c.transfer_id == row.transfer_id)
        .values(state=ARRIVED, payment_id=payment.payment_id)
    )
