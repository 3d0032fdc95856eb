"""`collecthub case nature`: say what kind of claims a case is about."""

from __future__ import annotations

from typing import Annotated

import typer

from collecthub.cli.case_ref import CaseRef, case_id_of
from collecthub.cli.hub_access import client
from collecthub.cli.output import Json, print_json, say


def say_nature(
    case: CaseRef,
    nature: Annotated[str, typer.Argument(help="Such as medical, utilities, goods; an unknown one names those that are known.")],
    invoice: Annotated[list[str] | None, typer.Option(help="Only of the invoice with this number; may be repeated.")] = None,
    as_json: Json = False,
) -> None:
    """Say what kind of claims these are: limitation and tariff depend on it."""
    from collecthub.engine.claim_nature import set_nature
    from collecthub.store.queries.scope import LOCAL_OPERATOR

    with client() as hub, hub.work() as work:
        changed = set_nature(hub, work, LOCAL_OPERATOR, case_id_of(work.conn, case), nature=nature, numbers=invoice or ())
    if as_json:
        print_json({"case_id": changed.case_id, "natures": dict(changed.natures)})
    else:
        say(f"Case {changed.number}: {nature}.")
