"""The files that the architecture tests read, and how a finding is shown."""

from __future__ import annotations

import ast
import subprocess
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).parents[2]
PLUGIN_FOLDERS = sorted(path.parent for path in CHECKOUT.glob("plugins/*/pyproject.toml"))
PLUGIN_PACKAGES = sorted(f"collecthub_{folder.name}" for folder in PLUGIN_FOLDERS)


@cache
def sources() -> tuple[Path, ...]:
    """Every Python file of the product itself: core and plugins, without tests."""
    roots = [CHECKOUT / "src", *(folder / "src" for folder in PLUGIN_FOLDERS)]
    return tuple(sorted(path for root in roots for path in root.rglob("*.py")))


@cache
def nodes_of(path: Path) -> tuple[ast.AST, ...]:
    """Everything that stands in a file, parsed and walked once for all rules."""
    return tuple(ast.walk(ast.parse(path.read_text(encoding="utf-8"), filename=str(path))))


def tracked_files() -> Iterator[Path]:
    """Every file that a clone contains."""
    listing = subprocess.run(
        ["git", "-c", f"safe.directory={CHECKOUT}", "ls-files", "-z"],
        cwd=CHECKOUT, capture_output=True, check=True, text=True,
    ).stdout  # fmt: skip
    return (CHECKOUT / name for name in listing.split("\0") if name and (CHECKOUT / name).is_file())


def place(path: Path, line: int = 1) -> str:
    """`file:line`, as an editor opens it."""
    return f"{path.relative_to(CHECKOUT)}:{line}"


def is_below(path: Path, *names: str) -> bool:
    """Whether a file is, or lies in, one of these rooms, each a path below src/collecthub without `.py`."""
    room = path.relative_to(CHECKOUT / "src" / "collecthub") if path.is_relative_to(CHECKOUT / "src") else None
    return room is not None and any(
        room.with_suffix("").as_posix() == name or room.as_posix().startswith(f"{name}/") for name in names
    )


def project() -> dict[str, Any]:
    """The parsed pyproject.toml of the core."""
    return tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))
