"""The day to pay by and what waits for it: by the pack of the debtor's country, hand-counted on a calendar."""

from __future__ import annotations

import datetime as dt

import pytest

from collecthub.law.reminder_term import PAY_WITHIN_DAYS, Reminding, pay_by, rests_until
from collecthub.model.contact import Channel, Tone
from law.asked import law

WEDNESDAY = dt.date(2026, 6, 17)


def said(channel: Channel = Channel.EMAIL, *, segment: str = "B2C", is_first: bool = True, tone: Tone = Tone.FRIENDLY) -> Reminding:
    return Reminding(
        segment=segment, due_on=dt.date(2026, 6, 14), sent_on=WEDNESDAY, channel=channel, tone=tone, is_first=is_first
    )


@pytest.mark.parametrize("country, message, day", [
    ("BE", said(), dt.date(2026, 7, 1)),  # CEL XIX.2: fourteen days from the day after an e-mail
    ("BE", said(Channel.LETTER), dt.date(2026, 7, 5)),  # a letter: from the third working day, Monday the 22nd
    ("BE", said(is_first=False), dt.date(2026, 6, 27)),  # the wait was opened by the first one
    ("BE", said(segment="B2B"), dt.date(2026, 6, 27)),
    ("NL", said(), dt.date(2026, 7, 1)),  # the letter of fourteen days
    ("NO", said(segment="B2B", is_first=False), dt.date(2026, 7, 1)),  # fourteen days anew after each
    ("", said(), WEDNESDAY + dt.timedelta(days=PAY_WITHIN_DAYS)),
])  # fmt: skip
def test_a_reminder_names_the_day_that_the_law_grants(country: str, message: Reminding, day: dt.date) -> None:
    assert pay_by(law(country) if country else None, message) == day


@pytest.mark.parametrize("country, message, day", [
    ("BE", said(), None),  # another reminder may follow, only charges wait
    ("BE", said(tone=Tone.FINAL, is_first=False), dt.date(2026, 6, 27)),  # a last word keeps its promise
    ("NO", said(), dt.date(2026, 7, 1)), ("NO", said(Channel.PHONE), None),
])  # fmt: skip
def test_nothing_follows_before_the_day_that_law_or_last_word_name(
    country: str, message: Reminding, day: dt.date | None
) -> None:
    assert rests_until(law(country), message) == day
