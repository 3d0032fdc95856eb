"""One town and one browser for the whole folder; every test has a fresh browser context."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from frame import browser
from playwright.sync_api import Page

from collecthub.cli.serving import BackgroundServer
from collecthub.web.app import create_app
from portal.town import PASSWORD, Town, open_town

LogIn = Callable[..., Page]
PHONE, DESKTOP = browser.PHONE, browser.DESKTOP


@pytest.fixture(scope="session")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with open_town(tmp_path_factory.mktemp("town")) as found:
        yield found


@pytest.fixture(scope="session")
def url(town: Town) -> Iterator[str]:
    with BackgroundServer(create_app(town.hub)) as server:
        yield server.url


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
