"""Passwords cost little here. As the product hashes them, on purpose, each login takes as long as a whole test; what the
product does is tested once, with `as_in_the_product`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import argon2
import pytest

_CHEAP = partial(argon2.PasswordHasher, time_cost=1, memory_cost=64, parallelism=1)
_FULL, argon2.PasswordHasher = argon2.PasswordHasher, _CHEAP  # type: ignore[misc,assignment]  # called, never subclassed


@contextmanager
def as_in_the_product() -> Iterator[None]:
    """Passwords are hashed at full cost."""
    from collecthub.store import accounts  # not above: most test processes of plugins never need a hub

    with pytest.MonkeyPatch.context() as change:
        change.setattr(argon2, "PasswordHasher", _FULL)
        accounts._hasher.cache_clear()
        try:
            yield
        finally:
            accounts._hasher.cache_clear()
