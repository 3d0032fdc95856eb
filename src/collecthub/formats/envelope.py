"""Reads an exchange whose spelling is already taken apart: the head decides about the whole, every message about itself.

A `Sheet` is what XML and JSON have in common once they are parsed. A bad head refuses everything; a bad
message becomes one `Fault` that names the place, and its neighbours come through.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

import msgspec

from collecthub.errors import QuarantineError
from collecthub.formats.records import Path, Problem, Tree, record_of
from collecthub.formats.scalars import ID
from collecthub.formats.shape import ExchangeHead, Record
from collecthub.model.exchange import EXCHANGE_VERSION, Decoded, Exchange, Fault, Message

_REASONS_SHOWN = 3


class Piece(msgspec.Struct, kw_only=True):
    """One message as it was found. `recheck` may still object once the values themselves are fine."""

    kind: type[Record] | None  # None when nobody knows such a message
    tree: Tree
    problems: list[Problem] = []
    place: Callable[[Path], str]
    excerpt: Callable[[], str]
    recheck: Callable[[], list[Problem]] = list


class Sheet(msgspec.Struct, kw_only=True):
    """A parsed exchange: the head's tree, what is wrong with its spelling, and the messages."""

    head: Tree
    problems: list[Problem] = []
    place: Callable[[Path], str]
    pieces: Sequence[Piece]


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """A whole exchange as it was read, and the faults beside it."""

    exchange: Exchange
    faults: tuple[Fault, ...] = ()

    def decoded(self) -> Decoded:
        """What the corridor takes."""
        return Decoded(
            exchange_id=self.exchange.exchange_id,
            sender_ref=self.exchange.sender_ref,
            messages=self.exchange.messages,
            faults=self.faults,
            is_test=self.exchange.is_test,
        )


def head_of(exchange: Exchange) -> ExchangeHead:
    """The envelope without its messages."""
    return ExchangeHead(
        exchange_id=exchange.exchange_id,
        version=exchange.version,
        sender_ref=exchange.sender_ref,
        receiver_ref=exchange.receiver_ref,
        created_at=exchange.created_at,
        is_test=exchange.is_test,
        message_count=len(exchange.messages),
    )


def read_exchange(sheet: Sheet) -> Reading:
    """Read head and messages.

    Raises `QuarantineError`: `exchange.version`, `exchange.head`, `exchange.count`.
    """
    head = _read_head(sheet)
    if head.message_count != len(sheet.pieces):
        raise QuarantineError(
            f"Exchange {head.exchange_id} announces {head.message_count} messages and holds {len(sheet.pieces)}.",
            code="exchange.count", cure="Ask the sender to send the whole file again.", reference=head.exchange_id,
        )  # fmt: skip
    messages: list[Message] = []
    faults: list[Fault] = []
    seen: set[str] = set()
    for piece in sheet.pieces:
        found = read_message(piece, seen)
        if isinstance(found, Fault):
            faults.append(found)
        else:
            messages.append(found)
    exchange = Exchange(
        exchange_id=head.exchange_id,
        sender_ref=head.sender_ref,
        receiver_ref=head.receiver_ref,
        created_at=head.created_at,
        is_test=head.is_test,
        messages=tuple(messages),
    )
    return Reading(exchange=exchange, faults=tuple(faults))


def _read_head(sheet: Sheet) -> ExchangeHead:
    version = sheet.head.get("version")
    if isinstance(version, str) and version != EXCHANGE_VERSION:
        raise QuarantineError(
            f"The exchange is in version {version[:20]!r}; this hub reads {EXCHANGE_VERSION}.",
            code="exchange.version", cure=f"Ask the sender for version {EXCHANGE_VERSION}.",
        )  # fmt: skip
    head, problems = record_of(ExchangeHead, sheet.head)
    problems = sheet.problems + problems
    if problems or not isinstance(head, ExchangeHead):
        raise QuarantineError(
            f"The head of the exchange cannot be read: {_reasons(problems, sheet.place)}",
            code="exchange.head", cure="Ask the sender to correct the file and to send it again.",
        )  # fmt: skip
    return head


def read_message(piece: Piece, seen: set[str]) -> Message | Fault:
    """One message, or what is wrong with it; `seen` holds the message ids before it."""
    if piece.kind is None:
        return _fault(piece, [Problem("unknown", (), "no such message in version 1.0")])
    record, problems = record_of(piece.kind, piece.tree)
    problems = [*piece.problems, *problems] or piece.recheck()
    if record is None or problems:
        return _fault(piece, problems)
    message = cast(Message, record)
    if message.message_id in seen:
        return _fault(
            piece, [Problem("repeated", ("message_id",), "an earlier message here has the same message_id")]
        )
    seen.add(message.message_id)
    return message


def _fault(piece: Piece, problems: list[Problem]) -> Fault:
    return Fault(
        code=f"message.{problems[0].code}",
        reason=_reasons(problems, piece.place),
        path=piece.place(problems[0].path),
        excerpt=piece.excerpt(),
        message_id=_identifier(piece.tree, "message_id"),
        case_id=_identifier(piece.tree, "case_id"),
    )


def _reasons(problems: list[Problem], place: Callable[[Path], str]) -> str:
    shown = [f"{problem.reason} (at {place(problem.path)})" for problem in problems[:_REASONS_SHOWN]]
    more = len(problems) - len(shown)
    return "; ".join(shown) + (f"; and {more} more" if more else "")


def _identifier(tree: Tree, name: str) -> str:
    """The identifier that a bad message carries, when at least that can be read."""
    value: Any = tree.get(name)
    try:
        return str(ID.read(value)) if isinstance(value, str) else ""
    except ValueError:
        return ""
