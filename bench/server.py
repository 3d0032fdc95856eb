"""A server that hands out ready bytes, so that what is measured is the client: `python -m bench.server ITEMS...`.

It speaks as much of Exact Online as a pull needs: tokens, divisions, deletions, and payment terms in pages. A
division holds as many items as its number says. Pages of the counts named at start are rendered before the first
request; others are rendered when they are asked for. It says its address on standard output and ends with its
standard input.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys

from bench.pages import PAGE_ROWS, page

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_DIVISION = re.compile(rb"/api/v1/(\d+)/")
_SKIP = re.compile(rb"skiptoken=(\d+)")
_TOKEN = json.dumps(
    {"access_token": "access", "refresh_token": "refresh", "expires_in": "600", "token_type": "bearer"}
).encode()
_LIMITS = "".join(
    f"X-RateLimit-{name}: {value}\r\n"
    for family in ("", "Minutely-")
    for name, value in (
        (f"{family}Limit", 10_000_000),
        (f"{family}Remaining", 9_999_999),
        (f"{family}Reset", 4_102_444_800_000),
    )
)


def framed(body: bytes) -> bytes:
    """A whole HTTP answer."""
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n{_LIMITS}Content-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


class Desk:
    """What is answered to which path."""

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url
        self._ready: dict[tuple[int, int], bytes] = {}

    def prepare(self, items: int) -> None:
        """Render every page of a division."""
        for number in range(-(-items // PAGE_ROWS)):
            self._ready[items, number] = framed(page(self._base_url, items, number))

    def answer(self, target: bytes) -> bytes:
        """The bytes for a request's target."""
        if b"/oauth2/token" in target:
            return framed(_TOKEN)
        match = _DIVISION.search(target)
        division = int(match[1]) if match else 0
        if b"/sync/Cashflow/PaymentTerms" in target:
            skip = _SKIP.search(target)
            number = int(skip[1]) if skip else 0
            return self._ready.get((division, number)) or framed(page(self._base_url, division, number))
        known = [{"Code": division}] if b"/system/Divisions" in target else []
        return framed(json.dumps({"d": {"results": known}}).encode())


class Wire(asyncio.Protocol):
    """HTTP/1.1 with kept connections, no more than these clients speak."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._came = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport), "a stream"
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._came += data
        while (end := self._came.find(b"\r\n\r\n")) >= 0:
            length = _LENGTH.search(self._came, 0, end)
            whole = end + 4 + (int(length[1]) if length else 0)
            if len(self._came) < whole:
                return
            target = bytes(self._came[:end]).split(b" ", 2)[1]
            del self._came[:whole]
            self._transport.write(self._desk.answer(target))


async def serve(counts: list[int]) -> None:
    """Serve until standard input ends."""
    loop = asyncio.get_running_loop()
    desk: Desk | None = None
    server = await loop.create_server(lambda: Wire(desk) if desk else asyncio.Protocol(), "127.0.0.1", 0)
    base_url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    desk = Desk(base_url)
    for items in counts:
        desk.prepare(items)
    print(base_url, flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    asyncio.run(serve([int(count) for count in sys.argv[1:]]))
