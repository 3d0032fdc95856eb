"""The agreed steps before a hand-over, said by a real mail server: each once, in order, in the right tone, or not at all."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pypdf
import pytest
import sqlalchemy as sa
from web.office import Office

from collecthub.engine.case_work import change_case, locked_case
from collecthub.engine.clock import tick
from collecthub.engine.contact_words import preview_message
from collecthub.engine.contacting import settle_contact
from collecthub.engine.desk import record_payment, release_hold
from collecthub.engine.doors import connect
from collecthub.errors import PermanentError
from collecthub.model.case import Case
from collecthub.model.codes import Status
from collecthub.model.contact import Tone
from collecthub.model.event import Fact, HoldReleased, HoldSet
from collecthub.sandbox.twin import RunningTwin
from collecthub.store import tables as t
from collecthub.store.case_log import read_case
from collecthub.store.contact_tables import contacts
from collecthub.store.queries.scope import LOCAL_OPERATOR
from contact.conftest import MONDAY_TEN, THREE_MAILS, Later, agree, at, row_of

Mails = Callable[[str], list[dict[str, Any]]]


def open_case(office: Office, email: str, **changes: Any) -> str:
    debtor = {"name": "Café Zoé", "country": "BE", "email": email, "language": "fr", **changes}
    claims = [{"number": "F-77", "issued_on": "2026-05-01", "due_on": "2026-06-14", "amount": "120.50"}]
    return str(office.open_case(debtor=debtor, claims=claims)["case_id"])


def case_of(office: Office, case_id: str) -> Case:
    with office.hub.database.read() as conn:
        found = read_case(conn, case_id)
    assert found is not None
    return found


def states(office: Office, case_id: str) -> list[str]:
    with office.hub.database.read() as conn:
        query = sa.select(contacts.c.state).where(contacts.c.case_id == case_id).order_by(contacts.c.queued_at)
        return list(conn.scalars(query))


def open_tasks(office: Office) -> set[str]:
    with office.hub.database.read() as conn:
        return set(conn.scalars(sa.select(t.tasks.c.kind).where(t.tasks.c.state == "open")))


def test_three_reminders_go_out_in_order_and_then_the_case_is_handed_over(
    both_office: Office, later: Later, mails: Mails
) -> None:
    office, to = both_office, f"order-{both_office.hub.database.engine.dialect.name}@example.org"
    case_id = open_case(office, to)
    seen: list[tuple[dt.date, str]] = []
    for _ in range(32):
        later(office, 1)
        while len(seen) < len(mails(to)):
            seen.append((office.hub.business_date(), mails(to)[len(seen)]["subject"]))
    assert [(day - dt.date(2026, 6, 14)).days for day, _ in seen] == [3, 10, 20]  # 17 and 24 June, 4 July
    assert [subject.split(" ")[0] for _, subject in seen] == ["Rappel", "Deuxième", "Dernier"]
    ids = [mail["message_id"] for mail in mails(to)]
    assert len(set(ids)) == 3
    first = mails(to)[0]
    assert "F-77" in first["text"] and "120,50" in first["text"] and "+++" in first["text"]
    assert "BE68539007547034" in first["text"]
    case = case_of(office, case_id)
    assert case.contact is not None and case.contact.is_over
    assert case.placement is not None and case.placement.sent_at is not None
    assert case.placement.sent_at.date() >= dt.date(2026, 7, 15)


def test_who_pays_gets_no_further_reminder(office: Office, later: Later, mails: Mails) -> None:
    case_id = open_case(office, "pays@example.org")
    later(office, 4)
    assert len(mails("pays@example.org")) == 1
    record(office, case_id, "120.50")
    later(office, 9)
    assert len(mails("pays@example.org")) == 1
    assert case_of(office, case_id).status is Status.CLOSED


def test_a_payment_between_the_decision_and_the_sending_stops_the_message(office: Office, mails: Mails) -> None:
    case_id = open_case(office, "quick@example.org")
    at(office.hub, MONDAY_TEN + dt.timedelta(days=2))
    tick(office.hub)  # the step is in line now, nothing has left yet
    assert states(office, case_id) == ["queued"]
    record(office, case_id, "120.50")
    office.run()
    assert mails("quick@example.org") == []
    assert states(office, case_id) == ["withdrawn"]


def test_the_first_message_to_a_person_says_who_holds_his_data_and_the_next_does_not(
    office: Office, later: Later, mails: Mails
) -> None:
    case_id = open_case(office, "person@example.org", kind="person", language="fr")
    assert {
        language: said in preview_message(office.hub, LOCAL_OPERATOR, case_id, Tone.FRIENDLY, language=language).text
        for language, said in _WHO_HOLDS.items()
    } == dict.fromkeys(_WHO_HOLDS, True)
    later(office, 10)
    first, second = (mail["text"] for mail in mails("person@example.org"))
    assert _WHO_HOLDS["fr"] in first and _WHO_HOLDS["fr"] not in second


_WHO_HOLDS = {
    "nl": "collecthub bewaart uw gegevens", "fr": "collecthub conserve vos données",
    "de": "collecthub führt Ihre Daten", "en": "collecthub keeps your data",
}  # fmt: skip


def test_a_person_whom_nothing_told_of_his_data_within_the_month_is_on_the_list(office: Office, later: Later, mails: Mails) -> None:
    case_id = open_case(office, "rests@example.org", kind="person")
    note(office, case_id, HoldSet(reason="dispute"))
    at(office.hub, MONDAY_TEN + dt.timedelta(days=23))
    later(office, 1)
    assert "untold" not in open_tasks(office)
    later(office, 1)
    assert "untold" in open_tasks(office) and mails("rests@example.org") == []


def test_who_owes_less_than_every_minimum_waits_for_a_person(office: Office, later: Later, mails: Mails) -> None:
    agree(office.hub, msgspec.structs.replace(THREE_MAILS, minimum_amount=Decimal(200)))
    case_id = open_case(office, "little@example.org")
    later(office, 4)
    case = case_of(office, case_id)
    assert case.status is Status.READY and case.placement is None and mails("little@example.org") == [], "neither written to nor handed over"
    assert "below_minimum" in open_tasks(office)
    with office.hub.work() as work:
        release_hold(office.hub, work, LOCAL_OPERATOR, case_id, reason="below_minimum", note="hand it over")
    office.run()
    placed = case_of(office, case_id).placement
    assert placed is not None and placed.sent_at is not None and "below_minimum" not in open_tasks(office)


def test_a_part_payment_lowers_what_is_asked(office: Office, later: Later, mails: Mails) -> None:
    case_id = open_case(office, "part@example.org")
    record(office, case_id, "20.50")
    later(office, 4)
    [mail] = mails("part@example.org")
    assert "100,00" in mail["subject"]


def test_a_hold_stops_the_steps_and_they_do_not_pile_up_afterwards(
    office: Office, later: Later, mails: Mails
) -> None:
    case_id = open_case(office, "held@example.org")
    note(office, case_id, HoldSet(reason="dispute"))
    later(office, 12)
    assert mails("held@example.org") == []
    note(office, case_id, HoldReleased(reason="dispute"))
    later(office, 2)
    assert len(mails("held@example.org")) == 1
    later(office, 5)
    assert len(mails("held@example.org")) == 1  # seven days lie between the first and the second
    later(office, 3)
    assert len(mails("held@example.org")) == 2


def test_at_night_nobody_is_written_to(office: Office, mails: Mails) -> None:
    case_id = open_case(office, "night@example.org")
    at(office.hub, dt.datetime(2026, 6, 17, 22, tzinfo=dt.UTC))
    tick(office.hub)
    office.run()
    assert (mails("night@example.org"), states(office, case_id)) == ([], ["queued"])
    at(office.hub, dt.datetime(2026, 6, 18, 7, tzinfo=dt.UTC))  # nine in the morning in Brussels
    tick(office.hub)
    office.run()
    assert len(mails("night@example.org")) == 1


def test_a_server_that_wants_it_later_gets_it_later_and_once(office: Office, post: RunningTwin, mails: Mails) -> None:
    open_case(office, "later@example.org")
    post.control("refuse", {"code": 450, "times": 1})
    at(office.hub, MONDAY_TEN + dt.timedelta(days=2))
    tick(office.hub)
    office.run()
    assert mails("later@example.org") == []
    assert row_of(office.hub, "post").status == "waiting"
    at(office.hub, MONDAY_TEN + dt.timedelta(days=2, minutes=5))
    tick(office.hub)
    office.run()
    assert len(mails("later@example.org")) == 1
    assert row_of(office.hub, "post").status == "ok"


def test_an_address_that_is_unknown_leads_to_the_other_channel_and_to_a_person(
    office: Office, post: RunningTwin, later: Later, mails: Mails
) -> None:
    post.control("refuse_address", {"to": "gone@example.org"})
    case_id = open_case(office, "gone@example.org")
    later(office, 4)
    assert mails("gone@example.org") == []
    assert states(office, case_id) == ["failed", "queued"]  # by letter, for which there is no connection yet
    assert "no_channel" in open_tasks(office)


def test_a_letter_is_printed_where_an_e_mail_cannot_go(
    office: Office, later: Later, tmp_path: Path, mails: Mails
) -> None:
    folder = tmp_path / "letters"
    with office.hub.work() as work:
        connect(
            office.hub, work, LOCAL_OPERATOR, kind="contact_print", name="Printer", creditor_id="kroon",
            settings={"folder": str(folder)}, connection_id="printer",
        )
    open_case(office, "", address_lines=["Grote Markt 1"], postcode="9000", city="Gent", name="Café Zoé <b>")
    later(office, 4)
    [letter] = folder.glob("*.pdf")
    text = " ".join(page.extract_text() for page in pypdf.PdfReader(letter).pages)
    assert "Café Zoé <b>" in text and "9000 Gent" in text and "120,50" in text and "+++" in text
    assert json.loads(letter.with_suffix(".json").read_text())["bytes"] == letter.stat().st_size
    later(office, 7)
    assert len(list(folder.glob("*.pdf"))) == 2


def test_what_is_in_doubt_is_settled_by_a_person_and_never_said_twice_by_itself(
    office: Office, post: RunningTwin, later: Later, mails: Mails
) -> None:
    case_id = open_case(office, "doubt@example.org")
    post.control("hang_up", {"times": 1})
    later(office, 4)
    assert len(mails("doubt@example.org")) == 1  # it arrived, but nobody told us
    assert states(office, case_id) == ["in_doubt"]
    later(office, 9)
    assert len(mails("doubt@example.org")) == 1
    assert "contact_in_doubt" in open_tasks(office)
    with office.hub.database.read() as conn:
        contact_id = str(conn.scalar(sa.select(contacts.c.contact_id).where(contacts.c.case_id == case_id)))
    settle_contact(office.hub, contact_id, reached=True, actor="user:ann", note="the mail server's log has it")
    later(office, 8)
    assert len(mails("doubt@example.org")) == 2
    with pytest.raises(PermanentError, match="waits for a person"):
        settle_contact(office.hub, contact_id, reached=True, actor="user:ann")


def test_a_hostile_name_stays_text(office: Office, later: Later, mails: Mails) -> None:
    case_id = open_case(office, "eve@example.org", name="Eve Bcc: everybody@example.org <script>{creditor}")
    assert case_id
    later(office, 4)
    [mail] = mails("eve@example.org")
    assert mail["rcpt_to"] == ["eve@example.org"]
    assert "bcc" not in {line.split(":")[0].lower() for line in mail["raw"].split("\n\n")[0].splitlines()}


def record(office: Office, case_id: str, amount: str) -> None:
    with office.hub.work() as work:
        record_payment(
            office.hub, work, LOCAL_OPERATOR, case_id, amount=Decimal(amount), paid_on=office.hub.business_date()
        )


def note(office: Office, case_id: str, fact: Fact) -> None:
    with office.hub.work() as work:
        change_case(office.hub, work, locked_case(work, case_id), [fact], actor="user:ann")
