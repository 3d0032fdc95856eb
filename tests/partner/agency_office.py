"""A hub with an agency that has no server: its mail waits at the hub, and it works through the hub's own doors."""

from __future__ import annotations

from typing import Any

import msgspec
from fastapi.testclient import TestClient
from web.office import BASE, Office, connection, once

from collecthub.bundled import mailbox
from collecthub.model.exchange import CaseFile
from collecthub.model.partner import PartnerProfile
from collecthub.store import accounts
from collecthub.store.connections import add_connection, write_partner
from collecthub.store.queries.scope import Role

AGENCY = "agency-uy"


def add_agency(
    office: Office, partner_id: str = AGENCY, country: str = "UY", role: str = "agency", **more: Any
) -> TestClient:
    """An agency (or a lawyer) for a country with a mailbox, and a client with its key."""
    if "mailbox" not in office.hub.plugins.connectors:
        office.hub.plugins.add("mailbox", mailbox)
    now = office.hub.now()
    with office.hub.database.write() as conn:
        profile = PartnerProfile(partner_id=partner_id, name=f"Agency {country}", role=role, countries=(country,), **more)
        write_partner(conn, profile, now)
        add_connection(conn, connection(f"box-{partner_id}", "mailbox", "partner", None, partner_id, now))
        secret, _ = accounts.add_api_key(conn, name="test", role=Role.PARTNER, partner_id=partner_id, now=now)
    office.keys[partner_id] = secret
    return TestClient(office.app, base_url=BASE, headers={"Authorization": f"Bearer {secret}"}, raise_server_exceptions=False)


def placed_case(office: Office, country: str = "UY", **changes: Any) -> dict[str, Any]:
    """A case that lies in the agency's mailbox."""
    debtor = {"name": f"Estancia {country}", "country": country}
    opened = office.open_case(debtor=debtor, **changes)
    office.run()
    return opened


def post(client: TestClient, path: str, body: Any, key: str = "") -> Any:
    headers = {"Idempotency-Key": key} if key else once()
    return client.post(f"/api/v1/partner/{path}", json=body, headers=headers)


def case_file_of(client: TestClient, case_id: str) -> CaseFile:
    response = client.get(f"/api/v1/partner/cases/{case_id}")
    assert response.status_code == 200, response.text
    return msgspec.convert(response.json()["case_file"], CaseFile, strict=False)
