"""Partner agencies abroad: one process, one office per country, each with its REST address, token and webhooks.

Every office serves the published REST contract below `/a/COUNTRY` and pushes its exchanges to the hub's hook once it
was told where that is. Ready file: `agencies` by country (`base_path`, `token`, `partner_ref`).
Control: `hub` (`country`, `hook_url`, `secret`, and `sender_ref` if the hub has a name of its own), `work` (`days`,
`advance_clock`, `country` or all), `books` (`country` or all), `down` (`seconds`, `country` or all).
Settings: see `office.profile_from`; `countries` (DE,FR,UY); `attempts` (pushes of one exchange before it is left in
the outbox).
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

from collecthub.sandbox.contract import ContractBreach
from collecthub.sandbox.json_contract import published_contract, read_json
from collecthub.sandbox.office import Office, profile_from
from collecthub.sandbox.office_books import Json
from collecthub.sandbox.office_desk import ChangedExchange
from collecthub.sandbox.standard_webhooks import post, signed_headers
from collecthub.sandbox.twin import Books, Clock, TwinOptions, open_books
from collecthub.sandbox.twin_http import Control, serve_http

SPOILS = {"truncated": "quarantine", "wrong_signature": "quarantine"}
_MAX_BYTES = 50_000_000
_POLL_SECONDS = 0.25
_FIRST_WAIT_SECONDS, _LONGEST_WAIT_SECONDS = 0.2, 5.0


@dataclass
class Agency:
    """One country's office with what the hub needs to reach it, and its patience with the hub."""

    country: str
    token: str
    office: Office
    most_attempts: int
    down_until: float = 0.0
    not_before: float = 0.0
    pushing: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def hook(self) -> Json:
        """`hook_url` and `secret` as the hub gave them; empty until it did."""
        known: Json = self.office.books.books.get("hook", {})
        return known

    def routes(self) -> Mount:
        """The paths of the contract below this agency's own."""
        paths: list[tuple[str, str, Callable[[Request], Awaitable[Response]]]] = [
            ("exchanges", "POST", self._submit),
            ("exchanges/{exchange_id:path}", "GET", self._state),
            ("outbox", "GET", self._outbox),
            ("verdicts", "POST", self._verdict),
            ("accounts", "GET", self._accounts),
        ]
        return Mount(
            f"/a/{self.country}",
            routes=[Route(f"/exchange/v1/{path}", self._guarded(act), methods=[verb]) for path, verb, act in paths],
        )

    def _guarded(self, act: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            left = self.down_until - time.monotonic()
            if left > 0:
                return problem(503, "down", "The agency is closed.", {"Retry-After": str(int(left) + 1)})
            given = request.headers.get("authorization", "").encode()
            if not hmac.compare_digest(given, f"Bearer {self.token}".encode()):
                return problem(401, "token", "The bearer token is not that of this agency.",
                               {"WWW-Authenticate": "Bearer"})  # fmt: skip
            try:
                return await act(request)
            except ContractBreach as breach:
                with self.office.books.transaction():
                    self.office.books.refuse(request.url.path, breach.code, breach.reason)
                return problem(400 if breach.code == "json.malformed" else 422, breach.code, breach.reason)

        return endpoint

    async def _submit(self, request: Request) -> Response:
        body = await request.body()
        if len(body) > _MAX_BYTES:
            return problem(413, "size", "An exchange is at most 50 MB.")
        exchange = read_json(body)
        published_contract().check("Exchange", exchange)
        if request.headers.get("idempotency-key") != exchange["exchange_id"]:
            raise ContractBreach("idempotency_key", "Idempotency-Key is missing or not the exchange_id.")
        if exchange["message_count"] != len(exchange["messages"]):
            raise ContractBreach("count", "message_count is not the number of messages.")
        if (exchange["sender_ref"], exchange["receiver_ref"]) != (self.office.hub_ref, self.office.profile.ref):
            raise ContractBreach("address", f"Not from {self.office.hub_ref} to {self.office.profile.ref}.")
        try:
            received = self.office.receive(exchange, hashlib.sha256(body).hexdigest())
        except ChangedExchange as error:
            raise ContractBreach("changed", str(error)) from error
        answer: Json = {"exchange_id": received.exchange_id, "duplicate": received.is_duplicate}
        if received.replies:
            answer["replies"] = received.replies
        return JSONResponse(answer, 202)

    async def _state(self, request: Request) -> Response:
        exchange_id = request.path_params["exchange_id"]
        state = self.office.state_of(exchange_id)
        if not state:
            return problem(404, "unknown_exchange", f"Exchange {exchange_id} has not arrived.")
        return JSONResponse({"exchange_id": exchange_id, "state": state})

    async def _outbox(self, request: Request) -> Response:
        after, limit = request.query_params.get("after", "") or "0", request.query_params.get("limit", "100")
        if not (after.isdecimal() and limit.isdecimal() and 1 <= int(limit) <= 1000):
            raise ContractBreach("query", "after is a cursor of this outbox, limit 1 to 1000.")
        if not self.hook and (spoilt := self.office.next_spoilt()):
            whole = json.dumps({"items": [{"cursor": "", "exchange": spoilt["exchange"]}], "next_cursor": None})
            return Response(whole[: len(whole) // 2], media_type="application/json")
        found = self.office.outbox(int(after), int(limit) + 1)
        items = [{"cursor": str(one["cursor"]), "exchange": one["exchange"]} for one in found[: int(limit)]]
        more = items[-1]["cursor"] if len(found) > int(limit) else None
        return JSONResponse({"items": items, "next_cursor": more})

    async def _verdict(self, request: Request) -> Response:
        verdict = read_json(await request.body())
        published_contract().check("ExchangeVerdict", verdict)
        is_known = self.office.record_verdict(
            verdict["exchange_id"], accepted=verdict["accepted"],
            code=verdict.get("code", ""), reason=verdict.get("reason", ""),
        )  # fmt: skip
        return Response(status_code=204) if is_known else problem(404, "unknown_exchange", "Not an exchange of ours.")

    async def _accounts(self, _: Request) -> Response:
        return JSONResponse({"items": self.office.accounts(), "next_cursor": None})

    async def push(self) -> None:
        """Hand waiting exchanges to the hub's hook in their order; the first that fails ends the round."""
        if not self.hook or time.monotonic() < self.not_before:
            return
        async with self.pushing:
            for one in self.office.undelivered(20):
                if one["attempts"] < self.most_attempts and not await self._push_one(one):
                    wait = _FIRST_WAIT_SECONDS * 2 ** one["attempts"]
                    self.not_before = time.monotonic() + min(wait, _LONGEST_WAIT_SECONDS)
                    return

    async def _push_one(self, one: Json) -> bool:
        """One attempt. A spoilt exchange is sent once, whatever the answer is."""
        body = json.dumps(one["exchange"], ensure_ascii=False).encode()
        body = body[: len(body) // 2] if one["spoil"] == "truncated" else body
        stranger = "whsec_c3RyYW5nZXI="
        secret = stranger if one["spoil"] == "wrong_signature" else self.hook["secret"]
        exchange_id = one["exchange"]["exchange_id"]
        # Signed with the machine's time: the receiver compares it with its own, not with the sandbox's calendar.
        headers = signed_headers(secret, exchange_id, time.time(), body)
        status = await asyncio.to_thread(post, self.hook["hook_url"], body, headers)
        is_done = 200 <= status < 300 or bool(one["spoil"] and status)
        self.office.mark(exchange_id, is_delivered=is_done)
        return is_done


def problem(status: int, code: str, detail: str, headers: Mapping[str, str] | None = None) -> Response:
    """An RFC 9457 answer."""
    content = {"type": f"urn:collecthub:problem:{code}", "title": code, "status": status, "detail": detail}
    return JSONResponse({**content, "code": code}, status, headers, "application/problem+json")


class Agencies:
    """All the offices of this process."""

    def __init__(self, options: TwinOptions, clock: Clock) -> None:
        self._by_country = {
            country: _open(options, country, clock) for country in options.setting("countries", "DE").split(",")
        }
        self._clock = clock
        self._tasks: set[asyncio.Task[None]] = set()

    def surface(self) -> Starlette:
        """The vendor's side of it."""
        return Starlette(routes=[agency.routes() for agency in self._by_country.values()])

    def actions(self) -> dict[str, Control]:
        """The control actions of this twin."""
        return {"hub": self._know_hub, "work": self._work, "books": self._books, "down": self._down}

    def _chosen(self, payload: Json) -> list[Agency]:
        return [self._by_country[payload["country"]]] if "country" in payload else list(self._by_country.values())

    def _know_hub(self, payload: Json) -> Json:
        (agency,) = self._chosen({"country": payload["country"]})
        if not payload["hook_url"].startswith(("http://", "https://")):
            raise ValueError("hook_url is not an http address")
        books = agency.office.books.books
        books.put("hook", {"hook_url": payload["hook_url"], "secret": payload["secret"]})
        if "sender_ref" in payload:
            books.put("hub_ref", payload["sender_ref"])
        return {"partner_ref": agency.office.profile.ref}

    def _work(self, payload: Json) -> Json:
        """Day by day, so that all offices share one calendar; with `up_to` only what is missing until that day."""
        worked: Json = {}
        chosen = self._chosen(payload)
        begun = min(agency.office.days_worked for agency in chosen)
        for day in range(begun + 1, (payload.get("up_to") or begun + payload.get("days", 1)) + 1):
            if payload.get("advance_clock", True):
                self._clock.begin_day(day)
            for agency in chosen:
                worked[agency.country] = agency.office.work(up_to=day, advance_clock=False)
        return worked

    def _books(self, payload: Json) -> Json:
        reports = {agency.country: agency.office.report() for agency in self._chosen(payload)}
        return reports[payload["country"]] if "country" in payload else reports

    def _down(self, payload: Json) -> Json:
        for agency in self._chosen(payload):
            agency.down_until = time.monotonic() + payload["seconds"]
        return {}

    async def open(self) -> Mapping[str, Any]:
        """Start pushing; returns the facts for the ready file."""
        for agency in self._by_country.values():
            task = asyncio.create_task(_push_for_ever(agency))
            task.add_done_callback(lambda ended: ended.cancelled() or ended.result())  # a defect shows in the log
            self._tasks.add(task)
        return {
            "agencies": {
                country: {"base_path": f"/a/{country}", "token": agency.token, "partner_ref": agency.office.profile.ref}
                for country, agency in self._by_country.items()
            }
        }


async def _push_for_ever(agency: Agency) -> None:
    while True:
        await agency.push()
        await asyncio.sleep(_POLL_SECONDS)


def _open(options: TwinOptions, country: str, clock: Clock) -> Agency:
    ref = f"agency-{country}"
    books = Books(options.home / f"{options.label}-{country}.sqlite")
    profile = profile_from(options, ref=ref, kind="agency", spoils=SPOILS)
    if "seed" in options.settings:
        profile = replace(profile, seed=f"{profile.seed}-{country}")
    token = books.get("token") or secrets.token_urlsafe(24)
    books.put("token", token)
    return Agency(country, token, Office(books, clock, profile), int(options.setting("attempts", "20")))


def serve(options: TwinOptions) -> None:
    """Run the twin until it is told to stop."""
    clock = Clock(open_books(options))
    agencies = Agencies(options, clock)
    serve_http(options, agencies.surface(), clock, agencies.actions(), agencies.open)
