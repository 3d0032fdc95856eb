"""The Gateway of the SAP twin: OData V2 services under `/sap/opu/odata/sap/`, strict in what they take."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import orjson
from starlette.requests import Request
from starlette.responses import Response

from collecthub.sandbox import sap_entities as model
from collecthub.sandbox.odata import ODataError, read_key, read_literals
from collecthub.sandbox.odata_query import EntitySet, Page, live_columns, read_page, read_query
from collecthub.sandbox.odata_wire import SAP_VALUES, atom_feed, key_predicate, keys, metadata_xml, records
from collecthub.sandbox.pdf import text_pdf
from collecthub.sandbox.sap_books import SapBooks
from collecthub.sandbox.sap_lines import pdf_lines
from collecthub.sandbox.sap_logon import Logon

ROOT = "/sap/opu/odata/sap/"
_PATH = re.compile(r"(?P<set>\w+)(?:\((?P<key>.*?)\))?(?:/(?P<rest>\$count|\w+))?")
_CODE = "005056A509B11EE1B9A8FEC11C21578E"
_EDM = "http://schemas.microsoft.com/ado/2008/09/edm"
_BLANKS = {"String": "", "Decimal": "0", "Boolean": 0, "Time": "PT00H00M00S"}
_SOURCES = {
    "A_OperationalAcctgDocItemCube": "cube", "A_BusinessPartner": "business_partner",
    "A_BusinessPartnerAddress": "address", "A_AddressEmailAddress": "email", "A_AddressPhoneNumber": "phone",
    "A_BusinessPartnerContact": "contact", "A_BPContactToFuncAndDept": "contact", "A_BusinessPartnerTaxNumber": "tax",
    "A_Customer": "customer_general", "A_CustomerCompany": "customer_company",
    "A_CustomerDunning": "customer_dunning", "A_BillingDocument": "billing",
}  # fmt: skip
_NAVIGATIONS = {
    "A_BusinessPartner": {
        "to_BusinessPartnerAddress": (
            "A_BusinessPartnerAddress",
            {"BusinessPartner": "BusinessPartner"},
            True,
        ),
        "to_BusinessPartnerTax": ("A_BusinessPartnerTaxNumber", {"BusinessPartner": "BusinessPartner"}, True),
        "to_BusinessPartnerContact": (
            "A_BusinessPartnerContact",
            {"BusinessPartnerCompany": "BusinessPartner"},
            True,
        ),
        "to_Customer": ("A_Customer", {"Customer": "Customer"}, False),
    },
    "A_BusinessPartnerAddress": {
        "to_EmailAddress": ("A_AddressEmailAddress", {"AddressID": "AddressID"}, True),
        "to_PhoneNumber": ("A_AddressPhoneNumber", {"AddressID": "AddressID"}, True),
    },
    "A_BusinessPartnerContact": {
        "to_ContactRelationship": (
            "A_BPContactToFuncAndDept",
            {"RelationshipNumber": "RelationshipNumber"},
            False,
        )
    },
    "A_Customer": {"to_CustomerCompany": ("A_CustomerCompany", {"Customer": "Customer"}, True)},
    "A_CustomerCompany": {
        "to_CustomerDunning": (
            "A_CustomerDunning",
            {"Customer": "Customer", "CompanyCode": "CompanyCode"},
            True,
        )
    },
}
_CHANGEABLE = frozenset("DunningBlock DunningLevel DunningRecipient DunningClerk LastDunnedOn".split())
_OUTPUT_HOUR = 19


@dataclass
class Behaviour:
    """What tests ask of the gateway."""

    inactive: set[str] = field(default_factory=set)
    forbidden: set[str] = field(default_factory=set)
    message_next: str = ""
    page_size: int = 0
    missing: set[str] = field(default_factory=set)  # columns that this release does not have


class Gateway:
    """Answers the OData services."""

    def __init__(self, books: SapBooks, logon: Logon, shared: Path | None, page_size: int) -> None:
        self._books = books
        self._logon = logon
        self._shared = shared
        self.behaviour = Behaviour(page_size=page_size)
        services = (model.CUBE, model.PARTNER, model.BILLING)
        self._services = {name: self._sets(name) for name in services}

    def _sets(self, service: str) -> dict[str, EntitySet]:
        live = {source: live_columns(self._books.connection, source) for source in set(_SOURCES.values())}
        return {
            name: EntitySet(name, entity, _SOURCES[name], 0, live[_SOURCES[name]], {}, _BLANKS)
            for name, entity in model.entity_types(service, self._shared).items()
        }

    def _sets_of(self, service: str) -> dict[str, EntitySet] | None:
        sets = self._services.get(service)
        if sets is None or not self.behaviour.missing:
            return sets
        return {name: _without(one, self.behaviour.missing) for name, one in sets.items()}

    async def handle(self, request: Request) -> Response:
        """Any call below the OData root."""
        service, _, rest = request.url.path.removeprefix(ROOT).partition("/")
        sets = self._sets_of(service)
        if sets is None or service in self.behaviour.inactive:
            page = "<html><head><title>404 Not found</title></head><body>Resource /sap/opu/odata not found</body></html>"
            return Response(page, 404, media_type="text/html; charset=utf-8")
        if service in self.behaviour.forbidden:
            return self._error(
                request, 403, f"No authorization to access Service '{service}'", "/IWFND/MED/170"
            )
        try:
            if request.method in ("GET", "HEAD"):
                response = self._get(request, service, sets, rest)
                self._logon.give_csrf(request, response)
                return response
            return self._logon.csrf_refusal(request) or await self._write(request, service, sets, rest)
        except ODataError as error:
            return self._error(request, 400, str(error))

    def _get(self, request: Request, service: str, sets: Mapping[str, EntitySet], rest: str) -> Response:
        if rest == "":
            return _json({"d": {"EntitySets": sorted(sets)}})
        if rest == "$metadata":
            return self._metadata(service, sets)
        if service == model.BILLING and rest == "GetPDF":
            return self._pdf(request)
        match = _PATH.fullmatch(rest)
        chosen = sets.get(match["set"]) if match else None
        if match is None or chosen is None:
            return self._error(request, 404, f"Resource not found for segment '{rest.partition('(')[0]}'")
        if match["key"] is not None:
            return self._by_key(request, service, sets, chosen, match["key"], match["rest"])
        return self._collection(request, service, sets, chosen, {}, match["rest"] == "$count")

    def _by_key(
        self,
        request: Request,
        service: str,
        sets: Mapping[str, EntitySet],
        chosen: EntitySet,
        key_text: str,
        navigation: str | None,
    ) -> Response:
        key = read_key(key_text, chosen.entity)
        options = _options(request, "$select", "$expand") if navigation is None else {}
        entries, _ = self._entries(request, service, sets, chosen, options, key)
        if not entries:
            return self._error(
                request, 404, f"Resource not found for segment '{chosen.entity.name.partition('.')[2]}'"
            )
        if navigation is None:
            etag = entries[0]["__metadata"].get("etag")
            return _json({"d": entries[0]}, headers={"etag": etag} if etag else None)
        step = _NAVIGATIONS.get(chosen.name, {}).get(navigation)
        if step is None:
            return self._error(request, 404, f"Resource not found for segment '{navigation}'")
        target, columns, many = step
        where = {name: entries[0][source] for name, source in columns.items()}
        if many:
            return self._collection(request, service, sets, sets[target], where, False)
        found, _ = self._entries(
            request, service, sets, sets[target], _options(request, "$select", "$expand"), where
        )
        return _json({"d": found[0] if found else None})

    def _collection(
        self,
        request: Request,
        service: str,
        sets: Mapping[str, EntitySet],
        chosen: EntitySet,
        where: Mapping[str, Any],
        count_only: bool,
    ) -> Response:
        options = dict(request.query_params)
        if count_only:
            options |= {"$inlinecount": "allpages", "$top": "0"}
        entries, page = self._entries(request, service, sets, chosen, options, where)
        if count_only:
            return Response(str(page.total), media_type="text/plain")
        link = _next_link(request, options, page) if page.token else ""
        if not _wants_json(request):
            return Response(
                atom_feed(chosen.name, chosen.entity, entries, link),
                media_type="application/atom+xml;type=feed",
            )
        body: dict[str, Any] = {"__count": str(page.total)} if page.total is not None else {}
        return _json({"d": body | {"results": entries} | ({"__next": link} if link else {})})

    def _entries(
        self,
        request: Request,
        service: str,
        sets: Mapping[str, EntitySet],
        chosen: EntitySet,
        options: Mapping[str, str],
        where: Mapping[str, Any],
    ) -> tuple[list[dict[str, Any]], Page]:
        sized = EntitySet(
            chosen.name,
            chosen.entity,
            chosen.source,
            self.behaviour.page_size,
            chosen.live,
            {},
            chosen.blanks,
        )
        query = read_query(options, sized)
        condition = " AND ".join(f"{chosen.column(name)} IS ?" for name in where) or "1"
        page = read_page(self._books.connection, sized, query, condition, list(where.values()))
        entries = records(page, chosen.entity, SAP_VALUES)
        base = f"{_base(request)}{ROOT}{service}/"
        for entry, key in zip(entries, keys(page, chosen.entity), strict=True):
            uri = f"{base}{chosen.name}{key_predicate(key, chosen.entity)}"
            entry["__metadata"] = {"id": uri, "uri": uri, "type": chosen.entity.name} | self._etag(
                chosen, key
            )
            if not options.get("$select") or query.expand:
                self._navigate(request, service, sets, chosen, entry, key, query.expand)
        return entries, page

    def _navigate(
        self,
        request: Request,
        service: str,
        sets: Mapping[str, EntitySet],
        chosen: EntitySet,
        entry: dict[str, Any],
        key: Sequence[object],
        expand: Sequence[str],
    ) -> None:
        known = _NAVIGATIONS.get(chosen.name, {})
        wanted = {path.split("/")[0] for path in expand}
        if wanted - set(known):
            raise ODataError(f"Invalid navigation property '{min(wanted - set(known))}' in $expand")
        values = dict(zip(chosen.entity.key, key, strict=True)) | entry
        for name, (target, columns, many) in known.items():
            if name not in wanted:
                entry[name] = {"__deferred": {"uri": f"{entry['__metadata']['uri']}/{name}"}}
                continue
            deeper = ",".join(path.split("/", 1)[1] for path in expand if path.startswith(f"{name}/"))
            where = {column: values[source] for column, source in columns.items()}
            found, _ = self._entries(
                request, service, sets, sets[target], {"$expand": deeper} if deeper else {}, where
            )
            entry[name] = {"results": found} if many else (found[0] if found else None)

    def _etag(self, chosen: EntitySet, key: Sequence[object]) -> dict[str, str]:
        if chosen.name != "A_CustomerDunning":
            return {}
        row = self._books.connection.execute(
            "SELECT version FROM customer_dunning WHERE Customer = ? AND CompanyCode = ? AND DunningArea = ?",
            tuple(key),
        ).fetchone()
        return {"etag": f'W/"{row["version"]}"'}

    async def _write(
        self, request: Request, service: str, sets: Mapping[str, EntitySet], rest: str
    ) -> Response:
        match = _PATH.fullmatch(rest)
        writable = match is not None and match["set"] == "A_CustomerDunning" and match["key"] is not None
        if match is None or not writable or request.method not in ("PATCH", "MERGE"):
            return self._error(request, 405, "Method not allowed for this resource", "/IWBEP/CM_MGW_RT/022")
        chosen = sets[match["set"]]
        key = read_key(match["key"], chosen.entity)
        entries, _ = self._entries(request, service, sets, chosen, {}, key)
        if not entries:
            return self._error(request, 404, "Resource not found for segment 'A_CustomerDunningType'")
        if "if-match" not in request.headers:
            return self._error(request, 428, "Precondition required: header If-Match is missing")
        if request.headers["if-match"] not in ("*", entries[0]["__metadata"]["etag"]):
            return self._error(request, 412, "Precondition failed", "/IWBEP/CM_MGW_RT/021")
        changes = _changes(await request.body(), chosen)
        if self.behaviour.message_next:
            return self._message_refusal()
        self._change_dunning(key, changes)
        return Response(status_code=204)

    def _change_dunning(self, key: Mapping[str, Any], changes: Mapping[str, Any]) -> None:
        sets = "".join(f"{name} = ?, " for name in changes)
        where = " AND ".join(f"{name} = ?" for name in key)
        self._books.connection.execute(
            f"UPDATE customer_dunning SET {sets}version = version + 1 WHERE {where}",
            (*changes.values(), *key.values()),
        )

    def _message_refusal(self) -> Response:
        """A business error that rides in a header on a 204; nothing was changed."""
        words, self.behaviour.message_next = self.behaviour.message_next, ""
        message = {"code": "F2/042", "message": words, "severity": "error", "target": "", "details": []}
        return Response(status_code=204, headers={"sap-message": orjson.dumps(message).decode()})

    def _pdf(self, request: Request) -> Response:
        literal = request.query_params.get("BillingDocument", "")
        values = read_literals(literal, model.DIALECT) if literal else []
        row = (
            self._books.connection.execute(
                "SELECT * FROM billing WHERE BillingDocument = ?", values
            ).fetchone()
            if values
            else None
        )
        if row is None:
            return self._error(request, 404, "Billing document does not exist", "VF/041")
        now = self._books.clock.now()
        created_today = row["CreationDate"][:10] >= now.date().isoformat()
        ready = not created_today or now.hour >= _OUTPUT_HOUR
        content = base64.b64encode(text_pdf(pdf_lines(dict(row)))).decode() if ready else ""
        result = {"__metadata": {"type": f"{model.BILLING}.GetPDFResult"}, "BillingDocumentBinary": content}
        return _json({"d": {"GetPDF": result}})

    def _metadata(self, service: str, sets: Mapping[str, EntitySet]) -> Response:
        path = model.edmx_file(self._shared, service)
        types = {name: one.entity for name, one in sets.items()}
        content = (
            path.read_bytes() if path else metadata_xml(service, f"{service}_Entities", types, _EDM, "2.0")
        )
        for name in self.behaviour.missing:
            content = re.sub(rb'<Property Name="%s"[^>]*?(/>|>.*?</Property>)' % name.encode(), b"", content, flags=re.DOTALL)
        return Response(content, media_type="application/xml")

    def _error(self, request: Request, status: int, words: str, code: str = _CODE) -> Response:
        if not _wants_json(request):
            body = f'<?xml version="1.0"?><error xmlns="{_EDM}"><code>{code}</code><message xml:lang="en">{_xml(words)}</message></error>'
            return Response(body, status, media_type="application/xml")
        detail = {"code": code, "message": words, "propertyref": "", "severity": "error", "target": ""}
        error = {
            "code": code,
            "message": {"lang": "en", "value": words},
            "innererror": {"errordetails": [detail]},
        }
        return _json({"error": error}, status)


def _without(entity_set: EntitySet, missing: set[str]) -> EntitySet:
    known = {name: edm for name, edm in entity_set.entity.properties.items() if name not in missing}
    return replace(entity_set, entity=replace(entity_set.entity, properties=known))


def _changes(body: bytes, chosen: EntitySet) -> dict[str, Any]:
    try:
        payload = orjson.loads(body)
    except ValueError as error:
        raise ODataError("Malformed JSON in the request body") from error
    payload = payload.get("d", payload) if isinstance(payload, dict) else {}
    changes = {}
    for name, value in payload.items():
        if name == "__metadata":
            continue
        if name not in chosen.entity.properties:
            raise ODataError(f"Property '{name}' is invalid")
        if name not in _CHANGEABLE or len(str(value or "")) > model.MAX_LENGTHS.get(name, 40):
            raise ODataError(f"Property '{name}' has invalid value '{value}'")
        changes[name] = value
    return changes


def _options(request: Request, *names: str) -> dict[str, str]:
    return {name: value for name, value in request.query_params.items() if name in names}


def _next_link(request: Request, options: Mapping[str, str], page: Page) -> str:
    kept = {name: value for name, value in options.items() if name not in ("$skiptoken", "$skip")}
    if "$top" in kept:
        kept["$top"] = str(int(kept["$top"]) - len(page.rows))
    query = urlencode({**kept, "$skiptoken": page.token}, safe="$',", quote_via=quote)
    return f"{_base(request)}{quote(request.url.path)}?{query}"


def _wants_json(request: Request) -> bool:
    return "json" in request.headers.get("accept", "") or request.query_params.get("$format") == "json"


def _base(request: Request) -> str:
    return f"{request.url.scheme}://{request.headers.get('host', request.url.netloc)}"


def _json(content: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return Response(orjson.dumps(content), status, headers, "application/json; charset=utf-8")


def _xml(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")
