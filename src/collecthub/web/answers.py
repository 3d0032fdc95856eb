"""Answers as they travel, and what the published API says about them.

Views are msgspec structs: encoded in one step, amounts as decimal strings. The same structs become the schemas of
the OpenAPI document, so that the two cannot drift apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import msgspec
from fastapi import Response

from collecthub.web.problems import MEDIA_TYPE, Problem

JSON = "application/json"
PROBLEM: Mapping[str, Any] = {
    "description": "What happened and what to do (RFC 9457).",
    "headers": {"Retry-After": {"description": "With 429 and 503: seconds to wait.", "schema": {"type": "integer"}}},
    "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
}
_encode = msgspec.json.Encoder().encode
_documented: dict[str, Any] = {"Problem": Problem}


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """A change took effect: the case, its new version and status."""

    case_id: str
    version: int
    status: str


class Accepted(msgspec.Struct, frozen=True, kw_only=True):
    """The work is in line and starts in a moment."""

    is_accepted: bool = True


def answer(view: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A view as JSON."""
    return Response(_encode(view), status, media_type=JSON, headers=dict(headers or {}))


def documented(view: Any, status: int = 200, description: str = "") -> dict[int | str, dict[str, Any]]:
    """What a route answers, for the OpenAPI document: this view, or a problem."""
    name = schema_name(view)
    _documented[name] = view
    return {
        status: {
            "description": description or "Done.",
            "content": {JSON: {"schema": {"$ref": f"#/components/schemas/{name}"}}},
        },
        "default": dict(PROBLEM),
    }


def documented_versioned(view: Any) -> dict[int | str, dict[str, Any]]:
    """What a route answers that says 304 to who has the answer already."""
    return {**documented(view), 304: {"description": "You have this answer already (If-None-Match)."}}


def documented_file(description: str) -> dict[int | str, dict[str, Any]]:
    """A route that answers with bytes to save."""
    content = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
    return {200: {"description": description, "content": content}, "default": dict(PROBLEM)}


def schema_name(view: Any) -> str:
    """The component's name, as msgspec gives it.

    >>> schema_name(Done)
    'Done'
    """
    _, components = msgspec.json.schema_components([view])
    name = getattr(view, "__name__", "")
    parameters = getattr(view, "__args__", ())
    if parameters:
        name = f"{view.__origin__.__name__}_{'_'.join(part.__name__ for part in parameters)}_"
    if name not in components:
        raise ValueError(f"{view} has no component of its own among {sorted(components)}")
    return str(name)


def view_schemas() -> dict[str, Any]:
    """The schemas of every view that a route answers with."""
    _, components = msgspec.json.schema_components(
        list(_documented.values()), ref_template="#/components/schemas/{name}"
    )
    return dict(components)


def download(content: bytes, name: str) -> Response:
    """Bytes to save, never to show: whatever they are, a browser does not run them here."""
    safe = "".join(char if char.isascii() and (char.isalnum() or char in "._- ") else "_" for char in name)[:100]
    return Response(
        content, 200, media_type="application/octet-stream",
        headers={
            "Content-Disposition": f"attachment; filename=\"{safe or 'file'}\"; filename*=UTF-8''{quote(name, safe='')}",
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "default-src 'none'; sandbox",
        },
    )
