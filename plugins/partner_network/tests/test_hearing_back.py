"""Hearing from an agency: outbox, pushes, verdicts, books."""

from __future__ import annotations

import datetime as dt
import http.server
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal

import pytest
from standardwebhooks.webhooks import Webhook

from collecthub.errors import CollecthubError, PermanentError, QuarantineError
from collecthub.model.exchange import Exchange
from collecthub.ports import HookRequest, RawMessage, Verdict
from collecthub.testing.fakes import HandClock, ListJournal

Make = Callable[..., Exchange]
NOW = dt.datetime(2026, 6, 15, 8, 0, tzinfo=dt.UTC)
SECRET, OLDER, FOREIGN = (
    "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_" + "b2xkZXIt" * 4, "whsec_" + "c3RyYW5n" * 4
)  # fmt: skip


def signed(secret: str, body: bytes, moment: dt.datetime = NOW, hook_id: str = "ex-1") -> HookRequest:
    """A push as the reference library signs it."""
    signature = Webhook(secret).sign(hook_id, moment, body.decode())
    stamp = str(int(moment.timestamp()))
    return HookRequest(
        headers={"webhook-id": hook_id, "webhook-timestamp": stamp, "webhook-signature": signature}, body=body
    )


def work(agency, connector, exchange: Exchange, days: int = 12) -> None:
    connector.deliver(connector.prepare(exchange), ListJournal())
    agency.work(days)


def test_the_outbox_is_read_to_its_end_and_on_from_any_place(connect, agency, exchange: Make) -> None:
    connector = connect()
    for start in range(1, 4):
        work(agency, connector, exchange(10, start * 10), days=6)
    fetched = list(connector.fetch(""))
    assert len(fetched) > 3
    decoded = [connector.decode(raw) for raw, _ in fetched]
    assert all(one.messages and not one.faults for one in decoded)
    assert len({one.exchange_id for one in decoded}) == len(fetched)
    assert [raw.remote_ref for raw, _ in fetched] == [one.exchange_id for one in decoded]
    for place, (_, checkpoint) in enumerate(fetched):
        assert list(connector.fetch(checkpoint)) == fetched[place + 1 :]


def test_a_verdict_reaches_the_agency_and_may_be_repeated(connect, agency, exchange: Make) -> None:
    connector = connect()
    work(agency, connector, exchange(10))
    raw, _ = next(connector.fetch(""))
    refused = Verdict(is_accepted=False, code="status.unknown", reason="code X9 is not known")
    for _ in range(2):
        connector.acknowledge(raw, refused)
    told = [one["verdict"] for one in agency.books()["sent"] if one["exchange_id"] == raw.remote_ref]
    assert [json.loads(one) for one in told] == [
        {"accepted": False, "code": "status.unknown", "reason": "code X9 is not known"}
    ]


def test_a_verdict_on_something_foreign_is_an_error(connect) -> None:
    stray = RawMessage(remote_ref="nobody", media_type="application/json", content=b"{")
    with pytest.raises(PermanentError, match="404"):
        connect().acknowledge(stray, Verdict(is_accepted=True))


def test_a_broken_page_is_kept_and_reading_stops_before_it(connect, agency, exchange: Make) -> None:
    connector = connect()
    work(agency, connector, exchange(10))
    agency.spoil_next("outbox", status=200, body='{"items": [{"cursor"')
    ((raw, checkpoint),) = list(connector.fetch(""))
    assert checkpoint == "" and raw.content == b'{"items": [{"cursor"'
    with pytest.raises(QuarantineError):
        connector.decode(raw)
    connector.acknowledge(raw, Verdict(is_accepted=False, code="json.malformed"))
    assert len(list(connector.fetch(checkpoint))) >= 1


def test_an_exchange_for_somebody_else_is_not_read(connect, agency, exchange: Make) -> None:
    connector = connect()
    payload = connector.prepare(exchange()).payload  # from the hub to the agency: the wrong way round
    with pytest.raises(QuarantineError) as caught:
        connector.decode(RawMessage(remote_ref="x", media_type="application/json", content=payload))
    assert caught.value.code == "exchange.sender"
    astray = json.loads(payload) | {"sender_ref": agency.facts["partner_ref"], "receiver_ref": "other-hub"}
    with pytest.raises(QuarantineError) as caught:
        connector.decode(RawMessage(remote_ref="x", media_type="application/json", content=json.dumps(astray).encode()))
    assert caught.value.code == "exchange.receiver"


@pytest.mark.parametrize("secret", [SECRET, OLDER])
def test_a_push_with_a_live_secret_is_taken_as_it_is(connect, secret: str) -> None:
    connector = connect(hook_secrets=(SECRET, OLDER), now=HandClock(NOW))
    answer = connector.receive_hook(signed(secret, b'{"truncated'))
    assert answer.status == 200
    (message,) = answer.messages
    assert (message.remote_ref, message.content) == ("ex-1", b'{"truncated')


@pytest.mark.parametrize(
    "request_",
    [
        signed(FOREIGN, b"{}"),
        signed(SECRET, b"{}", NOW - dt.timedelta(seconds=301)),
        signed(SECRET, b"{}", NOW + dt.timedelta(seconds=301)),
        HookRequest(headers=signed(SECRET, b"{}").headers, body=b"{ }"),
        HookRequest(headers={}, body=b"{}"),
    ],
    ids=["foreign", "old", "early", "changed", "unsigned"],
)
def test_a_push_that_does_not_hold_is_refused(connect, request_: HookRequest) -> None:
    with pytest.raises(PermanentError):
        connect(hook_secrets=(SECRET, OLDER), now=HandClock(NOW)).receive_hook(request_)


def test_without_a_secret_no_push_is_taken(connect) -> None:
    with pytest.raises(PermanentError, match="secret"):
        connect(hook_secrets=(), now=HandClock(NOW)).receive_hook(signed(SECRET, b"{}"))


@contextmanager
def hook_server(take: Callable[[HookRequest], int]) -> Iterator[str]:
    """A hub's door for pushes."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            self.send_response(take(HookRequest(headers=headers, body=body)))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Stay quiet."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/hooks/agency-de"
        server.shutdown()
        thread.join()


class Door:
    """The hub's side of a webhook: what was taken and how many calls were turned away."""

    def __init__(self, connector) -> None:
        self._connector = connector
        self.taken: dict[str, RawMessage] = {}
        self.turned_away = 0
        self._changed = threading.Condition()

    def __call__(self, request: HookRequest) -> int:
        with self._changed:
            self._changed.notify_all()
            try:
                answer = self._connector.receive_hook(request)
            except CollecthubError:
                self.turned_away += 1
                return 401
            self.taken |= {message.remote_ref: message for message in answer.messages}
            return answer.status

    def await_calls(self, is_enough: Callable[[], bool]) -> None:
        """Wait until enough came in."""
        with self._changed:
            assert self._changed.wait_for(is_enough, timeout=15), f"{len(self.taken)} pushes came"


def test_the_agency_pushes_what_its_outbox_holds(connect, agency, exchange: Make) -> None:
    connector = connect()
    door = Door(connector)
    with hook_server(door) as url:
        agency.control("hub", hook_url=url, secret=SECRET)
        work(agency, connector, exchange(10))
        outbox = {raw.remote_ref: connector.decode(raw) for raw, _ in connector.fetch("")}
        door.await_calls(lambda: door.taken.keys() >= outbox.keys())
    assert {name: connector.decode(message) for name, message in door.taken.items()} == outbox


@pytest.mark.chaos
@pytest.mark.parametrize("agency", [{"mischief": "1"}], indirect=True)
def test_what_the_agency_spoils_is_named_and_its_neighbours_come_through(connect, agency, exchange: Make) -> None:
    connector = connect()
    door = Door(connector)
    with hook_server(door) as url:
        for start in (1, 100):
            work(agency, connector, exchange(30, start), days=15)
        agency.control("hub", hook_url=url, secret=SECRET)
        spoilt = {one["kind"]: one["exchange_id"] for one in agency.books()["mischief"]}
        expected = {raw.remote_ref for raw, _ in connector.fetch("")} | {spoilt["truncated"]}
        door.await_calls(lambda: door.taken.keys() >= expected and door.turned_away > 0)
    assert door.turned_away == 1 and spoilt["wrong_signature"] not in door.taken
    with pytest.raises(QuarantineError, match="damaged"):
        connector.decode(door.taken.pop(spoilt["truncated"]))
    decoded = [connector.decode(message) for message in door.taken.values()]
    assert {one.exchange_id for one in decoded if one.faults} == {spoilt["impossible_date"]}


def test_the_books_are_the_agencys_own(connect, agency, exchange: Make) -> None:
    connector = connect()
    assert list(connector.accounts()) == []
    work(agency, connector, exchange(20))
    lines = {line.case_id: line for line in connector.accounts()}
    books = {one["case_id"]: one for one in agency.books()["cases"] if one["case_id"] in lines}
    assert len(lines) == len(books) > 10
    assert {key: line.paid for key, line in lines.items()} == {key: Decimal(one["paid"]) for key, one in books.items()}
    assert any(line.paid for line in lines.values())


def test_books_with_an_impossible_amount_are_refused(connect, agency) -> None:
    line = (
        '{"case_id": "c", "holder_ref": "h", "currency": "EUR", "principal": "%s", "paid": "0", "costs": "0", '
        '"is_stopped": false}'
    )
    for amount in ("NaN", "1e9", "٣"):
        agency.spoil_next("accounts", status=200, body='{"items": [' + line % amount + '], "next_cursor": null}')
        with pytest.raises(QuarantineError):
            list(connect().accounts())


def test_books_in_several_pages_are_read_to_the_end_and_a_circle_is_seen(connect, agency) -> None:
    page = '{"items": [], "next_cursor": "7"}'
    agency.spoil_next("accounts", status=200, body=page)
    assert list(connect().accounts()) == []
    agency.spoil_next("accounts", status=200, body=page, times=2)
    with pytest.raises(PermanentError, match="circle"):
        list(connect().accounts())
