"""Hand one message to a mail server over SMTP, with the point of no return marked.

A server that has taken the content answers once; when that answer is lost nobody knows whether the message is on its
way, and that is said (`InDoubtError`) instead of sending it twice. Sources: RFC 5321 (4xx passes, 5xx is final), RFC
8314 (TLS), RFC 6531 (addresses beyond ASCII).
"""

from __future__ import annotations

import contextlib
import smtplib
import ssl
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8

import msgspec

from collecthub.errors import ConfigurationError, InDoubtError, PermanentError, RetryableError

TIMEOUT_SECONDS = 30.0


class MailServer(msgspec.Struct, frozen=True, kw_only=True):
    """A mail server and how it is reached. `security` is `tls` (from the first byte), `starttls` or `none`."""

    host: str
    port: int
    security: str = "starttls"
    user: str = ""
    password: str = ""
    authority: str = ""  # PEM of the certificates that are trusted, instead of the machine's

    def __repr__(self) -> str:
        return f"MailServer({self.host}:{self.port})"


@contextlib.contextmanager
def session(server: MailServer) -> Iterator[smtplib.SMTP]:
    """A logged-in session. Raises `RetryableError` when the server is away, `ConfigurationError` for a wrong login."""
    try:
        client = _connected(server)
    except ssl.SSLCertVerificationError as error:
        raise ConfigurationError(
            f"the certificate of mail server {server.host} is not trusted ({error.verify_message})",
            cure="Name the authority that issued it in the connection, or use the server's real name.",
        ) from error
    except (OSError, smtplib.SMTPException) as error:
        raise RetryableError(
            f"mail server {server.host} port {server.port} cannot be reached ({type(error).__name__})",
            cure="It is tried again; if this lasts, check host, port and security of the connection.",
        ) from error
    try:
        _log_in(client, server)
        yield client
    finally:
        with contextlib.suppress(OSError, smtplib.SMTPException):
            client.quit()


def _connected(server: MailServer) -> smtplib.SMTP:
    context = ssl.create_default_context(cadata=server.authority or None)
    if server.security == "tls":
        return smtplib.SMTP_SSL(server.host, server.port, timeout=TIMEOUT_SECONDS, context=context)
    client = smtplib.SMTP(server.host, server.port, timeout=TIMEOUT_SECONDS)
    if server.security == "starttls":
        client.starttls(context=context)
    client.ehlo_or_helo_if_needed()
    return client


def _log_in(client: smtplib.SMTP, server: MailServer) -> None:
    if not server.user:
        return
    try:
        client.login(server.user, server.password)
    except smtplib.SMTPAuthenticationError as error:
        raise ConfigurationError(
            f"mail server {server.host} refuses the login of {server.user}", cure="Correct user and password."
        ) from error
    except smtplib.SMTPNotSupportedError as error:
        raise ConfigurationError(
            f"mail server {server.host} offers no login", cure="Leave the user empty, or use the submission port 587."
        ) from error


def hand_over(client: smtplib.SMTP, sender: str, message: EmailMessage, mark: Callable[[], None]) -> str:
    """Give one message to the server and return its answer. `mark` is called right before the content leaves.

    Raises `PermanentError` when the recipient is refused for good, `RetryableError` when the server wants it later,
    `InDoubtError` when its answer to the content was lost.
    """
    recipient = str(message["To"].addresses[0].addr_spec)
    international = not recipient.isascii()
    content = message.as_bytes(policy=(SMTPUTF8 if international else SMTP).clone(max_line_length=998))
    try:
        client.ehlo_or_helo_if_needed()
        if international and not client.has_extn("smtputf8"):
            raise PermanentError(
                "the mail server takes only addresses in ASCII", cure="Reach this debtor by another channel."
            )
        _expect(client.mail(sender, ["SMTPUTF8"] if international else ()), 250, "the sender")
        _expect(client.rcpt(recipient), 250, "the recipient")
        _expect(client.docmd("DATA"), 354, "the message")
    except (OSError, smtplib.SMTPServerDisconnected) as error:
        raise RetryableError("the mail server broke off before the message", cure="It is tried again.") from error
    mark()
    try:
        client.send(_dotted(content) + b".\r\n")
        code, said = client.getreply()
    except (OSError, smtplib.SMTPServerDisconnected) as error:
        raise InDoubtError(
            "the mail server broke off while it took the message", cure="Ask its operator for this message's id."
        ) from error
    _expect((code, said), 250, "the message")
    return f"{code} {said.decode(errors='replace')}"


def _dotted(content: bytes) -> bytes:
    """The content as it travels: lines that begin with a dot get a second one (RFC 5321, 4.5.2)."""
    lines = content.replace(b"\r\n", b"\n").split(b"\n")
    if lines and not lines[-1]:
        lines.pop()
    return b"".join((b"." + line if line.startswith(b".") else line) + b"\r\n" for line in lines)


def _expect(answer: tuple[int, bytes], code: int, what: str) -> None:
    found, said = answer
    if found == code or (code == 250 and found == 251):
        return
    text = f"the mail server answers {found} {said.decode(errors='replace')[:200]} to {what}"
    if 400 <= found < 500:
        raise RetryableError(text, cure="It is tried again later.")
    raise PermanentError(text, cure="Correct the address, or reach the debtor by another channel.")
