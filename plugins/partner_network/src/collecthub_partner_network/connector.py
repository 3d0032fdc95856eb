"""One partner agency: hand exchanges over, hear back by webhook and outbox, compare books."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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
    HookAnswer,
    HookRequest,
    Journal,
    PermanentError,
    QuarantineError,
    RawMessage,
    Receipt,
    Verdict,
    refuse_stray,
)
from collecthub.wire.crypto import sha256_hex, verify_webhook
from collecthub_partner_network.client import ExchangeClient, outbox_page
from collecthub_partner_network.mapping import JSON, PAGE, addresses, next_cursor, reply_receipt, verdict_body
from collecthub_partner_network.settings import PartnerNetworkSettings

_FORMAT = "case-exchange-json"
_PAGE = 100
_STEPS = ("reach", "token", "contract")


@runtime_checkable
class BooksFormat(CaseFormat, Protocol):
    """A case format that can also read a partner's books."""

    def decode_accounts(self, content: bytes) -> Sequence[AccountLine]: ...


class PartnerNetworkConnector:
    """Satisfies `Dispatcher`, `AnswersAgain`, `StatusSource`, `HookReceiver`, `PartnerBooks` and `Checkable` for one agency.

    Promise: at least once on the wire with one exchange id and the same bytes, once in effect at an agency that
    keeps the contract; what is in doubt is settled by asking for the exchange's state.
    """

    def __init__(self, ctx: ConnectorContext) -> None:
        self._ctx = ctx
        self._settings: PartnerNetworkSettings = ctx.settings
        self._client = ExchangeClient(self._settings, allow_loopback=ctx.allow_loopback)

    def close(self) -> None:
        """Give the connection back."""
        self._client.close()

    @property
    def batch_limit(self) -> int:
        """How many messages one exchange may carry."""
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
        """The exchange as JSON."""
        payload = self._format.encode(exchange)
        return Envelope(
            envelope_id=exchange.exchange_id,
            name=exchange.exchange_id,
            media_type=JSON,
            payload=payload,
            sha256=sha256_hex(payload),
            message_ids=tuple(message.message_id for message in exchange.messages),
        )

    def deliver(self, envelope: Envelope, journal: Journal) -> Receipt:
        """Hand the stored bytes over; a repetition is answered by the agency as the first time."""
        journal.mark("calling")
        return self.answers(envelope)

    def answers(self, envelope: Envelope) -> Receipt:
        """The agency's answers to an exchange; sent again they are the same."""
        return reply_receipt(self._client.submit(envelope.envelope_id, envelope.payload), self._format)

    def probe(self, envelope: Envelope, intent: str) -> DeliveryState:
        """Ask the agency whether it has the exchange."""
        if not intent:
            return DeliveryState.NOT_ARRIVED
        known = self._client.state_of(envelope.envelope_id)
        return DeliveryState.ARRIVED if known else DeliveryState.NOT_ARRIVED

    # --- StatusSource and HookReceiver ------------------------------------------------------------

    def fetch(self, checkpoint: str) -> Iterator[tuple[RawMessage, str]]:
        """What waits in the agency's outbox after `checkpoint`, oldest first.

        A page that is broken as a whole is handed over as it is, and the reading stops before it.
        """
        after = checkpoint
        while True:
            began = after
            content = self._client.outbox(after, _PAGE)
            try:
                page = outbox_page(content)
            except QuarantineError:
                name = f"outbox-{sha256_hex(content)[:16]}"
                yield RawMessage(remote_ref=name, media_type=PAGE, content=content), after
                return
            for item in page.items:
                after = item.cursor
                content = bytes(item.exchange)
                # A push of the same exchange carries its id as well, so both have one reference.
                name = addresses(content)[0] or after
                yield RawMessage(remote_ref=name, media_type=JSON, content=content), after
            if page.next_cursor is None or after == began:  # a list that does not go on has ended
                return

    def receive_hook(self, request: HookRequest) -> HookAnswer:
        """Take a push when one of the agency's live secrets signed it within five minutes."""
        secrets = [secret.get_secret_value() for secret in self._settings.hook_secrets]
        if not secrets:
            raise PermanentError(
                "this connection takes no webhooks: it has no secret",
                cure="Enter the agency's webhook secret in the connection's settings.",
            )
        hook_id = verify_webhook(secrets, request.headers, request.body, self._ctx.now())
        message = RawMessage(remote_ref=hook_id, media_type=JSON, content=request.body)
        return HookAnswer(status=200, messages=(message,))

    def decode(self, raw: RawMessage) -> Decoded:
        """Read an exchange, from the outbox or pushed; it must come from this agency and be meant for this hub."""
        decoded = self._format.decode(raw.content)
        refuse_stray(self._ctx, *addresses(raw.content))
        return decoded

    def acknowledge(self, raw: RawMessage, verdict: Verdict) -> None:
        """Post the verdict on an exchange. The contract has none on a page that could not be read."""
        if raw.media_type == PAGE:
            return
        self._client.give_verdict(verdict_body(raw, verdict))

    # --- PartnerBooks and Checkable ---------------------------------------------------------------

    def accounts(self) -> Iterator[AccountLine]:
        """The agency's books, page by page; a page that cannot be read whole is refused."""
        seen, after = {""}, ""
        while True:
            content = self._client.accounts(after)
            yield from self._format.decode_accounts(content)
            after = next_cursor(content)
            if not after:
                return
            if after in seen:
                raise PermanentError(f"the agency's books go in a circle at {after!r}", cure="Report it to the agency.")
            seen.add(after)

    def check(self) -> Sequence[CheckStep]:
        """Reach the service, use the token, read its outbox by the contract, look for webhook secrets."""
        try:
            outbox_page(self._client.outbox("", 1))
        except CollecthubError as error:
            return _steps_until(error)
        count = len(self._settings.hook_secrets)
        hooks = f"{count} live secret(s)" if count else "no secret: news come by polling only"
        return (*(CheckStep(name=name, is_ok=True) for name in _STEPS), CheckStep(name="webhook", is_ok=True, detail=hooks))


def _steps_until(error: CollecthubError) -> tuple[CheckStep, ...]:
    """The steps of a check that ended with `error`; which one failed follows from the kind of error."""
    failed = {ConfigurationError: 1, QuarantineError: 2}.get(type(error), 0)
    passed = (CheckStep(name=name, is_ok=True) for name in _STEPS[:failed])
    return (*passed, CheckStep(name=_STEPS[failed], is_ok=False, detail=error.message, cure=error.cure))
