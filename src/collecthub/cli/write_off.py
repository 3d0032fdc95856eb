"""`collecthub case write-off`: give up what is owed, or a part of it."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

import typer

from collecthub.cli.amounts import amount
from collecthub.cli.case_ref import CaseRef, case_id_of
from collecthub.cli.hub_access import client
from collecthub.cli.output import Json, print_json, say


def write_off_case(
    case: CaseRef,
    reason: Annotated[str, typer.Option(help="Why; it is kept in the history.")],
    sum_: Annotated[
        Decimal | None,
        typer.Option("--amount", parser=amount, metavar="AMOUNT", help="How much; everything that is owed when left out."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Write off what is owed, or a part of it: it settles in the order of the law, and the holder hears the new balance."""
    from collecthub.engine.writing_off import write_off
    from collecthub.store.queries.scope import LOCAL_OPERATOR

    with client() as hub, hub.work() as work:
        changed = write_off(hub, work, LOCAL_OPERATOR, case_id_of(work.conn, case), amount=sum_, reason=reason)
    balance = changed.balance
    if as_json:
        print_json({
            "case_id": changed.case_id, "status": changed.status, "currency": changed.currency,
            "written_off": balance.write_offs, "total": balance.total,
        })  # fmt: skip
    else:
        say(f"Case {changed.number}: {balance.write_offs:,} {changed.currency} written off so far, {balance.total:,} left.")
