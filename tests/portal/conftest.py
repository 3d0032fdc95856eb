"""One town and one browser for the whole folder; every test has a fresh browser context."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from collecthub.cli.serving import BackgroundServer
from collecthub.web.app import create_app
from portal.town import PASSWORD, Town, open_town

_CHROMIUM = "/usr/bin/chromium"
_ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1280, "height": 900}

LogIn = Callable[..., Page]
expect.set_options(timeout=30_000)  # a busy machine is no defect of a page


@pytest.fixture(scope="session")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with open_town(tmp_path_factory.mktemp("town")) as found:
        yield found


@pytest.fixture(scope="session")
def url(town: Town) -> Iterator[str]:
    with BackgroundServer(create_app(town.hub)) as server:
        yield server.url


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
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


@pytest.fixture(scope="session")
def sessions() -> dict[str, Any]:
    """Cookies of people who logged in before, so that a password is hashed once a person."""
    return {}


@pytest.fixture
def log_in(new_page: Callable[..., Page], url: str, sessions: dict[str, Any]) -> LogIn:
    """Call it with a user's short name for a page on the start page of that user; `fresh` logs in anew."""

    def enter(name: str = "operator", viewport: dict[str, int] | None = None, *, fresh: bool = False) -> Page:
        known = None if fresh else sessions.get(name)
        page = new_page(viewport, known)
        if known is not None:
            page.goto(f"{url}/")
            return page
        page.goto(f"{url}/login")
        page.get_by_label("E-mail address").fill(f"{name}@town.example")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()
        page.wait_for_url(lambda address: "/login" not in address)
        if not fresh:
            sessions[name] = page.context.storage_state()
        return page

    return enter
