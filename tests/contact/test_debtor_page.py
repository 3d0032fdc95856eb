"""The debtor's page in a real browser and over HTTP: what he sees, what he may say, and what nobody else gets to see."""

from __future__ import annotations

import datetime as dt
import itertools
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient
from playwright.sync_api import Page, expect
from web.office import BASE, Office

from collecthub.cli.serving import BackgroundServer
from collecthub.engine.debtor_links import link_of
from collecthub.model.plan import PlanState
from collecthub.store import tables as t
from collecthub.store.contact_tables import debtor_links
from collecthub.web.app import create_app
from contact.conftest import Later
from contact.test_course import case_of, open_tasks

PDF = b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"


_numbers = itertools.count(1)


@pytest.fixture
def case_id(office: Office) -> str:
    debtor = {"name": "Zoé <b>Bold</b>", "kind": "person", "country": "BE", "email": f"zoe{next(_numbers)}@example.org", "language": "nl"}  # fmt: skip
    claims = [{"number": "F-<1>", "issued_on": "2026-05-01", "due_on": "2026-06-14", "amount": "120.50"}]
    return str(office.open_case(debtor=debtor, claims=claims)["case_id"])


def link(office: Office, case_id: str) -> tuple[str, str]:
    with office.hub.work() as work:
        made = link_of(office.hub, work, case_id)
        assert link_of(office.hub, work, case_id) == made  # every message names the same
    return made.path, made.code


@pytest.fixture
def visitor(office: Office, case_id: str) -> TestClient:
    """A browser that gave the code."""
    path, code = link(office, case_id)
    client = TestClient(office.app, base_url=BASE, raise_server_exceptions=False)
    assert "acht cijfers" in client.get(path, headers={"Accept-Language": "nl"}).text
    assert client.post(f"{path}/code", data={"code": code}, follow_redirects=False).status_code == 303
    client.headers["x-path"] = path
    return client


def say(client: TestClient, what: str, files: Any = None, **fields: str) -> Any:
    path = client.headers["x-path"]
    found = re.search(r'name="csrf" value="([^"]+)"', client.get(path).text)
    assert found is not None
    return client.post(f"{path}/say/{what}/documents", data={"csrf": found[1], **fields}, files=files, follow_redirects=False)


def test_without_the_code_nothing_is_said(office: Office, case_id: str) -> None:
    path, code = link(office, case_id)
    client = TestClient(office.app, base_url=BASE, raise_server_exceptions=False)
    shown = client.get(path)
    assert shown.status_code == 200
    assert "Zo" not in shown.text and "120" not in shown.text and "Kroon" not in shown.text
    wrong = "00000000" if code.replace(" ", "") != "00000000" else "11111111"
    answers = [client.post(f"{path}/code", data={"code": wrong}).status_code for _ in range(5)]
    assert answers == [422] * 5
    with office.hub.database.write() as conn:  # a quarter of an hour long, so that a slow machine changes nothing
        assert conn.scalar(sa.select(debtor_links.c.tries)) == 5
        conn.execute(sa.update(debtor_links).values(tries=20))
    assert client.post(f"{path}/code", data={"code": wrong}).status_code == 429  # guessing costs time
    assert client.post(f"{path}/code", data={"code": code}).status_code == 429
    assert client.get("/d/AAAAAAAAAAAAAAAAAAAAAAAA").status_code == 404
    assert client.get(f"/d/{case_id}").status_code == 404


def test_the_code_of_one_case_opens_no_other(office: Office, case_id: str, visitor: TestClient) -> None:
    other_id = str(office.open_case()["case_id"])
    other, _ = link(office, other_id)
    assert "120" not in visitor.get(other).text  # its own code is asked for
    with office.hub.database.read() as conn:
        kept = conn.execute(sa.select(debtor_links)).all()
    secrets = {part for one in (case_id, other_id) for part in link(office, one)}
    assert not any(secret.removeprefix("/d/") in str(row) for row in kept for secret in secrets)


def test_a_plan_within_the_limits_holds_at_once_and_beyond_them_a_person_looks(
    office: Office, case_id: str, visitor: TestClient
) -> None:
    assert say(visitor, "plan", months="3").status_code == 303
    plan = case_of(office, case_id).plan
    assert plan is not None and plan.state is PlanState.AGREED
    assert sum(one.amount for one in plan.instalments) == plan.total
    second = str(office.open_case(debtor={"name": "Bo", "country": "BE", "email": "bo@example.org"})["case_id"])
    path, code = link(office, second)
    visitor.post(f"{path}/code", data={"code": code})
    visitor.headers["x-path"] = path
    assert say(visitor, "plan", months="60").status_code == 303
    offered = case_of(office, second).plan
    assert offered is not None and offered.state is PlanState.PROPOSED


def test_he_sees_what_was_sent_and_so_what_is_real(office: Office, case_id: str, visitor: TestClient, later: Later) -> None:
    path = visitor.headers["x-path"]
    assert "Wat wij u stuurden" not in visitor.get(path).text
    later(office, 3)
    shown = visitor.get(path).text
    assert "17 juni 2026: E-mail" in shown and "Bel ons voor u iets betaalt" in shown


def test_what_he_says_stops_the_reminders(office: Office, case_id: str, visitor: TestClient, later: Later, mails: Any) -> None:
    answer = say(visitor, "help", text="OCMW Gent, mevrouw Peeters", files={"file": ("brief.pdf", PDF, "application/pdf")})
    assert answer.status_code == 303
    later(office, 10)
    (contact,) = case_of(office, case_id).debtor.contacts
    assert contact.email and mails(contact.email) == []
    with office.hub.database.read() as conn:
        assert conn.scalar(sa.select(t.documents.c.kind).where(t.documents.c.case_id == case_id)) == "mediation"


def test_bad_uploads_and_stale_forms_are_refused_in_plain_words(office: Office, case_id: str, visitor: TestClient) -> None:
    version = case_of(office, case_id).version
    refused = say(visitor, "paid", files={"file": ("virus.exe", b"MZ\x90\x00", "application/pdf")})
    assert refused.status_code == 422 and "PDF" in refused.text
    path = visitor.headers["x-path"]
    assert visitor.post(f"{path}/say/paid/documents", data={"csrf": "x", "text": "a"}).status_code == 409
    assert say(visitor, "dispute", text="no", amount="1e9").status_code == 422
    assert case_of(office, case_id).version == version
    elsewhere = visitor.post(f"{path}/say/paid/documents", data={"csrf": "x"}, headers={"Origin": "https://evil.example"})
    assert elsewhere.status_code == 409


# --- in the browser -------------------------------------------------------------------------------


@pytest.fixture
def site(office: Office) -> Iterator[str]:
    with BackgroundServer(create_app(office.hub)) as server:
        yield server.url


def test_the_page_on_a_phone_in_four_languages(
    office: Office, case_id: str, site: str, new_page: Callable[..., Page], complaints: list[str]
) -> None:
    path, code = link(office, case_id)
    page = new_page({"width": 360, "height": 740})
    page.goto(f"{site}{path}")
    page.locator("#code").fill(code)
    page.locator("button").click()
    for language in ("nl", "fr", "de", "en"):
        page.goto(f"{site}{path}?language={language}")
        assert page.locator("html").get_attribute("lang") == language
        assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
        expect(page.locator("h1")).to_contain_text("120")
        expect(page.locator("figure svg")).to_be_visible()
        expect(page.locator("#reference")).to_contain_text("+++")
        expect(page.get_by_text("F-<1>")).to_be_visible()
        assert page.evaluate(_NAMELESS) == []
        assert page.evaluate(_SMALL) == []
    assert complaints == []


def test_a_proposal_by_keyboard_alone(office: Office, case_id: str, site: str, new_page: Callable[..., Page]) -> None:
    path, code = link(office, case_id)
    page = new_page()
    page.goto(f"{site}{path}")
    page.keyboard.type(code)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{site}{path}")
    page.locator("#call summary").focus()
    page.keyboard.press("Enter")
    page.locator("#call-text").focus()
    page.keyboard.type("0470 12 34 56")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").first).to_be_visible()
    assert "callback" in open_tasks(office)
    assert case_of(office, case_id).changed_at.date() == dt.date(2026, 6, 15)


def test_nothing_on_any_page_keeps_anybody_out(
    office: Office, case_id: str, site: str, new_page: Callable[..., Page], barriers: Callable[[Page], list[str]], later: Later,
    complaints: list[str],
) -> None:
    """On a phone: the code, the page with all its parts in four languages, what went wrong, the helper's box and his page."""
    path, code = link(office, case_id)
    page, found = new_page({"width": 390, "height": 844}), {}

    def judge(name: str) -> None:
        page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
        wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        found[name] = [*barriers(page), *page.evaluate(_NAMELESS), *page.evaluate(_SMALL), *(["too wide"] if wide > 0 else [])]

    def send(what: str, text: str = "") -> None:
        page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
        if text:
            page.locator(f"#{what}-text").fill(text)
        page.locator(f"#{what} button").click()

    later(office, 3)  # a reminder left, and it is named
    page.goto(f"{site}{path}")
    judge("code")
    page.locator("#code").fill(code)
    page.locator("button").click()
    for language in ("nl", "fr", "de", "en"):
        page.goto(f"{site}{path}?language={language}")
        judge(language)
        assert page.locator("#sent, #helps, #data, #later").count() == 4, language
    send("helper", "Mevrouw Peeters, OCMW")
    judge("helper's box")
    box = page.locator(".debtor-note strong")
    helper_at, helper_code = box.nth(0).inner_text(), box.nth(1).inner_text()
    send("plan")
    page.wait_for_url("**done=plan**")
    judge("said")
    page.goto(f"{site}/d/AAAAAAAAAAAAAAAAAAAAAAAA")
    judge("gone")
    page.goto(f"{site}/d/{helper_at.rpartition('/')[2]}")
    page.locator("#code").fill(re.sub(r"\D", "", helper_code))
    page.locator("button").click()
    expect(page.locator("#your-plan")).to_be_visible()
    judge("helper")
    assert {name: some for name, some in found.items() if some} == {}
    assert [one for one in complaints if "404" not in one] == []


_NAMELESS = (
    "[...document.querySelectorAll('input:not([type=hidden]), select, textarea')]"
    ".filter(e => !e.labels?.length && !e.getAttribute('aria-label')).map(e => e.outerHTML.slice(0, 80))"
)
_SMALL = (  # what a finger must hit is at least 44 pixels high
    "[...document.querySelectorAll('button, summary, nav a, select')].filter(e => e.offsetParent)"
    ".filter(e => e.getBoundingClientRect().height < 43.5).map(e => e.outerHTML.slice(0, 80))"
)
