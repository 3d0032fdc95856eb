"""Asks the outside to call this hub's webhook address, for connectors that can be asked.

Called with every run that was compared and found whole, which is once a day and with the first one: a subscription that
the outside has dropped is there again the next day. Polling stays the truth, so nothing waits for this.
"""

from __future__ import annotations

import logging

from collecthub.engine.context import Hub
from collecthub.erp_ports import HookSubscriber
from collecthub.errors import CollecthubError
from collecthub.store.connections import ConnectionRow

log = logging.getLogger(__name__)


def keep_subscribed(hub: Hub, row: ConnectionRow) -> None:
    """Subscribe the connection's webhooks. A hub without a public address of its own asks for none."""
    address = hook_address(hub.settings.public_url, row.connection_id)
    connector = hub.connector_for(row)
    if not address or not isinstance(connector, HookSubscriber):
        return
    what = f"{row.kind}.subscribe_hooks"
    try:
        hub.call(connector.subscribe_hooks, address, what=what, connection_id=row.connection_id)
    except CollecthubError as error:
        log.warning("webhooks of connection %s are not subscribed: %s", row.connection_id, error.message)


def hook_address(public_url: str, connection_id: str) -> str:
    """Where the outside reaches a connection; empty for a hub that only this machine can reach.

    >>> hook_address("https://hub.example/", "abc"), hook_address("", "abc")
    ('https://hub.example/hooks/abc', '')
    """
    return f"{public_url.rstrip('/')}/hooks/{connection_id}" if public_url else ""
