"""What a person typed into a form, read field by field; every wrong field is named, none is guessed."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection, Mapping
from decimal import Decimal

from starlette.datastructures import FormData

from collecthub.errors import PermanentError
from collecthub.model.money import minor_units

TEXT_LONGEST = 4000
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")
_AMOUNT = re.compile(r"([0-9]{1,15})(?:[.,]([0-9]{1,6}))?", re.ASCII)


class EnteredError(PermanentError):
    """A form with fields that are not right; `fields` says what is wrong with each."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        super().__init__("Something in the form is not right", cure="Correct the marked fields.")
        self.fields = fields


class Entered:
    """The form's fields. Readers note what is wrong; `check` raises it all at once."""

    def __init__(self, form: FormData) -> None:
        self.given = {
            name: value for name, value in form.multi_items() if isinstance(value, str) and name != "csrf"
        }
        self.wrong: dict[str, str] = {}

    def text(self, name: str, *, required: bool = False, longest: int = TEXT_LONGEST) -> str:
        """A text without control characters, trimmed."""
        value = self.given.get(name, "").replace("\r\n", "\n").strip()
        if required and not value:
            self.wrong[name] = "Fill this in."
        elif len(value) > longest:
            self.wrong[name] = f"Use at most {longest} characters."
        elif _CONTROLS.search(value) or not _is_utf8(value):
            self.wrong[name] = "Remove the control characters."
        return value

    def choice(self, name: str, allowed: Collection[str], *, default: str = "") -> str:
        """One of the offered values."""
        value = self.given.get(name, "") or default
        if value not in allowed:
            self.wrong[name] = "Choose one of the list."
        return value

    def date(self, name: str, *, required: bool = False) -> dt.date | None:
        """A date as the browser's date field sends it."""
        value = self.given.get(name, "").strip()
        if not value:
            if required:
                self.wrong[name] = "Choose a date."
            return None
        try:
            return dt.date.fromisoformat(value)
        except ValueError:
            self.wrong[name] = "Write the date as year-month-day, for example 2026-06-15."
            return None

    def amount(self, name: str, currency: str, *, required: bool = True) -> Decimal:
        """An amount with point or comma as decimal mark; no grouping, so that it reads in one way only."""
        value = re.sub(r"\s", "", self.given.get(name, ""))
        match = _AMOUNT.fullmatch(value)
        places = minor_units(currency)
        if not value:
            if required:
                self.wrong[name] = "Enter an amount."
        elif match is None or len(match.group(2) or "") > places:
            example = "1234" + ("." + "50"[:places].ljust(places, "0") if places else "")
            self.wrong[name] = f"Write the amount without grouping, for example {example}."
        else:
            return Decimal(f"{match.group(1)}.{match.group(2) or 0}")
        return Decimal(0)

    def check(self) -> None:
        """Raises `EnteredError` when a field is wrong."""
        if self.wrong:
            raise EnteredError(self.wrong)


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
