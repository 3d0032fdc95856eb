"""The REST profile of the case exchange as an OpenAPI 3.1 document."""

from __future__ import annotations

import json
from typing import Any

Json = dict[str, Any]


def openapi(definitions: Json) -> Json:
    """The contract that a holder of cases serves, and the webhook it may push to the creditor's side."""
    schemas = json.loads(json.dumps(definitions).replace("#/$defs/", "#/components/schemas/"))
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Case exchange over REST",
            "version": "1.0",
            "description": "The holder of cases serves these paths over HTTPS; the creditor's side calls them. "
            "Every call may be repeated. Errors are RFC 9457 problems.",
        },
        "security": [{"bearer": []}],
        "paths": {
            "/exchange/v1/exchanges": {"post": _submit()},
            "/exchange/v1/exchanges/{exchange_id}": {"get": _state()},
            "/exchange/v1/outbox": {"get": _outbox()},
            "/exchange/v1/verdicts": {"post": _verdict()},
            "/exchange/v1/accounts": {"get": _accounts()},
        },
        "webhooks": {"exchange": {"post": _push()}},
        "components": {
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
            "responses": {"Problem": _problem()},
            "schemas": schemas | _rest_schemas(),
        },
    }


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def _body(schema: str) -> Json:
    return {"required": True, "content": {"application/json": {"schema": _ref(schema)}}}


def _answer(description: str, schema: str) -> Json:
    return {"description": description, "content": {"application/json": {"schema": _ref(schema)}}}


def _operation(operation_id: str, summary: str, responses: Json, **more: Any) -> Json:
    problem = {"$ref": "#/components/responses/Problem"}
    return {
        "operationId": operation_id,
        "summary": summary,
        **more,
        "responses": responses | {"default": problem},
    }


def _parameter(name: str, place: str, schema: Json, description: str, *, is_required: bool) -> Json:
    return {"name": name, "in": place, "required": is_required, "schema": schema, "description": description}


def _submit() -> Json:
    problem = {"$ref": "#/components/responses/Problem"}
    return _operation(
        "submitExchange",
        "Send an exchange",
        {"202": _answer("Stored durably; `replies` holds immediate answers.", "Submitted"),
         "401": problem, "422": problem},
        parameters=[_parameter(
            "Idempotency-Key", "header", {"type": "string", "minLength": 1, "maxLength": 64},
            "The exchange_id of the body. The same key with the same bytes is answered as before with "
            "`duplicate` true; the same key with other bytes is a 422 problem; a key that is not the exchange_id, too.",
            is_required=True,
        )],
        requestBody=_body("Exchange"),
    )  # fmt: skip


def _state() -> Json:
    return _operation(
        "getExchangeState",
        "What became of an exchange that was sent",
        {"200": _answer("The exchange arrived.", "ExchangeState"),
         "404": {"$ref": "#/components/responses/Problem"}},
        parameters=[_parameter("exchange_id", "path", {"type": "string"}, "As sent; `/` and `:` percent-encoded.",
                               is_required=True)],
    )  # fmt: skip


def _outbox() -> Json:
    limit = {"type": "integer", "minimum": 1, "maximum": 1000, "default": 100}
    return _operation(
        "readOutbox",
        "Read exchanges for the caller, oldest first",
        {"200": _answer("`next_cursor` is null when there is nothing more now.", "Outbox")},
        parameters=[
            _parameter("after", "query", {"type": "string", "maxLength": 140},
                       "Cursor of the last exchange that was stored; left out: from the beginning.", is_required=False),
            _parameter("limit", "query", limit, "At most this many.", is_required=False),
        ],
    )  # fmt: skip


def _verdict() -> Json:
    return _operation(
        "giveVerdict",
        "Tell what the caller made of an exchange it read; may be repeated",
        {"204": {"description": "Noted."}, "404": {"$ref": "#/components/responses/Problem"}},
        requestBody=_body("ExchangeVerdict"),
    )


def _accounts() -> Json:
    return _operation(
        "readAccounts",
        "The holder's own books on the caller's cases",
        {"200": _answer("All cases, also the stopped ones.", "Accounts")},
    )


def _push() -> Json:
    headers = {
        "webhook-id": "The exchange_id; the receiver takes it once.",
        "webhook-timestamp": "Seconds since 1970, at most five minutes from now.",
        "webhook-signature": "v1,<base64 of HMAC-SHA256 over id.timestamp.body>; several separated by spaces.",
    }
    return {
        "operationId": "pushExchange",
        "summary": "An exchange, pushed to the hook address of the creditor's side (Standard Webhooks)",
        "security": [],
        "parameters": [
            _parameter(name, "header", {"type": "string"}, description, is_required=True)
            for name, description in headers.items()
        ],
        "requestBody": _body("Exchange"),
        "responses": {
            "2XX": {
                "description": "Stored durably. Anything else: push again later with the same webhook-id."
            },
            "401": {"description": "Signature or time does not hold."},
        },
    }


def _problem() -> Json:
    return {
        "description": "What happened and what to do (RFC 9457).",
        "content": {"application/problem+json": {"schema": _ref("Problem")}},
    }


def _object(properties: Json, *optional: str) -> Json:
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required}


def _rest_schemas() -> Json:
    identifier, text = {"type": "string", "minLength": 1, "maxLength": 64}, {"type": "string"}
    return {
        "Submitted": _object(
            {"exchange_id": identifier, "duplicate": {"type": "boolean"}, "replies": _ref("Exchange")}, "replies"
        ),
        "ExchangeState": _object({
            "exchange_id": identifier,
            "state": {"type": "string", "enum": ["received", "accepted", "refused"],
                      "description": "received: stored, not read yet; accepted: read and taken in; "
                      "refused: could not be read."},
        }),
        "Outbox": _object({
            "items": {"type": "array", "items": _object({"cursor": text, "exchange": _ref("Exchange")})},
            "next_cursor": {"type": ["string", "null"]},
        }),
        "ExchangeVerdict": _object(
            {"exchange_id": identifier, "accepted": {"type": "boolean"}, "code": text, "reason": text},
            "code", "reason",
        ),
        "Problem": _object(
            {"type": text, "title": text, "status": {"type": "integer"}, "detail": text, "code": text},
            "type", "detail", "code",
        ),
    }  # fmt: skip
