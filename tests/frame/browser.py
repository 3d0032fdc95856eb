"""The system's Chromium for every test that looks at a page; each begins without cookies on a blank page.

A test's first page is its module's one tab, emptied: to start the process behind a new one takes four times as long as to
show a page. Every further page of a test has a context of its own.
"""

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


@pytest.fixture(scope="module")
def tab(browser: Browser) -> Callable[[dict[str, int], Any], Page]:
    """Call it for the module's one tab, in which nobody is logged in but whose state is given."""
    kept: list[Page] = []

    def empty(viewport: dict[str, int], state: Any) -> Page:
        if not kept or kept[0].is_closed():
            kept[:] = [_context(browser, viewport).new_page()]
        page = kept[0]
        for other in page.context.pages:
            if other is not page:
                other.close()
        page.goto("about:blank")
        page.set_viewport_size(viewport)  # type: ignore[arg-type]  # a plain dict
        page.context.clear_cookies()
        page.context.add_cookies((state or {}).get("cookies", []))
        return page

    return empty


@pytest.fixture
def new_page(
    browser: Browser, tab: Callable[[dict[str, int], Any], Page], complaints: list[str]
) -> Iterator[Callable[..., Page]]:
    """Call it for a page on which nobody is logged in, or whose state is given."""
    opened: list[Page] = []

    def on_error(error: Any) -> None:
        complaints.append(str(error))

    def on_console(entry: Any) -> None:
        if entry.type == "error":
            complaints.append(entry.text)

    def make(viewport: dict[str, int] | None = None, state: Any = None) -> Page:
        size = viewport or DESKTOP
        page = _context(browser, size, state).new_page() if opened else tab(size, state)
        opened.append(page)
        page.on("pageerror", on_error)
        page.on("console", on_console)
        return page

    yield make
    for page in opened[:1]:
        page.remove_listener("pageerror", on_error)
        page.remove_listener("console", on_console)
    for page in opened[1:]:
        page.context.close()


def _context(browser: Browser, viewport: dict[str, int], state: Any = None) -> BrowserContext:
    context = browser.new_context(viewport=viewport, storage_state=state)  # type: ignore[arg-type]  # a plain dict
    context.set_default_timeout(30_000)
    return context
