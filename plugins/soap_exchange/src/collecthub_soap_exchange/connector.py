"""One office with a SOAP service: hand exchanges over, hear back, compare books."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Protocol, runtime_checkable

from collecthub.sdk import (
    AccountLine,
    CaseFormat,
    CheckStep,
    CollecthubError,
    ConfigurationError,
    ConnectorContext,
    Decoded,
    DeliveryState,
    Envelope,
    Exchange,
    Journal,
    RawMessage,
    Receipt,
    RetryableError,
    Verdict,
    refuse_stray,
)
from collecthub.wire.crypto import sha256_hex
from collecthub.wire.xml import parse, serialise
from collecthub_soap_exchange.client import ExchangeClient
from collecthub_soap_exchange.mapping import SERVICE, XML, addresses, is_true, reply_receipt, waiting
from collecthub_soap_exchange.settings import SoapExchangeSettings

_FORMAT = "case-exchange-xml"
_PAGE = 100


@runtime_checkable
class BooksFormat(CaseFormat, Protocol):
    """A case format that can also read a partner's books."""

    def decode_accounts(self, content: bytes) -> Sequence[AccountLine]: ...


class SoapExchangeConnector:
    """Satisfies `Dispatcher`, `AnswersAgain`, `StatusSource`, `PartnerBooks` and `Checkable` for one office.

    Promise: at least once on the wire with one exchange id and the same content, once in effect at an office that
    keeps the contract; what is in doubt is settled by asking for the exchange's state.
    """

    def __init__(self, ctx: ConnectorContext) -> None:
        self._ctx = ctx
        self._settings: SoapExchangeSettings = ctx.settings

    @cached_property
    def _client(self) -> ExchangeClient:
        return ExchangeClient(self._settings, allow_loopback=self._ctx.allow_loopback, now=self._ctx.now)

    def close(self) -> None:
        """Give the connection back."""
        if "_client" in self.__dict__:
            self._client.close()

    @property
    def batch_limit(self) -> int:
        """How many messages one call may carry."""
        return self._settings.batch_limit

    @property
    def _format(self) -> BooksFormat:
        found = self._ctx.formats.get(_FORMAT)
        if not isinstance(found, BooksFormat):
            raise ConfigurationError(
                f"the case format {_FORMAT} is not installed or cannot read books",
                cure="Run `collecthub plugin list` and repair what is shown as failed.",
            )
        return found

    # --- Dispatcher -------------------------------------------------------------------------------

    def prepare(self, exchange: Exchange) -> Envelope:
        """The exchange as XML, as it goes into the call's body."""
        payload = self._format.encode(exchange)
        return Envelope(
            envelope_id=exchange.exchange_id,
            name=exchange.exchange_id,
            media_type=XML,
            payload=payload,
            sha256=sha256_hex(payload),
            message_ids=tuple(message.message_id for message in exchange.messages),
        )

    def deliver(self, envelope: Envelope, journal: Journal) -> Receipt:
        """Hand the stored exchange over; a repetition is answered by the office as the first time."""
        _ = self._client  # reads the contract: whatever is wrong with it is found before the intent is stored
        journal.mark("calling")
        return self.answers(envelope)

    def answers(self, envelope: Envelope) -> Receipt:
        """The office's answers to an exchange; sent again they are the same."""
        return reply_receipt(self._client.submit(envelope.envelope_id, envelope.payload), self._format)

    def probe(self, envelope: Envelope, intent: str) -> DeliveryState:
        """Ask the office whether it has the exchange."""
        if not intent:
            return DeliveryState.NOT_ARRIVED
        known = self._client.knows(envelope.envelope_id)
        return DeliveryState.ARRIVED if known else DeliveryState.NOT_ARRIVED

    # --- StatusSource -----------------------------------------------------------------------------

    def fetch(self, checkpoint: str) -> Iterator[tuple[RawMessage, str]]:
        """What waits at the office after `checkpoint`, oldest first, each exchange as a document of its own."""
        after = checkpoint
        while True:
            began = after
            reply = self._client.fetch(after, _PAGE)
            for item in waiting(reply):
                after = item.cursor
                yield RawMessage(remote_ref=item.exchange_id or after, media_type=XML, content=item.content), after
            if not is_true(reply, f"{SERVICE}HasMore") or after == began:  # a list that does not go on has ended
                return

    def decode(self, raw: RawMessage) -> Decoded:
        """Read an exchange; it must come from this office and be meant for this hub."""
        decoded = self._format.decode(raw.content)
        refuse_stray(self._ctx, *addresses(parse(raw.content)))
        return decoded

    def acknowledge(self, raw: RawMessage, verdict: Verdict) -> None:
        """Tell the office the verdict on its exchange."""
        self._client.give_verdict(raw.remote_ref, verdict)

    # --- PartnerBooks and Checkable ---------------------------------------------------------------

    def accounts(self) -> Iterator[AccountLine]:
        """The office's books."""
        yield from self._format.decode_accounts(serialise(self._client.accounts()))

    def check(self) -> Sequence[CheckStep]:
        """Read the contract, then ask for one exchange: reaches the service and uses the login."""
        try:
            client = self._client
        except CollecthubError as error:
            return (CheckStep(name="contract", is_ok=False, detail=error.message, cure=error.cure),)
        steps = [CheckStep(name="contract", is_ok=True, detail=self._settings.wsdl_path.name)]
        try:
            client.fetch("", 1)
        except CollecthubError as error:
            return (*steps, *_steps_until(error))
        return (*steps, *(CheckStep(name=name, is_ok=True) for name in _STEPS))


_STEPS = ("reach", "login", "test call")


def _steps_until(error: CollecthubError) -> tuple[CheckStep, ...]:
    """The steps of a check that ended with `error`; which one failed follows from the kind of error."""
    failed = {RetryableError: 0, ConfigurationError: 1}.get(type(error), 2)
    passed = (CheckStep(name=name, is_ok=True) for name in _STEPS[:failed])
    return (*passed, CheckStep(name=_STEPS[failed], is_ok=False, detail=error.message, cure=error.cure))
