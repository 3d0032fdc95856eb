"""Room 2 of BACK: what a partner says becomes facts of the case, translated and never guessed.

One function per kind of message, one table. A code that no table knows raises `QuarantineError`; the message is
kept for a person and the rest of the file goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

import msgspec

from collecthub.errors import QuarantineError
from collecthub.model import event as ev
from collecthub.model import exchange as ex
from collecthub.model.case import RECORDED, Asking, Case
from collecthub.model.codes import Outcome, StatusCode, translate
from collecthub.model.crosswalk import Fidelity, explain
from collecthub.model.exchange import AckVerdict
from collecthub.model.facts_exchange import AmendmentRefused, CaseValidated
from collecthub.model.status_tables import status_tables


class Words(msgspec.Struct, frozen=True):
    """The translation tables and the vocabularies this partner speaks, best first."""

    tables: Mapping[str, Mapping[str, StatusCode]]
    vocabularies: Sequence[str]


def record(case: Case, message: ex.InboundMessage, words: Words) -> tuple[ev.Fact, ...]:
    """The facts a partner's message adds to its case; none when it says nothing new.

    Raises `QuarantineError` for a code without meaning, a foreign currency, or money that cannot be.
    """
    currency = getattr(message, "currency", case.currency)
    if currency != case.currency:
        raise QuarantineError(
            f"the case is in {case.currency}, the message in {currency}",
            code="record.currency", cure="Ask the partner to state the amount in the case's currency.",
            reference=case.number,
        )
    return _RECORDERS[type(message)](case, message, words)


def _acknowledgement(case: Case, message: ex.CaseAcknowledgement, words: Words) -> tuple[ev.Fact, ...]:
    placement = case.placement
    if placement is None:
        return (ev.NoteAdded(text=f"acknowledgement without a placement: {message.verdict}"),)
    asked = next((one for one in placement.asking if one.message_id == message.in_reply_to), None)
    if asked is not None:
        return _answer(asked, message)
    if message.in_reply_to != placement.message_id:
        return ()  # a late answer to an amendment that a newer one replaced, or to an earlier placement
    if message.verdict is AckVerdict.REFUSED:
        code = message.reason_code or "unstated"
        reason, faults = message.reason, message.faults
        return (ev.CaseRefused(message_id=message.in_reply_to, code=code, reason=reason, faults=faults),)
    if message.verdict is AckVerdict.ACCEPTED:
        return (ev.CaseAccepted(message_id=message.in_reply_to, holder_ref=message.holder_ref),)
    if message.verdict is AckVerdict.VALIDATED:
        return (CaseValidated(message_id=message.in_reply_to, holder_ref=message.holder_ref),)
    return (ev.CaseAcknowledged(message_id=message.in_reply_to, holder_ref=message.holder_ref),)


def _answer(asked: Asking, message: ex.CaseAcknowledgement) -> tuple[ev.Fact, ...]:
    """What an answer to a recall, a new balance or a pause says. Only `accepted` settles it: received is not yet done."""
    if message.verdict is AckVerdict.REFUSED:
        code = message.reason_code or "unstated"
        return (
            AmendmentRefused(
                message_id=asked.message_id, code=asked.code, reason_code=code, reason=message.reason, faults=message.faults
            ),
        )
    if message.verdict is not AckVerdict.ACCEPTED:
        return ()
    return (
        ev.AmendmentAcknowledged(message_id=asked.message_id, code=asked.code, holder_ref=message.holder_ref),
    )


def _meaning(case: Case, code: str, words: Words) -> StatusCode:
    found = translate(words.tables, words.vocabularies, code)
    if found is None:
        raise QuarantineError(
            _why_unknown(code, words), code="status.unknown", reference=case.number,
            cure="Decide what it means here, or add the code to the partner's table and retry.",
        )
    return found


def _why_unknown(code: str, words: Words) -> str:
    """Why a code has no meaning here: in no table, ambiguous with its candidates, or known without a word of ours."""
    tables = status_tables()
    known = [name for name in words.vocabularies if name in tables]
    found = explain(tables, known, code) if known else None
    if found is None or found.verdict is Fidelity.UNKNOWN:
        return f"status code {code!r} stands in no table that this partner speaks ({', '.join(words.vocabularies)})"
    could_be = f": {' or '.join(found.candidates)}" if found.candidates else ""
    return f"status code {code!r} of {found.vocabulary} is {found.verdict.value}{could_be} ({found.reason})"


def _status(case: Case, message: ex.CaseStatusUpdate, words: Words) -> tuple[ev.Fact, ...]:
    meaning = _meaning(case, message.status_code, words)
    is_late = case.placement is not None and 0 < message.sequence <= case.placement.last_sequence
    facts: list[ev.Fact] = [
        ev.StatusReported(
            meaning=meaning.meaning,
            foreign_code=message.status_code,
            text=message.text,
            sequence=message.sequence,
            is_late=is_late,
            phase=None if is_late else meaning.phase,
            next_deadline_on=message.next_deadline_on,
        )
    ]
    is_heeded = not is_late or (meaning.hold in _PROTECTS and meaning.meaning != _RELEASES)
    if meaning.hold and is_heeded and case.is_open:
        facts += _held(case, meaning, message)
    return tuple(facts)


_RELEASES = "hold_released"  # with a hold: this report ends it instead of setting it
_PROTECTS = frozenset({"moratorium", "legal_objection"})  # stop everyone even when they are told late


def _held(case: Case, meaning: StatusCode, message: ex.CaseStatusUpdate) -> Iterator[ev.Fact]:
    """The hold that a report sets or ends; its note names the message when nothing else was said."""
    note = message.text or f"reported as {message.status_code} by message {message.message_id}"
    if meaning.meaning == _RELEASES and case.held_for(meaning.hold):
        yield ev.HoldReleased(reason=meaning.hold, note=note)
    elif meaning.meaning != _RELEASES and not case.held_for(meaning.hold):
        yield ev.HoldSet(reason=meaning.hold, note=note)


def _cost(case: Case, message: ex.CostStatement, words: Words) -> tuple[ev.Fact, ...]:
    if message.cost_ref in case.known_refs:
        return ()
    if message.amount < 0 or message.tax_amount < 0:
        raise QuarantineError(
            f"cost {message.cost_ref} is negative", code="record.amount",
            cure="Ask the partner for a corrected statement.", reference=case.number,
        )
    return (
        ev.CostReported(
            cost_ref=message.cost_ref,
            cost_type=message.cost_type,
            amount=message.amount,
            tax_amount=message.tax_amount,
            bearer=message.bearer,
            occurred_on=message.occurred_on,
            legal_basis=message.legal_basis,
        ),
    )


def _payment(case: Case, message: ex.PaymentReport, words: Words) -> tuple[ev.Fact, ...]:
    if message.payment_ref in case.known_refs:
        return ()
    if message.reverses_ref:
        if message.reverses_ref not in case.known_refs:
            raise QuarantineError(
                f"payment {message.reverses_ref} is reversed but was never reported", code="record.reversal",
                cure="Ask the partner for the payment it reverses.", reference=case.number,
            )
    elif message.amount <= 0:
        raise QuarantineError(
            f"payment {message.payment_ref} is not positive and reverses nothing", code="record.amount",
            cure="Ask the partner for a corrected report.", reference=case.number,
        )
    elif _is_recorded(case, message.amount):
        raise QuarantineError(
            f"the partner reports {message.amount} {message.currency}, which the creditor or his bank showed before it",
            code="record.payment_twice", reference=case.number,
            cure="Find out whether it is the same money. If it is not, retry this when the ERP shows the first payment.",
        )
    return (
        ev.PaymentReported(
            payment_ref=message.payment_ref,
            amount=message.amount,
            received_on=message.received_on,
            reverses_ref=message.reverses_ref,
            remittance_ref=message.remittance_ref,
        ),
    )


def _is_recorded(case: Case, amount: Decimal) -> bool:
    """Whether the same amount was recorded by a person or a bank file and the ERP has not shown it yet."""
    return any(entry[0].startswith(RECORDED) and entry[1] == amount for entry in case.unmatched)


def _return(case: Case, message: ex.CaseReturn, words: Words) -> tuple[ev.Fact, ...]:
    if case.placement is None or not case.placement.is_live:
        return (ev.NoteAdded(text=f"returned again by a former holder: {message.close_code}"),)
    meaning = _meaning(case, message.close_code, words)
    outcome = meaning.outcome or Outcome.OTHER
    facts: list[ev.Fact] = [
        ev.CaseReturned(
            close_code=message.close_code, outcome=outcome, remaining=message.remaining, text=message.text
        )
    ]
    if outcome is Outcome.PAID_FULL and case.balance.open_principal > 0:
        left = f"{case.balance.open_principal:,} {case.currency}"
        facts.append(
            ev.DispatchBlocked(
                code="return_mismatch",
                reason=f"{case.placement.partner_name} returned the case as paid in full, but {left} is not reported as paid",
            )
        )
    else:
        facts.append(ev.CaseClosed(outcome=outcome, reason=f"returned by {case.placement.partner_name}"))
    return tuple(facts)


def _instruction(case: Case, message: ex.CaseInstruction, words: Words) -> tuple[ev.Fact, ...]:
    received = ev.InstructionReceived(
        message_id=message.message_id, code=message.code.value, text=message.text
    )
    if message.code is ex.InstructionCode.QUESTION and not case.held_for("waiting_creditor"):
        return (received, ev.HoldSet(reason="waiting_creditor", note=message.text))
    return (received,)


_RECORDERS: dict[type, Callable[[Case, Any, Words], tuple[ev.Fact, ...]]] = {
    ex.CaseAcknowledgement: _acknowledgement,
    ex.CaseStatusUpdate: _status,
    ex.CostStatement: _cost,
    ex.PaymentReport: _payment,
    ex.CaseReturn: _return,
    ex.CaseInstruction: _instruction,
}


