"""A sheet as one HTML file: escaped, self-contained, no script, printable."""

from __future__ import annotations

import base64
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from collecthub.paper.sheet import Sheet


def sheet_html(sheet: Sheet) -> bytes:
    """The sheet in UTF-8. Its policy forbids scripts, frames and everything from outside."""
    return _template().render(sheet=sheet).encode()


@cache
def _template() -> Template:
    loader = PackageLoader("collecthub.paper", "templates")
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    environment.filters["base64"] = lambda text: base64.b64encode(text.encode()).decode()
    return environment.get_template("sheet.html")
