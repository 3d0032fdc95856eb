"""What the hub itself writes to a partner, in the partner's language: reminders, orders, prices of acts."""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from importlib.resources import files

import sqlalchemy as sa

from collecthub.engine.partner_links import LANGUAGES
from collecthub.law.atlas.facts import Topic, fact_on
from collecthub.law.atlas.reading import bundled_atlas
from collecthub.law.feasibility.ways import way_book
from collecthub.model.case import Case
from collecthub.model.partner import PartnerProfile
from collecthub.paper.written import money, short_day
from collecthub.store import partner_tables as p
from collecthub.store.connections import read_profiles


@cache
def _texts() -> Mapping[str, Mapping[str, str]]:
    return tomllib.loads((files("collecthub.engine") / "partner_texts.toml").read_text(encoding="utf-8"))


def partner_text(language: str, key: str, **values: object) -> str:
    """A text with its values; amounts come as (amount, currency), days are written as the language writes them.

    >>> partner_text("es", "balances", period="2026-06", balance="b1")
    'Los saldos de 2026-06 esperan sus cifras y su firma: lista b1.'
    """
    return _texts()[key][language].format(**{name: _written(language, value) for name, value in values.items()})


def way_named(language: str, title: str) -> str:
    """A way before a court in a partner's language; the name as it stands where it is none of the book's.

    >>> way_named("de", "European order for payment"), way_named("de", "K 4/26")
    ('Europäischer Zahlungsbefehl', 'K 4/26')
    """
    known = {rule.title: rule.id for rule in way_book().ways}
    return partner_text(language, f"way_{known[title]}") if title in known else title


def _written(language: str, value: object) -> object:
    match value:
        case (Decimal() as amount, str() as currency):
            return money(amount, currency, language)
        case dt.date():
            return short_day(value, language)
    return value


def language_of_partner(conn: sa.Connection, partner_id: str, on: dt.date) -> str:
    """The language of its newest page, else the first that its profile names, else that of its country, else English."""
    chosen = sa.select(p.partner_links.c.language).where(p.partner_links.c.partner_id == partner_id)
    link = conn.scalar(chosen.order_by(p.partner_links.c.created_at.desc()).limit(1))
    if link is not None:
        return str(link)
    profile = next((one for one in read_profiles(conn) if one.partner_id == partner_id), None)
    return _by_profile(profile, on) if profile else "en"


def language_of_remarks(conn: sa.Connection, case: Case, partner_id: str, on: dt.date) -> str:
    """The language in which a case file tells a partner what is weak in it; looked up only where something was found."""
    has_findings = case.feasibility is not None and case.feasibility.findings
    return language_of_partner(conn, partner_id, on) if has_findings else "en"


def _by_profile(profile: PartnerProfile, on: dt.date) -> str:
    atlas, home = bundled_atlas(), profile.home
    spoken = fact_on(atlas, home, Topic.LANGUAGES, on).code.split() if home in atlas.countries else []
    named = (*profile.languages, *spoken)
    return next((tag[:2] for tag in named if tag[:2] in LANGUAGES), "en")
