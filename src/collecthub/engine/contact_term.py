"""Until when a debtor may pay on a message, by the law where he lives: what it says to him, and what waits for it."""

from __future__ import annotations

import datetime as dt

from collecthub.engine.case_law import law_or_reason
from collecthub.engine.context import Hub
from collecthub.law.reminder_term import Reminding, pay_by, rests_until
from collecthub.model.case import Case
from collecthub.model.contact import Channel, Tone


def asked_by(hub: Hub, case: Case, channel: Channel, tone: Tone) -> dt.date:
    """The day to pay by that a message of today names."""
    return pay_by(law_or_reason(hub, case.debtor.country)[0], _message(hub, case, channel, tone))


def rest_after(hub: Hub, case: Case, channel: Channel, tone: Tone) -> dt.date | None:
    """The last day on which nothing may follow a message that leaves today; None without such a day."""
    return rests_until(law_or_reason(hub, case.debtor.country)[0], _message(hub, case, channel, tone))


def _message(hub: Hub, case: Case, channel: Channel, tone: Tone) -> Reminding:
    today = hub.business_date()
    return Reminding(
        segment=case.segment, due_on=min((claim.due_on for claim in case.claims), default=today), sent_on=today,
        channel=channel, tone=tone, is_first=case.contact is None or case.contact.taken == 0,
    )  # fmt: skip
