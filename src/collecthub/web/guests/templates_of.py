"""The templates of pages behind a personal link: each side's own, and those that both share."""

from __future__ import annotations

from pathlib import Path

import jinja2

from collecthub.web.portal.pages import static_url

_SHARED = Path(__file__).parent / "templates"


def guest_templates(own: Path) -> jinja2.Environment:
    """An environment that looks into a side's own folder first."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader([own, _SHARED]), autoescape=True, undefined=jinja2.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True, auto_reload=False,
    )
    environment.globals.update(static=static_url)
    return environment
