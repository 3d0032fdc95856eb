"""The case exchange as XML, as in `case-exchange-1.0.xsd`.

One walk writes and one walk reads every record, led by the table in `shape`. A message must satisfy both the
table, whose words are for people, and the published schema.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from copy import copy
from functools import cache, partial
from typing import Any

from lxml import etree

from collecthub.errors import QuarantineError
from collecthub.formats.envelope import Piece, Reading, Sheet, head_of, read_exchange
from collecthub.formats.json import bad_accounts
from collecthub.formats.published import XSD, schema_folder
from collecthub.formats.records import Path, Problem, Tree, record_of, tree_of
from collecthub.formats.scalars import AMOUNT, Scalar
from collecthub.formats.shape import MESSAGE_BY_ELEMENT, ExchangeHead, Field, Record, fields_of
from collecthub.formats.xml_writing import document, write_fields, write_record
from collecthub.model.exchange import AccountLine, Decoded, DocumentItem, Exchange
from collecthub.wire.xml import Element, Schema, parse, serialise

NAMESPACE = "urn:collecthub:case-exchange:1.0"
_FAMILY = "urn:collecthub:case-exchange:"
_SIGNATURE = "{http://www.w3.org/2000/09/xmldsig#}Signature"
_WHOLE = re.compile(r"[+\-]?[0-9]{1,19}", re.ASCII)
_WHITE = " \t\r\n"
_EXCERPT_CHARS = 1000
_SUFFIXES = {
    "application/pdf": "pdf", "application/xml": "xml", "application/json": "json", "text/plain": "txt",
    "text/csv": "csv", "image/jpeg": "jpg", "image/png": "png", "image/tiff": "tif",
}  # fmt: skip

Files = Mapping[str, bytes]


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
        return self.read(content).decoded()

    def decode_with_files(self, content: bytes, documents: Files) -> Decoded:
        """The same for a container: a document that is named but not among the files is a fault."""
        return self.read(content, documents).decoded()

    def read(self, content: bytes, documents: Files | None = None) -> Reading:
        """The same with the whole envelope: receiver, moment and test flag."""
        root = parse(content)
        _check_root(root, "Exchange")
        box = root.find(_tag("Messages"))
        bare = _without(root, box)
        head, problems = _read_tree(bare, ExchangeHead, "", documents)
        problems = [problem for problem in problems if problem.path != ("Messages",)] or _objections(bare)
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
        for element in (child for child in root if child.tag == _tag("AccountLine")):
            tree, problems = _read_tree(element, AccountLine, _currency_of(element), None)
            line, found = record_of(AccountLine, tree)
            if problems or not isinstance(line, AccountLine):
                problem = [*problems, *found][0]
                raise bad_accounts(
                    f"{problem.reason} (at {place_of(element, '/Accounts/AccountLine', problem.path)})"
                )
            lines.append(line)
        for objection in _objections(root):
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
    head = etree.Element(_tag("Exchange"), nsmap=prefixes)
    for name, value in root.attrib.items():
        head.set(name, value)
    for child in root:
        if child is box:
            etree.SubElement(head, _tag("Messages"))
        elif child.tag != _SIGNATURE:
            head.append(copy(child))
    return head


def _messages(box: Element | None) -> list[Element]:
    return [] if box is None else list(box)


def _piece(element: Element, documents: Files | None) -> Piece:
    return piece_of(element, partial(_message_place, element), documents)


def piece_of(element: Element, place: Callable[[Path], str], documents: Files | None = None) -> Piece:
    """One message as it was spelled; `place` tells where a problem is."""
    qualified = etree.QName(element)
    kind = MESSAGE_BY_ELEMENT.get(qualified.localname) if qualified.namespace == NAMESPACE else None
    tree, problems = _read_tree(element, kind, _currency_of(element), documents) if kind else ({}, [])
    return Piece(
        kind=kind,
        tree=tree,
        problems=problems,
        place=place,
        excerpt=partial(_excerpt, element),
        recheck=partial(_objections, element),
    )


def _read_tree(
    element: Element, kind: type[Record], currency: str, documents: Files | None, path: Path = ()
) -> tuple[Tree, list[Problem]]:
    """The tree that an element spells, and what is wrong with the spelling."""
    tree: Tree = {}
    problems: list[Problem] = []
    by_element = _fields_by_element(kind)
    for child in element:
        field = by_element.get(child.tag)
        if field is None:
            is_href = kind is DocumentItem and child.tag == _tag("Href")
            problems += _attach(tree, child, documents, path) if is_href else [_stranger(child, path)]
            continue
        here = (*path, field.name, len(tree.get(field.name, ()))) if field.is_many else (*path, field.name)
        value, found = _read_child(child, field, currency, documents, here)
        problems += found
        if field.is_many:
            tree.setdefault(field.name, []).append(value)
        elif field.name in tree:
            problems.append(Problem("repeated", here, f"{field.element} stands here twice"))
        else:
            tree[field.name] = value
    return tree, problems


def _read_child(
    child: Element, field: Field, currency: str, documents: Files | None, path: Path
) -> tuple[Any, list[Problem]]:
    if field.record is not None:
        return _read_tree(child, field.record, currency, documents, path)
    assert field.scalar is not None
    if len(child):
        return "", [Problem("value", path, f"{field.element} holds elements instead of a value")]
    problems = []
    if field.scalar is AMOUNT and child.get("currencyID") != currency:
        said = child.get("currencyID", "no currency")[:10]
        problems.append(
            Problem("currency", path, f"{field.element} is in {said}, its message in {currency[:10]!r}")
        )
    return _json_value(field.scalar, child.text or ""), problems


def _json_value(scalar: Scalar, text: str) -> Any:
    """The value as JSON would hold it; a text that does not fit stays text and is refused by the record."""
    text = text.strip(_WHITE) if scalar.is_collapsed else text
    if scalar.json_type == "integer" and _WHOLE.fullmatch(text):
        return int(text)
    if scalar.json_type == "boolean" and text in ("true", "false"):
        return text == "true"
    return text


def _attach(tree: Tree, href: Element, documents: Files | None, path: Path) -> list[Problem]:
    """Put the file that a document names into its tree."""
    name = (href.text or "").strip(_WHITE)
    if documents is None:
        return []
    if name not in documents:
        return [Problem("document", (*path, "Href"), f"the container holds no file {name[:100]!r}")]
    tree["content"] = base64.b64encode(documents[name]).decode("ascii")
    return []


def _stranger(child: Element, path: Path) -> Problem:
    """An element that no field of this record has."""
    qualified = etree.QName(child)
    name = qualified.localname[:64]
    if qualified.namespace != NAMESPACE:
        return Problem(
            "unknown",
            path,
            f"{name!r} of namespace {(qualified.namespace or '')[:100]!r} does not belong here",
        )
    return Problem("unknown", (*path, name) if name[:1].isupper() else path, f"{name!r} does not belong here")


@cache
def _fields_by_element(kind: type[Record]) -> dict[str, Field]:
    return {_tag(field.element): field for field in fields_of(kind)}


def _currency_of(message: Element) -> str:
    return message.findtext(_tag("Currency")) or ""


# --- where and why ------------------------------------------------------------------------------------------------


@cache
def _schema() -> Schema:
    return Schema.load(schema_folder() / XSD)


def _objections(element: Element) -> list[Problem]:
    """What the published schema says against an element."""
    return [
        Problem("schema", (), f"{fault.message} (line {fault.line}, {fault.path})")
        for fault in _schema().check(element)
    ]


def place_of(element: Element, start: str, path: Path) -> str:
    """Where a problem is, for the sender: an XPath without prefixes, and the line."""
    steps = _steps(path)
    found = element
    for name, number in steps:
        match = found.findall(_tag(name))
        if len(match) < number:
            break
        found = match[number - 1]
    written = "".join(f"/{name}" if number == 1 else f"/{name}[{number}]" for name, number in steps)
    return f"{start}{written}, line {found.sourceline}"


def _message_place(message: Element, path: Path) -> str:
    """The same for a message, by its number among those of its kind."""
    number = 1 + sum(1 for _ in message.itersiblings(message.tag, preceding=True))
    return place_of(message, f"/Exchange/Messages/{etree.QName(message).localname[:64]}[{number}]", path)


def _steps(path: Path) -> list[tuple[str, int]]:
    """Element name and number for every step: `("claims", 2, "due_on")` is Claim 3, DueOn 1."""
    steps: list[tuple[str, int]] = []
    for part in path:
        if isinstance(part, int):
            name = steps.pop()[0].removesuffix("s")
            steps.append((name, part + 1))
        else:
            steps.append(
                (part if part[:1].isupper() else "".join(word.capitalize() for word in part.split("_")), 1)
            )
    return steps


def _excerpt(element: Element) -> str:
    return serialise(element).decode("utf-8", "replace")[:_EXCERPT_CHARS]


@cache
def _tag(name: str) -> str:
    return f"{{{NAMESPACE}}}{name}"
