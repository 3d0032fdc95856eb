"""Another counterparty may stand at the token endpoint: a proxy, or somebody else's simulator."""

from __future__ import annotations

import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class TokenProxy:
    """Passes every POST on to the twin's token endpoint and counts them."""

    def __init__(self, target: str) -> None:
        self.passed = 0
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                form = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {"Content-Type": self.headers["Content-Type"]}
                try:
                    with _OPENER.open(urllib.request.Request(target, form, headers), timeout=10) as answer:
                        status, body = answer.status, answer.read()
                except urllib.error.HTTPError as refusal:
                    with refusal:
                        status, body = refusal.code, refusal.read()
                proxy.passed += 1
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                return None

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/some/where/token"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()


@pytest.fixture
def proxy(world: Any) -> Iterator[TokenProxy]:
    started = TokenProxy(f"{world.twin.url}/api/oauth2/token")
    yield started
    started.server.shutdown()
    started.server.server_close()


def test_the_token_endpoint_may_lie_on_another_host(world: Any, proxy: TokenProxy) -> None:
    world.load(3)
    connector = world.connected(token_url=proxy.url)
    assert proxy.passed == 1
    world.advance(601)
    pages = list(connector.pull(""))
    assert proxy.passed == 2
    assert world.open_state(pages) == world.books()
