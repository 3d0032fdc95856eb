"""What waits here for another hub until it fetches it."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from collecthub.engine.context import Hub, Work
from collecthub.model.exchange import Exchange, Message
from collecthub.model.ids import new_id
from collecthub.store import tables as t


def send_back(hub: Hub, work: Work, partner_id: str, messages: Sequence[Message]) -> None:
    """Put messages for another hub into its outbox, as one exchange."""
    if not messages:
        return
    exchange = Exchange(
        exchange_id=new_id(), sender_ref=hub.settings.operator_name, receiver_ref=partner_id, created_at=work.now,
        messages=tuple(messages),
    )
    body = hub.plugins.formats["case-exchange-json"].encode(exchange)
    work.conn.execute(
        sa.insert(t.peer_outbox).values(
            partner_id=partner_id, exchange_id=exchange.exchange_id, doc=body.decode(), created_at=work.now
        )
    )
