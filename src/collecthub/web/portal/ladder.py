"""How far each message to a partner has come, rung by rung, with what is waited for, until when, and who hears of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

import msgspec

from collecthub.model.case import Asking, Placement
from collecthub.model.ids import derived_id
from collecthub.model.placement_ladder import change_due, ladder_of
from collecthub.model.rungs import Rung
from collecthub.store.queries.case_file import MessageView, TimelineEntry

_WORDS: Mapping[tuple[str, str], str] = {("amendment", "accepted"): "Confirmed"}
_STUCK = frozenset({"in_doubt", "failed"})


class Ladder(msgspec.Struct, frozen=True, kw_only=True):
    """One message with its rungs."""

    message: MessageView
    title: str
    rungs: tuple[Rung, ...]


def ladders(
    messages: Sequence[MessageView], history: Sequence[TimelineEntry], placements: Sequence[Placement], now: dt.datetime
) -> tuple[Ladder, ...]:
    """Every message of a case, newest first."""
    return tuple(
        Ladder(message=message, title=_title(message, history), rungs=_named(message, _rungs(message, placements, now)))
        for message in reversed(messages)
    )


def _rungs(message: MessageView, placements: Sequence[Placement], now: dt.datetime) -> tuple[Rung, ...]:
    if message.kind == "case_file":
        mine = next((one for one in placements if derived_id(one.placement_id, "case_file") == message.message_id), None)
        rungs = ladder_of(mine, now) if mine is not None else _told(message, ("prepared", "sent"))
    elif message.kind == "amendment":
        asked = [one for placement in placements for one in placement.asking if one.message_id == message.message_id]
        rungs = _change(message, asked[0], placements[-1], now) if asked else _told(message, ("prepared", "sent", "accepted"))
    else:
        rungs = _told(message, ("prepared", "sent"))
    is_stuck = message.envelope_state in _STUCK or bool(message.problem and message.state not in ("sent", "queued", "enveloped"))
    return tuple(_marked(rung, is_stuck=is_stuck, is_over=message.state == "withdrawn") for rung in rungs)


def _told(message: MessageView, names: Sequence[str]) -> tuple[Rung, ...]:
    """The rungs as the message itself shows them."""
    at = {("prepared" if step.name == "queued" else step.name): step.at for step in message.ladder}
    last = max((place for place, name in enumerate(names) if name in at), default=0)
    return tuple(
        Rung(name=name, at=at.get(name), state="done" if place <= last else "now" if place == last + 1 else "open")
        for place, name in enumerate(names)
    )


def _change(message: MessageView, asked: Asking, placement: Placement, now: dt.datetime) -> tuple[Rung, ...]:
    """A recall, new balance or pause that has no answer yet, or a refusal."""
    prepared = Rung(name="prepared", state="done", at=asked.asked_at)
    sent = Rung(name="sent", state="done" if asked.sent_at else "now", at=asked.sent_at)
    if asked.refused_at is not None:
        return (prepared, sent, Rung(name="refused", state="bad", at=asked.refused_at))
    due_at = change_due(asked, placement)
    state = "late" if due_at <= now else "now" if asked.sent_at else "open"
    return (prepared, sent, Rung(name="accepted", state=state, due_at=due_at, owner="operator"))


def _marked(rung: Rung, *, is_stuck: bool, is_over: bool) -> Rung:
    """What cannot go on is not waited for."""
    if rung.state not in ("now", "late"):
        return rung
    if is_over:
        return Rung(name=rung.name, state="open")
    return msgspec.structs.replace(rung, state="bad") if is_stuck and rung.name == "sent" else rung


def _named(message: MessageView, rungs: Sequence[Rung]) -> tuple[Rung, ...]:
    return tuple(
        msgspec.structs.replace(rung, name=_WORDS.get((message.kind, rung.name), rung.name.capitalize())) for rung in rungs
    )


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
