"""An endpoint on 127.0.0.1 that keeps every call it gets and answers as it is told."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Call:
    """One call: its headers in lower case and its body."""

    headers: dict[str, str]
    body: bytes

    @property
    def event(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found


@dataclass
class Endpoint:
    """`answer` decides the status of each call."""

    url: str = ""
    calls: list[Call] = field(default_factory=list)
    answer: Callable[[Call], int] = lambda _call: 204

    @property
    def taken(self) -> list[Call]:
        return [call for call in self.calls if self.answer(call) == 204]


@contextmanager
def listening() -> Iterator[Endpoint]:
    """The endpoint, while it listens."""
    state = Endpoint()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            call = Call({name.lower(): value for name, value in self.headers.items()}, body)
            state.calls.append(call)
            self.send_response(state.answer(call))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Stay quiet."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        state.url = f"http://127.0.0.1:{server.server_port}/hook"
        yield state
        server.shutdown()
        thread.join()
