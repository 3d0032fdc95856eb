"""What a debtor hears of his plan: every message leaves by itself, over a real mail server, in his language, once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from contact.conftest import at, contact_office
from web.office import Office

from collecthub.engine.clock import tick
from collecthub.model.plan import PlanLimits
from collecthub.sandbox.twin import RunningTwin, start_twin
from collecthub.store.connections import read_creditor, write_creditor
from human.test_plans import plan, post, tasks

MESSAGES = ("plan_confirmation", "plan_reminder", "plan_encouragement", "plan_statement")


@pytest.fixture(scope="module")
def mail(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningTwin]:
    twin = start_twin("mail", tmp_path_factory.mktemp("plan-mail"))
    yield twin
    twin.stop()


@pytest.fixture
def by_mail(tmp_path: Path, mail: RunningTwin) -> Iterator[Office]:
    yield from contact_office(tmp_path, f"sqlite:///{tmp_path / 'hub.sqlite3'}", mail)


def jump(office: Office, days: int) -> None:
    """So many days later, at ten in the morning, with the clock's tick and every job done."""
    at(office.hub, office.hub.now().replace(hour=10, minute=0) + dt.timedelta(days=days))
    tick(office.hub)
    office.run()


def test_from_confirmation_to_settlement(by_mail: Office, mail: RunningTwin) -> None:
    office = by_mail
    debtor = {"name": "Ann Smet", "kind": "person", "country": "BE", "email": "ann@example.org", "language": "fr"}
    case_id = str(office.open_case(debtor=debtor)["case_id"])
    post(office, f"{case_id}/plan/propose", instalments=3, first_on="2026-07-01")
    post(office, f"{case_id}/plan/agree")
    office.run()
    assert "plan_confirmation" not in tasks(office, case_id), "what was sent is nobody's task any more"
    jump(office, 21)  # Monday 6 July: the first instalment is late; the day before was a Sunday
    assert plan(office, case_id)["state"] == "late" and "plan_reminder" not in tasks(office, case_id)
    post(office, f"{case_id}/payments", amount="80.32", paid_on="2026-07-06")
    office.run()
    jump(office, 44)  # 18 August: two weeks before the last one
    sent = mail.control("messages", {"to": "ann@example.org"})["items"]
    assert [one["subject"].partition(" :")[0] for one in sent] == [
        "Votre plan de paiement est convenu", "Une part de votre plan de paiement est ouverte",
        "La moitié de votre plan est payée (Brouwerij De Kroon)", "Votre dernière part et le décompte (Brouwerij De Kroon)",
    ]  # fmt: skip
    assert ["conserve vos données" in one["text"] for one in sent] == [True, False, False, False], "said once, in the first"
    confirmed, reminded, _, settled = (" ".join(one["text"].split()) for one in sent)
    assert all(f"{part} €" in confirmed.replace("\xa0", " ") for part in ("40,16", "40,18")) and "gratuit" in confirmed
    assert "ne vous coûte rien" in reminded and "120,50 €" in settled.replace("\xa0", " ")
    history = office.client("kroon").get(f"/api/v1/cases/{case_id}/timeline").json()["items"]
    assert [one["fact"]["step"] for one in history if one["kind"] == "plan_message_sent"] == list(MESSAGES)
    assert not tasks(office, case_id) & set(MESSAGES)


def test_a_payment_seen_anywhere_stops_the_reminder(by_mail: Office, mail: RunningTwin) -> None:
    """The free reminder waits in line; the money comes before it leaves."""
    office = by_mail
    case_id = str(office.open_case(debtor={"name": "Bo", "country": "BE", "email": "bo@example.org"})["case_id"])
    post(office, f"{case_id}/plan/propose", instalments=3, first_on="2026-07-01")
    post(office, f"{case_id}/plan/agree")
    at(office.hub, office.hub.now().replace(hour=10, minute=0) + dt.timedelta(days=20))
    tick(office.hub)  # the reminder is in line
    post(office, f"{case_id}/payments", amount="40.16", paid_on="2026-07-05")
    office.run()
    subjects = [one["subject"] for one in mail.control("messages", {"to": "bo@example.org"})["items"]]
    assert not any("open" in subject for subject in subjects), subjects


def test_limits_are_the_playbooks(by_mail: Office) -> None:
    """De Kroon agreed to two months at most: three need a person, who says why."""
    office = by_mail
    with office.hub.work() as work:
        creditor = read_creditor(work.conn, "kroon")
        assert creditor is not None
        playbook = msgspec.structs.replace(creditor.playbook, plans=PlanLimits(months_max=2))
        write_creditor(work.conn, msgspec.structs.replace(creditor, playbook=playbook), work.now)
    case_id = str(office.open_case()["case_id"])
    post(office, f"{case_id}/plan/propose", instalments=3, first_on="2026-07-01")
    assert "2 months" in plan(office, case_id)["exceeded"][0]
    assert "beyond" in post(office, f"{case_id}/plan/agree", wanted=422)["detail"]
    post(office, f"{case_id}/plan/agree", reason="he keeps his word")
