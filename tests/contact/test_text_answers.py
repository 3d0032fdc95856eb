"""Answers by text message over the gateway's own interface: they land in the case of that number; STOP ends text messages alone."""

from __future__ import annotations

import msgspec
import sqlalchemy as sa
from web.office import Office

from collecthub.engine.doors import connect
from collecthub.model.contact import Channel
from collecthub.sandbox.twin import RunningTwin
from collecthub.store import tables as t
from collecthub.store.queries.scope import LOCAL_OPERATOR
from contact.conftest import THREE_MAILS, Later, agree, gateway_settings
from contact.test_course import case_of

BY_SMS = msgspec.structs.replace(
    THREE_MAILS, steps=tuple(msgspec.structs.replace(step, channel=Channel.SMS) for step in THREE_MAILS.steps), fallback=Channel.EMAIL
)


def opened(office: Office, phone: str) -> str:
    debtor = {"name": phone, "country": "BE", "email": f"x{phone[-4:]}@example.org", "phone": phone, "language": "nl"}
    claims = [{"number": f"F-{phone[-4:]}", "due_on": "2026-06-14", "amount": "120.50"}]
    return str(office.open_case(debtor=debtor, claims=claims)["case_id"])


def test_an_answer_lands_in_the_case_of_its_number_and_stop_ends_text_messages_alone(
    office: Office, gateway: RunningTwin, later: Later
) -> None:
    agree(office.hub, BY_SMS)
    with office.hub.work() as work:
        settings = {**gateway_settings(gateway), "registration": gateway.facts["registration"]}
        connect(office.hub, work, LOCAL_OPERATOR, kind="contact_sms", name="sms", creditor_id="kroon", settings=settings)
    asks, stops, silent = (opened(office, phone) for phone in ("0470 11 22 33", "+32 470 44 55 66", "0470 77 88 99"))
    later(office, 3)
    gateway.control("reply", {"from": "+32470112233", "text": "Ik betaal vrijdag\u0007"})
    gateway.control("reply", {"from": "+32470445566", "text": "Stop!"})
    gateway.control("reply", {"from": "+32499999999", "text": "who is this"})
    later(office, 1)
    assert [hold.reason for hold in case_of(office, asks).holds if hold.until_on] == ["answer"]
    stopped = case_of(office, stops)
    assert stopped.unwanted == ("sms",) and not [hold for hold in stopped.holds if hold.until_on]
    assert not case_of(office, silent).unwanted
    with office.hub.database.read() as conn:
        tasks = list(conn.execute(sa.select(t.tasks.c.case_id, t.tasks.c.detail).where(t.tasks.c.kind == "reply")))
        strange = list(conn.scalars(sa.select(t.quarantine.c.code)))
    assert tasks == [(asks, "Ik betaal vrijdag")] and strange == ["contact.unknown"]
    later(office, 8)  # reminder 2 of who wants no text messages comes by the fallback
    numbers = [one["address"] for one in gateway.control("messages", {})["items"]]
    assert numbers.count("tel:+32470445566") == 1 and numbers.count("tel:+32470778899") == 2
    contact = case_of(office, stops).contact
    assert contact is not None and contact.taken == 2
    version = case_of(office, asks).version
    later(office, 1)
    assert case_of(office, asks).version >= version  # taken answers are not brought again
