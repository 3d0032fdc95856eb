"""A statement of account of a case: gathered for one reader, and recorded when it is given out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal

import msgspec
import sqlalchemy as sa

from collecthub.engine.balance import BalanceAt, balance_at
from collecthub.engine.case_work import change_case
from collecthub.engine.charging import fixed_charges, reckon
from collecthub.engine.context import Hub, Work
from collecthub.engine.desk import case_for
from collecthub.errors import PermanentError
from collecthub.formats.bank.epc_code import epc_code_svg
from collecthub.law.allocation.account import Account
from collecthub.law.allocation.orders import parts_in_order
from collecthub.model.case import Case
from collecthub.model.event import Fact
from collecthub.model.facts_money import StatementIssued
from collecthub.model.ledger import LOWERS_BALANCE, is_for_creditor
from collecthub.model.payment_reference import ogm_reference, rf_reference
from collecthub.paper.statement import Claimed, Grew, Moved, Settled, Statement, languages
from collecthub.store.connections import read_creditor
from collecthub.store.queries.case_file import read_owned_case
from collecthub.store.queries.payments import case_payment_reference
from collecthub.store.queries.scope import Role, Scope

DEBTOR, CREDITOR, PARTNER = "debtor", "creditor", "partner"
AUDIENCES = (DEBTOR, CREDITOR, PARTNER)
FALLBACK = "en"


class StatementQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """Of which case, for whom, up to which day; without a language the reader's own is taken."""

    case_id: str
    audience: str
    until: dt.date
    language: str = ""


def statement(hub: Hub, conn: sa.Connection, scope: Scope, question: StatementQuestion) -> Statement:
    """What the statement says. Raises `NotThereError`, and `PermanentError` for an unknown reader or language.

    A partner gets a partner's statement only: what the debtor owes, without what the creditor bears.
    """
    _check(question)
    case = read_owned_case(conn, scope, question.case_id)
    audience = PARTNER if scope.role is Role.PARTNER else question.audience
    found = balance_at(hub, conn, scope, question.case_id, question.until)
    creditor = read_creditor(conn, case.creditor_id)
    reader = case.debtor.language if audience == DEBTOR else creditor.party.language if creditor else ""
    language = question.language or (reader if reader in languages() else FALLBACK)
    account = found.reckoning.account
    made = Statement(
        language=language, case_number=case.number, creditor=creditor.party.name if creditor else "", debtor=case.debtor.name,
        currency=case.currency, until=question.until, made_on=hub.now().date(), parts=tuple(_parts(account)), total=found.total,
        claims=tuple(_claims(account)), moved=tuple(_moved(found, with_creditors=audience == CREDITOR)),
        grew=tuple(_grew(account)), settled=tuple(_settled(account)), per_day=_shown_per_day(found),
        country=found.reckoning.governing.country, order=tuple(_word(part.value) for part in parts_in_order(account.rule)),
        rule=account.rule.article, evidence=account.rule.evidence.value,
        sources=tuple(_sources(account)), sides=_sides(found) if audience == CREDITOR else (),
    )  # fmt: skip
    return made if audience == PARTNER else _payable(hub, conn, scope, case, made)


def _check(question: StatementQuestion) -> None:
    if question.audience not in AUDIENCES:
        raise PermanentError(f"there is no statement for {question.audience[:40]!r}", cure=f"Choose one of {', '.join(AUDIENCES)}.")
    if question.language and question.language not in languages():
        raise PermanentError(
            f"there is no statement in {question.language[:20]!r}", cure=f"Choose one of {', '.join(languages())}."
        )


def _parts(account: Account) -> Iterator[tuple[str, Decimal]]:
    """What is open, by what it is; together they are the total."""
    named = (
        ("principal", account.sum_of("open_principal")), ("interest", account.sum_of("open_interest")),
        ("compensation", account.sum_of("open_compensation")), ("costs", account.open_costs), ("surplus", -account.surplus),
    )  # fmt: skip
    yield from ((name, amount) for name, amount in named if amount or name == "principal")


def _claims(account: Account) -> Iterator[Claimed]:
    for claim in account.claims:
        yield Claimed(
            number=claim.number, due_on=claim.due_on, principal=claim.principal, interest=claim.interest,
            compensation=claim.compensation,
            open_amount=claim.open_principal + claim.open_interest + claim.open_compensation,
        )  # fmt: skip


def _moved(found: BalanceAt, *, with_creditors: bool) -> Iterator[Moved]:
    numbers = {claim.claim_id: claim.number for claim in found.reckoning.account.claims}
    owed = Decimal(0)
    for one in found.lines:
        line, owed = one.line, one.owed_after
        if is_for_creditor(line) and not with_creditors:
            continue
        detail = " ".join(filter(None, dict.fromkeys((numbers.get(line.claim_id, ""), line.reference if line.origin != "hub" else ""))))
        yield Moved(
            on=line.booked_on, kind=line.kind.value, detail=detail, is_reversed=line.amount < 0, owed_after=owed,
            amount=-line.amount if line.kind in LOWERS_BALANCE else line.amount, is_for_creditor=is_for_creditor(line),
        )
    for more in found.accrued:
        for kind, amount in (("interest", more.interest), ("compensation", more.compensation)):
            if amount:
                owed += amount
                yield Moved(on=found.at, kind=kind, detail=more.number, amount=amount, owed_after=owed, is_grown=True)


def _grew(account: Account) -> Iterator[Grew]:
    for claim in account.claims:
        for part in claim.late.segments if claim.late else ():
            yield Grew(
                number=claim.number, from_on=part.from_on, to_on=part.to_on, days=part.days, base=part.principal,
                rate_percent=part.rate_percent, amount=part.interest,
            )


def _settled(account: Account) -> Iterator[Settled]:
    numbers = {claim.claim_id: claim.number for claim in account.claims}
    for one in account.allocations:
        for part in one.portions:
            yield Settled(
                on=one.movement.on, kind=one.movement.kind, paid=one.movement.amount, part=_word(part.part.value), number=numbers.get(part.claim_id, ""),
                amount=part.amount,
            )  # fmt: skip


def _word(part: str) -> str:
    return part if part != "cost" else "costs"


def _shown_per_day(found: BalanceAt) -> Decimal:
    return found.reckoning.per_day.quantize(Decimal("0.01"))


def _sources(account: Account) -> Iterator[str]:
    rules = (rule for claim in account.claims if claim.late for rule in claim.late.rules)
    yield from dict.fromkeys(f"{rule.article or rule.title} ({rule.id}, {rule.version})" for rule in rules)


def _sides(found: BalanceAt) -> tuple[tuple[str, tuple[tuple[str, Decimal], ...]], ...]:
    named = (("erp", found.erp), ("told", found.holder))
    return tuple((name, tuple((side.what, side.amount) for side in sides)) for name, sides in named if sides)


def _payable(hub: Hub, conn: sa.Connection, scope: Scope, case: Case, made: Statement) -> Statement:
    """With the case's own reference, the account and the code for a bank's app, where these are known."""
    view = case_payment_reference(conn, scope, case.case_id)
    creditor = read_creditor(conn, case.creditor_id)
    account = view.account or (creditor.playbook.payment_account if creditor else "")
    is_ours = bool(view.account) and not view.beneficiary
    beneficiary = hub.settings.operator_name if is_ours else made.creditor
    country = account[:2] or case.debtor.country
    reference = ogm_reference(case.number) if country == "BE" else rf_reference(case.number)
    code = ""
    if account and made.currency == "EUR" and made.total > 0:
        code = _code(beneficiary, account, made.total, reference)
    return msgspec.structs.replace(
        made, reference=reference, account=account, beneficiary=beneficiary if account else "", code_svg=code
    )


def _code(beneficiary: str, account: str, amount: Decimal, reference: str) -> str:
    try:
        return epc_code_svg(beneficiary=beneficiary, account=account, amount=amount, reference=reference)
    except PermanentError:
        return ""  # an account that is no IBAN is printed as it is; the statement is right without a code


def issue_statement(hub: Hub, work: Work, scope: Scope, question: StatementQuestion) -> Case:
    """Record that a statement is given out: what has grown becomes lines of the ledger, so that it stays as it was said.

    Raises `PermanentError` for a day ahead, and for one before the last that the ledger holds.
    """
    _check(question)
    case = case_for(work, scope, question.case_id)
    if question.until > work.now.date():
        raise PermanentError(f"{question.until} lies ahead", cure="Give out a statement for today or earlier.")
    if case.charges is not None and question.until < case.charges.until:
        raise PermanentError(
            f"the charges of case {case.number} are in the ledger up to {case.charges.until}",
            cure="Make the statement without giving it out, or for a later day.",
        )
    found = reckon(hub, work.conn, case, question.until).account
    fixed = fixed_charges(case, found, "statement")
    issued = StatementIssued(
        audience=question.audience, language=question.language or FALLBACK, until=question.until, total=found.total
    )
    facts: list[Fact] = [fixed, issued] if fixed else [issued]
    return change_case(hub, work, case, facts, actor=scope.subject)
