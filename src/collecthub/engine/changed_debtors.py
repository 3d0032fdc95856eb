"""Customers whose master data changed in the ERP: marked with the page that says so, read anew after the pull.

Only customers that the hub holds are read. One that the ERP anonymised comes back without a way to reach him, and one
that it deleted keeps his name here, which the case needs, and loses everything else.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

import msgspec
import sqlalchemy as sa

from collecthub.engine.case_work import change_case, locked_case
from collecthub.engine.context import Hub, Work
from collecthub.engine.kept_address import forget_address, with_kept_address
from collecthub.engine.opening import account_of, write_debtor
from collecthub.errors import CollecthubError
from collecthub.model.debtor_account import NO_ACCOUNT
from collecthub.model.event import NoteAdded
from collecthub.model.party import Party
from collecthub.ports import DebtorRecord, DebtorSource
from collecthub.store import tables as t
from collecthub.store.connections import ConnectionRow

REFS_AT_ONCE = 500
DEBTORS_AT_ONCE = 50
_CHANGED = "the ERP changed the customer's data, which was read anew"
_HIDDEN = "the ERP anonymised the customer; address, contacts and notes were removed here too"
_GONE = "the ERP deleted the customer; all but the name was removed here too"

log = logging.getLogger(__name__)


def mark_changed(conn: sa.Connection, connection_id: str, debtor_refs: Sequence[str]) -> None:
    """Note that what the hub holds of these customers is not what the ERP has; to be called with the page's commit."""
    for start in range(0, len(debtor_refs), REFS_AT_ONCE):
        mine = (t.debtors.c.connection_id == connection_id) & t.debtors.c.debtor_ref.in_(
            debtor_refs[start : start + REFS_AT_ONCE]
        )
        conn.execute(sa.update(t.debtors).where(mine).values(read_at=None))


def read_changed(hub: Hub, row: ConnectionRow) -> None:
    """Read the marked customers anew. What cannot be read now stays marked for the next pull."""
    source = hub.connector_for(row)
    if not isinstance(source, DebtorSource):
        return
    try:
        while marked := _marked(hub, row.connection_id):
            found = hub.walk(f"{row.kind}.debtors", row.connection_id)(source.debtors(list(marked)))
            records = {record.debtor_ref: record for record in found}
            with hub.work() as work:
                for debtor_ref, held in marked.items():
                    _renew(hub, work, row, debtor_ref, held, records.get(debtor_ref))
    except CollecthubError as error:
        log.warning("changed customers of connection %s could not be read: %s", row.connection_id, error.message)


def _marked(hub: Hub, connection_id: str) -> dict[str, Party]:
    query = (
        sa.select(t.debtors.c.debtor_ref, t.debtors.c.party)
        .where(t.debtors.c.connection_id == connection_id, t.debtors.c.read_at.is_(None))
        .order_by(t.debtors.c.debtor_ref)
        .limit(DEBTORS_AT_ONCE)
    )
    with hub.database.read() as conn:
        return {ref: msgspec.json.decode(party, type=Party) for ref, party in conn.execute(query)}


def _renew(
    hub: Hub, work: Work, row: ConnectionRow, debtor_ref: str, held: Party, record: DebtorRecord | None
) -> None:
    if record is None or record.is_anonymised:
        forget_address(work, row, debtor_ref)
    gone = Party(name=held.name, kind=held.kind, country=held.country)
    party = with_kept_address(work, row, debtor_ref, record.party) if record is not None else gone
    write_debtor(work, row, debtor_ref, party, account_of(record) if record is not None else NO_ACCOUNT)
    if party == held:
        return
    why = _GONE if record is None else _HIDDEN if record.is_anonymised else _CHANGED
    mine = (t.cases.c.connection_id == row.connection_id) & (t.cases.c.debtor_ref == debtor_ref)
    for case_id in list(work.conn.scalars(sa.select(t.cases.c.case_id).where(mine))):
        case = locked_case(work, case_id)
        change_case(
            hub, work, case, [NoteAdded(text=why)], actor=f"connection:{row.connection_id}", debtor=party
        )
