"""Every job of the runner by name. A job takes the hub and one target and may be run again at any time."""

from __future__ import annotations

from collections.abc import Callable

from collecthub.engine.clock import tick
from collecthub.engine.context import Hub
from collecthub.engine.inward import receive_connection, record_connection
from collecthub.engine.opening import open_cases
from collecthub.engine.placing import place_cases
from collecthub.engine.pulling import pull_connection
from collecthub.engine.sending import dispatch_connection
from collecthub.engine.telling import report_connection

JOBS: dict[str, Callable[[Hub, str], None]] = {
    "pull": pull_connection,
    "open_cases": open_cases,
    "place": place_cases,
    "dispatch": dispatch_connection,
    "receive": receive_connection,
    "record": record_connection,
    "report": report_connection,
    "tick": lambda hub, _target: tick(hub),
}
