"""Which spelling a file is in, for whoever has only its bytes (`collecthub exchange validate FILE`)."""

from __future__ import annotations

from collecthub.errors import QuarantineError
from collecthub.formats.json import JsonFormat
from collecthub.formats.xml import XmlFormat

_MARK = b"\xef\xbb\xbf"


def spelling_of(content: bytes) -> XmlFormat | JsonFormat:
    """The format that can read these bytes, by their first character.

    Raises `QuarantineError` (`exchange.spelling`) when they begin like neither.
    """
    start = content[:1024].removeprefix(_MARK).lstrip()[:1]
    if start == b"<":
        return XmlFormat()
    if start == b"{":
        return JsonFormat()
    raise QuarantineError(
        "The file is neither XML nor a JSON object.",
        code="exchange.spelling",
        cure="Give the exchange itself; a .zip.p7m container must be decrypted and unpacked first.",
    )
