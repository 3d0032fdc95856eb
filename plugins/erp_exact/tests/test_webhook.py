"""Webhooks from the twin's own sender, over HTTP, into the connector (scenario X13)."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue
from typing import Any

import pytest

from collecthub.errors import PermanentError
from collecthub.ports import HookAnswer, HookRequest
from collecthub.sandbox.exact_webhooks import notification


class Hub:
    """What the hub does at `/hooks/{connection_id}`: hand over, answer 401 on a refusal."""

    def __init__(self, connector: Any) -> None:
        self.calls: Queue[tuple[bytes, int, HookAnswer | None]] = Queue()
        hub = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                try:
                    answer = connector.receive_hook(HookRequest(headers=headers, body=body))
                    status = answer.status
                except PermanentError:
                    answer, status = None, 401
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()
                hub.calls.put((body, status, answer))

            def log_message(self, *_: Any) -> None:
                return None

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hooks/conn-test"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def next_call(self) -> tuple[bytes, int, HookAnswer | None]:
        return self.calls.get(timeout=10)


@pytest.fixture
def hub(world: Any) -> Iterator[Hub]:
    connector = world.connected()
    hub = Hub(connector)
    connector.subscribe_hooks(hub.url)
    validations = [hub.next_call(), hub.next_call()]
    assert [(body, status) for body, status, _ in validations] == [(b"", 200)] * 2
    yield hub
    hub.server.shutdown()
    hub.server.server_close()


def test_x13_a_notice_of_money_asks_for_a_pull(world: Any, hub: Hub) -> None:
    world.load(3)
    world.twin.control("webhooks", {"repeat": 2})
    world.control("pay", number="1001")
    for _ in range(2):  # the vendor repeats itself; two pulls by row version do no harm
        body, status, answer = hub.next_call()
        assert status == 200 and answer is not None and answer.pull_soon
    changed = [
        body.replace(b'"Action":"Update"', b'"Action":"Create"'),
        body.replace(b'":', b'": ', 2),  # the same JSON in other characters
        body[:-3] + b'0"}',
        body[:-3] + b'1"}',
    ]
    connector = world.connector()
    for forged in changed:
        if forged != body:
            with pytest.raises(PermanentError, match="not signed"):
                connector.receive_hook(HookRequest(headers={}, body=forged))
    assert connector.receive_hook(HookRequest(headers={}, body=body)).pull_soon


def test_subscribing_twice_subscribes_once(world: Any, hub: Hub) -> None:
    world.connector().subscribe_hooks(hub.url)
    assert hub.calls.empty()


def test_an_unsubscribed_address_is_not_called_any_more_and_others_are(world: Any, hub: Hub) -> None:
    world.load(2)
    other = world.division + 100_000
    world.load(1, division=other)
    connector = world.connector(divisions=(world.division, other))
    connector.subscribe_hooks(hub.url)
    assert [hub.next_call()[0] for _ in range(2)] == [b"", b""]  # the other division's two topics
    world.connector().unsubscribe_hooks("https://someone.example.org/else")
    world.connector().unsubscribe_hooks(hub.url)
    world.connector().unsubscribe_hooks(hub.url)
    world.twin.control("webhooks", {"repeat": 1})
    world.control("pay", number="1001")
    world.twin.control("pay", {"division": other, "number": "1000"})
    assert str(other).encode() in hub.next_call()[0]
    assert hub.calls.empty()


def test_x13_notices_of_other_things_and_other_divisions_are_taken_and_forgotten(world: Any) -> None:
    secret = world.settings().webhook_secret.get_secret_value()
    connector = world.connector()
    for content in (
        {"Topic": "StockPositions", "Division": world.division},
        {"Topic": "FinancialTransactions", "Division": 1},
        {"Topic": "Something new", "Division": world.division, "More": {"nested": '","HashCode":"'}},
    ):
        answer = connector.receive_hook(HookRequest(headers={}, body=notification(content, secret)))
        assert (answer.status, answer.pull_soon) == (200, False)


@pytest.mark.parametrize("body", [b"{}", b"null", b'{"Content":{},"HashCode":""}', b"\xff\xfe", b"[" * 5000])
def test_nonsense_is_refused(world: Any, body: bytes) -> None:
    with pytest.raises(PermanentError):
        world.connector().receive_hook(HookRequest(headers={}, body=body))


def test_without_a_secret_nobody_is_believed(world: Any) -> None:
    connector = world.connector(webhook_secret=None)
    assert connector.receive_hook(HookRequest(headers={}, body=b"")).status == 200
    with pytest.raises(PermanentError, match="no webhook secret"):
        connector.receive_hook(HookRequest(headers={}, body=b'{"Content":{},"HashCode":"x"}'))
