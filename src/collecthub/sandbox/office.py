"""A partner's office: takes cases in, works them day by day, sends word, and keeps durable books of it all.

The bailiff, the lawyer and the agencies are such offices; they differ in how they talk to the hub.
"""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import asdict, dataclass, field, replace
from decimal import Decimal
from typing import Any

from collecthub.sandbox.office_books import ACTS, Case, Json, OfficeBooks, text
from collecthub.sandbox.office_desk import Desk
from collecthub.sandbox.office_work import Bench, Mischief
from collecthub.sandbox.twin import Books, Clock, TwinOptions


@dataclass(frozen=True, kw_only=True)
class OfficeProfile:
    """What an office is: `ref` names it in exchanges, `seed` decides the fate of its cases.

    `is_inline`: answers to what it receives go back in the same call where the transport has one, else they are
    queued with the rest. `spoils`: kinds of broken documents that its transport can send, with the expectation.
    """

    ref: str
    kind: str
    seed: str
    hub_ref: str = "collecthub"
    is_auto: bool = False
    is_mischievous: bool = False
    is_inline: bool = True
    bundle_size: int = 100
    spoils: dict[str, str] = field(default_factory=dict)


def profile_from(
    options: TwinOptions, *, ref: str, kind: str, spoils: dict[str, str], is_inline: bool = True
) -> OfficeProfile:
    """The profile of an office that a twin with these options runs.

    Settings: `seed`, `hub_ref`, `auto`, `mischief`, `bundle` (messages per exchange), `replies` (inline or outbox).
    """
    return OfficeProfile(
        ref=ref, kind=kind, seed=options.setting("seed", ref), spoils=spoils,
        hub_ref=options.setting("hub_ref", "collecthub"), is_auto=options.setting("auto", "0") == "1",
        is_mischievous=options.setting("mischief", "0") == "1",
        is_inline=is_inline and options.setting("replies", "inline") == "inline",
        bundle_size=int(options.setting("bundle", "100")),
    )  # fmt: skip


@dataclass(frozen=True)
class Answer:
    """What a call that brought an exchange is answered with; `replies` is an exchange, the same for each retry."""

    exchange_id: str
    is_duplicate: bool
    replies: Json | None = None


class Office:
    """One office over its books."""

    def __init__(self, books: Books, clock: Clock, profile: OfficeProfile) -> None:
        self.profile, self.clock = profile, clock
        self.books = OfficeBooks(books, clock, profile.ref)
        self._desk = Desk(self.books, profile.seed, is_auto=profile.is_auto)
        self._bench = Bench(self.books, profile.kind)
        self._mischief = Mischief(self.books, self._bench, lambda: self.hub_ref, profile.spoils)

    @property
    def hub_ref(self) -> str:
        """The name under which the hub sends and receives."""
        return str(self.books.books.get("hub_ref", self.profile.hub_ref))

    def receive(self, exchange: Json, digest: str) -> Answer:
        """Take an exchange in; without inline answers they are queued, also those to a duplicate.

        Raises `ChangedExchange` when the exchange was received before with other content.
        """
        receipt = self._desk.receive(exchange, digest)
        answer = Answer(receipt.exchange_id, receipt.is_duplicate)
        if not receipt.replies:
            return answer
        with self.books.transaction():
            if self.profile.is_inline:
                return replace(answer, replies=self.books.inline(self.hub_ref, receipt.replies))
            for reply in receipt.replies:
                self.books.queue(reply)
            self.books.bundle(self.hub_ref, self.profile.bundle_size)
        return answer

    @property
    def days_worked(self) -> int:
        """How many days this office has worked."""
        return int(self.books.books.get("days_worked", 0))

    def work(self, days: int = 1, *, up_to: int = 0, advance_clock: bool = True) -> Json:
        """Do the next days' work, or with `up_to` what is missing until so many days are worked in all.

        The office's clock goes on a day each unless it is told not to. A day that a crash cut off is done again.
        """
        for day in range(self.days_worked + 1, (up_to or self.days_worked + days) + 1):
            if advance_clock:
                self.clock.begin_day(day)
            with self.books.transaction():
                self.books.books.put("days_worked", day)
                for case in self.books.cases("waiting"):
                    self.books.queue(self._desk.decide(case))
                self._bench.next_day()
                if self.profile.is_mischievous:
                    self._mischief.commit()
                self.books.bundle(self.hub_ref, self.profile.bundle_size)
        return {
            "waiting": self._count("SELECT count(*) FROM exchanges_out WHERE is_delivered = 0"),
            "held": self._count("SELECT count(*) FROM cases WHERE state = 'held'"),
        }

    def undelivered(self, limit: int) -> list[Json]:
        """Exchanges that wait to leave: `{"cursor", "exchange", "spoil", "attempts"}`, oldest first."""
        return self._outgoing("is_delivered = 0", (), limit)

    def outbox(self, after: int, limit: int) -> list[Json]:
        """Good exchanges after a cursor, delivered or not."""
        return self._outgoing("cursor > ? AND spoil = ''", (after,), limit)

    def next_spoilt(self) -> Json | None:
        """The oldest exchange that is to be sent broken, once; it counts as sent from now on."""
        found = self._outgoing("spoil NOT IN ('', 'inline') AND is_delivered = 0", (), 1)
        if found:
            self.mark(found[0]["exchange"]["exchange_id"], is_delivered=True)
        return found[0] if found else None

    def _outgoing(self, where: str, values: tuple[Any, ...], limit: int) -> list[Json]:
        rows = self.books.db.execute(
            f"SELECT cursor, body, spoil, attempts FROM exchanges_out WHERE {where} ORDER BY cursor LIMIT ?",
            (*values, limit),
        )
        return [
            {"cursor": row["cursor"], "exchange": json.loads(row["body"]), "spoil": row["spoil"],
             "attempts": row["attempts"]}
            for row in rows
        ]  # fmt: skip

    def mark(self, exchange_id: str, *, is_delivered: bool) -> None:
        """Note an attempt to hand an exchange over, and whether it is done with."""
        self.books.db.execute(
            "UPDATE exchanges_out SET is_delivered = max(is_delivered, ?), attempts = attempts + 1 WHERE exchange_id = ?",
            (is_delivered, exchange_id),
        )

    def record_verdict(self, exchange_id: str, *, accepted: bool, code: str = "", reason: str = "") -> bool:
        """Note what the hub said to an exchange of ours; False when it is not one of ours."""
        verdict = json.dumps({"accepted": accepted, "code": code, "reason": reason})
        changed = self.books.db.execute(
            "UPDATE exchanges_out SET verdict = ?, is_delivered = 1 WHERE exchange_id = ?",
            (verdict, exchange_id),
        )
        return changed.rowcount == 1

    def state_of(self, exchange_id: str) -> str:
        """`accepted` for an exchange that was taken in, else an empty text."""
        row = self.books.db.execute(
            "SELECT 1 FROM exchanges_in WHERE exchange_id = ?", (exchange_id,)
        ).fetchone()
        return "" if row is None else "accepted"

    def accounts(self) -> list[Json]:
        """The office's own figures on every case that it took on."""
        return [_account(case) for case in self.books.cases() if case.holder_ref or case.state == "recalled"]

    def report(self) -> Json:
        """Everything in the books, for a test or a curious person."""
        cases = self.books.cases()
        return {
            "ref": self.profile.ref, "cases": [_shown(case) for case in cases], "totals": _totals(cases),
            "duplicates": {
                "exchanges": self._count("SELECT coalesce(sum(copies), 0) FROM exchanges_in"),
                "messages": self._count("SELECT coalesce(sum(copies), 0) FROM messages_in"),
            },
            "acts_after_recall": self._acts_after_recall(),
            "exchanges_in": self._count("SELECT count(*) FROM exchanges_in"),
            "messages_in": self._count("SELECT count(*) FROM messages_in"),
            "undelivered": self._count("SELECT count(*) FROM exchanges_out WHERE is_delivered = 0"),
            "sent": self._rows("SELECT exchange_id, is_delivered, attempts, spoil, verdict FROM exchanges_out"),
            "payments": self._rows("SELECT * FROM payments"),
            "mischief": self._rows("SELECT * FROM mischief"),
            "refused": self._rows("SELECT name, code, reason, at FROM refused"),
        }  # fmt: skip

    def _count(self, query: str) -> int:
        return int(self.books.db.execute(query).fetchone()[0])

    def _acts_after_recall(self) -> int:
        """Counted from what was sent, not from what the work believes: acts numbered after their case's recall."""
        marks = ", ".join("?" * len(ACTS))
        query = (
            "SELECT count(*) FROM messages_out JOIN cases USING (case_id) "
            f"WHERE state = 'recalled' AND number > stopped_after AND kind IN ({marks})"
        )
        return int(self.books.db.execute(query, ACTS).fetchone()[0])

    def _rows(self, query: str) -> list[Json]:
        return [dict(row) for row in self.books.db.execute(query)]


def _account(case: Case) -> Json:
    return {
        "case_id": case.case_id, "holder_ref": case.holder_ref, "currency": case.currency,
        "principal": text(case.principal), "paid": text(case.paid), "costs": text(case.costs),
        "is_stopped": case.state != "held",
    }  # fmt: skip


def _shown(case: Case) -> Json:
    return {
        name: text(value) if isinstance(value, Decimal) else value for name, value in asdict(case).items()
    } | {"owed": text(case.owed)}


def _totals(cases: list[Case]) -> dict[str, dict[str, str]]:
    """Per currency: what is asked in open cases, what was paid and what was charged in all."""
    sums: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for case in cases:
        of_currency = sums[case.currency]
        of_currency["principal"] += case.principal if case.state == "held" else Decimal(0)
        of_currency["paid"] += case.paid
        of_currency["costs"] += case.costs
    return {
        currency: {name: text(value) for name, value in names.items()} for currency, names in sums.items()
    }
