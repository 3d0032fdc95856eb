"""Errors as people and programs read them: RFC 9457 problems with stable `type` slugs.

A problem says what happened and what to do next. It never shows a stack, a query, a secret or another tenant's
data; what is unknown and what belongs to somebody else are answered with the same bytes.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus

import msgspec
from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.routing import Match

from collecthub.engine.desk import VersionError
from collecthub.errors import (
    CollecthubError,
    ConfigurationError,
    ContractError,
    InDoubtError,
    PermanentError,
    QuarantineError,
    RetryableError,
)
from collecthub.store.queries.paging import CursorError, QueryError
from collecthub.store.queries.scope import NotThereError

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
_METHODS = ("DELETE", "GET", "PATCH", "POST", "PUT")


class FieldProblem(msgspec.Struct, frozen=True, kw_only=True):
    """One field that is wrong. The value itself is never repeated."""

    field: str
    reason: str


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """RFC 9457. `code` is the last part of `type`, `cure` says what to do next."""

    type: str
    title: str
    status: int
    code: str
    detail: str = ""
    cure: str = ""
    errors: tuple[FieldProblem, ...] = ()


# slug -> (status, title, what a program does next where nobody says better)
SLUGS: Mapping[str, tuple[int, str, str]] = {
    "malformed-json": (400, "The body is not proper JSON", "Send one JSON value, as UTF-8 without a byte order mark."),
    "bad-request": (400, "The request is not understood", "Compare it with the published description of the API."),
    "bad-host": (400, "This host name is not served here", "Use the address that the operator gave you."),
    "idempotency-key-missing": (400, "The header Idempotency-Key is missing", "Send a new random key with each new request."),
    "unauthenticated": (401, "Who are you?", "Log in, or send a live API key as `Authorization: Bearer ch_...`."),
    "invalid-signature": (401, "The signature does not hold", "Sign the bytes as they are sent, with the agreed secret."),
    "wrong-login": (401, "The e-mail address or the password is wrong", "Check both and try again."),
    "forbidden": (403, "Your role may not do this", "Use the key or login of a role that may, or ask the operator."),
    "invalid-csrf": (403, "The request did not come from our page", "Reload the page and try again."),
    "not-found": (404, "There is no such thing, or it is not yours", "Take ids from the lists; they hold what is yours."),
    "method-not-allowed": (405, "This cannot be done here", "Use a method of the header Allow."),
    "not-acceptable": (406, "The answer is JSON", "Accept application/json."),
    "timeout": (408, "The request took too long to arrive", "Send it again; with an Idempotency-Key it counts once."),
    "in-doubt": (409, "It may have happened", "Look at what is there before you try again."),
    "version-changed": (412, "Somebody changed it meanwhile", "Read it again and decide on what it says now."),
    "too-large": (413, "The body is too large", "Send less at once."),
    "unsupported-media-type": (415, "The body must be JSON", "Send application/json."),
    "validation": (422, "Something in the request is not right", "Correct it and send it again."),
    "invalid-query": (422, "The list cannot be asked like this", "Correct or leave out what is named."),
    "invalid-cursor": (422, "The cursor does not belong to this list", "Begin again without a cursor."),
    "idempotency-key-reused": (422, "The key was used for another request", "Send a new key with each new request."),
    "refused": (422, "This is refused", "Change what the detail names."),
    "configuration": (422, "A setting is wrong", "Correct the setting."),
    "not-understood": (422, "The content is not understood", "Compare it with the published format."),
    "version-missing": (428, "The header If-Match is missing", "Send the ETag of the case as you saw it, or *."),
    "too-many-tries": (429, "Too many tries", "Wait as long as the header Retry-After says."),
    "internal": (500, "Something went wrong here", "Try again; when it stays, the operator finds it in the log."),
    "plugin-failed": (502, "A plugin failed", "Try again later; the operator sees the plugin's state."),
    "unavailable": (503, "Not available at the moment", "Try again after the seconds of the header Retry-After."),
}
_BY_STATUS = {400: "bad-request", 401: "unauthenticated", 403: "forbidden", 404: "not-found",
              405: "method-not-allowed", 406: "not-acceptable", 408: "timeout", 413: "too-large",
              415: "unsupported-media-type", 422: "validation", 429: "too-many-tries"}  # fmt: skip
_BY_ERROR: Sequence[tuple[type[CollecthubError], str]] = (
    (NotThereError, "not-found"),
    (VersionError, "version-changed"),
    (CursorError, "invalid-cursor"),
    (QueryError, "invalid-query"),
    (PermanentError, "refused"),
    (ConfigurationError, "configuration"),
    (QuarantineError, "not-understood"),
    (InDoubtError, "in-doubt"),
    (RetryableError, "unavailable"),
    (ContractError, "plugin-failed"),
)


class ProblemError(HTTPException):
    """Raised at the door; becomes the problem of its slug."""

    def __init__(
        self,
        slug: str,
        detail: str = "",
        *,
        cure: str = "",
        errors: Sequence[FieldProblem] = (),
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(SLUGS[slug][0], detail, headers)
        self.problem = problem(slug, detail, cure=cure, errors=errors)


def problem(slug: str, detail: str = "", *, cure: str = "", errors: Sequence[FieldProblem] = ()) -> Problem:
    """The problem of a slug."""
    status, title, _ = SLUGS[slug]
    return Problem(
        type=f"/problems/{slug}", title=title, status=status, code=slug, detail=detail, cure=cure, errors=tuple(errors)
    )


def problem_response(found: Problem, headers: Mapping[str, str] | None = None) -> Response:
    """The problem as it travels, to programs: never without a next step."""
    told = msgspec.structs.replace(found, cure=found.cure or SLUGS[found.code][2])
    return Response(msgspec.json.encode(told), found.status, media_type=MEDIA_TYPE, headers=dict(headers or {}))


def problem_of(error: CollecthubError) -> Problem:
    """What an error of the hub looks like outside."""
    slug = next((slug for kind, slug in _BY_ERROR if isinstance(error, kind)), "internal")
    if slug == "not-found":
        return problem(slug)  # the same bytes for every id
    return problem(slug, error.message, cure=error.cure)


def install(app: FastAPI) -> None:
    """Answer every error of the app with a problem."""
    app.add_exception_handler(CollecthubError, _on_hub_error)
    app.add_exception_handler(RequestValidationError, _on_validation)
    app.add_exception_handler(StarletteHTTPException, on_http)
    app.add_exception_handler(Exception, _on_bug)


async def _on_hub_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, CollecthubError), "registered for this class"
    found = problem_of(error)
    headers = {}
    if isinstance(error, RetryableError):
        headers["Retry-After"] = str(max(1, round(error.retry_after_seconds or 1)))
    return problem_response(found, headers)


async def on_http(request: Request, error: Exception) -> Response:
    """The problem document of an HTTP error."""
    assert isinstance(error, StarletteHTTPException), "registered for this class"
    if isinstance(error, ProblemError):
        return problem_response(error.problem, error.headers)
    slug = _BY_STATUS.get(error.status_code, "bad-request")
    headers = {"Allow": ", ".join(_methods(request))} if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED else error.headers
    return problem_response(problem(slug), headers)


def _methods(request: Request) -> list[str]:
    """Every method of this address; the routing itself names those of the first route that fits."""
    return [method for method in _METHODS if any(
        route.matches({**request.scope, "method": method})[0] is Match.FULL for route in request.app.routes
    )]  # fmt: skip


async def _on_validation(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError), "registered for this class"
    places = {str(entry["loc"][0]) for entry in error.errors() if entry["loc"]}
    errors = tuple(
        FieldProblem(field=".".join(map(str, entry["loc"][1:])) or str(entry["loc"][0]), reason=_reason(entry))
        for entry in error.errors()
    )
    slug = "invalid-query" if places == {"query"} else "validation"
    return problem_response(problem(slug, "See errors for each field.", errors=errors))


def _reason(entry: Mapping[str, object]) -> str:
    """Our own words where there are any: `Value error, ` is how pydantic introduces them."""
    if entry["type"] == "extra_forbidden":
        return "is not known here"
    return str(entry["msg"]).removeprefix("Value error, ")


async def _on_bug(request: Request, error: Exception) -> Response:
    log.error("%s %s failed", request.method, request.scope.get("route_path", ""), exc_info=error)
    return problem_response(problem("internal"))
