"""wire.http: what is an answer, what is refused, and what a lost answer means."""

from __future__ import annotations

import gzip
import json
import socket
import threading
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from collecthub.errors import (
    CollecthubError,
    ConfigurationError,
    InDoubtError,
    PermanentError,
    QuarantineError,
    RetryableError,
)
from collecthub.wire.http import HttpClient, HttpResponse, safe_json
from collecthub.wire.target import TargetBlockedError
from wire.peers import Answer, Peer, Seen, http_peer, read_request, server_certificate, tcp_peer


def echo(seen: Seen) -> Answer:
    said = {"method": seen.method, "path": seen.path, "headers": seen.headers, "body": seen.body.decode()}
    return 200, {"Content-Type": "application/json", "X-Page": "1"}, json.dumps(said).encode()


@pytest.fixture
def peer() -> Iterator[Peer]:
    with http_peer(echo) as running:
        yield running


def client(peer: Peer, **options: object) -> HttpClient:
    return HttpClient(peer.url, allow_loopback=True, **options)  # type: ignore[arg-type]  # as the test says


def test_a_call_carries_what_was_given(peer: Peer) -> None:
    with client(peer, headers={"X-Hub": "a"}, auth=("ünal", "pässword")) as hub:
        answer = hub.request("POST", "/v1/x", params={"q": "a b"}, headers={"X-Call": "b"}, body=b"{}")
    said = safe_json(answer.content)
    assert (answer.status, answer.headers["x-page"], answer.is_success) == (200, "1", True)
    assert said["path"] == "/v1/x?q=a+b"
    assert (said["headers"]["x-hub"], said["headers"]["x-call"], said["body"]) == ("a", "b", "{}")
    assert said["headers"]["authorization"] == "Basic w7xuYWw6cMOkc3N3b3Jk"


@pytest.mark.parametrize("path", ["v1/x", "/v1/x"])
def test_a_path_is_appended_to_the_base(peer: Peer, path: str) -> None:
    with HttpClient(f"{peer.url}/base/", allow_loopback=True) as hub:
        hub.request("GET", path)
        hub.request("GET", f"{peer.url}/other?skip=1")
    assert [seen.path for seen in peer.requests] == ["/base/v1/x", "/other?skip=1"]


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:{other}/x", "https://127.0.0.1:{port}/x", "http://localhost:{port}/x",
        "http://127.0.0.1@127.0.0.1:{port}/", "file:///etc/hostname", "gopher://127.0.0.1:{port}/",
        "http://127.0.0.1:22/", "http://[::1:{port}/",
    ],
)  # fmt: skip
def test_an_address_elsewhere_is_not_followed(peer: Peer, url: str) -> None:
    with client(peer) as hub, pytest.raises(PermanentError, match="Refused to follow"):
        hub.request("GET", url.format(port=peer.port, other=peer.port + 1))
    assert peer.requests == []


def test_a_redirect_is_an_answer() -> None:
    with http_peer(echo) as canary:
        redirect = lambda seen: (302, {"Location": f"{canary.url}/secret"}, b"")
        with http_peer(redirect) as peer, client(peer) as hub:
            answer = hub.request("GET", "/")
    assert (answer.status, answer.headers["location"]) == (302, f"{canary.url}/secret")
    assert canary.requests == []


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "[::1]", "0.0.0.0", "[::]", "169.254.169.254", "[::ffff:127.0.0.1]", "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]", "[::127.0.0.1]", "0x7f000001", "2130706433", "0177.0.0.1", "127.1", "100.64.0.1",
        "192.0.0.8", "224.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "[fe80::1]", "[fc00::1]", "localhost",
        "255.255.255.255", "240.0.0.1", "[2001:db8::1]", "[ff02::1]", "[64:ff9b::a00:1]", "[::ffff:10.0.0.1]",
    ],
)  # fmt: skip
def test_an_inner_address_is_blocked_in_every_spelling(peer: Peer, host: str) -> None:
    with HttpClient(f"https://{host}:{peer.port}") as hub, pytest.raises(TargetBlockedError) as refused:
        hub.request("GET", "/")
    assert refused.value.code == "outbound-target-blocked"
    assert peer.requests == []


@pytest.mark.parametrize("host", ["10.0.0.1", "169.254.169.254", "[::ffff:127.0.0.1]", "[64:ff9b::7f00:1]"])
def test_permission_for_loopback_opens_nothing_else(host: str) -> None:
    with HttpClient(f"http://{host}", allow_loopback=True) as hub, pytest.raises(TargetBlockedError):
        hub.request("GET", "/")


def test_the_checked_address_is_the_one_that_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    """DNS answers a public address first and loopback afterwards: nobody asks a second time."""
    answers = iter(["9.9.9.9", "127.0.0.1", "127.0.0.1"])
    dialled: list[object] = []

    def lookup(host: str, port: int, **_: object) -> list[object]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), port))]

    def dial(self: socket.socket, address: object) -> None:
        dialled.append(address)
        raise ConnectionRefusedError(111, "refused")

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    monkeypatch.setattr(socket.socket, "connect", dial)
    with HttpClient("https://partner.example") as hub, pytest.raises(RetryableError):
        hub.request("GET", "/")
    assert dialled == [("9.9.9.9", 443)]


def test_an_allowed_network_is_reachable_and_its_neighbour_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    dialled: list[object] = []

    def dial(self: socket.socket, address: object) -> None:
        dialled.append(address)
        raise ConnectionRefusedError(111, "refused")

    monkeypatch.setattr(socket.socket, "connect", dial)
    with (
        HttpClient("http://10.20.0.5", allow_networks=("10.20.0.0/16",)) as hub,
        pytest.raises(RetryableError),
    ):
        hub.request("GET", "/")
    with (
        HttpClient("http://10.21.0.5", allow_networks=("10.20.0.0/16",)) as hub,
        pytest.raises(TargetBlockedError),
    ):
        hub.request("GET", "/")
    assert dialled == [("10.20.0.5", 80)]


@pytest.mark.parametrize(
    ("url", "options"),
    [
        ("http://partner.example", {}), ("ftp://partner.example", {}), ("https://user:pw@partner.example", {}),
        ("https://", {}), ("https://partner.example", {"verify": False}),
        ("https://partner.example", {"verify": "/nowhere/ca.pem"}),
        ("https://partner.example", {"allow_networks": ("10.0.0.0/99",)}),
    ],
)  # fmt: skip
def test_a_wrong_setting_is_named_at_once(url: str, options: dict[str, object]) -> None:
    with pytest.raises(ConfigurationError):
        HttpClient(url, **options)  # type: ignore[arg-type]  # as the test says


def test_nobody_listening_is_retryable_even_for_a_post() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with HttpClient(f"http://127.0.0.1:{port}", allow_loopback=True) as hub, pytest.raises(RetryableError):
        hub.request("POST", "/", body=b"x")


def cut_after(count: int) -> object:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" + b"x" * 100

    def script(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(answer[:count])

    return script


@pytest.mark.parametrize("count", [0, 5, 17, 30, 38, 39, 60, 139])
def test_a_cut_answer_leaves_an_act_in_doubt_and_a_question_retryable(count: int) -> None:
    with tcp_peer(cut_after(count)) as peer, client(peer) as hub:  # type: ignore[arg-type]
        for method, headers, expected in [
            ("POST", {}, InDoubtError),
            ("PATCH", {}, InDoubtError),
            ("POST", {"Idempotency-Key": "k"}, RetryableError),
            ("GET", {}, RetryableError),
            ("PUT", {}, RetryableError),
        ]:
            with pytest.raises(expected):
                hub.request(method, "/", headers=headers, body=b"x")
        with pytest.raises(InDoubtError):
            hub.request("GET", "/", is_safe_to_repeat=False)
    assert len(peer.requests) == 6, "a call is sent once, whatever happens"


def test_a_whole_answer_over_the_same_cut_line_is_fine() -> None:
    with tcp_peer(cut_after(140)) as peer, client(peer) as hub:  # type: ignore[arg-type]
        assert hub.request("POST", "/").content == b"x" * 100


@pytest.mark.parametrize(
    "prefix", [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n"]
)
def test_a_drip_ends_at_the_deadline(prefix: bytes) -> None:
    stop = threading.Event()

    def drip(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(prefix)
        while not stop.wait(0.05):
            connection.sendall(b"x")

    with tcp_peer(drip) as peer, client(peer, read_seconds=5, total_seconds=0.4) as hub:
        started = time.monotonic()
        with pytest.raises(InDoubtError, match="in time"):
            hub.request("POST", "/")
        assert time.monotonic() - started < 2
    stop.set()


def test_a_frozen_server_ends_at_the_read_limit() -> None:
    stop = threading.Event()
    with (
        tcp_peer(lambda connection: stop.wait(10) and None) as peer,
        client(peer, read_seconds=0.2) as hub,
        pytest.raises(RetryableError),
    ):
        hub.request("GET", "/")
    stop.set()


def test_an_answer_above_the_cap_is_not_read_on() -> None:
    sent = 0

    def flood(connection: socket.socket) -> None:
        nonlocal sent
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
        while True:
            sent += connection.send(b"x" * 65_536)

    with (
        tcp_peer(flood) as peer,
        client(peer, max_bytes=100_000) as hub,
        pytest.raises(QuarantineError) as refused,
    ):
        hub.request("GET", "/")
    assert refused.value.code == "http.size"
    assert sent < 50_000_000


def test_a_gzip_bomb_counts_as_what_it_unpacks_to() -> None:
    bomb = gzip.compress(b"\0" * 30_000_000)
    with (
        http_peer(lambda seen: (200, {"Content-Encoding": "gzip"}, bomb)) as peer,
        client(peer, max_bytes=1_000_000) as hub,
        pytest.raises(QuarantineError) as refused,
    ):
        hub.request("GET", "/")
    assert refused.value.code == "http.size"


def test_a_header_of_a_megabyte_is_no_answer() -> None:
    def huge(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nX-A: " + b"x" * 1_000_000 + b"\r\nContent-Length: 0\r\n\r\n")

    with tcp_peer(huge) as peer, client(peer) as hub, pytest.raises(RetryableError):
        hub.request("GET", "/")


def test_cookies_are_kept_unless_they_are_not_wanted() -> None:
    with http_peer(lambda seen: (200, {"Set-Cookie": "s=1"}, b"")) as peer:
        for keeps in (True, False):
            with client(peer, cookies=keeps) as hub:
                hub.request("GET", "/")
                hub.request("GET", "/")
    assert [seen.headers.get("cookie") for seen in peer.requests] == [None, "s=1", None, None]


def test_the_environment_adds_nothing(peer: Peer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login a password b")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with client(peer) as hub:
        hub.request("GET", "/")
    assert "authorization" not in peer.requests[0].headers


def test_threads_may_share_a_client(peer: Peer) -> None:
    found: list[str] = []

    def ask(name: str) -> None:
        for number in range(20):
            answer = hub.request("GET", f"/{name}/{number}")
            found.append(safe_json(answer.content)["path"])

    with client(peer) as hub:
        threads = [threading.Thread(target=ask, args=(name,)) for name in "abcdefgh"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(found) == sorted(f"/{name}/{number}" for name in "abcdefgh" for number in range(20))


def test_a_header_with_a_line_break_is_refused_unsent(peer: Peer) -> None:
    with client(peer) as hub, pytest.raises(PermanentError):
        hub.request("GET", "/", headers={"X": "a\r\nEvil: b"})
    assert peer.requests == []


def test_tls_is_checked(tmp_path: Path) -> None:
    context, ca = server_certificate(tmp_path)
    with http_peer(echo, context) as peer:
        with client(peer, verify=str(ca)) as hub:
            assert hub.request("GET", "/").status == 200
        with client(peer) as hub, pytest.raises(ConfigurationError, match="not trusted"):
            hub.request("POST", "/")
        assert len(peer.requests) == 1
    context, ca = server_certificate(tmp_path, name="127.0.0.2")
    with (
        http_peer(echo, context) as peer,
        client(peer, verify=str(ca)) as hub,
        pytest.raises(ConfigurationError, match="mismatch"),
    ):
        hub.request("POST", "/")
    assert peer.requests == []


def test_a_drip_over_tls_ends_at_the_deadline(tmp_path: Path) -> None:
    context, ca = server_certificate(tmp_path)
    stop = threading.Event()

    def slow(seen: Seen) -> Answer:
        stop.wait(5)
        return 200, {}, b""

    with http_peer(slow, context) as peer, client(peer, verify=str(ca), total_seconds=0.3) as hub:
        with pytest.raises(RetryableError):
            hub.request("GET", "/")
        stop.set()


def test_a_plain_server_behind_https_is_retryable(peer: Peer) -> None:
    with (
        HttpClient(peer.url.replace("http:", "https:"), allow_loopback=True) as hub,
        pytest.raises(RetryableError),
    ):
        hub.request("POST", "/")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"error":{"code":"X","message":{"lang":"en","value":"No such\\ncase"}}}', "No such case"),
        (b'{"title":"Bad","detail":"Amount missing"}', "Amount missing"),
        (b'{"error":"invalid_grant","error_description":"expired"}', "expired"),
        (b"<html>", "6 bytes of text/html"), (b"[" * 100_000, "100000 bytes of text/html"), (b'{"x":1}', "7 bytes"),
    ],
)  # fmt: skip
def test_an_error_body_becomes_one_short_line(body: bytes, said: str) -> None:
    answer = HttpResponse(400, {"content-type": "text/html; charset=x"}, body, "u")
    assert said in answer.json_error_text()
    assert "\n" not in answer.json_error_text()


@pytest.mark.parametrize(
    ("text", "seconds"), [("7", 7.0), ("", None), ("soon", None), ("Wed, 21 Oct 2015 07:28:00 GMT", 0)]
)
def test_retry_after_is_read(text: str, seconds: float | None) -> None:
    assert HttpResponse(503, {"retry-after": text}, b"", "u").retry_after_seconds == seconds


def test_json_numbers_are_exact() -> None:
    assert safe_json(b'{"a": 0.1, "b": 12345678901234567.89}') == {
        "a": Decimal("0.1"),
        "b": Decimal("12345678901234567.89"),
    }


@pytest.mark.parametrize("content", [b"", b"{", b'{"a": NaN}', b"\xff", b"[" * 100_000])
def test_bad_json_is_quarantined(content: bytes) -> None:
    with pytest.raises(QuarantineError) as refused:
        safe_json(content)
    assert refused.value.code == "json.malformed"


def test_json_of_another_shape_is_told_apart() -> None:
    with pytest.raises(QuarantineError) as refused:
        safe_json(b'{"a": "x"}', dict[str, int])
    assert refused.value.code == "json.schema"


def test_every_error_is_for_people() -> None:
    with pytest.raises(CollecthubError) as refused:
        HttpClient("http://partner.example")
    assert refused.value.cure
