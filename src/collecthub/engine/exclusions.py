"""Who is left out: the customers and groups that a person named before the release, found among the creditor's own.

People name a customer by the number that their ERP shows; a connector's own reference is often another (Exact Online's is
a division and a guid). Both are understood, however many zeros lead.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

import msgspec
import sqlalchemy as sa

from collecthub.model.debtor_account import DebtorAccount
from collecthub.store import tables as t
from collecthub.store.connections import Exclusions

_decode_account = msgspec.json.Decoder(DebtorAccount).decode


def left_out(conn: sa.Connection, connection_id: str, rules: Exclusions, refs: Collection[str]) -> frozenset[str]:
    """Which of these debtors (our references) are named in the rules."""
    if not rules.debtor_refs:
        return frozenset()
    names = set(map(_plain, rules.debtor_refs))
    numbers = _customer_numbers(conn, connection_id, t.debtors.c.debtor_ref.in_(refs))
    return frozenset(ref for ref in refs if not names.isdisjoint((_plain(ref), numbers.get(ref, _plain(ref)))))


def unknown_names(conn: sa.Connection, connection_id: str, rules: Exclusions) -> tuple[str, ...]:
    """What is named in the rules and is no customer or group of what was pulled so far: often a slip of the pen."""
    invoices = t.invoices.c
    mine = invoices.connection_id == connection_id
    customers: Iterable[str] = ()
    if rules.debtor_refs:
        pulled = conn.scalars(sa.select(invoices.debtor_ref).where(mine).distinct())
        customers = {*map(_plain, pulled), *_customer_numbers(conn, connection_id, sa.true()).values()}
    groups = set(conn.scalars(sa.select(invoices.group_ref).where(mine).distinct())) if rules.group_refs else set()
    return (
        *(name for name in rules.debtor_refs if _plain(name) not in customers),
        *(name for name in rules.group_refs if name not in groups),
    )


def _customer_numbers(conn: sa.Connection, connection_id: str, which: sa.ColumnElement[bool]) -> dict[str, str]:
    debtors = t.debtors.c
    query = sa.select(debtors.debtor_ref, debtors.account).where(debtors.connection_id == connection_id, debtors.account != "", which)
    found = ((ref, _decode_account(account).customer_number) for ref, account in conn.execute(query))
    return {ref: _plain(number) for ref, number in found if number}


def _plain(name: str) -> str:
    """
    >>> _plain(" 0001000238"), _plain("K-77"), _plain("0")
    ('1000238', 'k-77', '0')
    """
    text = name.strip().casefold()
    return text.lstrip("0") or text
