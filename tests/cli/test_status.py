"""`collecthub status`: without a database, with verdicts and exit codes that a script can branch on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cli.conftest import Run


@pytest.fixture(autouse=True)
def untouched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home that no command of this file may make."""
    home = tmp_path / "fresh"
    monkeypatch.setenv("COLLECTHUB_HOME", str(home))
    return home


def test_a_translation_says_what_it_lost(run: Run, untouched: Path) -> None:
    exact = json.loads(run("status", "translate", "--from", "riverty", "FULL_PAYMENT", "--json").stdout)
    assert (exact["verdict"], exact["meaning"], exact["outcome"], exact["lost"]) == ("exact", "closed", "paid_full", "")
    lossy = json.loads(run("status", "translate", "--from", "ygc", "43", "--json").stdout)
    assert (lossy["verdict"], lossy["axis"], lossy["hold"]) == ("lossy", "plan", "plan")
    assert "instalments" in lossy["lost"] and lossy["source"] and lossy["as_of"]
    assert not untouched.exists()


@pytest.mark.parametrize(
    ("vocabulary", "code", "verdict"),
    [("eda", "02", "ambiguous"), ("ygc", "39", "unmapped"), ("riverty", "FULL_PAYMNT", "unknown")],
)
def test_what_a_person_must_decide_ends_with_one(run: Run, vocabulary: str, code: str, verdict: str) -> None:
    found = json.loads(run("status", "translate", "--from", vocabulary, code, "--json", wanted=1).stdout)
    assert (found["verdict"], found["meaning"]) == (verdict, "")
    assert found["reason"]
    assert run("status", "translate", "--from", vocabulary, code, wanted=1).stdout == ""


def test_our_words_go_the_other_way(run: Run) -> None:
    found = json.loads(run("status", "translate", "--to", "debitura", "no_quote", "--json").stdout)
    assert {row["code"] for row in found["items"]} == {"No Quotes Received", "Quotes Expired – Not Accepted"}
    assert "no code for 'plan_broken'" in run("status", "translate", "--to", "riverty", "plan_broken", wanted=1).stderr
    assert "no word 'nonsense'" in run("status", "translate", "--to", "riverty", "nonsense", wanted=1).stderr
    run("status", "translate", "paid_full", wanted=2)
    run("status", "translate", "--from", "riverty", "--to", "riverty", "paid_full", wanted=2)


def test_a_whole_table_is_reported(run: Run) -> None:
    found = json.loads(run("status", "report", "--from", "buckaroo", "--json").stdout)
    assert found["counts"] == {"exact": 5, "lossy": 5, "ambiguous": 3, "unmapped": 4, "unknown": 0}
    assert {one["code"] for one in found["codes"] if one["verdict"] == "ambiguous"} == {"73", "74", "91"}
    assert "judgment_given" in found["not_sayable"] and "dispute_raised" not in found["not_sayable"]
    assert "No code says" in run("status", "report", "--from", "buckaroo").stdout
    tables = json.loads(run("status", "tables", "--json").stdout)["items"]
    assert {"debitura", "riverty", "buckaroo", "ygc", "debrec", "eda", "sdt", "epu"} <= {one["vocabulary"] for one in tables}
