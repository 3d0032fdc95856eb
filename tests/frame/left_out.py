"""What a run did not test is said at its end; with COLLECTHUB_REQUIRE_ALL=1 it is a failure.

A skip is for a part that this machine lacks (a browser, an SFTP server). Where everything was installed on purpose,
as in CI, a skip is a hole, so it fails with its own reason.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Generator
from typing import TypeVar

import pytest

Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)

REQUIRE_ALL = os.environ.get("COLLECTHUB_REQUIRE_ALL") == "1"


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    """The words given to `pytest.skip`; a skip's `longrepr` is (file, line, "Skipped: words")."""
    if isinstance(report.longrepr, tuple):
        return str(report.longrepr[2]).removeprefix("Skipped: ")
    return str(report.longrepr)


def _fail_if_left_out(report: Report) -> Report:
    is_skip = report.outcome == "skipped" and not hasattr(report, "wasxfail")
    if REQUIRE_ALL and is_skip:
        report.longrepr = f"left out although COLLECTHUB_REQUIRE_ALL=1: {_reason(report)}"
        report.outcome = "failed"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a test's skip into a failure when nothing may be left out."""
    return _fail_if_left_out((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Turn a whole file's skip (an import that is missing) into a failure as well."""
    return _fail_if_left_out((yield))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print one line per reason with the number of tests that it left out."""
    reasons = Counter(_reason(report) for report in terminalreporter.stats.get("skipped", []))
    if reasons:
        terminalreporter.section("left out")
        for reason, count in sorted(reasons.items()):
            terminalreporter.line(f"{count:5d}  {reason}")
