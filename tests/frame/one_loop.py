"""Requests on one event loop. FastAPI's test client begins and ends a loop with its threads for every single request, which
takes as long as most of them; here they share one, as in a server."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from anyio.from_thread import BlockingPortal
    from starlette.testclient import TestClient

_open = ExitStack()


def pytest_collection_finish() -> None:
    """From the first test on; who asks nothing over HTTP does not load the client for this."""
    if "starlette.testclient" in sys.modules:
        from starlette.testclient import TestClient

        TestClient._portal_factory = _of_the_process  # type: ignore[assignment,method-assign]  # no setting leads there


def pytest_unconfigure() -> None:
    """The loop ends with the process's tests."""
    _open.close()


@contextmanager
def _of_the_process(client: TestClient) -> Iterator[BlockingPortal]:
    yield client.portal or _portal()


@cache
def _portal() -> BlockingPortal:
    from anyio.from_thread import start_blocking_portal

    return _open.enter_context(start_blocking_portal())
