"""What the law says on a reminder's day to pay by, and how long nothing may follow it. Pure.

Two rules of a country pack speak of it: the wait that a first reminder to a consumer opens (`ReminderRule`), within which he
pays without more, and a time limit that runs from every reminder (a `DeadlineRule` with the event `REMINDED`). A last word
keeps its own promise too: it says what follows after its day, so nothing follows before.
"""

from __future__ import annotations

import datetime as dt

import msgspec

from collecthub.errors import PermanentError
from collecthub.law.basis import Matter
from collecthub.law.deadline import Deadline, deadline
from collecthub.law.of_history import WRITTEN
from collecthub.law.reminder import reminder_rule, wait_after
from collecthub.law.rules import CountryLaw
from collecthub.model.contact import Channel, Tone

REMINDED = "reminder"
PAY_WITHIN_DAYS = 10  # where the law grants no more
_ONE = dt.timedelta(days=1)


class Reminding(msgspec.Struct, frozen=True, kw_only=True):
    """A message that leaves: to whom, on which day, how. `due_on` is the due day of the oldest claim.

    `is_first`: nobody reminded him of this debt before.
    """

    segment: str
    due_on: dt.date
    sent_on: dt.date
    channel: Channel
    tone: Tone
    is_first: bool


def respite(law: CountryLaw | None, segment: str, sent_on: dt.date) -> Deadline | None:
    """The last day on which the law lets nothing follow a written reminder; None where it leaves that to the playbook."""
    if law is None or all(rule.event != REMINDED for rule in law.deadlines):
        return None
    try:
        return deadline(law, REMINDED, sent_on, segment=segment)
    except PermanentError:  # the rule is for other debtors, or not in force on the day
        return None


def pay_by(law: CountryLaw | None, said: Reminding) -> dt.date:
    """The day that a reminder names: ten days from now, or later where the law grants the debtor more."""
    asked = said.sent_on + dt.timedelta(days=PAY_WITHIN_DAYS)
    if law is None or said.channel not in WRITTEN:
        return asked
    rest = respite(law, said.segment, said.sent_on)
    matter = Matter(segment=said.segment, contract_on=said.due_on, default_on=said.due_on + _ONE)
    rule = reminder_rule(law, matter, said.sent_on) if said.is_first else None
    granted = wait_after(rule, said.sent_on, said.channel.value, law.country).last_on if rule is not None else asked
    return max(asked, granted, rest.deadline_on if rest is not None else asked)


def rests_until(law: CountryLaw | None, said: Reminding) -> dt.date | None:
    """The last day on which nothing may follow this message; None where neither the law nor its own words name one."""
    if said.channel not in WRITTEN:
        return None
    if said.tone is Tone.FINAL:
        return pay_by(law, said)
    rest = respite(law, said.segment, said.sent_on)
    return rest.deadline_on if rest is not None else None
