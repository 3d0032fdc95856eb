"""Connecting Exact Online in the browser, from choosing the kind to the first pull; and everything that goes wrong on the way."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest
from playwright.sync_api import Page, expect

from collecthub.sandbox.exact import CLIENT_ID, CLIENT_SECRET
from collecthub.sandbox.exact_books import DEFAULT_DIVISION
from collecthub.sandbox.exact_login import PASSWORD as VENDOR_PASSWORD
from collecthub.sandbox.exact_login import USER as VENDOR_USER
from collecthub.store.connections import change_connection
from collecthub.store.secrets import ConnectionVault
from portal.conftest import PHONE
from portal.town import PASSWORD
from portal.vendor_hub import ROOMY, VendorHub, open_vendor_hub

pytestmark = pytest.mark.browser
Enter = Callable[..., Page]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VendorHub]:
    with open_vendor_hub(tmp_path_factory.mktemp("vendor")) as found:
        found.owe("F-1", "C1", "1210.00")
        found.owe("F-2", "C2", "363.50")
        yield found


@pytest.fixture(scope="module")
def logins() -> dict[str, Any]:
    return {}


@pytest.fixture
def enter(new_page: Callable[..., Page], place: VendorHub, logins: dict[str, Any]) -> Enter:
    """Call it with a user's short name for a page on the start page; `fresh` logs in anew."""

    def log_in(name: str = "operator", viewport: dict[str, int] | None = None, *, fresh: bool = False) -> Page:
        page = new_page(viewport, None if fresh else logins.get(name))
        page.goto(f"{place.url}/login")
        if "/login" in page.url:
            page.get_by_label("E-mail address").fill(f"{name}@town.example")
            page.get_by_label("Password").fill(PASSWORD)
            page.get_by_role("button", name="Log in").click()
            page.wait_for_url(f"{place.url}/")
            logins.setdefault(name, page.context.storage_state())
        return page

    return log_in


@pytest.fixture
def connection(place: VendorHub) -> str:
    """An Exact connection that waits for its consent, in a vendor's house where everybody must log in."""
    place.exact.control("consent", {"page": "ask"})
    return place.connect()


def agree(page: Page, *, password: str = VENDOR_PASSWORD) -> None:
    page.get_by_label("User name").fill(VENDOR_USER)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in and agree").click()


def test_a_person_connects_exact_online_and_sees_the_first_pull(
    enter: Enter, place: VendorHub, complaints: list[str]
) -> None:
    place.exact.control("consent", {"page": "ask"})
    page = enter()
    page.goto(f"{place.url}/connections")
    page.get_by_role("link", name="Add a connection").click()
    page.get_by_role("link", name="Exact Online").click()
    assert page.get_by_label("Redirect address").input_value() == place.callback  # what to register at the vendor
    page.get_by_label("Name", exact=True).fill("Exact of the brewery")
    page.get_by_label("Creditor").select_option("kroon")
    page.get_by_label("Base address").fill(place.exact.url)
    page.get_by_label("Client ID").fill(CLIENT_ID)
    page.get_by_label("Client secret").fill(CLIENT_SECRET)
    page.get_by_role("button", name="Add the connection").click()
    expect(page.get_by_role("heading", name="Give consent")).to_be_visible()
    connection_id = page.url.partition("/connections/")[2].partition("?")[0]

    page.get_by_role("button", name="Give consent").click()
    page.wait_for_url(f"{place.exact.url}/**")
    agree(page, password="wrong")
    expect(page.get_by_role("alert")).to_contain_text("incorrect")  # the vendor's own business; nothing happens here
    assert place.row(connection_id).cause == "consent"
    agree(page)
    page.wait_for_url(f"{place.url}/connections/{connection_id}/divisions?**")
    assert "code" not in page.url
    page.get_by_label(str(DEFAULT_DIVISION)).check()
    page.get_by_role("button", name="Pull these").click()
    check = page.get_by_role("region", name="Check")
    expect(check).to_contain_text("Everything works")
    expect(check).to_contain_text("Token")

    place.work()
    page.goto(f"{place.url}/connections/{connection_id}")
    last = page.get_by_role("region", name="The last pull")
    expect(last).to_contain_text("Done")
    expect(last).to_contain_text("the ERP's own totals agreed")
    expect(last.get_by_role("row", name=re.compile("New"))).to_contain_text("1,573.50")
    expect(last).to_contain_text(re.compile(r"\d+ of 6,000 left this minute"))
    expect(last).to_contain_text("left today")
    assert CLIENT_SECRET not in page.content()
    assert complaints == []


def test_a_refusal_at_the_vendor_is_said_and_changes_nothing(enter: Enter, place: VendorHub, connection: str) -> None:
    page = enter("kroon")  # the creditor's own person may do it
    page.goto(f"{place.url}/connections/{connection}")
    page.get_by_role("button", name="Give consent").click()
    page.get_by_role("button", name="Refuse").click()
    expect(page.get_by_role("alert")).to_contain_text("was not given at the vendor's page")
    assert place.row(connection).cause == "consent"
    page.get_by_role("button", name="Reconnect").click()
    page.wait_for_url(f"{place.exact.url}/**")
    agree(page)
    page.wait_for_url("**/divisions?**")
    assert place.row(connection).cause == "choice"


@pytest.mark.parametrize("why", ["expired", "spent", "of another login", "forged"])
def test_an_answer_that_does_not_belong_here_is_refused(
    enter: Enter, place: VendorHub, connection: str, why: str
) -> None:
    page = enter()
    page.goto(f"{place.url}/connections/{connection}")
    brought: list[str] = []
    page.on("request", lambda request: brought.append(request.url) if place.callback in request.url else None)
    page.get_by_role("button", name="Give consent").click()
    page.wait_for_url(f"{place.exact.url}/**")
    if why == "expired":
        place.expire_consents()
        agree(page)
        said = "more than 15 minutes ago"
    elif why == "spent":
        agree(page)
        page.wait_for_url("**/divisions?**")
        page.goto(brought[0])
        said = "answered before"
    else:
        state = parse_qs(urlsplit(page.url).query)["state"][0]
        state = state if why == "of another login" else state[:-4] + ("AAAA" if state[-4:] != "AAAA" else "BBBB")
        page = enter("kroon" if why == "of another login" else "operator")
        page.goto(f"{place.callback}?code=stolen&state={state}")
        said = "does not belong to a consent that was begun in this login"
    expect(page.get_by_role("alert")).to_contain_text(said)
    assert place.row(connection).cause == ("choice" if why == "spent" else "consent")
    if why in ("of another login", "forged"):
        assert place.exact.control("tokens")["calls"].get("invalid_grant", 0) == 0  # the code was not even tried


def test_a_consent_that_ran_out_shows_one_button_and_the_others_go_on(
    enter: Enter, place: VendorHub, connection: str
) -> None:
    place.consent(connection)
    place.work()
    other = _other_connection(place)
    place.exact.control("revoke", {"client_id": CLIENT_ID})
    _use_up_the_token(place, connection)
    place.pull(connection)
    place.pull(other)
    assert (place.row(connection).status, place.row(connection).cause) == ("stopped", "consent")
    assert place.row(other).status == "ok"
    page = enter("kroon")
    page.goto(f"{place.url}/connections/{connection}")
    expect(page.get_by_role("button", name="Reconnect")).to_have_count(1)
    expect(page.get_by_role("button", name="Pull now")).to_have_count(0)
    place.exact.control("consent", {"page": "ask"})
    page.get_by_role("button", name="Reconnect").click()
    page.wait_for_url(f"{place.exact.url}/**")
    agree(page)
    page.wait_for_url(f"{place.url}/connections/{connection}?**")
    expect(page.get_by_role("region", name="Check")).to_contain_text("Everything works")
    place.work()
    assert place.row(connection).status == "ok"


def _other_connection(place: VendorHub) -> str:
    """A second connection of the same vendor with an app of its own."""
    place.exact.control(
        "app", {"client_id": "other", "client_secret": "other", "redirect_uri": place.callback, "webhook_secret": "x"}
    )
    connection_id = place.connect("Other books", client_id="other", client_secret="other")
    place.consent(connection_id)
    return connection_id


def _use_up_the_token(place: VendorHub, connection_id: str) -> None:
    """Eleven minutes later: the access token is too old, and the refresh token does not work any more."""
    vault = ConnectionVault(place.hub.database, place.hub.key, connection_id)
    pair = msgspec.json.decode(vault.read("exact.tokens") or "{}")
    for name in ("obtained_at", "expires_at"):
        pair[name] = (dt.datetime.fromisoformat(pair[name]) - dt.timedelta(minutes=11)).isoformat()
    vault.write("exact.tokens", msgspec.json.encode(pair).decode())
    with place.hub.database.write() as conn:  # as in another process, which has nothing in memory
        change_connection(conn, connection_id, revision=place.row(connection_id).revision + 1)


def test_on_a_phone(enter: Enter, place: VendorHub, connection: str) -> None:
    page = enter(viewport=PHONE)
    for path in ("/connections/add", "/connections/add/erp_exact", f"/connections/{connection}", f"/connections/{connection}/settings"):
        page.goto(place.url + path)
        assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0, path


def test_settings_are_changed_and_a_secret_left_empty_stays(enter: Enter, place: VendorHub, connection: str) -> None:
    page = enter()
    page.goto(f"{place.url}/connections/{connection}")
    page.get_by_role("link", name="Settings and secrets").click()
    secret = page.get_by_label("Client secret")
    assert secret.input_value() == ""
    expect(page.get_by_text("A secret is stored.")).to_be_visible()
    page.get_by_text("More settings").click()
    page.get_by_label("Reserve calls").fill("many")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("Nothing is changed yet.")
    expect(page.locator(".is-wrong")).to_have_count(1)
    expect(page.locator(".is-wrong")).to_contain_text("Write a whole number.")
    page.get_by_label("Reserve calls").fill("321")
    page.get_by_label("Write note").uncheck()
    page.get_by_label("Name", exact=True).fill("Exact of the brewery")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Exact of the brewery")
    settings: Any = place.hub.connector(connection)._settings
    assert (settings.reserve_calls, settings.write_note) == (321, False)
    assert settings.client_secret.get_secret_value() == CLIENT_SECRET
    page.get_by_role("link", name="Settings and secrets").click()
    page.get_by_label("Client secret").fill("another one")
    page.get_by_role("button", name="Save").click()
    changed: Any = place.hub.connector(connection)._settings
    assert changed.client_secret.get_secret_value() == "another one"
    creditor = enter("kroon")
    answer = creditor.goto(f"{place.url}/connections/{connection}/settings")
    assert answer is not None and answer.status == 200
    expect(creditor.get_by_label("Client secret")).to_have_value("")


def test_a_person_lets_a_connection_rest_and_resumes_it(enter: Enter, place: VendorHub, connection: str) -> None:
    place.consent(connection)
    place.work()
    page = enter("kroon")
    page.goto(f"{place.url}/connections/{connection}")
    page.get_by_role("button", name="Let it rest").click()
    expect(page.get_by_role("heading", name="Resting")).to_be_visible()
    expect(page.get_by_text("Stopped by Kroon Desk")).to_be_visible()
    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_role("status")).to_contain_text("goes on")
    assert place.row(connection).status == "ok"


def test_throttling_is_said_with_its_end_and_an_incomplete_pull_with_its_reason(
    enter: Enter, place: VendorHub, connection: str
) -> None:
    place.consent(connection)
    place.work()
    place.exact.control("limits", {**ROOMY, "a_day": 3})
    try:
        place.pull(connection)
    finally:
        place.exact.control("limits", ROOMY)
    page = enter("kroon")
    page.goto(f"{place.url}/connections/{connection}")
    expect(page.get_by_role("status").first).to_contain_text(re.compile(r"[Tt]hrottled until (\d{4}-\d\d-\d\d )?\d\d:\d\d"))
    last = page.get_by_role("region", name="The last pull")
    expect(last).to_contain_text("Incomplete")
    expect(last).to_contain_text("opens, lowers and closes no case")
    expect(last).to_contain_text("of 3 left today")
    page.get_by_role("link", name="All pulls that are kept").click()
    expect(page.get_by_role("row", name=re.compile("Incomplete"))).to_have_count(1)
    expect(page.get_by_role("row", name=re.compile("Done"))).to_have_count(1)


def test_a_partner_is_added_connected_and_changed(enter: Enter, place: VendorHub) -> None:
    page = enter()
    page.goto(f"{place.url}/partners")
    page.get_by_role("link", name="Add a partner").click()
    page.get_by_label("Name", exact=True).fill("Étude Delmas")
    page.get_by_label("Acts in").fill("fr, ZZ")
    page.get_by_role("button", name="Add the partner").click()
    expect(page.get_by_text("ZZ is none")).to_be_visible()
    page.get_by_label("Acts in").fill("fr, mc")
    page.get_by_label("Persons").check()
    page.get_by_role("button", name="Add the partner").click()
    row = page.get_by_role("row", name=re.compile("Étude Delmas"))
    expect(row).to_contain_text("France, Monaco")
    row.get_by_role("link", name="connect it").click()
    page.get_by_role("link", name="Partner agency").click()
    page.get_by_label("Partner", exact=True).select_option(label="Étude Delmas")
    page.get_by_label("Base address").fill("http://127.0.0.1:8499/hub")
    page.get_by_label("Token").fill("secret-token")
    page.get_by_role("button", name="Add the connection").click()
    check = page.get_by_role("region", name="Check")
    expect(check).to_contain_text("Not everything works")  # nobody listens there
    expect(check.locator(".wrong").first).not_to_be_empty()
    page.goto(f"{place.url}/partners")
    page.get_by_role("link", name="Étude Delmas", exact=True).click()
    page.get_by_label("Takes cases now").uncheck()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("row", name=re.compile("Étude Delmas"))).to_contain_text("takes no cases now")
