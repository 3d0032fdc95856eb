"""Statements compiled once a process. SQLAlchemy keeps what it compiled with the engine, and nearly every test has an engine
of its own: it would compile again what all the others did. Here the engines of one dialect share it."""

from __future__ import annotations

import sys
from functools import cache
from typing import Any

_ROOM = 20_000


def pytest_collection_finish() -> None:
    """From the first test on; who works without a database does not load SQLAlchemy for this."""
    if "sqlalchemy" in sys.modules:
        _share()


@cache
def _share() -> None:
    from sqlalchemy.engine import Engine
    from sqlalchemy.engine.default import DefaultDialect
    from sqlalchemy.util import LRUCache

    kept: dict[type, LRUCache[Any, Any]] = {}
    begin = Engine.__init__

    def begin_with_what_is_kept(engine: Engine, pool: Any, dialect: Any, *more: Any, **options: Any) -> None:
        begin(engine, pool, dialect, *more, **options)
        engine._compiled_cache = kept.setdefault(type(dialect), LRUCache(_ROOM))

    # What is kept is found by dialect and statement; the dialects of a process are all of one making.
    Engine.__init__ = begin_with_what_is_kept  # type: ignore[assignment,method-assign]  # no setting leads there
    DefaultDialect.__eq__ = lambda self, other: type(self) is type(other)  # type: ignore[method-assign]  # as above
    DefaultDialect.__hash__ = lambda self: hash(type(self))  # type: ignore[method-assign]  # as above
