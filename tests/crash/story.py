"""The main job in stages. The outside acts once a stage; the hub does the rest, and may be killed while it does."""

from __future__ import annotations

import random
import socket
import time
from collections.abc import Callable
from pathlib import Path

import sqlalchemy as sa

from collecthub.cli.demo.town import ERPS, OFFICES, OPERATOR
from collecthub.config import load_settings
from collecthub.hub import open_hub
from collecthub.store import tables as t
from collecthub.store.case_log import read_cases
from crash.hub_process import start
from crash.town import MortalTown, cut_plan, settle_in_erp

PATIENCE_SECONDS = 300.0  # a busy machine is no defect of the hub
WORK_DAYS = 4
LIFE_SECONDS = (0.05, 1.5)  # from the begin of the work to the kill
TWINS = (*ERPS, *OFFICES, "creditor")

STAGES: tuple[tuple[str, str, float], ...] = (
    ("pull in shadow", "run", 0.3),
    ("hand over", "release", 0.25),
    ("partners work", "run", 0.15),
    ("paid directly", "run", 0.15),
    ("partners work on", "run", 0.15),
)
"""Name, what a person asks the hub for, and the share of the kills that falls into it."""


class Story:
    """One run of the job. `kills` processes die on the way, twins as well if `with_twins`."""

    def __init__(
        self, home: Path, database_url: str, town: MortalTown, *, kills: int = 0, with_twins: bool = False, seed: int = 0
    ) -> None:
        self.home, self.town, self.killed = home, town, 0
        self._kills, self._with_twins = kills, with_twins
        self._dice = random.Random(seed)
        self._port = _free_port()
        self.seconds: dict[str, float] = {}
        lines = [
            f"business_date = {cut_plan().as_of.isoformat()}", "allow_loopback = true", f'operator_name = "{OPERATOR}"',
            f'database_url = "{database_url}"',
        ]  # fmt: skip
        (home / "collecthub.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")

    def run(self) -> None:
        """Every stage to its end."""
        outside: dict[str, Callable[[], None]] = {
            "partners work": lambda: self.town.work(up_to=WORK_DAYS),
            "paid directly": self._pay_directly,
            "partners work on": lambda: self.town.work(up_to=2 * WORK_DAYS),
        }
        owed = 0.0
        for name, act, share in STAGES:
            self.town.await_ready()
            outside.get(name, lambda: None)()
            owed += share * self._kills
            began = time.monotonic()
            while self.killed < round(owed) and self._live_and_die(act):
                pass
            self._live(act)
            self.seconds[name] = time.monotonic() - began

    def _live(self, act: str) -> None:
        """One life of the hub to its end, with everybody there."""
        self.town.await_ready()
        process, _ = start(self.home, self._port, act, PATIENCE_SECONDS)
        process.join(PATIENCE_SECONDS + 20)
        if process.exitcode is None:
            process.kill()
        assert process.exitcode == 0, f"the hub did not come to rest: {process.exitcode}, see {self.home}/hub.log"

    def _live_and_die(self, act: str) -> bool:
        """One life that ends early. False when the hub was done before its hour came.

        A twin may die first; then the hub works on beside the dead one for a while before it is killed as well.
        """
        process, begun = start(self.home, self._port, act, PATIENCE_SECONDS)
        assert begun.wait(PATIENCE_SECONDS), f"the hub did not start, see {self.home}/hub.log"
        twin = self._dice.choice(TWINS) if self._with_twins else ""
        twin_dies_first = twin and self._dice.random() < 0.5
        process.join(self._dice.uniform(*LIFE_SECONDS))
        if process.exitcode is not None:
            return False
        if twin_dies_first:
            self._bring_down(twin)
            process.join(self._dice.uniform(*LIFE_SECONDS))
        process.kill()
        process.join()
        if twin and not twin_dies_first:
            self._bring_down(twin)
        self.killed += 1
        return True

    def _bring_down(self, twin: str) -> None:
        self.town.kill(twin)
        self.town.revive(twin)

    def _pay_directly(self) -> None:
        """Some debtors pay the creditor, some get a credit note."""
        hub = open_hub(load_settings({}, home=self.home))
        try:
            with hub.database.read() as conn:
                held = read_cases(conn, t.cases.c.status.in_(["accepted", "active"]) & (t.cases.c.recovered_minor == 0))
        finally:
            hub.close()
        for case in sorted(held, key=lambda case: case.number):
            draw = int(case.case_id, 16) % 12  # by the case alone: one that is missing does not shift the others
            how = "pay" if draw < 2 else "credit" if draw == 2 else ""
            creditor = next(one for one in cut_plan().creditors if case.connection_id == f"{one.creditor_id}-{one.erp}")
            if how:
                settle_in_erp(self.town, creditor, {claim.claim_id for claim in case.claims}, how)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def booked_once(home: Path) -> None:
    """No payment that a partner reported stands twice in a ledger."""
    hub = open_hub(load_settings({}, home=home))
    try:
        with hub.database.read() as conn:
            line = t.ledger_lines.c
            twice = conn.execute(
                sa.select(line.case_id, line.reference)
                .where(line.kind == "payment", line.reference != "", line.amount_minor != 0)
                .group_by(line.case_id, line.reference, line.claim_id, line.amount_minor)
                .having(sa.func.count() > 1)
            ).all()
    finally:
        hub.close()
    assert twice == []
