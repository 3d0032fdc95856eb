"""Who may import whom, where import-linter has no allow-list; and its contracts name every plugin."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from architecture.source_tree import (
    CHECKOUT,
    PLUGIN_FOLDERS,
    PLUGIN_PACKAGES,
    is_below,
    nodes_of,
    place,
    project,
    sources,
)

PLUGIN_DOORS = ("collecthub.sdk", "collecthub.wire")
BUNDLED_DOORS = ("collecthub.bundled", "collecthub.formats", "collecthub.law", "collecthub.sdk", "collecthub.wire")
TWIN_DOORS = ("collecthub.errors", "collecthub.sandbox")


def imported(path: Path) -> Iterator[tuple[str, int]]:
    """Absolute names of everything a file imports; `from collecthub import hub` counts as `collecthub.hub`."""
    for node in nodes_of(path):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            whole = node.module.startswith("collecthub.")
            yield from ((node.module if whole else f"{node.module}.{alias.name}", node.lineno) for alias in node.names)


def outside_doors(path: Path, doors: tuple[str, ...], own_package: str = "") -> list[str]:
    """What a file imports of the product beside its own package and the doors that it may use."""
    return [
        f"{place(path, line)} imports {name}"
        for name, line in imported(path)
        if name.split(".")[0].startswith("collecthub")
        and name.split(".")[0] != own_package
        and name != "collecthub.__version__"
        and not any(name == door or name.startswith(f"{door}.") for door in doors)
    ]


@pytest.mark.parametrize("folder", PLUGIN_FOLDERS, ids=lambda folder: folder.name)
def test_a_plugin_enters_by_the_sdk_and_wire(folder: Path) -> None:
    package = f"collecthub_{folder.name}"
    findings = [
        finding
        for path in sources()
        if path.is_relative_to(folder)
        for finding in outside_doors(path, PLUGIN_DOORS, own_package=package)
    ]
    assert not findings, "\n".join(findings)


def test_what_is_bundled_enters_by_the_sdk_as_well() -> None:
    findings = [
        finding for path in sources() if is_below(path, "bundled") for finding in outside_doors(path, BUNDLED_DOORS)
    ]
    assert not findings, "\n".join(findings)


def test_a_twin_knows_nothing_of_the_hub() -> None:
    findings = [
        finding for path in sources() if is_below(path, "sandbox") for finding in outside_doors(path, TWIN_DOORS)
    ]
    assert not findings, "\n".join(findings)


def test_nobody_leaves_by_a_relative_import() -> None:
    findings = [
        place(path, node.lineno)
        for path in sources()
        for node in nodes_of(path)
        if isinstance(node, ast.ImportFrom) and node.level > 0
    ]
    assert not findings, "say the whole name:\n" + "\n".join(findings)


def test_every_plugin_folder_is_in_the_contracts_and_in_the_type_check() -> None:
    settings = project()["tool"]
    assert sorted(settings["importlinter"]["root_packages"]) == sorted(["collecthub", *PLUGIN_PACKAGES])
    lists = [
        contract.get("modules") or contract["source_modules"]
        for contract in settings["importlinter"]["contracts"]
        if contract["id"] in {"plugins", "clients"}
    ]
    assert lists == [PLUGIN_PACKAGES, PLUGIN_PACKAGES]
    assert settings["mypy"]["mypy_path"] == ["src", *(f"plugins/{folder.name}/src" for folder in PLUGIN_FOLDERS)]


def test_every_folder_below_plugins_is_a_plugin() -> None:
    folders = sorted(path for path in (CHECKOUT / "plugins").iterdir() if path.is_dir() and path.name[0] not in "._")
    assert folders == PLUGIN_FOLDERS
