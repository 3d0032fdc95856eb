"""Every verb of the partner's API, found in its OpenAPI document: the same key is answered as before, another body is refused."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

from fastapi.testclient import TestClient
from web.office import Office, change, once

from collecthub.bundled import jurisdictions
from collecthub.engine.partner_balances import open_balance
from collecthub.formats.json import JsonFormat
from collecthub.model.exchange import Exchange
from collecthub.web.openapi import document
from partner.agency_office import AGENCY, placed_case
from partner.test_acts import request
from partner.test_partner_api import REPORTS, accepted, exchange
from partner.test_standing_api import remittance

PREFIX = "/api/v1/partner/"


def verbs(office: Office) -> set[str]:
    """The addresses of everything that a partner may say."""
    paths = document(office.app)["paths"]
    found = {
        (path.removeprefix(PREFIX), method) for path, operations in paths.items() if path.startswith(PREFIX)
        for method in operations if method != "get"
    }  # fmt: skip
    assert {method for _, method in found} == {"post"}
    return {path for path, _ in found}


def said_of(office: Office, agency: TestClient) -> dict[str, tuple[str, bytes, bytes]]:
    """For each verb the id in its address, what is said there, and something else to say."""
    case, refused, recalled = accepted(office, agency), placed_case(office)["case_id"], accepted(office, agency)
    offered = placed_case(office)["case_id"]
    office.client("kroon").post(f"/api/v1/cases/{recalled}/withdraw", json={"text": "settled"}, headers=change())
    office.run()
    with office.hub.work() as work:
        balance = open_balance(office.hub, work, AGENCY, "2026-06")
    bodies: dict[str, tuple[str, Any, Any]] = {
        "cases/{case_id}/acceptance": (offered, {"holder_ref": "UY-8"}, {"holder_ref": "UY-9"}),
        "cases/{case_id}/refusal": (refused, {"reason_code": "no_capacity", "reason": "Full"}, {"reason_code": "no_capacity", "reason": "Closed"}),
        "cases/{case_id}/questions": (case, {"text": "Where is he?"}, {"text": "Who is he?"}),
        "exchanges": ("", exchange(case), exchange(case, "site_visit")),
        "remittances": ("", remittance(case), remittance(case, amount="881.00")),
        "score/answers": ("", {"text": "We were closed."}, {"text": "We were open."}),
        "balances/{balance_id}/books": (balance, {"lines": []}, {"lines": [], "remark": "none"}),
        "cases/{case_id}/confirmation": (recalled, {}, {"text": "x"}),
    }
    for what, (body, _, _) in REPORTS.items():
        other = {**body, **({"amount": "1.00"} if "amount" in body else {"text": "other"})}
        bodies[f"cases/{{case_id}}/{what}"] = (case, body, other)
    found = {path: (of, json.dumps(body).encode(), json.dumps(other).encode()) for path, (of, body, other) in bodies.items()}
    return found | {"cases/{case_id}/documents": (case, b"%PDF-1", b"%PDF-2"), "acts": ("", an_act("U-1"), an_act("U-2"))}


def an_act(reference: str) -> bytes:
    at = dt.datetime(2026, 6, 15, 9, tzinfo=dt.UTC)
    asked = Exchange(
        exchange_id=f"x-{reference}", sender_ref=AGENCY, receiver_ref="collecthub", created_at=at, messages=(request(reference),)
    )
    return JsonFormat().encode(asked)


def test_every_verb_takes_effect_once_for_a_key_and_refuses_another_body_under_it(office: Office, agency: TestClient) -> None:
    office.hub.plugins.add("jurisdictions", jurisdictions)
    said = said_of(office, agency)
    assert set(said) == verbs(office), "a verb of the API that nobody says here, or one that is gone"

    def say(path: str, of: str, content: bytes, key: dict[str, str]) -> Any:
        address = PREFIX + path.replace("{case_id}", of).replace("{balance_id}", of)
        is_file = path.endswith("/documents")
        headers = {**key, "Content-Type": "application/pdf" if is_file else "application/json"}
        return agency.post(address, params={"name": "a.pdf"} if is_file else {}, content=content, headers=headers)

    for path, (of, body, other) in said.items():
        key = once()
        first, again = say(path, of, body, key), say(path, of, body, key)
        assert first.is_success, (path, first.text)
        assert (again.status_code, again.content) == (first.status_code, first.content), path
        assert again.headers["idempotent-replayed"] == "true", path
        refused = say(path, of, other, key)
        assert (refused.status_code, refused.json()["code"]) == (422, "idempotency-key-reused"), (path, refused.text)
        assert say(path, of, body, {}).json()["code"] == "idempotency-key-missing", path
