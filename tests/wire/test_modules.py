"""Each heavy client is imported by its own module alone, and the examples in the docstrings hold."""

from __future__ import annotations

import doctest
import importlib
import subprocess
import sys

import pytest

HEAVY = {"asyncssh", "lxml", "openpyxl", "paramiko", "signxml", "zeep"}


@pytest.mark.parametrize(
    ("module", "clients"),
    [
        ("container", set()),
        ("crypto", set()),
        ("http", set()),
        ("names", set()),
        ("sftp", {"paramiko"}),
        ("sign", {"lxml", "signxml"}),
        ("soap", {"lxml", "zeep"}),
        ("tabular", set()),
        ("target", set()),
        ("xml", {"lxml"}),
        ("xml_prolog", set()),
    ],
)
def test_a_module_brings_its_own_client_only(module: str, clients: set[str]) -> None:
    script = (
        f"import collecthub.wire.{module}, sys; print(*sorted(set(sys.modules) & set({sorted(HEAVY)!r})))"
    )
    found = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout
    assert set(found.split()) == clients


@pytest.mark.parametrize("module", ["names", "tabular", "target"])
def test_the_examples_hold(module: str) -> None:
    result = doctest.testmod(importlib.import_module(f"collecthub.wire.{module}"))
    assert result.attempted and not result.failed
