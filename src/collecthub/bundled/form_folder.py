"""The built-in connector of partners who work with a spreadsheet: a folder on their SFTP server, one form a sending.

Out: a CSV or XLSX with one row a case, filled in. Back: the same form with what the partner wrote into it, or a mail with it; a receipt with
every line that could not be read is put beside it. `collecthub.formats.partner_form` says what a form means.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from collecthub.formats.form_words import said_in_form
from collecthub.formats.partner_form import FormRow, read_form, row_of, told_faults, write_form
from collecthub.formats.partner_mail import MEDIA_TYPE as MAIL
from collecthub.formats.partner_mail import read_mail
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
    QuarantineError,
    RawMessage,
    Receipt,
    Verdict,
    hookimpl,
)
from collecthub.wire.crypto import sha256_hex
from collecthub.wire.sftp import SftpAddress, SftpClient

KIND = "form_folder"
FORM_BYTES_MAX = 20_000_000
_MEDIA_TYPES = {
    "csv": "text/csv", "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}  # fmt: skip


class FormFolderSettings(BaseModel):
    """What a person sets for one partner's folder."""

    model_config = ConfigDict(extra="forbid", frozen=True)

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
    """Satisfies `Dispatcher`, `StatusSource` and `Checkable` for one partner.

    Promise: a form is whole under its name or not there. A filled form may come as often as it likes and under any name:
    its rows count once, because their message ids come from their content.
    """

    def __init__(self, ctx: ConnectorContext) -> None:
        self._ctx = ctx
        self._settings: FormFolderSettings = ctx.settings
        given = self._settings
        address = SftpAddress(
            host=given.host, port=given.port, username=given.username, host_key_fingerprints=given.host_key_fingerprints,
            private_key_pem=given.private_key.get_secret_value().encode() if given.private_key else None,
            password=given.password.get_secret_value() if given.password else None,
        )
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
        """The exchange as a form."""
        rows: list[FormRow] = [row_of(message) for message in exchange.messages]
        kind = self._settings.file_kind
        payload = write_form(rows, kind, self._settings.language)
        return Envelope(
            envelope_id=exchange.exchange_id, name=f"cases-{exchange.exchange_id}.{kind}", media_type=_MEDIA_TYPES[kind],
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
        """Every filled form that lies there; what came before is known by its name and content."""
        folder = self._settings.from_partner
        for file in self._sftp.list(folder):
            if file.name.lower().endswith((".csv", ".xlsx", ".eml")):
                content = self._sftp.read(f"{folder}/{file.name}", FORM_BYTES_MAX)
                kind = MAIL if file.name.lower().endswith(".eml") else _MEDIA_TYPES[_kind(content)]
                yield RawMessage(remote_ref=file.name, media_type=kind, content=content), checkpoint

    def decode(self, raw: RawMessage) -> Decoded:
        """Read a filled form, or a mail with one."""
        if raw.media_type == MAIL:
            senders = self._settings.mail_senders
            return read_mail(raw.content, raw.remote_ref, self._ctx.receiver_ref, self._ctx.now(), senders=senders)
        return read_form(raw.content, raw.remote_ref, self._ctx.receiver_ref, self._ctx.now())

    def acknowledge(self, raw: RawMessage, verdict: Verdict) -> None:
        """Put a receipt into the partner's folder and take the form away; done twice, done once."""
        digest = hashlib.sha256(raw.content).hexdigest()[:12]
        text = "\r\n".join((raw.remote_ref, *self._told(raw, verdict), ""))
        path = f"{self._settings.to_partner}/{raw.remote_ref[:80]}.{digest}.receipt.txt"
        if self._sftp.size(path) is None:
            self._sftp.upload(path, text.encode())
        self._sftp.remove(f"{self._settings.from_partner}/{raw.remote_ref}")

    def _told(self, raw: RawMessage, verdict: Verdict) -> tuple[str, ...]:
        """Whether a form was taken, and every row of it that was not."""
        language = self._settings.language
        state = said_in_form(language, "taken" if verdict.is_accepted else "not_taken")
        if raw.media_type == MAIL:
            return state, verdict.reason
        try:
            wrong = told_faults(raw.content, raw.remote_ref, self._ctx.receiver_ref, self._ctx.now(), language)
        except QuarantineError:  # no form at all
            wrong = ()
        return (state, *(wrong or (verdict.reason,)))

    def check(self) -> Sequence[CheckStep]:
        """Log in and look into both folders."""
        steps: list[CheckStep] = []
        for name in (self._settings.to_partner, self._settings.from_partner):
            try:
                self._sftp.list(name, limit=1)
            except (CollecthubError, QuarantineError) as error:
                return (*steps, CheckStep(name=name, is_ok=False, detail=error.message, cure=error.cure))
            steps.append(CheckStep(name=name, is_ok=True))
        return tuple(steps)


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
