"""Room 3 of OUT: everything a debtor's account holds in one currency becomes facts of one case.

Grouping rule: one open case per creditor, debtor and currency; instalments are claims of their own.
Netting rule: a credit or payment lowers the invoice it names; what names none lowers the case as a whole.
A debt that a partner's payment already lowered here is not lowered again when the ERP books the same money.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal

import msgspec

from collecthub.model.case import Case
from collecthub.model.event import (
    CaseOpened,
    CaseReopened,
    Claim,
    ClaimAdded,
    ClaimReopened,
    CreditSeen,
    DirectPaymentSeen,
    Fact,
    HoldReleased,
    HoldSet,
    RemittanceBooked,
)
from collecthub.model.facts_money import WRITTEN_OFF
from collecthub.model.invoice import Invoice, ItemKind, ItemState

ZERO = Decimal(0)
CREDITOR_BLOCK = "creditor_block"


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """All lines of one debtor in one currency, and the latest case on them, if any."""

    creditor_id: str
    connection_id: str
    debtor_ref: str
    currency: str
    segment: str
    debtor_digest: str
    rows: Sequence[Invoice]
    case: Case | None = None


class Netted(msgspec.Struct, frozen=True, kw_only=True):
    """An account after netting: what each invoice still asks for and what is left over."""

    claims: tuple[tuple[Invoice, Decimal], ...]  # invoice lines with their net open amount
    credited: frozenset[str]  # item_refs whose debt fell by a credit or cancellation rather than by money
    credits: Decimal  # positive; not tied to an open invoice


def net(rows: Sequence[Invoice]) -> Netted:
    """Apply credits and payments to the invoices they name; what is left over is loose credit.

    A credit that is larger than its invoice leaves the rest loose; nothing is ever asked below zero.
    """
    invoices = {row.item_ref: row for row in rows if row.kind is ItemKind.INVOICE}
    open_amounts = {
        ref: row.open_amount if row.state is ItemState.OPEN else ZERO for ref, row in invoices.items()
    }
    credited = {
        ref for ref, row in invoices.items() if row.state in (ItemState.CREDITED, ItemState.CANCELLED)
    }
    loose = ZERO
    for row in rows:
        if row.kind is ItemKind.INVOICE or row.state is not ItemState.OPEN:
            continue
        usable = min(-row.open_amount, open_amounts.get(row.settles_ref, ZERO))
        if usable:
            open_amounts[row.settles_ref] -= usable
            if row.kind is ItemKind.CREDIT_NOTE:
                credited.add(row.settles_ref)
        loose += -row.open_amount - usable
    return Netted(
        claims=tuple((row, open_amounts[ref]) for ref, row in sorted(invoices.items())),
        credited=frozenset(credited),
        credits=loose,
    )


def open_case(account: Account, as_of: dt.date, number: str) -> tuple[Fact, ...]:
    """The facts by which the account's case comes into step with the ERP at `as_of`; none when it already is.

    An invoice enters when it is due before `as_of` and asks for money. `number` is used for a new case only.
    """
    netted = net(account.rows)
    case = account.case
    if case is not None and (case.is_open or not _has_news(case, netted, as_of)):
        return _changes(case, netted, as_of)
    overdue = tuple(_claim(row, amount) for row, amount in netted.claims if _enters(row, amount, as_of))
    if case is not None:
        overdue = tuple(claim for claim in overdue if case.claim(claim.claim_id) is None)
    principal = sum((claim.open_amount for claim in overdue), ZERO)
    if not overdue or principal <= netted.credits:
        return ()
    opened = CaseOpened(
        number=number,
        creditor_id=account.creditor_id,
        connection_id=account.connection_id,
        debtor_ref=account.debtor_ref,
        debtor_digest=account.debtor_digest,
        currency=account.currency,
        segment=account.segment,
        claims=overdue,
        credits=netted.credits,
    )
    blocked = all(row.is_blocked for row, amount in netted.claims if _enters(row, amount, as_of))
    if blocked:
        return (opened, HoldSet(reason=CREDITOR_BLOCK, note="every line is blocked for reminders in the ERP"))
    return (opened,)


def _enters(row: Invoice, amount: Decimal, as_of: dt.date) -> bool:
    return amount > 0 and row.due_on < as_of


def _claim(row: Invoice, amount: Decimal) -> Claim:
    return Claim(
        claim_id=row.item_ref,
        number=row.number,
        issued_on=row.issued_on,
        due_on=row.due_on,
        original_amount=row.amount,
        open_amount=amount,
        document_ref=row.document_ref,
        dunning_level=row.dunning_level,
    )


def _has_news(case: Case, netted: Netted, as_of: dt.date) -> bool:
    """Whether a closed case's account holds an overdue invoice that the case does not know."""
    return any(
        case.claim(row.item_ref) is None for row, amount in netted.claims if _enters(row, amount, as_of)
    )


def _changes(case: Case, netted: Netted, as_of: dt.date) -> tuple[Fact, ...]:
    facts: list[Fact] = []
    unmatched = list(case.unmatched)
    for row, amount in netted.claims:
        claim = case.claim(row.item_ref)
        if claim is None:
            if case.is_open and _enters(row, amount, as_of):
                facts.append(ClaimAdded(claim=_claim(row, amount)))
        elif amount > claim.open_amount:
            facts.append(ClaimReopened(claim_id=claim.claim_id, amount=amount - claim.open_amount))
        elif amount < claim.open_amount:
            lower = claim.open_amount - amount
            facts += _lowered(claim, lower, row, row.item_ref in netted.credited, unmatched, as_of)
    loose = netted.credits - case.loose_credits
    if loose and case.is_open:
        facts.append(CreditSeen(claim_id="", amount=loose, reason="credit or payment on account in the ERP"))
    if facts and not case.is_open and any(isinstance(fact, ClaimReopened) for fact in facts):
        facts.insert(0, CaseReopened(reason="the ERP asks for the money again"))
    return (*facts, *_block_followed(case, [row for row, amount in netted.claims if amount > 0]))


def _block_followed(case: Case, owed: Sequence[Invoice]) -> tuple[Fact, ...]:
    """The creditor's own block is obeyed while it stands on every line of the case, whenever he set it."""
    mine = [row for row in owed if case.claim(row.item_ref) is not None]
    if case.held_for(CREDITOR_BLOCK) and any(not row.is_blocked for row in mine):
        return (HoldReleased(reason=CREDITOR_BLOCK, note="the ERP no longer blocks the line"),)
    if mine and case.is_open and not case.held_for(CREDITOR_BLOCK) and all(row.is_blocked for row in mine):
        return (HoldSet(reason=CREDITOR_BLOCK, note="every line was blocked for reminders in the ERP"),)
    return ()


def _lowered(
    claim: Claim,
    lower: Decimal,
    row: Invoice,
    is_credit: bool,
    unmatched: list[tuple[str, Decimal]],
    as_of: dt.date,
) -> list[Fact]:
    # Money never explains a credit note; what was written off here may come back as one or as a clearing.
    may_match = [entry for entry in unmatched if entry[0].startswith(WRITTEN_OFF) or not is_credit]
    known = next((entry for entry in may_match if entry[1] == lower), None)
    if is_credit and known is None:
        reason = "cancelled in the ERP" if row.state is ItemState.CANCELLED else "credit note in the ERP"
        return [CreditSeen(claim_id=claim.claim_id, amount=lower, reason=reason)]
    if known is not None:
        unmatched.remove(known)
        return [RemittanceBooked(claim_id=claim.claim_id, amount=lower, payment_ref=known[0])]
    return [DirectPaymentSeen(claim_id=claim.claim_id, amount=lower, paid_on=as_of)]


# --- books that are not known whole ---------------------------------------------------------------

UNCONFIRMED = "payment_unconfirmed"
_LOWERING = (CreditSeen, DirectPaymentSeen, RemittanceBooked)


def withheld(case: Case | None, facts: Sequence[Fact], setter: str) -> tuple[Fact, ...]:
    """What happens to a case instead, as long as the ERP's books were not read whole: nothing is lowered or closed.

    Where the ERP's rows say that money came, nobody goes on chasing it either: the case waits until a whole run says
    the same. `setter` is who sets that hold.
    """
    if case is None or not any(isinstance(fact, _LOWERING) for fact in facts):
        return tuple(facts)
    rest = tuple(fact for fact in facts if not isinstance(fact, (*_LOWERING, CaseReopened)))
    if not case.is_open or case.held_for(UNCONFIRMED):
        return rest
    return (*rest, HoldSet(reason=UNCONFIRMED, note=f"money was seen in a pull that was not whole, by {setter}"))


def confirmed(case: Case | None, facts: Sequence[Fact], setter: str) -> tuple[Fact, ...]:
    """The facts of a whole run, and the end of the hold that a run before it had set."""
    waits = case is not None and case.is_open and any(
        hold.reason == UNCONFIRMED and hold.set_by == setter for hold in case.holds
    )
    if not waits:
        return tuple(facts)
    return (*facts, HoldReleased(reason=UNCONFIRMED, note="the ERP's books were read whole"))
