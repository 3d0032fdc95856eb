"""Struct types are worked out one after the other, before threads use them (why: `collecthub.wire.decoders`)."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import msgspec

from collecthub.wire.decoders import learn

_turn = threading.Lock()
_known: set[type[msgspec.Struct]] = set()


def learn_types() -> None:
    """Have msgspec work out every struct type of the modules that are loaded now and were not before."""
    with _turn:
        for found in set(_below(msgspec.Struct)) - _known:
            _known.add(found)
            try:
                learn(found)
            except (TypeError, NameError):  # a type that is never decoded, or is only a part of others
                continue


def _below(parent: type[msgspec.Struct]) -> Iterator[type[msgspec.Struct]]:
    for child in parent.__subclasses__():
        yield child
        yield from _below(child)
