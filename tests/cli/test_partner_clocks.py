"""How long a partner may take for each rung: shown, agreed upon, taken back."""

from __future__ import annotations

import json

import pytest

from cli.conftest import Run

pytestmark = pytest.mark.usefixtures("home")


def test_clocks_are_agreed_with_a_partner_and_taken_back(run: Run) -> None:
    run("partner", "add", "peeters", "--name", "Peeters", "--role", "bailiff")
    told = json.loads(run("partner", "clocks", "peeters", "--set", "received_hours=4", "--set", "validated_hours=8", "--json").stdout)
    assert told["agreed"] == {"received_hours": 4, "validated_hours": 8}
    assert told["default"]["received_hours"] == 24
    assert "partner" in run("partner", "clocks", "peeters").stdout
    told = json.loads(run("partner", "clocks", "peeters", "--unset", "validated_hours", "--json").stdout)
    assert told["agreed"] == {"received_hours": 4}


def test_what_is_no_clock_is_named(run: Run) -> None:
    run("partner", "add", "peeters", "--name", "Peeters", "--role", "bailiff")
    assert "no clock 'tea_hours'" in run("partner", "clocks", "peeters", "--set", "tea_hours=4", wanted=1).stderr
    assert run("partner", "clocks", "peeters", "--set", "received_hours=soon", wanted=2).stdout == ""
    assert "nobody" in run("partner", "clocks", "nobody", wanted=1).stderr
