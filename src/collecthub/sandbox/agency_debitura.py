"""The Debitura twin: a network's REST service as Debitura publishes its behaviour, for trial and tests.

Published and kept here: the lifecycle and the close codes, Idempotency-Key (same key and body: the same answer; another
body: 422), a contract to sign before a case starts, details asked for and supplied, the events case.created, case.updated,
case.closed, payment.created, payment.deleted and chat.created, signed by HMAC-SHA256 in a header with a time and a `v1`
value, a log that can be read again. Paths, field names and the header's name are this twin's own: the facts at hand
name them for none of these, and nothing here claims to be a recording.

Control actions: `books`; `hook` {hook_url, secret}; `advance` {case, status, text?}; `close` {case, code}; `pay` {case,
amount, currency, on, recipient}; `unpay` {case, payment}; `chat` {case, text}; `push` (deliver what waits, once each).
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import secrets
import time
from decimal import Decimal
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from collecthub.sandbox.standard_webhooks import post
from collecthub.sandbox.twin import Books, Clock, TwinOptions, open_books
from collecthub.sandbox.twin_http import Control, serve_http

Json = dict[str, Any]
SIGNATURE_HEADER = "X-Debitura-Signature"
STATUSES = (
    "PendingContractSigning", "PendingVerificationInternal", "PendingVerification", "NeedsAdditionalDetails", "Leads",
    "LeadsQuoteGiven", "Active", "Paused", "Closed", "Merged",
)  # fmt: skip


def signature(secret: str, at: float, body: bytes) -> str:
    """`t=<seconds>,v1=<hex>` over the time, a dot and the body."""
    seconds = str(int(at))
    digest = hmac.new(secret.encode(), f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={seconds},v1={digest}"


class Network:
    """Cases, answers by key, and the event log, all in the twin's durable books."""

    def __init__(self, books: Books, clock: Clock, options: TwinOptions) -> None:
        self._books, self._clock = books, clock
        self.token = books.get("token") or secrets.token_urlsafe(24)
        books.put("token", self.token)
        self._needs_contract = options.setting("contract", "1") == "1"

    def _all(self, name: str) -> Any:
        return self._books.get(name) or ({} if name != "events" else [])

    # --- the published side -----------------------------------------------------------------------

    def routes(self) -> Starlette:
        """The service."""
        paths = (
            ("/cases", "POST", self._create), ("/cases/{case}", "GET", self._read),
            ("/cases/{case}/details", "POST", self._details), ("/cases/{case}/amount", "POST", self._amount),
            ("/cases/{case}/close", "POST", self._withdraw), ("/cases/{case}/chat", "POST", self._chat),
            ("/contracts/{case}/sign", "POST", self._sign), ("/events", "GET", self._events),
            ("/ping", "GET", self._ping),
        )  # fmt: skip
        return Starlette(routes=[Route(path, self._guarded(act), methods=[verb]) for path, verb, act in paths])

    def _guarded(self, act: Any) -> Any:
        async def endpoint(request: Request) -> Response:
            given = request.headers.get("authorization", "").encode()
            if not hmac.compare_digest(given, f"Bearer {self.token}".encode()):
                return JSONResponse({"title": "Unauthorized"}, 401)
            body = await request.body()
            key = request.headers.get("idempotency-key", "")
            if request.method == "POST" and not key:
                return JSONResponse({"title": "Idempotency-Key is missing"}, 400)
            known = self._all("answers").get(key)
            digest = hashlib.sha256(request.url.path.encode() + body).hexdigest()
            if known is not None and known["digest"] != digest:
                return JSONResponse({"title": "Idempotency-Key was used with another body"}, 422)
            if known is not None:
                return JSONResponse(known["answer"], known["status"], {"Idempotency-Replayed": "true"})
            answer, status = act(request, json.loads(body or b"{}"))
            if key and status < 300:
                kept = {"digest": digest, "answer": answer, "status": status}
                self._books.put("answers", {**self._all("answers"), key: kept})
            return JSONResponse(answer, status)

        return endpoint

    def _ping(self, _request: Request, _body: Json) -> tuple[Json, int]:
        return {"ok": True}, 200

    def _create(self, _request: Request, body: Json) -> tuple[Json, int]:
        cases = self._all("cases")
        missing = [name for name in ("reference", "debtor", "amount", "currency") if not body.get(name)]
        if missing:
            return {"title": f"missing: {', '.join(missing)}"}, 400
        case_id = f"DEB-{len(cases) + 1:05}"
        status = "PendingContractSigning" if self._needs_contract else "PendingVerification"
        self._save(case_id, {**body, "id": case_id, "status": status, "payments": {}})
        self._event("case.created", case_id, {"status": status, **self._signing(case_id, status)})
        return {"id": case_id, "status": status, "reference": body["reference"]}, 201

    def _signing(self, case_id: str, status: str) -> Json:
        return {"signingUrl": f"/contracts/{case_id}/sign"} if status == "PendingContractSigning" else {}

    def _read(self, request: Request, _body: Json) -> tuple[Json, int]:
        found = self._all("cases").get(request.path_params["case"])
        return (found, 200) if found else ({"title": "Not found"}, 404)

    def _sign(self, request: Request, _body: Json) -> tuple[Json, int]:
        return self._moved(request.path_params["case"], "PendingContractSigning", "Active")

    def _details(self, request: Request, body: Json) -> tuple[Json, int]:
        self._note(request.path_params["case"], "details", body.get("text", ""))
        return self._moved(request.path_params["case"], "NeedsAdditionalDetails", "Active")

    def _amount(self, request: Request, body: Json) -> tuple[Json, int]:
        case_id = request.path_params["case"]
        self._save(case_id, {**self._all("cases")[case_id], "amount": body["amount"]})
        return {"id": case_id, "amount": body["amount"]}, 200

    def _withdraw(self, request: Request, _body: Json) -> tuple[Json, int]:
        self.close({"case": request.path_params["case"], "code": "Withdrawn by Client"})
        return {"status": "Closed"}, 200

    def _chat(self, request: Request, body: Json) -> tuple[Json, int]:
        self._note(request.path_params["case"], "chat", body.get("text", ""))
        return {"ok": True}, 200

    def _events(self, request: Request, _body: Json) -> tuple[Json, int]:
        after = int(request.query_params.get("after", "0") or 0)
        items = self._all("events")[after : after + 100]
        return {"items": items, "next": after + len(items)}, 200

    # --- its own life -----------------------------------------------------------------------------

    def _save(self, case_id: str, case: Json) -> None:
        self._books.put("cases", {**self._all("cases"), case_id: case})

    def _note(self, case_id: str, kind: str, text: str) -> None:
        case = self._all("cases")[case_id]
        self._save(case_id, {**case, "notes": [*case.get("notes", []), {"kind": kind, "text": text}]})

    def _moved(self, case_id: str, wanted: str, status: str) -> tuple[Json, int]:
        case = self._all("cases").get(case_id)
        if case is None or case["status"] != wanted:
            return {"title": f"the case is not {wanted}"}, 409
        self.advance({"case": case_id, "status": status})
        return {"id": case_id, "status": status}, 200

    def _event(self, kind: str, case_id: str, data: Json) -> None:
        case, events = self._all("cases")[case_id], self._all("events")
        event = {
            "id": f"evt-{len(events) + 1}", "type": kind, "sequence": len(events) + 1,
            "createdAt": self._clock.now().isoformat(),
            "case": {"id": case_id, "reference": case["reference"], "messageReference": case.get("messageReference", ""),
                     "currency": case["currency"]},
            "data": data,
        }  # fmt: skip
        self._books.put("events", [*events, event])

    def advance(self, payload: Json) -> Json:
        """Bring a case to a status of the lifecycle."""
        case_id, status = payload["case"], payload["status"]
        if status not in STATUSES:
            raise ValueError(f"{status} is no status")
        self._save(case_id, {**self._all("cases")[case_id], "status": status})
        self._event("case.updated", case_id, {"status": status, "text": payload.get("text", "")})
        return {}

    def close(self, payload: Json) -> Json:
        """End a case with a close code."""
        case_id = payload["case"]
        case = {**self._all("cases")[case_id], "status": "Closed", "closeCode": payload["code"]}
        self._save(case_id, case)
        paid = sum((Decimal(one["amount"]) for one in case["payments"].values()), Decimal(0))
        remaining = str(max(Decimal(case["amount"]) - paid, Decimal(0)))
        self._event("case.closed", case_id, {"closeCode": payload["code"], "remaining": remaining})
        return {}

    def pay(self, payload: Json) -> Json:
        """Money came in, at the partner or at the creditor."""
        case = self._all("cases")[payload["case"]]
        number = f"PAY-{len(case['payments']) + 1}-{payload['case']}"
        one = {"id": number, "amount": payload["amount"], "currency": payload["currency"], "date": payload["on"],
               "recipient": payload.get("recipient", "partner")}  # fmt: skip
        self._save(payload["case"], {**case, "payments": {**case["payments"], number: one}})
        self._event("payment.created", payload["case"], one)
        return {"payment": number}

    def unpay(self, payload: Json) -> Json:
        """A payment is taken back."""
        case = self._all("cases")[payload["case"]]
        one = case["payments"].pop(payload["payment"])
        self._save(payload["case"], case)
        self._event("payment.deleted", payload["case"], one)
        return {}

    def chat(self, payload: Json) -> Json:
        """The partner writes."""
        self._event("chat.created", payload["case"], {"text": payload["text"], "author": "partner"})
        return {}

    async def push(self, payload: Json) -> Json:
        """Deliver the events that were not delivered, in order; each attempt's status. `skew_seconds` signs another time."""
        hook = self._books.get("hook")
        done = int(self._books.get("delivered") or 0)
        statuses = []
        for event in self._all("events")[done:]:
            body = json.dumps(event).encode()
            at = time.time() + payload.get("skew_seconds", 0)
            secret = payload.get("secret", hook["secret"])
            headers = {SIGNATURE_HEADER: signature(secret, at, body)}
            statuses.append(await asyncio.to_thread(post, hook["hook_url"], body, headers))
            if not 200 <= statuses[-1] < 300:
                break
            done += 1
        self._books.put("delivered", done)
        return {"statuses": statuses}

    def actions(self) -> dict[str, Control]:
        """The control actions of this twin."""
        def know_hook(payload: Json) -> Json:
            self._books.put("hook", {"hook_url": payload["hook_url"], "secret": payload["secret"]})
            return {}

        return {
            "books": lambda _: {"cases": self._all("cases"), "events": self._all("events")}, "hook": know_hook,
            "advance": self.advance, "close": self.close, "pay": self.pay, "unpay": self.unpay, "chat": self.chat,
        }  # fmt: skip


def serve(options: TwinOptions) -> None:
    """Run the twin until it is told to stop."""
    books = open_books(options)
    clock = Clock(books)
    network = Network(books, clock, options)

    async def beside() -> Json:
        return {"token": network.token}

    serve_http(options, network.routes(), clock, {**network.actions(), "push": network.push}, beside)
