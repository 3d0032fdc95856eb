"""JSON bodies, read so that no two readers can see two things.

UTF-8 without a mark, no key twice, no NaN or Infinity: else 400. No lone surrogate, no NUL: else 422.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, NoReturn

from fastapi import Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from collecthub.web.problems import FieldProblem, ProblemError

_DIGITS_MAX = 19


def parse(content: bytes) -> Any:
    """The JSON value. Raises `ProblemError` (`malformed-json`, `validation`)."""
    try:
        value = json.loads(
            content.decode("utf-8"), object_pairs_hook=_object, parse_constant=_refuse, parse_int=_whole
        )
    except UnicodeDecodeError as error:
        raise ProblemError("malformed-json", f"Byte {error.start} is not UTF-8.") from None
    except RecursionError:
        raise ProblemError("malformed-json", "It is nested too deeply.") from None
    except json.JSONDecodeError as error:
        raise ProblemError("malformed-json", f"Line {error.lineno}, column {error.colno}: {error.msg}.") from None
    except ValueError as error:
        raise ProblemError("malformed-json", f"{error}.") from None
    if isinstance(value, str | dict | list) and _has_unfit_text(value):
        raise ProblemError("validation", "A text holds a NUL or half of a surrogate pair.")
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("A key stands twice in the same object")
    return found


def _refuse(_word: str) -> NoReturn:
    raise ValueError("NaN and Infinity are not JSON")


def _whole(digits: str) -> int:
    if len(digits) > _DIGITS_MAX:
        raise ValueError("A whole number has too many digits")
    return int(digits)


def _has_unfit_text(value: Any) -> bool:
    waiting = [value]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            waiting.extend(part.keys())
            waiting.extend(part.values())
        elif isinstance(part, list):
            waiting.extend(part)
        elif isinstance(part, str) and ("\0" in part or not _is_utf8(part)):
            return True
    return False


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


class StrictRequest(Request):
    """A request whose `json()` is strict."""

    async def json(self) -> Any:
        """The body, read once."""
        if not hasattr(self, "_strict"):
            self._strict = parse(await self.body())
        return self._strict


class StrictRoute(APIRoute):
    """A route that takes JSON where it has a body, the parameters it names, and answers those who take JSON."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler behind the checks."""
        handler = super().get_route_handler()
        needs_json = self.body_field is not None
        offered = frozenset(_query_names(self.dependant))
        is_file = "application/octet-stream" in self.responses.get(200, {}).get("content", {})

        async def strict(request: Request) -> Response:
            _check_query(request, offered)
            if not is_file:  # saved under whatever type the caller knows it by
                _check_accept(request.headers.get("accept", ""))
            if needs_json:
                _check_content_type(request.headers.get("content-type", ""))
            return await handler(StrictRequest(request.scope, request.receive))

        return strict


def _query_names(dependant: Dependant) -> Iterator[str]:
    yield from (param.alias for param in dependant.query_params)
    for part in dependant.dependencies:
        yield from _query_names(part)


def _check_query(request: Request, offered: frozenset[str]) -> None:
    """A misspelt filter would list everything, and of one given twice one would be passed over."""
    given = Counter(name for name, _ in request.query_params.multi_items())
    errors = [
        FieldProblem(field=name[:100], reason="stands more than once" if name in offered else "is not known here")
        for name, times in given.items() if times > 1 or name not in offered
    ]  # fmt: skip
    if errors:
        known = f"Known here: {', '.join(sorted(offered))}." if offered else "No parameter is known here."
        raise ProblemError("invalid-query", "See errors for each parameter.", cure=known, errors=errors)


def _check_content_type(given: str) -> None:
    kind = given.partition(";")[0].strip().lower()
    if kind != "application/json":
        raise ProblemError("unsupported-media-type")


def _check_accept(given: str) -> None:
    kinds = {part.partition(";")[0].strip().lower() for part in given.split(",") if part.strip()}
    if kinds and not any(kind.startswith("application/") or kind == "*/*" for kind in kinds):
        raise ProblemError("not-acceptable")
