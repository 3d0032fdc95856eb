"""Transfers of partners: announced line by line, found on the client account by their sum, tied to what was reported.

One movement on the account stands for many payments. None of them is booked again: every case knows its part already.
The one record of what partners pass on, whether a partner says it at his door or the operator enters his paper.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import msgspec
import sqlalchemy as sa

from collecthub.engine.case_work import change_case, locked_case, open_task
from collecthub.engine.context import Hub, Work
from collecthub.engine.partner_invoices import known_cases
from collecthub.engine.remitting import operator_only
from collecthub.engine.reported_payments import ReportedPayment, reported_payment
from collecthub.errors import PermanentError
from collecthub.formats.plain_json import read_plain
from collecthub.model.contract import Contract, Side, in_force
from collecthub.model.facts_remittance import MoneyCameNet
from collecthub.model.ids import derived_id
from collecthub.model.money import round_amount
from collecthub.model.money_transfer import Transfer, check_transfer, findings_of, shares, taken_off
from collecthub.model.partner_invoice import agreed_fees
from collecthub.store import payments as p
from collecthub.store import remittance_tables as r
from collecthub.store import tables as t
from collecthub.store.case_log import to_minor
from collecthub.store.contracts import versions_of
from collecthub.store.queries.scope import Scope
from collecthub.wire.decoders import decoder

ANNOUNCED, ARRIVED = "announced", "arrived"
_AMOUNTS = frozenset({"amount", "received", "rate", "charges", "fee"})
_WITHIN = dt.timedelta(days=45)


class TransferTaken(msgspec.Struct, frozen=True, kw_only=True):
    """A transfer with what does not add up in it; `payment_id` once it is on the account."""

    transfer_id: str
    partner_id: str
    state: str
    transfer: Transfer
    findings: tuple[str, ...]
    entered_at: dt.datetime
    payment_id: str | None = None


def take_transfer(hub: Hub, scope: Scope, partner_id: str, content: bytes) -> TransferTaken:
    """The operator enters a partner's paper, and it is looked for on the client account.

    Raises `PermanentError` for lines that the partner never reported, and for another one under a known reference.
    """
    operator_only(scope)
    transfer = read_plain(content, Transfer, _AMOUNTS)
    check_transfer(transfer)
    with hub.work() as work:
        _every_part(work.conn, partner_id, transfer)
        noted = note_transfer(work, partner_id, transfer, entered_by=scope.subject)
    settle_transfers(hub)
    with hub.database.read() as conn:
        return taken(conn.execute(sa.select(r.transfers).where(r.transfers.c.transfer_id == noted.transfer_id)).one())


def note_transfer(
    work: Work, partner_id: str, transfer: Transfer, *, entered_by: str, is_in_cases_currency: bool = False
) -> TransferTaken:  # fmt: skip
    """Keep a transfer with what does not add up in it. The same one again changes nothing.

    A paper states its lines in the currency in which the partner sends; at his own door they are in that of the cases, and
    another one is a finding (`is_in_cases_currency`). Who bears the partner's fee is what his contract says on the day of
    the transfer. Raises `PermanentError` for another content under a known reference.
    """
    transfer_id = derived_id("transfer", partner_id, transfer.reference)
    mine = sa.select(r.transfers).where(
        r.transfers.c.partner_id == partner_id, r.transfers.c.reference == transfer.reference
    )
    known = work.conn.execute(mine).first()
    if known is not None:
        found = taken(known)
        if found.transfer != msgspec.structs.replace(transfer, fee_bearer=found.transfer.fee_bearer):
            raise PermanentError(
                f"transfer {transfer.reference} was announced before with another content", cure="Ask the partner for a new reference."
            )
        return found
    versions = versions_of(work.conn, Side.PARTNER, partner_id)
    contract = in_force(versions, transfer.paid_on or work.now.date())
    if contract is not None:
        transfer = msgspec.structs.replace(transfer, fee_bearer=contract.terms.bearer_of_fee(Side.PARTNER))
    differs = _against_reports(work.conn, partner_id, transfer, versions, is_in_cases_currency)
    finding = "; ".join((*findings_of(transfer), *differs))
    work.conn.execute(
        sa.insert(r.transfers).values(
            transfer_id=transfer_id, partner_id=partner_id, reference=transfer.reference, state=ANNOUNCED,
            currency=transfer.received_currency, received_minor=to_minor(transfer.received, transfer.received_currency),
            operator_minor=to_minor(transfer.operators_part, transfer.received_currency), finding=finding,
            doc=msgspec.json.encode(transfer).decode(), entered_by=entered_by, entered_at=work.now,
        )
    )
    if finding:
        title = f"transfer {transfer.reference} of {partner_id} does not add up"
        open_task(work, kind="transfer", title=title, detail=finding[:2000])
    return taken(work.conn.execute(mine).one())


def taken(row: Any) -> TransferTaken:
    """A row of the table."""
    return TransferTaken(
        transfer_id=row.transfer_id, partner_id=row.partner_id, state=row.state, transfer=decoder(Transfer).decode(row.doc),
        findings=tuple(row.finding.split("; ")) if row.finding else (), entered_at=row.entered_at, payment_id=row.payment_id,
    )  # fmt: skip


def _against_reports(
    conn: sa.Connection, partner_id: str, transfer: Transfer, versions: list[Contract], is_in_cases_currency: bool
) -> Iterator[str]:  # fmt: skip
    """What differs from the partner's own reports, and from the fee that his contract grants on them."""
    for line, part in zip(transfer.lines, _parts(conn, partner_id, transfer), strict=True):
        if part is None:
            yield f"payment {line.payment_ref} was reported as nothing, {line.amount} is passed on"
        elif part.currency == transfer.currency and part.amount != line.amount:
            yield f"payment {line.payment_ref} was reported as {part.amount}, {line.amount} is passed on"
        elif part.currency != transfer.currency and is_in_cases_currency:
            yield (
                f"payment {line.payment_ref} was reported in {part.currency},"
                f" the currency of its case, and is passed on as {line.amount} {transfer.currency}"
            )
    if transfer.fee and versions:
        yield from _against_grid(conn, partner_id, transfer, versions)


def _against_grid(conn: sa.Connection, partner_id: str, transfer: Transfer, versions: list[Contract]) -> Iterator[str]:
    cases = known_cases(conn, partner_id, {line.case for line in transfer.lines})
    try:
        agreed = agreed_fees(versions, cases, [(line.case, line.payment_ref) for line in transfer.lines])
    except PermanentError as error:
        yield error.message
        return
    granted = round_amount(agreed * transfer.rate, transfer.received_currency)
    if granted != transfer.fee:
        yield f"a fee of {transfer.fee} {transfer.received_currency} was kept back, agreed is {granted}"


def _every_part(conn: sa.Connection, partner_id: str, transfer: Transfer) -> tuple[ReportedPayment, ...]:
    """The events in which the partner reported the lines. Raises `PermanentError` for a line that he never did."""
    found: list[ReportedPayment] = []
    for line, part in zip(transfer.lines, _parts(conn, partner_id, transfer), strict=True):
        if part is None:
            raise PermanentError(
                f"the partner never reported payment {line.payment_ref[:40]} in case {line.case[:40]}",
                cure="Ask him for the report; nothing of the transfer was taken over.",
            )
        found.append(part)
    return tuple(found)


def _parts(conn: sa.Connection, partner_id: str, transfer: Transfer) -> list[ReportedPayment | None]:
    return [reported_payment(conn, partner_id, line.case, line.payment_ref) for line in transfer.lines]


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
            if payment is not None and _tie(hub, work, row, payment):
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


def _tie(hub: Hub, work: Work, row: Any, payment: p.StoredPayment) -> bool:
    """Tie every line to its event; nothing is tied while the partner still owes the report of one.

    Lines in another currency than their cases' are no amounts of these cases: the money stays on the account as it came,
    until a person books it or the partner has said it anew.
    """
    found = taken(row)
    parts = [part for part in _parts(work.conn, found.partner_id, found.transfer) if part is not None]
    if len(parts) < len(found.transfer.lines):
        return False
    is_partners_own = row.entered_by.startswith("partner:")
    if is_partners_own and any(part.currency != found.transfer.currency for part in parts):
        return False
    for part, share in zip(parts, shares(found.transfer), strict=True):
        booking = p.booking_row(payment, part.case_id, part.creditor_id, part.seq, share, work.now, is_known=True)
        work.conn.execute(sa.insert(t.payment_bookings).values(**booking))
    settled = {"state": p.KNOWN, "decided_by": "hub", "decided_at": work.now, "note": f"transfer {found.transfer.reference}"}
    p.settle(work.conn, [{"of_payment": payment.payment_id, **settled}])
    work.conn.execute(
        sa.update(r.transfers)
        .where(r.transfers.c.transfer_id == found.transfer_id)
        .values(state=ARRIVED, payment_id=payment.payment_id)
    )
    _tell_cases(hub, work, found.transfer, parts)
    return True


def _tell_cases(hub: Hub, work: Work, transfer: Transfer, parts: list[ReportedPayment]) -> None:
    """Every case learns what its creditor bears of the partner's fee and of the charges on the way."""
    rule = f"transfer {transfer.reference}"
    if transfer.received_currency != transfer.currency:
        rule += f", {transfer.rate} {transfer.received_currency} a {transfer.currency} on {transfer.rate_on} ({transfer.rate_source})"
    for part, off in zip(parts, taken_off(transfer), strict=True):
        if off.fee or off.charges:
            fact = MoneyCameNet(
                transfer_ref=transfer.reference, currency=transfer.currency, fee=off.fee, charges=off.charges, rule=rule
            )
            change_case(hub, work, locked_case(work, part.case_id), [fact], actor="hub")
