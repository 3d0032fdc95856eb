"""What all facts of a case's history have in common."""

from __future__ import annotations

import msgspec


class FactBase(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind"):
    """Base of all facts; `kind` in stored form is the class name in snake case."""
