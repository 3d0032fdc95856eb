"""Generated requests from the API's own description: nothing they hold makes the hub stumble.

On PostgreSQL, which refuses more than SQLite does: NUL in a text, numbers that are too large.
"""

from __future__ import annotations

from collections import Counter
from copy import deepcopy
from typing import Any

import hypothesis
import pytest
import schemathesis

from collecthub.web.openapi import document
from web.all_doors import all_doors
from web.office import Office

CASES_PER_OPERATION = 4
SETTINGS = hypothesis.settings(
    max_examples=CASES_PER_OPERATION, deadline=None, database=None, derandomize=True,
    suppress_health_check=list(hypothesis.HealthCheck), phases=[hypothesis.Phase.generate],
)  # fmt: skip


@pytest.mark.slow
def test_every_operation_answers_every_request_properly(pg_office: Office) -> None:
    case_id = pg_office.open_case()["case_id"]
    client = pg_office.client("operator")
    statuses: Counter[int] = Counter()

    def send(case: Any) -> None:
        parts = case.as_transport_kwargs(base_url="http://127.0.0.1")
        headers = {
            name: value for name, value in dict(parts.get("headers") or {}).items()
            if name.lower() not in ("authorization", "cookie", "host", "x-csrf-token") and value.isascii()
        }  # fmt: skip
        known = case.path_parameters.get("case_id") if case.path_parameters else None
        url = parts["url"].replace(str(known), case_id) if known and statuses.total() % 2 else parts["url"]
        names = {"params": "params", "json": "json", "data": "content"}
        body = {ours: parts[name] for name, ours in names.items() if parts.get(name) is not None}
        response = client.request(parts["method"], url, headers=headers, **body)
        statuses[response.status_code] += 1
        assert response.status_code < 500, (case.operation.label, url, body, response.text)
        if response.status_code >= 400:
            assert response.headers["content-type"] == "application/problem+json"
            assert response.json()["type"] == f"/problems/{response.json()['code']}"

    for found in schemathesis.openapi.from_dict(deepcopy(document(all_doors()))).get_all_operations():
        operation = found.ok()
        if operation.path.startswith("/api/") and operation.path != "/api/v1/session":
            SETTINGS(hypothesis.given(case=operation.as_strategy())(send))()
    assert statuses[200] >= 20
    assert statuses[422] >= 20
