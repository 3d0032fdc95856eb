"""The coverage of the world as one picture: SVG made on the server, the same on a page and in a file.

Outlines are those of Natural Earth (public domain). A country that is too small for the scale stands below as a tile
with its letters, so that all of ISO 3166-1 are on the map. Each shape carries its name and figures as a title; a gap is
hatched, and so is a country where rules stop cases, by what stops them: colour is never the only sign.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from html import escape
from importlib.resources import files

from collecthub.engine.coverage import CountryCoverage, WorldCoverage
from collecthub.engine.feasibility import CountryCount

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
    '<rect width="12" height="12" fill="#b3414b"/><rect width="4" height="12" fill="#7d1f2a"/></pattern>'
)
# What stops cases: the rules, the words and the drawing that lies over a country's colour. The first that fits counts.
_STOPS = {
    "sanctions": ({"SAN-01"}, "stopped: sanctions", "M0 0L14 14M14 0L0 14"),
    "licence": ({"LIC-01"}, "stopped: licence of the partner", "M7 0V14"),
    "transfer": ({"GDP-01"}, "stopped: transfer of data", "M0 7H14"),
    "instrument": ({"INS-01", "INS-02", "INS-03", "SRV-01"}, "stopped: no instrument", "M0 0L14 14M-2 12L2 16M12 -2L16 2"),
    "other": (set[str](), "stopped: something in the file", "M5 7H9M7 5V9"),
}


@cache
def outlines() -> dict[str, str]:
    """SVG paths by country code; under the empty code what ISO 3166-1 does not know."""
    text = (files("collecthub.web.portal") / "outlines.tsv").read_text(encoding="utf-8")
    rows = (line.split("\t") for line in text.splitlines() if not line.startswith("#"))
    return {code: path for code, path in rows}


def world_map(world: WorldCoverage, *, link: str = "", stopped: Sequence[CountryCount] = ()) -> str:
    """The picture. With `link` each country leads to that address with its letters put behind it.

    `stopped` tells by country how many open cases something known stops, and which rules; where some are, it is drawn.
    """
    drawn = outlines()
    small = [item for item in world.items if item.country not in drawn]
    rows = -(-len(small) // _PER_ROW)
    legend_top = MAP_HEIGHT + 40 + rows * (_TILE + _GAP)
    counts = {one.country: one for one in stopped if one.blocked}
    over = {country: _stop(one) for country, one in counts.items()}
    told = {item.country: _told(item, counts.get(item.country)) for item in world.items}
    shapes = [
        _linked(item, told[item.country], _outline(item, drawn[item.country], over.get(item.country, "")), link)
        for item in world.items
        if item.country in drawn
    ]
    tiles = [_linked(item, told[item.country], _tile(item, number, over.get(item.country, "")), link) for number, item in enumerate(small)]
    nobody = f'<path d="{drawn[""]}" fill="{_FILLS["none"]}"/>' if "" in drawn else ""
    role = "group" if link else "img"  # a picture holds nothing to follow
    title = (
        f"Coverage of the world: {world.covered_with_demo} countries with a partner that takes cases, "
        f"{world.gaps} with open cases and nobody for them"
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {legend_top + (108 if over else 60)}" role="{role}" '
        f'aria-label="{escape(title)}" font-family="sans-serif" font-size="22" class="world">'
        f"<title>{escape(title)}</title>{_patterns(set(over.values()))}"
        f'<g stroke="#ffffff" stroke-width="1.5" stroke-linejoin="round">{nobody}{"".join(shapes)}</g>'
        f"<g>{''.join(tiles)}</g>{_legend(legend_top)}{_legend_of_stops(legend_top + 48, set(over.values()))}</svg>"
    )


def _kind(item: CountryCoverage) -> str:
    if item.is_gap:
        return "gap"
    if item.is_taking:
        return "covered" if item.is_real else "demo"
    return "closed" if item.partners else "none"


def _stop(count: CountryCount) -> str:
    return next((name for name, (rules, _, _) in _STOPS.items() if rules & set(count.stopped_by)), "other")


def _patterns(stops: set[str]) -> str:
    """Drawn dark on a light line, so that they are seen on every colour."""
    drawn = "".join(
        f'<pattern id="stop-{name}" width="14" height="14" patternUnits="userSpaceOnUse">'
        f'<path d="{path}" stroke="#ffffff" stroke-width="5" fill="none"/>'
        f'<path d="{path}" stroke="#17212b" stroke-width="2.5" fill="none"/></pattern>'
        for name, (_, _, path) in _STOPS.items() if name in stops
    )  # fmt: skip
    return f"{_HATCH}{drawn}</defs>"


def _told(item: CountryCoverage, count: CountryCount | None) -> str:
    stopped = f", {count.blocked} of them blocked ({', '.join(count.stopped_by)})" if count else ""
    return f"{item.name}: {WORDS[_kind(item)]}; partners {len(item.partners)}, open cases {item.open_cases}{stopped}"


def _linked(item: CountryCoverage, told: str, shape: str, link: str) -> str:
    """The shape with its title. A link is for the mouse: whoever uses the keyboard finds it in the list beside the map."""
    inner = f"<title>{escape(told)}</title>{shape}"
    if not link:
        return f'<g data-country="{item.country}">{inner}</g>'
    address = f'href="{escape(link)}{item.country}" tabindex="-1" aria-label="{item.country}, {escape(told)}"'
    return f'<a {address} data-country="{item.country}">{inner}</a>'


def _outline(item: CountryCoverage, path: str, stop: str) -> str:
    over = f'<path d="{path}" fill="url(#stop-{stop})"/>' if stop else ""
    return f'<path d="{path}" fill="{_FILLS[_kind(item)]}"/>{over}'


def _tile(item: CountryCoverage, number: int, stop: str) -> str:
    x = _MARGIN + number % _PER_ROW * (_TILE + _GAP)
    y = MAP_HEIGHT + 20 + number // _PER_ROW * (_TILE + _GAP)
    kind = _kind(item)
    ink = "#17212b" if kind in ("none", "demo") else "#ffffff"
    frame = f'width="{_TILE}" height="{_TILE}" rx="6"'
    inner = f'x="{x + 6}" y="{y + 6}" width="{_TILE - 12}" height="{_TILE - 12}"'  # the letters stay free
    over = f'<rect {inner} fill="none" stroke="url(#stop-{stop})" stroke-width="12"/>' if stop else ""
    return (
        f'<rect x="{x}" y="{y}" {frame} fill="{_FILLS[kind]}"/>{over}'
        f'<text x="{x + _TILE // 2}" y="{y + 37}" text-anchor="middle" fill="{ink}">{item.country}</text>'
    )


def _legend(top: int) -> str:
    parts = [
        f'<rect x="{_MARGIN + n * _LEGEND}" y="{top}" width="32" height="32" rx="4" fill="{_FILLS[kind]}"/>'
        f'<text x="{_MARGIN + n * _LEGEND + 44}" y="{top + 24}" fill="currentColor">{word}</text>'
        for n, (kind, word) in enumerate(WORDS.items())
    ]
    return f"<g>{''.join(parts)}</g>"


def _legend_of_stops(top: int, stops: set[str]) -> str:
    """What lies over the colours, of what there is."""
    parts = [
        f'<rect x="{_MARGIN + n * _LEGEND}" y="{top}" width="32" height="32" rx="4" fill="#ffffff" stroke="#17212b"/>'
        f'<rect x="{_MARGIN + n * _LEGEND}" y="{top}" width="32" height="32" rx="4" fill="url(#stop-{name})"/>'
        f'<text x="{_MARGIN + n * _LEGEND + 44}" y="{top + 24}" fill="currentColor">{_STOPS[name][1]}</text>'
        for n, name in enumerate(name for name in _STOPS if name in stops)
    ]
    return f"<g>{''.join(parts)}</g>" if parts else ""
