"""A stranger's plugin for the walk: an ERP and a partner that do what the test wrote down, in memory."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

import msgspec
from pydantic import BaseModel

from collecthub.sdk import (
    CaseAcknowledgement,
    CaseAmendment,
    CaseInstruction,
    CaseReport,
    CaseReturn,
    CaseStatusUpdate,
    ConnectorContext,
    ConnectorRole,
    ConnectorSpec,
    ControlTotal,
    CostStatement,
    DebtorRecord,
    Decoded,
    DeliveryState,
    Envelope,
    Exchange,
    InDoubtError,
    Journal,
    Page,
    Party,
    PartyKind,
    PaymentReport,
    PermanentError,
    QuarantineError,
    RawInvoice,
    RawMessage,
    Receipt,
    RefusedRow,
    RetryableError,
    UnsettledError,
    Verdict,
    hookimpl,
)

_SEAL = b"sealed:"


class Empty(BaseModel):
    pass


class World:
    """What the outside holds: the ERP's rows, what the partner got, what it will say next."""

    def __init__(self) -> None:
        self.rows: list[RawInvoice] = []
        self.refused: list[RefusedRow] = []
        self.parties: dict[str, Party] = {}
        self.changed_debtors: list[str] = []  # whose master data the ERP says has changed
        self.delivered: dict[str, Exchange] = {}
        self.prepared: dict[str, Exchange] = {}
        self.outbox: list[tuple[str, bytes]] = []
        self.verdicts: list[tuple[str, Verdict]] = []
        self.reports: list[CaseReport] = []
        self.deaf = False  # the ERP cannot be told anything
        self.asked_to_hear = 0
        self.takes_time: set[str] = set()  # debtors whose reports the ERP takes and does not show yet
        self.refuses_to_hear: set[str] = set()
        self.fetch_breaks_after: int | None = None
        self.control: list[ControlTotal] | None = None  # what the ERP's own list adds up to, if it says so
        self.broken_off = 0  # so many pulls break off after their page
        self.pulled_from: list[str] = []
        self.lose_receipts = 0
        self.refuse_connections = 0
        self.closed_seconds: float | None = None  # until the partner's office takes new cases again
        self.unnamed: set[str] = set()  # cases whose changes the partner's format cannot name yet
        self.unfit: set[str] = set()  # cases that the partner's format cannot carry
        self.grown: dict[str, Any] = {}  # what the partner's books state of interest and surcharges, and for which day

    def invoice(self, ref: str, debtor: str, due: str, amount: str, **more: object) -> RawInvoice:
        values: dict[str, object] = {
            "item_ref": ref, "debtor_ref": debtor, "debtor_name": f"Debtor {debtor}", "number": f"F-{ref}",
            "issued_on": dt.date.fromisoformat(due) - dt.timedelta(days=30), "due_on": dt.date.fromisoformat(due),
            "currency": "EUR", "amount": Decimal(amount), "open_amount": Decimal(amount), **more,
        }
        row = RawInvoice(**values)  # type: ignore[arg-type]  # a test's shorthand
        self.rows = [known for known in self.rows if known.item_ref != ref] + [row]
        self.parties.setdefault(debtor, Party(name=f"Debtor {debtor}", country="BE", kind=PartyKind.COMPANY))
        return row

    def say(self, name: str, *messages: object) -> None:
        self.outbox.append((name, msgspec.json.encode({"messages": messages})))

    @property
    def messages(self) -> list[object]:
        return [message for exchange in self.delivered.values() for message in exchange.messages]


class ScriptedErp:
    def __init__(self, world: World) -> None:
        self.world = world

    def pull(self, checkpoint: str) -> Iterator[Page]:
        self.world.pulled_from.append(checkpoint)
        is_whole = not self.world.broken_off
        control = self.world.control if is_whole else None
        yield Page(rows=list(self.world.rows), refused=self.world.refused, checkpoint=str(int(checkpoint or 0) + 1), control=control,
                   changed_debtors=tuple(self.world.changed_debtors))  # fmt: skip
        if not is_whole:
            self.world.broken_off -= 1
            raise RetryableError("the ERP fell silent", cure="Nothing to do.", retry_after_seconds=60)

    def debtors(self, debtor_refs: Sequence[str]) -> Iterator[DebtorRecord]:
        for ref in debtor_refs:
            yield DebtorRecord(debtor_ref=ref, party=self.world.parties[ref], customer_number=f"00{ref}7")

    def wants(self, event_kind: str) -> bool:
        return event_kind in ("case_sent", "case_closed")

    def report(self, report: CaseReport) -> Receipt:
        self.world.asked_to_hear += 1
        if self.world.deaf:
            raise RetryableError("the ERP is away", retry_after_seconds=0)
        if report.debtor_ref in self.world.takes_time:
            raise UnsettledError("taken and not shown yet", retry_after_seconds=900)
        if report.debtor_ref in self.world.refuses_to_hear:
            raise PermanentError("the block had no effect", cure="Set it by hand.")
        self.world.reports.append(report)
        return Receipt(reference=f"note-{len(self.world.reports)}")


class ScriptedPartner:
    batch_limit = 10

    def __init__(self, world: World) -> None:
        self.world = world

    def closed_seconds(self) -> float | None:
        return self.world.closed_seconds

    def prepare(self, exchange: Exchange) -> Envelope:
        for message in exchange.messages:
            if message.case_id in self.world.unfit:
                raise PermanentError("the office has no word for this", cure="Send it by letter.")
            if message.case_id in self.world.unnamed and isinstance(message, CaseAmendment):
                raise RetryableError("the office has not named the case yet", retry_after_seconds=60)
        payload = _SEAL + msgspec.json.encode(exchange)  # what leaves is not what the hub wrote, as with any real way
        self.world.prepared[exchange.exchange_id] = exchange
        return Envelope(
            envelope_id=exchange.exchange_id, name=f"{exchange.exchange_id}.json", media_type="application/json",
            payload=payload, sha256=hashlib.sha256(payload).hexdigest(),
            message_ids=tuple(message.message_id for message in exchange.messages),
        )

    def deliver(self, envelope: Envelope, journal: Journal) -> Receipt:
        if self.world.refuse_connections:
            self.world.refuse_connections -= 1
            raise RetryableError("the partner is down", retry_after_seconds=0)
        journal.mark("calling")
        exchange = msgspec.json.decode(envelope.payload.removeprefix(_SEAL), type=Exchange)
        assert exchange.exchange_id not in self.world.delivered, "delivered twice"
        self.world.delivered[exchange.exchange_id] = exchange
        if self.world.lose_receipts:
            self.world.lose_receipts -= 1
            raise InDoubtError("the answer was lost")
        return Receipt(reference=f"r-{len(self.world.delivered)}")

    def probe(self, envelope: Envelope, intent: str) -> DeliveryState:
        arrived = envelope.envelope_id in self.world.delivered
        return DeliveryState.ARRIVED if arrived else DeliveryState.NOT_ARRIVED

    def fetch(self, checkpoint: str) -> Iterator[tuple[RawMessage, str]]:
        for number, (name, content) in enumerate(self.world.outbox):
            if number == self.world.fetch_breaks_after:
                raise RetryableError("the line broke", retry_after_seconds=0)
            yield RawMessage(remote_ref=name, media_type="application/json", content=content), name

    def decode(self, raw: RawMessage) -> Decoded:
        try:
            body = msgspec.json.decode(raw.content, type=_Said)
        except msgspec.MsgspecError as error:
            raise QuarantineError(str(error), code="json.malformed") from error
        return Decoded(exchange_id=raw.remote_ref, sender_ref="partner", messages=body.messages)

    def acknowledge(self, raw: RawMessage, verdict: Verdict) -> None:
        self.world.verdicts.append((raw.remote_ref, verdict))


class _Said(msgspec.Struct):
    messages: tuple[
        CaseAcknowledgement | CaseStatusUpdate | CostStatement | PaymentReport | CaseReturn | CaseInstruction, ...
    ]


class ScriptedPlugin:
    """The plugin object; pluggy takes instances as well as modules."""

    def __init__(self, world: World) -> None:
        self._world = world

    @hookimpl
    def register_connectors(self) -> list[ConnectorSpec]:
        def erp(_context: ConnectorContext) -> ScriptedErp:
            return ScriptedErp(self._world)

        def partner(_context: ConnectorContext) -> ScriptedPartner:
            return ScriptedPartner(self._world)

        return [
            ConnectorSpec(
                kind="scripted_erp", title="ERP", role=ConnectorRole.ERP, settings=Empty, load=lambda: erp
            ),
            ConnectorSpec(
                kind="scripted_partner", title="Partner", role=ConnectorRole.PARTNER, settings=Empty,
                load=lambda: partner,
            ),
        ]
