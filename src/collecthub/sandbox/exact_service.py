"""The REST surface of Exact Online: tokens, limits, scopes and query rules in the order in which the vendor checks."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import orjson
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from collecthub.sandbox.exact_books import ExactBooks, invoice_lines
from collecthub.sandbox.exact_endpoints import Endpoint, endpoints
from collecthub.sandbox.exact_entities import ME
from collecthub.sandbox.exact_limits import CallCounter
from collecthub.sandbox.exact_oauth import TokenServer
from collecthub.sandbox.exact_writes import USER, ExactWrites
from collecthub.sandbox.odata import ODataError, read_key
from collecthub.sandbox.odata_query import Page, Query, read_page, read_query
from collecthub.sandbox.odata_wire import EXACT_VALUES, atom_feed, key_predicate, keys, metadata_xml, records
from collecthub.sandbox.pdf import text_pdf

_PATH = re.compile(r"/api/v1/(?P<division>\d+)/(?P<path>[A-Za-z/]+)(?:\((?P<key>[^)]*)\))?")
_COUNTED_ERRORS = (400, 401, 403, 404)
_EDM = "http://schemas.microsoft.com/ado/2006/04/edm"
_LOGIN_PAGE = (
    "<html><head><title>Exact Online - Log in</title></head><body>Log in, or no rights.</body></html>"
)
Changed = Callable[[int, str, str, str], None]
"""Told after a write: division, path of the endpoint, action (Create, Update, Delete), key."""


class ExactService:
    """Answers `/api/v1/...` and the attachment address."""

    def __init__(
        self, books: ExactBooks, tokens: TokenServer, counter: CallCounter, shared: Path | None
    ) -> None:
        self._books = books
        self._tokens = tokens
        self._counter = counter
        self._shared = shared
        self._writes = ExactWrites(books)
        self._endpoints = endpoints(books.connection)
        self.revoked_scopes: set[str] = set(books.books.get("revoked_scopes", []))
        self.next_host = ""
        self.changed: Changed | None = None

    async def api(self, request: Request) -> Response:
        """Any call below `/api/v1/`."""
        client = self._tokens.client_of(request.headers.get("authorization", ""))
        if not client:
            return Response("Unauthorized", 401, {"WWW-Authenticate": "Bearer"}, "text/plain")
        match = _PATH.fullmatch(request.url.path)
        division = int(match["division"]) if match else 0
        now = self._books.clock.timestamp()
        allowed, headers = self._counter.take(client, division, now)
        if not allowed:
            return Response(b"", 429, headers)
        path = match["path"] if match else request.url.path
        if self._counter.blocked(client, division, path.lower(), now):
            return Response(b"", 429)
        try:
            response = await self._dispatch(request, client, division, path, match["key"] if match else None)
        except ODataError as error:
            response = _error(400, str(error))
        if response.status_code in _COUNTED_ERRORS:
            self._counter.error(client, division, path.lower(), now)
        response.headers.update(headers)
        return response

    async def attachment(self, request: Request) -> Response:
        """The bytes of an attachment; an HTML page with status 200 without the token or `Download=1`."""
        client = self._tokens.client_of(request.headers.get("authorization", ""))
        row = self._books.connection.execute(
            "SELECT * FROM invoice WHERE attachment_id = ?", (request.query_params.get("ID", ""),)
        ).fetchone()
        if not client or row is None or request.query_params.get("Download") != "1":
            return HTMLResponse(_LOGIN_PAGE)
        disposition = {"Content-Disposition": f'attachment; filename="{quote(row["number"])}.pdf"'}
        return Response(text_pdf(invoice_lines(dict(row))), 200, disposition, "application/pdf")

    async def _dispatch(
        self, request: Request, client: str, division: int, path: str, key: str | None
    ) -> Response:
        if request.url.path == "/api/v1/current/Me":
            return self._me(request)
        if path.endswith("$metadata") or request.url.path.endswith("/$metadata"):
            return self._metadata(request.url.path)
        endpoint = self._endpoints.get(path.lower())
        if endpoint is None:
            return _error(404, "Resource not found for the segment.")
        if not self._books.connection.execute(
            "SELECT 1 FROM division WHERE Code = ?", (division,)
        ).fetchone():
            return _error(403, "Forbidden - No access to the division.")
        if endpoint.scope in self.revoked_scopes:
            verb = "read" if request.method == "GET" else "write"
            return Response(
                f"Forbidden - Application Scope Violated. Cannot {verb}", 403, media_type="text/plain"
            )
        if request.method not in endpoint.methods:
            return _error(405, "The HTTP method is not allowed for this resource.")
        if request.method == "GET":
            return self._read(request, endpoint, division, key)
        return await self._write(request, endpoint, division, client, key)

    def _read(self, request: Request, endpoint: Endpoint, division: int, key: str | None) -> Response:
        options = dict(request.query_params)
        if key is not None:
            return self._one(request, endpoint, division, key, options)
        query = read_query(options, endpoint.entities)
        _check_rules(endpoint, query, options)
        where, parameters = "Division = ?", [division]
        if endpoint.entities.source == "division":
            where, parameters = "1", []
        if endpoint.path.endswith("ByAccount"):
            where, parameters = "Division = ? AND AccountId = ?", [division, _account_id(options)]  # type: ignore[list-item]
        page = read_page(self._books.connection, endpoint.entities, query, where, parameters)
        entries = self._entries(request, endpoint, division, page, options)
        link = self._next_link(request, options, page) if page.token else ""
        return _collection(request, endpoint, entries, link)

    def _one(
        self, request: Request, endpoint: Endpoint, division: int, key: str, options: Mapping[str, str]
    ) -> Response:
        entry = self._entry(request, endpoint, division, read_key(key, endpoint.entities.entity), options)
        if entry is None:
            return _error(404, "Resource not found for the segment.")
        return _json({"d": entry})

    def _entry(
        self,
        request: Request,
        endpoint: Endpoint,
        division: int,
        key: Mapping[str, Any],
        options: Mapping[str, str],
    ) -> dict[str, Any] | None:
        kept = {name: value for name, value in options.items() if name in ("$select", "$expand")}
        query = read_query(kept, endpoint.entities)
        where = " AND ".join(f"{endpoint.entities.column(name)} IS ?" for name in key)
        page = read_page(
            self._books.connection,
            endpoint.entities,
            query,
            f"Division = ? AND {where}",
            [division, *key.values()],
        )
        entries = self._entries(request, endpoint, division, page, options)
        return entries[0] if entries else None

    def _entries(
        self, request: Request, endpoint: Endpoint, division: int, page: Page, options: Mapping[str, str]
    ) -> list[dict[str, Any]]:
        entity = endpoint.entities.entity
        wanted = [
            part.strip() for part in options.get("$select", "").split(",") if part.strip() not in ("", "*")
        ]
        expand = {part.strip() for part in options.get("$expand", "").split(",")}
        navigations = [name for name, edm in entity.properties.items() if edm == "Collection"]
        navigations = [name for name in navigations if not wanted or name in wanted or name in expand]
        base = f"{_base(request)}/api/v1/{division}/{endpoint.path}"
        found = records(page, entity, EXACT_VALUES)
        for entry, key in zip(found, keys(page, entity), strict=True):
            uri = base + key_predicate(key, entity)
            entry["__metadata"] = {"uri": uri, "type": entity.name}
            for name in navigations:
                deferred = {"__deferred": {"uri": f"{uri}/{name}"}}
                entry[name] = {"results": []} if name in expand else deferred
            if entry.get("Url"):
                entry["Url"] = (
                    f"{_base(request)}/docs/SysAttachment.aspx?ID={entry['Url']}&_Division_={division}"
                )
        return found

    def _next_link(self, request: Request, options: Mapping[str, str], page: Page) -> str:
        kept = {name: value for name, value in options.items() if name != "$skiptoken"}
        if "$top" in kept:
            kept["$top"] = str(int(kept["$top"]) - len(page.rows))
        query = urlencode({**kept, "$skiptoken": page.token}, safe="$',", quote_via=quote)
        return f"{self.next_host or _base(request)}{quote(request.url.path)}?{query}"

    async def _write(
        self, request: Request, endpoint: Endpoint, division: int, client: str, key: str | None
    ) -> Response:
        entity = endpoint.entities.entity
        if request.method == "POST":
            row_id = self._writes.create(endpoint, division, client, await _payload(request))
            self._tell(division, endpoint, "Create", row_id)
            key_name = next(iter(entity.key))
            entry = self._entry(request, endpoint, division, {key_name: row_id}, {})
            return _json({"d": entry}, 201)
        if key is None:
            raise ODataError("The URI is not valid for this operation: a key is needed.")
        row_id = str(read_key(key, entity)["ID"])
        if self._entry(request, endpoint, division, {"ID": row_id}, {}) is None:
            return _error(404, "Resource not found for the segment.")
        if request.method == "DELETE":
            self._writes.delete(endpoint, row_id)
            return Response(status_code=204)
        self._writes.change(endpoint, division, row_id, await _payload(request))
        self._tell(division, endpoint, "Update", row_id)
        return Response(status_code=204)

    def _tell(self, division: int, endpoint: Endpoint, action: str, key: str) -> None:
        if self.changed is not None:
            self.changed(division, endpoint.path, action, key)

    def _me(self, request: Request) -> Response:
        division = self._books.connection.execute("SELECT min(Code) FROM division").fetchone()[0]
        known = {
            "UserID": USER, "CurrentDivision": division, "AccountingDivision": division, "FullName": "Sandbox User",
            "LanguageCode": "nl-BE", "Language": "NL", "IsClientUser": True, "ServerUtcOffset": self._utc_offset(),
        }  # fmt: skip
        select = request.query_params.get("$select", "")
        names = [part.strip() for part in select.split(",") if part.strip()] or [n for n in ME.properties]
        unknown = [name for name in names if name not in ME.properties]
        if unknown:
            raise ODataError(f"No property '{unknown[0]}' exists in type '{ME.name}' at position 0.")
        uri = f"{_base(request)}/api/v1/current/Me(guid'{USER}')"
        entry: dict[str, Any] = {"__metadata": {"uri": uri, "type": ME.name}}
        return _json({"d": {"results": [entry | {name: known.get(name) for name in names}]}})

    def _utc_offset(self) -> int:
        local = self._books.now()
        utc = self._books.clock.now().replace(tzinfo=None).isoformat(timespec="milliseconds")
        return round((int(local[11:13]) - int(utc[11:13])) % 24 * 3600)

    def _metadata(self, path: str) -> Response:
        service = path.split("/")[-2].lower()
        recorded = self._shared / "erp" / "exact" / f"metadata_{service}.xml" if self._shared else None
        if recorded is not None and recorded.is_file():
            return Response(recorded.read_bytes(), media_type="application/xml")
        sets = {
            one.entities.name: one.entities.entity
            for one in self._endpoints.values()
            if one.path.lower().split("/")[0] == service
        }
        if not sets:
            return _error(404, "Resource not found for the segment.")
        return Response(
            metadata_xml(f"Exact.Web.Api.{service}", "DataSource", sets, _EDM, "1.0"),
            200,
            None,
            "application/xml",
        )


def _account_id(options: Mapping[str, str]) -> str:
    text = options.get("accountId", "")
    match = re.fullmatch(r"(?:guid)?'?([0-9a-fA-F-]{36})'?", text)
    if match is None:
        raise ODataError("The parameter accountId is missing or malformed.")
    return match[1].lower()


def _check_rules(endpoint: Endpoint, query: Query, options: Mapping[str, str]) -> None:
    """The vendor's extra rules: sync takes only Timestamp, bulk needs $select, some need a filter."""
    select = options.get("$select", "")
    if endpoint.sync and query.condition.fields - {"Timestamp"}:
        raise ODataError("Only the field Timestamp can be used in $filter for this endpoint.")
    if endpoint.sync and "*" in select:
        raise ODataError("The $select parameter must name the fields; '*' is not allowed for this endpoint.")
    if endpoint.select_required and not select:
        raise ODataError("The $select parameter is mandatory for this endpoint.")
    if endpoint.filters and not query.condition.fields & endpoint.filters:
        fields = ", ".join(sorted(endpoint.filters))
        raise ODataError(
            f"A GET request for this endpoint must have a $filter parameter with one of the following fields in the url: {fields}"
        )


async def _payload(request: Request) -> dict[str, Any]:
    try:
        payload = orjson.loads(await request.body())
    except ValueError as error:
        raise ODataError("Error processing request stream. The JSON is not well formed.") from error
    if not isinstance(payload, dict):
        raise ODataError("Error processing request stream. A JSON object is expected.")
    return payload


def _collection(request: Request, endpoint: Endpoint, entries: list[dict[str, Any]], link: str) -> Response:
    accept = request.headers.get("accept", "")
    if "json" not in accept and request.query_params.get("$format") != "json":
        feed = atom_feed(endpoint.entities.name, endpoint.entities.entity, entries, link)
        return Response(feed, media_type="application/atom+xml;type=feed")
    if "$top" in request.query_params and not link:
        return _json({"d": entries})
    return _json({"d": {"results": entries} | ({"__next": link} if link else {})})


def _base(request: Request) -> str:
    return f"{request.url.scheme}://{request.headers.get('host', request.url.netloc)}"


def _json(content: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(content), status, media_type="application/json; charset=utf-8")


def _error(status: int, words: str) -> Response:
    return _json({"error": {"code": "", "message": {"lang": "", "value": words}}}, status)
