"""The incoming desk of a partner's office: reads what the hub sends, decides on it and answers each message once."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from collecthub.sandbox.office_books import Case, Json, OfficeBooks
from collecthub.sandbox.office_plan import refusal_of, track_of


class ChangedExchange(ValueError):
    """An exchange came again under the same id with other content."""


@dataclass(frozen=True)
class Receipt:
    """What the office says to an exchange: whether it had it before, and its answers (the same each time)."""

    exchange_id: str
    is_duplicate: bool
    replies: list[Json]


class Desk:
    """Answers exchanges. `is_auto`: decides on a case file at once instead of on the next working day."""

    def __init__(self, books: OfficeBooks, seed: str, *, is_auto: bool) -> None:
        self._books, self._seed, self._is_auto = books, seed, is_auto
        self._by_type: dict[str, Callable[[Json], list[Json]]] = {
            "case_file": self._case_file,
            "case_amendment": self._amendment,
            "case_instruction": self._instruction,
            "case_acknowledgement": lambda _: [],
        }

    def receive(self, exchange: Json, digest: str) -> Receipt:
        """Take an exchange in, in one transaction. Raises `ChangedExchange` for another content under a known id."""
        exchange_id = exchange["exchange_id"]
        with self._books.transaction():
            known = self._books.db.execute(
                "UPDATE exchanges_in SET copies = copies + (digest = ?) WHERE exchange_id = ? RETURNING digest, replies",
                (digest, exchange_id),
            ).fetchone()
            if known is None:
                answer_one = self._answer_test if exchange.get("is_test") else self._answer
                replies = [answer for message in exchange["messages"] for answer in answer_one(message)]
                self._books.db.execute(
                    "INSERT INTO exchanges_in (exchange_id, digest, replies) VALUES (?, ?, ?)",
                    (exchange_id, digest, json.dumps(replies)),
                )
                return Receipt(exchange_id, False, replies)
        if known["digest"] != digest:
            raise ChangedExchange(f"Exchange {exchange_id} was received before with other content.")
        return Receipt(exchange_id, True, json.loads(known["replies"]))

    def decide(self, case: Case) -> Json:
        """Take a waiting case on, or not; returns the verdict on its case file."""
        told = {"message_id": case.file_message_id, "case_id": case.case_id}
        if case.track == "refused":
            code = refusal_of(self._seed, case.case_number)
            case.state = "refused"
            answer = self._books.acknowledge(
                told, "refused", code, f"This office does not take the case on: {code}."
            )
        else:
            serial = (
                self._books.db.execute("SELECT count(*) FROM cases WHERE holder_ref <> ''").fetchone()[0] + 1
            )
            case.state, case.holder_ref = "held", f"{self._books.ref}/{self._books.today().year}/{serial:05d}"
            answer = self._books.acknowledge(told, "accepted", holder_ref=case.holder_ref)
        self._books.save(case)
        return answer

    def _answer(self, message: Json) -> list[Json]:
        known = self._books.db.execute(
            "UPDATE messages_in SET copies = copies + 1 WHERE message_id = ? RETURNING answers",
            (message["message_id"],),
        ).fetchone()
        if known is not None:
            answers: list[Json] = json.loads(known["answers"])
            return answers
        answers = self._by_type.get(message["type"], self._unexpected)(message)
        self._books.db.execute(
            "INSERT INTO messages_in (message_id, case_id, kind, body, answers) VALUES (?, ?, ?, ?, ?)",
            (message["message_id"], message["case_id"], message["type"],
             json.dumps({**message, "documents": []}), json.dumps(answers)),
        )  # fmt: skip
        return answers

    def _answer_test(self, message: Json) -> list[Json]:
        """A test exchange is read and answered; nothing is kept and nobody is asked for money."""
        return [self._books.acknowledge(message, "received", "test", "A test: read, not kept.")]

    def _unexpected(self, message: Json) -> list[Json]:
        reason = f"A {message['type']} is not for the holder of a case."
        return [self._books.acknowledge(message, "refused", "unexpected_message", reason)]

    def _case_file(self, message: Json) -> list[Json]:
        if self._books.case(message["case_id"]) is not None:
            return [
                self._books.acknowledge(message, "refused", "duplicate_case", "This case is known already.")
            ]
        fault = _contradiction(message)
        if fault:
            return [self._books.acknowledge(message, "refused", "invalid_data", fault)]
        case = Case(
            case_id=message["case_id"], case_number=message["case_number"], currency=message["currency"],
            principal=Decimal(message["principal"]), file_message_id=message["message_id"],
            track=track_of(self._seed, message["case_number"]).name,
        )  # fmt: skip
        waiting = self._early(case.case_id)
        if any(one["code"] == "recall" for one in waiting):
            self._stop(case)
            return [
                self._books.acknowledge(
                    message, "refused", "recalled", "The case was recalled before it came."
                )
            ]
        self._books.save(case)
        answers = [self.decide(case) if self._is_auto else self._books.acknowledge(message, "received")]
        return answers + [self._amend(case, one) for one in waiting]

    def _early(self, case_id: str) -> list[Json]:
        rows = self._books.db.execute(
            "SELECT body FROM early WHERE case_id = ? ORDER BY number", (case_id,)
        ).fetchall()
        self._books.db.execute("DELETE FROM early WHERE case_id = ?", (case_id,))
        return [json.loads(row["body"]) for row in rows]

    def _amendment(self, message: Json) -> list[Json]:
        case = self._books.case(message["case_id"])
        if case is not None:
            return [self._amend(case, message)]
        self._books.db.execute(
            "INSERT INTO early (case_id, body) VALUES (?, ?)", (message["case_id"], json.dumps(message))
        )
        if message["code"] == "recall":
            return [
                self._books.acknowledge(
                    message, "accepted", "unknown_case", "Not held here, and will not be."
                )
            ]
        return [
            self._books.acknowledge(message, "received", "unknown_case", "Kept until the case file comes.")
        ]

    def _amend(self, case: Case, message: Json) -> Json:
        code = message["code"]
        if case.state == "refused" and code != "recall":
            return self._books.acknowledge(
                message, "refused", "not_held", "This office did not take the case on."
            )
        if code == "recall":
            self._stop(case)
        elif case.state in ("returned", "recalled"):
            return self._books.acknowledge(message, "accepted", "already_closed", "Nothing is done in this case.",
                                           case.holder_ref)  # fmt: skip
        elif code == "balance" and (message["currency"] != case.currency or Decimal(message["principal"]) < 0):
            reason = f"A balance of this case is zero or more {case.currency}."
            return self._books.acknowledge(message, "refused", "invalid_data", reason, case.holder_ref)
        elif code == "balance":
            case.principal = Decimal(message["principal"])
        else:
            case.is_suspended = code == "suspend"
        self._books.save(case)
        return self._books.acknowledge(message, "accepted", holder_ref=case.holder_ref)

    def _stop(self, case: Case) -> None:
        """The end of all work: whatever is numbered later than this was done after the recall."""
        if case.state != "recalled":
            case.state, case.stopped_after, case.principal = "recalled", self._books.next_number(), Decimal(0)
        self._books.save(case)

    def _instruction(self, message: Json) -> list[Json]:
        case = self._books.case(message["case_id"])
        if case is None:
            return [
                self._books.acknowledge(
                    message, "refused", "unknown_case", "This office does not know the case."
                )
            ]
        if case.state not in ("held", "waiting"):
            reason = f"The case is {case.state}."
            return [self._books.acknowledge(message, "refused", "already_closed", reason, case.holder_ref)]
        return [self._books.acknowledge(message, "accepted", holder_ref=case.holder_ref)]


def _contradiction(message: Json) -> str:
    """What is wrong within a case file that its schema cannot say, or an empty text."""
    principal = Decimal(message["principal"])
    claims = sum((Decimal(claim["open_amount"]) for claim in message["claims"]), Decimal(0))
    if claims - Decimal(message.get("credits", "0")) != principal:
        return "The principal is not the sum of the open amounts less the credits."
    if principal <= 0:
        return "There is nothing to collect: the principal is not above zero."
    if any(dt.date.fromisoformat(claim["due_on"]).year < 1900 for claim in message["claims"]):
        return "A due date lies before 1900."
    if any(not _is_whole(document) for document in message.get("documents", [])):
        return "A document is not the one that its SHA-256 names."
    return ""


def _is_whole(document: Json) -> bool:
    content = document.get("content", "")
    return not content or hashlib.sha256(base64.b64decode(content)).hexdigest() == document["sha256"]
