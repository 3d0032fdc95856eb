"""The state of a consent and the proof behind its code, over HTTP, with a vendor that asks for PKCE."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import sqlalchemy as sa
from pydantic import BaseModel
from walk.scripted import ScriptedErp, ScriptedPlugin, World

from collecthub.sdk import ConfigurationError, ConnectorContext, ConnectorRole, ConnectorSpec, hookimpl
from collecthub.store import tables as t
from collecthub.store.connections import add_connection
from web.office import Office, connection, furnish, make_hub

CALLBACK = "/oauth/callback"


class Vendor:
    """An authorisation server as RFC 7636 describes it: the code is good for whoever knows the verifier."""

    def __init__(self) -> None:
        self.challenges: dict[str, str] = {}
        self.tokens: list[str] = []

    def page(self, state: str, challenge: str) -> str:
        self.challenges[f"code-{state[:8]}"] = challenge
        return "https://vendor.example/auth?" + urlencode({"state": state, "code_challenge": challenge})

    def token(self, code: str, verifier: str) -> None:
        hashed = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode("ascii")).digest()).decode().rstrip("=")
        if not 43 <= len(verifier) <= 128 or self.challenges.pop(code, "") != hashed:
            raise ConfigurationError("invalid_grant", cure="Begin anew.")
        self.tokens.append(code)


class ProvingErp(ScriptedErp):
    def __init__(self, vendor: Vendor) -> None:
        super().__init__(World())
        self.begin_proven_consent = vendor.page
        self.finish_proven_consent = vendor.token


class NoSettings(BaseModel):
    """This kind needs none."""


class VendorPlugin:
    def __init__(self, vendor: Vendor) -> None:
        self._vendor = vendor

    @hookimpl
    def register_connectors(self) -> list[ConnectorSpec]:
        def build(_context: ConnectorContext) -> ProvingErp:
            return ProvingErp(self._vendor)

        return [
            ConnectorSpec(
                kind="proving", title="Proving", role=ConnectorRole.ERP, settings=NoSettings,
                load=lambda: build,
            )
        ]  # fmt: skip


@pytest.fixture
def vendor() -> Vendor:
    return Vendor()


@pytest.fixture
def house(tmp_path: Path, vendor: Vendor) -> Iterator[Office]:
    plugins = (("scripted", ScriptedPlugin(World())), ("vendor", VendorPlugin(vendor)))
    hub, queue = make_hub(tmp_path, f"sqlite:///{tmp_path / 'hub.sqlite3'}", *plugins)
    furnish(hub)
    with hub.database.write() as conn:
        add_connection(conn, connection("ledger", "proving", "erp", "kroon", None, hub.now()))
    yield Office(hub, queue)
    hub.close()


def begin(house: Office, who: str = "kroon") -> str:
    """A consent begun by a program; returns its state."""
    begun = house.client(who).post("/api/v1/connections/ledger/consent")
    assert begun.status_code == 200
    query = parse_qs(urlsplit(begun.json()["url"]).query)
    assert len(query["code_challenge"][0]) == 43
    return query["state"][0]


def back(house: Office, state: str, code: str) -> tuple[int, str]:
    answer = house.client().get(CALLBACK, params={"code": code, "state": state}, follow_redirects=False)
    return answer.status_code, answer.text


def test_the_code_is_bound_to_the_hub_that_asked(house: Office, vendor: Vendor) -> None:
    state = begin(house)
    status, text = back(house, state, f"code-{state[:8]}")
    assert (status, "Consent is given" in text) == (200, True)
    assert vendor.tokens == [f"code-{state[:8]}"]
    status, text = back(house, state, f"code-{state[:8]}")
    assert (status, "answered before" in text) == (422, True)


def test_a_code_of_another_consent_is_refused_by_its_proof(house: Office, vendor: Vendor) -> None:
    first, second = begin(house), begin(house)
    vendor.challenges[f"code-{second[:8]}"] = vendor.challenges.pop(f"code-{first[:8]}")
    status, text = back(house, second, f"code-{second[:8]}")
    assert (status, "Consent is given" in text) == (422, False)
    assert vendor.tokens == []


def test_nothing_that_could_finish_a_consent_lies_readable_in_the_database(house: Office, vendor: Vendor) -> None:
    state = begin(house)
    with house.hub.database.read() as conn:
        (row,) = conn.execute(sa.select(t.consents)).all()
    assert state not in str(row)
    assert row.state_hash == hashlib.sha256(state.encode()).hexdigest()
    assert row.verifier
    sealed = base64.urlsafe_b64decode(row.verifier + "=" * (-len(row.verifier) % 4))
    assert vendor.challenges[f"code-{state[:8]}"] not in (
        base64.urlsafe_b64encode(hashlib.sha256(part).digest()).decode().rstrip("=") for part in (sealed, row.verifier.encode())
    )


@pytest.mark.parametrize("state", ["", "x", "%00", "AAAA" * 20, "ä" * 50])
def test_a_state_that_is_not_ours_leads_to_the_login(house: Office, state: str) -> None:
    answer = house.client().get(CALLBACK, params={"code": "c", "state": state}, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"].partition("?")[0]) == (303, "/login")


def test_only_who_owns_a_connection_begins_its_consent(house: Office) -> None:
    assert house.client("other").post("/api/v1/connections/ledger/consent").status_code == 404
    assert house.client("bailiff").post("/api/v1/connections/ledger/consent").status_code == 403
