"""Ask one address over and over on many connections: `python -m bench.load PORT PATH KEY CONNECTIONS SECONDS`."""

from __future__ import annotations

import asyncio
import json
import re
import sys
import time

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


async def ask(port: int, request: bytes, until: float, took: list[float]) -> None:
    """One connection: the next request leaves when the last answer is complete."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**20)
    while (started := time.perf_counter()) < until:
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise SystemExit(f"answered {head[:60]!r}")
        length = _LENGTH.search(head)
        await reader.readexactly(int(length[1]) if length else 0)
        took.append(time.perf_counter() - started)
    writer.close()


async def measure(port: int, path: str, key: str, connections: int, seconds: float) -> dict[str, float]:
    """Requests a second and latencies in ms, after a warm-up of a fifth of the time."""
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {key}\r\n\r\n".encode()
    for share in (0.2, 1.0):
        took: list[float] = []
        until = time.perf_counter() + seconds * share
        await asyncio.gather(*(ask(port, request, until, took) for _ in range(connections)))
    ordered = sorted(took)
    return {
        "a_second": len(took) / seconds,
        "p50_ms": ordered[len(ordered) // 2] * 1000,
        "p99_ms": ordered[int(len(ordered) * 0.99)] * 1000,
    }


if __name__ == "__main__":
    port, path, key, connections, seconds = sys.argv[1:]
    print(json.dumps(asyncio.run(measure(int(port), path, key, int(connections), float(seconds)))))
