"""Where everything stands at the end, read from every side: the hub's tables, the partners' books, the ERPs, the hooks.

Two runs of the same portfolio must agree on all of it, however often one of them was killed. Identifiers that a twin
draws anew in every run (message ids, payment references, holder references) are left out; counts and money are not.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from collecthub.config import load_settings
from collecthub.engine.context import Hub
from collecthub.engine.reconcile import reconcile
from collecthub.engine.verify import verify
from collecthub.hub import open_hub
from collecthub.store import tables as t
from crash.town import MortalTown

ONCE_EACH = ("case_opened", "case_sent", "case_accepted", "case_refused", "payment_reported", "cost_reported",
             "case_returned", "case_closed", "direct_payment_seen", "credit_seen")  # fmt: skip
"""Events that stand for one act of the outside or one act on it."""

Totals = dict[str, Any]


def totals(home: Path, town: MortalTown) -> Totals:
    """Everything that must be the same after any number of crashes."""
    hub = open_hub(load_settings({}, home=home))
    try:
        with hub.database.read() as conn:
            found = {
                "cases": _cases(conn), "ledger": _ledger(conn), "events": _events(conn), "documents": _documents(conn),
                "quarantine": _quarantine(conn),
            }  # fmt: skip
    finally:
        hub.close()
    return found | {"partners": _partners(town), "erps": _erps(town), "hooks": _hooks(town)}


def _cases(conn: sa.Connection) -> dict[str, tuple[Any, ...]]:
    c = t.cases.c
    rows = conn.execute(
        sa.select(c.number, c.status, c.phase, c.outcome, c.holds, c.route, c.partner_id, c.currency,
                  c.principal_minor, c.total_minor, c.recovered_minor)
    )  # fmt: skip
    return {row.number: tuple(row)[1:] for row in rows}


def _ledger(conn: sa.Connection) -> Counter[tuple[Any, ...]]:
    line = t.ledger_lines.c
    columns = (t.cases.c.number, line.kind, line.bearer, line.amount_minor, line.currency, line.booked_on, line.claim_id)
    rows = conn.execute(sa.select(*columns).join(t.cases, t.cases.c.case_id == line.case_id))
    return Counter(tuple(row) for row in rows)


def _events(conn: sa.Connection) -> Counter[tuple[str, str]]:
    query = (
        sa.select(t.cases.c.number, t.events.c.kind)
        .join(t.cases, t.cases.c.case_id == t.events.c.case_id)
        .where(t.events.c.kind.in_(ONCE_EACH))
    )
    return Counter(tuple(row) for row in conn.execute(query))


def _documents(conn: sa.Connection) -> Counter[tuple[str, str]]:
    query = sa.select(t.cases.c.number, t.documents.c.name).join(t.cases, t.cases.c.case_id == t.documents.c.case_id)
    return Counter(tuple(row) for row in conn.execute(query))


def _quarantine(conn: sa.Connection) -> Counter[tuple[str, str]]:
    rows = conn.execute(sa.select(t.quarantine.c.connection_id, t.quarantine.c.code))
    return Counter(tuple(row) for row in rows)


def offices(town: MortalTown) -> dict[str, dict[str, Any]]:
    """Every partner's own books, by name."""
    agencies: dict[str, dict[str, Any]] = town["agency"].control("books")
    return {name: town[name].control("books") for name in ("bailiff", "lawyer")} | agencies


def _partners(town: MortalTown) -> dict[str, Any]:
    return {
        name: {
            "cases": {
                case["case_number"]: (case["state"], case["principal"], case["paid"], case["costs"], case["is_suspended"])
                for case in book["cases"]
            },
            "payments": Counter((one["case_id"], one["amount"], one["received_on"]) for one in book["payments"]),
            "undelivered": book["undelivered"], "acts_after_recall": book["acts_after_recall"],
            "mischief": {one["kind"] for one in book["mischief"]},
        }
        for name, book in offices(town).items()
    }  # fmt: skip


def _erps(town: MortalTown) -> dict[str, Any]:
    exact = town["exact"].control("books")
    activities = town["exact"].control("activities")
    return {
        "exact": {item["number"]: item["open_amount"] for item in exact["items"]},
        "written": {
            name: Counter((row["Account"], _title(row).partition(" [")[0]) for row in rows)
            for name, rows in activities.items()
        },
        "sap": town["sap"].control("books"),
        "b1": town["b1"].control("books"),
    }


def _title(row: dict[str, Any]) -> str:
    """What was written; in brackets stands the id of the report, which follows the number of the event."""
    return str(row.get("Subject") or row.get("Description"))


def _hooks(town: MortalTown) -> Counter[tuple[str, str]]:
    """Deliveries by case and kind of event; a copy of one webhook id is no second delivery."""
    bodies = [one["body"] for one in town["creditor"].control("books")["deliveries"]]
    told = [(body["data"]["number"], body["type"].removeprefix("case.")) for body in bodies]
    return Counter((number, kind) for number, kind in told if kind in ONCE_EACH)


def check_sides(home: Path, town: MortalTown) -> None:
    """What must hold in any run by itself: the sides agree, the history is whole, nobody acted on a recalled case."""
    hub = open_hub(load_settings({}, home=home))
    try:
        compared = reconcile(hub)
        assert compared.differences == (), compared.differences[:5]
        assert compared.unheard == ()
        checked, findings = verify(hub)
        assert checked > 0
        assert findings == ()
        _check_envelopes(hub)
    finally:
        hub.close()
    for name, book in offices(town).items():
        assert book["acts_after_recall"] == 0, name
        assert book["undelivered"] == 0, name
    written = Counter(
        (kind, row["Account"], _title(row))
        for kind, rows in town["exact"].control("activities").items()
        for row in rows
    )
    assert [one for one, count in written.items() if count > 1] == []


def _check_envelopes(hub: Hub) -> None:
    with hub.database.read() as conn:
        states = Counter(conn.scalars(sa.select(t.envelopes.c.state)))
        waiting = Counter(conn.scalars(sa.select(t.messages.c.state)))
    assert set(states) <= {"sent", "withdrawn"}, states
    assert set(waiting) <= {"sent", "withdrawn"}, waiting
