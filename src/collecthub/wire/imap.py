"""Read a mailbox over IMAP: what is new after a place, message by message, and nothing is deleted.

A place is `UIDVALIDITY:UID` (RFC 9051, 2.3.1.1): numbers rise and are never used again while the first part stays the
same; when a server changes it, the folder is read from its beginning. What was read is marked as seen for people.
"""

from __future__ import annotations

import contextlib
import imaplib
import re
import ssl
from collections.abc import Iterator

import msgspec

from collecthub.errors import ConfigurationError, RetryableError
from collecthub.wire.smtp import TIMEOUT_SECONDS, MailServer

_NUMBER = re.compile(rb"\d+")


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """One message as the server has it, and its place."""

    place: str
    content: bytes


@contextlib.contextmanager
def mailbox(server: MailServer, folder: str) -> Iterator[imaplib.IMAP4]:
    """A folder that is open. Raises `RetryableError` when the server is away, `ConfigurationError` for login or folder."""
    try:
        client = _connected(server)
    except ssl.SSLCertVerificationError as error:
        raise ConfigurationError(
            f"the certificate of mail server {server.host} is not trusted ({error.verify_message})",
            cure="Name the authority that issued it in the connection, or use the server's real name.",
        ) from error
    except (OSError, imaplib.IMAP4.error) as error:
        raise RetryableError(
            f"mail server {server.host} port {server.port} cannot be reached ({type(error).__name__})",
            cure="It is tried again; if this lasts, check host, port and security of the connection.",
        ) from error
    try:
        _open(client, server, folder)
        yield client
    except imaplib.IMAP4.abort as error:
        raise RetryableError(f"mail server {server.host} broke off", cure="It is tried again.") from error
    except OSError as error:
        raise RetryableError(f"mail server {server.host} does not answer", cure="It is tried again.") from error
    finally:
        with contextlib.suppress(OSError, imaplib.IMAP4.error):
            client.logout()
        with contextlib.suppress(OSError):
            client.shutdown()  # after a logout that the server did not answer


def _connected(server: MailServer) -> imaplib.IMAP4:
    context = ssl.create_default_context(cadata=server.authority or None)
    if server.security == "tls":
        return imaplib.IMAP4_SSL(server.host, server.port, timeout=TIMEOUT_SECONDS, ssl_context=context)
    client = imaplib.IMAP4(server.host, server.port, timeout=TIMEOUT_SECONDS)
    if server.security == "starttls":
        client.starttls(ssl_context=context)
    return client


def _open(client: imaplib.IMAP4, server: MailServer, folder: str) -> None:
    try:
        client.login(server.user, server.password)
    except imaplib.IMAP4.abort:
        raise
    except imaplib.IMAP4.error as error:
        raise ConfigurationError(
            f"mail server {server.host} refuses the login of {server.user}", cure="Correct user and password."
        ) from error
    quoted = '"' + folder.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if client.select(quoted)[0] != "OK":
        raise ConfigurationError(f"there is no folder {folder!r} in the mailbox", cure="Name one that exists, such as INBOX.")


def letters(client: imaplib.IMAP4, after: str, size_max: int) -> Iterator[Letter]:
    """What came after a place, oldest first. One above `size_max` bytes is yielded with its head alone, to be refused."""
    era = _era(client)
    known_era, _, number = after.partition(":")
    last = int(number) if known_era == era and number.isdigit() else 0
    found = client.uid("SEARCH", "UID", f"{last + 1}:*")[1][0] or b""
    for uid in sorted(int(one) for one in found.split()):
        if uid > last:  # `n:*` always names the last message, also when it is older
            yield Letter(place=f"{era}:{uid}", content=_content(client, uid, size_max))


def mark_seen(client: imaplib.IMAP4, place: str) -> None:
    """Show people that it was read. Harmless when the folder began anew since."""
    era, _, number = place.partition(":")
    if era == _era(client):
        client.uid("STORE", number, "+FLAGS.SILENT", "(\\Seen)")


def _era(client: imaplib.IMAP4) -> str:
    said = client.response("UIDVALIDITY")[1]
    number = next((one for one in said if one), b"0")
    # The answer is taken out of the client when it is read: keep it for whoever asks next.
    client.untagged_responses["UIDVALIDITY"] = [number]
    return str(number, "ascii")


def _content(client: imaplib.IMAP4, uid: int, size_max: int) -> bytes:
    size = client.uid("FETCH", str(uid), "(RFC822.SIZE)")[1][0]
    sizes = _NUMBER.findall(size.partition(b"RFC822.SIZE")[2]) if isinstance(size, bytes) else []
    part = "BODY.PEEK[]" if sizes and int(sizes[0]) <= size_max else "BODY.PEEK[HEADER]"
    answer = client.uid("FETCH", str(uid), f"({part})")[1]
    return next((bytes(one[1]) for one in answer if isinstance(one, tuple)), b"")
