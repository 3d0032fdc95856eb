"""Runner of the OUT belt up to the partner's door: pull, normalise, open_case, route."""

from __future__ import annotations

import datetime as dt
import hashlib
import itertools
import logging
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

import msgspec
import sqlalchemy as sa

from collecthub.corridor.normalise import normalise
from collecthub.corridor.open_case import Account, open_case
from collecthub.corridor.pull import pull
from collecthub.corridor.route import route
from collecthub.engine.case_work import change_case, open_task
from collecthub.engine.trouble import connection_trouble, connection_well
from collecthub.errors import CollecthubError, PermanentError
from collecthub.engine.context import Hub, Work
from collecthub.model.case import Case
from collecthub.model.codes import Status
from collecthub.model.event import CaseOpened, DispatchBlocked, DocumentAdded, Fact, HoldSet, OwnerChanged, RouteChosen
from collecthub.model.ids import derived_id, new_id
from collecthub.model.invoice import Invoice, ItemKind, ItemState, RefusedRow
from collecthub.model.money import minor_units
from collecthub.model.event import party_digest
from collecthub.model.party import Party, segment
from collecthub.ports import (
    DebtorSource,
    DocumentSource,
    InvoiceDocument,
    InvoiceSource,
    Page,
    PartnerProfile,
)
from collecthub.store import tables as t
from collecthub.store.case_log import from_minor, read_cases
from collecthub.store.connections import (
    SHADOW,
    ConnectionRow,
    change_connection,
    read_connection,
    read_creditor,
    read_profiles,
)
from collecthub.store.facts import next_numbers
from collecthub.store.quarantine import quarantine_row
from collecthub.store.upsert import bulk_upsert

log = logging.getLogger(__name__)

LOOK_NOW = dt.date(1970, 1, 1)
DEBTORS_PER_CHUNK = 100
CASES_PER_CHUNK = 100
DOCUMENTS_PER_CASE = 10

_COLUMNS = (
    "connection_id", "item_ref", "creditor_id", "debtor_ref", "debtor_name", "number", "kind", "state",
    "issued_on", "due_on", "currency", "amount_minor", "open_minor", "settles_ref", "group_ref", "document_ref",
    "dunning_level", "is_blocked", "text", "row_hash", "look_on",
)


# --- pull and normalise ---------------------------------------------------------------------------


def pull_connection(hub: Hub, connection_id: str) -> None:
    """Pull one ERP connection from its checkpoint to its end. Each page and its checkpoint commit together."""
    with hub.database.read() as conn:
        row = read_connection(conn, connection_id)
    if row is None or row.creditor_id is None:
        return
    run_id = new_id()
    with hub.work() as work:
        work.conn.execute(
            sa.insert(t.runs).values(run_id=run_id, connection_id=connection_id, started_at=work.now, state="running")
        )
    try:
        source = hub.connector(connection_id)
        if not isinstance(source, InvoiceSource):
            raise PermanentError(f"{row.kind} cannot pull invoices", cure="Use an ERP connection.")
        problem = ""
        for page in pull(source, row.checkpoint, hub.walk(f"{row.kind}.pull", connection_id)):
            _keep_page(hub, row, run_id, page)
            problem = problem or _control_problem(hub, row, page)
    except CollecthubError as error:
        _end_run(hub, row, run_id, "incomplete", error.message)
        connection_trouble(hub, connection_id, error, job="pull")
        return
    _end_run(hub, row, run_id, "incomplete" if problem else "complete", problem)
    connection_well(hub, connection_id)


def _keep_page(hub: Hub, row: ConnectionRow, run_id: str, page: Page) -> None:
    kept: list[tuple[Any, ...]] = []
    refused: list[RefusedRow] = list(page.refused)
    for raw in page.rows:
        item = normalise(raw)
        if type(item) is Invoice:
            kept.append(_row(row.connection_id, row.creditor_id or "", item))
        else:
            refused.append(item)  # type: ignore[arg-type]  # what is not an invoice is a refusal
    stored = [(bad, hub.evidence.keep(bad.content)) for bad in refused]
    with hub.work() as work:
        changed = bulk_upsert(work.conn, t.invoices, _COLUMNS, kept, "row_hash")
        for bad, sha256 in stored:
            quarantine_row(work.conn, row, "row", bad.item_ref, bad.code, bad.reason, sha256, work.now)
        change_connection(work.conn, row.connection_id, checkpoint=page.checkpoint)
        work.conn.execute(
            sa.update(t.runs)
            .where(t.runs.c.run_id == run_id)
            .values(
                pages=t.runs.c.pages + 1, rows=t.runs.c.rows + len(page.rows) + len(page.refused),
                changed=t.runs.c.changed + changed, refused=t.runs.c.refused + len(refused),
            )
        )


def _row(connection_id: str, creditor_id: str, item: Invoice) -> tuple[Any, ...]:
    places = minor_units(item.currency)
    values = (
        item.debtor_ref,
        item.debtor_name,
        item.number,
        item.kind.value,
        item.state.value,
        item.issued_on.isoformat() if item.issued_on else None,
        item.due_on.isoformat(),
        item.currency,
        int(item.amount.scaleb(places)),
        int(item.open_amount.scaleb(places)),
        item.settles_ref,
        item.group_ref,
        item.document_ref,
        item.dunning_level,
        int(item.is_blocked),
        item.text,
    )
    digest = hashlib.blake2b(repr(values).encode(), digest_size=8).digest()
    fingerprint = int.from_bytes(digest, "big", signed=True)
    return (connection_id, item.item_ref, creditor_id, *values, fingerprint, "1970-01-01")


def _control_problem(hub: Hub, row: ConnectionRow, page: Page) -> str:
    """Compare the ERP's own totals with what is stored; an empty text when they agree or were not given."""
    if page.control is None:
        return ""
    query = (
        sa.select(t.invoices.c.currency, sa.func.count(), sa.func.sum(t.invoices.c.open_minor))
        .where(t.invoices.c.connection_id == row.connection_id, t.invoices.c.state == ItemState.OPEN.value)
        .group_by(t.invoices.c.currency)
    )
    with hub.database.read() as conn:
        ours = {currency: (count, from_minor(int(total), currency)) for currency, count, total in conn.execute(query)}
    theirs = {total.currency: (total.count, total.amount) for total in page.control}
    differing = sorted(
        currency
        for currency in ours.keys() | theirs.keys()
        if ours.get(currency, (0, Decimal(0))) != theirs.get(currency, (0, Decimal(0)))
    )
    return "".join(
        f"{currency}: the ERP lists {theirs.get(currency, (0, 0))}, stored are {ours.get(currency, (0, 0))}; "
        for currency in differing
    )


def _end_run(hub: Hub, row: ConnectionRow, run_id: str, state: str, problem: str) -> None:
    with hub.work() as work:
        work.conn.execute(
            sa.update(t.runs).where(t.runs.c.run_id == run_id).values(state=state, problem=problem, ended_at=work.now)
        )
        if state == "complete":
            change_connection(work.conn, row.connection_id, last_complete_at=work.now)
        if problem and state == "incomplete":
            open_task(
                work, kind="pull_incomplete", title=f"a pull of {row.name} did not end complete", detail=problem[:2000],
                creditor_id=row.creditor_id, connection_id=row.connection_id,
            )
        work.wake("open_cases", row.connection_id)


# --- open cases -----------------------------------------------------------------------------------


def open_cases(hub: Hub, connection_id: str) -> None:
    """Bring the cases of every changed or newly overdue debtor of a connection into step with the ERP."""
    with hub.database.read() as conn:
        row = read_connection(conn, connection_id)
    if row is None or row.creditor_id is None:
        return
    skipped: set[str] = set()
    while refs := _debtors_to_look_at(hub, connection_id, skipped):
        _read_master_data(hub, row, refs)
        opened = _open_chunk(hub, row, refs)
        _read_documents(hub, row, opened)
        skipped.update(_still_waiting(hub, connection_id, refs))


def _debtors_to_look_at(hub: Hub, connection_id: str, skipped: Iterable[str]) -> list[str]:
    query = (
        sa.select(t.invoices.c.debtor_ref)
        .where(t.invoices.c.connection_id == connection_id, t.invoices.c.look_on <= hub.business_date())
        .group_by(t.invoices.c.debtor_ref)
        .order_by(t.invoices.c.debtor_ref)
    )
    passed = set(skipped)
    with hub.database.read() as conn:
        found = conn.scalars(query.limit(DEBTORS_PER_CHUNK + len(passed)))
        return [ref for ref in found if ref not in passed][:DEBTORS_PER_CHUNK]


def _still_waiting(hub: Hub, connection_id: str, refs: Sequence[str]) -> list[str]:
    """Debtors whose rows changed again meanwhile stay for the next run, so that this one ends."""
    query = sa.select(t.invoices.c.debtor_ref).where(
        t.invoices.c.connection_id == connection_id, t.invoices.c.debtor_ref.in_(refs),
        t.invoices.c.look_on <= hub.business_date(),
    )
    with hub.database.read() as conn:
        return list(set(conn.scalars(query)))


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
        for record in records:
            write_debtor(work, row, record.debtor_ref, record.party)


def write_debtor(work: Work, row: ConnectionRow, debtor_ref: str, party: Party) -> None:
    """Keep a debtor's master data; an existing one is replaced."""
    key = (t.debtors.c.connection_id == row.connection_id) & (t.debtors.c.debtor_ref == debtor_ref)
    values = {"party": msgspec.json.encode(party).decode(), "read_at": work.now}
    if work.conn.execute(sa.update(t.debtors).where(key).values(values)).rowcount == 0:
        work.conn.execute(
            sa.insert(t.debtors).values(
                connection_id=row.connection_id, debtor_ref=debtor_ref, creditor_id=row.creditor_id,
                salt=new_id(), **values,
            )
        )


def _open_chunk(hub: Hub, row: ConnectionRow, refs: Sequence[str]) -> list[Case]:
    as_of = hub.business_date()
    opened: list[Case] = []
    with hub.work() as work:
        accounts = _accounts(work.conn, row, refs)
        creditor = read_creditor(work.conn, row.creditor_id or "")
        numbers = itertools.count(next_numbers(work.conn, "case_number", len(accounts))) if accounts else iter(())
        for account, debtor in accounts:
            number = f"CH-{as_of.year}-{next(numbers):06d}"
            facts = open_case(account, as_of, number)
            if not facts:
                continue
            is_new = isinstance(facts[0], CaseOpened)
            if is_new:
                facts = (*facts, *_safe_start(row, account, debtor, facts[0]))
                if creditor is not None and creditor.playbook.owner:
                    people = creditor.playbook
                    facts = (*facts, OwnerChanged(owner=people.owner, contact_person=people.contact_person))
            case = change_case(
                hub, work, None if is_new else account.case, facts, actor=f"connection:{row.connection_id}",
                case_id=derived_id(row.connection_id, account.debtor_ref, account.currency, number),
                debtor=debtor if is_new else None,
            )
            if is_new:
                opened.append(case)
        _mark_looked_at(work.conn, row.connection_id, refs, as_of)
    return opened


def _safe_start(row: ConnectionRow, account: Account, debtor: Party, opened: Fact) -> list[Fact]:
    """What a person decided, or has yet to decide, before anything of this connection leaves."""
    assert isinstance(opened, CaseOpened), "the first fact of a new case"
    facts: list[Fact] = []
    rules = row.release
    principal = sum((claim.open_amount for claim in opened.claims), Decimal(0)) - opened.credits
    groups = {item.group_ref for item in account.rows}
    if account.debtor_ref in rules.debtor_refs or groups & set(rules.group_refs) or principal < rules.minimum_amount:
        facts.append(HoldSet(reason="excluded", note="excluded when the connection was released"))
    if row.mode == SHADOW:
        facts.append(HoldSet(reason="shadow", note="the connection has not been released yet"))
    return facts


def _accounts(conn: sa.Connection, row: ConnectionRow, refs: Sequence[str]) -> list[tuple[Account, Party]]:
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
    latest = _latest_cases(conn, row.connection_id, refs)
    accounts = []
    for (debtor_ref, currency), rows in sorted(by_account.items()):
        party, salt = parties.get(debtor_ref, (Party(name=rows[-1].debtor_name), debtor_ref))
        accounts.append(
            (
                Account(
                    creditor_id=row.creditor_id or "", connection_id=row.connection_id, debtor_ref=debtor_ref,
                    currency=currency, segment=segment(party),
                    debtor_digest=party_digest(salt, msgspec.json.encode(party)), rows=rows,
                    case=latest.get((debtor_ref, currency)),
                ),
                party,
            )
        )
    return accounts


def _latest_cases(conn: sa.Connection, connection_id: str, refs: Sequence[str]) -> dict[tuple[str, str], Case]:
    """Per debtor and currency: the open case, else the one closed last."""
    found = read_cases(conn, (t.cases.c.connection_id == connection_id) & t.cases.c.debtor_ref.in_(refs))
    ranked = sorted(found, key=lambda case: (case.is_open, case.opened_at))
    return {(case.debtor_ref, case.currency): case for case in ranked}


def _invoice(record: Any) -> Invoice:
    return Invoice(
        item_ref=record.item_ref, debtor_ref=record.debtor_ref, debtor_name=record.debtor_name,
        number=record.number, kind=ItemKind(record.kind), state=ItemState(record.state),
        issued_on=record.issued_on, due_on=record.due_on, currency=record.currency,
        amount=from_minor(record.amount_minor, record.currency),
        open_amount=from_minor(record.open_minor, record.currency),
        settles_ref=record.settles_ref, group_ref=record.group_ref, document_ref=record.document_ref,
        dunning_level=record.dunning_level, is_blocked=bool(record.is_blocked), text=record.text,
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


# --- documents ------------------------------------------------------------------------------------


def _read_documents(hub: Hub, row: ConnectionRow, opened: Sequence[Case]) -> None:
    """Fetch the invoices' own documents for new cases. A missing document never stops a case."""
    source = hub.connector(row.connection_id)
    if not isinstance(source, DocumentSource):
        return
    owners = {
        claim.document_ref: case
        for case in opened
        for claim in [c for c in case.claims if c.document_ref][:DOCUMENTS_PER_CASE]
    }
    if not owners:
        return
    try:
        found = list(hub.walk(f"{row.kind}.documents", row.connection_id)(source.documents(list(owners))))
    except CollecthubError as error:
        log.warning("documents of connection %s could not be read: %s", row.connection_id, error.message)
        return
    by_case: dict[str, list[InvoiceDocument]] = {}
    for document in found:
        if document.item_ref in owners:
            by_case.setdefault(owners[document.item_ref].case_id, []).append(document)
    for case_id, documents in by_case.items():
        add_documents(hub, case_id, documents, actor=f"connection:{row.connection_id}")


def add_documents(hub: Hub, case_id: str, found: Sequence[InvoiceDocument], actor: str, kind: str = "invoice") -> None:
    """Keep documents as evidence and note them on the case."""
    from collecthub.engine.case_work import locked_case

    stored = [(document, hub.evidence.keep(document.content)) for document in found]
    with hub.work() as work:
        case = locked_case(work, case_id)
        facts = []
        for document, sha256 in stored:
            document_id = derived_id(case_id, sha256)
            work.conn.execute(
                sa.insert(t.documents).values(
                    document_id=document_id, case_id=case_id, creditor_id=case.creditor_id, name=document.name[:140],
                    kind=kind, media_type=document.media_type, sha256=sha256, size=len(document.content),
                    added_by=actor, created_at=work.now,
                )
            )
            facts.append(
                DocumentAdded(document_id=document_id, name=document.name[:140], document_kind=kind, sha256=sha256)
            )
        change_case(hub, work, case, facts, actor=actor)


# --- route ----------------------------------------------------------------------------------------


def place_cases(hub: Hub, creditor_id: str) -> None:
    """Route every case of a creditor that is ready and not held, with all proposals stored."""
    after = ""
    while True:
        with hub.work() as work:
            creditor = read_creditor(work.conn, creditor_id)
            ready = read_cases(
                work.conn,
                (t.cases.c.creditor_id == creditor_id)
                & t.cases.c.status.in_([Status.READY.value, Status.REFUSED.value])
                & (t.cases.c.holds == "")
                & (t.cases.c.case_id > after),
                CASES_PER_CHUNK,
            )
            profiles = read_profiles(work.conn) if ready else []
            country = creditor.party.country if creditor else ""
            for case in ready:
                facts = route_facts(hub, case, country, profiles)
                changed = change_case(hub, work, case, facts, actor="hub")
                if changed.status is Status.NEEDS_INFO:
                    open_task(
                        work, kind="unroutable", title=f"case {case.number} cannot be handed over",
                        detail=getattr(facts[-1], "reason", ""), creditor_id=creditor_id, case_id=case.case_id,
                    )
        if len(ready) < CASES_PER_CHUNK:
            return
        after = ready[-1].case_id


def route_facts(hub: Hub, case: Case, country: str, profiles: Sequence[PartnerProfile]) -> tuple[Fact, ...]:
    """Ask every plugin for routes and vetoes and let the room decide."""
    as_of = hub.business_date()
    proposals = [
        proposal
        for _, given in hub.plugins.ask(
            "propose_routes", case=case, creditor_country=country, partners=profiles, as_of=as_of
        )
        for proposal in given
    ]
    placement_id = derived_id(case.case_id, str(case.version), "placement")
    chosen = route(case, proposals, profiles, placement_id)
    if not isinstance(chosen, RouteChosen):
        return (chosen,)
    partner = next(profile for profile in profiles if profile.partner_id == chosen.partner_id)
    for _, veto in hub.plugins.ask("veto_dispatch", case=case, partner=partner, as_of=as_of):
        return (DispatchBlocked(code=veto.code, reason=veto.reason),)
    return (chosen,)
