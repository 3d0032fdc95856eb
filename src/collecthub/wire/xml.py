"""Read, check and write XML from outside. The only place that parses it.

Refused with `QuarantineError`: `xml.doctype`, `xml.encoding`, `xml.limit`, `xml.malformed`. Comments and
processing instructions are dropped while reading, so `.text` is the whole text of an element: a comment inside
a signed amount cannot cut `100.00` down to `10`. XInclude, schema hints and stylesheets are never followed.
"""

from __future__ import annotations

import codecs
import re
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final, Self
from urllib.parse import unquote, urlsplit

from lxml import etree

from collecthub.errors import ConfigurationError, QuarantineError
from collecthub.wire.xml_prolog import PROLOG_CHARS_MAX, bad_encoding, encoding_of, refuse_doctype, refuse_nul

Element = etree._Element  # for annotations; lxml has no public name for it

DEPTH_MAX: Final = 64
ATTRIBUTES_MAX: Final = 1_000
FAULTS_MAX: Final = 100
_BLOCK: Final = 32_768
_TOO_DEEP = f"ancestor::*[{DEPTH_MAX}] | ." + "/*" * DEPTH_MAX
_TOO_WIDE = f"descendant-or-self::*/@*[{ATTRIBUTES_MAX + 1}]"
_EXCESS = etree.XPath(f"boolean({_TOO_DEEP} | {_TOO_WIDE})")
_LIMIT_ERRORS: Final = {110, 114}  # libxml2: name too long, resource limit
_CHARACTER_ERRORS: Final = {9}  # libxml2: invalid character
_NAMESPACE = re.compile(r"\{[^{}]*\}")
_SAFE: Final[dict[str, Any]] = {
    "resolve_entities": False,
    "no_network": True,
    "load_dtd": False,
    "huge_tree": False,
    "remove_comments": True,
    "remove_pis": True,
}


def parse(content: bytes, *, max_bytes: int = 20_000_000) -> Element:
    """Read a document from outside and return its root element, without comments and processing instructions.

    Raises `QuarantineError`: `xml.doctype` for any DOCTYPE, `xml.encoding`, `xml.limit` (size, depth 64, 1,000
    attributes on an element, 10 MB in one text) or `xml.malformed`.
    """
    if len(content) > max_bytes:
        raise QuarantineError(
            f"The XML has {len(content)} bytes; at most {max_bytes} are accepted.", code="xml.limit"
        )
    try:
        text = content.decode(encoding_of(content[:400]))
    except UnicodeDecodeError as error:
        raise bad_encoding(error) from error
    refuse_nul(text)
    refuse_doctype(text)
    try:
        root = etree.fromstring(text.encode(), etree.XMLParser(encoding="utf-8", **_SAFE))
    except etree.XMLSyntaxError as error:
        raise _refusal(error) from error
    if root.getroottree().docinfo.internalDTD is not None:  # the parser's own view, should it ever differ
        raise QuarantineError("The XML carries a DOCTYPE.", code="xml.doctype")
    _refuse_excess(root)
    return root


def iter_elements(stream: IO[bytes], tag: str | Sequence[str], *, max_bytes: int = 1_000_000_000) -> Iterator[Element]:
    """Yield each element `tag` (`{namespace}Name`, or several) of a big document as it is complete; memory stays flat.

    An element is emptied when the next one is asked for. Refuses what `parse` refuses; elements before the bad
    place have been yielded by then.
    """
    pull = etree.XMLPullParser(events=("end",), tag=tag, encoding="utf-8", **_SAFE)
    try:
        for block in _checked_blocks(stream, max_bytes):
            pull.feed(block)
            yield from _completed(pull)
        pull.close()
        yield from _completed(pull)
    except etree.XMLSyntaxError as error:
        raise _refusal(error) from error


def _checked_blocks(stream: IO[bytes], max_bytes: int) -> Iterator[bytes]:
    """The stream as UTF-8 blocks, its prolog checked before the first one."""
    raw = stream.read(PROLOG_CHARS_MAX * 4)
    decoder = codecs.getincrementaldecoder(encoding_of(raw[:400]))("strict")
    seen, is_first = 0, True
    while True:
        seen += len(raw)
        if seen > max_bytes:
            raise QuarantineError(f"The XML has more than {max_bytes} bytes.", code="xml.limit")
        try:
            text = decoder.decode(raw, final=not raw)
        except UnicodeDecodeError as error:
            raise bad_encoding(error) from error
        refuse_nul(text)
        if is_first:
            refuse_doctype(text)
            is_first = False
        if not raw:
            return
        yield text.encode()
        raw = stream.read(_BLOCK)


def _completed(pull: etree.XMLPullParser) -> Iterator[Element]:
    for event in pull.read_events():
        element: Any = event[1]
        _refuse_excess(element)
        yield element
        element.clear(keep_tail=False)
        parent = element.getparent()
        while parent is not None and element.getprevious() is not None:
            del parent[0]


def _refuse_excess(element: Element) -> None:
    if _EXCESS(element):
        raise QuarantineError(
            f"The XML is nested deeper than {DEPTH_MAX} levels or has an element with more than {ATTRIBUTES_MAX} attributes.",
            code="xml.limit",
        )


def _refusal(error: etree.XMLSyntaxError) -> QuarantineError:
    where = f"{error.msg}".strip()
    code = getattr(error, "code", 0)
    if code in _LIMIT_ERRORS:
        return QuarantineError(f"The XML is larger than a case needs: {where}.", code="xml.limit")
    if code in _CHARACTER_ERRORS:
        return QuarantineError(f"The XML has a character that XML forbids: {where}.", code="xml.encoding")
    return QuarantineError(f"The XML is not well-formed: {where}.", code="xml.malformed")


@dataclass(frozen=True, slots=True)
class SchemaFault:
    """One violation: the line, the path of the element (names without namespace) and what is wrong with it.

    `message` may quote a value, so it belongs to the quarantine, never to a log.
    """

    line: int
    path: str
    message: str


class Schema:
    """An XML Schema bundled with the product; reads nothing outside its own folder. May be shared by threads."""

    def __init__(self, compiled: etree.XMLSchema) -> None:
        self._compiled = compiled
        self._lock = threading.Lock()  # lxml keeps the error log of the last check on the object

    @classmethod
    def load(cls, path: Path, *, root: Path | None = None) -> Self:
        """Compile the schema at `path`; includes and imports must lie below `root`, by default its folder.

        Raises `ConfigurationError` for a schema that is wrong or reaches elsewhere.
        """
        parser = etree.XMLParser(**_SAFE)
        parser.resolvers.add(_OwnFolder((root or path.parent).resolve()))
        try:
            return cls(etree.XMLSchema(etree.parse(str(path), parser)))
        except (etree.LxmlError, OSError) as error:
            raise ConfigurationError(f"The schema {path.name} cannot be used: {error}.") from error

    @classmethod
    def of_wsdl(cls, path: Path) -> Self:
        """Compile the types of a WSDL of ours, to judge what callers put into a body; imports lie in its folder."""
        parser = etree.XMLParser(**_SAFE)
        parser.resolvers.add(_OwnFolder(path.parent.resolve()))
        types = etree.parse(str(path), parser).getroot().find(".//{http://www.w3.org/2001/XMLSchema}schema")
        if types is None:
            raise ConfigurationError(f"{path.name} has no types.")
        try:
            return cls(etree.XMLSchema(etree.fromstring(etree.tostring(types), parser, base_url=str(path))))
        except etree.LxmlError as error:
            raise ConfigurationError(f"The types of {path.name} cannot be used: {error}.") from error

    def check(self, element: Element) -> list[SchemaFault]:
        """Everything that is wrong with the element, at most 100 findings; an empty list when it is valid."""
        with self._lock:
            if self._compiled.validate(element):
                return []
            log: Any = self._compiled.error_log
            entries = list(log)[:FAULTS_MAX]
        return [_fault(element, entry) for entry in entries]


def _fault(element: Element, entry: Any) -> SchemaFault:
    message = _NAMESPACE.sub("", entry.message).strip()
    return SchemaFault(line=entry.line, path=_named_path(element, entry.path or "/"), message=message)


def _named_path(element: Element, path: str) -> str:
    """`/Exchange/CaseFile[2]/Amount` for libxml2's `/*/*[2]/*[7]`, which is counted from the checked element."""
    below = path.removeprefix("/").partition("/")[2]
    prefixes = {prefix: uri for prefix, uri in element.nsmap.items() if prefix}
    try:
        found = element.xpath(f"./{below}", namespaces=prefixes) if below else [element]
    except etree.XPathError:
        return path
    names = [etree.QName(element).localname]
    if isinstance(found, list) and found and isinstance(found[0], Element) and found[0] is not element:
        inner = etree.ElementTree(element).getelementpath(found[0])
        names.append(_NAMESPACE.sub("", str(inner)))
    return "/" + "/".join(names)


class _OwnFolder(etree.Resolver):
    """Resolves what a schema includes, inside one folder. lxml takes an exception here for "not found"."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder

    def resolve(self, system_url: str, public_id: str, *context: Any) -> Any:
        parts = urlsplit(system_url)
        path = Path(unquote(parts.path)).resolve()
        if parts.scheme not in {"", "file"} or parts.netloc or not path.is_relative_to(self._folder):
            raise ConfigurationError(
                f"A schema refers to {system_url}, outside of its own folder.",
                cure="Bundle that schema and refer to it by its file name.",
            )
        return self.resolve_filename(str(path), *context)  # type: ignore[attr-defined]  # stubs lack it


def serialise(element: Element) -> bytes:
    """The element as a UTF-8 document with declaration; the same tree always gives the same bytes."""
    return etree.tostring(element, encoding="UTF-8", xml_declaration=True, with_tail=False)
