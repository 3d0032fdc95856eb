"""File names that come from outside: what makes one unfit to be used, shown or compared."""

from __future__ import annotations

import re

_BYTES_MAX = 255
_DECEIVING = re.compile(r"[\x00-\x1f\x7f-\x9f\\\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
_DRIVE = re.compile(r"^[A-Za-z]:")


def path_problem(path: str) -> str:
    """Why a relative path with `/` must not be used, as the end of a sentence; empty when it is harmless.

    >>> path_problem("../../etc/passwd"), path_problem("documents/invoice 7.pdf")
    ('has a step out of its folder', '')
    """
    steps = path.split("/")
    if _DECEIVING.search(path):
        return "has a character that hides or redirects"
    if path.startswith("/") or _DRIVE.match(path):
        return "is absolute"
    if ".." in steps:
        return "has a step out of its folder"
    if "" in steps or "." in steps:
        return "has an empty step"
    return "is too long" if len(path.encode()) > _BYTES_MAX else ""


def name_problem(name: str) -> str:
    """The same for the name of one file in a folder.

    >>> name_problem("a/b.xml"), name_problem("status 07:30.xml")
    ('is a path', '')
    """
    return path_problem(name) or ("is a path" if "/" in name else "")
