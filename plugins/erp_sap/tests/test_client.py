"""Log-on, refusals and checks, against the twin and against a server that does what the twin would not."""

from __future__ import annotations

import json
import ssl
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests
from pydantic import ValidationError
from wire.peers import Seen, http_peer, server_certificate

from collecthub.errors import ConfigurationError, RetryableError
from collecthub.ports import (
    CaseReporter,
    Checkable,
    DebtorSource,
    DocumentSource,
    InvoiceSource,
    OpenItemBooks,
)
from collecthub.sdk import ItemSource
from collecthub_erp_sap import register_connectors
from collecthub_erp_sap.settings import S4Settings

PLAIN = {"base_url": "https://sap.example", "company_codes": ["1010"], "username": "U", "password": "hush-hush"}


def test_the_plugin_hands_over_a_connector_that_satisfies_the_ports(ledger: Any) -> None:
    spec = {spec.kind: spec for spec in register_connectors()}["erp_sap"]
    assert spec.settings is S4Settings
    assert spec.load() is type(ledger.connector())
    for port in (Checkable, InvoiceSource, DebtorSource, DocumentSource, OpenItemBooks, CaseReporter, ItemSource):
        assert isinstance(ledger.connector(), port)


def test_all_steps_of_a_check_pass(ledger: Any) -> None:
    ledger.load(["a"])
    steps = ledger.connector().check()
    assert [step.name for step in steps if not step.is_ok] == []
    assert [step.detail for step in steps[:3]] == ["all 29 there", "all 40 there", "1 open items"]


def test_a_missing_column_is_named_by_the_check_and_by_a_pull(ledger: Any) -> None:
    ledger.load(["a"])
    ledger.twin.control("services", {"missing": ["NetDueDate", "DunningLevel"]})
    steps = ledger.connector().check()
    assert not steps[0].is_ok
    assert steps[0].detail == "A_OperationalAcctgDocItemCube has no NetDueDate, DunningLevel."
    assert "view in SAP extended" in steps[0].cure
    ledger.twin.control("services", {"missing": ["NetDueDate", "DunningLevel", "CorrespondenceLanguage"]})
    assert ledger.connector().check()[1].detail == "A_CustomerDunning has no DunningLevel."
    with pytest.raises(ConfigurationError, match="lacks a column that is needed.*NetDueDate"):
        list(ledger.connector().pull(""))


def test_the_sap_client_is_named_in_a_header(ledger: Any) -> None:
    ledger.load(["a"])
    assert len(list(ledger.connector(sap_client="100").open_items())) == 1
    with pytest.raises(ConfigurationError, match="refused our log-on") as told:
        list(ledger.connector(sap_client="200").open_items())
    assert "sap_client" in told.value.cure


def test_a_client_certificate_logs_on(ledger: Any, tmp_path: Path) -> None:
    """A web dispatcher in front of SAP asks for it and passes on whose it is."""
    ledger.load(["a"])
    homes = [tmp_path / "server", tmp_path / "client"]
    for home in homes:
        home.mkdir()
    front, authority = server_certificate(homes[0])
    _, own = server_certificate(homes[1])  # any certificate with its key
    shown = b64encode(ssl.PEM_cert_to_DER_cert(own.read_text())).decode()
    front.verify_mode = ssl.CERT_REQUIRED
    front.load_verify_locations(own)
    ledger.twin.control("logon", {"certificate": shown})

    def pass_on(seen: Seen) -> tuple[int, dict[str, str], bytes]:
        assert "authorization" not in seen.headers
        kept = {name: value for name, value in seen.headers.items() if name not in ("host", "connection")}
        answer = requests.request(
            seen.method, ledger.twin.url + seen.path, headers={**kept, "SSL_CLIENT_CERT": shown}, data=seen.body, timeout=5
        )
        said = {name: value for name, value in answer.headers.items() if name.lower() in ("content-type", "x-csrf-token")}
        return answer.status_code, said, answer.content

    certificate = {"username": "", "password": "", "ca_file": str(authority)}
    with http_peer(pass_on, tls=front) as dispatcher:
        connector = ledger.connector(
            base_url=dispatcher.url, client_certificate_file=str(homes[1] / "127.0.0.1-key.pem"), **certificate
        )
        assert [step.name for step in connector.check() if not step.is_ok] == []
        assert len(list(connector.open_items())) == 1


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
    assert ledger.twin.control("logon") == {"locked": False, "bad_logons": 1}


def test_threads_that_begin_together_send_a_wrong_password_once(ledger: Any) -> None:
    connector = ledger.connector(password="wrong")
    with ThreadPoolExecutor(8) as pool:
        tries = [pool.submit(list, connector.open_items()) for _ in range(8)]
    assert {type(one.exception()) for one in tries} == {ConfigurationError}
    assert ledger.twin.control("logon") == {"locked": False, "bad_logons": 1}


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
