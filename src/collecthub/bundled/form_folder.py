"""The built-in connector of partners who work with a spreadsheet: a folder on their SFTP server, one form a sending.

Out: a CSV or XLSX with one row a case, filled in; where cases have documents, a zip of form, documents and their list. Back: the same form with
what the partner wrote into it, a mail with it, or documents whose names begin with the case number; a receipt with everything that could not be
read is put beside it. `collecthub.formats.partner_form` says what a form means, `partner_parcel` what a zip holds.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Literal

from pydantic import Field, SecretStr

from collecthub.bundled.folder_seal import ENDING, Seal, SealSettings
from collecthub.formats.form_words import said_in_form
from collecthub.formats.partner_form import FormRow, read_form, row_of, told_faults, write_form
from collecthub.formats.partner_mail import MEDIA_TYPE as MAIL
from collecthub.formats.partner_mail import read_mail
from collecthub.formats.partner_parcel import MEDIA_TYPE as ZIP
from collecthub.formats.partner_parcel import read_paper, write_parcel
from collecthub.sdk import (
    CheckStep,
    CollecthubError,
    ConnectorContext,
    ConnectorRole,
    ConnectorSpec,
    Decoded,
    DeliveryState,
    Envelope,
    Exchange,
    Journal,
    KeyEnd,
    QuarantineError,
    RawMessage,
    Receipt,
    Verdict,
    hookimpl,
)
from collecthub.wire.crypto import sha256_hex

if TYPE_CHECKING:
    from collecthub.wire.sftp import RemoteFile

KIND = "form_folder"
FILE_BYTES_MAX = 20_000_000
_UNFINISHED = (".tmp", ".part", ".filepart", ".receipt.txt", f".receipt.txt{ENDING}")  # not theirs to us, or not yet
_SEALED, _TOO_LARGE = "application/pkcs7-mime", "application/vnd.collecthub.too-large"
_PAPER_SAID = {
    "document.type": "paper_type", "document.case": "paper_case", "file.size": "paper_size", "record.unknown_case": "paper_unknown",
}  # fmt: skip
_MEDIA_TYPES = {
    "csv": "text/csv", "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}  # fmt: skip


class FormFolderSettings(SealSettings):
    """What a person sets for one partner's folder."""

    host: str = Field(min_length=1, description="The partner's SFTP server.")
    port: int = Field(default=22, ge=1, le=65535, description="Its port.")
    username: str = Field(min_length=1, description="The hub's account there.")
    private_key: SecretStr | None = Field(default=None, description="Private key of the login, OpenSSH or PEM.")
    password: SecretStr | None = Field(default=None, description="Password of the login, where there is no key.")
    host_key_fingerprints: tuple[str, ...] = Field(
        min_length=1, description="Fingerprints of the server (SHA256:...), compared with the partner over the phone."
    )
    to_partner: str = Field(default="in", description="Folder that the partner takes forms from.")
    from_partner: str = Field(default="out", description="Folder that the partner puts filled forms into.")
    file_kind: Literal["csv", "xlsx"] = Field(default="xlsx", description="Spelling of the forms that the hub writes.")
    language: Literal["en", "nl", "fr", "de", "es"] = Field(default="en", description="Language of forms and receipts.")
    mail_senders: tuple[str, ...] = Field(
        default=(), description="Mail addresses of the partner, for replies that lie in the folder as .eml files."
    )
    batch_limit: int = Field(default=500, ge=1, le=2000, description="Most rows in one form.")


class FormFolderConnector:
    """Satisfies `Dispatcher`, `StatusSource`, `Checkable` and `KeyHolder` for one partner.

    Promise: a form is whole under its name or not there. A filled form may come as often as it likes and under any name:
    its rows count once, because their message ids come from their content.
    """

    def __init__(self, ctx: ConnectorContext) -> None:
        # Here, because only hubs with a folder should pay for the library.
        from collecthub.wire.sftp import SftpAddress, SftpClient

        self._ctx = ctx
        self._settings: FormFolderSettings = ctx.settings
        given = self._settings
        address = SftpAddress(
            host=given.host, port=given.port, username=given.username, host_key_fingerprints=given.host_key_fingerprints,
            private_key_pem=given.private_key.get_secret_value().encode() if given.private_key else None,
            password=given.password.get_secret_value() if given.password else None,
        )
        self._seal = Seal(given)
        self._sftp = SftpClient(address, allow_loopback=ctx.allow_loopback)

    def close(self) -> None:
        """Give the connection back."""
        self._sftp.close()

    @property
    def batch_limit(self) -> int:
        """How many rows one form may have."""
        return self._settings.batch_limit

    # --- Dispatcher -------------------------------------------------------------------------------

    def prepare(self, exchange: Exchange) -> Envelope:
        """The exchange as a form, with the documents of its cases; sealed where that is agreed."""
        rows: list[FormRow] = [row_of(message) for message in exchange.messages]
        kind, language = self._settings.file_kind, self._settings.language
        name, media_type = f"cases-{exchange.exchange_id}.{kind}", _MEDIA_TYPES[kind]
        payload = write_form(rows, kind, language)
        if parcel := write_parcel(exchange.messages, name, payload, language):
            name, media_type, payload = f"cases-{exchange.exchange_id}.zip", ZIP, parcel
        if self._seal.is_agreed:
            name, media_type, payload = name + ENDING, _SEALED, self._seal.close(payload)
        return Envelope(
            envelope_id=exchange.exchange_id, name=name, media_type=media_type,
            payload=payload, sha256=sha256_hex(payload), message_ids=tuple(one.message_id for one in exchange.messages),
        )

    def deliver(self, envelope: Envelope, journal: Journal) -> Receipt:
        """Under a temporary name first, then in one step under its own."""
        final = f"{self._settings.to_partner}/{envelope.name}"
        self._sftp.upload(f"{final}.tmp", envelope.payload)
        journal.mark("renaming")
        self._sftp.rename(f"{final}.tmp", final)
        return Receipt(reference=envelope.name, detail=f"{len(envelope.payload)} bytes")

    def probe(self, envelope: Envelope, intent: str) -> DeliveryState:
        """Its own name or its temporary one says what happened; when both are gone, the partner has taken it or nobody knows."""
        final = f"{self._settings.to_partner}/{envelope.name}"
        if self._sftp.size(final) is not None:
            return DeliveryState.ARRIVED
        if not intent or self._sftp.size(f"{final}.tmp") is not None:
            return DeliveryState.NOT_ARRIVED
        return DeliveryState.UNKNOWN

    # --- StatusSource -----------------------------------------------------------------------------

    def fetch(self, checkpoint: str) -> Iterator[tuple[RawMessage, str]]:
        """Every form and document that lies there whole; what came before is known by its name and content."""
        for file in self._sftp.list(self._settings.from_partner):
            if file.is_regular and not file.name.startswith((".", "~$")) and not file.name.lower().endswith(_UNFINISHED):
                yield self._brought(file), checkpoint

    def _brought(self, file: RemoteFile) -> RawMessage:
        if file.size > FILE_BYTES_MAX:  # it stays where it is: only that it was seen is kept
            return RawMessage(remote_ref=file.name, media_type=_TOO_LARGE, content=f"{file.size}".encode())
        content = self._sftp.read(f"{self._settings.from_partner}/{file.name}", FILE_BYTES_MAX)
        return RawMessage(remote_ref=file.name, media_type=self._media_type(file.name, content), content=content)

    def _media_type(self, name: str, content: bytes) -> str:
        if self._seal.is_agreed:
            return _SEALED
        if name.lower().endswith(".eml"):
            return MAIL
        return _MEDIA_TYPES[_kind(content)] if _is_form(name) else "application/octet-stream"

    def decode(self, raw: RawMessage) -> Decoded:
        """Read a filled form, a mail with one, or a document."""
        if raw.media_type == _TOO_LARGE:
            raise QuarantineError(
                f"{raw.remote_ref} has {int(raw.content)} bytes; at most {FILE_BYTES_MAX} are taken", code="file.size",
                cure="It lies in the partner's folder still; ask him for a smaller one.",
            )
        name, content = self._opened(raw)
        if name.lower().endswith(".eml"):
            return read_mail(content, name, self._ctx.receiver_ref, self._ctx.now(), senders=self._settings.mail_senders)
        read = read_form if _is_form(name) else read_paper
        return read(content, name, self._ctx.receiver_ref, self._ctx.now())

    def _opened(self, raw: RawMessage) -> tuple[str, bytes]:
        if not self._seal.is_agreed:
            return raw.remote_ref, raw.content
        return raw.remote_ref.removesuffix(ENDING), self._seal.open(raw.content, self._ctx.now())

    def acknowledge(self, raw: RawMessage, verdict: Verdict) -> None:
        """Put a receipt into the partner's folder and take the file away; done twice, done once."""
        digest = hashlib.sha256(raw.content).hexdigest()[:12]
        text = "\r\n".join((raw.remote_ref, *self._told(raw, verdict), "")).encode()
        path = f"{self._settings.to_partner}/{raw.remote_ref[:80]}.{digest}.receipt.txt"
        if self._seal.is_agreed:
            path, text = path + ENDING, self._seal.close(text)
        if self._sftp.size(path) is None:
            self._sftp.upload(path, text)
        if raw.media_type != _TOO_LARGE:
            self._sftp.remove(f"{self._settings.from_partner}/{raw.remote_ref}")

    def _told(self, raw: RawMessage, verdict: Verdict) -> tuple[str, ...]:
        """Whether a file was taken, and every row of it that was not."""
        language = self._settings.language
        said = said_in_form(language, "taken" if verdict.is_accepted else "not_taken")
        try:
            name, content = self._opened(raw)
            if _is_form(name):
                wrong = told_faults(content, name, self._ctx.receiver_ref, self._ctx.now(), language)
                return said, *(wrong or (verdict.reason,))
        except QuarantineError:  # no form at all, or sealed by nobody we know
            return said, verdict.reason
        why = _PAPER_SAID.get(verdict.reason.partition(":")[0])
        if why is None or name.lower().endswith(".eml"):
            return said, verdict.reason
        return said_in_form(language, "not_taken"), said_in_form(language, why)

    def key_ends(self) -> Sequence[KeyEnd]:
        """When the certificates of a sealed folder end."""
        return tuple(self._seal.key_ends())

    def check(self) -> Sequence[CheckStep]:
        """Try the keys where files are sealed, log in and look into both folders."""
        steps: list[CheckStep] = []
        try:
            if self._seal.is_agreed:
                self._seal.close(b"")
                steps.append(CheckStep(name="keys", is_ok=True, detail="files are signed and encrypted"))
        except CollecthubError as error:
            return (CheckStep(name="keys", is_ok=False, detail=error.message, cure=error.cure),)
        for name in (self._settings.to_partner, self._settings.from_partner):
            try:
                self._sftp.list(name, limit=1)
            except (CollecthubError, QuarantineError) as error:
                return (*steps, CheckStep(name=name, is_ok=False, detail=error.message, cure=error.cure))
            steps.append(CheckStep(name=name, is_ok=True))
        return tuple(steps)


def _is_form(name: str) -> bool:
    return name.lower().endswith((".csv", ".xlsx"))


def _kind(content: bytes) -> str:
    return "xlsx" if content.startswith(b"PK") else "csv"


def _load() -> Callable[[ConnectorContext], object]:
    return FormFolderConnector


@hookimpl
def register_connectors() -> Sequence[ConnectorSpec]:
    """One kind for partners of every role."""
    return (
        ConnectorSpec(
            kind=KIND, title="Partner with a spreadsheet (SFTP folder)", role=ConnectorRole.PARTNER,
            settings=FormFolderSettings, load=_load,
        ),
    )
