"""The values that fields of an exchange may hold, in the one spelling that XML and JSON share.

A `Scalar` reads text that came from outside and writes values that go out; both refuse what the published
schemas refuse. XML carries every value as element text, JSON as a string but for whole numbers and flags.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import enum
import re
from collections.abc import Callable
from decimal import Decimal
from functools import cache
from typing import Any

import msgspec

_SURROGATE = re.compile(r"[\ud800-\udfff]")
_CHARACTERS = r"[^\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]*"  # what XML 1.0 can carry
_LINE_CHARACTERS = r"[^\u0000-\u001f\ufffe\uffff]*"


class Scalar(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of value. `read` and `write` raise ValueError with words for a person.

    `type_name` is the simple type of the XSD, `code` the last part of the fault code for a bad value.
    `json_type` is `string`, `integer` or `boolean`; `pattern` and the limits are as in the schemas.
    """

    type_name: str
    describe: str
    read: Callable[[str], Any]
    write: Callable[[Any], str]
    pattern: str = ""
    code: str = "value"
    json_type: str = "string"
    limits: dict[str, int] = {}
    choices: tuple[str, ...] = ()
    is_collapsed: bool = False  # white space around the value means nothing in XML


def check_text(text: str, pattern: str, describe: str, *, is_personal: bool = False) -> str:
    """The text itself when it fits; raises ValueError otherwise, quoting it unless it may name a person."""
    if not _matcher(pattern)(text) or not (text.isascii() or _SURROGATE.search(text) is None):
        raise ValueError(f"{'this' if is_personal else repr(text[:40])} is not {describe}")
    return text


@cache
def _matcher(pattern: str) -> Callable[[str], object]:
    """Compiled once: a case file of 4 KB has some sixty texts to look at."""
    return re.compile(pattern).fullmatch


def _string(type_name: str, pattern: str, describe: str) -> Scalar:
    def check(text: str) -> str:
        return text if text.isascii() and _matcher(pattern)(text) else check_text(text, pattern, describe)

    return Scalar(type_name=type_name, pattern=pattern, describe=describe, read=check, write=check)


def _id(prefix: str, shortest: int) -> Scalar:
    pattern = rf"[A-Za-z0-9._:/\-]{{{shortest},64}}"
    return _string(f"{prefix}Id", pattern, "an identifier of 1 to 64 letters, digits or ._:/-")


def _characters(type_name: str, pattern: str, shortest: int, longest: int, describe: str) -> Scalar:
    """Text of limited length; what may be longer than a code may name a person and is never quoted."""

    def check(text: str) -> str:
        is_short = shortest <= len(text) <= longest
        if is_short and text.isascii() and text.isprintable():  # nearly every text, and ten times as fast to see
            return text
        return check_text(text, pattern if is_short else "(?!)", describe, is_personal=longest > 64)

    return Scalar(
        type_name=type_name, pattern=pattern, describe=describe, read=check, write=check,
        limits={"minLength": shortest, "maxLength": longest},
    )  # fmt: skip


def _line(type_name: str, shortest: int, longest: int) -> Scalar:
    describe = f"one line of {shortest} to {longest} characters"
    return _characters(type_name, _LINE_CHARACTERS, shortest, longest, describe)


ID, OPTIONAL_ID = _id("", 1), _id("Optional", 0)
REF, OPTIONAL_REF = _line("Ref", 1, 140), _line("OptionalRef", 0, 140)
CODE, OPTIONAL_CODE = _line("Code", 1, 64), _line("OptionalCode", 0, 64)
LINE, OPTIONAL_LINE = _line("Line", 1, 300), _line("OptionalLine", 0, 300)
TEXT = _characters("Text", _CHARACTERS, 0, 10_000, "text of at most 10000 characters that XML can carry")
VERSION = _string("Version", r"1\.0", "version 1.0")
CURRENCY = _string("Currency", "[A-Z]{3}", "an ISO 4217 currency in three capitals")
COUNTRY = _string("Country", "([A-Z]{2})?", "an ISO 3166-1 country in two capitals")
LANGUAGE = _string("Language", "([a-z]{2,3}(-[A-Za-z0-9]{2,8})*)?", "a BCP 47 language such as nl or nl-BE")
MEDIA_TYPE = _string("MediaType", r"[a-z]{1,32}/[A-Za-z0-9.+_\-]{1,94}", "a media type")
SHA256 = _string("Sha256", "[0-9a-f]{64}", "a SHA-256 sum in 64 small hex digits")

_AMOUNT = r"-?[0-9]{1,15}(\.[0-9]{1,6})?"
_AMOUNT_WORDS = "an amount: digits with a point, at most 15 before and 6 after it, no exponent"
_PERCENT = r"-?[0-9]{1,3}(\.[0-9]{1,6})?"
_DATE = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
_ZONE = r"(Z|[+\-]((0[0-9]|1[0-3]):[0-5][0-9]|14:00))"
_MOMENT = rf"{_DATE}T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{{1,6}})?{_ZONE}"


def _read_amount(text: str) -> Decimal:
    return Decimal(check_text(text, _AMOUNT, _AMOUNT_WORDS))


def _write_amount(value: Decimal) -> str:
    if not value.is_finite() or value.adjusted() > 14:
        raise ValueError(f"{str(value)[:40]} is not {_AMOUNT_WORDS}")
    return check_text(f"{value:f}", _AMOUNT, _AMOUNT_WORDS)


def _read_percent(text: str) -> Decimal:
    return Decimal(check_text(text, _PERCENT, "percent a year"))


def _write_percent(value: Decimal) -> str:
    return check_text(f"{value:f}", _PERCENT, "percent a year")


def _read_date(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(check_text(text, _DATE, "a date"))
    except ValueError:
        raise ValueError(f"{text[:40]!r} is not a date of the calendar written YYYY-MM-DD") from None


def _read_moment(text: str) -> dt.datetime:
    try:
        return dt.datetime.fromisoformat(check_text(text, _MOMENT, "a moment"))
    except ValueError:
        raise ValueError(
            f"{text[:40]!r} is not a moment with its zone, such as 2026-06-15T10:00:00Z"
        ) from None


def _write_moment(value: dt.datetime) -> str:
    if value.utcoffset() is None:
        raise ValueError(f"{value.isoformat()} has no time zone")
    return value.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")


def _read_base64(text: str) -> bytes:
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("the content is not base64") from None


def _write_base64(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")


AMOUNT = Scalar(
    type_name="Decimal", describe=_AMOUNT_WORDS, pattern=_AMOUNT, code="amount", is_collapsed=True,
    read=_read_amount, write=_write_amount,
)  # fmt: skip
PERCENT = Scalar(
    type_name="Percent", describe="percent a year: digits with a point, at most 3 before and 6 after it", pattern=_PERCENT,
    is_collapsed=True, read=_read_percent, write=_write_percent,
)  # fmt: skip
DATE = Scalar(
    type_name="Date", describe="a date", pattern=_DATE, code="date", is_collapsed=True,
    read=_read_date, write=dt.date.isoformat,
)  # fmt: skip
MOMENT = Scalar(
    type_name="Moment", describe="a moment", pattern=_MOMENT, code="date", is_collapsed=True,
    read=_read_moment, write=_write_moment,
)  # fmt: skip
BASE64 = Scalar(
    type_name="Base64", describe="base64", is_collapsed=True, read=_read_base64, write=_write_base64
)


def _whole(type_name: str, highest: int) -> Scalar:
    """A whole number from 0 to `highest`."""

    def check(value: int) -> int:
        if not 0 <= value <= highest:
            raise ValueError(f"{value} is not a whole number from 0 to {highest}")
        return value

    def read(text: str) -> int:
        return check(int(check_text(text, r"[+\-]?[0-9]{1,19}", "a whole number")))

    return Scalar(
        type_name=type_name, describe=f"a whole number from 0 to {highest}", json_type="integer",
        limits={"minimum": 0, "maximum": highest}, is_collapsed=True,
        read=read, write=lambda value: str(check(value)),
    )  # fmt: skip


COUNT, LEVEL, SEQUENCE = _whole("Count", 1_000_000), _whole("Level", 99), _whole("Sequence", 2**63 - 1)


def _read_flag(text: str) -> bool:
    return check_text(text, "true|false", "true or false") == "true"


FLAG = Scalar(
    type_name="Flag", describe="true or false", json_type="boolean", is_collapsed=True,
    read=_read_flag, write=lambda value: "true" if value else "false",
)  # fmt: skip


@cache
def choice(words: type[enum.StrEnum]) -> Scalar:
    """A code list of the exchange itself."""
    choices = tuple(word.value for word in words)
    describe = f"one of {', '.join(choices)}"

    def read(text: str) -> enum.StrEnum:
        if text not in choices:
            raise ValueError(f"{text[:40]!r} is not {describe}")
        return words(text)

    return Scalar(type_name=words.__name__, describe=describe, choices=choices, read=read, write=str)
