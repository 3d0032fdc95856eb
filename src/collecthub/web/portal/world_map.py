"""The coverage of the world as one picture: SVG made on the server, the same on a page and in a file.

Outlines are those of Natural Earth (public domain). A country that is too small for the scale stands below as a tile
with its letters, so that all of ISO 3166-1 are on the map. Each shape carries its name and figures as a title, and a
gap is hatched: colour is never the only sign.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from html import escape
from importlib.resources import files

from collecthub.engine.coverage import CountryCoverage, WorldCoverage

WIDTH, MAP_HEIGHT = 2000, 973
_TILE, _GAP, _MARGIN = 58, 8, 20
_LEGEND = 396
_PER_ROW = (WIDTH - 2 * _MARGIN) // (_TILE + _GAP)
_FILLS = {"covered": "#3f8f6b", "demo": "#8fbfa9", "closed": "#c79a3a", "gap": "url(#gap)", "none": "#b9c3cc"}
WORDS = {
    "covered": "a partner takes cases",
    "demo": "a demo partner only",
    "closed": "partners, none takes cases now",
    "gap": "open cases and nobody for them",
    "none": "no partner, no open case",
}
_HATCH = (
    '<defs><pattern id="gap" width="12" height="12" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    '<rect width="12" height="12" fill="#b3414b"/><rect width="4" height="12" fill="#7d1f2a"/></pattern></defs>'
)


@cache
def outlines() -> dict[str, str]:
    """SVG paths by country code; under the empty code what ISO 3166-1 does not know."""
    text = (files("collecthub.web.portal") / "outlines.tsv").read_text(encoding="utf-8")
    rows = (line.split("\t") for line in text.splitlines() if not line.startswith("#"))
    return {code: path for code, path in rows}


def world_map(world: WorldCoverage, *, link: str = "", blocked: Mapping[str, int] | None = None) -> str:
    """The picture. With `link` each country leads to that address with its letters put behind it.

    `blocked` counts the open cases by country that something known stops; it is told beside the others.
    """
    drawn = outlines()
    small = [item for item in world.items if item.country not in drawn]
    rows = -(-len(small) // _PER_ROW)
    legend_top = MAP_HEIGHT + 40 + rows * (_TILE + _GAP)
    told = {item.country: _told(item, (blocked or {}).get(item.country, 0)) for item in world.items}
    shapes = [
        _linked(item, told[item.country], _outline(item, drawn[item.country]), link)
        for item in world.items
        if item.country in drawn
    ]
    tiles = [_linked(item, told[item.country], _tile(item, number), link) for number, item in enumerate(small)]
    nobody = f'<path d="{drawn[""]}" fill="{_FILLS["none"]}"/>' if "" in drawn else ""
    role = "group" if link else "img"  # a picture holds nothing to follow
    title = (
        f"Coverage of the world: {world.covered_with_demo} countries with a partner that takes cases, "
        f"{world.gaps} with open cases and nobody for them"
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {legend_top + 60}" role="{role}" '
        f'aria-label="{escape(title)}" font-family="sans-serif" font-size="22" class="world">'
        f"<title>{escape(title)}</title>{_HATCH}"
        f'<g stroke="#ffffff" stroke-width="1.5" stroke-linejoin="round">{nobody}{"".join(shapes)}</g>'
        f"<g>{''.join(tiles)}</g>{_legend(legend_top)}</svg>"
    )


def _kind(item: CountryCoverage) -> str:
    if item.is_gap:
        return "gap"
    if item.is_taking:
        return "covered" if item.is_real else "demo"
    return "closed" if item.partners else "none"


def _told(item: CountryCoverage, blocked: int) -> str:
    stopped = f", {blocked} of them blocked" if blocked else ""
    return f"{item.name}: {WORDS[_kind(item)]}; partners {len(item.partners)}, open cases {item.open_cases}{stopped}"


def _linked(item: CountryCoverage, told: str, shape: str, link: str) -> str:
    """The shape with its title. A link is for the mouse: whoever uses the keyboard finds it in the list beside the map."""
    inner = f"<title>{escape(told)}</title>{shape}"
    if not link:
        return f'<g data-country="{item.country}">{inner}</g>'
    address = f'href="{escape(link)}{item.country}" tabindex="-1" aria-label="{item.country}, {escape(told)}"'
    return f'<a {address} data-country="{item.country}">{inner}</a>'


def _outline(item: CountryCoverage, path: str) -> str:
    return f'<path d="{path}" fill="{_FILLS[_kind(item)]}"/>'


def _tile(item: CountryCoverage, number: int) -> str:
    x = _MARGIN + number % _PER_ROW * (_TILE + _GAP)
    y = MAP_HEIGHT + 20 + number // _PER_ROW * (_TILE + _GAP)
    kind = _kind(item)
    ink = "#17212b" if kind in ("none", "demo") else "#ffffff"
    return (
        f'<rect x="{x}" y="{y}" width="{_TILE}" height="{_TILE}" rx="6" fill="{_FILLS[kind]}"/>'
        f'<text x="{x + _TILE // 2}" y="{y + 37}" text-anchor="middle" fill="{ink}">{item.country}</text>'
    )


def _legend(top: int) -> str:
    parts = [
        f'<rect x="{_MARGIN + n * _LEGEND}" y="{top}" width="32" height="32" rx="4" fill="{_FILLS[kind]}"/>'
        f'<text x="{_MARGIN + n * _LEGEND + 44}" y="{top + 24}" fill="currentColor">{word}</text>'
        for n, (kind, word) in enumerate(WORDS.items())
    ]
    return f"<g>{''.join(parts)}</g>"
