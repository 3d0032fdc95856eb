"""Runner of `open_case`: changed and newly overdue debtors come into step with the ERP."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

import msgspec
import sqlalchemy as sa

from collecthub.corridor.open_case import UNCONFIRMED, Account, confirmed, open_case, withheld
from collecthub.engine.case_work import change_case
from collecthub.engine.context import Hub, Work
from collecthub.engine.documents import DOCUMENTS_PER_CASE
from collecthub.engine.exclusions import left_out
from collecthub.engine.papers import Papers, ask_again, fetch_papers, keep_papers
from collecthub.engine.trouble import connection_trouble
from collecthub.errors import RetryableError
from collecthub.model.case import Case
from collecthub.model.debtor_account import NO_ACCOUNT, DebtorAccount
from collecthub.model.event import (
    CaseOpened,
    ClaimAdded,
    Fact,
    HoldSet,
    OwnerChanged,
    party_digest,
)
from collecthub.model.ids import derived_id, new_id
from collecthub.model.invoice import Invoice, ItemKind, ItemState
from collecthub.model.party import Party, segment
from collecthub.ports import DebtorRecord, DebtorSource
from collecthub.store import tables as t
from collecthub.store.case_log import from_minor, read_cases
from collecthub.store.connections import (
    SHADOW,
    ConnectionRow,
    read_connection,
    read_creditor,
)
from collecthub.store.runs import Standing, standing

DEBTORS_PER_CHUNK = 100
_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # without I, L, O and U, which are misread on the phone


def open_cases(hub: Hub, connection_id: str) -> None:
    """Bring the cases of every changed or newly overdue debtor of a connection into step with the ERP.

    While its books are not known whole, no case is lowered or closed; after a pull that broke off none opens either,
    because the page that is missing may hold the payment. Such rows stay marked for the next whole run.
    """
    with hub.database.read() as conn:
        row = read_connection(conn, connection_id)
        books = standing(conn, connection_id)
    if row is None or row.creditor_id is None or books is Standing.UNDER_WAY:
        return  # the end of a pull wakes this job again
    after = ""
    while refs := _debtors_to_look_at(hub, connection_id, after):
        after = refs[-1]  # rows of theirs that changed again meanwhile stay for the next run, so that this one ends
        if books is Standing.CUT:
            _open_chunk(hub, row, refs, Papers(), books)
            continue
        try:
            _read_master_data(hub, row, refs)
            papers = fetch_papers(hub, row, _new_lines(hub, row, refs))
        except RetryableError as error:  # the ERP is away; its rows stay marked, and the next pull comes back to them
            connection_trouble(hub, connection_id, error, job="open_cases")
            return
        _open_chunk(hub, row, refs, papers, books)


def _debtors_to_look_at(hub: Hub, connection_id: str, after: str) -> list[str]:
    asked = {"of": connection_id, "after": after, "today": hub.business_date()}
    with hub.database.read() as conn:
        return list(conn.scalars(_TO_LOOK_AT, asked))


_TO_LOOK_AT = (
    sa.select(t.invoices.c.debtor_ref)
    .where(
        t.invoices.c.connection_id == sa.bindparam("of"), t.invoices.c.debtor_ref > sa.bindparam("after"),
        t.invoices.c.look_on <= sa.bindparam("today"),
    )
    .group_by(t.invoices.c.debtor_ref)
    .order_by(t.invoices.c.debtor_ref)
    .limit(DEBTORS_PER_CHUNK)
)


def _read_master_data(hub: Hub, row: ConnectionRow, refs: Sequence[str]) -> None:
    """Fetch the master data of debtors that may enter a case and are not known yet."""
    source = hub.connector(row.connection_id)
    if not isinstance(source, DebtorSource):
        return
    with hub.database.read() as conn:
        known = set(
            conn.scalars(
                sa.select(t.debtors.c.debtor_ref).where(
                    t.debtors.c.connection_id == row.connection_id, t.debtors.c.debtor_ref.in_(refs)
                )
            )
        )
        asking = set(
            conn.scalars(
                sa.select(t.invoices.c.debtor_ref).where(
                    t.invoices.c.connection_id == row.connection_id, t.invoices.c.debtor_ref.in_(refs),
                    t.invoices.c.kind == ItemKind.INVOICE.value, t.invoices.c.state == ItemState.OPEN.value,
                    t.invoices.c.due_on < hub.business_date(),
                )
            )
        )
    wanted = [ref for ref in refs if ref in asking and ref not in known]
    if not wanted:
        return
    records = list(hub.walk(f"{row.kind}.debtors", row.connection_id)(source.debtors(wanted)))
    with hub.work() as work:
        rows = {
            record.debtor_ref: _debtor_row(work, row, record.debtor_ref, record.party, account_of(record))
            for record in records
        }
        work.later(_ADD_DEBTORS, (rows[ref] for ref in wanted if ref in rows))


def write_debtor(
    work: Work, row: ConnectionRow, debtor_ref: str, party: Party, account: DebtorAccount = NO_ACCOUNT
) -> None:
    """Keep a debtor's master data; an existing one is replaced."""
    work.put(t.debtors, _debtor_row(work, row, debtor_ref, party, account), once=("creditor_id", "salt"))


def account_of(record: DebtorRecord) -> DebtorAccount:
    """What the ERP keeps on a debtor beside who he is."""
    return DebtorAccount(
        customer_number=record.customer_number, payment_terms=record.payment_terms, is_blocked=record.is_blocked,
        bill_to=record.bill_to, notes=record.notes,
    )


def _debtor_row(
    work: Work, row: ConnectionRow, debtor_ref: str, party: Party, account: DebtorAccount
) -> dict[str, object]:
    return {
        "connection_id": row.connection_id, "debtor_ref": debtor_ref, "creditor_id": row.creditor_id,
        "salt": new_id(), "party": msgspec.json.encode(party).decode(), "read_at": work.now,
        "account": msgspec.json.encode(account).decode(),
    }


_ADD_DEBTORS = sa.insert(t.debtors)


def _new_lines(hub: Hub, row: ConnectionRow, refs: Sequence[str]) -> list[str]:
    """Invoices with a document that a new case may hold: overdue, and no case is open on the account."""
    mine = (t.invoices.c.connection_id == row.connection_id) & t.invoices.c.debtor_ref.in_(refs)
    query = (
        sa.select(t.invoices.c.debtor_ref, t.invoices.c.currency, t.invoices.c.item_ref)
        .where(
            mine, t.invoices.c.kind == ItemKind.INVOICE.value, t.invoices.c.state == ItemState.OPEN.value,
            t.invoices.c.due_on < hub.business_date(), t.invoices.c.document_ref != "",
        )
        .order_by(t.invoices.c.item_ref)
    )
    by_account: dict[tuple[str, str], list[str]] = {}
    with hub.database.read() as conn:
        for debtor_ref, currency, item_ref in conn.execute(query):
            by_account.setdefault((debtor_ref, currency), []).append(item_ref)
        held = _cases_of(conn, row.connection_id, refs)
    return [
        item_ref
        for account, items in by_account.items()
        if not any(case.is_open for case in held.get(account, ()))
        for item_ref in items[:DOCUMENTS_PER_CASE]
    ]


def _open_chunk(
    hub: Hub, row: ConnectionRow, refs: Sequence[str], papers: Papers, books: Standing
) -> None:
    as_of = hub.business_date()
    actor = f"connection:{row.connection_id}"
    waiting: set[str] = set()
    with hub.work() as work:
        if standing(work.conn, row.connection_id) is not books:
            return  # another pull has begun; its end wakes this job again
        row = read_connection(work.conn, row.connection_id) or row  # it may be released at this very moment
        creditor = read_creditor(work.conn, row.creditor_id or "")
        named = left_out(work.conn, row.connection_id, row.release, refs)
        for account, debtor, ordinal in _accounts(work, row, refs):
            key = (row.connection_id, account.debtor_ref, account.currency, str(ordinal))
            number = case_number(*key)
            wanted = open_case(account, as_of, number)
            facts = _believed(account.case, wanted, books, actor)
            if books is not Standing.WHOLE and (facts != wanted or _waits(account.case)):
                waiting.add(account.debtor_ref)
            if not facts:
                continue
            case_id = derived_id(*key)
            opened = facts[0]
            is_new = isinstance(opened, CaseOpened)
            if isinstance(opened, CaseOpened):
                entered = [claim.claim_id for claim in opened.claims]
                noted = keep_papers(hub, work, row, case_id, entered, papers)
                facts = (*facts, *_safe_start(row, account, opened, named), *noted)
                if creditor is not None and creditor.playbook.owner:
                    people = creditor.playbook
                    facts = (*facts, OwnerChanged(owner=people.owner, contact_person=people.contact_person))
            case = change_case(
                hub, work, None if is_new else account.case, facts, actor=actor, case_id=case_id,
                debtor=debtor if is_new else None,
            )
            joined = [fact.claim.claim_id for fact in facts if isinstance(fact, ClaimAdded) and fact.claim.document_ref]
            ask_again(hub, work, row, case.case_id, joined)
        _mark_looked_at(work.conn, row.connection_id, [ref for ref in refs if ref not in waiting], as_of)


def _waits(case: Case | None) -> bool:
    return case is not None and case.held_for(UNCONFIRMED)


def _believed(case: Case | None, wanted: tuple[Fact, ...], books: Standing, actor: str) -> tuple[Fact, ...]:
    """As much of what the rows say as may become true now."""
    if books is Standing.WHOLE:
        return confirmed(case, wanted, actor)
    facts = withheld(case, wanted, actor)
    return tuple(fact for fact in facts if isinstance(fact, HoldSet)) if books is Standing.CUT else facts


def case_number(*key: str) -> str:
    """The number people use: short, the same for the same account and occasion, telling nobody how many there are.

    >>> case_number("books", "A", "EUR", "1")
    'CH-0ZGP-S42G-HW'
    """
    value = int(derived_id(*key), 16)
    letters = "".join(_LETTERS[value >> shift & 31] for shift in range(0, 50, 5))
    return f"CH-{letters[:4]}-{letters[4:8]}-{letters[8:]}"


def _safe_start(row: ConnectionRow, account: Account, opened: CaseOpened, named: frozenset[str]) -> list[Fact]:
    """What a person decided, or has yet to decide, before anything of this connection leaves."""
    facts: list[Fact] = []
    rules = row.release
    principal = sum((claim.open_amount for claim in opened.claims), Decimal(0)) - opened.credits
    groups = {item.group_ref for item in account.rows}
    if account.debtor_ref in named or groups & set(rules.group_refs) or principal < rules.minimum_amount:
        facts.append(HoldSet(reason="excluded", note="excluded when the connection was released"))
    if row.mode == SHADOW:
        facts.append(HoldSet(reason="shadow", note="the connection has not been released yet"))
    return facts


def _accounts(work: Work, row: ConnectionRow, refs: Sequence[str]) -> list[tuple[Account, Party, int]]:
    """The debtors' accounts, with the debtor and which case in a row a new one would be."""
    conn = work.conn
    by_account: dict[tuple[str, str], list[Invoice]] = {}
    query = sa.select(t.invoices).where(
        t.invoices.c.connection_id == row.connection_id, t.invoices.c.debtor_ref.in_(refs)
    )
    for record in conn.execute(query):
        by_account.setdefault((record.debtor_ref, record.currency), []).append(_invoice(record))
    parties = {
        record.debtor_ref: (msgspec.json.decode(record.party, type=Party), record.salt)
        for record in conn.execute(
            sa.select(t.debtors).where(
                t.debtors.c.connection_id == row.connection_id, t.debtors.c.debtor_ref.in_(refs)
            )
        )
    }
    latest = _cases_of(conn, row.connection_id, refs)
    work.hold(held[-1].case_id for held in latest.values())
    accounts = []
    for (debtor_ref, currency), rows in sorted(by_account.items()):
        held = latest.get((debtor_ref, currency), [])
        party, salt = parties.get(debtor_ref, (Party(name=rows[-1].debtor_name), debtor_ref))
        accounts.append(
            (
                Account(
                    creditor_id=row.creditor_id or "", connection_id=row.connection_id, debtor_ref=debtor_ref,
                    currency=currency, segment=segment(party),
                    debtor_digest=party_digest(salt, msgspec.json.encode(party)), rows=rows,
                    case=work.book.held(held[-1].case_id) if held else None,
                ),
                party,
                len(held) + 1,
            )
        )
    return accounts


def stored_invoices(conn: sa.Connection, connection_id: str) -> Iterator[tuple[tuple[str, str], list[Invoice]]]:
    """All lines of a connection, grouped by debtor and currency, one account in memory at a time."""
    query = (
        sa.select(t.invoices)
        .where(t.invoices.c.connection_id == connection_id)
        .order_by(t.invoices.c.debtor_ref, t.invoices.c.currency)
        .execution_options(yield_per=1000)
    )
    for key, records in itertools.groupby(conn.execute(query), lambda row: (row.debtor_ref, row.currency)):
        yield key, [_invoice(record) for record in records]


def _cases_of(conn: sa.Connection, connection_id: str, refs: Sequence[str]) -> dict[tuple[str, str], list[Case]]:
    """Per debtor and currency all cases; the open one, else the one opened last, stands at the end."""
    found = read_cases(conn, (t.cases.c.connection_id == connection_id) & t.cases.c.debtor_ref.in_(refs))
    by_account: dict[tuple[str, str], list[Case]] = {}
    for case in sorted(found, key=lambda case: (case.is_open, case.opened_at)):
        by_account.setdefault((case.debtor_ref, case.currency), []).append(case)
    return by_account


def _invoice(record: Any) -> Invoice:
    return Invoice(
        item_ref=record.item_ref, debtor_ref=record.debtor_ref, debtor_name=record.debtor_name,
        number=record.number, kind=ItemKind(record.kind), state=ItemState(record.state),
        issued_on=record.issued_on, due_on=record.due_on, currency=record.currency,
        amount=from_minor(record.amount_minor, record.currency),
        open_amount=from_minor(record.open_minor, record.currency),
        settles_ref=record.settles_ref, group_ref=record.group_ref, document_ref=record.document_ref,
        dunning_level=record.dunning_level, is_blocked=bool(record.is_blocked), text=record.text,
        dunned_on=record.dunned_on,
    )


def _mark_looked_at(conn: sa.Connection, connection_id: str, refs: Sequence[str], as_of: dt.date) -> None:
    """Settled rows leave the list; an invoice that is not overdue yet comes back the day after its due date."""
    mine = (t.invoices.c.connection_id == connection_id) & t.invoices.c.debtor_ref.in_(refs)
    conn.execute(sa.update(t.invoices).where(mine, t.invoices.c.look_on.isnot(None)).values(look_on=None))
    waiting = conn.execute(
        sa.select(t.invoices.c.item_ref, t.invoices.c.due_on).where(
            mine, t.invoices.c.kind == ItemKind.INVOICE.value, t.invoices.c.state == ItemState.OPEN.value,
            t.invoices.c.due_on >= as_of,
        )
    ).all()
    if waiting:
        conn.execute(
            sa.update(t.invoices)
            .where(t.invoices.c.connection_id == connection_id, t.invoices.c.item_ref == sa.bindparam("ref"))
            .values(look_on=sa.bindparam("look")),
            [{"ref": ref, "look": due_on + dt.timedelta(days=1)} for ref, due_on in waiting],
        )
