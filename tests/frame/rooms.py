"""`pytest --rooms`: only the tests that need nothing but the rooms, the model and the law; `make rooms` runs them in seconds.

Which they are is read from their imports, so that no list grows old; a file that is left out is not even imported.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

TESTS = Path(__file__).parents[1]
PURE = tuple(f"collecthub.{part}" for part in ("errors", "model", "law", "corridor", "score", "bundled"))
_IMPORT = re.compile(r"^\s*(?:from|import) ([\w.]+)", re.MULTILINE)
_OUTSIDE = re.compile(r"\b(database_url|pg_url|subprocess|socket)\b")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option."""
    parser.addoption("--rooms", action="store_true", help="only tests of rooms, model and law")


def pytest_configure(config: pytest.Config) -> None:
    """How many examples a property is tried with: a look in between takes a fifth of what a proof takes.

    A slow example on a busy machine is no finding.
    """
    quiet = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.register_profile("proof", quiet, max_examples=100)
    settings.register_profile("look", quiet, max_examples=20)
    settings.load_profile("look" if config.getoption("--rooms") else "proof")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave every other file unread."""
    if not config.getoption("--rooms"):
        return None
    if collection_path.is_dir():  # or its conftest would be imported, and with it the hub
        return None if any(map(is_of_a_room, collection_path.rglob("test_*.py"))) else True
    return None if not collection_path.name.startswith("test_") or is_of_a_room(collection_path) else True


def is_of_a_room(file: Path) -> bool:
    """Whether a test file tests pure parts of the product: it and what it imports of the tests use no other part."""
    return any(name.startswith("collecthub") for name in _imported(file)) and _is_pure(file)


@cache
def _is_pure(file: Path) -> bool:
    ours = [name for name in _imported(file) if name.startswith("collecthub")]
    helpers = [TESTS.joinpath(*name.split(".")).with_suffix(".py") for name in _imported(file)]
    return (
        all(name.startswith(PURE) for name in ours)
        and not _OUTSIDE.search(file.read_text(encoding="utf-8"))
        and all(_is_pure(helper) for helper in helpers if helper.exists())
    )


@cache
def _imported(file: Path) -> list[str]:
    return _IMPORT.findall(file.read_text(encoding="utf-8"))
