"""The dry run in the portal: figures, map and file at once for few cases, by a worker for many; each tenant its own."""

from __future__ import annotations

import pytest

from collecthub.web.portal import feasibility
from web.office import Office
from web.test_payments_page import page, send, visitor, words


def test_the_map_of_a_dry_run_is_on_the_page_and_in_a_file(office: Office) -> None:
    for debtor in ({"name": "A", "country": "BE", "vat_ref": "BE0403019261"}, {"name": "B", "country": "PE"}):
        office.open_case(debtor=debtor)
    office.open_case("other", debtor={"name": "C", "country": "CL"})
    client = visitor(office)
    shown = page(client, "/portfolio")
    assert "Open cases2" in words(shown) and "Check all of them now" not in words(shown)
    saved = client.get("/portfolio/world.svg")
    assert saved.headers["Content-Disposition"].startswith('attachment; filename="portfolio-2026-06-15.svg"')
    for picture in (shown.xpath("string(//*[@data-country='PE'])"), saved.text):
        assert "Peru: open cases and nobody for them; partners 0, open cases 1" in picture
    assert "Chile: no partner, no open case" in saved.text, "another creditor's case is not on his map"


def test_a_large_portfolio_is_checked_by_a_worker(both_office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feasibility, "CASES_AT_ONCE", 1)
    office = both_office
    for _ in range(2):
        office.open_case()
    client = visitor(office)
    start = page(client, "/portfolio")
    assert "Not checked yet" in words(start) and "What stands against them" not in words(start)
    waiting = send(client, start, "/portfolio")
    assert "The check is under way" in words(waiting)
    office.run()
    done = page(client, "/portfolio")
    assert "Last checked as of 2026-06-15" in words(done) and "Open cases2" in words(done)
    assert "SAN-01" in words(done), "the rules with their counts"
