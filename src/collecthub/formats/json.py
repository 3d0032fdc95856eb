"""The case exchange as JSON, as in `case-exchange-1.0.schema.json`.

Read more strictly than JSON itself asks for, so that no two readers can see two things: UTF-8 without a mark,
no key twice, no NaN, money and dates as strings, whole numbers without fraction or exponent.
"""

from __future__ import annotations

import json
from typing import Any, NoReturn

import msgspec

from collecthub.errors import QuarantineError
from collecthub.formats.envelope import Piece, Reading, Sheet, head_of, read_exchange
from collecthub.formats.records import Inexact, Path, Problem, RepeatedKeys, Tree, dotted, record_of, tree_of
from collecthub.formats.shape import MESSAGE_BY_TAG
from collecthub.model.exchange import AccountLine, Decoded, Exchange

_WHOLE_DIGITS_MAX = 19
_EXCERPT_CHARS = 1000
_ENVELOPE_KEYS = {"messages"}


class JsonFormat:
    """Writes and reads an exchange as JSON."""

    format_id = "case-exchange-json"
    media_type = "application/json"

    def encode(self, exchange: Exchange) -> bytes:
        """The exchange in UTF-8. Raises `PermanentError` naming a value that the exchange cannot carry."""
        messages = [
            {"type": type(message).__struct_config__.tag, **tree_of(message, ("messages", place))}
            for place, message in enumerate(exchange.messages)
        ]
        return msgspec.json.encode({**tree_of(head_of(exchange)), "messages": messages})

    def decode(self, content: bytes) -> Decoded:
        """Raises `QuarantineError` (`json.*`, `exchange.*`) when the whole cannot be read."""
        return self.read(content).decoded()

    def read(self, content: bytes) -> Reading:
        """The same with the whole envelope: receiver, moment and test flag."""
        whole = parse(content)
        if not isinstance(whole, dict):
            raise QuarantineError(
                "The JSON is not an object.", code="exchange.head", cure="Send one exchange."
            )
        problems = (
            [Problem("repeated", (), "a field stands twice in the head")] if type(whole) is not dict else []
        )
        messages = whole.get("messages")
        if not isinstance(messages, list):
            problems.append(Problem("missing", ("messages",), "messages is not a list"))
            messages = []
        return read_exchange(
            Sheet(
                head={key: value for key, value in whole.items() if key not in _ENVELOPE_KEYS},
                problems=problems,
                place=lambda path: dotted(path) or "the head",
                pieces=[_piece(place, message) for place, message in enumerate(messages)],
            )
        )

    def encode_accounts(self, lines: tuple[AccountLine, ...]) -> bytes:
        """A holder's books. Raises `PermanentError` naming a value that cannot be carried."""
        items = [tree_of(line, ("items", place)) for place, line in enumerate(lines)]
        return msgspec.json.encode({"items": items, "next_cursor": None})

    def decode_accounts(self, content: bytes) -> tuple[AccountLine, ...]:
        """Books are read whole or not at all: half of them would look like a difference.

        Raises `QuarantineError` (`json.*`, `accounts.invalid`).
        """
        whole = parse(content)
        items = whole.get("items") if isinstance(whole, dict) else None
        if not isinstance(items, list) or type(whole) is not dict:
            raise bad_accounts("items is not a list")
        lines: list[AccountLine] = []
        for place, item in enumerate(items):
            line, problems = record_of(AccountLine, item, ("items", place))
            if not isinstance(line, AccountLine):
                raise bad_accounts(f"{problems[0].reason} (at {dotted(problems[0].path)})")
            lines.append(line)
        return tuple(lines)


def bad_accounts(reason: str) -> QuarantineError:
    """The refusal of a holder's books."""
    return QuarantineError(
        f"The partner's books cannot be read: {reason}",
        code="accounts.invalid",
        cure="Ask the partner to correct and send them again; the last good books stay in use.",
    )


def _piece(place: int, message: Any) -> Piece:
    tree: Tree = {}
    kind = None
    problems: list[Problem] = []
    if isinstance(message, dict):
        kind = MESSAGE_BY_TAG.get(message["type"]) if isinstance(message.get("type"), str) else None
        tree = {key: value for key, value in message.items() if key != "type"}
        if isinstance(message, RepeatedKeys):
            problems.append(Problem("repeated", (), "a field stands twice in the same object"))

    def where(path: Path) -> str:
        return dotted(("messages", place, *path))

    def excerpt() -> str:
        try:
            return json.dumps(message, ensure_ascii=False)[:_EXCERPT_CHARS]
        except RecursionError:  # read just within the limit, and writing needs a little more
            return "(nested too deeply to show)"

    return Piece(kind=kind, tree=tree, problems=problems, place=where, excerpt=excerpt)


def parse(content: bytes) -> Any:
    """JSON as plain trees; fractions come as `Inexact`, objects with a key twice as `RepeatedKeys`.

    Raises `QuarantineError`: `json.encoding`, `json.malformed`, `json.limit`.
    """
    try:
        return json.loads(
            content.decode("utf-8"),
            object_pairs_hook=_object,
            parse_float=Inexact,
            parse_int=_whole,
            parse_constant=_refuse_constant,
        )
    except UnicodeDecodeError as error:
        raise QuarantineError(
            f"The JSON is not UTF-8: byte {error.start}.",
            code="json.encoding",
            cure="Ask the sender for UTF-8.",
        ) from None
    except RecursionError:
        raise QuarantineError(
            "The JSON is nested too deeply.", code="json.limit", cure="Send it flat."
        ) from None
    except ValueError as error:
        where = (
            f" at line {error.lineno}, column {error.colno}"
            if isinstance(error, json.JSONDecodeError)
            else ""
        )
        raise QuarantineError(
            f"The JSON is damaged{where}.", code="json.malformed", cure="Ask the sender to send it again."
        ) from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    return found if len(found) == len(pairs) else RepeatedKeys(found)


def _whole(digits: str) -> Any:
    return int(digits) if len(digits) <= _WHOLE_DIGITS_MAX else Inexact(digits)


def _refuse_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is not JSON")
