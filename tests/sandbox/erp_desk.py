"""A plain client of each ERP twin, written from the vendors' interface alone: what a stranger's program would do."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests

from collecthub.sandbox.exact import CLIENT_ID, CLIENT_SECRET, REDIRECT_URI
from collecthub.sandbox.exact_books import DEFAULT_DIVISION
from collecthub.sandbox.sap import PASSWORD, USER
from collecthub.sandbox.twin import RunningTwin

Json = dict[str, Any]
CUBE = "API_OPLACCTGDOCITEMCUBE_SRV/A_OperationalAcctgDocItemCube"


def customer(reference: str, **facts: str) -> Json:
    """A customer of the neutral model, as the control API takes it."""
    return {
        "customer_ref": reference,
        "name": f"Klant {reference}",
        "kind": "company",
        "country": "BE",
        **facts,
    }


def invoice(number: str, reference: str, amount: str = "1000.00", **facts: str) -> Json:
    """An open invoice of the neutral model, long overdue."""
    return {
        "customer_ref": reference, "number": number, "issue_on": "2026-01-05", "due_on": "2026-02-04",
        "amount": amount, "open_amount": amount, "currency": "EUR", "kind": "invoice", "settles": "", **facts,
    }  # fmt: skip


@dataclass
class ExactDesk:
    """Somebody who has gone through the consent of one Exact app."""

    twin: RunningTwin
    pair: Json

    @classmethod
    def log_in(cls, twin: RunningTwin) -> ExactDesk:
        """Consent and exchange of the code."""
        return cls(twin, post_token(twin, grant_type="authorization_code", code=consent(twin)).json())

    def refresh(self, token: str = "") -> requests.Response:
        """Ask for a new pair; the pair kept here does not change."""
        return post_token(
            self.twin, grant_type="refresh_token", refresh_token=token or self.pair["refresh_token"]
        )

    def call(
        self, method: str, path: str, accept: str = "application/json", **options: Any
    ) -> requests.Response:
        """A call below the division; a path from the root when it begins with http or a slash."""
        address = path if path.startswith("http") else f"{self.twin.url}{path}"
        if not path.startswith(("http", "/")):
            address = f"{self.twin.url}/api/v1/{DEFAULT_DIVISION}/{path}"
        headers = {"Authorization": f"Bearer {self.pair['access_token']}", "Accept": accept}
        return requests.request(method, address, headers=headers, timeout=10, **options)

    def get(self, path: str, **query: str) -> requests.Response:
        """GET with system query options given without their dollar sign."""
        return self.call("GET", path, params={f"${name}": value for name, value in query.items()})

    def all(self, path: str, **query: str) -> tuple[list[Json], list[int]]:
        """Every row of a collection by following `__next`, and how many each page had."""
        rows: list[Json] = []
        pages: list[int] = []
        answer = self.get(path, **query).json()["d"]
        while True:
            rows += answer["results"]
            pages.append(len(answer["results"]))
            if "__next" not in answer:
                return rows, pages
            answer = self.call("GET", answer["__next"]).json()["d"]


def consent(twin: RunningTwin, **changes: str) -> str:
    """Walk through the consent page and take the code from the redirect, decoded exactly once."""
    query = {
        "client_id": CLIENT_ID,
        "redirect_uri": REDIRECT_URI,
        "response_type": "code",
        "state": "s1",
        **changes,
    }
    answer = requests.get(f"{twin.url}/api/oauth2/auth", params=query, allow_redirects=False, timeout=10)
    return parse_qs(urlsplit(answer.headers["location"]).query)["code"][0]


def post_token(twin: RunningTwin, **form: str) -> requests.Response:
    """A call of the token endpoint with the app's own credentials."""
    app = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "redirect_uri": REDIRECT_URI}
    return requests.post(f"{twin.url}/api/oauth2/token", data={**app, **form}, timeout=10)


class SapDesk(requests.Session):
    """A communication user's session on the OData root."""

    def __init__(self, twin: RunningTwin, password: str = PASSWORD) -> None:
        super().__init__()
        self.auth = (USER, password)
        self.headers["Accept"] = "application/json"
        self.trust_env = False
        self.root = f"{twin.url}/sap/opu/odata/sap/"

    def read(self, path: str, **query: str) -> requests.Response:
        """GET with system query options given without their dollar sign."""
        return self.get(
            self.root + path, params={f"${name}": value for name, value in query.items()}, timeout=10
        )

    def rows(self, path: str, **query: str) -> list[Json]:
        """The rows of one answer."""
        found: list[Json] = self.read(path, **query).json()["d"]["results"]
        return found

    def csrf(self) -> dict[str, str]:
        """A fresh token; the cookies stay in the session."""
        answer = self.get(self.root + "API_BUSINESS_PARTNER/", headers={"x-csrf-token": "Fetch"}, timeout=10)
        return {"x-csrf-token": answer.headers["x-csrf-token"]}


@contextmanager
def callback() -> Iterator[tuple[str, list[bytes]]]:
    """An address that says 200 to everything, and the bodies that came there."""
    bodies: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(self.rfile.read(int(self.headers["content-length"] or 0)))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/hook", bodies
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
