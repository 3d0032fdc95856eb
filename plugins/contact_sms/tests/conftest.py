"""The gateway's twin, shared by the module's tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from collecthub.sandbox.twin import RunningTwin, start_twin


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningTwin]:
    twin = start_twin("sms", tmp_path_factory.mktemp("gateway"))
    yield twin
    twin.stop()
