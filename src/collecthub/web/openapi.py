"""The published description of the API: made from the routes and the views, drift-checked in `schemas/`."""

from __future__ import annotations

import html
import json
from typing import Any

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.openapi.utils import get_openapi

from collecthub.web.answers import view_schemas
from collecthub.web.auth import Operator

DESCRIPTION = (
    "Cases, connections and everything around them. Amounts are decimal strings beside a currency, dates ISO 8601, "
    "moments with zone. Errors are RFC 9457 problems with stable types. Changes that create or move money or cases "
    "need an Idempotency-Key; changes to a case need If-Match with the ETag of what you saw."
)
SCHEMES: dict[str, Any] = {
    "apiKey": {"type": "http", "scheme": "bearer", "description": "An API key, `ch_<role>_...`."},
    "session": {"type": "apiKey", "in": "cookie", "name": "collecthub",
                "description": "A browser's session; changes also need X-CSRF-Token."},
}  # fmt: skip

_TEXT: dict[str, Any] = {"schema": {"type": "string"}}
_REPLAYED = {"Idempotent-Replayed": {"description": "`true` where the stored answer to the same key is told again.", **_TEXT}}
_TAG = {"ETag": {"description": "Comes back as If-Match with a change, as If-None-Match with a question.", **_TEXT}}

router = APIRouter(include_in_schema=False)


def document(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document of an app, to be read only: worked out once, for it takes a second and the routes stay."""
    if not hasattr(app.state, "document"):
        app.state.document = _worked_out(app)
    found: dict[str, Any] = app.state.document
    return found


def _worked_out(app: FastAPI) -> dict[str, Any]:
    found = get_openapi(
        title=app.title, version="1", description=app.description, routes=app.routes, openapi_version="3.1.0"
    )
    for item in found["paths"].values():
        for operation in item.values():
            _tell_headers(operation)
            _drop_what_never_comes(operation["responses"])
    components = found.setdefault("components", {})
    components["schemas"] = dict(sorted({**components.get("schemas", {}), **view_schemas()}.items()))
    components["securitySchemes"] = SCHEMES
    found["security"] = [{"apiKey": []}, {"session": []}]
    return found


def _tell_headers(operation: dict[str, Any]) -> None:
    """Headers that must be asked with, and those that come with the answer."""
    asked = {given["name"].lower(): given for given in operation.get("parameters", ()) if given["in"] == "header"}
    for given in asked.values():
        given["required"] = "anyOf" not in given["schema"]  # what may be null may be left out
    told = {**(_REPLAYED if "idempotency-key" in asked else {}), **(_TAG if asked.keys() & {"if-match", "if-none-match"} else {})}
    for status, response in operation["responses"].items():
        if told and status[0] in "23":
            response["headers"] = told


def _drop_what_never_comes(responses: dict[str, Any]) -> None:
    """The framework promises JSON of no shape beside every file."""
    for response in responses.values():
        content = response.get("content", {})
        if content.get("application/json") == {"schema": {}}:
            del content["application/json"]
        if not content:
            response.pop("content", None)


def published(app: FastAPI) -> str:
    """The document as it is kept in `schemas/openapi.json`."""
    return json.dumps(document(app), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


@router.get("/api/v1/openapi.json")
def read_openapi(request: Request, _scope: Operator) -> Response:
    """For operators who are logged in."""
    return Response(published(request.app), media_type="application/json")


@router.get("/api/docs")
def read_docs(request: Request, _scope: Operator) -> Response:
    """The same as a plain page, without a script."""
    rows = []
    for path, item in document(request.app)["paths"].items():
        for method, operation in item.items():
            rows.append(
                f"<tr><td>{method.upper()}</td><td><code>{html.escape(path)}</code></td>"
                f"<td>{html.escape(operation.get('summary', ''))}</td></tr>"
            )
    page = (
        "<!doctype html><html lang=en><meta charset=utf-8><title>API</title><h1>API</h1>"
        f"<p>{html.escape(DESCRIPTION)}</p><p><a href=/api/v1/openapi.json>OpenAPI document</a></p>"
        f"<table>{''.join(rows)}</table></html>"
    )
    return Response(page, media_type="text/html")
