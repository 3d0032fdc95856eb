"""The rungs of a sending: which there are, how long each may take, and who is told when one does not come.

A case file climbs prepared, sent, received, validated, accepted (or refused) by a person, acted, result. Each waited-for rung has
a clock, an owner and an alarm; a rung that a partner does not report by itself has length 0 and is covered by the next.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

import msgspec

from collecthub.model.days_off import working_moment


class RungClocks(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How long each rung may take, counted from the one before it. None is not stated here."""

    sent_hours: int | None = None  # from the choice of the partner to the receipt
    received_hours: int | None = None
    validated_hours: int | None = None  # 0: the partner does not report it by itself
    accepted_hours: int | None = None
    acted_hours: int | None = None
    heard_hours: int | None = None  # between two reports
    result_hours: int | None = None  # from acceptance to the end
    changed_hours: int | None = None  # a new balance or a pause, until it is confirmed
    stopped_minutes: int | None = None  # a recall, until it is confirmed


# Acknowledgement and acceptance after Debitura (about 24 hours) and Go Solid (4 working hours), first act and cadence after
# Debitura's paused follow-up (14 days), the stop after the "within a minute" with room for one polling round of a slow
# partner. The year for a result has no source: it is only when somebody looks again.
DEFAULT_CLOCKS = RungClocks(
    sent_hours=1, received_hours=24, validated_hours=0, accepted_hours=72, acted_hours=336, heard_hours=336,
    result_hours=8760, changed_hours=24, stopped_minutes=15,
)  # fmt: skip


def agreed_clocks(*stated: RungClocks) -> RungClocks:
    """What is stated first counts, field by field.

    >>> agreed_clocks(RungClocks(received_hours=4), RungClocks(received_hours=8, acted_hours=100))
    RungClocks(received_hours=4, acted_hours=100)
    """
    found: dict[str, int] = {}
    for clocks in stated:
        found = {**{name: value for name, value in msgspec.structs.asdict(clocks).items() if value is not None}, **found}
    return RungClocks(**found)


class Wait(msgspec.Struct, frozen=True, kw_only=True):
    """A rung that is waited for: its timer, the clock's field, who is told, and in which words."""

    rung: str
    timer: str
    clock: str
    owner: str
    says: str


# The order of the ladder. The first rung needs no clock: it is reached when the partner is chosen.
WAITS: Mapping[str, Wait] = {
    wait.rung: wait
    for wait in (
        Wait(rung="sent", timer="no_receipt", clock="sent_hours", owner="operator",
             says="the case file has not reached {partner}"),
        Wait(rung="received", timer="no_acknowledgement", clock="received_hours", owner="operator",
             says="{partner} has not acknowledged the case file"),
        Wait(rung="validated", timer="no_validation", clock="validated_hours", owner="partner",
             says="{partner} has not said whether the case file is valid"),
        Wait(rung="accepted", timer="no_decision", clock="accepted_hours", owner="partner",
             says="{partner} has neither accepted nor refused the case"),
        Wait(rung="acted", timer="no_act", clock="acted_hours", owner="partner",
             says="{partner} has not reported any act"),
        Wait(rung="result", timer="no_result", clock="result_hours", owner="operator",
             says="{partner} holds the case without a result"),
    )
}  # fmt: skip
RUNGS: Sequence[str] = ("prepared", *WAITS)
# A recall, new balance or pause that has no answer is said again, with the same message id: after 5 and 15 minutes, an hour,
# four hours, then every day.
REPEATS: Sequence[dt.timedelta] = tuple(dt.timedelta(minutes=minutes) for minutes in (5, 15, 60, 240, 1440))


def repeat_after(sendings: int) -> dt.timedelta:
    """How long to wait for an answer after so many sendings.

    >>> [repeat_after(n).total_seconds() / 60 for n in (1, 2, 5, 50)]
    [5.0, 15.0, 1440.0, 1440.0]
    """
    return REPEATS[min(max(sendings, 1), len(REPEATS)) - 1]


class Rung(msgspec.Struct, frozen=True, kw_only=True):
    """One rung as it stands. `state` is done, now (waited for), late (waited for too long), bad (refused) or open (not yet).

    `owner` is who is told when `due_at` has passed. A done rung without a moment was passed without being reported.
    """

    name: str
    state: str
    at: dt.datetime | None = None
    due_at: dt.datetime | None = None
    owner: str = ""


def length(clocks: RungClocks, name: str) -> dt.timedelta:
    """The length of one clock, stated or by default."""
    value = getattr(clocks, name)
    count = getattr(DEFAULT_CLOCKS, name) if value is None else value
    return dt.timedelta(minutes=count) if name.endswith("_minutes") else dt.timedelta(hours=count)


# What the partner's people do: never due on a day on which nobody works there. A stop is due at any hour.
_BY_PEOPLE = frozenset(
    {"received_hours", "validated_hours", "accepted_hours", "acted_hours", "heard_hours", "changed_hours"}
)


def due_at(begun: dt.datetime, clocks: RungClocks, name: str, country: str = "") -> dt.datetime:
    """When a clock that began at a moment runs out; what people do in `country` not on their day off.

    >>> saturday = dt.datetime(2026, 6, 13, 10, tzinfo=dt.UTC)
    >>> str(due_at(saturday, RungClocks(received_hours=24), "received_hours", "BE").date())
    '2026-06-15'
    """
    end = begun + length(clocks, name)
    return working_moment(end, country) if name in _BY_PEOPLE else end


def due_rungs(reached: Mapping[str, dt.datetime], clocks: RungClocks, country: str = "") -> dict[str, dt.datetime]:
    """When each rung that is waited for now is overdue: the next one, and the result once the case is accepted."""
    last = _last(reached)
    found: dict[str, dt.datetime] = {}
    for name in RUNGS[last + 1 :]:
        if name == "result" or length(clocks, WAITS[name].clock):
            found[name] = due_at(reached[RUNGS[last]], clocks, WAITS[name].clock, country)
            break
    if "accepted" in reached and "result" not in reached:
        found["result"] = due_at(reached["accepted"], clocks, WAITS["result"].clock, country)
    return found


def climb(
    reached: Mapping[str, dt.datetime], clocks: RungClocks, now: dt.datetime, *, refused_at: dt.datetime | None = None,
    is_over: bool = False, country: str = "",
) -> tuple[Rung, ...]:
    """The whole ladder. `is_over`: nothing is waited for any more, because the case went another way."""
    if refused_at is not None:
        below = [_done(name, reached) for name in RUNGS[: RUNGS.index("accepted")]]
        return (*below, Rung(name="refused", state="bad", at=refused_at))
    last = _last({name: at for name, at in reached.items() if name != "result"})  # an end proves no rung before it
    waited = {} if is_over or "result" in reached else due_rungs(reached, clocks, country)
    return tuple(
        _done(name, reached) if place <= last or name in reached else _waited(name, waited, now)
        for place, name in enumerate(RUNGS)
    )


def _last(reached: Mapping[str, dt.datetime]) -> int:
    return max((place for place, name in enumerate(RUNGS) if name in reached), default=0)


def _done(name: str, reached: Mapping[str, dt.datetime]) -> Rung:
    return Rung(name=name, state="done", at=reached.get(name))


def _waited(name: str, waited: Mapping[str, dt.datetime], now: dt.datetime) -> Rung:
    due = waited.get(name)
    is_next = due is not None and name == next(iter(waited))
    state = "open" if due is None else "late" if due <= now else "now" if is_next else "open"
    return Rung(name=name, state=state, due_at=due, owner=WAITS[name].owner if due else "")
