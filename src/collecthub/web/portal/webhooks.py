"""Webhooks in the portal: what was sent and how it went, a test call, sending a range again, change of the secret."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from collecthub.engine import webhooks
from collecthub.engine.doors import try_connector
from collecthub.errors import PermanentError
from collecthub.ports import CheckStep
from collecthub.store.queries.names import owner_names
from collecthub.store.queries.paging import PageRequest
from collecthub.store.queries.scope import NotThereError
from collecthub.web.portal.entered import Entered
from collecthub.web.portal.pages import Anyone, Form, PageRoute, Visitor, page, redirect

router = APIRouter(prefix="/webhooks", route_class=PageRoute, include_in_schema=False)
_DONE = {
    "replayed": "They are in line again, under the same ids.", "retired": "Only the new secret signs from now on.",
    "stopped": "Nothing is sent until somebody resumes it.", "resumed": "It goes on; what waited is sent now.",
}  # fmt: skip
Word = Annotated[str, Query(max_length=20)]
Cursor = Annotated[str, Query(max_length=2000)]


@router.get("")
def show_list(visitor: Anyone, cursor: Cursor = "") -> Response:
    """Every webhook of whoever looks."""
    return _list(visitor, cursor=cursor)


def _list(visitor: Visitor, *, cursor: str = "", problem: PermanentError | None = None, given: Any = None, status: int = 200) -> Response:
    with visitor.hub.database.read() as conn:
        found = webhooks.list_webhooks(conn, visitor.scope, visitor.hub.key, PageRequest(cursor=cursor))
        names = owner_names(conn, visitor.scope)
    return page(
        visitor, "webhooks.html", status=status, found=found, names=names, cursor=cursor, problem=problem,
        given=given or {}, wrong={},
    )


@router.post("")
def subscribe(visitor: Anyone, form: Form) -> Response:
    """A new webhook; its secret is shown this once."""
    entered = Entered(form)
    url, name = entered.text("url", required=True, longest=2000), entered.text("name", longest=140)
    try:
        entered.check()
        with visitor.hub.work() as work:
            webhook_id, secret = webhooks.subscribe(
                visitor.hub, work, visitor.scope, url=url, name=name or "Webhook", events=()
            )
    except PermanentError as problem:
        return _list(visitor, problem=problem, given=entered.given, status=422)
    return _one(visitor, webhook_id, secret=secret)


@router.get("/{webhook_id}")
def show_one(visitor: Anyone, webhook_id: str, done: Word = "", cursor: Cursor = "") -> Response:
    """The log, newest first, with every try."""
    return _one(visitor, webhook_id, done=_DONE.get(done, ""), cursor=cursor)


def _one(
    visitor: Visitor, webhook_id: str, *, done: str = "", cursor: str = "", secret: str = "",
    steps: Sequence[CheckStep] | None = None, problem: PermanentError | None = None,
) -> Response:
    with visitor.hub.database.read() as conn:
        row = webhooks.owned_webhook(conn, visitor.scope, webhook_id)
        found = webhooks.list_deliveries(conn, visitor.scope, visitor.hub.key, PageRequest(cursor=cursor), webhook_id)
    return page(
        visitor, "webhook.html", status=422 if problem else 200, hook=row, found=found, cursor=cursor, done=done,
        secret=secret, steps=steps, problem=problem, given={}, wrong={},
    )


@router.post("/{webhook_id}/test")
def test(visitor: Anyone, form: Form, webhook_id: str) -> Response:
    """A signed call without any case in it."""
    with visitor.hub.database.read() as conn:
        row = webhooks.owned_webhook(conn, visitor.scope, webhook_id)
    return _one(visitor, webhook_id, steps=try_connector(visitor.hub, row))


@router.post("/{webhook_id}/replay")
def replay(visitor: Anyone, form: Form, webhook_id: str) -> Response:
    """Whole days, in UTC."""
    entered = Entered(form)
    first, last = entered.date("from_on", required=True), entered.date("to_on", required=True)
    try:
        entered.check()
        assert first is not None and last is not None, "checked above"
        begin = dt.datetime.combine(first, dt.time(), dt.UTC)
        end = dt.datetime.combine(last, dt.time.max, dt.UTC)
        with visitor.hub.work() as work:
            webhooks.replay(
                work, visitor.scope, webhook_id, from_at=begin, to_at=end, only_failed=bool(entered.given.get("only_failed"))
            )
    except NotThereError:
        raise
    except PermanentError as problem:
        return _one(visitor, webhook_id, problem=problem)
    return redirect(f"/webhooks/{webhook_id}", done="replayed")


@router.post("/{webhook_id}/secret")
def rotate(visitor: Anyone, form: Form, webhook_id: str) -> Response:
    """The new secret, shown this once; both sign until the old one is retired."""
    with visitor.hub.work() as work:
        secret = webhooks.rotate_secret(visitor.hub, work, visitor.scope, webhook_id)
    return _one(visitor, webhook_id, secret=secret)


@router.post("/{webhook_id}/retire")
def retire(visitor: Anyone, form: Form, webhook_id: str) -> Response:
    """Only the new secret from now on."""
    with visitor.hub.work() as work:
        webhooks.retire_secret(visitor.hub, work, visitor.scope, webhook_id)
    return redirect(f"/webhooks/{webhook_id}", done="retired")


@router.post("/{webhook_id}/stop")
def stop(visitor: Anyone, form: Form, webhook_id: str) -> Response:
    """What happens meanwhile waits."""
    with visitor.hub.work() as work:
        webhooks.stop_webhook(work, visitor.scope, webhook_id, by=visitor.session.user.name or "somebody")
    return redirect(f"/webhooks/{webhook_id}", done="stopped")


@router.post("/{webhook_id}/resume")
def resume(visitor: Anyone, form: Form, webhook_id: str) -> Response:
    """Also after the endpoint said that it is gone."""
    with visitor.hub.work() as work:
        webhooks.resume_webhook(work, visitor.scope, webhook_id)
    return redirect(f"/webhooks/{webhook_id}", done="resumed")
