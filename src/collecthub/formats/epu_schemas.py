"""The published schemas of the Polish payment-order court, made to compile.

They are not bundled (their repository is GPL-3.0); the caller names the folder with the 14 files. As published only one
compiles: TypyDanych.xsd declares another namespace than the others, and eight of them do not include it. Both are put
right in a temporary copy; the files themselves are never changed.
"""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

from lxml import etree

from collecthub.errors import ConfigurationError
from collecthub.formats.epu_particulars import NAMESPACE
from collecthub.wire.xml import Element, Schema, SchemaFault, parse

TYPES = "TypyDanych.xsd"
_OTHER_NAMESPACE = "http://www.e-sad.gov.pl/epu"
_XSD = "{http://www.w3.org/2001/XMLSchema}"
_MARK = b"\xef\xbb\xbf"


def epu_faults(document: Element, folder: Path) -> list[SchemaFault]:
    """What the court's schema says against a document. Raises `ConfigurationError` when the folder has none for it."""
    name = etree.QName(document).localname
    path = next((path for path in sorted(folder.glob("*.xsd")) if name in _declared(path)), None)
    if path is None or not (folder / TYPES).is_file():
        raise ConfigurationError(
            f"The folder {folder} holds no schema for {name}", cure=f"Name the folder with {TYPES} and its neighbours."
        )
    return _compiled(folder.resolve(), path.name).check(document)


def _declared(path: Path) -> set[str]:
    root = parse(path.read_bytes())
    return {str(child.get("name")) for child in root if child.tag == f"{_XSD}element"}


@cache
def _compiled(folder: Path, name: str) -> Schema:
    with tempfile.TemporaryDirectory() as copy:
        for path in folder.glob("*.xsd"):
            (Path(copy) / path.name).write_bytes(_corrected(path.name, path.read_bytes()))
        return Schema.load(Path(copy) / name)


def _corrected(name: str, content: bytes) -> bytes:
    content = content.removeprefix(_MARK).replace(_OTHER_NAMESPACE.encode(), NAMESPACE.encode())
    if name == TYPES or TYPES.encode() in content:
        return content
    root = parse(content)
    include = etree.Element(f"{_XSD}include", schemaLocation=TYPES)
    root.insert(0, include)
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True)
