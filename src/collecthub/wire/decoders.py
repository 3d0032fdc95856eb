"""JSON decoders, each made once and one after the other.

msgspec (0.22 at least) works out what it knows of a type when its first decoder is made, and the process dies of a
segmentation fault when two threads do that with one type at the same moment. A decoder that is made inside a
function therefore comes from here; one that a module makes when it is imported is safe by the import lock.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import msgspec

_turn = threading.Lock()
_made: dict[tuple[Any, Any], msgspec.json.Decoder[Any]] = {}


def decoder(of: Any, float_hook: Callable[[str], Any] | None = None) -> msgspec.json.Decoder[Any]:
    """The decoder of a type; `float_hook` makes something exact of numbers with a fraction."""
    found = _made.get((of, float_hook))
    if found is None:
        with _turn:
            found = _made.setdefault((of, float_hook), msgspec.json.Decoder(of, float_hook=float_hook))
    return found


def learn(struct: type[msgspec.Struct]) -> None:
    """Have msgspec work out a struct type now. Raises what msgspec says of a type that cannot be decoded."""
    with _turn:
        msgspec.json.Decoder(struct)
