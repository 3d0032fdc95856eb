"""The case list: one indexed read a page, straight from the searchable row."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec import UNSET, UnsetType

from collecthub.errors import PermanentError
from collecthub.model.codes import Phase, Status
from collecthub.store import tables as t
from collecthub.store.case_log import from_minor, to_minor
from collecthub.store.queries.paging import (
    Listed,
    Order,
    PageRequest,
    QueryError,
    contains,
    moment,
    read_page,
)
from collecthub.store.queries.scope import Role, Scope, cases_of
from collecthub.store.secrets import MasterKey


class CaseSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the case list. Fields that may be left out are not for a partner's eyes: it has no purpose for them."""

    case_id: str
    number: str
    debtor_name: str
    debtor_country: str
    currency: str
    segment: str
    status: str
    phase: str
    outcome: str
    route: str
    holder_ref: str
    principal: Decimal
    total: Decimal
    recovered: Decimal
    oldest_due_on: dt.date | None
    opened_at: dt.datetime
    changed_at: dt.datetime
    version: int
    creditor_id: str | UnsetType = UNSET
    debtor_ref: str | UnsetType = UNSET
    partner_id: str | UnsetType | None = UNSET
    holds: tuple[str, ...] | UnsetType = UNSET
    owner: str | UnsetType = UNSET


class CaseFilter(msgspec.Struct, frozen=True, kw_only=True):
    """What the list can be narrowed by; empty means no restriction. Amounts are the total still owed."""

    status: str = ""
    phase: str = ""
    route: str = ""
    country: str = ""
    segment: str = ""
    hold: str = ""  # a reason, or `any`
    debtor: str = ""  # the creditor's reference of the debtor
    creditor: str = ""
    partner: str = ""
    currency: str = ""
    q: str = ""  # debtor's name, case number, invoice number, a reference
    minimum: Decimal | None = None
    maximum: Decimal | None = None
    is_open: bool | None = None

    @property
    def fingerprint(self) -> str:
        """The same for the same filters."""
        return hashlib.sha256(msgspec.json.encode(self, order="deterministic")).hexdigest()[:16]


_SORTS: dict[str, tuple[sa.ColumnElement[Any], Any]] = {
    "number": (t.cases.c.number, str),
    "opened_at": (t.cases.c.opened_at, moment),
    "changed_at": (t.cases.c.changed_at, moment),
    "total": (t.cases.c.total_minor, int),
    "debtor_name": (t.cases.c.debtor_name, str),
    "case_id": (t.cases.c.case_id, str),
}
SORTS = tuple(sign + name for name in _SORTS for sign in ("", "-"))
_COLUMNS = tuple(
    t.cases.c[name]
    for name in (
        "case_id", "number", "creditor_id", "debtor_ref", "debtor_name", "debtor_country", "currency", "segment",
        "status", "phase", "outcome", "route", "partner_id", "holder_ref", "holds", "owner", "principal_minor",
        "total_minor", "recovered_minor", "oldest_due_on", "opened_at", "changed_at", "version",
    )
)
_EQUALS = {"status": "status", "phase": "phase", "route": "route", "country": "debtor_country", "segment": "segment",
           "debtor": "debtor_ref", "creditor": "creditor_id", "partner": "partner_id", "currency": "currency"}  # fmt: skip
_WORDS = {
    "status": frozenset(status.value for status in Status),
    "phase": frozenset(phase.value for phase in Phase),
    "segment": frozenset({"B2B", "B2C", "B2G"}),
}
_CODES = {"country": (re.compile("[A-Z]{2}"), "BE"), "currency": (re.compile("[A-Z]{3}"), "EUR")}
_LARGEST = Decimal(10) ** 14
# A partner has no purpose for these, so it cannot search by them either.
_NOT_FOR_PARTNERS = ("hold", "debtor", "creditor", "partner")


def list_cases(
    conn: sa.Connection,
    scope: Scope,
    key: MasterKey,
    wanted: CaseFilter = CaseFilter(),  # noqa: B008  # immutable
    page: PageRequest = PageRequest(),  # noqa: B008  # immutable
    sort: str = "-opened_at",
) -> Listed[CaseSummary]:
    """One page of the cases of a scope. Raises `QueryError` or `CursorError` for what the list does not offer."""
    query = sa.select(*_COLUMNS).where(cases_of(scope), *_conditions(scope, wanted))
    rows, cursor = read_page(
        conn, query, _order(sort), page, key=key, scope=scope, name=f"cases/{sort}/{wanted.fingerprint}"
    )
    make = _placed_summary if scope.role is Role.PARTNER else _full_summary
    return Listed(items=tuple(make(row) for row in rows), next_cursor=cursor)


def _order(sort: str) -> Order:
    name = sort.removeprefix("-")
    if sort not in SORTS:
        raise QueryError(f"cases cannot be sorted by {name[:40]!r}", cure=f"Choose one of {', '.join(SORTS)}.")
    column, read = _SORTS[name]
    return Order(column=column, unique=t.cases.c.case_id, is_descending=sort.startswith("-"), read=read)


def _conditions(scope: Scope, wanted: CaseFilter) -> Iterator[sa.ColumnElement[bool]]:
    if scope.role is Role.PARTNER and any(getattr(wanted, name) for name in _NOT_FOR_PARTNERS):
        raise QueryError("a partner cannot filter by this", cure=f"Leave out {', '.join(_NOT_FOR_PARTNERS)}.")
    for name, column in _EQUALS.items():
        value = getattr(wanted, name)
        if value:
            _known_word(name, value)
            yield t.cases.c[column] == value
    if wanted.hold:
        yield t.cases.c.holds != "" if wanted.hold == "any" else contains(t.cases.c.holds, wanted.hold)
    if wanted.q:
        yield contains(t.cases.c.search, wanted.q.casefold())
    if wanted.is_open is not None:
        closed = t.cases.c.status == Status.CLOSED.value
        yield sa.not_(closed) if wanted.is_open else closed
    yield from _amounts(wanted)


def _known_word(name: str, value: str) -> None:
    known = _WORDS.get(name)
    if known is not None and value not in known:
        raise QueryError(f"{name} {value[:40]!r} is unknown", cure=f"Choose one of {', '.join(sorted(known))}.")
    shape, example = _CODES.get(name, (None, ""))
    if shape is not None and not shape.fullmatch(value):
        raise QueryError(f"{name} {value[:40]!r} is no code", cure=f"Write it like {example}.")


def _amounts(wanted: CaseFilter) -> Iterator[sa.ColumnElement[bool]]:
    """Amounts of different currencies have no order, so a limit on the amount names its currency."""
    if wanted.minimum is None and wanted.maximum is None:
        return
    if not wanted.currency:
        raise QueryError("an amount was given without its currency", cure="Add the filter currency, such as EUR.")
    if any(abs(limit) >= _LARGEST for limit in (wanted.minimum, wanted.maximum) if limit is not None):
        raise QueryError("an amount is larger than any case", cure=f"Stay below {_LARGEST}.")
    try:
        if wanted.minimum is not None:
            yield t.cases.c.total_minor >= to_minor(wanted.minimum, wanted.currency)
        if wanted.maximum is not None:
            yield t.cases.c.total_minor <= to_minor(wanted.maximum, wanted.currency)
    except PermanentError as error:
        raise QueryError(error.message, cure="Use the currency's own decimals.") from error


def _placed_summary(row: Any) -> CaseSummary:
    currency = row.currency
    return CaseSummary(
        case_id=row.case_id, number=row.number, debtor_name=row.debtor_name, debtor_country=row.debtor_country,
        currency=currency, segment=row.segment, status=row.status, phase=row.phase, outcome=row.outcome,
        route=row.route, holder_ref=row.holder_ref, principal=from_minor(row.principal_minor, currency),
        total=from_minor(row.total_minor, currency), recovered=from_minor(row.recovered_minor, currency),
        oldest_due_on=row.oldest_due_on, opened_at=row.opened_at, changed_at=row.changed_at, version=row.version,
    )


def _full_summary(row: Any) -> CaseSummary:
    return msgspec.structs.replace(
        _placed_summary(row), creditor_id=row.creditor_id, debtor_ref=row.debtor_ref, partner_id=row.partner_id,
        holds=tuple(row.holds.split()), owner=row.owner,
    )
