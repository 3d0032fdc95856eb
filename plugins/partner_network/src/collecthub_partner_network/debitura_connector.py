"""A connection to the Debitura network: one case a call, news by webhook and from the event log."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from collecthub.sdk import (
    CheckStep,
    CollecthubError,
    ConnectorContext,
    Decoded,
    DeliveryState,
    Envelope,
    Exchange,
    HookAnswer,
    HookRequest,
    InDoubtError,
    Journal,
    Message,
    PermanentError,
    QuarantineError,
    RawMessage,
    Receipt,
    RetryableError,
    Verdict,
)
from collecthub.wire.crypto import sha256_hex
from collecthub.wire.http import HttpClient, HttpResponse
from collecthub_partner_network.debitura_mapping import answer_to, call_for, decode_event, verify_event
from collecthub_partner_network.debitura_settings import DebituraSettings
from collecthub_partner_network.mapping import JSON, refusal


class _Sent(msgspec.Struct, frozen=True):
    """What travels, and what it was made from, so that the answer can be understood after a restart."""

    path: str
    body: msgspec.Raw
    message: msgspec.Raw


class _Log(msgspec.Struct, frozen=True):
    items: tuple[msgspec.Raw, ...]
    next: int


class DebituraConnector:
    """Satisfies `Dispatcher`, `AnswersAgain`, `StatusSource`, `HookReceiver` and `Checkable`.

    Promise: at least once on the wire under one Idempotency-Key with the same bytes; the network answers a repetition as it
    answered first, and refuses the key with other bytes.
    """

    batch_limit = 1

    def __init__(self, ctx: ConnectorContext) -> None:
        self._ctx = ctx
        self._settings: DebituraSettings = ctx.settings
        self._http = HttpClient(
            self._settings.base_url, allow_loopback=ctx.allow_loopback, cookies=False,
            headers={"Authorization": f"Bearer {self._settings.token.get_secret_value()}", "Accept": JSON},
        )

    def close(self) -> None:
        """Give the connection back."""
        self._http.close()

    # --- Dispatcher -------------------------------------------------------------------------------

    def prepare(self, exchange: Exchange) -> Envelope:
        """One message as one call."""
        (message,) = exchange.messages
        call = call_for(message)
        sent = _Sent(call.path, msgspec.Raw(msgspec.json.encode(call.body)), msgspec.Raw(msgspec.json.encode(message)))
        payload = msgspec.json.encode(sent)
        return Envelope(
            envelope_id=exchange.exchange_id, name=call.path, media_type=JSON, payload=payload,
            sha256=sha256_hex(payload), message_ids=(message.message_id,),
        )

    def deliver(self, envelope: Envelope, journal: Journal) -> Receipt:
        """Post the stored bytes under the envelope's id."""
        journal.mark("calling")
        return self.answers(envelope)

    def answers(self, envelope: Envelope) -> Receipt:
        """The network's answer; asked again it is the same."""
        sent = msgspec.json.decode(envelope.payload, type=_Sent)
        headers = {"Content-Type": JSON, "Idempotency-Key": envelope.envelope_id}
        response = self._http.request("POST", sent.path, body=bytes(sent.body), headers=headers, is_safe_to_repeat=False)
        if not response.is_success:
            raise _refused(response, "take the case")
        try:
            answer = msgspec.json.decode(response.content, type=dict[str, object])
        except msgspec.MsgspecError as error:
            raise InDoubtError("the network's answer is not readable", cure="It is asked again under the same key.") from error
        message = msgspec.json.decode(bytes(sent.message), type=Message)
        said = answer_to(message, answer, self._ctx.now())
        replies = None if said is None else Decoded(exchange_id=envelope.envelope_id, sender_ref="debitura", messages=(said,))
        return Receipt(
            reference=str(answer.get("id", envelope.envelope_id)), detail="taken", replies=replies, raw_reply=response.content
        )

    def probe(self, envelope: Envelope, intent: str) -> DeliveryState:
        """Nothing was called before the mark; after it the call is repeated, which its key makes harmless."""
        return DeliveryState.ARRIVED if intent else DeliveryState.NOT_ARRIVED

    # --- StatusSource and HookReceiver ------------------------------------------------------------

    def fetch(self, checkpoint: str) -> Iterator[tuple[RawMessage, str]]:
        """The event log after a number; what was pushed before is known by its id."""
        after = checkpoint or "0"
        while True:
            response = self._http.request("GET", "events", params={"after": after})
            if response.status != 200:
                raise _refused(response, "show its events")
            try:
                log = msgspec.json.decode(response.content, type=_Log)
            except msgspec.MsgspecError as error:
                raise RetryableError("the network's event log is not readable", cure="Tell the network if it stays so.") from error
            for number, raw in enumerate(log.items, int(after) + 1):
                yield self._raw(bytes(raw)), str(number)
            if not log.items:
                return
            after = str(log.next)

    def _raw(self, content: bytes) -> RawMessage:
        """An event under its own id; spelling does not matter, so that a push and the log show the same bytes."""
        try:
            found = msgspec.json.decode(content, type=dict[str, object])
        except msgspec.MsgspecError:
            return RawMessage(remote_ref=f"event-{sha256_hex(content)[:16]}", media_type=JSON, content=content)
        plain = msgspec.json.encode(found, order="deterministic")
        return RawMessage(remote_ref=str(found.get("id", ""))[:140], media_type=JSON, content=plain)

    def receive_hook(self, request: HookRequest) -> HookAnswer:
        """Take a push that the secret signed within five minutes."""
        secret = self._settings.hook_secret
        if secret is None:
            raise PermanentError("this connection takes no webhooks", cure="Enter the webhook secret in its settings.")
        header = request.headers.get(self._settings.signature_header.lower(), "")
        verify_event(secret.get_secret_value(), header, request.body, self._ctx.now())
        return HookAnswer(status=200, messages=(self._raw(request.body),))

    def decode(self, raw: RawMessage) -> Decoded:
        """One event as messages."""
        return decode_event(raw.content)

    def acknowledge(self, raw: RawMessage, verdict: Verdict) -> None:
        """The network asks for no verdict: a 2xx took the push, and the log is read by number."""

    def check(self) -> Sequence[CheckStep]:
        """Reach the service with the token."""
        try:
            response = self._http.request("GET", "ping")
            if not response.is_success:
                raise _refused(response, "answer a ping")
        except (CollecthubError, QuarantineError) as error:
            return (CheckStep(name="service", is_ok=False, detail=error.message, cure=error.cure),)
        return (CheckStep(name="service", is_ok=True),)


def _refused(response: HttpResponse, act: str) -> CollecthubError:
    return refusal(
        response.status, f"the network did not {act}: {response.json_error_text()}",
        retry_after=response.retry_after_seconds, may_have_happened=True,
    )  # fmt: skip
