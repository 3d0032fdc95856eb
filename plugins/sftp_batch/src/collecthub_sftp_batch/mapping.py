"""Between an exchange and the sealed file that travels: XML, signature, zip, CMS; nothing here touches the outside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Protocol, runtime_checkable

from collecthub.sdk import (
    AccountLine,
    CaseFormat,
    ConfigurationError,
    ConnectorContext,
    Decoded,
    Exchange,
    QuarantineError,
)
from collecthub.wire.container import pack, unpack
from collecthub.wire.crypto import (
    Certificate,
    Identity,
    envelope_decrypt,
    envelope_encrypt,
    load_certificate,
    load_identity,
)
from collecthub.wire.sign import SigningKey, sign_xml, verify_xml
from collecthub.wire.xml import Element, parse, serialise
from collecthub_sftp_batch.settings import SftpBatchSettings

_FORMAT = "case-exchange-xml"
_CASE = "{urn:collecthub:case-exchange:1.0}"


@runtime_checkable
class ContainerFormat(CaseFormat, Protocol):
    """A case format that can keep documents beside the exchange and carry a partner's books."""

    def encode_with_files(self, exchange: Exchange) -> tuple[bytes, dict[str, bytes]]: ...

    def decode_with_files(self, content: bytes, documents: Mapping[str, bytes]) -> Decoded: ...

    def decode_accounts(self, content: bytes) -> Sequence[AccountLine]: ...


class Sealing:
    """Seals exchanges for one partner and opens what it sealed for the hub. Keys are read at first use."""

    def __init__(self, ctx: ConnectorContext, settings: SftpBatchSettings) -> None:
        self._ctx = ctx
        self._settings = settings

    @cached_property
    def _identity(self) -> Identity:
        settings = self._settings
        return load_identity(settings.own_key.get_secret_value().encode(), settings.own_certificate.encode())

    @cached_property
    def _signing_key(self) -> SigningKey:
        return SigningKey.of(self._identity)

    @cached_property
    def _formers(self) -> tuple[Identity, ...]:
        """Identities that files may still be encrypted for: the one in use first."""
        given = self._settings
        if given.previous_own_key is None:
            return (self._identity,)
        former = load_identity(
            given.previous_own_key.get_secret_value().encode(), given.previous_own_certificate.encode()
        )
        return self._identity, former

    @cached_property
    def _recipients(self) -> tuple[bytes, ...]:
        """The partner's certificates in PEM: the one in use, and the coming one while it changes."""
        given = (self._settings.partner_certificate, self._settings.next_partner_certificate)
        return tuple(pem.encode() for pem in given if pem)

    @cached_property
    def _partner(self) -> tuple[Certificate, ...]:
        return tuple(load_certificate(pem) for pem in self._recipients)

    @property
    def _format(self) -> ContainerFormat:
        found = self._ctx.formats.get(_FORMAT)
        if not isinstance(found, ContainerFormat):
            raise ConfigurationError(
                f"the case format {_FORMAT} is not installed or cannot fill containers",
                cure="Run `collecthub plugin list` and repair what is shown as failed.",
            )
        return found

    def seal(self, exchange: Exchange) -> bytes:
        """The file for the partner: encrypted container of the signed exchange and its documents."""
        content, documents = self._format.encode_with_files(exchange)
        signed = serialise(sign_xml(parse(content), self._signing_key))
        packed = pack({"exchange.xml": signed, **documents})
        still_valid = [
            pem for pem, found in zip(self._recipients, self._partner, strict=True)
            if found.not_valid_after_utc >= self._ctx.now()
        ]
        return envelope_encrypt(packed, still_valid or self._recipients)

    def open(self, content: bytes) -> Decoded:
        """What the partner says in a sealed file; raises `QuarantineError` when any layer does not hold."""
        root, documents = self._open(content, "exchange.xml")
        self._refuse_stray(root)
        return self._format.decode_with_files(serialise(root), documents)

    def open_accounts(self, content: bytes) -> Sequence[AccountLine]:
        """The partner's books from a sealed file."""
        root, _ = self._open(content, "accounts.xml")
        return self._format.decode_accounts(serialise(root))

    def _open(self, content: bytes, name: str) -> tuple[Element, dict[str, bytes]]:
        """The signed tree, and only that, and the files beside it."""
        files = unpack(self._decrypt(content))
        document = files.pop(name, None)
        if document is None:
            raise QuarantineError(
                f"the container has no {name}", code="archive.content", cure="Ask the partner to send it again, whole."
            )
        return verify_xml(document, self._partner, at=self._ctx.now()), files

    def _decrypt(self, content: bytes) -> bytes:
        """Open it with the identity in use, else with the former one."""
        identity, *formers = self._formers
        try:
            return envelope_decrypt(content, identity)
        except QuarantineError:
            if not formers:
                raise
        return envelope_decrypt(content, formers[0])

    def _refuse_stray(self, root: Element) -> None:
        """An exchange must come from this partner and be meant for this hub, whoever signed it."""
        for code, name, wanted in (
            ("exchange.sender", "SenderRef", self._ctx.receiver_ref),
            ("exchange.receiver", "ReceiverRef", self._ctx.sender_ref),
        ):
            found = root.findtext(_CASE + name)
            if found != wanted:
                raise QuarantineError(
                    f"the exchange names {found!r} as {name} where {wanted!r} stands for this connection",
                    code=code,
                    cure="Ask the partner why it sent this, or correct the reference in the connection.",
                )
