"""Between an exchange and the sealed file that travels; nothing here touches the outside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

import msgspec

from collecthub.sdk import (
    AccountLine,
    CaseFile,
    CaseFormat,
    ConfigurationError,
    ConnectorContext,
    Decoded,
    Envelope,
    Exchange,
    PermanentError,
    QuarantineError,
    refuse_stray,
)
from collecthub.wire.crypto import sha256_hex
from collecthub_sftp_batch.keys import KeyRing
from collecthub_sftp_batch.packaging import decrypted, encrypted, packed, unpacked
from collecthub_sftp_batch.profile import refuse_above
from collecthub_sftp_batch.settings import CASE_FILE, SealedSettings

CONTAINER = "application/pkcs7-mime"
CHANGES_ONLY = f"{CONTAINER}; contains=changes"  # amendments and recalls: they never wait for an opening
_FORMAT = "case-exchange-xml"
_EXCHANGE = "exchange.xml"
_ENDINGS = {"application/pdf": "pdf", "application/xml": "xml", "text/plain": "txt", "image/jpeg": "jpg", "image/png": "png"}


class ExchangeHead(Protocol):
    """Which exchange it is, who wrote it, and for whom."""

    exchange_id: str
    sender_ref: str
    receiver_ref: str


@runtime_checkable
class ContainerFormat(CaseFormat, Protocol):
    """A case format that can keep documents beside the exchange and carry a partner's books."""

    def encode_with_files(self, exchange: Exchange) -> tuple[bytes, dict[str, bytes]]: ...

    def decode_with_files(self, content: bytes, documents: Mapping[str, bytes]) -> Decoded: ...

    def decode_accounts(self, content: bytes) -> Sequence[AccountLine]: ...

    def head(self, content: bytes) -> ExchangeHead: ...


@runtime_checkable
class CourtFormat(CaseFormat, Protocol):
    """A court's document, which asks for particulars and names what it has no place for."""

    def with_particulars(self, given: Mapping[str, Any]) -> CourtFormat: ...

    def left_behind(self, exchange: Exchange) -> Sequence[Any]: ...


class Sealing:
    """Seals exchanges for one partner and opens what it sealed for the hub. Keys are read at first use."""

    def __init__(self, ctx: ConnectorContext, settings: SealedSettings) -> None:
        self._ctx = ctx
        self._settings = settings
        self._keys = KeyRing(settings)

    @property
    def _format(self) -> ContainerFormat:
        found = self._ctx.formats.get(_FORMAT)
        if not isinstance(found, ContainerFormat):
            raise _not_installed(_FORMAT)
        return found

    def court(self) -> CourtFormat:
        """The court's format with its particulars. Raises `ConfigurationError` naming the one that is wrong."""
        found = self._ctx.formats.get(self._settings.case_format)
        if not isinstance(found, CourtFormat):
            raise _not_installed(self._settings.case_format)
        return found.with_particulars(self._settings.particulars)

    def envelope(self, exchange: Exchange) -> Envelope:
        """The file with its name. Raises `PermanentError` for what the partner cannot take, or when it is too large."""
        given = self._settings
        refuse_above(given.conformance_level, exchange)
        payload = self.seal(exchange)
        if len(payload) > given.file_bytes_max:
            raise PermanentError(
                f"the file for {len(exchange.messages)} messages has {len(payload)} bytes, the partner takes "
                f"{given.file_bytes_max}",
                cure="Lower batch_limit or set one_file_per_case in the connection, or send fewer documents.",
            )
        has_cases = any(isinstance(message, CaseFile) for message in exchange.messages)
        return Envelope(
            envelope_id=exchange.exchange_id,
            name=self._name(exchange, "cases" if has_cases else "changes"),
            media_type=CONTAINER if has_cases else CHANGES_ONLY,
            payload=payload,
            sha256=sha256_hex(payload),
            message_ids=tuple(message.message_id for message in exchange.messages),
        )

    def _name(self, exchange: Exchange, kind: str) -> str:
        values = {
            "receiver": self._ctx.receiver_ref, "sender": self._ctx.sender_ref, "exchange": exchange.exchange_id,
            "kind": kind, "count": len(exchange.messages), "created": exchange.created_at,
        }
        return self._settings.file_name.format(**values) + self._settings.suffix

    def seal(self, exchange: Exchange) -> bytes:
        """The file for the partner: encrypted, signed container of the exchange and its documents.

        Raises `PermanentError` with every objection when a court's document cannot carry a case.
        """
        name, content, documents = self._written(exchange)
        now = self._ctx.now()
        inner = packed(self._settings, self._keys, name, content, documents, now)
        return encrypted(self._settings, self._keys, inner, now)

    def _written(self, exchange: Exchange) -> tuple[str, bytes, Mapping[str, bytes]]:
        if self._settings.case_format == CASE_FILE:
            marked = msgspec.structs.replace(exchange, is_test=True) if self._settings.is_test else exchange
            return _EXCHANGE, *self._format.encode_with_files(marked)
        court = self.court()
        content = court.encode(exchange)
        lost = [one for one in court.left_behind(exchange) if one.element not in {*self._settings.may_leave_out, "documents"}]
        if lost:
            raise PermanentError(
                f"{court.format_id} has no place for {', '.join(one.element for one in lost)}",
                cure="Take it out of the case, or agree that it may be left out (may_leave_out in the connection).",
                reference=exchange.exchange_id,
            )
        return f"{court.format_id}.xml", content, _documents(exchange)

    def open(self, content: bytes) -> Decoded:
        """What the partner says in a sealed file; raises `QuarantineError` when any layer does not hold."""
        document, files = self._open(content, _EXCHANGE)
        head = self._format.head(document)
        refuse_stray(self._ctx, head.exchange_id, head.sender_ref, head.receiver_ref)
        decoded = self._format.decode_with_files(document, files)
        if self._settings.is_test and not decoded.is_test:
            raise QuarantineError(
                f"exchange {decoded.exchange_id} is not marked as a test, and this connection is on trial",
                code="exchange.test", cure="Ask the partner to mark it, or end the trial in the connection.",
            )
        return decoded

    def open_accounts(self, content: bytes) -> Sequence[AccountLine]:
        """The partner's books from a sealed file."""
        return self._format.decode_accounts(self._open(content, "accounts.xml")[0])

    def _open(self, content: bytes, name: str) -> tuple[bytes, dict[str, bytes]]:
        """What the partner's signature covers, and only that, and the files beside it."""
        inner = decrypted(self._settings, self._keys, content)
        return unpacked(self._settings, self._keys.partner, name, inner, self._ctx.now())


def _not_installed(format_id: str) -> ConfigurationError:
    return ConfigurationError(
        f"the case format {format_id} is not installed or cannot do what this connection needs",
        cure="Run `collecthub plugin list` and repair what is shown as failed.",
    )


def _documents(exchange: Exchange) -> dict[str, bytes]:
    """The documents of the case files, which a court's document only names, beside it under their sum."""
    return {
        f"documents/{one.sha256}.{_ENDINGS.get(one.media_type, 'bin')}": one.content
        for message in exchange.messages if isinstance(message, CaseFile)
        for one in message.documents if one.content
    }
