"""Reads elements of the case exchange: what each spells, and what is wrong with it, by the table and by the published schema."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import Any

from lxml import etree

from collecthub.formats.envelope import Piece
from collecthub.formats.published import XSD, schema_folder
from collecthub.formats.records import Path, Problem, Tree
from collecthub.formats.scalars import AMOUNT, Scalar
from collecthub.formats.shape import MESSAGE_BY_ELEMENT, Field, Record, fields_of
from collecthub.model.exchange import DocumentItem
from collecthub.wire.xml import Element, Schema, serialise

NAMESPACE = "urn:collecthub:case-exchange:1.0"
_WHOLE = re.compile(r"[+\-]?[0-9]{1,19}", re.ASCII)
_WHITE = " \t\r\n"
_EXCERPT_CHARS = 1000

Files = Mapping[str, bytes]


def piece_of(element: Element, place: Callable[[Path], str], documents: Files | None = None) -> Piece:
    """One message as it was spelled; `place` tells where a problem is."""
    qualified = etree.QName(element)
    kind = MESSAGE_BY_ELEMENT.get(qualified.localname) if qualified.namespace == NAMESPACE else None
    tree, problems = read_element(element, kind, currency_of(element), documents) if kind else ({}, [])
    return Piece(
        kind=kind,
        tree=tree,
        problems=problems,
        place=place,
        excerpt=partial(_excerpt, element),
        recheck=partial(objections, element),
    )


def read_element(
    element: Element, kind: type[Record], currency: str, documents: Files | None, path: Path = ()
) -> tuple[Tree, list[Problem]]:
    """The tree that an element spells, and what is wrong with the spelling."""
    tree: Tree = {}
    problems: list[Problem] = []
    by_element = _fields_by_element(kind)
    for child in element:
        field = by_element.get(child.tag)
        if field is None:
            is_href = kind is DocumentItem and child.tag == tag_of("Href")
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
        return read_element(child, field.record, currency, documents, path)
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
    return {tag_of(field.element): field for field in fields_of(kind)}


def currency_of(message: Element) -> str:
    return message.findtext(tag_of("Currency")) or ""


# --- where and why ------------------------------------------------------------------------------------------------


@cache
def _schema() -> Schema:
    return Schema.load(schema_folder() / XSD)


def objections(element: Element) -> list[Problem]:
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
        match = found.findall(tag_of(name))
        if len(match) < number:
            break
        found = match[number - 1]
    written = "".join(f"/{name}" if number == 1 else f"/{name}[{number}]" for name, number in steps)
    return f"{start}{written}, line {found.sourceline}"


def message_place(message: Element, path: Path) -> str:
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
def tag_of(name: str) -> str:
    return f"{{{NAMESPACE}}}{name}"
