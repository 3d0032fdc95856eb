"""The system's Chromium for every test that looks at a page; each has a fresh context."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

_CHROMIUM = "/usr/bin/chromium"
_ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1280, "height": 900}
expect.set_options(timeout=30_000)  # a busy machine is no defect of a page


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Closed with its module: while it is open no other test of the process can run an event loop of its own."""
    chromium = shutil.which("chromium") or _CHROMIUM
    if not Path(chromium).exists():
        pytest.skip("no system Chromium; install the package chromium")
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=chromium, args=list(_ARGUMENTS))
        yield found
        found.close()


@pytest.fixture
def complaints() -> list[str]:
    """What the browser had to complain about: errors of scripts and everything the content policy refused."""
    return []


@pytest.fixture
def new_page(browser: Browser, complaints: list[str]) -> Iterator[Callable[..., Page]]:
    """Call it for a page in a context of its own."""
    opened: list[BrowserContext] = []

    def make(viewport: dict[str, int] | None = None, state: Any = None) -> Page:
        context = browser.new_context(viewport=viewport or DESKTOP, storage_state=state)  # type: ignore[arg-type]  # a plain dict
        context.set_default_timeout(30_000)
        opened.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda entry: complaints.append(entry.text) if entry.type == "error" else None)
        return page

    yield make
    for context in opened:
        context.close()
