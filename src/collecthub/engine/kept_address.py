"""An address that a person entered stays when the ERP's master data is read anew, until the ERP itself has another one."""

from __future__ import annotations

import msgspec
import sqlalchemy as sa

from collecthub.engine.context import Work
from collecthub.model.party import Address, Party
from collecthub.store import tables as t
from collecthub.store.connections import ConnectionRow


class _Kept(msgspec.Struct, frozen=True, kw_only=True):
    """What a person said, and what the ERP had then."""

    given: Address
    erp: Address


def keep_address(work: Work, row: ConnectionRow, debtor_ref: str, *, given: Address, erp: Address) -> None:
    """Note that a person entered `given` while the ERP had `erp`; of several the ERP's first one counts."""
    before = _read(work, row, debtor_ref)
    kept = _Kept(given=given, erp=before.erp if before is not None else erp)
    _write(work, row, debtor_ref, msgspec.json.encode(kept).decode())


def with_kept_address(work: Work, row: ConnectionRow, debtor_ref: str, read: Party) -> Party:
    """What the ERP says now, with the address that a person entered. Once the ERP has a new one, that one counts."""
    kept = _read(work, row, debtor_ref)
    if kept is None:
        return read
    if read.address != kept.erp:
        forget_address(work, row, debtor_ref)
        return read
    return msgspec.structs.replace(read, address=kept.given, country=kept.given.country)


def forget_address(work: Work, row: ConnectionRow, debtor_ref: str) -> None:
    """From now on the ERP's address counts."""
    _write(work, row, debtor_ref, "")


def _read(work: Work, row: ConnectionRow, debtor_ref: str) -> _Kept | None:
    said = work.conn.scalar(sa.select(t.debtors.c.kept_address).where(_mine(row, debtor_ref)))
    return msgspec.json.decode(said, type=_Kept) if said else None


def _write(work: Work, row: ConnectionRow, debtor_ref: str, said: str) -> None:
    work.conn.execute(sa.update(t.debtors).where(_mine(row, debtor_ref)).values(kept_address=said))


def _mine(row: ConnectionRow, debtor_ref: str) -> sa.ColumnElement[bool]:
    return (t.debtors.c.connection_id == row.connection_id) & (t.debtors.c.debtor_ref == debtor_ref)
