"""What a clone contains is portable, and what is installed is not known to be broken."""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from architecture.source_tree import CHECKOUT, PLUGIN_FOLDERS, place, project, tracked_files

# Written in pieces, so that this file does not find itself.
REGISTRIES = "|".join(
    re.escape("".join(pieces))
    for pieces in [
        ("pypi", ".org"), ("python", "hosted.org"), ("registry.npm", "js"), ("npm", "js.org"), ("deb.deb", "ian.org"),
    ]
)  # fmt: skip
MACHINE_PATHS = r"(?:^|[^A-Za-z0-9_.])/(?:work|farm)/"
NOT_PORTABLE = re.compile(f"{REGISTRIES}|{MACHINE_PATHS}")

# The oldest version without a known hole that would matter here; the advisory is the reason to raise a floor.
FLOORS = {
    "asyncssh": ("2.23.1", "SCP path traversal; Terrapin was 2.14.2"),
    "lxml": ("6.1.0", "CVE-2026-41066: external entities in iterparse"),
    "paramiko": ("3.4.0", "Terrapin"),
    "pyjwt": ("2.13.0", "CVE-2026-32597, CVE-2026-48523"),
    "python-multipart": ("0.0.26", "CVE-2026-40347"),
    "signxml": ("4.0.4", "CVE-2025-48994 algorithm confusion, CVE-2025-48995 timing"),
    "starlette": ("1.0.1", "CVE-2026-48710 Host header reaches url.path, CVE-2025-62727 Range"),
    "zeep": ("4.3.3", "CVE-2026-58501: forbid_external had no effect"),
}


def test_no_tracked_file_names_a_registry_or_a_path_of_one_machine() -> None:
    findings = []
    for path in tracked_files():
        content = path.read_bytes()
        if b"\0" in content:
            continue
        for number, line in enumerate(content.decode("utf-8", "replace").splitlines(), 1):
            if match := NOT_PORTABLE.search(line):
                findings.append(f"{place(path, number)} {match.group()}")
    assert not findings, "\n" + "\n".join(findings)


@pytest.mark.parametrize("package", FLOORS)
def test_an_installed_package_is_not_older_than_its_last_advisory(package: str) -> None:
    floor, advisory = FLOORS[package]
    try:
        installed = version(package)
    except PackageNotFoundError:
        return
    assert Version(installed) >= Version(floor), advisory


def declared_floors() -> dict[str, Version]:
    """The lowest version that pyproject.toml admits, per package that also has an advisory floor."""
    settings = project()["project"]
    groups = [settings["dependencies"], *settings["optional-dependencies"].values()]
    requirements = [Requirement(line) for group in groups for line in group]
    return {
        requirement.name: Version(specifier.version)
        for requirement in requirements
        for specifier in requirement.specifier
        if requirement.name in FLOORS and specifier.operator == ">="
    }


def test_the_declared_floor_of_a_package_covers_its_advisory() -> None:
    too_low = {name: str(low) for name, low in declared_floors().items() if low < Version(FLOORS[name][0])}
    assert not too_low, too_low


def test_the_pins_are_exact_and_name_every_direct_dependency() -> None:
    lines = (CHECKOUT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][A-Za-z0-9.]*", pin) for pin in pins)
    pinned = {normal(pin.partition("==")[0]) for pin in pins}
    settings = project()["project"]
    groups = [settings["dependencies"], *settings["optional-dependencies"].values()]
    needed = {normal(Requirement(line).name) for group in groups for line in group}
    assert needed <= pinned, needed - pinned


def normal(name: str) -> str:
    """A distribution's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def test_every_plugin_is_found_by_its_folder_name() -> None:
    for folder in PLUGIN_FOLDERS:
        text = (folder / "pyproject.toml").read_text(encoding="utf-8")
        assert f'name = "collecthub-{folder.name.replace("_", "-")}"' in text
        assert f'[project.entry-points.collecthub]\n{folder.name} = "collecthub_{folder.name}"\n' in text


def linked_from(page: Path) -> set[Path]:
    """The files and folders of the checkout that a page links to."""
    targets = re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8"))
    return {(page.parent / target).resolve() for target in targets if ":" not in target}


def test_every_page_is_found_from_the_index_and_no_link_leads_nowhere() -> None:
    docs = CHECKOUT.resolve() / "docs"
    pages = {path.resolve() for path in tracked_files() if path.suffix == ".md" and path.is_relative_to(CHECKOUT / "docs")}
    index = {docs / "README.md"}
    indexes = index | (linked_from(docs / "README.md") & {docs / "law" / "README.md", docs / "formats" / "README.md"})
    found = indexes | set[Path]().union(*(linked_from(page) for page in indexes))
    missing = [str(page.relative_to(docs)) for page in pages if page not in found and page.parent not in found]
    assert not missing, f"docs/README.md lists no {', '.join(sorted(missing))}"
    readers = pages | {CHECKOUT.resolve() / "README.md"}
    broken = [f"{page.name}: {target}" for page in readers for target in linked_from(page) if not target.exists()]
    assert not broken, broken
