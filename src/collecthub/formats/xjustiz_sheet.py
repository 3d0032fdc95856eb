"""A pen for XJustiz documents that remembers which element of the case file each value came from.

The schema itself judges the characters (DIN 91379); a value that it refuses is named by its place in the case file.
"""

from __future__ import annotations

import re
from decimal import Decimal

from lxml import etree

from collecthub.formats.bundled_schemas import XJUSTIZ_NAMESPACE, kind_of, schema_faults
from collecthub.formats.carrying import Carrier
from collecthub.formats.markup import Markup
from collecthub.formats.xjustiz_particulars import Code
from collecthub.wire.xml import Element

_NAMESPACE = re.compile(r"\{[^{}]*\}")
_FACETS = (" [facet", " '")


class XJustizSheet:
    """Writes one document and says afterwards what in it is not fit."""

    def __init__(self, name: str, carrier: Carrier) -> None:
        self._pen = Markup(XJUSTIZ_NAMESPACE, "tns")
        self.carrier = carrier
        self.root = self._pen.root(name)
        self._origins: list[tuple[Element, str]] = []

    def box(self, parent: Element, *names: str) -> Element:
        """Elements one within the other; the innermost one."""
        for name in names:
            parent = self._pen.add(parent, name)
        return parent

    def say(self, parent: Element, name: str, value: object, origin: str) -> None:
        """A value that comes from `origin`; objects when it is empty."""
        if value is None or value == "":
            self.carrier.object(origin, "is missing", name)
        self._origins.append((self._pen.add(parent, name, value), origin))

    def may_say(self, parent: Element, name: str, value: object, origin: str) -> None:
        """The same for a value that may be missing."""
        if value is not None and value != "":
            self.say(parent, name, value, origin)

    def mark(self, parent: Element, name: str) -> None:
        """A box that is ticked."""
        self._pen.add(parent, name, True)

    def code(self, parent: Element, name: str, code: Code | None, origin: str) -> None:
        """A code of a list outside the schema, with the version of its list."""
        if code is None:
            self.carrier.object(origin, "is missing (a code and the version of its list)", name)
            return
        box = self._pen.add(parent, name, listVersionID=code.version)
        etree.SubElement(box, "code").text = code.code  # the code itself belongs to no namespace
        self._origins.append((box[0], origin))

    def listed(self, parent: Element, name: str, code: str, origin: str) -> None:
        """A code of a list that the schema knows."""
        box = self._pen.add(parent, name)
        etree.SubElement(box, "code").text = code
        self._origins.append((box[0], origin))

    def money(self, parent: Element, name: str, amount: Decimal | None, origin: str) -> None:
        """An amount in euro with its cents."""
        if amount is not None and amount != amount.quantize(Decimal("0.01")):
            self.carrier.object(origin, "has more than two decimals", name)
        self.say(parent, name, amount, origin)

    def judge(self) -> None:
        """Have the published schema and business rules read the document; their objections become the carrier's."""
        # Large: only who writes an order loads it.
        from collecthub.formats.business_rules import rule_findings

        kind = kind_of(self.root)
        assert kind is not None, "only messages of bundled modules are written"
        faults = schema_faults(self.root, kind)
        places = {self._path(element): origin for element, origin in self._origins} if faults else {}
        known = {objection.element for objection in self.carrier.objections}
        for fault in faults:
            origin = places.get(fault.path, "")
            if not origin or origin not in known:
                self.carrier.object(origin or fault.path, _in_words(fault.message), fault.path.rpartition("/")[2])
        if not faults:  # the business rules read only what the schema has accepted
            for broken in rule_findings(self.root):
                self.carrier.object(broken.element, broken.reason, broken.rule)

    def _path(self, element: Element) -> str:
        inner = etree.ElementTree(self.root).getelementpath(element)
        return f"/{etree.QName(self.root).localname}/{_NAMESPACE.sub('', str(inner))}"


def _in_words(message: str) -> str:
    """What the schema says, without the value (it may name a person) and without the long list of characters."""
    if "facet 'pattern'" in message:
        return "has characters or a form that DIN 91379 or XJustiz does not admit here"
    return message.partition(": ")[2] or message
