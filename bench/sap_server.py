"""A Gateway that hands out ready bytes, so that what is measured is the client: `python -m bench.sap_server ITEMS...`.

It speaks as much of S/4HANA as a pull of open items needs, under `/sap/opu/odata/ITEMS/`, so that the number of items
is part of the service path. Under `/sap/opu/odata/cut-ITEMS/` it cuts the connection once, in the middle of the second
page. It says its address on standard output and ends with its standard input.
"""

from __future__ import annotations

import asyncio
import re
import sys
from pathlib import Path

from bench.sap_pages import asked, page
from collecthub.sandbox import sap_entities
from collecthub.sandbox.odata_wire import metadata_xml

PAGE_ROWS = 5_000
_SERVICE = re.compile(r"/sap/opu/odata/(cut-)?(\d+)/")
_EDM = "http://schemas.microsoft.com/ado/2008/09/edm"


def framed(body: bytes, media_type: str = "application/json") -> bytes:
    """A whole HTTP answer."""
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {media_type}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def described() -> bytes:
    """The metadata of the service, for readers that want it."""
    return metadata_xml(
        sap_entities.CUBE, "Entities", sap_entities.entity_types(sap_entities.CUBE, shared_folder()), _EDM, "2.0"
    )


def shared_folder() -> Path | None:
    """Where the vendor's own description lies, if it does."""
    folder = Path(__file__).resolve().parents[2] / "shared" / "data"
    return folder if folder.is_dir() else None


class Gateway:
    """What is answered to which path."""

    def __init__(self) -> None:
        self._ready: dict[tuple[int, int], bytes] = {}
        self._cut: set[str] = set()
        self._metadata = framed(described(), "application/xml")

    def prepare(self, items: int) -> None:
        """Render every page of a company code."""
        for first in range(0, items, PAGE_ROWS):
            self._ready[items, first] = framed(page(items, first, PAGE_ROWS, is_counted=not first))

    def answer(self, target: str) -> tuple[bytes, bool]:
        """The bytes for a request's target, and whether the connection ends in their middle."""
        match = _SERVICE.search(target)
        if match is None:
            return framed(b'{"d":{"results":[]}}'), False
        if "$metadata" in target:
            return self._metadata, False
        items = int(match[2])
        first, size = asked(target)
        ready = self._ready.get((items, first)) if size == PAGE_ROWS else None
        answer = ready or framed(page(items, first, size, is_counted=not first))
        is_cut = bool(match[1]) and first > 0 and match[0] not in self._cut
        if is_cut:
            self._cut.add(match[0])
        return answer, is_cut


class Wire(asyncio.Protocol):
    """HTTP/1.1 with kept connections, no more than these clients speak."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._came = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport), "a stream"
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._came += data
        while (end := self._came.find(b"\r\n\r\n")) >= 0:
            target = self._came[:end].split(b" ", 2)[1].decode("ascii")
            del self._came[: end + 4]
            answer, is_cut = self._gateway.answer(target)
            self._transport.write(answer[: len(answer) // 2] if is_cut else answer)
            if is_cut:
                self._transport.close()


async def serve(counts: list[int]) -> None:
    """Serve until standard input ends."""
    loop = asyncio.get_running_loop()
    gateway = Gateway()
    for items in counts:
        gateway.prepare(items)
    server = await loop.create_server(lambda: Wire(gateway), "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    asyncio.run(serve([int(count) for count in sys.argv[1:]]))
