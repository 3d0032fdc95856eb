"""Standard Webhooks as a counterparty does them: signing, checking, and one POST that follows no redirect."""

from __future__ import annotations

import base64
import hashlib
import hmac
import urllib.error
import urllib.request
from collections.abc import Mapping
from http.client import HTTPException
from typing import Any

TOLERANCE_SECONDS = 300


def _signature(secret: str, webhook_id: str, timestamp: str, body: bytes) -> str:
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{webhook_id}.{timestamp}.".encode() + body
    return base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def signed_headers(secret: str, webhook_id: str, timestamp: float, body: bytes) -> dict[str, str]:
    """The three headers that go with a body; `secret` is `whsec_` and base64."""
    seconds = str(int(timestamp))
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": seconds,
        "webhook-signature": f"v1,{_signature(secret, webhook_id, seconds, body)}",
    }


def fault_of(secret: str, headers: Mapping[str, str], body: bytes, now: float) -> str:
    """Why a delivery cannot be trusted, or an empty text when it can."""
    webhook_id, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not webhook_id or not (timestamp.isascii() and timestamp.isdigit()):
        return "webhook-id or webhook-timestamp is missing or malformed"
    if abs(now - int(timestamp)) > TOLERANCE_SECONDS:
        return "webhook-timestamp is more than five minutes away"
    wanted = _signature(secret, webhook_id, timestamp, body)
    given = [part.partition(",") for part in headers.get("webhook-signature", "").split()]
    if not any(version == "v1" and hmac.compare_digest(value, wanted) for version, _, value in given):
        return "webhook-signature does not match"
    return ""


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirect)


def post(url: str, body: bytes, headers: Mapping[str, str], seconds: float = 10.0) -> int:
    """POST JSON and return the status; 0 when there was no answer at all."""
    request = urllib.request.Request(url, body, {"Content-Type": "application/json", **headers})
    try:
        with _OPENER.open(request, timeout=seconds) as answer:
            answer.read()
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except (OSError, HTTPException):
        return 0
