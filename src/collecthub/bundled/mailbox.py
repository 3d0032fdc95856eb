"""The built-in connector of partners who keep no server: their mail waits at the hub until they call for it.

Nothing is sent anywhere. "Sent" means that an exchange lies in the partner's mailbox; that he has it is said by his own
acknowledgement, as on every other line. He calls the SOAP service of `collecthub.web.soap`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from pydantic import BaseModel, ConfigDict, Field

from collecthub.sdk import (
    CaseFormat,
    CheckStep,
    ConfigurationError,
    ConnectorContext,
    ConnectorRole,
    ConnectorSpec,
    Decoded,
    DeliveryState,
    Envelope,
    Exchange,
    Journal,
    ProfileLine,
    RawMessage,
    Receipt,
    Verdict,
    hookimpl,
    refuse_stray,
)
from collecthub.wire.crypto import sha256_hex
from collecthub.wire.xml import Element, parse

KIND = "mailbox"
XML = "application/xml"
_FORMAT = "case-exchange-xml"
_CASE = "{urn:collecthub:case-exchange:1.0}"


class MailboxSettings(BaseModel):
    """What a person sets for one partner's mailbox."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    batch_limit: int = Field(default=500, ge=1, le=2000, description="Most messages in one exchange.")


class MailboxConnector:
    """Satisfies `Dispatcher`, `StatusSource`, `Checkable` and `Profiled` for one partner.

    Promise: exactly once into the mailbox, because putting it there and recording the receipt are one transaction;
    the partner may read it as often as he likes and knows a repetition by its exchange id.
    """

    def __init__(self, ctx: ConnectorContext) -> None:
        self._ctx = ctx
        self._settings: MailboxSettings = ctx.settings

    @property
    def batch_limit(self) -> int:
        """How many messages one exchange may carry."""
        return self._settings.batch_limit

    @property
    def _format(self) -> CaseFormat:
        found = self._ctx.formats.get(_FORMAT)
        if found is None:
            raise ConfigurationError(
                f"the case format {_FORMAT} is not installed",
                cure="Run `collecthub plugin list` and repair what is shown as failed.",
            )
        return found

    def prepare(self, exchange: Exchange) -> Envelope:
        """The exchange as XML, as the partner will read it."""
        payload = self._format.encode(exchange)
        return Envelope(
            envelope_id=exchange.exchange_id, name=exchange.exchange_id, media_type=XML, payload=payload,
            sha256=sha256_hex(payload), message_ids=tuple(message.message_id for message in exchange.messages),
        )

    def deliver(self, envelope: Envelope, journal: Journal) -> Receipt:
        """The receipt puts it into the mailbox; nothing else has to happen."""
        journal.mark("depositing")
        return Receipt(reference=envelope.envelope_id, detail="waits in the partner's mailbox")

    def probe(self, envelope: Envelope, intent: str) -> DeliveryState:
        """Without a receipt it is not in the mailbox."""
        return DeliveryState.NOT_ARRIVED

    def fetch(self, checkpoint: str) -> Iterator[tuple[RawMessage, str]]:
        """Nothing to fetch: the partner brings it."""
        return iter(())

    def decode(self, raw: RawMessage) -> Decoded:
        """Read an exchange; it must come from this partner and be meant for this hub."""
        decoded = self._format.decode(raw.content)
        root = parse(raw.content)
        refuse_stray(self._ctx, decoded.exchange_id, _text(root, "SenderRef"), _text(root, "ReceiverRef"))
        return decoded

    def acknowledge(self, raw: RawMessage, verdict: Verdict) -> None:
        """Nothing to tell: the partner asks for the state of his exchange."""

    def check(self) -> Sequence[CheckStep]:
        """There is nothing outside that could fail."""
        return (CheckStep(name="built in", is_ok=True, detail="the partner calls the hub's SOAP service"),)

    def profile(self) -> Sequence[ProfileLine]:
        """What happens with this partner, in plain words."""
        said = {
            "format": "case exchange 1.0 in XML",
            "delivery": "an exchange waits here until the partner fetches it over SOAP; nothing is sent anywhere",
            "login": "an API key of the partner, as password or bearer token, over HTTPS",
            "limits": f"at most {self._settings.batch_limit} messages in one exchange",
            "answers": "the partner submits exchanges and asks what became of them",
        }
        return tuple(ProfileLine(topic=topic, says=says) for topic, says in said.items())


def _text(root: Element, name: str) -> str:
    return (root.findtext(_CASE + name) or "").strip()


def _load() -> Callable[[ConnectorContext], object]:
    return MailboxConnector


@hookimpl
def register_connectors() -> Sequence[ConnectorSpec]:
    """One kind for partners of every role."""
    return (
        ConnectorSpec(
            kind=KIND, title="Partner without a server (calls the hub over SOAP)", role=ConnectorRole.PARTNER,
            settings=MailboxSettings, load=_load,
        ),
    )
