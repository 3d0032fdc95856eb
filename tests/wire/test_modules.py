"""Each heavy client is imported by its own module alone, and the examples in the docstrings hold."""

from __future__ import annotations

import doctest
import importlib
import subprocess
import sys

import pytest

HEAVY = {"asyncssh", "lxml", "openpyxl", "paramiko", "pysequoia", "signxml", "zeep"}


LIGHT = ["names", "target", "xml_prolog", "crypto", "container", "http", "tabular"]
HEAVIER = {"sftp": "paramiko", "xml": "lxml", "sign": "signxml", "soap": "zeep", "openpgp": "pysequoia", "sftp_service": "asyncssh"}
SCRIPT = f"""
import importlib, sys
for module in {[*LIGHT, *HEAVIER]}:
    importlib.import_module("collecthub.wire." + module)
    print(module, *sorted(set(sys.modules) & {HEAVY}))
"""


def test_a_module_brings_its_own_client_only() -> None:
    """Imported one after the other in one fresh process: each adds its own client to those before it."""
    found = subprocess.run([sys.executable, "-c", SCRIPT], check=True, capture_output=True, text=True).stdout
    loaded = {words[0]: set(words[1:]) for words in map(str.split, found.splitlines())}
    expected: set[str] = set()
    for module in LIGHT:
        assert loaded[module] == expected
    for module, own in HEAVIER.items():
        expected |= {own}
        assert loaded[module] == expected


@pytest.mark.parametrize("module", ["names", "tabular", "target"])
def test_the_examples_hold(module: str) -> None:
    result = doctest.testmod(importlib.import_module(f"collecthub.wire.{module}"))
    assert result.attempted and not result.failed
