"""Room 5 of OUT: say something to a partner, once.

`compose` builds the message from the case as it is now; `dispatch` carries stored bytes through the
`Dispatcher` port. An attempt that left no receipt is probed first and never repeated blind.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal

from collecthub.errors import CollecthubError, InDoubtError, RetryableError
from collecthub.model.case import Case, Placement
from collecthub.model.exchange import (
    AmendmentCode,
    CaseAmendment,
    CaseFile,
    CaseInstruction,
    ClaimItem,
    DocumentItem,
    InstructionCode,
    PaymentInstruction,
    Procedure,
    Totals,
)
from collecthub.model.party import Party
from collecthub.paper.remarks import remarks
from collecthub.ports import AnswersAgain, DeliveryState, Dispatcher, Envelope, Journal, Receipt, SendsMany


def compose_case_file(
    case: Case, placement: Placement, creditor: Party, account: str, documents: Sequence[DocumentItem], message_id: str,
    *, language: str = "en",
) -> CaseFile:  # fmt: skip
    """The case file for a placement, with what is owed at this moment; remarks are in the partner's `language`."""
    return CaseFile(
        message_id=message_id,
        case_id=case.case_id,
        case_number=case.number,
        procedure=placement.procedure,
        currency=case.currency,
        language=case.debtor.language or "en",
        creditor=creditor,
        debtors=(case.debtor,),
        claims=claim_items(case, placement.partner_id),
        principal=case.demanded,
        credits=sum((c.open_amount for c in case.claims), Decimal(0)) - case.demanded,
        payment=PaymentInstruction(payee=creditor.name, account=account, reference=case.number),
        dunning_level=max((claim.dunning_level for claim in case.claims), default=0),
        documents=tuple(documents) if case.tells_all(placement.partner_id) else (),  # health bills: need first
        # Courts take no remarks; whoever works amicably learns what is weak in the file before it asks.
        remarks=remarks(case.feasibility, language) if placement.procedure is Procedure.AMICABLE else "",
        totals=totals(case),
    )


def totals(case: Case) -> Totals:
    """The account as the ledger has it: what was charged until its day, what came in, and what is disputed."""
    held = case.balance
    received, withheld = held.payments + held.credits + held.write_offs, case.owed_here - case.demanded
    return Totals(
        as_of_on=case.charges.until if case.charges is not None else case.changed_at.date(), principal=held.principal,
        interest=held.interest, surcharges=held.compensation + held.dunning_fees, enforcement_costs=held.costs,
        received=received, withheld=withheld, total=held.total - withheld,
    )


def compose_amendment(
    case: Case, code: AmendmentCode, reason_code: str, message_id: str, on: dt.date
) -> CaseAmendment:
    """A recall or new balance for the holder of the case."""
    recall = code is AmendmentCode.RECALL
    return CaseAmendment(
        message_id=message_id,
        case_id=case.case_id,
        holder_ref=case.placement.holder_ref if case.placement else "",
        code=code,
        reason_code=reason_code,
        currency=case.currency,
        principal=Decimal(0) if recall else case.demanded,
        claims=() if recall else claim_items(case, case.placement.partner_id if case.placement else ""),
        effective_on=on,
    )


def compose_instruction(case: Case, code: InstructionCode, text: str, message_id: str) -> CaseInstruction:
    """A word to the holder of the case."""
    return CaseInstruction(
        message_id=message_id,
        case_id=case.case_id,
        holder_ref=case.placement.holder_ref if case.placement else "",
        code=code,
        text=text,
    )


def claim_items(case: Case, partner_id: str) -> tuple[ClaimItem, ...]:
    """The claims of a case as a partner reads them; settled ones are left out, and what a sensitive one is for."""
    is_told = case.tells_all(partner_id)
    return tuple(
        ClaimItem(
            claim_id=claim.claim_id,
            invoice_ref=claim.number,
            issued_on=claim.issued_on,
            due_on=claim.due_on,
            original_amount=claim.original_amount,
            open_amount=claim.open_amount,
            cause=case.nature_of(claim.claim_id) if is_told else "",
        )
        for claim in case.claims
        if claim.open_amount > 0
    )


def dispatch(
    dispatcher: Dispatcher, work: Sequence[tuple[Envelope, Journal, str | None]]
) -> Sequence[Receipt | CollecthubError]:
    """Deliver stored bytes, all at once where the dispatcher can; a receipt or an error for each, in its place.

    Each comes with the last mark of an attempt without receipt, None if there is none. `InDoubtError` stands for what nobody can
    find out about. After two in a row that could not be asked about, the rest is not asked about: the line is down.
    """
    outcomes: list[Receipt | CollecthubError | None] = []
    for envelope, journal, earlier_intent in work:
        if _is_down(outcomes[-2:]):
            outcomes.append(outcomes[-1])
            continue
        try:
            outcomes.append(_found(dispatcher, envelope, journal, earlier_intent))
        except CollecthubError as error:
            outcomes.append(error)
    open_work = [(one[0], one[1]) for one, outcome in zip(work, outcomes, strict=True) if outcome is None]
    delivered = iter(_deliver_all(dispatcher, open_work))
    return [next(delivered) if outcome is None else outcome for outcome in outcomes]


def _found(dispatcher: Dispatcher, envelope: Envelope, journal: Journal, earlier_intent: str | None) -> Receipt | None:
    """The receipt of an earlier attempt that did arrive; None when the envelope is to be delivered now."""
    if earlier_intent is None:
        return None
    found = dispatcher.probe(envelope, earlier_intent)
    if found is DeliveryState.ARRIVED and isinstance(dispatcher, AnswersAgain):
        return dispatcher.answers(envelope)
    if found is DeliveryState.ARRIVED:
        return Receipt(reference=envelope.name, detail="found at the partner after an attempt without receipt")
    if found is DeliveryState.UNKNOWN:
        raise InDoubtError(
            f"it is not known whether {envelope.name} arrived",
            cure="Ask the partner, then mark the dispatch as arrived or send it again.",
            reference=envelope.envelope_id,
        )
    if earlier_intent:
        journal.mark("")  # what was begun has not happened: a crash from here on must not be taken for its end
    return None


def _is_down(last: Sequence[Receipt | CollecthubError | None]) -> bool:
    return len(last) == 2 and all(isinstance(outcome, RetryableError) for outcome in last)


def _deliver_all(
    dispatcher: Dispatcher, work: Sequence[tuple[Envelope, Journal]]
) -> Sequence[Receipt | CollecthubError]:
    if isinstance(dispatcher, SendsMany):
        return dispatcher.deliver_many(work) if work else []
    return [_one(dispatcher, envelope, journal) for envelope, journal in work]


def _one(dispatcher: Dispatcher, envelope: Envelope, journal: Journal) -> Receipt | CollecthubError:
    try:
        return dispatcher.deliver(envelope, journal)
    except CollecthubError as error:
        return error
