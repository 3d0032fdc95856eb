"""Errors as people and programs read them: RFC 9457 problems with stable `type` slugs.

A problem says what happened and what to do next. It never shows a stack, a query, a secret or another tenant's
data; what is unknown and what belongs to somebody else are answered with the same bytes.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

import msgspec
from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException as StarletteHTTPException

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


# slug -> (status, title)
SLUGS: Mapping[str, tuple[int, str]] = {
    "malformed-json": (400, "The body is not proper JSON"),
    "bad-request": (400, "The request is not understood"),
    "bad-host": (400, "This host name is not served here"),
    "idempotency-key-missing": (400, "The header Idempotency-Key is missing"),
    "unauthenticated": (401, "Who are you?"),
    "invalid-signature": (401, "The signature does not hold"),
    "wrong-login": (401, "The e-mail address or the password is wrong"),
    "forbidden": (403, "Your role may not do this"),
    "invalid-csrf": (403, "The request did not come from our page"),
    "not-found": (404, "There is no such thing, or it is not yours"),
    "method-not-allowed": (405, "This cannot be done here"),
    "not-acceptable": (406, "The answer is JSON"),
    "timeout": (408, "The request took too long to arrive"),
    "in-doubt": (409, "It may have happened"),
    "in-progress": (409, "The same request is under way"),
    "version-changed": (412, "Somebody changed it meanwhile"),
    "too-large": (413, "The body is too large"),
    "unsupported-media-type": (415, "The body must be JSON"),
    "validation": (422, "Something in the request is not right"),
    "invalid-query": (422, "The list cannot be asked like this"),
    "invalid-cursor": (422, "The cursor does not belong to this list"),
    "idempotency-key-reused": (422, "The key was used for another request"),
    "refused": (422, "This is refused"),
    "configuration": (422, "A setting is wrong"),
    "not-understood": (422, "The content is not understood"),
    "version-missing": (428, "The header If-Match is missing"),
    "too-many-tries": (429, "Too many tries"),
    "internal": (500, "Something went wrong here"),
    "plugin-failed": (502, "A plugin failed"),
    "unavailable": (503, "Not available at the moment"),
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
    status, title = SLUGS[slug]
    return Problem(
        type=f"/problems/{slug}", title=title, status=status, code=slug, detail=detail, cure=cure, errors=tuple(errors)
    )


def problem_response(found: Problem, headers: Mapping[str, str] | None = None) -> Response:
    """The problem as it travels."""
    return Response(msgspec.json.encode(found), found.status, media_type=MEDIA_TYPE, headers=dict(headers or {}))


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


async def on_http(_request: Request, error: Exception) -> Response:
    """The problem document of an HTTP error."""
    assert isinstance(error, StarletteHTTPException), "registered for this class"
    if isinstance(error, ProblemError):
        return problem_response(error.problem, error.headers)
    slug = _BY_STATUS.get(error.status_code, "bad-request")
    return problem_response(problem(slug), error.headers)


async def _on_validation(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError), "registered for this class"
    places = {str(entry["loc"][0]) for entry in error.errors() if entry["loc"]}
    errors = tuple(
        FieldProblem(field=".".join(map(str, entry["loc"][1:])) or str(entry["loc"][0]), reason=str(entry["msg"]))
        for entry in error.errors()
    )
    slug = "invalid-query" if places == {"query"} else "validation"
    return problem_response(problem(slug, "See errors for each field.", errors=errors))


async def _on_bug(request: Request, error: Exception) -> Response:
    log.error("%s %s failed", request.method, request.scope.get("route_path", ""), exc_info=error)
    return problem_response(problem("internal", cure="Try again; when it stays, the operator finds it in the log."))
