"""One customer number at SDT: claims, warrants and recalls out; feedback, defences and updates in."""

from __future__ import annotations

import datetime as dt
import hmac
from collections.abc import Iterator, Sequence

from collecthub.sdk import (
    AckVerdict,
    CaseAcknowledgement,
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
    QuarantineError,
    RawMessage,
    Receipt,
    Verdict,
    derived_id,
)
from collecthub.wire import soap_service as soap
from collecthub.wire.crypto import sha256_hex
from collecthub.wire.xml import Element, parse, serialise
from collecthub_hmcts_sdt.client import SdtClient
from collecthub_hmcts_sdt.contract import BASE, FEEDBACK_REPLY, QUERY_REPLY, UPDATE, UPDATE_REPLY, objections
from collecthub_hmcts_sdt.mapping import (
    CourtFormat,
    bulk_request,
    case_of,
    defence_query,
    feedback_of_update,
    read_defences,
    read_feedback,
    requests_of,
    text,
)
from collecthub_hmcts_sdt.register import Bulk, Register
from collecthub_hmcts_sdt.settings import HmctsSdtSettings

XML = "application/xml"
_OVERLAP = dt.timedelta(hours=1)  # asked for twice rather than not at all; a defence has one effect
_FIRST_LOOK = dt.timedelta(days=1)


class HmctsSdtConnector:
    """Satisfies `Dispatcher`, `KeepsRequests`, `StatusSource`, `HookReceiver` and `Checkable` for one customer number.

    Promise: at least once on the wire with one customer reference and the same bytes, once in effect: SDT refuses a
    second bulk request under a known reference and names the first, which settles every doubt.
    """

    def __init__(self, ctx: ConnectorContext) -> None:
        self._ctx = ctx
        self._settings: HmctsSdtSettings = ctx.settings
        self._client = SdtClient(self._settings, allow_loopback=ctx.allow_loopback)
        self._register = Register(ctx.vault)

    def close(self) -> None:
        """Give the connection back."""
        self._client.close()

    @property
    def keeps_requests(self) -> bool:
        """SDT keeps a request until it is answered and refuses it a second time."""
        return True

    @property
    def batch_limit(self) -> int:
        """How many requests one bulk may carry."""
        return self._settings.batch_limit

    @property
    def _court(self) -> CourtFormat:
        name = f"sdt-{self._settings.document}"
        found = self._ctx.formats.get(name)
        if not isinstance(found, CourtFormat):
            raise ConfigurationError(
                f"the case format {name} is not installed",
                cure="Run `collecthub plugin list` and repair what is shown as failed.",
            )
        return found

    # --- Dispatcher -------------------------------------------------------------------------------

    def prepare(self, exchange: Exchange) -> Envelope:
        """The bulk request, judged by SDT's published schema before it is stored."""
        payload = bulk_request(self._court, exchange, self._settings, self._register)
        return Envelope(
            envelope_id=exchange.exchange_id, name=f"submitBulk {exchange.exchange_id}", media_type=XML, payload=payload,
            sha256=sha256_hex(payload), message_ids=tuple(message.message_id for message in exchange.messages),
        )

    def deliver(self, envelope: Envelope, journal: Journal) -> Receipt:
        """Submit the stored request; again under the same reference it has no second effect at SDT."""
        self._client.ready()
        bulk = parse(envelope.payload)
        journal.mark("calling")
        reference, was_known = self._client.submit(envelope.envelope_id, bulk)
        requests = requests_of(bulk, envelope.message_ids)
        self._register.open(Bulk(reference, envelope.envelope_id, requests))
        replies = Decoded(
            exchange_id=envelope.envelope_id, sender_ref="SDT",
            messages=tuple(self._received(name, message_id) for name, message_id in requests if message_id),
        )
        return Receipt(reference=reference, detail="SDT had it already" if was_known else "", replies=replies)

    def _received(self, name: str, message_id: str) -> CaseAcknowledgement:
        return CaseAcknowledgement(
            message_id=derived_id("sdt", name, "ack", "bulk"), case_id=case_of(name), in_reply_to=message_id,
            verdict=AckVerdict.RECEIVED, occurred_at=self._ctx.now(),
        )

    def probe(self, envelope: Envelope, intent: str) -> DeliveryState:
        """SDT has no question for a customer reference; submitting it again is the question, and harmless."""
        return DeliveryState.NOT_ARRIVED

    # --- StatusSource -----------------------------------------------------------------------------

    def fetch(self, checkpoint: str) -> Iterator[tuple[RawMessage, str]]:
        """Feedback on every bulk under way, then the defences since the checkpoint (a moment, ISO 8601)."""
        for reference in self._register.open_references():
            reply = self._client.feedback(reference)
            yield RawMessage(remote_ref=reference, media_type=XML, content=soap.detached(reply)), checkpoint
        until = self._ctx.now()
        since = dt.datetime.fromisoformat(checkpoint) - _OVERLAP if checkpoint else until - _FIRST_LOOK
        reply = self._client.query(defence_query(self._settings, since, until))
        if int(text(reply, f"{QUERY_REPLY}resultCount") or "0"):
            yield RawMessage(remote_ref="submitQuery", media_type=XML, content=soap.detached(reply)), until.isoformat()

    def decode(self, raw: RawMessage) -> Decoded:
        """Feedback, the answer to a query, or an updateItem call."""
        document = parse(raw.content)
        if document.tag == f"{QUERY_REPLY}submitQueryResponse":
            return read_defences(document, self._register)
        if document.tag == f"{UPDATE}updateRequest":
            content, bulk = feedback_of_update(document, self._register)
            return read_feedback(self._court, content, bulk, self._register, self._ctx.now())
        known = self._register.bulk(text(document, f"{FEEDBACK_REPLY}sdtBulkReference"))
        return read_feedback(self._court, raw.content, known, self._register, self._ctx.now())

    def acknowledge(self, raw: RawMessage, verdict: Verdict) -> None:
        """SDT wants no answer. A bulk whose complete feedback is recorded is asked for no more."""
        if not verdict.is_accepted or raw.media_type != XML:
            return
        document = parse(raw.content)
        states = {found.get("code") for found in document.iter(f"{FEEDBACK_REPLY}bulkStatus")}
        if "Completed" in states:
            self._register.close(text(document, f"{FEEDBACK_REPLY}sdtBulkReference"))

    # --- HookReceiver: updateItem -----------------------------------------------------------------

    def receive_hook(self, request: HookRequest) -> HookAnswer:
        """An updateItem call: known caller, valid by the published schema, stored; else a SOAP fault that says why."""
        headers = request.headers
        try:
            called = soap.read_call(
                request.body, content_type=headers.get("content-type", ""), action=headers.get("soapaction", ""),
                authorization=headers.get("authorization", ""), operations={"updateRequest": "updateItem"},
            )
            self._refuse_unknown(called)
            if said := objections(called.body):
                raise called.refuse("xml.schema", "; ".join(said[:5]))
        except soap.SoapRefusal as refusal:
            return HookAnswer(
                status=refusal.status, body=soap.fault(refusal).decode(), media_type=soap.fault_media_type(refusal)
            )
        raw = RawMessage(
            remote_ref=text(called.body, f"{UPDATE}sdtRequestId"), media_type=XML, content=soap.detached(called.body)
        )
        answer = soap.answer(called, self._answer_to(called.body)).decode()
        return HookAnswer(messages=(raw,), body=answer, media_type=called.media_type)

    def _refuse_unknown(self, called: soap.SoapCall) -> None:
        name, password = self._settings.update_username, self._settings.update_password.get_secret_value()
        given = f"{called.username}:{called.password}".encode()
        if not password or not hmac.compare_digest(given, f"{name}:{password}".encode()):
            raise called.refuse("credentials", "User name or password is missing or wrong.", status=401)

    def _answer_to(self, update: Element) -> Element:
        """Ok, or SDT's Error for a request that this hub did not send; what was said is kept either way."""
        answer = soap.element(f"{UPDATE_REPLY}updateResponse")
        status = soap.element(f"{UPDATE_REPLY}status", parent=answer)
        try:
            feedback_of_update(update, self._register)
            status.set("code", "Ok")
        except QuarantineError as error:
            status.set("code", "Error")
            box = soap.element(f"{BASE}error", parent=status)
            soap.element(f"{BASE}code", "REQ_ID_INVALID", box)
            soap.element(f"{BASE}description", error.message[:255], box)
        return parse(serialise(answer))

    # --- Checkable --------------------------------------------------------------------------------

    def check(self) -> Sequence[CheckStep]:
        """Read the contract, then ask for the defences of the last minute: reaches the service, changes nothing."""
        now = self._ctx.now()
        steps: list[CheckStep] = []
        for name, act in (
            ("contract", self._client.ready),
            ("reach, login and query",
             lambda: str(self._client.query(defence_query(self._settings, now - dt.timedelta(minutes=1), now)).tag)),
        ):  # fmt: skip
            try:
                steps.append(CheckStep(name=name, is_ok=True, detail=act().rpartition("}")[2]))
            except CollecthubError as error:
                return (*steps, CheckStep(name=name, is_ok=False, detail=error.message, cure=error.cure))
        return tuple(steps)

