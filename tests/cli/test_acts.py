"""An act asked for by a file that came by other means: taken, priced, ordered and certified on the command line."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
from partner.test_acts import CERTIFICATE, LAWYER, request, yes

from cli.conftest import Run
from collecthub.formats.json import JsonFormat
from collecthub.model.exchange import Exchange, Message

pytestmark = pytest.mark.usefixtures("home")


def test_from_a_file_to_the_certificate(run: Run, tmp_path: Path) -> None:
    def take(message: Message, wanted: int = 0) -> Any:
        exchange = Exchange(
            exchange_id=message.message_id, sender_ref=LAWYER, receiver_ref="collecthub", messages=(message,),
            created_at=dt.datetime(2026, 6, 15, 9, tzinfo=dt.UTC),
        )
        path = tmp_path / "asked.json"
        path.write_bytes(JsonFormat().encode(exchange))
        return run("act", "take", str(path), "--partner", LAWYER, "--json", wanted=wanted)

    run("partner", "add", LAWYER, "--name", "Maître Blanc", "--role", "lawyer")
    (asked,) = json.loads(take(request()).stdout)["items"]
    act_id = asked["act_id"]
    shown = json.loads(run("act", "show", act_id, "--json").stdout)
    assert shown["proposal"]["rules"]["rule"]["instrument"] == "eu_service_2020_1784"
    assert shown["proposal"]["tariff"]["amount"] == "125.00"  # Royal Decree of 18 May 2024
    assert "Regulation (EU) 2020/1784" in run("act", "show", act_id).stdout
    (quoted,) = json.loads(run("act", "quote", act_id, "--json").stdout)["items"]
    assert (quoted["quote"]["amount"], quoted["quote"]["tax_amount"]) == ("125.00", "26.25")
    assert "no request" in take(request("M-2", documents=()), wanted=1).stderr
    (ordered,) = json.loads(take(yes(quoted["quote"])).stdout)["items"]
    assert ordered["state"] == "ordered"
    paper = tmp_path / "form-k.pdf"
    paper.write_bytes(CERTIFICATE)
    assert "no PDF" in run("act", "certify", act_id, "--file", str(tmp_path / "asked.json"), "--text", "x", wanted=1).stderr
    assert "done" in run("act", "certify", act_id, "--file", str(paper), "--text", "handed over").stdout
    (listed,) = json.loads(run("act", "list", "--json").stdout)["items"]
    assert (listed["state"], listed["certificate"]["name"]) == ("done", "form-k.pdf")
