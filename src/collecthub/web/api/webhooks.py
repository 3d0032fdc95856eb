"""Webhooks after the Standard Webhooks specification: set up, test, log, replay, change of secrets."""

from __future__ import annotations

from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Response
from pydantic import AwareDatetime, Field

from collecthub.engine import webhooks
from collecthub.engine.doors import try_connector
from collecthub.store.queries.doors import ConnectionView
from collecthub.store.queries.paging import Listed
from collecthub.web.answers import Accepted, answer, documented
from collecthub.web.api.doors import Checked
from collecthub.web.api.fields import Inbound, Line, Paging, Ref
from collecthub.web.api.once import OnceKey, once
from collecthub.web.auth import Anyone, TheHub, Who
from collecthub.web.strict_json import StrictRoute

router = APIRouter(prefix="/webhooks", tags=["webhooks"], route_class=StrictRoute)


class SubscribeIn(Inbound):
    """Where you want to hear, and of which kinds of events (the important ones when none is named)."""

    url: Annotated[str, Field(min_length=8, max_length=2000)]
    name: Line = "Webhook"
    events: Annotated[tuple[Ref, ...], Field(max_length=60)] = ()


class ReplayIn(Inbound):
    """Send again what was queued from one moment to another, both included."""

    from_at: AwareDatetime
    to_at: AwareDatetime
    only_failed: bool = False


class Subscribed(msgspec.Struct, frozen=True, kw_only=True):
    """The webhook and its secret, which is shown this once."""

    webhook_id: str
    secret: str


class Replayed(msgspec.Struct, frozen=True, kw_only=True):
    """How many are sent again."""

    deliveries: int


@router.get("", summary="List webhooks", responses=documented(Listed[ConnectionView]))
async def read_list(hub: TheHub, scope: Anyone, page: Paging) -> Response:
    """Your own; all of them for the operator."""
    with hub.database.read() as conn:
        return answer(webhooks.list_webhooks(conn, scope, hub.key, page))


@router.post("", summary="Set up a webhook", status_code=201, responses=documented(Subscribed, 201))
def subscribe(hub: TheHub, scope: Anyone, body: SubscribeIn) -> Response:
    """For a creditor or a partner. Addresses inside the operator's network are refused, whatever name leads there.

    Keep the secret: it is shown once.
    """
    with hub.work() as work:
        webhook_id, secret = webhooks.subscribe(
            hub, work, scope, url=body.url, name=body.name, events=body.events
        )
    return answer(Subscribed(webhook_id=webhook_id, secret=secret), 201)


@router.post("/{webhook_id}/test", summary="Send a test call", responses=documented(Checked))
def test(hub: TheHub, scope: Anyone, webhook_id: str) -> Response:
    """A signed call without any case in it."""
    with hub.database.read() as conn:
        row = webhooks.owned_webhook(conn, scope, webhook_id)
    steps = try_connector(hub, row)
    return answer(Checked(is_ok=all(step.is_ok for step in steps), steps=steps))


@router.get("/{webhook_id}/deliveries", summary="What was sent", responses=documented(Listed[webhooks.Delivery]))
def read_deliveries(
    hub: TheHub, scope: Anyone, webhook_id: str, page: Paging,
    state: Annotated[str, Query(pattern="^(queued|done|failed)?$")] = "",
) -> Response:
    """Newest first, each with every try and its outcome."""
    with hub.database.read() as conn:
        return answer(webhooks.list_deliveries(conn, scope, hub.key, page, webhook_id, state))


@router.post(
    "/{webhook_id}/replay", summary="Send a range again", status_code=202, responses=documented(Replayed, 202)
)
def replay(hub: TheHub, scope: Anyone, webhook_id: str, body: ReplayIn, key: OnceKey) -> Response:
    """Under the same ids, so that a receiver knows what it has seen; each case in its order."""
    return once(hub, scope, key, lambda work: answer(Replayed(deliveries=webhooks.replay(
        work, scope, webhook_id, from_at=body.from_at, to_at=body.to_at, only_failed=body.only_failed)), 202))  # fmt: skip


@router.post("/{webhook_id}/secret", summary="Change the secret", status_code=201, responses=documented(Subscribed, 201))
def rotate(hub: TheHub, scope: Anyone, webhook_id: str) -> Response:
    """Both secrets sign from now on; retire the old one when your side knows the new one. Keep it: it is shown once."""
    with hub.work() as work:
        secret = webhooks.rotate_secret(hub, work, scope, webhook_id)
    return answer(Subscribed(webhook_id=webhook_id, secret=secret), 201)


@router.post("/{webhook_id}/secret/retire", summary="Retire the old secret", responses=documented(Accepted))
def retire(hub: TheHub, scope: Anyone, webhook_id: str) -> Response:
    """Harmless to repeat."""
    with hub.work() as work:
        webhooks.retire_secret(hub, work, scope, webhook_id)
    return answer(Accepted())


@router.post("/{webhook_id}/stop", summary="Let it rest", responses=documented(Accepted))
def stop(hub: TheHub, scope: Anyone, who: Who, webhook_id: str) -> Response:
    """What happens meanwhile waits. Harmless to repeat."""
    with hub.work() as work:
        webhooks.stop_webhook(work, scope, webhook_id, by=who.name or "a program")
    return answer(Accepted())


@router.post("/{webhook_id}/resume", summary="Let it go on", responses=documented(Accepted))
def resume(hub: TheHub, scope: Anyone, webhook_id: str) -> Response:
    """Also after the endpoint answered 410. Harmless to repeat."""
    with hub.work() as work:
        webhooks.resume_webhook(work, scope, webhook_id)
    return answer(Accepted())
