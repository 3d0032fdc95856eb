"""The Service Layer of the Business One twin: collections, single records, changes, and its links to the next page.

Source: the published type list and the wire behaviour that client authors report. Pages have 20 records unless
`Prefer: odata.maxpagesize` asks for more; the link to the next page is relative, counts records and drops `$filter`.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from collecthub.sandbox import b1_entities as model
from collecthub.sandbox.b1_books import B1Books
from collecthub.sandbox.b1_journal import ACTION, B1Journal
from collecthub.sandbox.b1_sessions import Sessions, refusal
from collecthub.sandbox.odata import EntityType, ODataError, read_key
from collecthub.sandbox.odata_query import EntitySet, live_columns, read_page, read_query
from collecthub.sandbox.odata_wire import number
from collecthub.sandbox.rows import insert

PAGE = 20
_PATH = re.compile(r"(?P<set>\w+)(?:\((?P<key>.*?)\))?(?P<count>/\$count)?")
_PAGE_SIZE = re.compile(r"odata\.maxpagesize=(\d+)")
_COUNTS = {"v1": ("$inlinecount", "allpages"), "v2": ("$count", "true")}
Record = dict[str, Any]


@dataclass
class Manners:
    """What tests ask of the service."""

    drops_filter: bool = True
    ignores_page_size: bool = False


class ServiceLayer:
    """Answers what is asked below `/b1s/v1/` and `/b1s/v2/`."""

    def __init__(self, books: B1Books, sessions: Sessions, shared: Path | None) -> None:
        self._books = books
        self._db = books.connection
        self._sessions = sessions
        self.manners = Manners()
        self.journal = B1Journal(books)
        self._sets = {
            name: EntitySet(name, entity, source, 0, live_columns(self._db, source))
            for (name, entity), (_, _, source) in zip(
                model.entity_types(shared).items(), model.SETS.values(), strict=True
            )
        }

    async def handle(self, request: Request) -> Response:
        """Any call but the logon."""
        version, rest = request.path_params["version"], request.path_params["path"]
        refused = self._sessions.refusal(request, version)
        if refused is not None:
            return refused
        if rest == "Logout" and request.method == "POST":
            return self._sessions.logout(request)
        if rest == ACTION and request.method == "POST":
            return await self.journal.answer(request, version)
        match = _PATH.fullmatch(rest)
        chosen = self._sets.get(match["set"]) if match else None
        if match is None or chosen is None:
            return refusal(404, version, -1000, "Unrecognized resource path.")
        try:
            if request.method == "GET":
                return self._read(request, version, chosen, match)
        except ODataError as error:
            words = str(error)
            known = any(part in words for part in ("is invalid", "Query string error"))
            return refusal(400, version, 201, words if known else model.DIALECT.syntax)
        try:
            return await self._write(request, version, chosen, match["key"])
        except ODataError as error:
            return refusal(400, version, -1000, str(error))

    # --- reading ----------------------------------------------------------------------------------

    def _read(self, request: Request, version: str, chosen: EntitySet, match: re.Match[str]) -> Response:
        options = _options(request, version)
        if match["key"] is not None:
            records = self._records(version, chosen, options, read_key(match["key"], chosen.entity))[0]
            return self._one(version, chosen, records)
        if match["count"]:
            total = self._records(version, chosen, {**options, "$inlinecount": "allpages", "$top": "0"}, {})[2]
            return Response(str(total), media_type="text/plain")
        size = self._page_size(request)
        records, has_more, total = self._records(version, chosen, options, {}, size)
        prefix = "odata" if version == "v1" else "@odata"
        body: Record = {f"{prefix}.metadata" if version == "v1" else f"{prefix}.context": "$metadata"}
        if total is not None:
            body[f"{prefix}.count"] = str(total) if version == "v1" else total
        if has_more:
            body[f"{prefix}.nextLink"] = self._next_link(chosen, options, size)
        return _json({**body, "value": records})

    def _page_size(self, request: Request) -> int:
        asked = _PAGE_SIZE.search(request.headers.get("prefer", ""))
        return int(asked[1]) if asked and not self.manners.ignores_page_size else PAGE

    def _next_link(self, chosen: EntitySet, options: Mapping[str, str], size: int) -> str:
        skip = int(options.get("$skip", "0")) + size
        kept = "" if self.manners.drops_filter else "".join(f"&{name}={value}" for name, value in options.items())
        return f"{chosen.name}?$skip={skip}{kept}"

    def _one(self, version: str, chosen: EntitySet, records: list[Record]) -> Response:
        if not records:
            return refusal(404, version, -2028, "No matching records found (ODBC -2028)")
        tag = records[0]["odata.etag" if version == "v1" else "@odata.etag"]
        return _json(records[0], headers={"ETag": tag})

    def _records(
        self, version: str, chosen: EntitySet, options: Mapping[str, str], where: Mapping[str, Any], size: int = 0
    ) -> tuple[list[Record], bool, int | None]:
        """Records of one page, whether there are more, and how many match when that was asked for."""
        sized = EntitySet(chosen.name, chosen.entity, chosen.source, size, chosen.live)
        query = read_query(options, sized)
        condition = " AND ".join(f"{chosen.column(name)} IS ?" for name in where) or "1"
        page = read_page(self._db, sized, query, condition, list(where.values()))
        place = len(page.names) + page.order.index(chosen.entity.key[0])
        keys = [row[place] for row in page.rows]
        etag = "odata.etag" if version == "v1" else "@odata.etag"
        versions = self._versions(chosen, keys)
        records = [
            {etag: f'W/"{versions[key]}"', **_values(page.names, row, chosen.entity, version)}
            for key, row in zip(keys, page.rows, strict=True)
        ]
        wanted = [part.strip() for part in options.get("$select", "").split(",") if part.strip()]
        for name in model.NESTED.get(chosen.entity.name, ()):
            if not wanted or name in wanted:
                self._nest(name, chosen, records, keys, version)
        return records, bool(page.token), page.total

    def _versions(self, chosen: EntitySet, keys: Sequence[object]) -> dict[object, int]:
        key = chosen.entity.key[0]
        query = f"SELECT {key}, version FROM {chosen.source} WHERE {key} IN ({','.join('?' * len(keys))})"
        return {row[0]: row[1] for row in self._db.execute(query, tuple(keys))}

    def _nest(
        self, name: str, chosen: EntitySet, records: list[Record], keys: Sequence[object], version: str
    ) -> None:
        marks = ",".join("?" * len(keys))
        query, shape = _NESTED_QUERIES[name]
        found: dict[object, list[Record]] = {}
        parameters = (chosen.name, *keys) if ":object" in query else tuple(keys)
        for row in self._db.execute(query.replace(":object", "?").format(marks=marks), parameters):
            found.setdefault(row["owner"], []).append(shape(row, version))
        for key, record in zip(keys, records, strict=True):
            record[name] = found.get(key, [])

    # --- writing ----------------------------------------------------------------------------------

    async def _write(self, request: Request, version: str, chosen: EntitySet, key_text: str | None) -> Response:
        body = await request.body()
        try:
            given = orjson.loads(body)
        except ValueError as error:
            raise ODataError("Invalid JSON format") from error
        if request.method == "POST" and chosen.name == "Activities" and key_text is None:
            return self._add_activity(version, chosen, given)
        if request.method != "PATCH" or key_text is None or chosen.name not in model.WRITABLE:
            return refusal(405, version, -1000, "Method not allowed")
        key = read_key(key_text, chosen.entity)
        records = self._records(version, chosen, {}, key)[0]
        if not records:
            return refusal(404, version, -2028, "No matching records found (ODBC -2028)")
        tag = records[0]["odata.etag" if version == "v1" else "@odata.etag"]
        if request.headers.get("if-match", "*") not in ("*", tag):
            return refusal(412, version, -2039, "Another user or another operation modified data (ODBC -2039)")
        self._change(chosen, key, _checked(given, chosen, model.WRITABLE[chosen.name]))
        return Response(status_code=204)

    def _change(self, chosen: EntitySet, key: Mapping[str, Any], changes: Mapping[str, Any]) -> None:
        if "DocEntry" in key:
            self._books.change(chosen.name, int(key["DocEntry"]), changes)
            return
        sets = ", ".join(f"{name} = ?" for name in changes)
        self._db.execute(
            f"UPDATE partner SET {sets}, version = version + 1 WHERE CardCode = ?", (*changes.values(), key["CardCode"])
        )

    def _add_activity(self, version: str, chosen: EntitySet, given: Mapping[str, Any]) -> Response:
        allowed = frozenset({"CardCode", "Notes", "Details", "ActivityDate", "Activity", "Closed"})
        values = _checked(given, chosen, allowed)
        if len(str(values.get("Details") or "")) > 100:
            raise ODataError("Value too long in property 'Details' of 'Activity'")
        known = self._db.execute("SELECT 1 FROM partner WHERE CardCode = ?", (values.get("CardCode"),)).fetchone()
        if known is None:
            return refusal(400, version, -2028, "No matching records found (ODBC -2028)")
        code = self._db.execute("SELECT coalesce(max(ActivityCode), 0) + 1 FROM activity").fetchone()[0]
        blank = {"Activity": "cn_Conversation", "Closed": "tNO"}
        insert(self._db, "activity", {**blank, **values, "ActivityCode": code, "version": 1})
        record = self._records(version, chosen, {}, {"ActivityCode": code})[0][0]
        return _json(record, 201)


def _options(request: Request, version: str) -> dict[str, str]:
    """System query options, those that this version of OData does not know refused."""
    options = dict(request.query_params)
    name, value = _COUNTS[version]
    wrong = _COUNTS["v2" if version == "v1" else "v1"][0]
    if wrong in options:
        raise ODataError(f"Query string error - Invalid query option '{wrong}'")
    if name in options:
        if options.pop(name) != value:
            raise ODataError(f"Query string error - Invalid value of '{name}'")
        options["$inlinecount"] = "allpages"
    return options


def _checked(given: Any, chosen: EntitySet, allowed: Iterable[str]) -> Record:
    """The properties of a body that may be written; raises `ODataError` as the vendor refuses the others."""
    if not isinstance(given, dict):
        raise ODataError("Invalid JSON format")
    for name, value in given.items():
        if name not in chosen.entity.properties:
            raise ODataError(f"Property '{name}' of '{chosen.entity.name}' is invalid")
        if name not in allowed:
            raise ODataError(f"Property '{name}' of '{chosen.entity.name}' is read-only")
        if name in ("BlockDunning", "Closed") and value not in model.YES_NO:
            raise ODataError(f"Enumeration value '{value}' of property '{name}' is invalid")
    return dict(given)


def _values(names: Sequence[str], row: Sequence[object], entity: EntityType, version: str) -> Record:
    return {
        name: _value(name, value, entity.properties[name], version)
        for name, value in zip(names, row, strict=False)
    }


def _value(name: str, value: Any, edm: str, version: str) -> Any:
    if value is None:
        return None
    if edm == "Double":
        return number(_plain(value))
    return _day(value, version) if name.endswith("Date") else value


def _plain(text: Any) -> str:
    """Decimal text as the service writes a float: without needless zeros, but never as a whole number."""
    value = Decimal(str(text))
    return f"{value.normalize():f}" if value % 1 else f"{value:.1f}"


def _day(value: str, version: str) -> str:
    return value if version == "v1" else f"{value}T00:00:00Z"


def _json(content: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return Response(orjson.dumps(content), status, headers, "application/json;odata=minimalmetadata;charset=utf-8")


# --- collections within records -------------------------------------------------------------------


def _instalment(row: sqlite3.Row, version: str) -> Record:
    amounts = {name: number(_plain(row[name])) for name in ("Total", "TotalFC", "PaidToDate", "PaidToDateFC")}
    last = row["LastDunningDate"]
    return {
        "DueDate": _day(row["DueDate"], version), **amounts, "InstallmentId": row["InstallmentId"],
        "DunningLevel": row["DunningLevel"], "LastDunningDate": _day(last, version) if last else None,
        "PaymentOrdered": row["PaymentOrdered"],
    }  # fmt: skip


def _line(row: sqlite3.Row, version: str) -> Record:
    return {
        "LineNum": 0, "BaseType": row["base_type"] or -1, "BaseEntry": row["base"],
        "LineTotal": number(_plain(row["DocTotal"])), "GrossTotal": number(_plain(row["DocTotal"])),
    }  # fmt: skip


def _applied(row: sqlite3.Row, version: str) -> Record:
    return {
        "LineNum": row["LineNum"], "DocEntry": row["DocEntry"], "InstallmentId": row["InstallmentId"],
        "SumApplied": number(_plain(row["SumApplied"])), "AppliedFC": number(_plain(row["AppliedFC"])),
        "InvoiceType": row["InvoiceType"],
    }  # fmt: skip


def _journal_line(row: sqlite3.Row, version: str) -> Record:
    amounts = {name: number(_plain(row[name])) for name in ("Debit", "Credit", "FCDebit", "FCCredit")}
    texts = {name: row[name] for name in ("ShortName", "AccountCode", "FCCurrency", "LineMemo")}
    return {"Line_ID": row["Line_ID"], **amounts, **texts, "DueDate": _day(row["DueDate"], version)}


def _address(row: sqlite3.Row, version: str) -> Record:
    return {
        "AddressName": "Bill to", "AddressType": "bo_BillTo", "Street": row["street"], "ZipCode": row["postcode"],
        "City": row["city"], "Country": row["Country"], "RowNum": 0, "StreetNo": None,
    }  # fmt: skip


def _employee(row: sqlite3.Row, version: str) -> Record:
    return {
        "CardCode": row["CardCode"], "Name": row["ContactPerson"], "Position": None, "Phone1": row["Phone1"],
        "MobilePhone": None, "E_Mail": row["EmailAddress"], "InternalCode": 1, "Active": "tYES",
    }  # fmt: skip


_NESTED_QUERIES = {
    "DocumentInstallments": (
        "SELECT *, DocEntry AS owner FROM instalment WHERE object = :object AND DocEntry IN ({marks}) ORDER BY 2, 3",
        _instalment,
    ),
    "DocumentLines": (
        "SELECT *, DocEntry AS owner FROM document WHERE object = :object AND DocEntry IN ({marks})",
        _line,
    ),
    "PaymentInvoices": (
        "SELECT *, payment AS owner FROM applied WHERE payment IN ({marks}) ORDER BY LineNum",
        _applied,
    ),
    "JournalEntryLines": (
        "SELECT *, JdtNum AS owner FROM journal_line WHERE JdtNum IN ({marks}) ORDER BY Line_ID",
        _journal_line,
    ),
    "BPAddresses": (
        "SELECT *, CardCode AS owner FROM partner WHERE street IS NOT NULL AND CardCode IN ({marks})",
        _address,
    ),
    "ContactEmployees": (
        "SELECT *, CardCode AS owner FROM partner WHERE ContactPerson IS NOT NULL AND CardCode IN ({marks})",
        _employee,
    ),
}
