"""Typed one-to-one work between the hub and the outside. Implementing a port is the capability declaration.

A connector object is built per connection (`ConnectorSpec.factory`) and satisfies one or more of these
Protocols. The hub asks with `isinstance`; there is no capability list. Every call goes through
`collecthub.plugins.call_port`, which adds the deadline, timing, redacted log line and error translation.
Errors a port may raise: the branches of `collecthub.errors`; anything else counts as a broken promise.
"""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from decimal import Decimal
from typing import Any, Protocol, runtime_checkable

import msgspec

from collecthub.errors import CollecthubError, ConfigurationError
from collecthub.model.case import Case
from collecthub.model.event import CaseEvent
from collecthub.model.exchange import AccountLine, Decoded, Exchange, OutboundMessage
from collecthub.model.invoice import RawInvoice, RefusedRow
from collecthub.model.party import Party

# --- creditor side: reading an ERP ----------------------------------------------------------------


class CheckStep(msgspec.Struct, frozen=True, kw_only=True):
    """One step of a connection check. `cure` says what to do when it failed."""

    name: str
    is_ok: bool
    detail: str = ""
    cure: str = ""


def try_reach(reach: Callable[[], object], *steps: str) -> tuple[CheckStep, ...]:
    """A check of one server: its steps (reach and login unless named) are well once `reach` returns, else which failed and why."""
    try:
        reach()
    except CollecthubError as error:
        name = "login" if isinstance(error, ConfigurationError) else "reach"
        return (CheckStep(name=name, is_ok=False, detail=error.message, cure=error.cure),)
    return tuple(CheckStep(name=name, is_ok=True) for name in steps or ("reach", "login"))


class ControlTotal(msgspec.Struct, frozen=True, kw_only=True):
    """Count and sum of open amounts in one currency, as the ERP's own list states them."""

    currency: str
    count: int
    amount: Decimal


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """One page of a pull. `checkpoint` is where to resume after this page is committed (opaque text)."""

    rows: Sequence[RawInvoice]
    refused: Sequence[RefusedRow] = ()
    checkpoint: str
    control: Sequence[ControlTotal] | None = None  # only on the last page of a full comparison
    changed_debtors: Sequence[str] = ()  # debtor_refs whose master data is not what it was; read those in use anew


class DebtorRecord(msgspec.Struct, frozen=True, kw_only=True):
    """Master data of one debtor as the ERP holds it.

    `bill_to` is who gets the invoices when that is somebody else. `notes` are what the creditor's people wrote about
    the debtor, newest first, for people to read.
    """

    debtor_ref: str
    party: Party
    payment_terms: str = ""
    is_blocked: bool = False
    bill_to: Party | None = None
    notes: tuple[str, ...] = ()
    customer_number: str = ""  # what people in the ERP call him by
    is_anonymised: bool = False  # the ERP erased the person: what the hub knows of how to reach him goes too


class InvoiceDocument(msgspec.Struct, frozen=True, kw_only=True):
    """An invoice document, verified to be what it says."""

    item_ref: str
    name: str
    media_type: str
    content: bytes


class OpenItem(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the ERP's own list of what is open now, for reconciliation."""

    item_ref: str
    debtor_ref: str
    currency: str
    open_amount: Decimal


@runtime_checkable
class Checkable(Protocol):
    """Can say whether the connection works, step by step."""

    def check(self) -> Sequence[CheckStep]: ...


@runtime_checkable
class InvoiceSource(Protocol):
    """Pulls receivables. Yields pages; each page's checkpoint is valid once the page is committed."""

    def pull(self, checkpoint: str) -> Iterator[Page]:
        """Everything that changed since `checkpoint`; all that is open when it is empty."""
        ...


@runtime_checkable
class DebtorSource(Protocol):
    """Reads master data for the debtors that enter a case."""

    def debtors(self, debtor_refs: Sequence[str]) -> Iterator[DebtorRecord]: ...


@runtime_checkable
class DocumentSource(Protocol):
    """Reads documents for the invoices that enter a case. Missing documents are left out, not invented."""

    def documents(self, item_refs: Sequence[str]) -> Iterator[InvoiceDocument]: ...


@runtime_checkable
class OpenItemBooks(Protocol):
    """The ERP's own list of open items, read anew (never from what was pulled)."""

    def open_items(self) -> Iterator[OpenItem]: ...


# --- creditor side: connecting an ERP and watching it ----------------------------------------------


class Division(msgspec.Struct, frozen=True, kw_only=True):
    """A part of an ERP that is pulled by itself: a division, a company. `division_ref` is the vendor's own key."""

    division_ref: str
    name: str = ""


class Budget(msgspec.Struct, frozen=True, kw_only=True):
    """What is left of one of the vendor's allowances, as its last answer said. `limit` is None when it never said."""

    name: str  # the period, such as minute or day
    subject: str = ""  # what it is counted for, such as a division
    remaining: int
    limit: int | None = None
    resets_at: dt.datetime


@runtime_checkable
class Consenting(Protocol):
    """A connector whose outside asks a person for consent in a browser. Without one, calls raise `ConsentError`."""

    def begin_consent(self, state: str) -> str:
        """The page to send a person to; it sends the browser back with a code and this `state`."""
        ...

    def finish_consent(self, code: str) -> None:
        """Take the code of the redirect, decoded once. Raises `ConfigurationError` when it is refused."""
        ...


@runtime_checkable
class ProvenConsenting(Protocol):
    """A connector whose outside binds the code to who asked for it (PKCE, RFC 7636, method S256)."""

    def begin_proven_consent(self, state: str, challenge: str) -> str:
        """As `Consenting.begin_consent`, with the challenge that the outside keeps beside the code."""
        ...

    def finish_proven_consent(self, code: str, verifier: str) -> None:
        """As `Consenting.finish_consent`, with the verifier that fits the challenge."""
        ...


@runtime_checkable
class Divided(Protocol):
    """A connector to an ERP of several divisions, of which a person chooses those that are pulled."""

    @property
    def division_setting(self) -> str:
        """The settings field that holds the choice: a tuple of references, empty until somebody has chosen."""
        ...

    def list_divisions(self) -> Sequence[Division]:
        """Every division that the connection's user may see."""
        ...


@runtime_checkable
class Budgeted(Protocol):
    """A connector whose vendor counts calls."""

    def budgets(self) -> Sequence[Budget]:
        """What is left, as last heard by any process of the hub. Calls nothing outside; empty when nothing is known."""
        ...


# --- partner side: sending and hearing back -------------------------------------------------------


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """The exact bytes of one sending. Prepared once, stored, and never prepared again for a retry."""

    envelope_id: str
    name: str  # file name or call name at the partner
    media_type: str
    payload: bytes
    sha256: str
    message_ids: tuple[str, ...]


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """Proof that the outside took something: their reference and what they said."""

    reference: str
    detail: str = ""
    replies: Decoded | None = None  # answers that came with the call itself (SOAP, REST)
    raw_reply: bytes = b""  # the bytes those answers were read from


class DeliveryState(enum.StrEnum):
    """What a probe found out about an attempt without a receipt."""

    ARRIVED = "arrived"
    NOT_ARRIVED = "not_arrived"
    UNKNOWN = "unknown"


class Journal(Protocol):
    """Durable notes of an attempt. `mark` has returned only when the note survives a crash."""

    def mark(self, intent: str) -> None:
        """Record the point of no return (`renaming`, `calling`) before doing it.

        Raises `PermanentError` when the sending was withdrawn meanwhile: then do nothing and let it pass on.
        """
        ...


@runtime_checkable
class Dispatcher(Protocol):
    """Sends messages to one partner."""

    @property
    def batch_limit(self) -> int:
        """How many messages one envelope may carry."""
        ...

    def prepare(self, exchange: Exchange) -> Envelope:
        """Turn messages into the bytes to send. Touches nothing outside."""
        ...

    def deliver(self, envelope: Envelope, journal: Journal) -> Receipt:
        """Send the stored bytes. Calls `journal.mark` right before the act that cannot be undone.

        Raises `RetryableError` only when nothing can have arrived, `InDoubtError` when it may have.
        """
        ...

    def probe(self, envelope: Envelope, intent: str) -> DeliveryState:
        """Find out what became of an attempt that has no receipt. `intent` is the last mark, or empty."""
        ...


@runtime_checkable
class AnswersAgain(Protocol):
    """A dispatcher whose partner answers in the call itself, and answers a repeated call as it answered the first."""

    def answers(self, envelope: Envelope) -> Receipt:
        """Send an envelope that has arrived once more, same id and same bytes, for the answers that were lost."""
        ...


@runtime_checkable
class KeepsRequests(Protocol):
    """A dispatcher whose partner keeps every request until it has answered it, so that nothing is ever said again."""

    @property
    def keeps_requests(self) -> bool:
        """Always true; a partner that may forget is served by a dispatcher without this."""
        ...


@runtime_checkable
class KeepsHours(Protocol):
    """A dispatcher whose partner takes new cases in its office hours only; changes and recalls go out at any time."""

    def closed_seconds(self) -> float | None:
        """Seconds until new cases may leave again; None when they may leave now."""
        ...


@runtime_checkable
class SendsMany(Protocol):
    """A dispatcher that has many envelopes under way at once."""

    def deliver_many(self, work: Sequence[tuple[Envelope, Journal]]) -> Sequence[Receipt | CollecthubError]:
        """As `Dispatcher.deliver` for each; every envelope gets its receipt or its error in its place."""
        ...


class RawMessage(msgspec.Struct, frozen=True, kw_only=True):
    """Untouched inbound bytes. `remote_ref` is the partner's handle (file name, message id, delivery id)."""

    remote_ref: str
    media_type: str
    content: bytes
    headers: Mapping[str, str] = {}


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What the hub made of an inbound message, for the partner."""

    is_accepted: bool
    code: str = ""
    reason: str = ""


@runtime_checkable
class StatusSource(Protocol):
    """Hears what a partner says."""

    def fetch(self, checkpoint: str) -> Iterator[tuple[RawMessage, str]]:
        """New messages, each with the checkpoint that is valid once it is stored."""
        ...

    def decode(self, raw: RawMessage) -> Decoded:
        """Read stored bytes. Raises `QuarantineError` when nothing in them can be trusted or understood."""
        ...

    def acknowledge(self, raw: RawMessage, verdict: Verdict) -> None:
        """Tell the partner what became of its message; safe to repeat."""
        ...


class HookRequest(msgspec.Struct, frozen=True, kw_only=True):
    """An HTTP call from outside to `/hooks/{connection_id}`. Header names are lower case."""

    headers: Mapping[str, str]
    body: bytes


class HookAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What to do with a hook call: messages to store, or a pull to start soon, and the status to answer."""

    status: int = 200
    messages: tuple[RawMessage, ...] = ()
    pull_soon: bool = False
    body: str = ""
    media_type: str = "text/plain"


@runtime_checkable
class HookReceiver(Protocol):
    """Takes webhooks. Raises `PermanentError` when the signature or time does not hold (answered 401)."""

    def receive_hook(self, request: HookRequest) -> HookAnswer: ...


@runtime_checkable
class PartnerBooks(Protocol):
    """The partner's own books on the cases it holds for us, for reconciliation."""

    def accounts(self) -> Iterator[AccountLine]: ...


# --- reporting back -------------------------------------------------------------------------------


class CaseReport(msgspec.Struct, frozen=True, kw_only=True):
    """One case event to be told outside. `report_id` is the same on every retry."""

    report_id: str
    case: Case
    event: CaseEvent
    text: str  # one plain sentence
    debtor_ref: str
    item_refs: tuple[str, ...]


@runtime_checkable
class CaseReporter(Protocol):
    """Tells the creditor's side about a case: writes into the ERP, calls a webhook."""

    def wants(self, event_kind: str) -> bool:
        """Whether this reporter has something to do for such an event."""
        ...

    def report(self, report: CaseReport) -> Receipt: ...


# --- what a connector is built with ---------------------------------------------------------------


class Vault(Protocol):
    """Durable secrets of one connection, encrypted at rest."""

    def read(self, name: str) -> str | None: ...

    def write(self, name: str, value: str) -> None:
        """Store durably; has returned only when the value survives a crash."""
        ...

    def exclusive(self, name: str, seconds: int) -> AbstractContextManager[None]:
        """Hold a lease on `name` across all processes and hosts; raises `RetryableError` when it is taken."""
        ...


class CaseFormat(Protocol):
    """Writes and reads an exchange in one spelling."""

    @property
    def format_id(self) -> str: ...

    @property
    def media_type(self) -> str: ...

    def encode(self, exchange: Exchange) -> bytes: ...

    def decode(self, content: bytes) -> Decoded:
        """Raises `QuarantineError` when the whole cannot be read; single bad messages become faults."""
        ...


class ConnectorContext(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a connector may use. Built by the hub, one per connection."""

    connection_id: str
    settings: Any  # instance of the spec's settings model
    vault: Vault
    formats: Mapping[str, CaseFormat]
    now: Callable[[], dt.datetime]  # aware, UTC
    business_date: Callable[[], dt.date]
    sender_ref: str = "collecthub"
    receiver_ref: str = ""  # the partner's reference, empty for ERPs
    allow_loopback: bool = False  # outbound calls to 127.0.0.1, for sandbox and tests only


Messages = Iterable[OutboundMessage]
