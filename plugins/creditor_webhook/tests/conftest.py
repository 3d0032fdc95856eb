"""A creditor's endpoint on 127.0.0.1 that checks signatures with the reference library of Standard Webhooks."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook

from collecthub.testing.fakes import context
from collecthub_creditor_webhook.connector import CreditorWebhookConnector
from collecthub_creditor_webhook.settings import CreditorWebhookSettings

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@dataclass
class Endpoint:
    """What came in and checked out, and the answers to give, the last one again and again."""

    url: str = ""
    answers: list[tuple[int, dict[str, str], bytes]] = field(default_factory=lambda: [(204, {}, b"")])
    bodies: list[bytes] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    events: list[Any] = field(default_factory=list)
    drop_next: bool = False

    def take(self, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str], bytes]:
        self.events.append(Webhook(SECRET).verify(body, headers))
        self.bodies.append(body)
        self.ids.append(headers["webhook-id"])
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    """The endpoint, listening."""
    state = Endpoint()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status, headers, content = state.take({name.lower(): value for name, value in self.headers.items()}, body)
            if state.drop_next:
                state.drop_next = False
                self.close_connection = True
                return
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            """Stay quiet."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        state.url = f"http://127.0.0.1:{server.server_port}/hooks/collecthub"
        yield state
        server.shutdown()
        thread.join()


@pytest.fixture
def connect() -> Iterator[Callable[..., CreditorWebhookConnector]]:
    """Build connectors that are closed at the end."""
    made: list[CreditorWebhookConnector] = []

    def build(url: str, **more: Any) -> CreditorWebhookConnector:
        made.append(CreditorWebhookConnector(context(CreditorWebhookSettings(url=url, secret=SECRET, **more))))
        return made[-1]

    yield build
    for connector in made:
        connector.close()
