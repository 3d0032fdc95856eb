"""What commands print: JSON alone on standard output with `--json`, else tables; notes go to standard error."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import Annotated, Any

import msgspec
import typer

Json = Annotated[bool, typer.Option("--json", help="Print JSON on standard output and nothing else.")]

_PIPE_WIDTH = 240  # columns of a table that no terminal wraps


def print_json(value: object) -> None:
    """One line of JSON: amounts as decimal strings, dates and moments in ISO 8601, in UTF-8 whatever the locale."""
    sys.stdout.buffer.write(msgspec.json.encode(value) + b"\n")
    sys.stdout.flush()


def print_listed(items: Sequence[object], next_cursor: str | None, columns: str, *, as_json: bool) -> None:
    """A page of a list; `columns` are the fields that the table shows, in one string."""
    if as_json:
        print_json({"items": items, "next_cursor": next_cursor})
        return
    rows = [msgspec.to_builtins(item, str_keys=True) for item in items]
    names = columns.split()
    print_table(names, ([row.get(name) for name in names] for row in rows))
    if not rows:
        note("There is nothing to list.")
    if next_cursor:
        note(f"There is more: repeat the command with --cursor {next_cursor}")


def print_table(names: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A table for people; whatever came from outside is printed as text, never as markup or control codes."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in names:
        table.add_column(name.replace("_", " "), overflow="fold")
    for row in rows:
        table.add_row(*(Text(plain(value)) for value in row))
    if table.row_count:
        _console().print(table)


def print_record(record: object, *, as_json: bool) -> None:
    """One thing with its fields, nested ones indented."""
    if as_json:
        print_json(record)
        return
    for line in _lines(msgspec.to_builtins(record, str_keys=True), 0):
        sys.stdout.write(line + "\n")


def _lines(value: Any, depth: int) -> Iterable[str]:
    indent = "  " * depth
    pairs = value.items() if isinstance(value, dict) else ((f"{n}.", part) for n, part in enumerate(value, 1))
    for name, part in pairs:
        if isinstance(part, dict | list | tuple) and part:
            yield f"{indent}{plain(name)}"
            yield from _lines(part, depth + 1)
        elif part not in (None, "", [], {}, ()):
            yield f"{indent}{plain(name)}: {plain(part)}"


def plain(value: object) -> str:
    """Text that is safe on a terminal: no escape sequences, no line breaks, nothing that turns the direction.

    >>> plain("Jan\\x1b[31m"), plain(None), plain(["a", "b"])
    ('Jan\\ufffd[31m', '', 'a, b')
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    return "".join(char if char.isprintable() else "\ufffd" for char in text)


def say(text: str) -> None:
    """A line of the answer, on standard output."""
    sys.stdout.write(text + "\n")


def note(text: str) -> None:
    """A line beside the answer, on standard error."""
    sys.stderr.write(text + "\n")


def _console() -> Any:
    from rich.console import Console

    console = Console()
    return console if console.is_terminal else Console(width=_PIPE_WIDTH)
