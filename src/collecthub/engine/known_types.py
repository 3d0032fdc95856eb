"""Struct types are worked out one after the other, before threads use them.

msgspec (0.22 at least) builds what it knows of a struct type at its first decoding, and the process dies of a
segmentation fault when two threads do that with one type at the same moment.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator

import msgspec

_turn = threading.Lock()
_known: set[type[msgspec.Struct]] = set()


def learn_types() -> None:
    """Have msgspec work out every struct type of the modules that are loaded now and were not before."""
    with _turn:
        for found in set(_below(msgspec.Struct)) - _known:
            _known.add(found)
            try:
                msgspec.json.Decoder(found)
            except (TypeError, NameError):  # a type that is never decoded, or is only a part of others
                continue


def _below(parent: type[msgspec.Struct]) -> Iterator[type[msgspec.Struct]]:
    for child in parent.__subclasses__():
        yield child
        yield from _below(child)
