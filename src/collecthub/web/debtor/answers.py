"""What a debtor may say on his page, who else may say it for him, and how a form becomes what the desk takes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from decimal import Decimal

from starlette.datastructures import FormData, UploadFile

from collecthub.engine import debtor_desk as desk
from collecthub.engine.context import Hub
from collecthub.errors import PermanentError
from collecthub.model.money import parse_amount

_TEXT_LONGEST = 4000

ANSWERS: Mapping[str, Callable[[Hub, str, desk.Said], object]] = {
    "paid": desk.already_paid, "plan": desk.proposes_plan, "delay": desk.asks_delay, "dispute": desk.disputes,
    "call": desk.wants_call, "meet": desk.asks_appointment, "help": desk.has_help, "moved": desk.has_moved,
    "stranger": desk.is_somebody_else, "complaint": desk.complains, "channels": desk.chooses_channels,
    "score": desk.contests_score, "helper": desk.admits_helper, "unhelp": desk.ends_helper,
    "access": desk.asks_access, "erasure": desk.asks_erasure,
}  # fmt: skip
HELPERS_MAY = frozenset({"plan", "delay", "call", "meet", "help", "complaint", "score"})  # nothing that admits, pays or moves him


async def read_said(form: FormData, *, is_helper: bool) -> desk.Said:
    """What a form says. Raises `NotTakenError` for a figure or a day that is none."""
    upload = form.get("file")
    enclosure = None
    if isinstance(upload, UploadFile) and upload.filename:
        content = await upload.read(desk.LARGEST_UPLOAD + 1)
        enclosure = desk.Enclosure(name=upload.filename, content=content) if content else None
    months = _text(form, "months")
    if months and not (months.isascii() and months.isdigit() and len(months) < 4):
        raise desk.NotTakenError("bad_months", f"{months[:20]!r} is no number of months", "Write a number such as 6.")
    return desk.Said(
        text=_text(form, "text"), amount=_amount(_text(form, "amount")), months=int(months) if months else None,
        on=_day(_text(form, "on")), part=_text(form, "part"), by=_text(form, "by"), enclosure=enclosure, is_helper=is_helper,
        channels=tuple(one for one in form.getlist("channel") if isinstance(one, str)),
    )  # fmt: skip


def _amount(text: str) -> Decimal | None:
    try:
        return parse_amount(text.replace(",", ".").replace(" ", "")) if text else None
    except PermanentError as error:
        raise desk.NotTakenError("bad_amount", error.message, error.cure) from error


def _day(text: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text) if text else None
    except ValueError as error:
        raise desk.NotTakenError("bad_day", f"{text[:20]!r} is no day", "Choose a day ahead.") from error


def _text(form: FormData, name: str) -> str:
    value = form.get(name)
    text = value if isinstance(value, str) else ""
    return "".join(char for char in text if char.isprintable() or char in "\n\t").strip()[:_TEXT_LONGEST]
