"""`collecthub reconcile` and `collecthub verify`: are all sides, and our own memory, as they should be?"""

from __future__ import annotations

import msgspec
import typer

from collecthub.cli.hub_access import client
from collecthub.cli.output import Json, note, print_json, print_listed, say


def reconcile(as_json: Json = False) -> None:
    """Compare every ERP, the hub and every partner. Exit code 1 on a difference, which says which side lacks what, or when
    a side gave no answer."""
    from collecthub.engine.reconcile import reconcile as compare
    from collecthub.store.facts import FENCE, read_fact

    with client() as hub:
        outcome = compare(hub)
        with hub.database.read() as conn:
            fenced = read_fact(conn, FENCE)
    if as_json:
        figures = {"ledger_difference": outcome.total, "is_fenced": bool(fenced)}
        print_json(msgspec.to_builtins(outcome) | figures)
    else:
        say(f"{outcome.debtors_compared} debtors and {outcome.cases_compared} cases compared.")
        if outcome.differences:
            print_listed(outcome.differences, None, "between number subject what theirs ours currency missing_at reason", as_json=False)
        if outcome.awaited:
            say(f"{len(outcome.awaited)} payments are known here and wait to be booked in an ERP.")
        say(f"Difference: {outcome.total}")
    for side in outcome.unheard:
        note(f"{side.between} could not be compared: {side.problem} {side.cure}")
    if fenced:
        note("This hub is fenced since a restore: `collecthub fence release` lets it send again.")
    raise typer.Exit(1 if outcome.differences or outcome.unheard else 0)


def verify(as_json: Json = False) -> None:
    """Check every hash chain, every ledger and the audit trail. Exit code 1 with findings."""
    from collecthub.engine.verify import verify as check
    from collecthub.store.audit import verify_audit

    with client() as hub:
        checked, findings = check(hub)
        with hub.database.read() as conn:
            audit_problem = verify_audit(conn)
    if as_json:
        print_json({"cases_checked": checked, "findings": findings, "audit_problem": audit_problem or None})
    else:
        say(f"{checked} cases checked, {len(findings)} findings.")
        if findings:
            print_listed(findings, None, "number seq problem case_id", as_json=False)
        say(f"Audit trail: {audit_problem or 'whole'}.")
    raise typer.Exit(1 if findings or audit_problem else 0)
