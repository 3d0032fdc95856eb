"""What the pages without a login have in common: the time that wrong codes cost, and the files that are taken."""

from __future__ import annotations

import datetime as dt

import msgspec

FREE_TRIES, LONGEST_WAIT = 5, dt.timedelta(minutes=15)
_LONGEST_NAME = 120
_MAGIC = {b"%PDF-": "application/pdf", b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg"}


class Paper(msgspec.Struct, frozen=True):
    """A file as a browser sends it."""

    name: str
    content: bytes


def safe_name(given: str) -> str:
    r"""A file's name to keep and show: no path, nothing that turns text around or ends a header, the end with its type kept.

    >>> safe_name("../../etc/passwd"), safe_name("bill\u202efdp.exe"), safe_name("\0")
    ('.. .. etc passwd', 'billfdp.exe', 'upload')
    """
    shown = "".join(char for char in given if char.isprintable())
    words = "".join(" " if char in '/\\"<>|:*?' else char for char in shown).split()
    return " ".join(words)[-_LONGEST_NAME:] or "upload"


def wait_seconds(tries: int, tried_at: dt.datetime | None, now: dt.datetime) -> float:
    """How long the next try must wait after so many wrong codes: nothing at first, then doubling, and never for good.

    >>> at = dt.datetime(2026, 6, 15, tzinfo=dt.UTC)
    >>> [wait_seconds(tries, at, at) for tries in (4, 5, 7, 50)]
    [0, 2.0, 8.0, 900.0]
    """
    over = tries - FREE_TRIES
    if over < 0 or tried_at is None:
        return 0
    pause = min(dt.timedelta(seconds=2 ** min(over + 1, 12)), LONGEST_WAIT)
    return float(max((tried_at + pause - now).total_seconds(), 0))


def paper_type(content: bytes) -> str:
    """The media type of a PDF, PNG or JPEG, by its own first bytes; empty for anything else.

    >>> paper_type(b"%PDF-1.7 ..."), paper_type(b"MZ")
    ('application/pdf', '')
    """
    return next((kind for start, kind in _MAGIC.items() if content.startswith(start)), "")
