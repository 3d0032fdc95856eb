"""The case exchange as XML, as in `case-exchange-1.0.xsd`.

One walk writes and one walk reads every record, led by the table in `shape`. A message must satisfy both the
table, whose words are for people, and the published schema.
"""

from __future__ import annotations

import base64
from copy import copy
from functools import partial
from io import BytesIO
from typing import Any

from lxml import etree

from collecthub.errors import QuarantineError
from collecthub.formats.envelope import Piece, Reading, Sheet, head_of, read_exchange
from collecthub.formats.json import bad_accounts
from collecthub.formats.records import Tree, record_of, tree_of
from collecthub.formats.shape import ExchangeHead
from collecthub.formats.xml_reading import (
    NAMESPACE,
    Files,
    currency_of,
    message_place,
    objections,
    piece_of,
    place_of,
    read_element,
    tag_of,
)
from collecthub.formats.xml_stream import StreamHead, decoded_stream, stream_messages
from collecthub.formats.xml_writing import document, write_fields, write_record
from collecthub.model.exchange import AccountLine, Decoded, Exchange
from collecthub.wire.xml import Element, parse

_FAMILY = "urn:collecthub:case-exchange:"
WHOLE_BYTES_MAX = 20_000_000  # what is larger is read message by message
STREAM_BYTES_MAX = 100_000_000
_SIGNATURE = "{http://www.w3.org/2000/09/xmldsig#}Signature"
_SUFFIXES = {
    "application/pdf": "pdf", "application/xml": "xml", "application/json": "json", "text/plain": "txt",
    "text/csv": "csv", "image/jpeg": "jpg", "image/png": "png", "image/tiff": "tif",
}  # fmt: skip

class XmlFormat:
    """Writes and reads an exchange as XML."""

    format_id = "case-exchange-xml"
    media_type = "application/xml"

    def encode(self, exchange: Exchange) -> bytes:
        """The exchange with its documents inside. Raises `PermanentError` naming a value it cannot carry."""
        return _written(exchange, None)

    def encode_with_files(self, exchange: Exchange) -> tuple[bytes, dict[str, bytes]]:
        """The exchange with its documents beside it, as files of a container by their name there."""
        documents: dict[str, bytes] = {}
        return _written(exchange, documents), documents

    def decode(self, content: bytes) -> Decoded:
        """Raises `QuarantineError` (`xml.*`, `exchange.*`) when the whole cannot be read."""
        return self.decode_with_files(content, None)

    def decode_with_files(self, content: bytes, documents: Files | None) -> Decoded:
        """The same for a container: a document that is named but not among the files is a fault."""
        if len(content) > WHOLE_BYTES_MAX:
            return decoded_stream(BytesIO(content), documents, STREAM_BYTES_MAX)
        return self.read(content, documents).decoded()

    def head(self, content: bytes) -> StreamHead:
        """Who writes to whom, without reading further than the first message. Raises as `decode` does."""
        found = StreamHead()
        next(stream_messages(BytesIO(content), found, max_bytes=STREAM_BYTES_MAX), None)
        return found

    def read(self, content: bytes, documents: Files | None = None) -> Reading:
        """The same with the whole envelope: receiver, moment and test flag."""
        root = parse(content)
        _check_root(root, "Exchange")
        box = root.find(tag_of("Messages"))
        bare = _without(root, box)
        head, problems = read_element(bare, ExchangeHead, "", documents)
        problems = [problem for problem in problems if problem.path != ("Messages",)] or objections(bare)
        return read_exchange(
            Sheet(
                head=head,
                problems=problems,
                place=partial(place_of, root, "/Exchange"),
                pieces=[_piece(message, documents) for message in _messages(box)],
            )
        )

    def encode_accounts(self, lines: tuple[AccountLine, ...]) -> bytes:
        """A holder's books. Raises `PermanentError` naming a value that cannot be carried."""
        parts: list[str] = []
        for place, line in enumerate(lines):
            write_record(parts, "AccountLine", AccountLine, tree_of(line, ("items", place)), line.currency)
        return document("Accounts", NAMESPACE, parts)

    def decode_accounts(self, content: bytes) -> tuple[AccountLine, ...]:
        """Books are read whole or not at all: half of them would look like a difference.

        Raises `QuarantineError` (`xml.*`, `exchange.namespace`, `accounts.invalid`).
        """
        root = parse(content)
        _check_root(root, "Accounts")
        lines: list[AccountLine] = []
        for element in (child for child in root if child.tag == tag_of("AccountLine")):
            tree, problems = read_element(element, AccountLine, currency_of(element), None)
            line, found = record_of(AccountLine, tree)
            if problems or not isinstance(line, AccountLine):
                problem = [*problems, *found][0]
                raise bad_accounts(
                    f"{problem.reason} (at {place_of(element, '/Accounts/AccountLine', problem.path)})"
                )
            lines.append(line)
        for objection in objections(root):
            raise bad_accounts(objection.reason)
        return tuple(lines)


# --- writing ----------------------------------------------------------------------------------------------------


def _written(exchange: Exchange, documents: dict[str, bytes] | None) -> bytes:
    parts: list[str] = []
    write_fields(parts, ExchangeHead, tree_of(head_of(exchange)), "")
    start = len(parts)
    for place, message in enumerate(exchange.messages):
        tree = tree_of(message, ("messages", place))
        if documents is not None:
            _detach(tree, documents)
        write_record(parts, type(message).__name__, type(message), tree, tree.get("currency", ""))
    parts[start:] = ["<Messages>", *parts[start:], "</Messages>"] if exchange.messages else ["<Messages/>"]
    return document("Exchange", NAMESPACE, parts)


def _detach(tree: Tree, documents: dict[str, bytes]) -> None:
    """Move the content of documents out of a message's tree into files."""
    for item in tree.get("documents", ()):
        if "content" in item:
            href = f"documents/{item['sha256']}.{_SUFFIXES.get(item['media_type'], 'bin')}"
            documents[href] = base64.b64decode(item.pop("content"))
            item["href"] = href


# --- reading ----------------------------------------------------------------------------------------------------


def _check_root(root: Element, name: str) -> None:
    qualified = etree.QName(root)
    namespace = qualified.namespace or ""
    if namespace == NAMESPACE and qualified.localname == name:
        return
    is_version = namespace.startswith(_FAMILY) and namespace != NAMESPACE
    raise QuarantineError(
        f"The XML is {qualified.localname[:64]!r} of namespace {namespace[:100]!r}, not {name} of {NAMESPACE}.",
        code="exchange.version" if is_version else "exchange.namespace",
        cure="Ask the sender for a file of case exchange 1.0.",
    )


def _without(root: Element, box: Element | None) -> Element:
    """A copy of the exchange without its messages and signature, to look at the head alone."""
    prefixes: dict[Any, str] = {None: NAMESPACE}
    head = etree.Element(tag_of("Exchange"), nsmap=prefixes)
    for name, value in root.attrib.items():
        head.set(name, value)
    for child in root:
        if child is box:
            etree.SubElement(head, tag_of("Messages"))
        elif child.tag != _SIGNATURE:
            head.append(copy(child))
    return head


def _messages(box: Element | None) -> list[Element]:
    return [] if box is None else list(box)


def _piece(element: Element, documents: Files | None) -> Piece:
    return piece_of(element, partial(message_place, element), documents)
