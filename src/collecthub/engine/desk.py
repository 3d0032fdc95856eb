"""What people do on a case, one function each.

Every function works inside the caller's transaction (`with hub.work() as work:`), names its `actor`
(`user:<id>` or `key:<id>`) and takes the `scope` of whoever asks: a case outside it does not exist.
`expected_version` is what the person saw; when the case has moved on, `VersionError` says so.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import sqlalchemy as sa

from collecthub.engine.case_work import change_case, close_tasks, locked_case
from collecthub.engine.charging import fixed_charges, reckon
from collecthub.engine.context import Hub, Work
from collecthub.engine.documents import KeptDocument, add_documents
from collecthub.engine.payment_booking import portions
from collecthub.errors import PermanentError
from collecthub.model.case import Case
from collecthub.model.codes import Outcome
from collecthub.model.event import (
    CaseClosed,
    Fact,
    HoldReleased,
    HoldSet,
    InstructionQueued,
    NoteAdded,
    OwnerChanged,
    PaymentRecorded,
    TakenOver,
)
from collecthub.model.exchange import InstructionCode
from collecthub.model.ids import derived_id
from collecthub.model.money import round_amount
from collecthub.store import tables as t
from collecthub.store.queries.scope import Role, Scope, cases_of, not_there

WAITING_CREDITOR = "waiting_creditor"
# Holds a person may set; the others follow from facts and would be set again at once.
PERSONS_HOLDS = frozenset(
    "dispute plan insolvency payment_unconfirmed vulnerable complaint legal_objection collective_settlement "
    "waiting_creditor creditor_block erp_not_told excluded other answer promise try_again collection_term cost_cap "
    "unlawful_step below_minimum".split()
)
# These keep a case from leaving unseen; they end by a release or a take-over, not by hand.
GUARDING_HOLDS = frozenset({"shadow"})


class VersionError(PermanentError):
    """Somebody changed the case since the person looked at it."""


def case_for(work: Work, scope: Scope, case_id: str, expected_version: int | None = None) -> Case:
    """The case, locked until the transaction ends. Raises `NotThereError` or `VersionError`."""
    found = work.conn.scalar(sa.select(t.cases.c.case_id).where(t.cases.c.case_id == case_id, cases_of(scope)))
    case = locked_case(work, case_id) if found is not None else None
    if case is None or scope.role is Role.PARTNER:
        raise not_there("case", case_id)
    if expected_version is not None and case.version != expected_version:
        raise VersionError(
            f"case {case.number} is at version {case.version}, not {expected_version}",
            cure="Read the case again and repeat what is still right.", reference=case_id,
        )
    return case


def _open(case: Case) -> Case:
    if not case.is_open:
        raise PermanentError(f"case {case.number} is closed", cure="Open a new case or ask the operator.")
    return case


def take_over(
    hub: Hub, work: Work, scope: Scope, case_id: str, *, holder_name: str, holder_ref: str, balance: Decimal,
    expected_version: int | None = None,
) -> Case:
    """The case already runs elsewhere: the hub follows it and sends nothing."""
    case = _not_out(_open(case_for(work, scope, case_id, expected_version)))
    facts: list[Fact] = [TakenOver(holder_name=holder_name, holder_ref=holder_ref, balance=balance)]
    return change_case(hub, work, case, facts, actor=scope.subject)


def _not_out(case: Case) -> Case:
    if case.placement is not None and case.placement.is_out:
        raise PermanentError(
            f"case {case.number} is with {case.placement.partner_name}", cure="Withdraw or recall it there first."
        )
    return case


def record_payment(
    hub: Hub, work: Work, scope: Scope, case_id: str, *, amount: Decimal, paid_on: dt.date, note: str = "",
    expected_version: int | None = None,
) -> Case:
    """The creditor was paid directly. The holder hears the new balance or a recall."""
    case = _open(case_for(work, scope, case_id, expected_version))
    if amount <= 0 or amount != round_amount(amount, case.currency):
        raise PermanentError(
            f"{amount} {case.currency} cannot be a payment", cure="Enter a positive amount in the currency's decimals."
        )
    if paid_on > work.now.date():
        raise PermanentError(f"{paid_on} lies ahead", cure="Enter the day on which the money arrived.")
    parts: tuple[Decimal, ...] = (amount,)
    facts: list[Fact] = []
    if amount > case.balance.total:
        facts, parts = _with_charges(hub, work, case, amount)
    facts += [PaymentRecorded(amount=part, paid_on=paid_on, note=note, origin="person") for part in parts]
    return change_case(hub, work, case, facts, actor=scope.subject)


def _with_charges(hub: Hub, work: Work, case: Case, amount: Decimal) -> tuple[list[Fact], tuple[Decimal, ...]]:
    """For a payment of more than the ledger asks for: what has grown by law, to be booked first, and the payment's parts.

    What settles no invoice is a part of its own, so that the ERP's figures still find theirs. Raises `PermanentError`
    when even with charges less is owed.
    """
    found = reckon(hub, work.conn, case, work.now.date()).account
    if amount > found.total:
        raise PermanentError(
            f"only {found.total} {case.currency} is owed in case {case.number}",
            cure="Enter what belongs to this case; the rest is the debtor's credit with you.",
        )
    fixed = fixed_charges(case, found, "payment")
    return [fixed] if fixed else [], portions(case, amount)


def answer_question(
    hub: Hub, work: Work, scope: Scope, case_id: str, *, text: str, expected_version: int | None = None
) -> Case:
    """Answer what the holder asked; the case goes on."""
    case = _open(case_for(work, scope, case_id, expected_version))
    if not case.held_for(WAITING_CREDITOR):
        raise PermanentError(f"case {case.number} has no open question", cure="Add a note instead.")
    facts: list[Fact] = [HoldReleased(reason=WAITING_CREDITOR, note=text)]
    if case.placement is not None and case.placement.is_out:
        facts.insert(0, instruction(case, InstructionCode.ANSWER, text))
    changed = change_case(hub, work, case, facts, actor=scope.subject)
    close_tasks(work, done_by=scope.subject, case_id=case_id, kind="question")
    return changed


def instruction(case: Case, code: InstructionCode, text: str) -> InstructionQueued:
    """A word to the holder; its id is the same when the transaction is run again."""
    message_id = derived_id(case.case_id, str(case.version), code.value)
    return InstructionQueued(message_id=message_id, code=code.value, text=text)


def add_note(
    hub: Hub, work: Work, scope: Scope, case_id: str, *, text: str, expected_version: int | None = None
) -> Case:
    """Keep a sentence in the history."""
    case = case_for(work, scope, case_id, expected_version)
    return change_case(hub, work, case, [NoteAdded(text=text)], actor=scope.subject)


def set_hold(
    hub: Hub, work: Work, scope: Scope, case_id: str, *, reason: str, note: str = "",
    until_on: dt.date | None = None, expected_version: int | None = None,
) -> Case:
    """Pause the case for a reason, until a date if one is given."""
    if reason not in PERSONS_HOLDS:
        raise PermanentError(
            f"{reason[:40]!r} is not a hold that a person sets", cure=f"Choose one of {', '.join(sorted(PERSONS_HOLDS))}."
        )
    case = _open(case_for(work, scope, case_id, expected_version))
    if until_on is not None and until_on <= work.now.date():
        raise PermanentError(f"{until_on} is over already", cure="Enter a later day or leave it empty.")
    return change_case(
        hub, work, case, [HoldSet(reason=reason, note=note, until_on=until_on)], actor=scope.subject
    )


def release_hold(
    hub: Hub, work: Work, scope: Scope, case_id: str, *, reason: str, note: str = "",
    expected_version: int | None = None,
) -> Case:
    """End a hold; the case goes on when it was the last one."""
    case = _open(case_for(work, scope, case_id, expected_version))
    if not case.held_for(reason):
        raise PermanentError(f"case {case.number} has no hold {reason[:40]!r}", cure="Read the case again.")
    if reason in GUARDING_HOLDS:
        raise PermanentError(
            f"hold {reason} ends for all cases of the connection together", cure="Release the connection."
        )
    return change_case(hub, work, case, [HoldReleased(reason=reason, note=note)], actor=scope.subject)


def assign_owner(
    hub: Hub, work: Work, scope: Scope, case_id: str, *, owner: str, contact_person: str = "",
    expected_version: int | None = None,
) -> Case:
    """Put somebody in charge, and name whom the debtor and creditor can reach."""
    case = case_for(work, scope, case_id, expected_version)
    return change_case(
        hub, work, case, [OwnerChanged(owner=owner, contact_person=contact_person)], actor=scope.subject
    )


def decide_cost(
    hub: Hub, work: Work, scope: Scope, case_id: str, *, is_approved: bool, text: str,
    expected_version: int | None = None,
) -> Case:
    """Approve or refuse a cost that the holder asked about; the holder hears it."""
    case = _open(case_for(work, scope, case_id, expected_version))
    if case.placement is None or not case.placement.is_out:
        raise PermanentError(f"nobody holds case {case.number}", cure="There is no one to tell; add a note instead.")
    code = InstructionCode.COST_APPROVED if is_approved else InstructionCode.COST_REFUSED
    verb = "approved" if is_approved else "refused"
    facts: list[Fact] = [instruction(case, code, text), NoteAdded(text=f"cost {verb}: {text}")]
    if case.held_for(WAITING_CREDITOR):
        facts.append(HoldReleased(reason=WAITING_CREDITOR, note=f"cost {verb}"))
    return change_case(hub, work, case, facts, actor=scope.subject)


def withdraw(
    hub: Hub, work: Work, scope: Scope, case_id: str, *, reason: str, expected_version: int | None = None
) -> Case:
    """The creditor takes the case back; a holder hears a recall and must confirm it."""
    case = _open(case_for(work, scope, case_id, expected_version))
    return change_case(
        hub, work, case, [CaseClosed(outcome=Outcome.WITHDRAWN, reason=reason)], actor=scope.subject
    )


def add_document(hub: Hub, work: Work, scope: Scope, case_id: str, kept: KeptDocument) -> str:
    """Put a document into a case. Returns its id; the same bytes are added once."""
    (document_id,) = add_documents(hub, work, case_for(work, scope, case_id), [kept], actor=scope.subject)
    return document_id
