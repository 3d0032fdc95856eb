"""A mail sink: takes every message over SMTP, keeps it, delivers none.

Ready file: `smtp_host`, `smtp_port`. Control: `messages` (GET: `after`, `to`; newest last), `books` (count), `refuse`
(`{"code": 450, "times": 2}`: answers that to the next messages), `refuse_address` (`{"to": ...}`: unknown here for good),
`hang_up` (`{"times": 1}`: keeps the next messages and breaks off without an answer), `bounce` and `answer` (`{"to": ...,
"inbox": MAILDIR, "text": ...}`: the last message to an address comes back undelivered after RFC 3464, or is answered).
"""

from __future__ import annotations

import asyncio
import mailbox
from collections.abc import Mapping
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session
from starlette.applications import Starlette

from collecthub.sandbox.twin import LOOPBACK, Books, Clock, TwinOptions, open_books
from collecthub.sandbox.twin_http import Control, serve_http

_SCHEMA = """CREATE TABLE IF NOT EXISTS messages (
    number INTEGER PRIMARY KEY, mail_from TEXT NOT NULL, rcpt_to TEXT NOT NULL, received_at TEXT NOT NULL,
    content BLOB NOT NULL)"""
_MAX_BYTES = 30_000_000


class Sink:
    """The SMTP handler over durable books."""

    def __init__(self, books: Books, clock: Clock) -> None:
        self._books, self._clock = books, clock
        self._refusals: list[str] = []
        self._unknown: set[str] = set()
        self._hang_ups = 0

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Take the recipient, unless he is unknown here."""
        if address in self._unknown:
            return "550 5.1.1 No such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 Fine"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Keep the message, then say so."""
        if self._refusals:
            return self._refusals.pop()
        content = envelope.original_content or b""
        self._books.connection.execute(
            "INSERT INTO messages (mail_from, rcpt_to, received_at, content) VALUES (?, ?, ?, ?)",
            (envelope.mail_from or "", "\n".join(envelope.rcpt_tos), self._clock.now().isoformat(), content),
        )
        if self._hang_ups:
            self._hang_ups -= 1
            assert isinstance(server.transport, asyncio.Transport), "somebody is connected"
            server.transport.abort()
        return "250 2.0.0 Kept"

    def actions(self) -> dict[str, Control]:
        """The control actions of this twin."""
        return {
            "messages": self._messages, "books": self._report, "refuse": self._refuse,
            "refuse_address": self._refuse_address, "hang_up": self._hang_up, "bounce": self._bounce,
            "answer": self._answer,
        }  # fmt: skip

    def _messages(self, payload: dict[str, Any]) -> Any:
        rows = self._books.connection.execute(
            "SELECT * FROM messages WHERE number > ? AND rcpt_to LIKE ? ORDER BY number",
            (int(payload.get("after", 0)), f"%{payload.get('to', '')}%"),
        )
        return {"items": [_shown(dict(row)) for row in rows]}

    def _report(self, _: dict[str, Any]) -> Any:
        return {"messages": self._books.connection.execute("SELECT count(*) FROM messages").fetchone()[0]}

    def _refuse(self, payload: dict[str, Any]) -> Any:
        self._refusals = [f"{payload['code']} Not now"] * int(payload.get("times", 1))
        return {"pending": len(self._refusals)}

    def _refuse_address(self, payload: dict[str, Any]) -> Any:
        self._unknown.add(str(payload["to"]))
        return {"unknown": sorted(self._unknown)}

    def _hang_up(self, payload: dict[str, Any]) -> Any:
        self._hang_ups = int(payload.get("times", 1))
        return {"pending": self._hang_ups}

    def _last(self, to: str) -> EmailMessage:
        row = self._books.connection.execute(
            "SELECT content FROM messages WHERE rcpt_to LIKE ? ORDER BY number DESC LIMIT 1", (f"%{to}%",)
        ).fetchone()
        return message_from_bytes(row["content"], EmailMessage, policy=default)

    def _bounce(self, payload: dict[str, Any]) -> Any:
        original, to = self._last(payload["to"]), payload["to"]
        return _delivered(payload["inbox"], undelivered(original, to, payload.get("action", "failed")))

    def _answer(self, payload: dict[str, Any]) -> Any:
        original, reply = self._last(payload["to"]), EmailMessage()
        reply["From"], reply["To"] = payload["to"], str(original["from"])
        reply["Subject"], reply["In-Reply-To"] = f"Re: {original['subject']}", str(original["message-id"])
        if payload.get("is_automatic"):
            reply["Auto-Submitted"] = "auto-replied"
        reply.set_content(payload["text"])
        return _delivered(payload["inbox"], reply.as_bytes())

    async def open(self) -> Mapping[str, Any]:
        """Listen for SMTP; returns the facts for the ready file."""
        loop = asyncio.get_running_loop()
        server = await loop.create_server(
            lambda: SMTP(self, data_size_limit=_MAX_BYTES, enable_SMTPUTF8=True, hostname="mail.example"),
            LOOPBACK, self._books.get("smtp_port", 0), reuse_address=True,
        )  # fmt: skip
        port = server.sockets[0].getsockname()[1]
        self._books.put("smtp_port", port)
        return {"smtp_host": LOOPBACK, "smtp_port": port}


_REPORT = """From: MAILER-DAEMON@mail.example
To: {sender}
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="=_r"

--=_r
Content-Type: text/plain; charset=us-ascii

The message could not be delivered.

--=_r
Content-Type: message/delivery-status

Reporting-MTA: dns; mail.example

Final-Recipient: rfc822; {to}
Action: {action}
Status: {code}
Diagnostic-Code: smtp; {code} No such mailbox

--=_r
Content-Type: text/rfc822-headers

Message-ID: {message_id}
Subject: a reminder

--=_r--
"""


def undelivered(original: EmailMessage, to: str, action: str) -> bytes:
    """The report of RFC 3464 that a server sends back: for people, for programs, and the headers of what it is about."""
    return _REPORT.format(
        sender=original["from"], to=to, action=action, code="5.1.1" if action == "failed" else "4.4.1",
        message_id=original["message-id"],
    ).encode()


def _delivered(inbox: str, mail: bytes) -> Any:
    return {"name": mailbox.Maildir(inbox, create=True).add(mail)}


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    message = message_from_bytes(row["content"], EmailMessage, policy=default)
    body = message.get_body(("plain", "html"))
    return {
        "number": row["number"], "mail_from": row["mail_from"], "rcpt_to": row["rcpt_to"].split("\n"),
        "received_at": row["received_at"], "subject": str(message["subject"] or ""),
        "message_id": str(message["message-id"] or ""), "text": body.get_content() if body else "",
        "attachments": [part.get_filename() or "" for part in message.iter_attachments()],
        "raw": row["content"].decode(errors="replace"),
    }  # fmt: skip


def serve(options: TwinOptions) -> None:
    """Run the twin until it is told to stop."""
    books = open_books(options, _SCHEMA)
    clock = Clock(books)
    sink = Sink(books, clock)
    serve_http(options, Starlette(), clock, sink.actions(), sink.open)
