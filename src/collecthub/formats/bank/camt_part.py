"""A part of a camt message, read once into plain records: asking it for twenty fields costs twenty look-ups.

Elements are known by their local names: versions and national variants differ in namespaces and order, not in what
these names mean.
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Final

import msgspec

from collecthub.wire.xml import Element

_NONE: Final[tuple[Part, ...]] = ()


class Part(msgspec.Struct, kw_only=True, gc=False):
    """An element: its text without the blanks around it, its `Ccy` where it is an amount, and what lies in it by name."""

    line: int
    text: str = ""
    currency: str = ""
    parts: dict[str, list[Part]] = {}

    def every(self, name: str) -> list[Part] | tuple[Part, ...]:
        """The children of a name, in their order."""
        return self.parts.get(name, _NONE)

    def child(self, path: str) -> Part | None:
        """The first child of each step of `A/B/C`, or nothing where a step is missing."""
        found = self
        for name in _steps(path):
            inner = found.parts.get(name)
            if inner is None:
                return None
            found = inner[0]
        return found

    def words(self, path: str) -> str:
        """The text at a path, empty where there is none."""
        found = self.child(path)
        return "" if found is None else found.text


@cache
def _steps(path: str) -> tuple[str, ...]:
    """The names of a path; the readers ask for a few dozen paths, a million times each."""
    return tuple(path.split("/"))


@lru_cache(maxsize=1024)
def without_namespace(tag: str) -> str:
    """The local name of a tag."""
    return tag.rpartition("}")[2]


def local_name(element: Element) -> str:
    """The local name of an element."""
    return without_namespace(str(element.tag))


def read_part(element: Element, *, without: str = "") -> Part:
    """The element and everything in it, but not its own children of the name `without`."""
    parts: dict[str, list[Part]] = {}
    for child in element:
        name = without_namespace(child.tag)
        if name != without:
            parts.setdefault(name, []).append(read_part(child))
    text, line = element.text, element.sourceline
    return Part(
        line=line if isinstance(line, int) else 0, text=text.strip() if text else "", parts=parts,
        currency="" if parts else element.get("Ccy") or "",
    )  # fmt: skip
