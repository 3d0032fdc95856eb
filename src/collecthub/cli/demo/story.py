"""The demo's story, stage by stage. Each stage can be begun again after a crash and ends the same."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

from collecthub.cli.demo.network import complete_network, sign_papers
from collecthub.cli.demo.people import agree_with_partners, connect_creditor, is_connected
from collecthub.cli.demo.portfolio import CreditorPlan, Plan
from collecthub.cli.demo.town import ERPS, OFFICES, Town
from collecthub.engine.context import Hub
from collecthub.engine.durable import Engine
from collecthub.engine.idle import Leftover, wake_outsides, work_until_idle
from collecthub.engine.release import release_connection
from collecthub.errors import RetryableError
from collecthub.model.case import Case
from collecthub.model.codes import Status
from collecthub.store import tables as t
from collecthub.store.case_log import read_cases
from collecthub.store.connections import Exclusions, read_connections
from collecthub.store.facts import read_fact, write_fact
from collecthub.store.queries.scope import LOCAL_OPERATOR

Tell = Callable[[str, Leftover | None], None]
PATIENCE_SECONDS = 600.0
FIRST_PULL = 2  # position of the first pull among the stages
WORK_DAYS = 4  # the offices' days before the creditors are paid directly, and again after
DRAWS, PAID_DRAWS = 24, 2  # of so many draws, so many cases that are out are paid in the ERP, and one is credited


class Story:
    """One run of the demo on a hub and its town."""

    def __init__(self, hub: Hub, engine: Engine, town: Town, plan: Plan, hub_url: str, tell: Tell) -> None:
        self._hub = hub
        self._engine = engine
        self._town = town
        self._plan = plan
        self._hub_url = hub_url
        self._tell = tell

    def run(self, after_first_pull: Callable[[], None]) -> None:
        """Go on where the last run stopped and come to the end."""
        stages: tuple[tuple[str, Callable[[], None]], ...] = (
            ("load the ERPs' books", self._load),
            ("connect creditors and partners", self._connect),
            ("pull open items, in shadow", self._pull),
            ("release the first wave and hand over", self._release),
            ("partners work", lambda: self._partners_work(WORK_DAYS)),
            ("invoices are paid and credited in the ERPs", self._pay_directly),
            ("pull again, recall what was paid", self._pull),
            ("partners work on", lambda: self._partners_work(2 * WORK_DAYS)),
            ("pull a last time", self._pull),
        )
        for number, (title, stage) in enumerate(stages):
            if number < self._done():
                continue
            self._tell(title, None)
            stage()
            if number == FIRST_PULL:
                after_first_pull()
            self._remember(number + 1)

    def _done(self) -> int:
        with self._hub.database.read() as conn:
            return int(read_fact(conn, "demo_stage") or 0)

    def _remember(self, number: int) -> None:
        with self._hub.database.write() as conn:
            write_fact(conn, "demo_stage", str(number))

    # --- stages -----------------------------------------------------------------------------------

    def _load(self) -> None:
        for name in (*ERPS, *OFFICES):
            self._town[name].control("clock", {"now": self._noon(self._plan.as_of)})
        for creditor in self._plan.creditors:
            self._town.load(creditor.erp, creditor.customers, creditor.items)

    @staticmethod
    def _noon(day: dt.date) -> str:
        return dt.datetime.combine(day, dt.time(12), dt.UTC).isoformat()

    def _connect(self) -> None:
        if not is_connected(self._hub, self._plan):
            agree_with_partners(self._hub, self._town, self._plan, self._hub_url)
            for creditor in self._plan.creditors:
                connect_creditor(self._hub, self._town, creditor)
        complete_network(self._hub)

    def _pull(self) -> None:
        asked_at = self._hub.now()
        wake_outsides(self._hub, pull=True, listen=False)
        self._settle()
        with self._hub.database.read() as conn:
            ledgers = read_connections(conn, t.connections.c.role == "erp", t.connections.c.kind != "intake")
        late = [row for row in ledgers if row.last_complete_at is None or row.last_complete_at < asked_at]
        if late:
            raise RetryableError(
                f"{late[0].name} was not pulled to its end: {late[0].status_detail or 'its last run is incomplete'}",
                cure="See `collecthub connection list`, then `collecthub demo --resume`.",
            )

    def _release(self) -> None:
        with self._hub.database.read() as conn:
            waiting = read_connections(conn, t.connections.c.role == "erp", t.connections.c.kind != "intake")
        for row in waiting:
            release_connection(
                self._hub, LOCAL_OPERATOR, row.connection_id, Exclusions(reminders_by="creditor")
            )
        self._settle()
        sign_papers(self._hub, self._plan)  # until then what goes abroad waits for its papers
        self._settle()

    def _partners_work(self, up_to: int) -> None:
        self._town.work(up_to)
        wake_outsides(self._hub, pull=False, listen=True)
        self._settle()

    def _pay_directly(self) -> None:
        """Some debtors pay the creditor, some get a credit note; nobody tells the holder but the hub."""
        for creditor in self._plan.creditors:
            still_open = self._open_in_erp(creditor)
            for case in self._out(creditor):
                draw = int(case.case_id, 16) % DRAWS  # by the case alone, so that a resumed run draws the same
                how = "pay" if draw < PAID_DRAWS else "credit" if draw == PAID_DRAWS else ""
                for claim in case.claims if how else ():
                    number = still_open.get(claim.claim_id)
                    if number is not None and claim.open_amount > 0:
                        self._settle_in_erp(creditor, how, number)

    def _open_in_erp(self, creditor: CreditorPlan) -> dict[str, str]:
        """Item reference to the number the twin knows it by, for what is open now: a repeated stage skips the rest."""
        items = self._town[creditor.erp].control("books")["items"]
        if creditor.erp == "exact":
            return {f"{item['division']}:{item['ID']}": item["number"] for item in items}
        return {"/".join(item["key"]): item["number"] for item in items}

    def _settle_in_erp(self, creditor: CreditorPlan, how: str, number: str) -> None:
        order: dict[str, Any] = {"number": number}
        if how == "credit":
            order["credit_number"] = f"CN-{number}"
        self._town[creditor.erp].control(how, order)

    def _out(self, creditor: CreditorPlan) -> list[Case]:
        """Small cases that a partner holds and has not collected anything on."""
        condition = (t.cases.c.creditor_id == creditor.creditor_id) & t.cases.c.status.in_(
            [Status.ACCEPTED.value, Status.ACTIVE.value, Status.RECALLING.value]
        )
        with self._hub.database.read() as conn:
            found = read_cases(conn, condition)
        untouched = [case for case in found if case.balance.payments == case.direct_payments]
        return [case for case in untouched if len(case.claims) <= 3 and not case.loose_credits]

    def _settle(self) -> None:
        left = work_until_idle(
            self._hub, self._engine, seconds=PATIENCE_SECONDS, watch=lambda now: self._tell("", now),
            outside_is_quiet=lambda: self._town.undelivered() == 0,
        )
        if left.total:
            raise RetryableError(
                f"the demo did not come to rest: {left}",
                cure="Look at `collecthub task list` and the twins' logs, then `collecthub demo --resume`.",
            )
