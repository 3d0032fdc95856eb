"""A plugin that raises, hangs or cannot be imported disables only itself: real distributions, found by entry point."""

from __future__ import annotations

import datetime as dt
import threading
from pathlib import Path

import pytest

from collecthub import plugins as plugin_loading
from collecthub.plugins import PluginSet, load_plugins
from collecthub.sdk import hookimpl

SPEC = """
from pydantic import BaseModel
from collecthub.sdk import ConnectorRole, ConnectorSpec, hookimpl

class Settings(BaseModel):
    pass

@hookimpl
def register_connectors():
    return [ConnectorSpec(kind="{kind}", title="{kind}", role=ConnectorRole.ERP, settings=Settings, load=lambda: object)]

@hookimpl
def propose_routes(case, creditor_country, partners, as_of):
    {propose}
"""
BODIES = {
    "good": SPEC.format(kind="good", propose="return ['a proposal']"),
    "hangs_when_asked": SPEC.format(kind="slow", propose="import threading; threading.Event().wait()"),
    "raises_when_asked": SPEC.format(kind="sour", propose="raise SystemExit('no')"),
    "cannot_be_imported": "import a_module_that_nobody_wrote",
    "exits_on_import": "raise SystemExit(3)",
    "hangs_on_import": "import threading; threading.Event().wait()",
    "raises_in_its_hook": (
        "from collecthub.sdk import hookimpl\n@hookimpl\ndef register_connectors():\n    return [1 / 0]\n"
    ),
    "breaks_the_contract": (
        "from collecthub.sdk import hookimpl\n@hookimpl\ndef register_connectors(no_such_argument):\n    return []\n"
    ),
    "takes_anothers_kind": SPEC.format(kind="good", propose="return None"),
}
LOADED = {"good", "hangs_when_asked", "raises_when_asked"}


@pytest.fixture
def plugins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PluginSet:
    """What is loaded when every one of these distributions is installed beside the real plugins."""
    for name, body in BODIES.items():
        (tmp_path / f"stranger_{name}.py").write_text(body, encoding="utf-8")
        info = tmp_path / f"stranger_{name}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: stranger-{name}\nVersion: 1.0\n", "utf-8")
        (info / "entry_points.txt").write_text(f"[collecthub]\nz_{name} = stranger_{name}\n", "utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(plugin_loading, "IMPORT_SECONDS", 2.0)
    monkeypatch.setattr(plugin_loading, "HOOK_SECONDS", 1.0)
    return load_plugins((), ("erp_exact", "erp_sap"))


def test_bad_plugins_are_shown_as_such_and_nobody_else_is_hurt(plugins: PluginSet) -> None:
    strangers = {name[2:]: state for name, state in plugins.states.items() if name.startswith("z_")}
    assert {name for name, state in strangers.items() if state.is_loaded} == LOADED
    assert all(strangers[name].problem for name in BODIES.keys() - LOADED)
    assert "2 seconds" in strangers["hangs_on_import"].problem
    assert "already taken" in strangers["takes_anothers_kind"].problem
    assert {"good", "slow", "sour", "sftp_batch", "creditor_webhook"} <= plugins.connectors.keys()
    assert not plugins.states["erp_exact"].is_loaded


def test_a_plugin_that_fails_when_asked_is_passed_over(plugins: PluginSet) -> None:
    answers = dict(
        plugins.ask("propose_routes", case=None, creditor_country="BE", partners=(), as_of=dt.date(2026, 6, 15))
    )
    assert answers == {"z_good": ["a proposal"]}


def test_many_items_are_asked_at_once_and_one_bad_item_costs_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugin_loading, "HOOK_SECONDS", 0.2)
    released = threading.Event()
    plugins = PluginSet()
    plugins.add("moody", _Moody(released))
    countries = ["BE", "raises", "DE", "hangs", "FR"]
    items = [{"case": None, "creditor_country": one, "partners": (), "as_of": dt.date(2026, 6, 15)} for one in countries]
    answers = plugins.ask_each("propose_routes", items)
    released.set()
    assert answers == [[("moody", ["BE"])], [], [("moody", ["DE"])], [], [("moody", ["FR"])]]


class _Moody:
    """A plugin that raises at one case and hangs at another."""

    def __init__(self, released: threading.Event) -> None:
        self._released = released

    @hookimpl
    def propose_routes(self, creditor_country: str) -> list[str]:
        if creditor_country == "raises":
            raise SystemExit("no")
        if creditor_country == "hangs":
            self._released.wait(60)
        return [creditor_country]
