"""This hub as the holder of another hub's cases: their case files enter, their amendments are applied.

The sending hub is a partner row with an API key; its cases belong to one creditor of its own, made on demand. The
sender's `case_id` is kept as the `debtor_ref` of our case, the only handle it gives us and the one it uses again.
What happens in such a case is told back from its history (`telling_peers`).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec
import sqlalchemy as sa

from collecthub.engine.act_messages import take_act_message
from collecthub.engine.case_work import change_case, locked_case, open_task
from collecthub.engine.context import Hub, Work
from collecthub.engine.desk import WAITING_CREDITOR, instruction
from collecthub.engine.documents import add_documents, keep_document
from collecthub.engine.inbound import keep_inbound
from collecthub.engine.intake import Draft, DraftClaim, Intake, intake_connection_id, open_draft, ready_intake
from collecthub.engine.inward import RECORDED
from collecthub.engine.peer_outbox import send_back
from collecthub.errors import PermanentError, QuarantineError
from collecthub.model import event as ev
from collecthub.model.case import Case
from collecthub.model.codes import Outcome, Status
from collecthub.model.exchange import (
    AckVerdict,
    AmendmentCode,
    CaseAcknowledgement,
    CaseAmendment,
    CaseFile,
    CaseInstruction,
    ClaimItem,
    Exchange,
    Fault,
    FaultItem,
    InstructionCode,
    Message,
)
from collecthub.model.ids import derived_id
from collecthub.model.party import Party
from collecthub.ports import RawMessage
from collecthub.store import tables as t
from collecthub.store.case_log import read_cases
from collecthub.store.connections import (
    ConnectionRow,
    CreditorRow,
    Playbook,
    read_connection,
    read_creditor,
    write_creditor,
)
from collecthub.store.quarantine import quarantine_row
from collecthub.store.queries.scope import Role, Scope, not_there

SUSPENDED = "suspended"
REFUSED = "refused"  # state of an inbox row that only its sender can put right
_BEFORE_ELEMENT = re.compile(r"/Exchange/Messages/[^/]+/?|messages\[\d+\]\.?")  # where a message stands in its exchange
_LINE = re.compile(r", line \d+$")


class Received(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to an exchange: it is stored, now or before."""

    exchange_id: str
    duplicate: bool


class ChangedExchangeError(PermanentError):
    """An exchange id came before with other bytes."""


def peer_creditor_id(partner_id: str) -> str:
    """The creditor that stands for a sending hub."""
    return f"peer-{partner_id}"[:64]


def ready_peer(hub: Hub, partner_id: str) -> str:
    """Make the sending hub's creditor and connection if they are not there; returns the connection's id."""
    creditor_id = peer_creditor_id(partner_id)
    with hub.database.read() as conn:
        name = conn.scalar(sa.select(t.partners.c.name).where(t.partners.c.partner_id == partner_id))
        known = read_creditor(conn, creditor_id)
    if name is None:
        raise not_there("partner", partner_id)
    if known is None:
        with hub.work() as work:
            row = CreditorRow(creditor_id=creditor_id, name=name, party=Party(name=name), playbook=Playbook())
            write_creditor(work.conn, row, work.now)
    return ready_intake(hub, _peer_scope(partner_id), creditor_id)


def _peer_scope(partner_id: str) -> Scope:
    return Scope(role=Role.CREDITOR, subject=f"partner:{partner_id}", creditor_id=peer_creditor_id(partner_id))


# --- receive --------------------------------------------------------------------------------------


def receive_exchange(
    hub: Hub, partner_id: str, exchange_id: str, content: bytes, read: Callable[[bytes], tuple[Exchange, tuple[Fault, ...]]]
) -> Received:
    """Keep an exchange of another hub and do what it says; a repeat has no second effect.

    Raises `ChangedExchangeError` for a known id with other bytes and `QuarantineError` when the whole cannot be read or
    is not from and for the right hubs; its bytes are in quarantine then.
    """
    connection_id = ready_peer(hub, partner_id)
    sha256 = hub.evidence.keep(content)
    with hub.work() as work:
        row = _locked(work, connection_id)
        known = _known(work.conn, connection_id, exchange_id)
        if known is not None and known.sha256 != sha256:
            raise ChangedExchangeError(
                f"exchange {exchange_id} came before with other content", cure="Give changed content a new id."
            )
        if known is not None and known.state == RECORDED:
            return Received(exchange_id=exchange_id, duplicate=True)
        if known is None:
            keep_inbound(hub, work, row, RawMessage(remote_ref=exchange_id, media_type="application/json", content=content))
            work.wakes.pop(("record", connection_id), None)  # read here and now, not by the runner of a partner's line
        problem = _understand(hub, work, row, partner_id, exchange_id, sha256, content, read)
    if problem is not None:
        raise problem
    return Received(exchange_id=exchange_id, duplicate=False)


def _understand(
    hub: Hub, work: Work, row: ConnectionRow, partner_id: str, exchange_id: str, sha256: str, content: bytes,
    read: Callable[[bytes], tuple[Exchange, tuple[Fault, ...]]],
) -> QuarantineError | None:
    try:
        exchange, faults = read(content)
        _check_address(hub, partner_id, exchange_id, exchange)
    except QuarantineError as error:
        quarantine_row(work.conn, row, "message", exchange_id, error.code, error.message, sha256, work.now)
        _set_state(work, row.connection_id, exchange_id, REFUSED, f"{error.code}: {error.message}")
        return error
    replies: list[Message] = [_refusal(work, fault) for fault in faults if fault.message_id and fault.case_id]
    for fault in faults:
        quarantine_row(work.conn, row, "part", fault.message_id or exchange_id, fault.code, fault.reason, sha256, work.now)
    for message in () if exchange.is_test else exchange.messages:
        if _first_time(work, row.connection_id, message.message_id):
            replies += _answered(hub, work, row, partner_id, message)
    send_back(hub, work, partner_id, replies)
    _set_state(work, row.connection_id, exchange_id, RECORDED, "; ".join(fault.reason for fault in faults)[:2000])
    return None


def _check_address(hub: Hub, partner_id: str, exchange_id: str, exchange: Exchange) -> None:
    wanted = (exchange_id, partner_id, hub.settings.operator_name)
    if (exchange.exchange_id, exchange.sender_ref, exchange.receiver_ref) != wanted:
        raise QuarantineError(
            f"exchange {exchange.exchange_id} is from {exchange.sender_ref} to {exchange.receiver_ref}; "
            f"expected is {exchange_id} from {partner_id} to {hub.settings.operator_name}",
            code="exchange.address", cure="Correct the references and the Idempotency-Key.",
        )


def _locked(work: Work, connection_id: str) -> ConnectionRow:
    mine = sa.select(t.connections.c.connection_id).where(t.connections.c.connection_id == connection_id)
    work.conn.execute(mine.with_for_update())
    row = read_connection(work.conn, connection_id)
    if row is None:
        raise PermanentError("the other hub's connection is gone", cure="Send again.")
    return row


def _known(conn: sa.Connection, connection_id: str, exchange_id: str) -> Any:
    mine = (t.inbox.c.connection_id == connection_id) & (t.inbox.c.remote_ref == exchange_id)
    return conn.execute(sa.select(t.inbox).where(mine)).first()


def exchange_state(conn: sa.Connection, partner_id: str, exchange_id: str) -> str | None:
    """received, accepted or refused; None when it never came."""
    row = _known(conn, intake_connection_id(peer_creditor_id(partner_id)), exchange_id)
    return None if row is None else {RECORDED: "accepted", REFUSED: "refused"}.get(row.state, "received")


def _set_state(work: Work, connection_id: str, exchange_id: str, state: str, problem: str) -> None:
    mine = (t.inbox.c.connection_id == connection_id) & (t.inbox.c.remote_ref == exchange_id)
    values = {"state": state, "problem": problem, "recorded_at": work.now, "answered_at": work.now}
    work.conn.execute(sa.update(t.inbox).where(mine).values(values))


def _first_time(work: Work, connection_id: str, message_id: str) -> bool:
    key = (t.seen.c.connection_id == connection_id) & (t.seen.c.message_id == message_id)
    if work.conn.execute(sa.select(t.seen.c.inbox_id).where(key)).first() is not None:
        return False
    values = {"connection_id": connection_id, "message_id": message_id, "inbox_id": "", "recorded_at": work.now}
    work.conn.execute(sa.insert(t.seen).values(values))
    return True


# --- apply ----------------------------------------------------------------------------------------


def _answered(hub: Hub, work: Work, row: ConnectionRow, partner_id: str, message: Message) -> list[Message]:
    try:
        if take_act_message(hub, work, msgspec.structs.replace(row, partner_id=partner_id), message):
            return []  # what we say about an act goes out by its own job
    except QuarantineError as error:
        return [_ack(work, message.message_id, error.reference, AckVerdict.REFUSED, error.code, f"{error.message}. {error.cure}")]
    match message:
        case CaseFile():
            return [_open(hub, work, partner_id, message)]
        case CaseAmendment():
            return [_amend(hub, work, row, partner_id, message)]
        case CaseInstruction():
            return _instruct(hub, work, row, partner_id, message)
        case _:
            return [_ack(work, message.message_id, message.case_id, AckVerdict.REFUSED, "unexpected",
                         "a hub that hands cases over does not send this")]  # fmt: skip


def _ack(
    work: Work, reply_to: str, case_id: str, verdict: AckVerdict, code: str = "", reason: str = "", holder_ref: str = "",
    faults: tuple[FaultItem, ...] = (),
) -> CaseAcknowledgement:  # fmt: skip
    return CaseAcknowledgement(
        message_id=derived_id(reply_to, verdict.value, "peer"), case_id=case_id, holder_ref=holder_ref,
        in_reply_to=reply_to, verdict=verdict, reason_code=code, reason=reason[:1000], occurred_at=work.now,
        faults=faults,
    )


def _refusal(work: Work, fault: Fault) -> CaseAcknowledgement:
    code = fault.code[:64]
    wrong = FaultItem(element=_BEFORE_ELEMENT.sub("", _LINE.sub("", fault.path))[:300], code=code, reason=fault.reason[:1000])
    return _ack(work, fault.message_id, fault.case_id, AckVerdict.REFUSED, code, fault.reason, faults=(wrong,))


def _open(hub: Hub, work: Work, partner_id: str, message: CaseFile) -> CaseAcknowledgement:
    found: Intake = open_draft(
        hub, work, _peer_scope(partner_id), peer_creditor_id(partner_id), draft_of(message), origin="exchange",
        key=message.message_id,
    )
    if found.errors or found.case_id is None:
        code = "duplicate" if found.is_duplicate else "invalid_data"
        reason = "; ".join(f"{error.field}: {error.reason}" for error in found.errors)
        faults = tuple(FaultItem(element=error.field, code=code, reason=error.reason) for error in found.errors)
        return _ack(work, message.message_id, message.case_id, AckVerdict.REFUSED, code, reason, faults=faults)
    _keep_documents(hub, work, locked_case(work, found.case_id), message, partner_id)
    return _ack(work, message.message_id, message.case_id, AckVerdict.ACCEPTED, holder_ref=found.number)


def draft_of(message: CaseFile) -> Draft:
    """A case file as the intake reads it."""
    return Draft(
        debtor=message.debtors[0], currency=message.currency, debtor_ref=message.case_id, origin_ref=message.case_number,
        credits=message.credits, dunning_level=message.dunning_level,
        claims=tuple(_draft_claim(item) for item in message.claims),
    )


def _draft_claim(item: ClaimItem) -> DraftClaim:
    return DraftClaim(
        number=item.invoice_ref, due_on=item.due_on, issued_on=item.issued_on, amount=item.original_amount,
        open_amount=item.open_amount, claim_ref=item.claim_id,
    )


def _keep_documents(hub: Hub, work: Work, case: Case, message: CaseFile, partner_id: str) -> None:
    kept = [
        keep_document(hub, item.content, name=item.name, kind=item.kind, media_type=item.media_type)
        for item in message.documents
    ]
    add_documents(hub, work, case, kept, actor=f"partner:{partner_id}")


def _case_of(work: Work, row: ConnectionRow, case_id: str) -> Case | None:
    """The open case with the sender's id, else the one closed last; locked."""
    mine = (t.cases.c.connection_id == row.connection_id) & (t.cases.c.debtor_ref == case_id)
    found = sorted(read_cases(work.conn, mine), key=lambda case: (case.is_open, case.opened_at))
    return locked_case(work, found[-1].case_id) if found else None


def _amend(hub: Hub, work: Work, row: ConnectionRow, partner_id: str, message: CaseAmendment) -> CaseAcknowledgement:
    case = _case_of(work, row, message.case_id)
    if case is None:
        return _ack(work, message.message_id, message.case_id, AckVerdict.REFUSED, "unknown_case", "no such case here")
    if message.currency != case.currency:
        reason = f"the case is in {case.currency}"
        return _ack(work, message.message_id, message.case_id, AckVerdict.REFUSED, "currency", reason)
    facts = amendment_facts(case, message) if case.is_open else []
    if facts:
        change_case(hub, work, case, facts, actor=f"partner:{partner_id}")
    return _ack(work, message.message_id, message.case_id, AckVerdict.ACCEPTED, holder_ref=case.number)


def amendment_facts(case: Case, message: CaseAmendment) -> list[ev.Fact]:
    """What an amendment adds to the history of an open case. Pure."""
    match message.code:
        case AmendmentCode.RECALL:
            return [ev.CaseClosed(outcome=Outcome.RECALLED, reason=message.reason or message.reason_code)]
        case AmendmentCode.SUSPEND:
            return [] if case.held_for(SUSPENDED) else [ev.HoldSet(reason=SUSPENDED, note=message.reason)]
        case AmendmentCode.RESUME:
            return [ev.HoldReleased(reason=SUSPENDED)] if case.held_for(SUSPENDED) else []
        case AmendmentCode.BALANCE:
            return _balance_facts(case, message)


def _balance_facts(case: Case, message: CaseAmendment) -> list[ev.Fact]:
    facts: list[ev.Fact] = []
    told = {item.claim_id: item for item in message.claims}
    unmatched = list(case.unmatched)
    for claim in case.claims:
        item = told.pop(claim.claim_id, None)
        delta = (item.open_amount if item else Decimal(0)) - claim.open_amount
        if delta > 0:
            facts.append(ev.ClaimReopened(claim_id=claim.claim_id, amount=delta))
        elif delta < 0:
            facts.append(_lowered(claim.claim_id, -delta, message.reason_code, unmatched))
    facts += [ev.ClaimAdded(claim=_new_claim(item)) for item in told.values()]
    loose = sum((item.open_amount for item in message.claims), Decimal(0)) - message.principal - case.loose_credits
    if loose:
        facts.append(ev.CreditSeen(claim_id="", amount=loose, reason=message.reason_code))
    return facts


def _lowered(claim_id: str, amount: Decimal, reason: str, unmatched: list[tuple[str, Decimal]]) -> ev.Fact:
    """Money that was recorded here already is booked once."""
    known = next((entry for entry in unmatched if entry[1] == amount), None)
    if known is None:
        return ev.CreditSeen(claim_id=claim_id, amount=amount, reason=reason)
    unmatched.remove(known)
    return ev.RemittanceBooked(claim_id=claim_id, amount=amount, payment_ref=known[0])


def _new_claim(item: ClaimItem) -> ev.Claim:
    return ev.Claim(
        claim_id=item.claim_id, number=item.invoice_ref, issued_on=item.issued_on, due_on=item.due_on,
        original_amount=item.original_amount, open_amount=item.open_amount,
    )


def _instruct(hub: Hub, work: Work, row: ConnectionRow, partner_id: str, message: CaseInstruction) -> list[Message]:
    case = _case_of(work, row, message.case_id)
    if case is None:
        return [_ack(work, message.message_id, message.case_id, AckVerdict.REFUSED, "unknown_case", "no such case here")]
    facts: list[ev.Fact] = [
        ev.InstructionReceived(message_id=message.message_id, code=message.code.value, text=message.text)
    ]
    if message.code is not InstructionCode.QUESTION and case.held_for(WAITING_CREDITOR):
        facts.append(ev.HoldReleased(reason=WAITING_CREDITOR, note=message.text))
    if case.placement is not None and case.placement.is_out and case.status is not Status.CLOSED:
        facts.append(instruction(case, message.code, message.text))
    else:
        open_task(
            work, kind="instruction", title=f"case {case.number}: the creditor's hub says {message.code.value}",
            detail=message.message_id, creditor_id=case.creditor_id, case_id=case.case_id,
        )
    change_case(hub, work, case, facts, actor=f"partner:{partner_id}")
    return [_ack(work, message.message_id, message.case_id, AckVerdict.ACCEPTED, holder_ref=case.number)]
