"""A home for every test, copied from one that was set up once: making the databases takes the longest."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from collecthub.cli.main import app
from collecthub.config import load_settings
from collecthub.engine.doors import create_creditor
from collecthub.hub import open_hub
from collecthub.model.party import Party

Run = Callable[..., Result]


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with one creditor."""
    home = tmp_path_factory.mktemp("template")
    hub = open_hub(load_settings({}, home=home))
    create_creditor(hub, Party(name="Brouwerij De Kroon", country="BE"), creditor_id="kroon")
    hub.close()
    return home


@pytest.fixture
def home(tmp_path: Path, template: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The home that commands of this test work on."""
    copied = shutil.copytree(template, tmp_path / "home")
    monkeypatch.setenv("COLLECTHUB_HOME", str(copied))
    monkeypatch.setenv("COLUMNS", "200")
    return copied


@pytest.fixture
def run() -> Run:
    """Run a command in this process; fails when it ends with another exit code than wanted."""

    def invoke(*words: str, wanted: int = 0, typed: str | None = None) -> Result:
        outcome = CliRunner().invoke(app, list(words), input=typed)
        assert outcome.exit_code == wanted, f"{words}: {outcome.exit_code}\n{outcome.output}"
        return outcome

    return invoke
