"""Says step by step whether a connection works, and what to do about the first thing that does not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import msgspec
from msgspec import field

from collecthub.sdk import CheckStep, CollecthubError, ConfigurationError, ConnectorContext
from collecthub_erp_exact.client import NO_DIVISION, ExactClient
from collecthub_erp_exact.mapping import Account, Deletion, Division, ListedItem, PaymentTerm, Receivable
from collecthub_erp_exact.masterdata import ACCOUNTS, DOCUMENTS
from collecthub_erp_exact.odata import columns
from collecthub_erp_exact.pull import DELETED, DIVISIONS, OPEN_LIST, RECEIVABLES, TERMS
from collecthub_erp_exact.settings import ExactSettings
from collecthub_erp_exact.writeback import NOTES, TASKS

_NOBODY = "guid'00000000-0000-0000-0000-000000000000'"


class _Me(msgspec.Struct, frozen=True):
    current_division: int = field(name="CurrentDivision")


class _AccessibleDivision(msgspec.Struct, frozen=True):
    code: int = field(name="Code")


class ConnectionCheck:
    """The steps build on each other, so the first failure ends them; scopes are all tried."""

    def __init__(self, ctx: ConnectorContext, client: ExactClient) -> None:
        self._settings: ExactSettings = ctx.settings
        self._client = client
        self._current = 0

    def steps(self) -> Iterator[CheckStep]:
        """Reach the host, use the token, ask who we are, see the divisions, touch everything that is needed."""
        ladder = (
            ("host", self._host),
            ("token", self._token),
            ("user", self._me),
            ("divisions", self._divisions),
        )
        for name, act in ladder:
            step = _step(name, act)
            yield step
            if not step.is_ok:
                return
        for division in self._settings.divisions:
            for endpoint, query in self._probes():
                yield _step(f"{division} {endpoint}", partial(self._probe, division, endpoint, query))

    def _host(self) -> str:
        return f"answers with HTTP {self._client.is_reachable().status}"

    def _token(self) -> str:
        self._client.tokens.access_token()
        return "valid"

    def _me(self) -> str:
        query = {"$select": columns(_Me)}
        me = next(self._client.records(NO_DIVISION, "current/Me", _Me, query), None)
        if me is None:
            raise ConfigurationError(
                "Exact Online does not say who this is.", cure="Reconnect with a user of the company."
            )
        self._current = me.current_division
        return f"current division {me.current_division}"

    def _divisions(self) -> str:
        query = {"$select": columns(_AccessibleDivision)}
        rows = self._client.records(self._current, "hrm/Divisions", _AccessibleDivision, query)
        accessible = {row.code for row in rows}
        missing = sorted(set(self._settings.divisions) - accessible)
        if missing:
            raise ConfigurationError(
                f"The user may not see division {', '.join(map(str, missing))}.",
                cure=f"Correct the divisions; accessible are {', '.join(map(str, sorted(accessible)))}.",
            )
        return f"{len(self._settings.divisions)} of {len(accessible)} accessible divisions are pulled"

    def _probes(self) -> Iterator[tuple[str, dict[str, str]]]:
        """One cheap question to everything that the connection will use, each under its own scope."""
        newest = f"Timestamp gt {2**62}L"
        yield DIVISIONS, {"$select": columns(Division)}
        yield TERMS, {"$filter": newest, "$select": columns(PaymentTerm)}
        yield DELETED, {"$filter": newest, "$select": columns(Deletion)}
        yield OPEN_LIST, {"$select": columns(ListedItem), "$top": "1"}
        yield RECEIVABLES, {"$filter": f"ID eq {_NOBODY}", "$select": columns(Receivable)}
        yield ACCOUNTS, {"$filter": f"ID eq {_NOBODY}", "$select": columns(Account)}
        yield DOCUMENTS, {"$filter": f"ID eq {_NOBODY}", "$select": "ID"}
        if self._settings.write_note:
            yield NOTES, {"$filter": f"ID eq {_NOBODY}", "$select": "ID"}
        if self._settings.write_task:
            yield TASKS, {"$filter": f"ID eq {_NOBODY}", "$select": "ID"}

    def _probe(self, division: int, endpoint: str, query: dict[str, str]) -> str:
        self._client.probe(division, endpoint, query)
        return "readable"


def _step(name: str, act: Callable[[], str]) -> CheckStep:
    try:
        return CheckStep(name=name, is_ok=True, detail=act())
    except CollecthubError as error:
        return CheckStep(name=name, is_ok=False, detail=error.message, cure=error.cure)
