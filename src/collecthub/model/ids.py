"""Identifiers of our own: time-ordered, unique across hosts, safe in URLs and file names."""

from __future__ import annotations

import hashlib

import uuid_utils


def new_id() -> str:
    """A UUIDv7 as 32 hex digits. Later ids sort after earlier ones, which keeps queues in order."""
    return uuid_utils.uuid7().hex


def derived_id(*parts: str) -> str:
    """The same 32 hex digits for the same parts, always. For acts that must have one id on every retry.

    >>> derived_id("a", "b") == derived_id("a", "b") != derived_id("ab", "")
    True
    """
    return hashlib.blake2b("\x1f".join(parts).encode(), digest_size=16).hexdigest()
