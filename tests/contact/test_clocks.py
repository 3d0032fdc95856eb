"""Downtime, clocks that jump and clocks that are put forward or back: each message once, in order, never two on a day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from web.office import Office

from collecthub.engine.clock import tick
from collecthub.engine.doors import connect
from collecthub.model.contact import Channel
from collecthub.sandbox.twin import RunningTwin
from collecthub.store.queries.scope import LOCAL_OPERATOR
from contact.conftest import MONDAY_TEN, STEPS, THREE_MAILS, agree, at, gateway_settings
from contact.test_course import case_of, open_case, states

Mails = Callable[[str], list[dict[str, Any]]]
DAY, HOUR = dt.timedelta(days=1), dt.timedelta(hours=1)
IN_ORDER = ["Rappel", "Deuxième", "Dernier"]


def look(office: Office, moment: dt.datetime) -> None:
    """The hub is up at this moment: one tick, and every job is done."""
    at(office.hub, moment)
    tick(office.hub)
    office.run()


def watch(office: Office, moments: list[dt.datetime], count: Callable[[], int]) -> list[dt.datetime]:
    """At which of these moments messages left: a moment stands once for each message."""
    left: list[dt.datetime] = []
    for moment in moments:
        before = count()
        look(office, moment)
        left += [moment] * (count() - before)
    return left


def days(first: dt.datetime, count: int) -> list[dt.datetime]:
    return [first + number * DAY for number in range(count)]


def first_words(mails: list[dict[str, Any]]) -> list[str]:
    return [mail["subject"].split(" ")[0] for mail in mails]


@pytest.mark.parametrize(("down", "last"), [(1, 18), (13, 17)], ids=["a day", "thirteen days"])
def test_what_fell_due_during_downtime_is_said_once_and_keeps_its_distance(
    office: Office, mails: Mails, down: int, last: int
) -> None:
    """The hub is down from the morning of reminder 1 on; after thirteen days reminder 2 is late too, by the invoice's day.

    The last word is due ten days after reminder 2; after a day of downtime that is Sunday 5 July, so it leaves on Monday.
    """
    to = f"down-{down}@example.org"
    open_case(office, to)
    up = MONDAY_TEN + (2 + down) * DAY
    left = watch(office, [up, up, up + HOUR, *days(up + DAY, 24)], lambda: len(mails(to)))
    assert left == [up, up + 7 * DAY, up + last * DAY]
    assert first_words(mails(to)) == IN_ORDER


def test_a_late_reminder_never_comes_after_the_next_one(office: Office, post: RunningTwin, mails: Mails) -> None:
    """The mail server takes nothing for nine days, beyond the day on which reminder 2 would have followed reminder 1."""
    case_id, to = open_case(office, "late@example.org"), "late@example.org"
    due = MONDAY_TEN + 2 * DAY
    post.control("refuse", {"code": 450, "times": 1000})
    assert watch(office, days(due, 9), lambda: len(mails(to))) == []
    assert states(office, case_id) == ["queued"], "reminder 2 got in line before reminder 1 was said"
    post.control("refuse", {"code": 450, "times": 0})
    back = due + 9 * DAY
    left = watch(office, days(back, 18), lambda: len(mails(to)))
    assert left == [back, back + 7 * DAY, back + 17 * DAY] and first_words(mails(to)) == IN_ORDER


def test_a_clock_that_jumps_ahead_and_back_repeats_and_skips_nothing(office: Office, mails: Mails) -> None:
    case_id, to = open_case(office, "jump@example.org"), "jump@example.org"
    due = MONDAY_TEN + 2 * DAY
    wrong = [due + 5 * DAY, due - 3 * DAY, due + 5 * DAY, due - 20 * DAY, due + 4 * DAY, due, due + 5 * DAY]
    assert watch(office, wrong, lambda: len(mails(to))) == [wrong[0]]
    right = watch(office, days(due, 24), lambda: len(mails(to)))
    assert right == [due + 12 * DAY, due + 22 * DAY]  # counted from the day on which it was said and is on record
    assert first_words(mails(to)) == IN_ORDER and states(office, case_id) == ["sent"] * 3
    assert case_of(office, case_id).contact is not None


def test_a_message_that_waits_outlives_a_jump(office: Office, post: RunningTwin, mails: Mails) -> None:
    """Its next try lies in a future that a clock had dreamt: put back, the hub tries when that moment comes, once."""
    case_id, to = open_case(office, "dream@example.org"), "dream@example.org"
    due = MONDAY_TEN + 2 * DAY
    post.control("refuse", {"code": 450, "times": 1})
    look(office, due + DAY)
    assert (mails(to), states(office, case_id)) == ([], ["queued"])
    look(office, due)
    left = watch(office, [due + HOUR, due + DAY, due + DAY + HOUR, due + 2 * DAY], lambda: len(mails(to)))
    assert left == [due + DAY + HOUR]


def utc(month: int, day: int, hour: int, minute: int = 0) -> dt.datetime:
    return dt.datetime(2026, month, day, hour, minute, tzinfo=dt.UTC)


# Belgium changes its clocks on Sundays, when nobody is written to; Egypt does on Fridays, on 2026-04-24 at midnight
# and, back, at the end of Thursday 2026-10-29.
CHANGES = [
    ("BE", utc(3, 28, 18, 59), utc(3, 28, 19), utc(3, 30, 6)),
    ("BE", utc(10, 24, 17, 59), utc(10, 24, 18), utc(10, 26, 7)),
    ("EG", utc(4, 23, 17, 59), utc(4, 23, 18), utc(4, 24, 5)),
    ("EG", utc(10, 29, 16, 59), utc(10, 29, 17), utc(10, 30, 6)),
]


@pytest.mark.parametrize(("country", "evening", "night", "morning"), CHANGES)
def test_quiet_hours_follow_the_debtors_clock_over_the_change(
    office: Office, gateway: RunningTwin, country: str, evening: dt.datetime, night: dt.datetime, morning: dt.datetime
) -> None:
    """Eight in the evening and eight in the morning where the debtor lives, on both sides of the change; each text once."""
    text_first = msgspec.structs.replace(
        THREE_MAILS, steps=(msgspec.structs.replace(STEPS[0], channel=Channel.SMS), *STEPS[1:])
    )
    agree(office.hub, text_first)
    with office.hub.work() as work:
        connect(
            office.hub, work, LOCAL_OPERATOR, kind="contact_sms", name="Gateway", creditor_id="kroon",
            settings=gateway_settings(gateway), connection_id="gateway",
        )
    at(office.hub, evening - 3 * DAY)
    numbers = [f"+3247{evening:%m%d%H}{one}" for one in (1, 2)]
    for number in numbers:
        due_on = (evening - 4 * DAY).date().isoformat()
        debtor = {"name": "Café Zoé", "country": country, "phone": number, "language": "fr"}
        office.open_case(debtor=debtor, claims=[{"number": number, "due_on": due_on, "amount": "120.50"}])
        if number is numbers[0]:
            look(office, evening)

    def sent() -> int:
        return sum(len(gateway.control("messages", {"to": number})["items"]) for number in numbers)

    assert sent() == 1
    minute = dt.timedelta(minutes=1)
    assert watch(office, [night, night + 3 * HOUR, morning - minute, morning, morning + HOUR], sent) == [morning]
