"""Generated pages on the atlas and on feasibility: what is known of the world, and what a case is checked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from collecthub.law.atlas.facts import Topic
from collecthub.law.atlas.reading import bundled_atlas
from collecthub.law.basis import Evidence
from collecthub.law.feasibility.rules import rule_book
from collecthub.law.feasibility.ways import way_book


def world_pages() -> dict[str, str]:
    """Pages by their place in the checkout."""
    return {"docs/feasibility.md": feasibility(), "docs/countries.md": countries()}


def feasibility() -> str:
    """Every rule with what it blocks, who repairs it and where it comes from."""
    book = rule_book()
    rows = [
        [
            rule.id, rule.title, rule.severity.value, ", ".join(step.value for step in rule.blocks) or "nothing", rule.owner,
            rule.answer_days, rule.fix, f"{rule.source} ({rule.evidence.value.replace('_', ' ')})",
        ]
        for rule in book.rules
    ]  # fmt: skip
    return (
        "# Feasibility\n\n"
        f"{len(book.rules)} rules of {book.version} that `collecthub case feasibility CASE` and "
        "`GET /api/v1/cases/{id}/feasibility` ask of a case. A rule ends as *found*, *unknown*, *clear* or *not applicable*. "
        "Only a found one of severity `block` stops a procedure; what the file or the atlas does not say is unknown, blocks "
        "nothing and goes to its owner. The day to answer is that of the law where there is one, else the house days below. "
        "`collecthub portfolio dry-run` asks every open case without sending anything. No legal advice.\n\n"
        "**Nobody is screened here**: the hub holds no sanctions list and asks none. SAN-01 stays *unknown* until somebody states the "
        "day and the result of his own screening, in the case (portal, or `POST /api/v1/cases/{id}/circumstances`). What a "
        "creditor's general terms say is stated once, at `/api/v1/general-terms`.\n\n"
        + _table(["rule", "finding", "severity", "blocks", "owner", "house days", "what to do", "source"], rows)
        + "\n\n## Ways before a court\n\n"
        f"What `collecthub case routes CASE` compares beside the partners, as of {way_book().version}. A way is *possible*, *rejected* "
        "with its reason, or *unknown* when a check of it could not be made. Court fees are in no data: they stay unknown. Days "
        "are the shortest time that the text itself gives, without service and translation.\n\n"
        + _table(["way", "what it is", "checks", "needs", "days", "source"], list(_ways()))
    )


def _ways() -> Iterator[list[object]]:
    for way in way_book().ways:
        days = "not known" if way.days is None else f"{way.days}: {way.days_basis}"
        needs, source = ", ".join(way.documents), f"{way.source} ({way.evidence.value.replace('_', ' ')})"
        yield [f"`{way.id}`", way.title, ", ".join(way.checks), needs, days, source]


def countries() -> str:
    """How much of the world is known, topic by topic and instrument by instrument."""
    atlas = bundled_atlas()
    topics = []
    for topic in Topic:
        found = {country: facts for (country, of), facts in atlas.facts.items() if of is topic}
        levels = Counter(facts[-1].evidence for facts in found.values())
        topics.append([f"`{topic.value}`", len(found), *(levels[level] for level in Evidence if level is not Evidence.UNKNOWN)])
    instruments = [
        [f"`{name}`", treaty.title, treaty.in_force_from, treaty.scope, f"{treaty.source} ({treaty.evidence.value})"]
        for name, treaty in atlas.instruments.items()
    ]
    return (
        "# Countries\n\n"
        f"What the atlas of {atlas.version} knows of {sum(one.is_iso for one in atlas.countries.values())} countries and territories "
        "of ISO 3166-1. `collecthub country show UY --as-of 2026-06-15`, `collecthub country between BE UY`, "
        "`GET /api/v1/countries/UY` and the portal show each fact with its dates, its source and its evidence level; "
        "what is not known is shown as unknown. No legal advice.\n\n## Topics\n\n"
        + _table(["topic", "countries", "verified", "partly", "general knowledge"], topics)
        + "\n\n## Instruments\n\n"
        + _table(["id", "instrument", "in force since", "what it is for", "source"], instruments)
    )


def _table(names: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [f"| {' | '.join(names)} |", f"|{' --- |' * len(names)}"]
    lines += [f"| {' | '.join(str(value).replace('|', '/') for value in row)} |" for row in rows]
    return "\n".join(lines) + "\n"
