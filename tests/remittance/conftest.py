"""A till: an office whose operator holds money for its creditors on a client account."""

from __future__ import annotations

import datetime as dt
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from payments.bank_samples import camt
from walk.scripted import ScriptedPlugin, World
from web.office import Office, furnish, make_hub

from collecthub.config import load_settings
from collecthub.engine.contracting import enter_contract, read_terms
from collecthub.engine.matching import MatchRun, match_payments
from collecthub.engine.payments_in import Owner, import_bank_file
from collecthub.model.contract import Contract, Side
from collecthub.model.party import Party
from collecthub.store.connections import CreditorRow, Playbook, write_creditor
from collecthub.store.queries.scope import LOCAL_OPERATOR

PAYEE = "BE71096123456769"
TERMS: dict[str, Any] = {
    "valid_from": "2026-01-01",
    "grid": [
        {"percent": "20", "age_days_from": 365},
        {"percent": "10", "amount_below": "1000", "countries": ["BE"]},
        {"percent": "7.5", "countries": ["BE"]},
        {"percent": "25"},
    ],
    "minimum_fee": "5.00",
    "vat_percent": "21",
}


class Till:
    """What a test does with the operator's money."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.hub = office.hub
        self._files = 0
        for creditor_id, name in (("kroon", "Brouwerij De Kroon"), ("other", "Other SA")):
            row = CreditorRow(
                creditor_id=creditor_id, name=name, party=Party(name=name, country="BE"),
                playbook=Playbook(payment_account=PAYEE),
            )
            with self.hub.database.write() as conn:
                write_creditor(conn, row, self.hub.now())

    def agree(self, party: str = "kroon", side: Side = Side.CREDITOR, **terms: Any) -> Contract:
        """Enter the next version of a contract."""
        with self.hub.work() as work:
            return enter_contract(work, LOCAL_OPERATOR, side, party, read_terms(json.dumps({**TERMS, **terms}).encode()))

    def case(self, amount: str = "500.00", who: str = "kroon", **more: Any) -> dict[str, Any]:
        claims = [{"number": f"F-{amount}", "due_on": "2026-05-01", "amount": amount}]
        return self.office.open_case(who, claims=claims, **more)

    def bank(self, *rows: dict[str, Any], kind: str = "camt.053") -> MatchRun:
        """A statement of the client account comes in and is matched."""
        self._files += 1
        content = camt(kind, rows, ident=f"S-{self._files}")
        found = import_bank_file(self.hub, LOCAL_OPERATOR, io.BytesIO(content), "june.xml", Owner(creditor_id=None))
        assert found.state == "imported", found.problem
        return match_payments(self.hub, LOCAL_OPERATOR)


@pytest.fixture
def till(tmp_path: Path) -> Iterator[Till]:
    yield from _till(tmp_path, f"sqlite:///{tmp_path / 'hub.sqlite3'}")


@pytest.fixture
def both_till(tmp_path: Path, database_url: str) -> Iterator[Till]:
    yield from _till(tmp_path, database_url)


def _till(home: Path, database_url: str) -> Iterator[Till]:
    url = load_settings({}, home=home, database_url=database_url).database
    hub, queue = make_hub(home, url, ("scripted", ScriptedPlugin(World())))
    furnish(hub)
    yield Till(Office(hub, queue))
    hub.close()


def on(day: str) -> dt.date:
    """A day, as tests write it."""
    return dt.date.fromisoformat(day)
