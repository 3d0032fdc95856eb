"""`collecthub case reminders`: what the creditor already sent, and what to do before the final summons."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from collecthub.cli.case_ref import CaseRef, case_id_of
from collecthub.cli.hub_access import client
from collecthub.cli.output import Json, print_json, print_table, say


def review_case(
    case: CaseRef,
    upload: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="CSV or XLSX of earlier reminders: invoice, sent_on, level, channel, fee.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Review the creditor's own reminders against law and playbook, with advice before the final summons."""
    from collecthub.engine.reminder_review import review_of_case
    from collecthub.engine.reminder_upload import take_reminders
    from collecthub.store.queries.case_file import read_owned_case
    from collecthub.store.queries.scope import LOCAL_OPERATOR

    with client() as hub:
        with hub.database.read() as conn:
            case_id = case_id_of(conn, case)
            creditor_id = read_owned_case(conn, LOCAL_OPERATOR, case_id).creditor_id
        if upload is not None:
            told = take_reminders(hub, LOCAL_OPERATOR, creditor_id, upload.read_bytes(), upload.name, case_id)
            say(f"{told.taken} reminders kept, {told.refused} refused.")
            for row in (one for one in told.rows if one.errors):
                say(f"row {row.line}, {row.invoice}: {'; '.join(f'{error.field} {error.reason}' for error in row.errors)}")
        found = review_of_case(hub, LOCAL_OPERATOR, case_id)
    if as_json:
        print_json(found)
        return
    print_table(
        ["invoice", "due", "level", "sent"],
        [[one.number, one.due_on, sent.level, sent.dunned_on] for one in found.invoices for sent in one.reminders],
    )
    for invoice in found.invoices:
        for one in invoice.findings:
            say(f"{invoice.number}, {one.on}: {f'{one.article}: ' if one.article else ''}{one.said}")
    for line in found.advice:
        say(f"- {line}")
