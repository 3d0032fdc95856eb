"""The portal's pages keep nobody out, as axe-core judges them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from collecthub.store import tables as t
from collecthub.store.case_log import read_cases
from portal.conftest import PHONE, LogIn
from portal.town import Town

PAGES = ("/", "/cases", "/agenda", "/tasks", "/payments", "/connections", "/partners", "/quarantine", "/new", "/notices", "/countries/UY")


@pytest.mark.parametrize("viewport", [None, PHONE], ids=["desk", "phone"])
def test_every_page_of_daily_work(
    log_in: LogIn, url: str, town: Town, barriers: Callable[[Page], list[str]], viewport: dict[str, int] | None
) -> None:
    with town.hub.database.read() as conn:
        case = read_cases(conn, t.cases.c.total_minor > 0)[0]
    page = log_in("operator", viewport)
    found = {}
    for path in (*PAGES, *(f"/cases/{case.case_id}{part}" for part in ("", "/contact", "/reminders"))):
        page.goto(url + path)
        found[path] = barriers(page)
    assert {path: some for path, some in found.items() if some} == {}
