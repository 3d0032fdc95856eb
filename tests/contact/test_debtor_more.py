"""More of the debtor's page: a delay, an appointment, channels he does not want, a helper who sees less, what it will be."""

from __future__ import annotations

import datetime as dt
import io
import itertools
import json
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import msgspec
import pypdf
import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient
from web.office import BASE, Office, change, once

from collecthub.bundled import solvency
from collecthub.engine.case_work import change_case
from collecthub.engine.contact_words import message_for
from collecthub.engine.plan_messages import plan_message
from collecthub.errors import PermanentError
from collecthub.model.charging import ChargePolicy, Charging
from collecthub.model.contact import Channel
from collecthub.model.facts_human import PlanBroken
from collecthub.model.plan import PlanState
from collecthub.sandbox.twin import RunningTwin
from collecthub.store import tables as t
from collecthub.store.connections import read_creditor, write_creditor
from collecthub.store.contact_tables import debtor_helpers
from collecthub.web.debtor.answers import ANSWERS
from contact.conftest import contact_office
from contact.test_course import case_of
from contact.test_debtor_page import link, say

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, post: RunningTwin) -> Iterator[Office]:
    home = tmp_path_factory.mktemp("house")
    for found in contact_office(home, f"sqlite:///{home / 'hub.sqlite3'}", post):
        found.hub.plugins.add("solvency", solvency)
        yield found


@pytest.fixture
def case_id(house: Office) -> str:
    number = next(_numbers)
    debtor = {"name": f"Zoé {number}", "kind": "person", "country": "BE", "email": f"zoe{number}@example.org", "language": "nl",
              "phone": "+32470123456", "address_lines": ["Markt 1"], "postcode": "9000", "city": "Gent"}  # fmt: skip
    claims = [{"number": f"F-{number}", "issued_on": "2026-05-01", "due_on": "2026-06-14", "amount": "120.50"}]
    return str(house.open_case(debtor=debtor, claims=claims)["case_id"])


def enter(house: Office, path: str, code: str) -> TestClient:
    client = TestClient(house.app, base_url=BASE, raise_server_exceptions=False)
    assert client.post(f"{path}/code", data={"code": code}, follow_redirects=False).status_code == 303
    client.headers["x-path"] = path
    return client


@pytest.fixture
def visitor(house: Office, case_id: str) -> TestClient:
    return enter(house, *link(house, case_id))


def tasks_of(house: Office, case_id: str) -> list[Any]:
    with house.hub.database.read() as conn:
        return list(conn.execute(sa.select(t.tasks).where(t.tasks.c.case_id == case_id, t.tasks.c.state == "open")))


SAYS: dict[str, tuple[dict[str, str], str, str]] = {  # what he sends, the fact it becomes, and the task for a person
    "paid": ({}, "non_payment_explained", "find_payment"), "plan": ({"months": "60"}, "plan_proposed", "plan_proposed"),
    "delay": ({"on": "2027-06-01"}, "plan_proposed", "plan_proposed"), "dispute": ({}, "dispute_raised", "dispute"),
    "call": ({}, "note_added", "callback"), "meet": ({"on": "2026-06-18", "part": "morning", "by": "phone"}, "appointment_asked", "appointment"),
    "help": ({}, "hardship_found", "hardship"), "moved": ({}, "note_added", "moved"), "stranger": ({}, "hold_set", "identity"),
    "complaint": ({}, "complaint_filed", "complaint"), "channels": ({"channel": "sms"}, "consent_withdrawn", ""),
    "score": ({}, "score_contested", "score_contested"), "helper": ({}, "helper_admitted", ""), "unhelp": ({}, "helper_ended", ""),
    "access": ({}, "note_added", "access"), "erasure": ({}, "note_added", "erasure"),
}  # fmt: skip
HOSTILE = "Ik heb betaald <script>alert(1)</script> \x00\u202egnp.exe {{7*7}} ${jndi:x} ' OR 1=1 --"


@pytest.mark.parametrize("what", ANSWERS)
def test_whatever_he_says_is_in_the_case_when_the_page_answers(house: Office, case_id: str, visitor: TestClient, what: str) -> None:
    fields, kind, task = SAYS[what]
    if what == "unhelp":
        say(visitor, "helper", text="Mevrouw Peeters")
    if what == "score":
        scored = house.client("operator").post(f"/api/v1/cases/{case_id}/solvency/score", json={}, headers=change())
        assert scored.status_code == 200, scored.text
    answered = say(visitor, what, text=HOSTILE, **fields)
    assert answered.status_code in (200, 303), answered.text
    events = house.client("kroon").get(f"/api/v1/cases/{case_id}/timeline").json()["items"]  # no job ran in between
    (said,) = [one for one in events if one["actor"] == f"debtor:{case_id}"][-1:]
    assert said["kind"] == kind, said
    kept = json.dumps(said["fact"], ensure_ascii=False)
    assert "\x00" not in kept and "\u202e" not in kept
    shown = visitor.get(visitor.headers["x-path"]).text
    assert "<script>alert" not in shown
    waits = [one["kind"].partition(":")[0] for one in house.client("operator").get("/api/v1/agenda", params={"limit": 200}).json()["items"]]
    assert not task or task in waits


def test_what_he_asks_about_his_data_is_answered_where_he_asked(house: Office, case_id: str, visitor: TestClient) -> None:
    path = visitor.headers["x-path"]
    page = visitor.get(f"{path}?language=en").text
    assert "10 years after it is closed" in page and "responsible for your data" in page
    for _ in range(2):  # who asks twice waits for one answer
        assert say(visitor, "erasure", text="ik heb alles betaald").status_code == 303
    operator = house.client("operator")
    identity_id = operator.get(f"/api/v1/cases/{case_id}/debtor").json()["identity_id"]
    (asked,) = operator.get(f"/api/v1/debtors/{identity_id}").json()["asked"]
    assert "You get an answer by 15 July 2026" in visitor.get(path).text
    refused = operator.post(f"/api/v1/requests/{asked['request_id']}/erase", headers=once())
    assert refused.status_code == 422 and "is open" in refused.text
    assert "not yet, because the file is open" in visitor.get(path).text
    (asked,) = operator.get(f"/api/v1/debtors/{identity_id}").json()["asked"]
    assert asked["state"] == "refused" and "is open" in asked["reason"]


@pytest.mark.parametrize(
    ("country", "language", "found"),
    [("BE", "nl", "eerstehulpbijschulden.be"), ("BE", "fr", "mediationdedettes.be"), ("NL", "en", "0800-8115"), ("FR", "fr", "34 14")],
)
def test_he_reads_who_helps_where_he_lives(house: Office, country: str, language: str, found: str) -> None:
    debtor = {"name": "Zoé", "kind": "person", "country": country, "email": f"{country}{language}@example.org"}
    case_id = str(house.open_case(debtor=debtor)["case_id"])
    path, code = link(house, case_id)
    shown = enter(house, path, code).get(f"{path}?language={language}").text
    assert found in shown
    assert country == "FR" or "34 14" not in shown


def test_a_delay_within_the_limits_is_a_yes_at_once_and_beyond_them_a_person_answers(
    house: Office, case_id: str, visitor: TestClient
) -> None:
    assert say(visitor, "delay").status_code == 422
    assert say(visitor, "delay", on="2026-07-10").status_code == 303
    plan = case_of(house, case_id).plan
    assert plan is not None and plan.state is PlanState.AGREED
    assert [(one.due_on, str(one.amount)) for one in plan.instalments] == [(dt.date(2026, 7, 10), "120.50")]
    with house.hub.work() as work:  # he did not keep it: the next one is for a person
        broken = PlanBroken(plan_id=plan.plan_id, reason="unpaid", decide_by_on=dt.date(2026, 7, 20))
        change_case(house.hub, work, case_of(house, case_id), [broken], actor="hub")
    assert say(visitor, "delay", on="2026-07-12").status_code == 303
    again = case_of(house, case_id).plan
    assert again is not None and again.state is PlanState.PROPOSED and not again.exceeded
    other = str(house.open_case(debtor={"name": "Bo", "country": "BE", "email": "bo@example.org"})["case_id"])
    assert say(enter(house, *link(house, other)), "delay", on="2026-12-24").status_code == 303
    late = case_of(house, other).plan
    assert late is not None and late.state is PlanState.PROPOSED and late.exceeded


def test_who_keeps_a_plan_sees_its_parts_and_pays_the_next_one(house: Office, case_id: str, visitor: TestClient) -> None:
    """120.50 in three: 40.16, 40.16 and 40.18; 30.00 came in, so 10.16 of the first part are left."""
    assert say(visitor, "plan", months="3").status_code == 303
    path = visitor.headers["x-path"]
    paid = {"amount": "30.00", "paid_on": "2026-06-15"}
    assert house.client("kroon").post(f"/api/v1/cases/{case_id}/payments", json=paid, headers=change()).status_code in (200, 201)
    shown = visitor.get(f"{path}?language=en").text
    parts = re.findall(r"By (\d+ \w+ 2026).*?€([\d.]+)</td>", shown)
    assert [amount for _, amount in parts] == ["40.16", "40.16", "40.18"] and parts[0][0] == "29 June 2026"
    assert "nobody asks you for more" in shown and re.search(r"The next part</dt><dd>€10\.16<", shown)
    assert 'id="plan"' not in shown and 'id="delay"' not in shown  # one plan at a time
    assert say(visitor, "plan", months="2").status_code == 422


def test_an_appointment_is_a_fact_a_task_on_its_day_and_is_confirmed_to_him(
    house: Office, case_id: str, visitor: TestClient
) -> None:
    assert "toekomst" in say(visitor, "meet", on="2026-06-15", part="morning", by="phone").text
    answer = say(visitor, "meet", on="2026-06-18", part="afternoon", by="visit", text="with my daughter")
    assert answer.status_code == 303
    assert "afspraak zit in het dossier" in visitor.get(answer.headers["location"]).text
    [task] = [one for one in tasks_of(house, case_id) if one.kind == "appointment"]
    assert task.due_at == dt.datetime(2026, 6, 18, 14, tzinfo=dt.UTC) and task.detail == "with my daughter"
    history = house.client("kroon").get(f"/api/v1/cases/{case_id}/timeline").json()["items"]
    assert history[-1]["kind"] == "appointment_asked"


def test_every_written_message_has_the_payment_code_and_a_letter_of_a_plan_its_slip(
    house: Office, case_id: str, visitor: TestClient
) -> None:
    [picture] = message_for(house.hub, case_of(house, case_id), contact_id="c", channel=Channel.EMAIL, tone="firm").attachments
    assert picture.media_type == "image/png" and picture.content.startswith(b"\x89PNG")
    assert say(visitor, "plan", months="3").status_code == 303
    said, _ = plan_message(house.hub, case_of(house, case_id), contact_id="c", step="plan_confirmation", channel=Channel.LETTER)
    [letter] = said.attachments
    words = "".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(letter.content)).pages)
    assert "Antwoordstrook" in words and "Twijfelt u of het echt is" in words and "40,16" in words  # a third of 120.50


def test_who_wants_no_e_mail_still_gets_letters_and_may_change_his_mind(
    house: Office, case_id: str, visitor: TestClient
) -> None:
    assert say(visitor, "channels", channel="sms").status_code == 303
    case = case_of(house, case_id)
    assert case.unwanted == ("email",)
    with pytest.raises(PermanentError, match="does not want"):
        message_for(house.hub, case, contact_id="c", channel=Channel.EMAIL, tone="friendly")
    assert message_for(house.hub, case, contact_id="c", channel=Channel.LETTER, tone="friendly").attachments
    path = visitor.headers["x-path"]
    shown = visitor.get(path).text
    assert 'value="sms" checked' in shown and 'value="email" checked' not in shown
    csrf = re.search(r'name="csrf" value="([^"]+)"', shown)
    assert csrf is not None
    visitor.post(f"{path}/say/channels/documents", data={"csrf": csrf[1], "channel": ["sms", "email"]})
    assert case_of(house, case_id).unwanted == ()


def test_a_helper_sees_amounts_and_proposes_and_can_do_nothing_else(
    house: Office, case_id: str, visitor: TestClient
) -> None:
    made = say(visitor, "helper", text="Mevrouw Peeters, OCMW")
    found = re.search(r"<strong>(\S*/d/\w+)</strong><br><strong>Code: (\d{4} \d{4})", made.text)
    assert found is not None, made.text
    path, code = found[1], found[2]
    own_path, own_code = link(house, case_id)
    strange = TestClient(house.app, base_url=BASE)
    assert strange.post(f"{path}/code", data={"code": own_code}).status_code == 422  # neither code opens the other's page
    assert strange.post(f"{own_path}/code", data={"code": code}).status_code == 422
    helper = enter(house, path, code)
    shown = helper.get(path).text
    assert "120,50" in shown and "U helpt iemand" in shown
    assert "BE68539007547034" not in shown and "+++" not in shown and 'id="moved"' not in shown
    assert helper.get(own_path).text.count("120,50") == 0  # his visit does not open the debtor's own page
    version = case_of(house, case_id).version
    for what in ("moved", "paid", "dispute", "stranger", "channels", "helper", "unhelp"):
        assert say(helper, what, text="x", channel="email").status_code == 404, what
    assert case_of(house, case_id).version == version
    assert say(helper, "plan", months="3").status_code == 303
    plan = case_of(house, case_id).plan
    assert plan is not None and plan.state is PlanState.PROPOSED and not plan.exceeded  # he cannot bind the debtor
    with house.hub.database.read() as conn:
        kept = str(conn.execute(sa.select(debtor_helpers)).all())
    assert code.replace(" ", "") not in kept and path.rpartition("/")[2] not in kept
    assert "Mevrouw Peeters" in visitor.get(own_path).text
    assert say(visitor, "unhelp").status_code == 303
    assert helper.get(path).status_code == 404


def test_it_says_what_it_will_be_from_which_day_and_what_comes_next(house: Office, visitor: TestClient) -> None:
    path = visitor.headers["x-path"]
    assert "it will be" not in visitor.get(f"{path}?language=en").text  # the creditor asks for the principal only
    with house.hub.work() as work:
        creditor = read_creditor(work.conn, "kroon")
        assert creditor is not None
        playbook = msgspec.structs.replace(creditor.playbook, charges=ChargePolicy(charging=Charging.BOOKED))
        write_creditor(work.conn, msgspec.structs.replace(creditor, playbook=playbook), work.now)
    claims = [{"number": "F-B2B", "issued_on": "2026-05-01", "due_on": "2026-06-14", "amount": "12000.00"}]
    company = str(house.open_case(debtor={"name": "Traag NV", "country": "BE", "email": "t@example.org"}, claims=claims)["case_id"])
    shown = enter(house, *link(house, company)).get(f"{link(house, company)[0]}?language=en").text
    grown = re.search(r"On 29 June 2026 it will be €([\d,.]+)\.</p>\s*<p>By law about €([\d.]+) a day", shown)
    assert grown is not None, shown[3000:6000]
    will_be, per_day = Decimal(grown[1].replace(",", "")), Decimal(grown[2])
    assert abs(per_day - 12_000 * Decimal("0.1050") / 365) < Decimal("0.01")  # 2.15 + 8 points, rounded up to the half
    assert abs(will_be - (12_040 + 15 * per_day)) < Decimal("0.10")  # 40 at once (late payment directive, art. 6)
    assert "The next reminder comes on 17 June 2026" in shown  # three days after the due day


@pytest.mark.parametrize(("language", "word"), [("nl", "Vertel ons"), ("fr", "Dites-nous"), ("de", "Sagen Sie"), ("en", "Tell us")])
def test_what_is_wrong_is_said_in_his_language(visitor: TestClient, language: str, word: str) -> None:
    visitor.get(f"{visitor.headers['x-path']}?language={language}")
    refused = say(visitor, "dispute", text=" ")
    assert refused.status_code == 422 and word in refused.text and "nothing was written" not in refused.text
