"""Compares what a pull left in the store with the ERP's own list of open items: count and amount per currency.

A row that stands in quarantine is on the ERP's list as well; as far as it named its money, it counts on our side.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

import sqlalchemy as sa

from collecthub.model.invoice import ItemState
from collecthub.model.money import round_amount
from collecthub.ports import ControlTotal
from collecthub.store import tables as t
from collecthub.store.case_log import from_minor
from collecthub.store.quarantine import refused_money, refused_references

_NOTHING = (0, Decimal(0))


def difference(
    conn: sa.Connection, connection_id: str, control: Iterable[ControlTotal], groups: Sequence[str] = ()
) -> str:
    """What does not add up, one sentence a currency; an empty text when everything does.

    With `groups` only the rows of these parts of the ERP (`group_ref`) are compared.
    """
    theirs = {total.currency: (total.count, round_amount(total.amount, total.currency)) for total in control}
    ours = _stored(conn, connection_id, groups)
    sentences = [
        f"The ERP lists {_words(theirs.get(currency, _NOTHING))} {currency} as open, "
        f"the hub holds {_words(ours.get(currency, _NOTHING))}."
        for currency in sorted(ours.keys() | theirs.keys())
        if ours.get(currency, _NOTHING) != theirs.get(currency, _NOTHING)
    ]
    if sentences and (refused := len(refused_references(conn, connection_id))):
        sentences.append(f"Rows in quarantine: {refused}.")
    return " ".join(sentences)


def _stored(conn: sa.Connection, connection_id: str, groups: Sequence[str]) -> dict[str, tuple[int, Decimal]]:
    """Open items by currency, those in quarantine included."""
    query = (
        sa.select(t.invoices.c.currency, sa.func.count(), sa.func.sum(t.invoices.c.open_minor))
        .where(t.invoices.c.connection_id == connection_id, t.invoices.c.state == ItemState.OPEN.value)
        .group_by(t.invoices.c.currency)
    )
    query = query.where(t.invoices.c.group_ref.in_(groups)) if groups else query
    sums = {currency: (int(count), int(total)) for currency, count, total in conn.execute(query)}
    for currency, (count, total) in refused_money(conn, connection_id).items():
        known = sums.get(currency, (0, 0))
        sums[currency] = known[0] + count, known[1] + total
    return {currency: (count, from_minor(total, currency)) for currency, (count, total) in sums.items()}


def _words(total: tuple[int, Decimal]) -> str:
    """Count and amount as people read them.

    >>> _words((12, Decimal("1234.50")))
    '12 items with 1,234.50'
    """
    count, amount = total
    return f"{count:,} {'item' if count == 1 else 'items'} with {amount:,}"
