"""Log-on, refusals and checks, against the twin and against a server that does what the twin would not."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from collecthub.errors import ConfigurationError, RetryableError
from collecthub.ports import (
    CaseReporter,
    Checkable,
    DebtorSource,
    DocumentSource,
    InvoiceSource,
    OpenItemBooks,
)
from collecthub_erp_sap import register_connectors
from collecthub_erp_sap.settings import S4Settings

PLAIN = {"base_url": "https://sap.example", "company_codes": ["1010"], "username": "U", "password": "hush-hush"}


def test_the_plugin_hands_over_a_connector_that_satisfies_the_ports(ledger: Any) -> None:
    spec = {spec.kind: spec for spec in register_connectors()}["erp_sap"]
    assert spec.settings is S4Settings
    assert spec.load() is type(ledger.connector())
    for port in (Checkable, InvoiceSource, DebtorSource, DocumentSource, OpenItemBooks, CaseReporter):
        assert isinstance(ledger.connector(), port)


def test_all_steps_of_a_check_pass(ledger: Any) -> None:
    ledger.load(["a"])
    steps = ledger.connector().check()
    assert [step.name for step in steps if not step.is_ok] == []
    assert steps[0].detail == "1 open items"


def test_a_service_that_is_not_activated_is_named_and_the_others_are_tried(ledger: Any) -> None:
    ledger.twin.control("services", {"inactive": ["API_BILLING_DOCUMENT_SRV"]})
    steps = ledger.connector().check()
    (bad,) = (step for step in steps if not step.is_ok)
    assert bad.name == "billing documents"
    assert "Activate the service" in bad.cure
    assert steps[-1].name == "permission to write"


def test_a_missing_authorisation_is_a_setting_to_correct(ledger: Any) -> None:
    ledger.twin.control("services", {"forbidden": ["API_OPLACCTGDOCITEMCUBE_SRV"]})
    with pytest.raises(ConfigurationError, match="No authorization to access Service"):
        list(ledger.connector().pull(""))


def test_a_wrong_password_is_sent_once_and_never_locks_the_user(ledger: Any) -> None:
    connector = ledger.connector(password="wrong")
    (step,) = connector.check()
    assert not step.is_ok
    for _ in range(10):
        with pytest.raises(ConfigurationError, match="401"):
            list(connector.pull(""))
    assert ledger.twin.control("logon") == {"locked": False}


def test_oauth_client_credentials(ledger: Any) -> None:
    ledger.load(["a"])
    oauth = {
        "username": "", "password": "", "token_url": f"{ledger.twin.url}/sap/bc/sec/oauth2/token?sap-client=100",
        "client_id": "sandbox-client",
    }  # fmt: skip
    assert len(list(ledger.connector(**oauth, client_secret="sandbox-secret").open_items())) == 1
    with pytest.raises(ConfigurationError, match="refused our client"):
        list(ledger.connector(**oauth, client_secret="wrong").open_items())


@pytest.mark.parametrize(
    "fault", [{"status": 503}, {"status": 500, "body": "<html>short dump</html>"}, {"status": 200, "body": "<html>"}]
)
def test_a_bad_moment_of_sap_is_tried_again_later(ledger: Any, cube_path: str, fault: dict[str, Any]) -> None:
    ledger.twin.control("faults", {"path": cube_path, **fault})
    with pytest.raises(RetryableError):
        list(ledger.connector().pull(""))
    assert list(ledger.connector().open_items()) == []


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"password": ""}, "give either username and password"),
        ({"token_url": "https://t.example/x", "client_id": "c", "client_secret": "s"}, "give either username"),
        ({"company_codes": []}, "at least 1 item"),
        ({"page_size": 50}, "greater than or equal to 1000"),
        ({"base_url": "sap.example"}, "base_url"),
        ({"pagesize": 1000}, "Extra inputs"),
    ],
)
def test_wrong_settings_give_a_clear_error(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        S4Settings.model_validate({**PLAIN, **changes})


def test_secrets_are_never_shown() -> None:
    settings = S4Settings.model_validate(PLAIN)
    assert "hush-hush" not in repr(settings) + json.dumps(settings.model_dump(mode="json"))
