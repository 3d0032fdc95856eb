"""A hub's hook: an HTTP server in a thread that keeps what is pushed and answers as it was told."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks import Webhook, WebhookVerificationError


@dataclass
class Hook:
    """What came: (webhook-id, status given, body). `plan` are statuses to give before judging for itself."""

    url: str = ""
    secret: str = "whsec_aGVsbG8gdGhpcyBpcyBhIHRlc3Q="
    plan: list[int] = field(default_factory=list)
    got: list[tuple[str, int, bytes]] = field(default_factory=list)

    def judge(self, headers: dict[str, str], body: bytes) -> int:
        """401 unless the reference implementation accepts the signature; 400 for what is not JSON."""
        try:
            Webhook(self.secret).verify(body, headers)
        except WebhookVerificationError:
            return 401
        except ValueError:
            return 400
        return 204

    def taken(self) -> list[str]:
        """Ids of what was accepted, in order."""
        return [name for name, status, _ in self.got if status == 204]


@contextmanager
def listening() -> Iterator[Hook]:
    """A hook that listens until the end of the block."""
    hook = Hook()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(hook))
    hook.url = f"http://127.0.0.1:{server.server_port}/hook"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield hook
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _handler(hook: Hook) -> Callable[..., BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            status = hook.plan.pop(0) if hook.plan else hook.judge(headers, body)
            hook.got.append((headers["webhook-id"], status, body))
            if status:
                self.send_response(status)
                self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    return Handler
