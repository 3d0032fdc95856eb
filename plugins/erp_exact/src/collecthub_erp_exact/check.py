"""Says step by step whether a connection works, and what to do about the first thing that does not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from collecthub.sdk import CheckStep, CollecthubError, ConfigurationError, ConnectorContext
from collecthub_erp_exact.allocation import RECEIVABLES
from collecthub_erp_exact.client import ExactClient
from collecthub_erp_exact.comparison import OPEN_LIST
from collecthub_erp_exact.debtors import ACCOUNTS, NOTES
from collecthub_erp_exact.divisions import accessible_divisions, current_division
from collecthub_erp_exact.invoices import DOCUMENTS, ENTRY_LINES
from collecthub_erp_exact.odata import columns
from collecthub_erp_exact.pull import CHANGED_ACCOUNTS, CHANGED_CONTACTS, DELETED, DIVISIONS, TERMS
from collecthub_erp_exact.records import (
    Account,
    ChangedAccount,
    ChangedContact,
    Deletion,
    DivisionState,
    ListedItem,
    PaymentTerm,
    Receivable,
)
from collecthub_erp_exact.references import RECEIVABLE
from collecthub_erp_exact.settings import ExactSettings
from collecthub_erp_exact.writeback import TASKS

_NOBODY = "guid'00000000-0000-0000-0000-000000000000'"


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
        self._current = current_division(self._client)
        return f"current division {self._current}"

    def _divisions(self) -> str:
        found = accessible_divisions(self._client, self._current)
        listed = ", ".join(f"{one.division_ref} {one.name}".strip() for one in found)
        if not self._settings.divisions:
            raise ConfigurationError("No division is chosen yet.", cure=f"Choose among {listed}.")
        missing = sorted(set(map(str, self._settings.divisions)) - {one.division_ref for one in found})
        if missing:
            raise ConfigurationError(
                f"The user may not see division {', '.join(missing)}.",
                cure=f"Correct the divisions; accessible are {listed}.",
            )
        return f"{len(self._settings.divisions)} of {len(found)} accessible divisions are pulled"

    def _probes(self) -> Iterator[tuple[str, dict[str, str]]]:
        """One cheap question to everything that the connection will use, each under its own scope."""
        newest = f"Timestamp gt {2**62}L"
        yield DIVISIONS, {"$select": columns(DivisionState)}
        yield TERMS, {"$filter": newest, "$select": columns(PaymentTerm)}
        yield DELETED, {"$filter": newest, "$select": columns(Deletion)}
        yield CHANGED_ACCOUNTS, {"$filter": newest, "$select": columns(ChangedAccount)}
        yield CHANGED_CONTACTS, {"$filter": newest, "$select": columns(ChangedContact)}
        yield OPEN_LIST, {"$select": columns(ListedItem), "$top": "1"}
        yield RECEIVABLES, {"$filter": f"ID eq {_NOBODY}", "$select": columns(Receivable)}
        yield ACCOUNTS, {"$filter": f"ID eq {_NOBODY}", "$select": columns(Account)}
        yield DOCUMENTS, {"$filter": f"ID eq {_NOBODY}", "$select": "ID"}
        yield ENTRY_LINES, {"$filter": f"ID eq {_NOBODY}", "$select": "ID"}
        if self._settings.write_note or self._settings.read_notes:
            yield NOTES, {"$filter": f"ID eq {_NOBODY}", "$select": "ID"}
        if self._settings.write_task:
            yield TASKS, {"$filter": f"ID eq {_NOBODY}", "$select": "ID"}
        if self._settings.write_reference:
            yield RECEIVABLE, {"$filter": f"ID eq {_NOBODY}", "$select": "ID"}

    def _probe(self, division: int, endpoint: str, query: dict[str, str]) -> str:
        self._client.probe(division, endpoint, query)
        return "readable"


def _step(name: str, act: Callable[[], str]) -> CheckStep:
    try:
        return CheckStep(name=name, is_ok=True, detail=act())
    except CollecthubError as error:
        return CheckStep(name=name, is_ok=False, detail=error.message, cure=error.cure)
