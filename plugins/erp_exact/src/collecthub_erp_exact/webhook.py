"""Webhooks of Exact Online: a thin notice that something changed, which only means that a pull should run soon.

The HashCode is HMAC-SHA256 with the app's webhook secret over the characters between `{"Content":` and
`,"HashCode":` as they came, in upper-case hex; JSON that was read and written again would not match.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Collection

import msgspec

from collecthub.sdk import HookAnswer, HookRequest, PermanentError, QuarantineError
from collecthub.wire.http import safe_json
from collecthub_erp_exact.client import ExactClient
from collecthub_erp_exact.odata import columns

_ENVELOPE = re.compile(
    rb'\s*\{"Content":(?P<content>\{.*\}),"HashCode":"(?P<code>[0-9A-F]{64})"\}\s*', re.DOTALL
)
SUBSCRIPTIONS = "webhooks/WebhookSubscriptions"
MONEY_TOPICS = ("FinancialTransactions", "SalesInvoices")  # there is no topic for receivables


class _Content(msgspec.Struct, frozen=True):
    topic: str = msgspec.field(name="Topic", default="")
    division: int = msgspec.field(name="Division", default=0)


class _Subscription(msgspec.Struct, frozen=True):
    subscription_id: str = msgspec.field(name="ID")
    topic: str | None = msgspec.field(name="Topic")
    callback_url: str | None = msgspec.field(name="CallbackURL")


def subscribe(client: ExactClient, divisions: Collection[int], callback_url: str) -> None:
    """Ask for notices of every topic that means money, in every division; known subscriptions stay.

    The vendor calls back at once with an empty body, so the hub must be reachable under `callback_url` before.
    Raises `PermanentError` when another address is subscribed already: a topic has one subscription per app.
    """
    for division in divisions:
        query = {"$select": columns(_Subscription)}
        known = list(client.records(division, SUBSCRIPTIONS, _Subscription, query))
        wanted = set(MONEY_TOPICS) - {one.topic for one in known if one.callback_url == callback_url}
        for topic in sorted(wanted):
            fields = {"CallbackURL": callback_url, "Topic": topic}
            client.create(division, SUBSCRIPTIONS, fields, _Subscription)


def unsubscribe(client: ExactClient, divisions: Collection[int], callback_url: str) -> None:
    """End the subscriptions to `callback_url`; other addresses stay subscribed."""
    for division in divisions:
        query = {"$select": columns(_Subscription)}
        for one in list(client.records(division, SUBSCRIPTIONS, _Subscription, query)):
            if one.callback_url == callback_url:
                client.remove(division, SUBSCRIPTIONS, one.subscription_id)


def answer_hook(request: HookRequest, secret: str, divisions: Collection[int]) -> HookAnswer:
    """What a call means. Raises `PermanentError` when it is not signed with `secret`.

    The empty call right after a subscription must be answered 2xx. Repeated notices are harmless: each asks for a
    pull, and a pull reads by row version. Notices that mean nothing here are answered 200 and forgotten.
    """
    if not request.body:
        return HookAnswer()
    if not secret:
        raise PermanentError(
            "A webhook call came in, but this connection has no webhook secret.",
            cure="Copy the webhook secret of the app registration into the settings.",
        )
    content = _verified(request.body, secret)
    try:
        notice: _Content = safe_json(content, _Content)
    except QuarantineError:
        return HookAnswer()
    return HookAnswer(pull_soon=notice.topic in MONEY_TOPICS and notice.division in divisions)


def _verified(body: bytes, secret: str) -> bytes:
    match = _ENVELOPE.fullmatch(body)
    expected = hmac.new(secret.encode(), match["content"], hashlib.sha256).hexdigest() if match else ""
    if match is None or not hmac.compare_digest(expected.upper().encode(), match["code"]):
        raise PermanentError(
            "A webhook call is not signed with this connection's webhook secret.",
            cure="Compare the webhook secret with the app registration; otherwise someone else is calling.",
        )
    return match["content"]
