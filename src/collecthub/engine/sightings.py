"""One movement, many files: a chunk of a bank file is compared with what other files showed, and taken over."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

import msgspec
import sqlalchemy as sa
from msgspec.structs import replace

from collecthub.engine.context import Work
from collecthub.formats.bank.sameness import Same, same_money
from collecthub.formats.bank.statement import BankTransaction
from collecthub.store import payments as p
from collecthub.store import tables as t

_encode = msgspec.json.Encoder().encode
_Movement = tuple[str, str, BankTransaction]  # payment id, account id, what the file says
_ADD_PAYMENTS, _ADD_SIGHTINGS = sa.insert(t.payments), sa.insert(t.payment_sightings)


def take_chunk(
    work: Work, file_id: str, creditor_id: str | None, accounts: Mapping[str, str],
    kind_of: Mapping[tuple[str, str], str], chunk: Sequence[BankTransaction], ordinal: int,
) -> None:  # fmt: skip
    """Write the payments of a chunk that no other file showed; of the others note where they were seen again."""
    movements = [
        (f"{file_id[:24]}{number:08d}", accounts[one.account], one) for number, one in enumerate(chunk, ordinal)
    ]
    first, last = movements[0][0], movements[-1][0]
    there = set(work.conn.scalars(sa.select(t.payments.c.payment_id).where(t.payments.c.payment_id.between(first, last))))
    known = _Known(work, file_id, [one for one in movements if not one[2].is_pending])
    for payment_id, account_id, found in movements:
        kind = kind_of.get((found.account, found.statement_ref), "csv")
        if payment_id in there:
            continue  # taken over before a crash
        twin = None if found.is_pending else known.twin(account_id, found, kind)
        if isinstance(twin, list):
            work.later(_ADD_SIGHTINGS, [_sighting(one, file_id, kind, found) for one in twin])
            continue
        if twin:
            found = replace(found, doubt=twin)
        work.later(_ADD_PAYMENTS, [_row(payment_id, file_id, account_id, creditor_id, kind, found)])
    p.settle(work.conn, [{"of_payment": one, "state": p.DETAILED} for one in sorted(known.detailed)])


class _Known:
    """What other files showed of the movements of one chunk. Each is the twin of one movement of a file at most."""

    def __init__(self, work: Work, file_id: str, movements: Sequence[_Movement]) -> None:
        self._by_money: dict[tuple[str, int, str, object], list[p.StoredPayment]] = defaultdict(list)
        self._by_entry: dict[tuple[str, str], list[p.StoredPayment]] = defaultdict(list)
        self.detailed: set[str] = set()  # lumps whose payments this file shows one by one
        for account_id in {account_id for _, account_id, _ in movements}:
            mine = [one for _, owner, one in movements if owner == account_id]
            days = min(one.booked_on for one in mine), max(one.booked_on for one in mine)
            amounts = (p.signed_minor(one) for one in mine)
            for row in p.with_money(work.conn, account_id, amounts, days, not_of=file_id):
                self._by_money[(account_id, row.amount_minor, row.currency, row.booked_on)].append(row)
            for row in p.of_entries(work.conn, account_id, (one.entry_ref[:80] for one in mine), not_of=file_id):
                self._by_entry[(account_id, row.entry_ref)].append(row)
        ids = [row.payment_id for rows in self._by_money.values() for row in rows]
        self._taken: set[str] = set()
        self._kinds: dict[str, set[str]] = defaultdict(set)
        for payment_id, seen_in, kind in p.sightings(work.conn, ids):
            self._kinds[payment_id].add(kind)
            if seen_in == file_id:
                self._taken.add(payment_id)

    def twin(self, account_id: str, found: BankTransaction, kind: str) -> list[p.StoredPayment] | str:
        """The payments that the movement is already, or a doubt in words, or nothing."""
        doubt = ""
        for row in self._by_money.get((account_id, p.signed_minor(found), found.currency, found.booked_on), ()):
            if row.payment_id in self._taken or row.state == p.DETAILED:
                continue
            shown_as = kind if kind in self._kinds[row.payment_id] else row.kind
            same = same_money(found, kind, row.transaction, shown_as)
            if same is Same.YES:
                self._taken.add(row.payment_id)
                return [row]
            if same is Same.MAYBE and not doubt:
                doubt = f"may be the money that another {shown_as} file shows ({row.transaction.place})"
        return self._batch(account_id, found) or doubt

    def _batch(self, account_id: str, found: BankTransaction) -> list[p.StoredPayment] | str:
        """A booking shown as one sum here and payment by payment there, or the other way round."""
        rows = [row for row in self._by_entry.get((account_id, found.entry_ref[:80]), ()) if row.booked_on == found.booked_on]
        amount = p.signed_minor(found)
        if len(rows) > 1 and sum(row.amount_minor for row in rows) == amount and all(r.amount_minor != amount for r in rows):
            return rows
        lump = [row for row in rows if found.entry_amount is not None and abs(row.amount_minor) != abs(amount)]
        for row in lump:
            if row.transaction.amount == found.entry_amount and found.amount != found.entry_amount:
                if row.state in (p.NEW, p.OPEN):
                    self.detailed.add(row.payment_id)
                    return ""
                return "its batch was settled as one payment before"
        return ""


def _sighting(row: p.StoredPayment, file_id: str, kind: str, found: BankTransaction) -> dict[str, object]:
    return {"payment_id": row.payment_id, "file_id": file_id, "kind": kind, "place": found.place}


def _row(
    payment_id: str, file_id: str, account_id: str, creditor_id: str | None, kind: str, found: BankTransaction
) -> dict[str, object]:
    return {
        "payment_id": payment_id, "file_id": file_id, "account_id": account_id, "creditor_id": creditor_id, "kind": kind,
        "state": _first_state(found), "amount_minor": p.signed_minor(found), "currency": found.currency,
        "booked_on": found.booked_on, "entry_ref": found.entry_ref[:80], "doc": _encode(found).decode(),
    }  # fmt: skip


def _first_state(found: BankTransaction) -> str:
    if found.is_pending:
        return p.PENDING
    if not found.amount:
        return p.SET_ASIDE
    if found.is_credit:
        return p.OUTGOING if found.is_return else p.NEW  # what we sent came back: no debtor's payment
    return p.RETURN if found.is_return else p.OUTGOING
