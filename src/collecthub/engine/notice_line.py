"""Which debtors hear of what falls due soon: looked at once a business day, each invoice told once by each step.

No case exists before the due day, so a notice is a row of its own. Only the creditor's books as they are known whole
count: a page that is missing may hold the payment.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal

import msgspec
import sqlalchemy as sa

from collecthub.engine.case_work import open_task
from collecthub.engine.contact_line import REMINDED_BY_HUB, line_for
from collecthub.engine.contact_words import is_reached_by
from collecthub.engine.context import Hub, Work
from collecthub.engine.exclusions import left_out
from collecthub.engine.notice_words import Coming, coming, debtor_party
from collecthub.engine.opening import account_of, write_debtor
from collecthub.engine.trouble import connection_trouble
from collecthub.errors import RetryableError
from collecthub.law.notice_course import notice_due
from collecthub.model.contact import Channel, ContactPolicy, ContactStep, policy_for
from collecthub.model.ids import derived_id
from collecthub.model.invoice import Invoice, ItemKind, ItemState
from collecthub.model.party import Party, segment
from collecthub.ports import DebtorSource
from collecthub.registers import ConnectorRole
from collecthub.store import tables as t
from collecthub.store.connections import (
    RELEASED,
    ConnectionRow,
    CreditorRow,
    read_connection,
    read_connections,
    read_creditor,
)
from collecthub.store.facts import FENCE, read_fact, write_fact
from collecthub.store.notice_tables import due_notices, noticed_items
from collecthub.store.runs import Standing, standing

JOB, SAY_JOB = "notices", "say_notices"
_DONE = "notices_done_on:"
_CHUNK = 100
_MARGIN_DAYS = 14  # holidays in a row that working days may skip


def watch_notices(hub: Hub) -> None:
    """Wake the look of a business day at the books of every creditor who agreed to notices by the hub."""
    today = hub.business_date()
    with hub.database.read() as conn:
        due = [
            row.connection_id
            for row in read_connections(conn, t.connections.c.role == ConnectorRole.ERP.value)
            if _is_wanted(row) and not is_looked_at(conn, row.connection_id, today)
        ]
    if due:
        with hub.work() as work:
            for books_id in due:
                work.wake(JOB, books_id)


def _is_wanted(row: ConnectionRow) -> bool:
    return row.mode == RELEASED and row.release.reminders_by == REMINDED_BY_HUB


def line_notices(hub: Hub, books_id: str) -> None:
    """Job: put what is to be told today in line. Books that are not whole are looked at again with the next tick."""
    today = hub.business_date()
    with hub.database.read() as conn:
        row = read_connection(conn, books_id)
        creditor = read_creditor(conn, row.creditor_id) if row is not None and row.creditor_id else None
        is_fit = row is not None and standing(conn, books_id) is Standing.WHOLE and not read_fact(conn, FENCE)
    if row is None or creditor is None or not is_fit or not _is_wanted(row):
        return
    longest = max((-step.after_days for policy in creditor.playbook.contact for step in policy.before), default=0)
    after = ""
    while longest and (refs := _debtors(hub, books_id, after, today, today + _reach(longest))):
        after = refs[-1]
        try:
            _learn(hub, row, refs)
        except RetryableError as error:
            connection_trouble(hub, books_id, error, job=JOB)
            return
        with hub.work() as work:
            for debtor_ref in refs:
                _line_debtor(hub, work, row, creditor, debtor_ref)
    with hub.work() as work:
        write_fact(work.conn, _DONE + books_id, today.isoformat())
        _release(work, books_id)


def is_looked_at(conn: sa.Connection, books_id: str, today: dt.date) -> bool:
    """Whether the books were looked at today. Before that no notice of them leaves: two would on one day."""
    return read_fact(conn, _DONE + books_id) == today.isoformat()


def _release(work: Work, books_id: str) -> None:
    """What a night held may leave now."""
    c = due_notices.c
    mine = (c.books_id == books_id) & (c.state == "queued")
    work.conn.execute(sa.update(due_notices).where(mine).values(next_attempt_at=None))
    for connection_id in work.conn.scalars(sa.select(c.connection_id).where(mine).distinct()):
        work.wake(SAY_JOB, connection_id)


def _reach(longest: int) -> dt.timedelta:
    """Calendar days that hold so many working days."""
    return dt.timedelta(days=-(-longest * 7 // 5) + _MARGIN_DAYS)


def _debtors(hub: Hub, books_id: str, after: str, today: dt.date, until: dt.date) -> list[str]:
    with hub.database.read() as conn:
        return list(conn.scalars(_DEBTORS, {"books": books_id, "after": after, "today": today, "until": until}))


_DEBTORS = (
    sa.select(t.invoices.c.debtor_ref)
    .where(
        t.invoices.c.connection_id == sa.bindparam("books"), t.invoices.c.debtor_ref > sa.bindparam("after"),
        t.invoices.c.kind == ItemKind.INVOICE.value, t.invoices.c.state == ItemState.OPEN.value,
        t.invoices.c.due_on > sa.bindparam("today"), t.invoices.c.due_on <= sa.bindparam("until"),
    )
    .group_by(t.invoices.c.debtor_ref)
    .order_by(t.invoices.c.debtor_ref)
    .limit(_CHUNK)
)


def _learn(hub: Hub, row: ConnectionRow, refs: Sequence[str]) -> None:
    """Read the master data of debtors who were never late and are therefore not known yet."""
    with hub.database.read() as conn:
        known = set(conn.scalars(
            sa.select(t.debtors.c.debtor_ref).where(
                t.debtors.c.connection_id == row.connection_id, t.debtors.c.debtor_ref.in_(refs)
            )
        ))  # fmt: skip
    wanted = [ref for ref in refs if ref not in known]
    source = hub.connector(row.connection_id) if wanted else None
    if not isinstance(source, DebtorSource):
        return
    records = list(hub.walk(f"{row.kind}.debtors", row.connection_id)(source.debtors(wanted)))
    with hub.work() as work:
        for record in records:
            write_debtor(work, row, record.debtor_ref, record.party, account_of(record))


def _line_debtor(hub: Hub, work: Work, row: ConnectionRow, creditor: CreditorRow, debtor_ref: str) -> None:
    party = debtor_party(work.conn, row.connection_id, debtor_ref)
    if party is None or left_out(work.conn, row.connection_id, row.release, [debtor_ref]):
        return
    for found in coming(work.conn, row.connection_id, debtor_ref, work.now.date()).values():
        items = tuple(one for one in found.items if one[0].group_ref not in row.release.group_refs)
        policy = _policy(work, row, creditor, party, debtor_ref, msgspec.structs.replace(found, items=items))
        if policy is not None:
            _line_items(hub, work, row, policy, party, msgspec.structs.replace(found, items=items))


def _policy(
    work: Work, row: ConnectionRow, creditor: CreditorRow, party: Party, debtor_ref: str, found: Coming
) -> ContactPolicy | None:
    if found.total <= 0 or found.total < row.release.minimum_amount:
        return None
    lines = work.conn.scalar(
        sa.select(sa.func.count()).where(
            t.invoices.c.connection_id == row.connection_id, t.invoices.c.debtor_ref == debtor_ref
        )
    )
    return policy_for(
        creditor.playbook.contact, segment(party), found.total, country=party.country,
        is_repeat=int(lines or 0) > len(found.items),
    )  # fmt: skip


def _line_items(
    hub: Hub, work: Work, row: ConnectionRow, policy: ContactPolicy, party: Party, found: Coming
) -> None:
    """One message for everything of a debtor that is to be told today, at the step that comes last."""
    told = _told(work, row.connection_id, [item for item, _ in found.items])
    fresh = [
        (item, amount, step)
        for item, amount in found.items
        if (step := notice_due(policy, item.due_on, work.now.date(), party.country)) is not None
        and (item.item_ref, step.name) not in told
    ]  # fmt: skip
    if not fresh or sum((amount for _, amount, _ in fresh), Decimal(0)) <= found.credits:
        return
    waiting = _waiting(work, row, fresh[0][0])
    notice_id = waiting or derived_id(row.connection_id, "notice", fresh[0][0].item_ref, fresh[0][2].name)
    if not waiting and not _line_message(hub, work, row, policy, party, notice_id, [(one, step) for one, _, step in fresh]):
        return
    work.later(_ADD_ITEMS, [
        {"books_id": row.connection_id, "item_ref": item.item_ref, "step": one.name, "notice_id": notice_id}
        for item, _, one in fresh
    ])  # fmt: skip


def _waiting(work: Work, row: ConnectionRow, item: Invoice) -> str:
    """The notice of this debtor that a night or a Sunday holds: it takes what is to be told today along.

    The update keeps whoever is about to say it waiting, and he finds that the books changed.
    """
    c = due_notices.c
    mine = (c.books_id == row.connection_id) & (c.debtor_ref == item.debtor_ref) & (c.currency == item.currency)
    found = work.conn.scalar(sa.select(c.notice_id).where(mine, c.state == "queued").limit(1))
    if found is None:
        return ""
    still = (c.notice_id == found) & (c.state == "queued")
    return found if work.conn.execute(sa.update(due_notices).where(still).values(state="queued")).rowcount else ""


def _line_message(
    hub: Hub, work: Work, row: ConnectionRow, policy: ContactPolicy, party: Party, notice_id: str,
    fresh: Sequence[tuple[Invoice, ContactStep]],
) -> bool:
    """A new message in line, at the step that comes last. False where no connection brings it: tomorrow is another day."""
    step = max((step for _, step in fresh), key=lambda one: one.after_days)
    channel = next((one for one in (step.channel, policy.fallback) if is_reached_by(party, one)), None)
    connection_id = line_for(hub, work, row.creditor_id or "", channel) if channel else ""
    if channel and not connection_id:
        open_task(
            work, kind="no_channel", title=f"there is no connection for {channel}", creditor_id=row.creditor_id,
            detail=f"The playbook has steps by {channel}: add such a connection, or change the playbook.",
        )
        return False
    account = {"notice_id": notice_id, "debtor_ref": fresh[0][0].debtor_ref, "currency": fresh[0][0].currency}
    work.later(_ADD, [_row(work, row, policy, step, channel, connection_id) | account])
    return True


def _told(work: Work, books_id: str, items: Sequence[Invoice]) -> set[tuple[str, str]]:
    query = sa.select(noticed_items.c.item_ref, noticed_items.c.step).where(
        noticed_items.c.books_id == books_id, noticed_items.c.item_ref.in_([item.item_ref for item in items])
    )
    return {(ref, step) for ref, step in work.conn.execute(query)}


def _row(
    work: Work, row: ConnectionRow, policy: ContactPolicy, step: ContactStep, channel: Channel | None, connection_id: str
) -> dict[str, object]:
    """A debtor without an address is noted as not reached; nobody is asked to look for him before anything is late."""
    reached = {"state": "queued", "problem": ""} if channel else {"state": "failed", "problem": "no address is known"}
    return {
        "books_id": row.connection_id, "creditor_id": row.creditor_id, "policy": msgspec.json.encode(policy).decode(),
        "step": step.name, "channel": (channel or step.channel).value, "tone": step.tone.value,
        "connection_id": connection_id, "queued_at": work.now, **reached,
    }  # fmt: skip


_ADD, _ADD_ITEMS = sa.insert(due_notices), sa.insert(noticed_items)
