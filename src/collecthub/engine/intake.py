"""Every way in beside the ERPs: a draft is checked, becomes a case, and its sender is told.

A draft that cannot enter is answered with every reason, per field, and its neighbours go on. The same draft sent
twice opens one case.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from decimal import Decimal

import msgspec
import sqlalchemy as sa

from collecthub.bundled.intake import KIND
from collecthub.engine.case_work import change_case
from collecthub.engine.context import Hub, Work
from collecthub.engine.opening import case_number, write_debtor
from collecthub.errors import PermanentError
from collecthub.model.case import Case
from collecthub.model.codes import Status
from collecthub.model.event import CaseOpened, Claim, Fact, OwnerChanged, party_digest
from collecthub.model.ids import derived_id, new_id
from collecthub.model.money import round_amount
from collecthub.model.party import Party, segment
from collecthub.registers import ConnectorRole
from collecthub.store import tables as t
from collecthub.store.case_log import read_case, read_cases
from collecthub.store.connections import (
    RELEASED,
    ConnectionRow,
    Exclusions,
    add_connection,
    read_connection,
    read_creditor,
)
from collecthub.store.queries.case_file import check_creditor
from collecthub.store.queries.scope import Scope

ORIGINS = ("form", "file", "api", "exchange")
TEXT_LONGEST, REF_LONGEST, CLAIMS_MOST = 300, 140, 1000
AMOUNT_LARGEST = Decimal(10) ** 11  # a thousand of them fit the database's whole numbers in any currency
OLDEST = dt.date(1900, 1, 1)
_CURRENCY = re.compile(r"[A-Z]{3}")
_COUNTRY = re.compile(r"([A-Z]{2})?")
_UNSAFE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


class DraftClaim(msgspec.Struct, frozen=True, kw_only=True):
    """One invoice of a draft. `open_amount` is what is still asked of `amount`."""

    number: str
    due_on: dt.date
    amount: Decimal
    open_amount: Decimal
    issued_on: dt.date | None = None
    claim_ref: str = ""  # the sender's identity of the line; the number when empty


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """A case that wants to enter. `origin_ref` is the sender's own reference and makes it known again."""

    debtor: Party
    currency: str
    claims: tuple[DraftClaim, ...]
    debtor_ref: str = ""
    origin_ref: str = ""
    credits: Decimal = Decimal(0)
    dunning_level: int = 0


class FieldError(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong with a draft: where, and why in words."""

    field: str
    reason: str


class Intake(msgspec.Struct, frozen=True, kw_only=True):
    """The confirmation to the sender of one draft: its case, or every reason why there is none."""

    origin_ref: str
    case_id: str | None = None
    number: str = ""
    is_duplicate: bool = False
    errors: tuple[FieldError, ...] = ()


def check_draft(draft: Draft, today: dt.date) -> tuple[FieldError, ...]:
    """Everything that is wrong with a draft by itself; empty when it may enter."""
    return tuple(
        FieldError(field=field, reason=reason)
        for field, reason in (*_party_errors(draft), *_claims_errors(draft, today))
    )


def _party_errors(draft: Draft) -> Iterator[tuple[str, str]]:
    debtor = draft.debtor
    if not debtor.name.strip():
        yield "debtor.name", "the debtor has no name"
    texts = {
        "debtor.name": debtor.name, "debtor.vat_ref": debtor.vat_ref, "debtor.registration_ref": debtor.registration_ref,
        "debtor.address.city": debtor.address.city, "debtor.address.postcode": debtor.address.postcode,
        **{f"debtor.address.lines[{i}]": line for i, line in enumerate(debtor.address.lines)},
        **{f"debtor.contacts[{i}].email": contact.email for i, contact in enumerate(debtor.contacts)},
    }
    for field, text in texts.items():
        yield from _text_errors(field, text, TEXT_LONGEST)
    yield from _text_errors("debtor_ref", draft.debtor_ref, REF_LONGEST)
    yield from _text_errors("origin_ref", draft.origin_ref, REF_LONGEST)
    for field, country in (("debtor.country", debtor.country), ("debtor.address.country", debtor.address.country)):
        if not _COUNTRY.fullmatch(country):
            yield field, "write the country as two capitals of ISO 3166-1, or leave it empty"


def _text_errors(field: str, text: str, longest: int) -> Iterator[tuple[str, str]]:
    if len(text) > longest:
        yield field, f"is longer than {longest} characters"
    if _UNSAFE.search(text):
        yield field, "holds control characters"


def _claims_errors(draft: Draft, today: dt.date) -> Iterator[tuple[str, str]]:
    if not _CURRENCY.fullmatch(draft.currency):
        yield "currency", "write the currency as three capitals of ISO 4217"
        return
    if not 1 <= len(draft.claims) <= CLAIMS_MOST:
        yield "claims", f"give 1 to {CLAIMS_MOST} invoices"
    for index, claim in enumerate(draft.claims):
        for field, reason in _claim_errors(claim, draft.currency, today):
            yield f"claims[{index}].{field}", reason
    keys = [claim_id(claim) for claim in draft.claims]
    if len(set(keys)) != len(keys):
        yield "claims", "the same invoice stands twice"
    principal = sum((claim.open_amount for claim in draft.claims), Decimal(0))
    if draft.credits < 0 or draft.credits >= principal > 0:
        yield "credits", "must be positive and less than what is open"


def _claim_errors(claim: DraftClaim, currency: str, today: dt.date) -> Iterator[tuple[str, str]]:
    if not claim.number.strip():
        yield "number", "the invoice has no number"
    yield from _text_errors("number", claim.number, REF_LONGEST)
    yield from _text_errors("claim_ref", claim.claim_ref, REF_LONGEST)
    if claim.due_on >= today:
        yield "due_on", f"is not overdue on {today}"
    if claim.due_on < OLDEST or (claim.issued_on is not None and not OLDEST <= claim.issued_on <= today):
        yield "issued_on", "lies outside what can be"
    for field, amount in (("amount", claim.amount), ("open_amount", claim.open_amount)):
        if not 0 < amount < AMOUNT_LARGEST:
            yield field, "must be positive"
        elif amount != round_amount(amount, currency):
            yield field, f"has more decimals than {currency} is paid in"
    if claim.open_amount > claim.amount > 0:
        yield "open_amount", "is more than the invoice"


def claim_id(claim: DraftClaim) -> str:
    """What names a claim within its case."""
    return claim.claim_ref or claim.number


def derived_debtor_ref(debtor: Party) -> str:
    """A stable reference of a debtor that came without one: by number if he has one, else by name and place."""
    known = debtor.vat_ref or debtor.registration_ref
    parts = (known.casefold(),) if known else (debtor.name.casefold().strip(), debtor.country, debtor.address.postcode)
    return derived_id("debtor", *parts)[:20]


# --- the creditor's own connection ----------------------------------------------------------------


def ready_intake(hub: Hub, scope: Scope, creditor_id: str) -> str:
    """Make the creditor's built-in connection if it is not there yet, and return its id.

    In a transaction of its own, before any draft: what tells the creditor about a new case looks the connection up.
    Raises `NotThereError` for a creditor that does not exist for the scope.
    """
    connection_id = intake_connection_id(creditor_id)
    with hub.database.read() as conn:
        check_creditor(conn, scope, creditor_id)
        if read_connection(conn, connection_id) is not None:
            return connection_id
    with hub.work() as work:
        mine = sa.select(t.creditors.c.creditor_id).where(t.creditors.c.creditor_id == creditor_id)
        work.conn.execute(mine.with_for_update())  # two first drafts at once: the second waits and finds it
        if read_connection(work.conn, connection_id) is None:
            add_connection(work.conn, _built_in(connection_id, creditor_id, work.now))
    return connection_id


def intake_connection_id(creditor_id: str) -> str:
    """The id of a creditor's built-in connection."""
    return derived_id(KIND, creditor_id)


def _built_in(connection_id: str, creditor_id: str, now: dt.datetime) -> ConnectionRow:
    return ConnectionRow(
        connection_id=connection_id, kind=KIND, role=ConnectorRole.ERP.value, name="Form, file and API",
        creditor_id=creditor_id, partner_id=None, settings="{}", mode=RELEASED, release=Exclusions(), checkpoint="",
        status="ok", status_detail="", status_until=None, created_at=now, last_complete_at=None, next_due_at=None,
    )


def _locked_connection(work: Work, creditor_id: str) -> ConnectionRow:
    """Locked until the transaction ends, so that drafts of one creditor enter one after the other."""
    connection_id = intake_connection_id(creditor_id)
    locked = sa.select(t.connections.c.connection_id).where(t.connections.c.connection_id == connection_id)
    work.conn.execute(locked.with_for_update())
    row = read_connection(work.conn, connection_id)
    if row is None:
        raise PermanentError("this creditor has no intake yet", cure="Call `ready_intake` first.", reference=creditor_id)
    return row


# --- opening --------------------------------------------------------------------------------------


def open_draft(
    hub: Hub, work: Work, scope: Scope, creditor_id: str, draft: Draft, *, origin: str, key: str = ""
) -> Intake:
    """Open the case of a draft, or say why not; nothing is raised for what the sender can correct.

    `ready_intake` comes first. `key` names the draft when `origin_ref` does not (a message id). Raises
    `NotThereError` for a creditor that does not exist for the scope.
    """
    check_creditor(work.conn, scope, creditor_id)
    creditor = read_creditor(work.conn, creditor_id)
    errors = check_draft(draft, work.now.date())
    if errors:
        return Intake(origin_ref=draft.origin_ref, errors=errors)
    row = _locked_connection(work, creditor_id)
    debtor_ref = draft.debtor_ref or derived_debtor_ref(draft.debtor)
    named = key or draft.origin_ref
    case_id = derived_id(KIND, creditor_id, named) if named else new_id()
    twin = read_case(work.conn, case_id) or _twin(work.conn, creditor_id, debtor_ref, draft)
    if twin is not None:
        return _duplicate(draft, twin)
    write_debtor(work, row, debtor_ref, draft.debtor)
    number = case_number(row.connection_id, case_id)
    facts: list[Fact] = [_opened(work, row, debtor_ref, draft, origin, number)]
    if creditor is not None and creditor.playbook.owner:
        people = creditor.playbook
        facts.append(OwnerChanged(owner=people.owner, contact_person=people.contact_person))
    case = change_case(hub, work, None, facts, actor=scope.subject, case_id=case_id, debtor=draft.debtor)
    return Intake(origin_ref=draft.origin_ref, case_id=case.case_id, number=case.number)


def _twin(conn: sa.Connection, creditor_id: str, debtor_ref: str, draft: Draft) -> Case | None:
    """An open case of the creditor on the same debtor (by reference or name) with one of the invoices."""
    same_debtor = sa.or_(t.cases.c.debtor_ref == debtor_ref, t.cases.c.debtor_name == draft.debtor.name)
    mine = (t.cases.c.creditor_id == creditor_id) & (t.cases.c.status != Status.CLOSED.value) & same_debtor
    numbers = {claim.number for claim in draft.claims}
    return next(
        (case for case in read_cases(conn, mine) if numbers & {claim.number for claim in case.claims}), None
    )


def _duplicate(draft: Draft, twin: Case) -> Intake:
    shared = sorted({claim.number for claim in draft.claims} & {claim.number for claim in twin.claims})
    reason = f"invoice {shared[0]} is in case {twin.number}" if shared else f"this reference is case {twin.number}"
    return Intake(
        origin_ref=draft.origin_ref, case_id=twin.case_id, number=twin.number, is_duplicate=True,
        errors=(FieldError(field="claims" if shared else "origin_ref", reason=reason),),
    )


def _opened(work: Work, row: ConnectionRow, debtor_ref: str, draft: Draft, origin: str, number: str) -> CaseOpened:
    salt = work.conn.scalar(
        sa.select(t.debtors.c.salt).where(
            t.debtors.c.connection_id == row.connection_id, t.debtors.c.debtor_ref == debtor_ref
        )
    )
    return CaseOpened(
        number=number, creditor_id=row.creditor_id or "", connection_id=row.connection_id, debtor_ref=debtor_ref,
        debtor_digest=party_digest(salt or "", msgspec.json.encode(draft.debtor)), currency=draft.currency,
        segment=segment(draft.debtor), claims=tuple(_claim(claim, draft.dunning_level) for claim in draft.claims),
        credits=draft.credits, origin=origin, origin_ref=draft.origin_ref,
    )


def _claim(claim: DraftClaim, dunning_level: int) -> Claim:
    return Claim(
        claim_id=claim_id(claim), number=claim.number, issued_on=claim.issued_on, due_on=claim.due_on,
        original_amount=claim.amount, open_amount=claim.open_amount, dunning_level=dunning_level,
    )
