"""The office of the web tests, with an agency that works through the hub's doors."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient
from web.conftest import both_office, office, pg_office, world
from web.office import Office

from partner.agency_office import add_agency

__all__ = ["both_office", "office", "pg_office", "world"]


@pytest.fixture
def agency(office: Office) -> TestClient:
    return add_agency(office)


@pytest.fixture
def both_agency(both_office: Office) -> TestClient:
    return add_agency(both_office)
