"""Between the exchange service's JSON and the hub's records; pure."""

from __future__ import annotations

import msgspec

from collecthub.sdk import (
    CaseFormat,
    CollecthubError,
    ConfigurationError,
    Decoded,
    Fault,
    InDoubtError,
    PermanentError,
    QuarantineError,
    RawMessage,
    Receipt,
    RetryableError,
    Verdict,
)

JSON = "application/json"
PAGE = "application/vnd.collecthub.outbox-page+json"  # a page of the outbox that is broken as a whole


class Submitted(msgspec.Struct, frozen=True):
    """The service's answer to an exchange it took. `replies` keeps the bytes as they came."""

    exchange_id: str
    duplicate: bool = False
    replies: msgspec.Raw = msgspec.Raw(b"null")


class ExchangeState(msgspec.Struct, frozen=True):
    """What the service knows of an exchange."""

    exchange_id: str
    state: str


class OutboxItem(msgspec.Struct, frozen=True):
    """An exchange that waits for the hub, as bytes, and its place in the outbox."""

    cursor: str
    exchange: msgspec.Raw


class OutboxPage(msgspec.Struct, frozen=True):
    """Exchanges that wait for the hub, oldest first."""

    items: tuple[OutboxItem, ...]
    next_cursor: str | None = None


class _Cursor(msgspec.Struct, frozen=True):
    next_cursor: str | None = None


def next_cursor(content: bytes) -> str:
    """Where a list goes on; empty at its end. `content` was read as JSON before.

    >>> next_cursor(b'{"items": [], "next_cursor": "7"}'), next_cursor(b'{"items": [], "next_cursor": null}')
    ('7', '')
    """
    try:
        return msgspec.json.decode(content, type=_Cursor).next_cursor or ""
    except msgspec.ValidationError as error:
        raise QuarantineError(f"the cursor of a list is not a text: {error}", code="exchange.cursor") from error


class _Addresses(msgspec.Struct, frozen=True):
    exchange_id: str = ""
    sender_ref: str = ""
    receiver_ref: str = ""


def addresses(content: bytes) -> tuple[str, str, str]:
    """(exchange_id, sender_ref, receiver_ref) of an exchange, each empty when it cannot be read.

    >>> addresses(b'{"exchange_id":"x1","sender_ref":"DE","receiver_ref":"hub"}')
    ('x1', 'DE', 'hub')
    >>> addresses(b'{"exchange_id":"x1",')
    ('', '', '')
    """
    try:
        found = msgspec.json.decode(content, type=_Addresses)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return "", "", ""
    return found.exchange_id, found.sender_ref, found.receiver_ref


def reply_receipt(submitted: Submitted, case_format: CaseFormat) -> Receipt:
    """The receipt of a submission. Replies that cannot be read become a fault: the exchange arrived all the same."""
    raw = bytes(submitted.replies)
    return Receipt(
        reference=submitted.exchange_id,
        detail="was there already" if submitted.duplicate else "taken",
        replies=None if raw == b"null" else _replies(raw, case_format),
        raw_reply=b"" if raw == b"null" else raw,
    )


def _replies(raw: bytes, case_format: CaseFormat) -> Decoded:
    try:
        return case_format.decode(raw)
    except QuarantineError as error:
        exchange_id, sender_ref, _ = addresses(raw)
        fault = Fault(code=error.code, reason=error.message, path="/replies")
        return Decoded(exchange_id=exchange_id, sender_ref=sender_ref, faults=(fault,))


def verdict_body(raw: RawMessage, verdict: Verdict) -> bytes:
    """The verdict on a message as the service expects it. An unreadable one is named by its remote reference."""
    return msgspec.json.encode(
        {
            "exchange_id": addresses(raw.content)[0] or raw.remote_ref,
            "accepted": verdict.is_accepted,
            "code": verdict.code,
            "reason": verdict.reason,
        }
    )


def refusal(status: int, message: str, *, retry_after: float | None, may_have_happened: bool) -> CollecthubError:
    """The error for an answer that is no success.

    Only a plain "not now" (429, 503) proves that nothing happened; any other server error leaves it open.
    """
    if status in (401, 403):
        return ConfigurationError(message, cure="Check the token with the agency and enter it anew.")
    if 300 <= status < 400:
        return ConfigurationError(message, cure="Redirects are not followed: enter the service's final address.")
    if status in (429, 503):
        return RetryableError(message, cure="It is tried again by itself.", retry_after_seconds=retry_after)
    if status < 500 and status not in (408, 409, 425):
        return PermanentError(message, cure="Correct what the agency names, or speak to the agency.")
    if may_have_happened:
        return InDoubtError(message, cure="The hub asks the agency what became of it before anything is sent again.")
    return RetryableError(message, cure="It is tried again by itself.", retry_after_seconds=retry_after)
