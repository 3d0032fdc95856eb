"""`collecthub case balance`: what is owed on a day, line by line, and by which rule."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from collecthub.cli.case_ref import CaseRef, case_id_of
from collecthub.cli.dates import day
from collecthub.cli.hub_access import client
from collecthub.cli.output import Json, plain, print_json, print_table, say

if TYPE_CHECKING:
    from collecthub.engine.balance import BalanceAt, BookAmount


At = Annotated[
    dt.date | None,
    typer.Option("--at", parser=day, metavar="DATE", help="Last day that counts; the business date when left out."),
]


def show_balance(
    case: CaseRef,
    at: At = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Every line, what grew by which rule, what each payment settled.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Show what is owed in a case at the end of a day, in its parts."""
    from collecthub.engine.balance import balance_at
    from collecthub.store.queries.scope import LOCAL_OPERATOR

    with client() as hub, hub.database.read() as conn:
        found = balance_at(hub, conn, LOCAL_OPERATOR, case_id_of(conn, case), at or hub.now().date())
    if as_json:
        print_json(as_record(found, is_explained=explain))
        return
    _show_sum(found)
    if explain:
        _show_lines(found)
        _show_growth(found)
        _show_allocations(found)
        _show_sides("What the creditor's ERP should say", found.erp)
        _show_sides("What the holder was told and said", found.holder)
        for note in found.reckoning.notes:
            say(f"Note: {plain(note)}")


def as_record(found: BalanceAt, *, is_explained: bool) -> dict[str, Any]:
    """The balance as programs read it; explained, with everything that it rests on."""
    reckoning = found.reckoning
    record: dict[str, Any] = {
        "case_id": found.case_id, "number": found.number, "at": found.at, "currency": found.currency,
        "total": found.total, "balance": found.booked, "accrued_total": found.accrued_total, "accrued": found.accrued,
        "later": found.later, "interest_per_day": reckoning.per_day, "charging": reckoning.charging, "law": reckoning.governing,
        "allocation_rule": reckoning.account.rule, "notes": reckoning.notes,
    }  # fmt: skip
    if not is_explained:
        return record
    lines = [
        msgspec.structs.asdict(one.line) | {"debit": one.debit, "credit": one.credit, "owed_after": one.owed_after}
        for one in found.lines
    ]
    account = reckoning.account
    return record | {
        "lines": lines, "claims": account.claims, "allocations": account.allocations, "surplus": account.surplus,
        "erp": found.erp, "holder": found.holder,
    }  # fmt: skip


def _show_sum(found: BalanceAt) -> None:
    booked, account = found.booked, found.reckoning.account
    say(f"Case {found.number} at the end of {found.at}, in {found.currency}")
    steps = (
        ("principal", booked.principal), ("interest", booked.interest), ("compensation", booked.compensation),
        ("dunning fees", booked.dunning_fees), ("costs", booked.costs), ("payments", -booked.payments),
        ("credits", -booked.credits), ("written off", -booked.write_offs), ("grown since, not booked yet", found.accrued_total),
    )  # fmt: skip
    rows = [[what, f"{amount:,}"] for what, amount in steps if amount or what == "principal"]
    print_table(["", "amount"], [*rows, ["owed", f"{found.total:,}"]])
    parts = (
        ("principal", account.sum_of("open_principal")), ("interest", account.sum_of("open_interest")),
        ("compensation", account.sum_of("open_compensation")), ("costs", account.open_costs), ("paid too much", -account.surplus),
    )  # fmt: skip
    if found.later:
        say(f"Lines of later days change this by {found.later:,} to {found.total + found.later:,}; `--at` names another day.")
    left = ", ".join(f"{what} {amount:,}" for what, amount in parts if amount)
    say(f"Of this is open by law: {left or 'nothing'}.")
    law = found.reckoning.governing
    say(f"Law: {law.country or 'unknown'}; {law.reason} ({law.evidence.value}).")
    rule = account.rule
    say(f"Payments settle {', '.join(part.value for part in rule.order)} in this order: {_ruled(rule.id, rule.article, rule.evidence)}.")
    say(f"Interest grows by about {found.reckoning.per_day} {found.currency} a day.")


def _ruled(rule: str, article: str, evidence: str) -> str:
    return f"{rule} ({', '.join(filter(None, (article, evidence)))})"


def _show_lines(found: BalanceAt) -> None:
    say("Lines of the ledger")
    print_table(
        ["booked on", "kind", "amount", "owed after it", "debit", "credit", "basis", "reference", "origin"],
        [
            [x.line.booked_on, x.line.kind, x.line.amount, x.owed_after, x.debit, x.credit, x.line.basis, x.line.reference, x.line.origin]
            for x in found.lines
        ],
    )


def _show_growth(found: BalanceAt) -> None:
    rows = []
    for claim in found.reckoning.account.claims:
        for part in claim.late.segments if claim.late else ():
            rows.append(
                [claim.number, f"{part.from_on} to {part.to_on}", part.days, part.principal, f"{part.rate_percent} %",
                 part.interest, part.rule, part.evidence, part.source]
            )  # fmt: skip
        rows.append([claim.number, "interest, rounded once", "", "", "", claim.interest, claim.problem, "", ""])
        if claim.compensation:
            rules = "; ".join(rule.id for rule in claim.late.rules) if claim.late else ""
            rows.append([claim.number, "compensation", "", "", "", claim.compensation, rules, "", ""])
    say("What has grown by law")
    print_table(["invoice", "days", "number", "on", "rate", "amount", "rule", "evidence", "source"], rows)


def _show_allocations(found: BalanceAt) -> None:
    numbers = {claim.claim_id: claim.number for claim in found.reckoning.account.claims}
    rows = [
        [one.movement.on, one.movement.basis, one.movement.reference, one.movement.amount, part.part,
         numbers.get(part.claim_id, ""), part.amount]
        for one in found.reckoning.account.allocations
        for part in one.portions
    ]  # fmt: skip
    if rows:
        say("What each payment and credit settled")
        print_table(["on", "what", "reference", "amount", "settled", "invoice", "with"], rows)


def _show_sides(title: str, sides: tuple[BookAmount, ...]) -> None:
    if sides:
        say(title)
        print_table(["", "amount"], [[side.what, f"{side.amount:,}"] for side in sides])
