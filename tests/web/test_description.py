"""The published description: what the code says, and what the app really answers."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import jsonschema_rs

from collecthub.web.openapi import document, published
from web.all_doors import all_doors
from web.office import Office

PUBLISHED = Path(__file__).parents[2] / "schemas" / "openapi.json"


def test_the_published_description_is_the_codes() -> None:
    text = published(all_doors())
    if os.environ.get("COLLECTHUB_WRITE_SCHEMAS") == "1":
        PUBLISHED.write_text(text, encoding="utf-8")
    assert PUBLISHED.read_text(encoding="utf-8") == text, "write it anew: COLLECTHUB_WRITE_SCHEMAS=1"


def test_every_route_documents_its_answer_and_its_problem() -> None:
    for path, item in document(all_doors())["paths"].items():
        for method, operation in item.items():
            answers = operation["responses"]
            assert any(code.startswith("2") for code in answers), (method, path)
            assert operation.get("summary"), (method, path)
            if path.startswith("/api/"):
                assert "default" in answers, (method, path)


def test_every_name_in_the_description_is_there_and_ours() -> None:
    """A reference that leads nowhere stops a client generator; a name with a module in it changes when code moves."""
    text = published(all_doors())
    found = json.loads(text)
    assert set(re.findall(r'"#/components/schemas/([^"]+)"', text)) <= found["components"]["schemas"].keys()
    assert [name for name in found["components"]["schemas"] if "." in name or "__" in name] == []
    for path, item in found["paths"].items():
        for method, operation in item.items():
            for status, response in operation["responses"].items():
                assert {} not in [content["schema"] for content in response.get("content", {}).values()], (method, path, status)
    asked = {given["name"]: given["required"] for given in found["paths"]["/api/v1/cases/{case_id}/holds"]["post"]["parameters"]}
    assert asked == {"case_id": True, "idempotency-key": True, "if-match": True}


def test_answers_are_what_the_description_says(office: Office) -> None:
    """Every list and the details of a case are checked against their own schema by an independent validator."""
    whole = json.loads(published(all_doors()))
    case_id = office.open_case()["case_id"]
    office.run()
    client = office.client("operator")
    checked = 0
    for path, item in whole["paths"].items():
        url = path.replace("{case_id}", case_id).replace("{connection_id}", "books")
        if "get" not in item or "{" in url:
            continue
        response = client.get(url)
        if response.status_code != 200:
            continue
        content = item["get"]["responses"]["200"]["content"]["application/json"]
        schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", "components": whole["components"]}
        jsonschema_rs.validator_for({**schema, **content["schema"]}).validate(response.json())
        checked += 1
    assert checked >= 14
