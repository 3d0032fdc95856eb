"""The built-in connector of partners who have an inbox and nothing else: cases leave by mail, replies come by mail.

Out: a mail with one block a case to fill in, and the same as a form attached. Back: the reply with the blocks filled in, or
the form attached, read from the hub's own mailbox over IMAP. `collecthub.formats.partner_mail` says what a reply means.
"""

from __future__ import annotations

import email
import email.policy
from collections.abc import Callable, Iterator, Sequence
from email.headerregistry import Address
from email.message import EmailMessage
from typing import Literal

import msgspec
from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from collecthub.formats.form_words import asked_in, codes_in, heading, said_in_form
from collecthub.formats.partner_form import FormRow, row_of, write_form
from collecthub.formats.partner_mail import MEDIA_TYPE, read_mail
from collecthub.sdk import (
    CaseFile,
    CheckStep,
    CollecthubError,
    ConnectorContext,
    ConnectorRole,
    ConnectorSpec,
    Decoded,
    DeliveryState,
    DocumentItem,
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
from collecthub.wire.imap import letters, mailbox, mark_seen
from collecthub.wire.smtp import MailServer, hand_over, session

KIND = "form_mail"
MAIL_BYTES_MAX = 20_000_000
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_XLSX = ("application", "vnd.openxmlformats-officedocument.spreadsheetml.sheet")
# What may be written as an answer, and as what happened.
_ANSWERS, _HAPPENED = ("accept", "refuse"), (
    "contact_made", "contact_attempted", "promise_to_pay", "plan_agreed", "dispute_raised", "insolvency_found",
)  # fmt: skip
PAPERS_BYTES_MAX = 12_000_000  # of one mail; many servers take no more than 20 MB, and base64 makes 12 of them 16
_TO_FILL = ("answer", "holder_ref", "reason", "question", "status_code", "status_on", "received_amount", "received_on")


class FormMailSettings(BaseModel):
    """What a person sets for one partner that works by mail."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    to: str = Field(pattern=r"^[^@\s<>,;\"]+@[^@\s<>,;\"]+\.[^@\s<>,;\"]+$", description="Address that cases go to.")
    senders: tuple[str, ...] = Field(min_length=1, description="Addresses that the partner replies from.")
    language: Literal["en", "nl", "fr", "de", "es"] = Field(default="en", description="Language of the mails.")
    sender: str = Field(
        pattern=r"^[^@\s<>,;\"]+@[^@\s<>,;\"]+\.[^@\s<>,;\"]+$",
        description="Address the mails come from and replies go to: the hub's mailbox for this partner alone.",
    )
    smtp_host: str = Field(min_length=1, description="Mail server that takes mails.")
    smtp_port: int = Field(default=587, ge=1, le=65535, description="Its port: 587 with starttls, 465 with tls.")
    imap_host: str = Field(min_length=1, description="Mail server that the hub's mailbox lies on.")
    imap_port: int = Field(default=993, ge=1, le=65535, description="Its port: 993 with tls, 143 with starttls.")
    smtp_security: Literal["starttls", "tls", "none"] = Field(
        default="starttls", description="How the line out is encrypted; none only on this machine."
    )
    imap_security: Literal["starttls", "tls", "none"] = Field(
        default="tls", description="How the line in is encrypted; none only on this machine."
    )
    smtp_login: bool = Field(default=True, description="Whether the server that takes mails asks for the login.")
    user: str = Field(min_length=1, description="Login of the hub on both servers.")
    password: SecretStr = Field(description="Its password.")
    folder: str = Field(default="INBOX", min_length=1, max_length=200, description="Folder of the replies.")
    authority: str = Field(default="", description="PEM of the authority to trust instead of the machine's own.")
    batch_limit: int = Field(default=50, ge=1, le=500, description="Most cases in one mail.")

    @model_validator(mode="after")
    def _is_encrypted(self) -> FormMailSettings:
        lines = ((self.smtp_host, self.smtp_security), (self.imap_host, self.imap_security))
        if any(security == "none" and host not in _LOOPBACK for host, security in lines):
            raise ValueError("use tls or starttls: the mails tell about debts")
        return self


class FormMailConnector:
    """Satisfies `Dispatcher`, `StatusSource` and `Checkable` for one partner.

    Promise: a mail leaves once; when the server's answer to it is lost, a person decides. A reply may come as often as it
    likes: its rows count once, because their message ids come from their content. Mails are never deleted.
    """

    def __init__(self, ctx: ConnectorContext) -> None:
        self._ctx = ctx
        self._settings: FormMailSettings = ctx.settings

    @property
    def batch_limit(self) -> int:
        """How many cases one mail may hold."""
        return self._settings.batch_limit

    def _server(self, host: str, port: int, security: str) -> MailServer:
        given = self._settings
        return MailServer(
            host=host, port=port, security=security, user=given.user, password=given.password.get_secret_value(),
            authority=given.authority,
        )

    @property
    def _out(self) -> MailServer:
        server = self._server(self._settings.smtp_host, self._settings.smtp_port, self._settings.smtp_security)
        return server if self._settings.smtp_login else msgspec.structs.replace(server, user="")

    @property
    def _in(self) -> MailServer:
        return self._server(self._settings.imap_host, self._settings.imap_port, self._settings.imap_security)

    # --- Dispatcher -------------------------------------------------------------------------------

    def prepare(self, exchange: Exchange) -> Envelope:
        """The exchange as a mail, whole and ready."""
        rows = [row_of(message) for message in exchange.messages]
        payload = self._mail(exchange, rows).as_bytes(policy=email.policy.SMTP)
        return Envelope(
            envelope_id=exchange.exchange_id, name=f"cases-{exchange.exchange_id}.eml", media_type=MEDIA_TYPE,
            payload=payload, sha256=sha256_hex(payload), message_ids=tuple(one.message_id for one in exchange.messages),
        )

    def _mail(self, exchange: Exchange, rows: Sequence[FormRow]) -> EmailMessage:
        language = self._settings.language
        mail = EmailMessage()
        mail["From"] = Address(" ".join(self._ctx.sender_ref.split()), addr_spec=self._settings.sender)
        mail["To"] = Address(addr_spec=self._settings.to)
        mail["Subject"] = f"{said_in_form(language, 'subject')} ({len(rows)})"
        mail["Date"] = exchange.created_at
        mail["Message-ID"] = f"<{exchange.exchange_id}@{self._settings.sender.rpartition('@')[2]}>"
        mail["Content-Language"] = language
        mail.set_content("\n\n".join([_guide(language), *(_block(row, language) for row in rows)]) + "\n")
        form = write_form(rows, "xlsx", language)
        mail.add_attachment(form, maintype=_XLSX[0], subtype=_XLSX[1], filename=f"cases-{exchange.exchange_id}.xlsx")
        for paper in _papers(exchange):
            main, _, sub = paper.media_type.partition("/")
            mail.add_attachment(paper.content, maintype=main or "application", subtype=sub or "octet-stream", filename=paper.name)
        return mail

    def deliver(self, envelope: Envelope, journal: Journal) -> Receipt:
        """Give the mail to the server."""
        mail = email.message_from_bytes(envelope.payload, policy=email.policy.default)
        assert isinstance(mail, EmailMessage), "the policy makes one"
        with session(self._out) as client:
            said = hand_over(client, self._settings.sender, mail, lambda: journal.mark("sending"))
        return Receipt(reference=str(mail["Message-ID"]), detail=said)

    def probe(self, envelope: Envelope, intent: str) -> DeliveryState:
        """Before its content left it is not there; after that only the partner knows."""
        return DeliveryState.UNKNOWN if intent else DeliveryState.NOT_ARRIVED

    # --- StatusSource -----------------------------------------------------------------------------

    def fetch(self, checkpoint: str) -> Iterator[tuple[RawMessage, str]]:
        """Every mail that came since, with its place as the next checkpoint."""
        with mailbox(self._in, self._settings.folder) as client:
            for letter in letters(client, checkpoint, MAIL_BYTES_MAX):
                yield RawMessage(remote_ref=letter.place, media_type=MEDIA_TYPE, content=letter.content), letter.place

    def decode(self, raw: RawMessage) -> Decoded:
        """Read a reply; it must come from one of the partner's addresses."""
        return read_mail(
            raw.content, raw.remote_ref, self._ctx.receiver_ref, self._ctx.now(), senders=self._settings.senders
        )

    def acknowledge(self, raw: RawMessage, verdict: Verdict) -> None:
        """Show people in the mailbox what the hub has read; what it could not read stays unread for them."""
        if verdict.is_accepted:
            with mailbox(self._in, self._settings.folder) as client:
                mark_seen(client, raw.remote_ref)

    def check(self) -> Sequence[CheckStep]:
        """Log in on both servers and open the folder; nothing is sent."""
        steps: list[CheckStep] = []
        for name, look in (("send", self._try_out), ("receive", self._try_in)):
            try:
                look()
            except (CollecthubError, QuarantineError) as error:
                return (*steps, CheckStep(name=name, is_ok=False, detail=error.message, cure=error.cure))
            steps.append(CheckStep(name=name, is_ok=True))
        return tuple(steps)

    def _try_out(self) -> None:
        with session(self._out) as client:
            client.noop()

    def _try_in(self) -> None:
        with mailbox(self._in, self._settings.folder) as client:
            client.noop()


def _guide(language: str) -> str:
    """What to do with the mail, and the words that the form knows."""
    words = codes_in(language)
    known = (("answer", _ANSWERS), ("status_code", _HAPPENED))
    said = (f"{heading(column, language)}: {' / '.join(words[one] for one in codes)}" for column, codes in known)
    return "\n".join((said_in_form(language, "mail"), *said))


def _block(row: FormRow, language: str) -> str:
    """A case as lines: what it is about, and what the partner fills in."""
    known = (row.case_number, row.debtor, f"{row.demanded} {row.currency}".strip(), asked_in(language, row.asked))
    about = " | ".join(filter(None, known))
    told = [(name, getattr(row, name)) for name in ("debtor_address", "debtor_contact", "creditor", "invoices")]
    lines = [("case_id", row.case_id), ("answer_to", row.answer_to), ("currency", row.currency)]
    lines += [(name, text) for name, text in told if text]
    return "\n".join((f"--- {about}", *(f"{heading(name, language)}: {text}" for name, text in lines),
                      *(f"{heading(name, language)}:" for name in _TO_FILL)))  # fmt: skip


def _papers(exchange: Exchange) -> Iterator[DocumentItem]:
    """The documents of the cases, as many as one mail takes; the rest waits on the partner's page."""
    room = PAPERS_BYTES_MAX
    for message in exchange.messages:
        for paper in message.documents if isinstance(message, CaseFile) else ():
            if paper.content and len(paper.content) <= room:
                room -= len(paper.content)
                yield paper


def _load() -> Callable[[ConnectorContext], object]:
    return FormMailConnector


@hookimpl
def register_connectors() -> Sequence[ConnectorSpec]:
    """One kind for partners of every role."""
    return (
        ConnectorSpec(
            kind=KIND, title="Partner with an inbox (mail both ways)", role=ConnectorRole.PARTNER,
            settings=FormMailSettings, load=_load,
        ),
    )
