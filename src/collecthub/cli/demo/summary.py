"""What the demo did, in figures: for people as a table, for programs as one JSON object."""

from __future__ import annotations

import resource
import shlex
import shutil
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from rich.console import Console
from rich.table import Table

from collecthub.cli.demo.portfolio import Plan
from collecthub.cli.demo.town import Town
from collecthub.corridor.open_case import net
from collecthub.engine.book_comparison import keep_comparison
from collecthub.engine.context import Hub
from collecthub.engine.opening import stored_invoices
from collecthub.engine.reconcile import reconcile
from collecthub.errors import RetryableError
from collecthub.model.case import Case
from collecthub.model.codes import Status
from collecthub.model.invoice import ItemState
from collecthub.store import tables as t
from collecthub.store.case_log import read_cases
from collecthub.store.connections import ConnectionRow, read_connections

ZERO = Decimal(0)


def first_figures(hub: Hub, plan: Plan) -> dict[str, Any]:
    """What the first pull brought, before anything happened: kept, because later payments change the books."""
    pulled: dict[str, Decimal] = defaultdict(Decimal)
    overdue: dict[str, Decimal] = defaultdict(Decimal)
    in_cases: dict[str, Decimal] = defaultdict(Decimal)
    held: dict[str, Decimal] = defaultdict(Decimal)
    reasons: Counter[str] = Counter()
    invoices = 0
    with hub.database.read() as conn:
        for row in _erps(conn):
            cases = {
                (case.debtor_ref, case.currency): case
                for case in read_cases(conn, t.cases.c.connection_id == row.connection_id)
            }
            for (debtor_ref, currency), rows in stored_invoices(conn, row.connection_id):
                invoices += sum(1 for item in rows if item.state is ItemState.OPEN)
                pulled[currency] += sum((item.open_amount for item in rows), ZERO)
                due = sum((amount for item, amount in net(rows).claims if item.due_on < plan.as_of), ZERO)
                overdue[currency] += due
                case = cases.get((debtor_ref, currency))
                if case is not None:
                    in_cases[currency] += case.balance.principal
                elif due:
                    held[currency] += due
                    reasons["credits on the account are larger than what is overdue"] += 1
    return {
        "invoices_pulled": invoices,
        "pulled": _texts(pulled),
        "overdue": _texts(overdue),
        "in_cases": _texts(in_cases),
        "held": _texts(held),
        "held_reasons": dict(reasons),
    }


def _erps(conn: sa.Connection) -> list[ConnectionRow]:
    return read_connections(conn, t.connections.c.role == "erp", t.connections.c.kind != "intake")


def _texts(amounts: dict[str, Decimal]) -> dict[str, str]:
    return {currency: str(amount) for currency, amount in sorted(amounts.items()) if amount}


def figures(hub: Hub, town: Town, first: dict[str, Any], seconds: float) -> dict[str, Any]:
    """Everything a script may rely on (docs/contracts), and some more for the table."""
    with hub.database.read() as conn:
        cases = read_cases(conn, sa.true())
        counts = _counts(conn)
    result = reconcile(hub)
    if result.unheard:
        raise RetryableError(f"{result.unheard[0].between} could not be compared: {result.unheard[0].problem}", cure=result.unheard[0].cure)
    keep_comparison(hub, result, "user:local")
    main = max(first["overdue"], key=lambda currency: Decimal(first["overdue"][currency]), default="EUR")
    unroutable = [case for case in cases if case.status is Status.NEEDS_INFO]
    return {
        "currency": main,
        "invoices_pulled": first["invoices_pulled"],
        "open_amount_pulled": first["pulled"].get(main, "0.00"),
        "overdue_amount": first["overdue"].get(main, "0.00"),
        "cases_principal": first["in_cases"].get(main, "0.00"),
        "held_amount": first["held"].get(main, "0.00"),
        "amounts_by_currency": {name: first[name] for name in ("pulled", "overdue", "in_cases", "held")},
        "held_reasons": first["held_reasons"],
        "cases_opened": len(cases),
        "cases_by_route": dict(sorted(Counter(_route(case) for case in cases).items())),
        "cases_by_country": dict(sorted(Counter(case.debtor.country or "unknown" for case in cases).items())),
        "unroutable": {case.number: _last_reason(hub, case) for case in unroutable},
        **counts,
        "recovered": _texts(_recovered(cases)),
        "acts_after_recall": _acts_after_recall(town),
        "reconciled": {"debtors": result.debtors_compared, "cases": result.cases_compared},
        "differences": [
            {
                "between": d.between, "subject": d.subject, "what": d.what, "currency": d.currency,
                "theirs": str(d.theirs), "ours": str(d.ours),
            }
            for d in result.differences[:50]
        ],
        "ledger_difference": str(result.total.quantize(Decimal("0.01"))),
        "seconds": round(seconds, 1),
        "peak_rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
    }


def _route(case: Case) -> str:
    placements = [*case.past_placements, *([case.placement] if case.placement else [])]
    return placements[0].route if placements else "none"


def _last_reason(hub: Hub, case: Case) -> str:
    with hub.database.read() as conn:
        detail = conn.scalar(sa.select(t.tasks.c.detail).where(t.tasks.c.case_id == case.case_id))
    return str(detail or case.status.value)


def _counts(conn: sa.Connection) -> dict[str, int]:
    def events(kind: str, *conditions: sa.ColumnElement[bool]) -> int:
        query = sa.select(sa.func.count()).select_from(t.events).where(t.events.c.kind == kind, *conditions)
        return int(conn.scalar(query) or 0)

    def rows(table: sa.Table, *conditions: sa.ColumnElement[bool]) -> int:
        return int(conn.scalar(sa.select(sa.func.count()).select_from(table).where(*conditions)) or 0)

    recall = t.events.c.doc.like('%"code":"recall"%')
    return {
        "dispatched": events("case_sent"),
        "acknowledged": rows(t.cases, t.cases.c.case_id.in_(_heard())),
        "accepted": events("case_accepted"),
        "refused": events("case_refused"),
        "status_reports_recorded": events("status_reported"),
        "costs_recorded": events("cost_reported"),
        "payments_recorded": events("payment_reported"),
        "direct_payments_seen": events("direct_payment_seen"),
        "credits_seen": events("credit_seen"),
        "recalls_sent": events("amendment_sent", recall),
        "recalls_acknowledged": events("amendment_acknowledged", recall),
        "written_back": events("creditor_told"),
        "creditor_told": rows(t.reports, t.reports.c.state == "done"),
        "quarantined": rows(t.quarantine),
        "open_tasks": rows(t.tasks, t.tasks.c.state == "open"),
        "documents": rows(t.documents),
    }


def _heard() -> sa.Select[tuple[str]]:
    kinds = ("case_acknowledged", "case_accepted", "case_refused")
    return sa.select(t.events.c.case_id).where(t.events.c.kind.in_(kinds))


def _recovered(cases: list[Case]) -> dict[str, Decimal]:
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for case in cases:
        sums[case.currency] += case.balance.payments
    return sums


def _acts_after_recall(town: Town) -> int:
    reports = [town["bailiff"].control("books"), town["lawyer"].control("books"), *town["agency"].control("books").values()]
    return sum(report["acts_after_recall"] for report in reports)


def show(result: dict[str, Any], plan: Plan, home: str) -> None:
    """The figures as a table a person enjoys reading, on standard output."""
    console = Console(file=sys.stdout)
    console.print()
    table = Table(title="From the ERP to the partner and back", title_justify="left", show_header=False, pad_edge=False)
    table.add_column(style="bold")
    table.add_column(justify="right")
    currency = result["currency"]
    for label, value in _table_rows(result, currency):
        table.add_row(label, value)
    console.print(table)
    countries = Table(title="Cases by country", title_justify="left", show_header=False, pad_edge=False)
    ranked = sorted(result["cases_by_country"].items(), key=lambda item: (-item[1], item[0]))
    for start in range(0, len(ranked), 8):
        countries.add_row(*[f"{country} {count}" for country, count in ranked[start : start + 8]])
    console.print(countries)
    if abroad := result.get("cross_border"):
        console.print(f"A case abroad, {abroad['number']} ({abroad['country']}), from feasibility to remittance:")
        for step in abroad["steps"]:
            console.print(f"  · {step['what']}", markup=False)
    if debtor := result.get("debtor"):
        console.print(f"A debtor, {debtor['number']}, from the first reminder to the last instalment:")
        for step in debtor["steps"]:
            console.print(f"  · {step['on']} {step['what']}", markup=False)
    for note in (*plan.notes, *(f"not read: {error}" for error in plan.row_errors[:10])):
        console.print(f"[dim]note: {note}[/dim]")
    for difference in result["differences"][:10]:
        console.print(f"[red]difference: {difference}[/red]", markup=True)
    console.print()
    console.print("Look around (the state stays where it is):")
    for line in (*_look_around(home), *_filings(result)):
        console.print(f"  {line}", soft_wrap=True, highlight=False)


def _look_around(home: str) -> tuple[str, ...]:
    command = _as_invoked()
    return (
        f"export COLLECTHUB_HOME={shlex.quote(home)}",
        f"{command} serve         # the portal, with the logins above",
        f"{command} case list",
        f"{command} verify",
    )


def _filings(result: dict[str, Any]) -> Iterator[str]:
    """A case of each country whose court's format is at hand, written as that court takes it."""
    for one in result.get("ready_to_file", ()):
        command = f"{_as_invoked()} case export {one['number']} --format {one['format']} --output {one['format']}.xml"
        yield f"{command}  # {one['country']}: {one['debtor']}"


def _as_invoked() -> str:
    """The command as this person's shell finds it: by its bare name, or by its path from here."""
    called = Path(sys.argv[0])
    here = (called if called.name == "collecthub" else Path(sys.executable).with_name("collecthub")).absolute()
    found = shutil.which("collecthub")
    if found and Path(found).absolute() == here:
        return "collecthub"
    return shlex.quote(str(here.relative_to(Path.cwd())) if here.is_relative_to(Path.cwd()) else str(here))


def _table_rows(result: dict[str, Any], currency: str) -> list[tuple[str, str]]:
    def money(text: str) -> str:
        return f"{Decimal(text):,} {currency}"

    routes = "  ".join(f"{name} {count}" for name, count in result["cases_by_route"].items())
    recovered = "  ".join(f"{Decimal(text):,} {code}" for code, text in result["recovered"].items()) or "nothing"
    return [
        ("open items pulled", f"{result['invoices_pulled']:,} for {money(result['open_amount_pulled'])}"),
        ("overdue", money(result["overdue_amount"])),
        ("cases opened", f"{result['cases_opened']:,} for {money(result['cases_principal'])}"),
        ("by route", routes),
        ("handed over / acknowledged", f"{result['dispatched']:,} / {result['acknowledged']:,}"),
        ("accepted / refused", f"{result['accepted']:,} / {result['refused']:,}"),
        ("status reports", f"{result['status_reports_recorded']:,}"),
        ("costs / payments recorded", f"{result['costs_recorded']:,} / {result['payments_recorded']:,}"),
        ("recovered", recovered),
        ("paid or credited in the ERP", f"{result['direct_payments_seen'] + result['credits_seen']:,}"),
        ("recalls sent / confirmed", f"{result['recalls_sent']:,} / {result['recalls_acknowledged']:,}"),
        ("acts after a recall", f"{result['acts_after_recall']:,}"),
        ("written back to the ERPs", f"{result['written_back']:,}"),
        ("told to the creditors", f"{result['creditor_told']:,}"),
        ("quarantined", f"{result['quarantined']:,}"),
        ("waiting for a person", f"{result['open_tasks']:,} tasks"),
        ("ledger difference", f"{result['ledger_difference']} (ERP, hub and partners)"),
        ("seconds / peak memory", f"{result['seconds']} s / {result['peak_rss_mb']} MB"),
    ]
