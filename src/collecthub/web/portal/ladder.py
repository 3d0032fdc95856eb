"""How far each message to a partner has come: prepared, sent, received, accepted, acted, result."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

import msgspec

from collecthub.store.queries.case_file import MessageView, TimelineEntry

ACTED = frozenset({"status_reported", "cost_reported", "payment_reported", "instruction_received"})
_RUNGS: Mapping[str, tuple[str, ...]] = {
    "case_file": ("prepared", "sent", "received", "accepted", "acted", "result"),
    "amendment": ("prepared", "sent", "accepted"),
    "instruction": ("prepared", "sent"),
}
_WORDS: Mapping[tuple[str, str], str] = {
    ("case_file", "accepted"): "Accepted",
    ("amendment", "accepted"): "Confirmed",
}
_STUCK = frozenset({"in_doubt", "failed"})


class Rung(msgspec.Struct, frozen=True, kw_only=True):
    """One step. `state` is done, now (the next one, waited for), bad, or open."""

    name: str
    state: str
    at: dt.datetime | None = None


class Ladder(msgspec.Struct, frozen=True, kw_only=True):
    """One message with its rungs."""

    message: MessageView
    title: str
    rungs: tuple[Rung, ...]


def ladders(messages: Sequence[MessageView], history: Sequence[TimelineEntry]) -> tuple[Ladder, ...]:
    """Every message of a case, newest first."""
    return tuple(_ladder(message, history) for message in reversed(messages))


def _ladder(message: MessageView, history: Sequence[TimelineEntry]) -> Ladder:
    reached = {("prepared" if step.name == "queued" else step.name): step.at for step in message.ladder}
    if message.kind == "case_file":
        reached.update(_afterwards(message.message_id, history))
    names = [name for name in _RUNGS.get(message.kind, ("prepared", "sent"))]
    if "refused" in reached:
        names = [
            "refused" if name == "accepted" else name for name in names if name not in ("acted", "result")
        ]
    last = max((index for index, name in enumerate(names) if name in reached), default=-1)
    stuck = message.envelope_state in _STUCK or bool(message.problem and message.state != "sent")
    over = message.state == "withdrawn"
    return Ladder(
        message=message,
        title=_title(message, history),
        rungs=tuple(
            Rung(
                name=_WORDS.get((message.kind, name), name.capitalize()),
                at=reached.get(name),
                state=_state(name, index, last, stuck=stuck, over=over),
            )
            for index, name in enumerate(names)
        ),
    )


def _state(name: str, index: int, last: int, *, stuck: bool, over: bool) -> str:
    if index <= last:
        return "bad" if name == "refused" else "done"
    if index == last + 1 and not over:
        return "bad" if stuck else "now"
    return "open"


def _afterwards(message_id: str, history: Sequence[TimelineEntry]) -> dict[str, dt.datetime]:
    """What the holder did with the case file and how its hold on it ended, up to the next placement."""
    found: dict[str, dt.datetime] = {}
    is_mine = False
    for entry in history:
        if entry.kind == "case_sent":
            is_mine = entry.fact.get("message_id") == message_id
        elif is_mine and entry.kind in ACTED:
            found.setdefault("acted", entry.occurred_at)
        elif is_mine and (entry.kind in ("case_returned", "case_closed") or _is_confirmed_recall(entry)):
            found.setdefault("result", entry.occurred_at)
    return found


def _is_confirmed_recall(entry: TimelineEntry) -> bool:
    return entry.kind == "amendment_acknowledged" and entry.fact.get("code") == "recall"


_AMENDMENT_TITLES = {"recall": "Recall", "balance": "New balance", "suspend": "Pause", "resume": "Go on"}
_INSTRUCTION_TITLES = {
    "answer": "Answer",
    "question": "Question",
    "cost_approved": "Cost approved",
    "cost_refused": "Cost refused",
    "next_act": "Next step",
}


def _title(message: MessageView, history: Sequence[TimelineEntry]) -> str:
    if message.kind == "case_file":
        return "Case file"
    code = next(
        (
            str(entry.fact.get("code", "")) for entry in history
            if entry.kind in ("amendment_queued", "instruction_queued")
            and entry.fact.get("message_id") == message.message_id
        ),
        "",
    )  # fmt: skip
    return {**_AMENDMENT_TITLES, **_INSTRUCTION_TITLES}.get(code, message.kind.capitalize())
