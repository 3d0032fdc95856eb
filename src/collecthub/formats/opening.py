"""Any file that holds a case exchange, opened for people: XML, JSON, an unencrypted container, or a request that can be read as one."""

from __future__ import annotations

import msgspec

from collecthub.formats import elan
from collecthub.formats.json import JsonFormat, parse
from collecthub.formats.xml import XmlFormat
from collecthub.model.exchange import Exchange, Fault
from collecthub.wire.container import unpack

MARKS = b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n"  # what may stand before the first sign of a text
ZIP = b"PK\x03\x04"
INSIDE = "exchange.xml"


class Opened(msgspec.Struct, frozen=True, kw_only=True):
    """The exchange, what of it could not be read, and elements of a foreign request that it has no place for."""

    exchange: Exchange
    faults: tuple[Fault, ...] = ()
    left_behind: tuple[str, ...] = ()


def open_exchange(content: bytes) -> Opened:
    """Raises `QuarantineError` when the whole cannot be read, as the readers do."""
    if content.startswith(ZIP):
        found = unpack(content)
        documents = {name: part for name, part in found.items() if name != INSIDE}
        read = XmlFormat().read(found.get(INSIDE, b""), documents)
        return Opened(exchange=read.exchange, faults=read.faults)
    if content.lstrip(MARKS)[:1] == b"<":
        read = XmlFormat().read(content)
        return Opened(exchange=read.exchange, faults=read.faults)
    if elan.is_elan(parse(content)):
        return Opened(exchange=elan.read_elan(content), left_behind=elan.left_behind(content))
    read = JsonFormat().read(content)
    return Opened(exchange=read.exchange, faults=read.faults)
