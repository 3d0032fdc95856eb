"""Writes elements of a foreign namespace one below the other, in the order in which they are given."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from lxml import etree

from collecthub.wire.xml import Element


class Markup:
    """A pen for one namespace. Values are written as XML Schema spells them."""

    def __init__(self, namespace: str, prefix: str | None = None) -> None:
        self.namespace = namespace
        self._prefix = prefix

    def tag(self, name: str) -> str:
        """The qualified name."""
        return f"{{{self.namespace}}}{name}"

    def root(self, name: str, others: dict[str, str] | None = None, **attributes: str) -> Element:
        """A root element; `others` declares further prefixes."""
        prefixes: dict[Any, str] = {**(others or {}), self._prefix: self.namespace}
        return etree.Element(self.tag(name), attrib=attributes, nsmap=prefixes)

    def add(self, parent: Element, name: str, value: object = None, **attributes: str) -> Element:
        """A child with a value, or an empty one to fill."""
        child = etree.SubElement(parent, self.tag(name), attrib=attributes)
        if value is not None:
            child.text = spelled(value)
        return child

    def optional(self, parent: Element, name: str, value: object) -> None:
        """A child, unless there is nothing to say (None or an empty text)."""
        if value is not None and value != "":
            self.add(parent, name, value)


def spelled(value: object) -> str:
    """A value as XML Schema spells it.

    >>> spelled(True), spelled(Decimal("1E+2")), spelled(dt.date(2026, 6, 15))
    ('true', '100', '2026-06-15')
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, dt.datetime | dt.date):
        return value.isoformat()
    return str(value)
