"""A large exchange in XML, read message by message: memory stays flat from ten messages to a hundred thousand.

Each message is judged as in `formats.xml`, by the table and by the published schema. Documents of a large batch lie beside
it in the container; a batch whose XML is signed from inside must be read whole, because such a signature covers all of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import partial
from typing import IO

import msgspec
from lxml import etree

from collecthub.errors import QuarantineError
from collecthub.formats.envelope import read_message
from collecthub.formats.shape import MESSAGE_BY_ELEMENT
from collecthub.formats.xml_reading import NAMESPACE, Files, piece_of, place_of
from collecthub.model.exchange import EXCHANGE_VERSION, Decoded, Fault, Message
from collecthub.wire.xml import iter_elements

_HEAD = ("ExchangeId", "Version", "SenderRef", "ReceiverRef", "CreatedAt", "IsTest", "MessageCount")
_TAGS = tuple(f"{{{NAMESPACE}}}{name}" for name in (*_HEAD, *MESSAGE_BY_ELEMENT))
_ROOT = f"{{{NAMESPACE}}}Exchange"


class StreamHead(msgspec.Struct):
    """What the envelope said, as far as it was read."""

    exchange_id: str = ""
    sender_ref: str = ""
    receiver_ref: str = ""
    is_test: bool = False


def decoded_stream(stream: IO[bytes], documents: Files | None, max_bytes: int) -> Decoded:
    """The whole exchange, read message by message: what is kept is the messages, never the document.

    Raises what `stream_messages` does.
    """
    head = StreamHead()
    messages: list[Message] = []
    faults: list[Fault] = []
    for found in stream_messages(stream, head, documents, max_bytes=max_bytes):
        if isinstance(found, Fault):
            faults.append(found)
        else:
            messages.append(found)
    return Decoded(
        exchange_id=head.exchange_id, sender_ref=head.sender_ref, messages=tuple(messages), faults=tuple(faults),
        is_test=head.is_test,
    )


def stream_messages(
    stream: IO[bytes], head: StreamHead, documents: Files | None = None, *, max_bytes: int = 1_000_000_000
) -> Iterator[Message | Fault]:
    """Each message of the exchange, or what is wrong with it; `head` is filled on the way.

    Raises `QuarantineError` for what `wire.xml.iter_elements` refuses, and for `exchange.version`,
    `exchange.head`, `exchange.namespace`, `exchange.count` (only the end of the file tells): what was yielded before
    must not be used then.
    """
    said: dict[str, str] = {}
    seen: set[str] = set()
    counted: Counter[str] = Counter()
    for element in iter_elements(stream, _TAGS, max_bytes=max_bytes):
        name, parent = etree.QName(element).localname, element.getparent()
        is_in_head = parent is not None and parent.tag == _ROOT
        if name in _HEAD and is_in_head:
            said[name] = (element.text or "").strip()
        elif name in MESSAGE_BY_ELEMENT and not is_in_head:
            if not counted:
                _fill(head, said)
            counted[name] += 1
            start = f"/Exchange/Messages/{name}[{counted[name]}]"
            yield read_message(piece_of(element, partial(place_of, element, start), documents), seen)
    _fill(head, said)
    count = counted.total()
    if said["MessageCount"] != str(count):
        raise QuarantineError(
            f"Exchange {head.exchange_id} announces {said['MessageCount'][:20]} messages and holds {count}.",
            code="exchange.count", cure="Ask the sender to send the whole file again.", reference=head.exchange_id,
        )


def _fill(head: StreamHead, said: dict[str, str]) -> None:
    """Take over the envelope, which stands before the messages."""
    if missing := [name for name in _HEAD if name not in said and name != "IsTest"]:
        raise QuarantineError(
            f"The exchange has no {missing[0]} before its messages.", code="exchange.head",
            cure="Ask the sender for a file of case exchange 1.0.",
        )
    if said["Version"] != EXCHANGE_VERSION:
        raise QuarantineError(
            f"The exchange is in version {said['Version'][:20]!r}; this hub reads {EXCHANGE_VERSION}.",
            code="exchange.version", cure=f"Ask the sender for version {EXCHANGE_VERSION}.",
        )
    head.exchange_id, head.sender_ref, head.receiver_ref = said["ExchangeId"], said["SenderRef"], said["ReceiverRef"]
    head.is_test = said.get("IsTest") == "true"
