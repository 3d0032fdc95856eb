"""The working days of a partner's office: each case that is held goes one step on its track."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal

from collecthub.sandbox.office_books import Case, OfficeBooks, text
from collecthub.sandbox.office_plan import Step, rounded, steps_on

_TAX = Decimal("0.21")
_DAY = 86_400.0


class Bench:
    """Does the work. `kind` is bailiff, lawyer or agency and adds that office's own acts to every case."""

    def __init__(self, books: OfficeBooks, kind: str) -> None:
        self._books, self._kind = books, kind
        self._acts: dict[str, Callable[[Case, Step], None]] = {
            "status": lambda case, step: self.status(case, step.code),
            "cost": self._cost,
            "pay": self._pay,
            "reverse": self._reverse,
            "question": self._question,
            "return": lambda case, step: self._return(case, step.code),
        }

    def next_day(self) -> None:
        """One day for every case that is held and not suspended."""
        for case in self._books.cases("held"):
            if not case.is_suspended:
                self._day_of(case)

    def status(self, case: Case, code: str, *, sequence: int = 0, **content: str) -> None:
        """Report what happened in a case. A given `sequence` does not raise the case's own count."""
        if not sequence:
            case.sequence += 1
        self._books.queue(self._books.message(
            "case_status_update", case.case_id, case.holder_ref, sequence=sequence or case.sequence,
            status_code=code, text=code.replace("_", " "), occurred_at=self._books.now(), **content,
        ))  # fmt: skip
        self._books.save(case)

    def _day_of(self, case: Case) -> None:
        case.progress += 1
        steps = steps_on(self._kind, case.track, case.progress)
        if not steps and case.owed == 0:
            self._return(case, "paid_full")
        for step in steps:
            if case.state == "held":
                self._acts[step.act](case, step)
        self._books.save(case)

    def _cost(self, case: Case, step: Step) -> None:
        amount = max(rounded(min(case.principal * step.share, step.most), case.currency), Decimal(1))
        tax = rounded(amount * _TAX, case.currency) if self._kind == "lawyer" else Decimal(0)
        case.costs += amount + tax
        bearer = "creditor" if self._is_person(case) else step.bearer
        if bearer == "debtor":
            case.debtor_costs += amount + tax
        self._books.queue(self._books.message(
            "cost_statement", case.case_id, case.holder_ref,
            cost_ref=self._books.new_id("c", self._books.next_number()), cost_type=step.code, currency=case.currency,
            amount=text(amount), tax_amount=text(tax), bearer=bearer,
            occurred_on=self._books.today().isoformat(), legal_basis="tariff of the office",
        ))  # fmt: skip

    def _is_person(self, case: Case) -> bool:
        """Whether the debtor is a consumer, whom no office may ask its own costs (in Belgium art. XIX.10 of the Code)."""
        row = self._books.db.execute("SELECT body FROM messages_in WHERE message_id = ?", (case.file_message_id,)).fetchone()
        debtors = json.loads(row["body"])["debtors"] if row is not None else []
        return any(debtor.get("kind") == "person" for debtor in debtors)

    def _pay(self, case: Case, step: Step) -> None:
        amount = min(rounded(case.owed * step.share, case.currency), case.owed)
        if amount > 0:
            self._book(case, amount, reverses_ref="")

    def _reverse(self, case: Case, _: Step) -> None:
        row = self._books.db.execute(
            "SELECT payment_ref, amount FROM payments WHERE case_id = ? ORDER BY rowid DESC LIMIT 1",
            (case.case_id,),
        ).fetchone()
        if row is not None:
            self._book(case, -Decimal(row["amount"]), reverses_ref=row["payment_ref"])

    def _book(self, case: Case, amount: Decimal, reverses_ref: str) -> None:
        """Money in (positive) or given back; passed on to the creditor with the day's remittance."""
        today = self._books.today().isoformat()
        payment_ref = self._books.new_id("p", self._books.next_number())
        case.paid += amount
        self._books.db.execute(
            "INSERT INTO payments VALUES (?, ?, ?, ?, ?, ?)",
            (payment_ref, case.case_id, case.currency, text(amount), today, reverses_ref),
        )
        self._books.queue(self._books.message(
            "payment_report", case.case_id, case.holder_ref, payment_ref=payment_ref, currency=case.currency,
            amount=text(amount), received_on=today, reverses_ref=reverses_ref,
            remittance_ref=f"{self._books.ref}-R{today}",
        ))  # fmt: skip

    def _question(self, case: Case, _: Step) -> None:
        words = "The debtor says that nothing was delivered. Please send the delivery note."
        self._books.queue(self._books.message(
            "case_instruction", case.case_id, case.holder_ref, code="question", in_reply_to="", text=words,
        ))  # fmt: skip

    def _return(self, case: Case, code: str) -> None:
        case.state = "returned"
        self._books.queue(self._books.message(
            "case_return", case.case_id, case.holder_ref, close_code=code, currency=case.currency,
            remaining=text(max(case.principal - case.paid, Decimal(0))), occurred_on=self._books.today().isoformat(), text=code.replace("_", " "),
        ))  # fmt: skip


class Mischief:
    """Malformed and misleading documents on purpose, each kind once, as soon as the books allow it.

    Every one travels in an exchange of its own and is noted with what a hub is expected to make of it:
    `quarantine`, `task` (understood, but a person must look), `no_effect`, `history` (late, kept, nothing moves back)
    or `retry` (the answer was garbage, the next one is good). `spoils` are the kinds that the office's transport
    commits itself, each with its expectation.
    """

    def __init__(
        self, books: OfficeBooks, bench: Bench, hub_ref: Callable[[], str], spoils: dict[str, str]
    ) -> None:
        self._books, self._bench, self._hub_ref, self._spoils = books, bench, hub_ref, spoils
        self._expect = {
            "unknown_status": "task", "impossible_date": "quarantine", "unknown_case": "quarantine",
            "duplicate_payment": "no_effect", "repeated_payment_ref": "no_effect", "out_of_order": "history",
        } | spoils  # fmt: skip

    def commit(self) -> None:
        """Do whatever was not done yet and can be done today."""
        done = {row["kind"] for row in self._books.db.execute("SELECT kind FROM mischief")}
        held = [case for case in self._books.cases("held") if not case.is_suspended]
        for turn, (kind, expect) in enumerate(self._expect.items()):
            if kind not in done and held:
                self._once(kind, expect, held[turn % len(held)])

    def _once(self, kind: str, expect: str, case: Case) -> None:
        self._books.bundle(self._hub_ref(), 500)
        if kind in self._spoils:
            self._bench.status(case, "contact_attempted")
        else:
            getattr(self, f"_{kind}")(case)
        size = 1 if kind == "out_of_order" else 500
        for exchange in self._books.bundle(self._hub_ref(), size, kind if kind in self._spoils else ""):
            self._books.db.execute(
                "INSERT OR IGNORE INTO mischief VALUES (?, ?, ?, ?)",
                (kind, exchange["exchange_id"], exchange["messages"][0]["message_id"], expect),
            )

    def _unknown_status(self, case: Case) -> None:
        self._bench.status(case, "XQ-99")

    def _impossible_date(self, case: Case) -> None:
        """The bad one has a good neighbour, which must come through."""
        self._bench.status(case, "contact_attempted", next_deadline_on="2026-02-30")
        self._bench.status(case, "contact_attempted")

    def _unknown_case(self, case: Case) -> None:
        self._books.queue(self._books.message(
            "case_status_update", f"{case.case_id[:58]}-none", "", sequence=1, status_code="contact_made",
            text="for nobody", occurred_at=self._books.now(),
        ))  # fmt: skip

    def _earlier_payment(self) -> str:
        row = self._books.db.execute(
            "SELECT body FROM messages_out WHERE kind = 'payment_report' LIMIT 1"
        ).fetchone()
        return "" if row is None else str(row["body"])

    def _duplicate_payment(self, _: Case) -> None:
        """The same message again, in a new exchange."""
        if body := self._earlier_payment():
            self._books.queue(json.loads(body))

    def _repeated_payment_ref(self, _: Case) -> None:
        """The same payment under a new message id."""
        if body := self._earlier_payment():
            message_id = self._books.new_id("m", self._books.next_number())
            self._books.queue({**json.loads(body), "message_id": message_id})

    def _out_of_order(self, case: Case) -> None:
        """Two updates of one case, the later one first."""
        self._bench.status(case, "contact_made", sequence=case.sequence + 2)
        self._bench.status(case, "contact_attempted", sequence=case.sequence + 1)
        case.sequence += 2
        self._books.save(case)
