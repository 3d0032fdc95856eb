"""A mailbox on this machine: the few commands of IMAP4rev1 (RFC 3501) that a reader needs, and BAD for every other one."""

from __future__ import annotations

import re
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager

USER, PASSWORD = "hub@agency.example", "s3cret words"


class Mailbox:
    """The messages by number, who has seen which, and a server that can break off."""

    def __init__(self) -> None:
        self.era = 17
        self.messages: dict[int, bytes] = {}
        self.seen: set[int] = set()
        self.break_off = 0
        self.port = 0

    def put(self, content: bytes) -> None:
        """A message arrives."""
        self.messages[len(self.messages) + 1] = content.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


@contextmanager
def serving(box: Mailbox) -> Iterator[Mailbox]:
    """The mailbox behind a port of this machine."""

    class Handler(_Session):
        mailbox = box

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        allow_reuse_address = True

    with Server(("127.0.0.1", 0), Handler) as server:
        box.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield box
        finally:
            server.shutdown()
            thread.join()


class _Session(socketserver.StreamRequestHandler):
    mailbox: Mailbox

    def handle(self) -> None:
        self.state = "new"
        self._say(b"* OK [CAPABILITY IMAP4rev1] ready")
        while line := self.rfile.readline():
            tag, _, rest = line.strip().decode().partition(" ")
            verb, _, arguments = rest.partition(" ")
            if verb == "UID":
                verb, _, arguments = arguments.partition(" ")
            if self.mailbox.break_off and verb == "FETCH":
                self.mailbox.break_off -= 1
                return
            done = getattr(self, f"_{verb.lower()}", lambda _: "BAD unknown command")(arguments)
            self._say(f"{tag} {done} done".encode())
            if verb == "LOGOUT":
                return

    def _say(self, line: bytes) -> None:
        self.wfile.write(line + b"\r\n")

    def _capability(self, _: str) -> str:
        self._say(b"* CAPABILITY IMAP4rev1")
        return "OK"

    def _noop(self, _: str) -> str:
        return "OK"

    def _logout(self, _: str) -> str:
        self._say(b"* BYE")
        return "OK"

    def _login(self, arguments: str) -> str:
        user, _, password = arguments.partition(" ")
        if (user.strip('"'), password.strip('"')) != (USER, PASSWORD):
            return "NO [AUTHENTICATIONFAILED] wrong"
        self.state = "in"
        return "OK"

    def _select(self, arguments: str) -> str:
        if self.state == "new" or arguments != '"INBOX"':
            return "NO no such folder"
        self.state = "open"
        self._say(f"* {len(self.mailbox.messages)} EXISTS".encode())
        self._say(f"* OK [UIDVALIDITY {self.mailbox.era}] valid".encode())
        return "OK [READ-WRITE]"

    def _search(self, arguments: str) -> str:
        match = re.fullmatch(r"UID (\d+):\*", arguments)
        if self.state != "open" or match is None:
            return "BAD"
        last = max(self.mailbox.messages, default=0)
        found = [one for one in self.mailbox.messages if one >= int(match[1]) or one == last]
        self._say(f"* SEARCH {' '.join(map(str, found))}".strip().encode())
        return "OK"

    def _fetch(self, arguments: str) -> str:
        match = re.fullmatch(r"(\d+) \((RFC822\.SIZE|BODY\.PEEK\[(?:HEADER)?\])\)", arguments)
        if self.state != "open" or match is None:
            return "BAD"
        number, content = int(match[1]), self.mailbox.messages[int(match[1])]
        if match[2] == "RFC822.SIZE":
            self._say(f"* {number} FETCH (UID {number} RFC822.SIZE {len(content)})".encode())
            return "OK"
        if "HEADER" in match[2]:
            content = content.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
        self._say(f"* {number} FETCH (UID {number} BODY[] {{{len(content)}}}".encode() + b"\r\n" + content + b")")
        return "OK"

    def _store(self, arguments: str) -> str:
        match = re.fullmatch(r"(\d+) \+FLAGS\.SILENT \(\\Seen\)", arguments)
        if self.state != "open" or match is None:
            return "BAD"
        self.mailbox.seen.add(int(match[1]))
        return "OK"
