"""Partners' codes against the hub's words: what a code means here, what is lost, what stays open.

Nothing is guessed: a code that could mean several things, or nothing that we have a word for, says so and is left to
a person. The same rows drive the corridor, `collecthub status` and the report over a whole table.
"""

from __future__ import annotations

import datetime as dt
import difflib
import enum
from collections.abc import Mapping, Sequence

import msgspec

from collecthub.errors import PermanentError
from collecthub.model.codes import Axis, Phase, StatusCode
from collecthub.model.status_tables import OWN_VOCABULARY, StatusTable, status_tables


class Fidelity(enum.StrEnum):
    """How faithfully a partner's code translates."""

    EXACT = "exact"
    LOSSY = "lossy"  # translated; `lost` says what our word does not carry
    AMBIGUOUS = "ambiguous"  # one of `candidates`; a person decides
    UNMAPPED = "unmapped"  # known at the partner, without a word here; `reason` says why
    UNKNOWN = "unknown"  # in no table


CERTAIN = frozenset({Fidelity.EXACT, Fidelity.LOSSY})


class Translation(msgspec.Struct, frozen=True, kw_only=True):
    """What one code of a partner means here. Empty fields are unknown, not "none"."""

    vocabulary: str
    code: str
    verdict: Fidelity
    meaning: str = ""
    axis: Axis | None = None
    phase: Phase | None = None
    hold: str = ""
    outcome: str | None = None  # a word of `codes.Outcome`
    title: str = ""
    lost: str = ""
    candidates: tuple[str, ...] = ()
    reason: str = ""
    source: str = ""
    as_of: dt.date | None = None


class TableReport(msgspec.Struct, frozen=True, kw_only=True):
    """A whole table: every code, how many translate how well, and which of our words it has no code for."""

    vocabulary: str
    title: str
    source: str
    as_of: dt.date
    counts: dict[Fidelity, int]
    codes: tuple[Translation, ...]
    not_sayable: tuple[str, ...]


def translation(table: StatusTable, code: str) -> Translation:
    """What a code of this table means here; the verdict says how sure that is.

    >>> found = translation(status_tables()["riverty"], "UNKNOWN_ADDRESS")
    >>> (found.verdict.value, str(found.outcome), found.axis.value)
    ('exact', 'untraceable', 'flow')
    """
    found = Translation(
        vocabulary=table.vocabulary, code=code, verdict=Fidelity.UNKNOWN, source=table.source, as_of=table.as_of
    )
    if code in table.codes:
        return _translated(found, table.codes[code])
    if code in table.ambiguous:
        open_point = table.ambiguous[code]
        return msgspec.structs.replace(
            found, verdict=Fidelity.AMBIGUOUS, candidates=open_point.candidates, reason=open_point.reason
        )
    if code in table.unmapped:
        return msgspec.structs.replace(found, verdict=Fidelity.UNMAPPED, reason=table.unmapped[code])
    near = tuple(difflib.get_close_matches(code, [*table.codes, *table.ambiguous, *table.unmapped], n=3))
    why = f"not in the table; near to it: {', '.join(near)}" if near else "not in the table, nor anything near to it"
    return msgspec.structs.replace(found, reason=why)


def _translated(found: Translation, row: StatusCode) -> Translation:
    own = status_tables()[OWN_VOCABULARY].codes.get(row.meaning)
    return msgspec.structs.replace(
        found, verdict=Fidelity.LOSSY if row.lost else Fidelity.EXACT, meaning=row.meaning,
        axis=own.axis if own else None, phase=row.phase, hold=row.hold, outcome=row.outcome, title=row.title,
        lost=row.lost,
    )


def explain(tables: Mapping[str, StatusTable], vocabularies: Sequence[str], code: str) -> Translation:
    """What a code means to a partner that speaks these vocabularies, best first: the first table that knows it.

    Raises `PermanentError` when none of the vocabularies has a table.

    >>> explain(status_tables(), ("riverty", "collecthub"), "contact_made").vocabulary
    'collecthub'
    """
    found = [translation(table_named(tables, name), code) for name in vocabularies if name in tables]
    if not found:
        return translation(table_named(tables, vocabularies[0] if vocabularies else ""), code)
    return next((one for one in found if one.verdict is not Fidelity.UNKNOWN), found[0])


def with_rows(
    tables: Mapping[str, StatusTable], given: Mapping[str, Mapping[str, StatusCode]], as_of: dt.date
) -> Mapping[str, StatusTable]:
    """The tables with the rows of plugins: new vocabularies, and codes that one settled in a known vocabulary."""
    return {**tables, **{name: _with(tables.get(name), name, rows, as_of) for name, rows in given.items()}}


def _with(table: StatusTable | None, name: str, rows: Mapping[str, StatusCode], as_of: dt.date) -> StatusTable:
    if table is None:
        source = "an installed plugin"
        return StatusTable(
            vocabulary=name, title=name, source=source, as_of=as_of, codes=rows, ambiguous={}, unmapped={}
        )
    return msgspec.structs.replace(
        table, codes={**table.codes, **rows},
        ambiguous={code: one for code, one in table.ambiguous.items() if code not in rows},
        unmapped={code: why for code, why in table.unmapped.items() if code not in rows},
    )


def table_named(tables: Mapping[str, StatusTable], vocabulary: str) -> StatusTable:
    """The table of a vocabulary. Raises `PermanentError` with the names there are."""
    if vocabulary not in tables:
        raise PermanentError(
            f"There is no status table {vocabulary!r}.", cure=f"Choose one of: {', '.join(sorted(tables))}."
        )
    return tables[vocabulary]


def meaning_of(tables: Mapping[str, StatusTable], vocabulary: str, code: str) -> Translation:
    """A translation that can be acted on.

    Raises `PermanentError` for an unknown vocabulary or code, and for a code whose meaning is open.

    >>> meaning_of(status_tables(), "riverty", "FULL_PAYMENT").outcome
    <Outcome.PAID_FULL: 'paid_full'>
    """
    found = translation(table_named(tables, vocabulary), code)
    if found.verdict in CERTAIN:
        return found
    if found.verdict is Fidelity.UNKNOWN:
        raise PermanentError(
            f"The status table {vocabulary} does not know the code {code!r}.",
            cure=f"Ask the partner what it means, then add it to a table; it is {found.reason}.",
        )
    words = f" ({' or '.join(found.candidates)})" if found.candidates else ""
    raise PermanentError(
        f"The status table {vocabulary} has the code {code!r}, but it is {found.verdict}{words}: {found.reason}.",
        cure="Let a person decide what it means for the case at hand.",
    )


def codes_for(table: StatusTable, word: str) -> tuple[StatusCode, ...]:
    """The partner's codes that say a word (or an outcome) of ours: none, one, or several to choose from.

    >>> [row.code for row in codes_for(status_tables()["riverty"], "untraceable")]
    ['UNKNOWN_ADDRESS']
    """
    wanted = status_tables()[OWN_VOCABULARY].codes.get(word)
    if wanted is None:
        raise PermanentError(
            f"The hub has no word {word!r}.", cure="`collecthub status report --from collecthub` lists its words."
        )
    return tuple(
        row for row in table.codes.values() if row.meaning == wanted.meaning and row.outcome == wanted.outcome
    )


def report(table: StatusTable) -> TableReport:
    """Every code of a table with its verdict, and the words of ours that it cannot say."""
    found = tuple(translation(table, code) for code in (*table.codes, *table.ambiguous, *table.unmapped))
    said = {(one.meaning, one.outcome) for one in found}
    own = status_tables()[OWN_VOCABULARY].codes.values()
    return TableReport(
        vocabulary=table.vocabulary, title=table.title, source=table.source, as_of=table.as_of,
        counts={verdict: sum(one.verdict is verdict for one in found) for verdict in Fidelity},
        codes=found,
        not_sayable=tuple(word.code for word in own if (word.meaning, word.outcome) not in said),
    )
