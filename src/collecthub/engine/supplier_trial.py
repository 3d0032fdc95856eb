"""The hub as counterparty for a supplier's software: a fixed script over the real wire, and a verdict on each answer.

Nothing here needs a database. The supplier's side is reached by the connector that a partner of his would be reached by,
so what passes here passes in earnest.
"""

from __future__ import annotations

import datetime as dt
import os
import time
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, Protocol

import msgspec

from collecthub.errors import CollecthubError, RetryableError
from collecthub.model.exchange import (
    AckVerdict,
    AmendmentCode,
    CaseAcknowledgement,
    CaseAmendment,
    CaseFile,
    CaseReturn,
    CaseStatusUpdate,
    ClaimItem,
    CostStatement,
    Decoded,
    DocumentItem,
    Exchange,
    Message,
    PaymentInstruction,
    Procedure,
)
from collecthub.model.ids import new_id
from collecthub.model.party import Address, Party, PartyKind
from collecthub.ports import DeliveryState, Envelope, RawMessage, Receipt, Verdict
from collecthub.wire.crypto import sha256_hex

STEPS = ("new", "amended", "duplicate", "recalled", "wrongly_signed", "large")
LEVEL_OF = {"new": 1, "duplicate": 1, "wrongly_signed": 1, "large": 1, "amended": 3, "recalled": 3}
_PAUSE_SECONDS = 0.2
_DOCUMENT_BYTES = 9_000_000


class Line(Protocol):
    """What the script needs of a connector."""

    def prepare(self, exchange: Exchange) -> Envelope: ...

    def deliver(self, envelope: Envelope, journal: Any) -> Receipt: ...

    def probe(self, envelope: Envelope, intent: str) -> DeliveryState: ...

    def fetch(self, checkpoint: str) -> Any: ...

    def decode(self, raw: RawMessage) -> Decoded: ...

    def acknowledge(self, raw: RawMessage, verdict: Verdict) -> None: ...


class StepVerdict(msgspec.Struct, frozen=True, kw_only=True):
    """One step of the script: what was wanted, what came, how long it took."""

    step: str
    is_passed: bool
    wanted: str
    seen: str
    seconds: float


class Script(msgspec.Struct, frozen=True, kw_only=True):
    """How the script is run. `is_marked`: every exchange says that it is a test, so `received` is answer enough.

    `seconds`: how long an answer may take; `settling_seconds`: how long to listen for one that must not come.
    """

    sender_ref: str
    receiver_ref: str
    steps: tuple[str, ...] = STEPS
    is_marked: bool = True
    seconds: float = 120.0
    settling_seconds: float = 10.0
    large_bytes: int = 100_000_000


class _Notes:
    """The journal of a trial: nothing has to survive it."""

    def mark(self, intent: str) -> None:
        return None


class Trial:
    """Runs the script. `line` speaks as the hub, `stranger` as somebody whose signature or login is not the agreed one."""

    def __init__(self, script: Script, line: Line, stranger: Line, now: Callable[[], dt.datetime]) -> None:
        self._script = script
        self._line = line
        self._stranger = stranger
        self._now = now
        self._checkpoint = ""
        self._heard: list[Message] = []
        self._unread: list[str] = []
        self._fetched: set[tuple[str, str]] = set()
        self._case = _case_file(number=1)
        self._first: Envelope | None = None

    def run(self) -> tuple[StepVerdict, ...]:
        """Every wanted step in its order, and at the end whether every answer could be read."""
        acts: dict[str, Callable[[], tuple[str, str, bool]]] = {
            "new": self._new, "amended": self._amended, "duplicate": self._duplicate, "recalled": self._recalled,
            "wrongly_signed": self._wrongly_signed, "large": self._large,
        }  # fmt: skip
        verdicts = [self._judged(step, acts[step]) for step in STEPS if step in self._script.steps]
        return (*verdicts, self._judged("answers", self._readable))

    def _judged(self, step: str, act: Callable[[], tuple[str, str, bool]]) -> StepVerdict:
        started = time.monotonic()
        try:
            wanted, seen, is_passed = act()
        except CollecthubError as error:
            wanted, seen, is_passed = "the step can be carried out", f"{error.message} {error.cure}".strip(), False
        return StepVerdict(
            step=step, is_passed=is_passed, wanted=wanted, seen=seen, seconds=round(time.monotonic() - started, 1)
        )

    # --- the steps --------------------------------------------------------------------------------

    def _new(self) -> tuple[str, str, bool]:
        self._first = self._sent(self._case)
        return self._acknowledged(self._case.message_id, "the case file")

    def _amended(self) -> tuple[str, str, bool]:
        balance = _amendment(self._case, AmendmentCode.BALANCE, "payment", Decimal("70.50"))
        self._sent(balance)
        return self._acknowledged(balance.message_id, "the new balance")

    def _duplicate(self) -> tuple[str, str, bool]:
        """The same file again: the same answer or none, and no second case."""
        wanted = "the same answer as before or none; nothing happens twice"
        if self._first is None:
            return wanted, "not tried: the step new was left out", False
        self._deliver(self._line, self._first)
        self._settle(lambda: len(self._final(self._case.message_id)) > 1)
        seen = ", ".join(f"{verdict.value} {ref}".strip() for verdict, ref in self._final(self._case.message_id))
        return wanted, seen or "no final answer", len(self._final(self._case.message_id)) <= 1

    def _recalled(self) -> tuple[str, str, bool]:
        recall = _amendment(self._case, AmendmentCode.RECALL, "paid", Decimal(0))
        self._sent(recall)
        wanted, seen, is_passed = self._acknowledged(recall.message_id, "the recall")
        before = len(self._heard)

        def acts() -> list[str]:
            after = (one for one in self._heard[before:] if isinstance(one, CaseStatusUpdate | CostStatement | CaseReturn))
            return [type(one).__name__ for one in after if one.case_id == self._case.case_id]

        self._settle(lambda: not is_passed or bool(acts()))
        return f"{wanted}, then no act of the case", f"{seen}, then {', '.join(acts()) or 'none'}", is_passed and not acts()

    def _wrongly_signed(self) -> tuple[str, str, bool]:
        wanted = "refused or left without an answer; never accepted or received"
        case = _case_file(number=2)
        envelope = self._stranger.prepare(self._exchange(case))
        try:
            receipt = self._stranger.deliver(envelope, _Notes())
        except RetryableError:
            raise
        except CollecthubError as error:
            return wanted, f"refused at the door: {error.message}", True
        self._take(receipt.replies)

        def taken() -> list[str]:
            return [one.verdict.value for one in self._verdicts(case.message_id) if one.verdict is not AckVerdict.REFUSED]

        self._settle(lambda: bool(taken()))
        return wanted, f"answered {', '.join(taken())}" if taken() else "not taken", not taken()

    def _large(self) -> tuple[str, str, bool]:
        case = _case_file(number=3, documents=_documents(self._script.large_bytes))
        envelope = self._sent(case)
        wanted, seen, is_passed = self._acknowledged(case.message_id, f"a file of {len(envelope.payload):,} bytes")
        return wanted, seen, is_passed

    def _readable(self) -> tuple[str, str, bool]:
        seen = "; ".join(self._unread[:5]) or f"{len(self._heard)} answers, all in order"
        return "every answer is signed, valid and meant for this hub", seen, not self._unread

    # --- sending and hearing ----------------------------------------------------------------------

    def _exchange(self, *messages: Any) -> Exchange:
        return Exchange(
            exchange_id=new_id(), sender_ref=self._script.sender_ref, receiver_ref=self._script.receiver_ref,
            created_at=self._now(), is_test=self._script.is_marked, messages=messages,
        )

    def _sent(self, message: Any) -> Envelope:
        envelope = self._line.prepare(self._exchange(message))
        self._deliver(self._line, envelope)
        return envelope

    def _deliver(self, line: Line, envelope: Envelope) -> None:
        self._take(line.deliver(envelope, _Notes()).replies)

    def _acknowledged(self, message_id: str, what: str) -> tuple[str, str, bool]:
        """Wait for the verdict that the script takes as an answer."""
        good = {AckVerdict.ACCEPTED, AckVerdict.RECEIVED} if self._script.is_marked else {AckVerdict.ACCEPTED}
        wanted = f"{what} is acknowledged: {' or '.join(sorted(one.value for one in good))}"
        ends_at = time.monotonic() + self._script.seconds
        while True:
            found = self._verdicts(message_id)
            final = next((one for one in found if one.verdict in good or one.verdict is AckVerdict.REFUSED), None)
            if final is not None:
                reason = f" ({final.reason_code} {final.reason})" if final.reason_code else ""
                return wanted, f"{final.verdict.value}{reason}", final.verdict in good
            if time.monotonic() > ends_at:
                return wanted, f"only {found[0].verdict.value}" if found else f"no answer in {self._script.seconds:g} s", False
            self._listen()
            time.sleep(_PAUSE_SECONDS)

    def _verdicts(self, message_id: str) -> list[CaseAcknowledgement]:
        return [one for one in self._heard if isinstance(one, CaseAcknowledgement) and one.in_reply_to == message_id]

    def _final(self, message_id: str) -> list[tuple[AckVerdict, str]]:
        """The different final verdicts on a message, in their order; the same one repeated counts once."""
        given = ((one.verdict, one.holder_ref) for one in self._verdicts(message_id))
        return list(dict.fromkeys(one for one in given if one[0] is not AckVerdict.RECEIVED))

    def _settle(self, has_come: Callable[[], bool]) -> None:
        """Give an answer that must not come its time."""
        ends_at = time.monotonic() + self._script.settling_seconds
        while time.monotonic() < ends_at and not has_come():
            self._listen()
            time.sleep(_PAUSE_SECONDS)

    def _listen(self) -> None:
        for raw, checkpoint in self._line.fetch(self._checkpoint):
            self._checkpoint = checkpoint or self._checkpoint
            mark = (raw.remote_ref, sha256_hex(raw.content))
            if mark in self._fetched:
                continue
            self._fetched.add(mark)
            self._line.acknowledge(raw, self._read(raw))

    def _read(self, raw: RawMessage) -> Verdict:
        try:
            self._take(self._line.decode(raw))
        except CollecthubError as error:
            self._unread.append(f"{raw.remote_ref}: {error.message}")
            return Verdict(is_accepted=False, code=getattr(error, "code", "unread"), reason=error.message)
        return Verdict(is_accepted=True)

    def _take(self, decoded: Decoded | None) -> None:
        if decoded is not None:
            self._heard += decoded.messages
            self._unread += [f"{fault.message_id or decoded.exchange_id}: {fault.reason}" for fault in decoded.faults]


# --- the cases of the script ------------------------------------------------------------------------


def _case_file(number: int, documents: tuple[DocumentItem, ...] = ()) -> CaseFile:
    """A case of invented people, in more than one script."""
    claim = ClaimItem(
        claim_id=f"trial-{number}", invoice_ref=f"TRIAL/{number}", due_on=dt.date(2026, 3, 1),
        original_amount=Decimal("150.00"), open_amount=Decimal("120.50"),
    )
    return CaseFile(
        message_id=new_id(), case_id=new_id(), case_number=f"TRIAL-{number:06}", procedure=Procedure.ENFORCEMENT,
        currency="EUR", language="fr", creditor=Party(name="Brouwerij Ünlü & Zonen (test)", country="BE"),
        debtors=(Party(name="Δημήτρης <Test>", kind=PartyKind.PERSON, country="BE", address=Address(city="Liège")),),
        claims=(claim,), principal=claim.open_amount, documents=documents,
        payment=PaymentInstruction(payee="Brouwerij Ünlü & Zonen (test)", account="BE68539007547034"),
    )


def _amendment(case: CaseFile, code: AmendmentCode, reason: str, principal: Decimal) -> CaseAmendment:
    return CaseAmendment(
        message_id=new_id(), case_id=case.case_id, code=code, reason_code=reason, currency=case.currency,
        principal=principal, effective_on=dt.date(2026, 6, 15),
    )


def _documents(size: int) -> tuple[DocumentItem, ...]:
    """Documents of together so many bytes that no compression makes smaller."""
    made = []
    for number, start in enumerate(range(0, size, _DOCUMENT_BYTES), 1):
        content = b"%PDF-1.4\n" + os.urandom(max(1, min(_DOCUMENT_BYTES, size - start) - 9))
        made.append(
            DocumentItem(
                name=f"evidence-{number}.pdf", kind="other", media_type="application/pdf", sha256=sha256_hex(content),
                content=content,
            )
        )
    return tuple(made)


def checked_steps(given: Sequence[str], level: int) -> tuple[str, ...]:
    """The steps to run: those asked for, else those of a conformance level. Raises `ValueError` for an unknown one."""
    if unknown := [step for step in given if step not in STEPS]:
        raise ValueError(f"there is no step {unknown[0][:40]!r}; choose from {', '.join(STEPS)}")
    return tuple(step for step in STEPS if (step in given if given else LEVEL_OF[step] <= level))
