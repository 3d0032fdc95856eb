"""Business rules that bodies publish beside their schemas (Schematron), evaluated with an XPath 2 library.

The rules are those of the bodies themselves and are bundled: EN 16931 for invoices in UBL and CII, and XJustiz for
enforcement. Read is what these files use of Schematron: patterns, also abstract ones with parameters, rules, assertions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec
from elementpath import ElementPathError, XPath2Parser, XPathContext
from lxml import etree

from collecthub.errors import ConfigurationError
from collecthub.formats.bundled_schemas import CII_NAMESPACE, XJUSTIZ_NAMESPACE
from collecthub.wire.xml import Element, parse

ELEMENTS_MOST = 8_000  # about half a minute of one core
_UBL = "urn:oasis:names:specification:ubl:schema:xsd:"
_EN16931 = "en16931-rules/EN16931-{}-validation-preprocessed.sch"
_ENFORCEMENT = "nachricht.zvstr."
_PLAIN = re.compile(r"[\w:./|\s-]+")
_CURRENT = "current()"  # XSLT's word for the node of the rule; a variable says the same in XPath


class RuleFinding(msgspec.Struct, frozen=True, kw_only=True):
    """One broken rule: its published id, whether it forbids the document, where, and what it says."""

    rule: str
    is_fatal: bool
    line: int
    element: str
    reason: str


class _Assertion(msgspec.Struct, frozen=True):
    rule: str
    is_fatal: bool
    test: Any  # an XPath expression, compiled
    text: str


class _Rule(msgspec.Struct, frozen=True):
    fast: Any  # the context as lxml reads it, None when it is more than names: XPath 1 compares otherwise than 2
    slow: Any  # the same for the XPath 2 library
    assertions: tuple[_Assertion, ...]


class RuleBook:
    """The rules of one file, compiled once. Within a pattern the first rule that fits a node judges it."""

    def __init__(self, path: Path) -> None:
        root = parse(path.read_bytes())
        self._space = f"{{{etree.QName(root).namespace}}}"
        namespaces = {str(one.get("prefix")): str(one.get("uri")) for one in root.iter(f"{self._space}ns")}
        self._namespaces = namespaces
        self._parser = XPath2Parser(namespaces=namespaces, variable_types={"current": "element()"})
        abstract = {one.get("id"): one for one in root.iter(f"{self._space}pattern") if one.get("abstract") == "true"}
        self._patterns = [self._pattern(one, abstract) for one in root.iter(f"{self._space}pattern") if one.get("abstract") != "true"]

    def _pattern(self, pattern: Element, abstract: dict[Any, Element]) -> tuple[_Rule, ...]:
        given = {f"${one.get('name')}": str(one.get("value")) for one in pattern.iter(f"{self._space}param")}
        source = abstract[pattern.get("is-a")] if pattern.get("is-a") else pattern
        return tuple(self._rule(rule, given) for rule in source.iter(f"{self._space}rule"))

    def _rule(self, rule: Element, given: dict[str, str]) -> _Rule:
        context = _filled(str(rule.get("context")), given)
        paths = " | ".join(one if one.startswith("/") else f"//{one}" for one in _alternatives(context))
        assertions = tuple(self._assertion(one, given) for one in rule.iter(f"{self._space}assert"))
        fast = etree.XPath(paths, namespaces=self._namespaces) if _PLAIN.fullmatch(paths) else None
        return _Rule(fast, self._parser.parse(paths), assertions)

    def _assertion(self, one: Element, given: dict[str, str]) -> _Assertion:
        test = _filled(str(one.get("test")), given).replace(_CURRENT, "$current")
        text = " ".join((one.text or "").split())
        rule = one.get("id") or text.partition("]")[0].strip("[")
        return _Assertion(rule, one.get("flag", "fatal") == "fatal", self._parser.parse(test), text)

    def findings(self, root: Element) -> Iterator[RuleFinding]:
        """What the rules say against a document, in their own order."""
        tree: Any = XPathContext(root).root
        for pattern in self._patterns:
            judged: set[Any] = set()
            for rule in pattern:
                for node in _nodes(rule, root, tree):
                    if id(node) not in judged:
                        judged.add(id(node))
                        yield from _broken(tree, node, rule)


def _nodes(rule: _Rule, root: Element, tree: Any) -> list[Any]:
    """The nodes that a rule judges. lxml finds them many times faster, where the path is names alone."""
    if rule.fast is not None:
        return [tree.elements[found] for found in rule.fast(root)]
    return list(rule.slow.select(XPathContext(tree)))


def _broken(tree: Any, node: Any, rule: _Rule) -> Iterator[RuleFinding]:
    for one in rule.assertions:
        try:
            holds = one.test.boolean_value(one.test.evaluate(XPathContext(tree, item=node, variables={"current": node})))
        except (ElementPathError, TypeError, ValueError, ArithmeticError) as error:
            # A value that is no number where the rule computes: the rule cannot hold.
            holds, why = False, f" (cannot be computed: {type(error).__name__})"
        else:
            why = ""
        if not holds:
            line, path = _place(node)
            yield RuleFinding(rule=one.rule, is_fatal=one.is_fatal, line=line, element=path, reason=one.text + why)


def _place(node: Any) -> tuple[int, str]:
    """Line and element, by names without namespace."""
    found: Any = getattr(node, "elem", None)
    if found is None:
        found = getattr(getattr(node, "parent", None), "elem", None)
    if found is None:
        return 0, "/"
    names = [etree.QName(part).localname for part in (*reversed(list(found.iterancestors())), found)]
    return found.sourceline or 0, "/" + "/".join(names)


def _filled(text: str, given: dict[str, str]) -> str:
    for name, value in given.items():
        text = text.replace(name, value)
    return text


def _alternatives(context: str) -> list[str]:
    """`a | b[c | d]` as `a` and `b[c | d]`: a bar within brackets or quotes does not part.

    >>> _alternatives("a | b[c | d]")
    ['a', 'b[c | d]']
    """
    parts, depth, quote, start = [], 0, "", 0
    for place, char in enumerate(context):
        if quote:
            quote = "" if char == quote else quote
        elif char in "'\"":
            quote = char
        elif char in "([":
            depth += 1
        elif char in ")]":
            depth -= 1
        elif char == "|" and depth == 0:
            parts.append(context[start:place])
            start = place + 1
    return [part.strip() for part in (*parts, context[start:])]


# --- which rules judge which document -------------------------------------------------------------------------------


def rule_findings(root: Element) -> tuple[RuleFinding, ...]:
    """What the published rules say against a document; nothing for one that no bundled rules judge.

    A document of more than 8,000 elements is not judged, and one finding says so.
    """
    path = _rules_of(root)
    if not path:
        return ()
    count = sum(1 for _ in root.iter())
    if count > ELEMENTS_MOST:
        reason = f"the document has {count} elements; the business rules judge at most {ELEMENTS_MOST}"
        return (RuleFinding(rule="unjudged", is_fatal=False, line=0, element="/", reason=reason),)
    return tuple(_book(path).findings(root))


def _rules_of(root: Element) -> str:
    qualified = etree.QName(root)
    if qualified.namespace in (f"{_UBL}Invoice-2", f"{_UBL}CreditNote-2"):
        return _EN16931.format("UBL")
    if qualified.namespace == CII_NAMESPACE:
        return _EN16931.format("CII")
    if qualified.namespace == XJUSTIZ_NAMESPACE and qualified.localname.startswith(_ENFORCEMENT):
        return "xjustiz-rules/xjustiz.zvstr_1_3.sch"
    return ""


@cache
def _book(path: str) -> RuleBook:
    try:
        return RuleBook(Path(str(files("collecthub.formats"))) / "schemas" / "published" / path)
    except (ElementPathError, OSError) as error:
        raise ConfigurationError(f"The business rules {path} cannot be used: {error}.") from error
