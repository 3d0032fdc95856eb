"""One mail server: debtors are written to through it."""

from __future__ import annotations

import imaplib
from collections.abc import Iterator, Sequence
from email.headerregistry import Address
from email.message import EmailMessage

from collecthub.sdk import (
    CameBack,
    Channel,
    CheckStep,
    ConnectorContext,
    DebtorMessage,
    Journal,
    PermanentError,
    Receipt,
    try_reach,
)
from collecthub.wire.imap import letters, mailbox
from collecthub.wire.imap import mark_seen as show_seen
from collecthub.wire.smtp import MailServer, hand_over, session
from collecthub_contact_smtp.inbox import LARGEST, came_back, mark_seen, read_inbox
from collecthub_contact_smtp.settings import ContactSmtpSettings

PLACE = "inbox_place"  # how far the mailbox was read


class ContactSmtpConnector:
    """Satisfies `Messenger`, `HearsBack` and `Checkable`.

    Promise: at most once by itself. The Message-ID follows from the contact, so that a person who sends a message in
    doubt again lets mail programs see that it is the same one.
    """

    channel = Channel.EMAIL
    repeats_safely = False

    def __init__(self, ctx: ConnectorContext) -> None:
        self._settings: ContactSmtpSettings = ctx.settings
        self._now = ctx.now
        self._vault = ctx.vault
        self._client: imaplib.IMAP4 | None = None  # while the mailbox is read

    @property
    def _server(self) -> MailServer:
        return MailServer(
            host=self._settings.host, port=self._settings.port, security=self._settings.security,
            user=self._settings.user, password=self._settings.password.get_secret_value(),
            authority=self._settings.authority,
        )

    def deliver(self, message: DebtorMessage, journal: Journal) -> Receipt:
        """Give the message to the server."""
        mail = self._mail(message)
        with session(self._server) as client:
            said = hand_over(client, self._settings.sender, mail, lambda: journal.mark("sending"))
        return Receipt(reference=str(mail["Message-ID"]), detail=said)

    def _mail(self, message: DebtorMessage) -> EmailMessage:
        mail = EmailMessage()
        try:
            mail["From"] = Address(_one_line(message.sender_name), addr_spec=self._settings.sender)
            mail["To"] = Address(_one_line(message.recipient), addr_spec=message.email)
        except (ValueError, IndexError) as error:
            raise PermanentError(
                f"{message.email!r} is no e-mail address", cure="Correct it in the ERP, or use another channel."
            ) from error
        if message.reply_to:
            mail["Reply-To"] = message.reply_to
        mail["Subject"] = _one_line(message.subject)
        mail["Date"] = self._now()
        mail["Message-ID"] = f"<{message.contact_id}@{self._settings.sender.rpartition('@')[2]}>"
        mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no absence note is owed to it
        mail["Content-Language"] = message.language
        mail.set_content(message.text)
        for one in message.attachments:
            kind, _, subtype = one.media_type.partition("/")
            mail.add_attachment(one.content, maintype=kind, subtype=subtype, filename=one.name)
        return mail

    # --- HearsBack --------------------------------------------------------------------------------

    def entries(self) -> Iterator[tuple[str, bytes]]:
        """What lies in the inbox; nothing where none is named."""
        if not self._settings.imap_host:
            yield from read_inbox(self._settings.inbox)
            return
        with mailbox(self._mailbox, self._settings.imap_folder) as client:
            self._client = client
            try:
                for letter in letters(client, self._vault.read(PLACE) or "", LARGEST):
                    yield letter.place, letter.content
            finally:
                self._client = None

    @property
    def _mailbox(self) -> MailServer:
        given = self._settings
        return MailServer(
            host=given.imap_host, port=given.imap_port, security=given.imap_security, user=given.imap_user or given.user,
            password=(given.imap_password if given.imap_user else given.password).get_secret_value(), authority=given.authority,
        )  # fmt: skip

    def understand(self, content: bytes) -> CameBack | None:
        """What a mail says about a message of ours."""
        return came_back(content, self._settings.sender.rpartition("@")[2])

    def take(self, name: str) -> None:
        """Mark it as seen: it stays in the inbox for people."""
        if self._client is None:
            mark_seen(self._settings.inbox, name)
            return
        show_seen(self._client, name)
        self._vault.write(PLACE, name)

    def check(self) -> Sequence[CheckStep]:
        """Reach the servers and log in; nothing is sent or read."""
        return try_reach(self._reach)

    def _reach(self) -> None:
        with session(self._server) as client:
            client.noop()
        if self._settings.imap_host:
            with mailbox(self._mailbox, self._settings.imap_folder) as inbox:
                inbox.noop()


def _one_line(text: str) -> str:
    return " ".join(text.split())
