"""`collecthub case statement`: a statement of account as PDF, HTML, XLSX or CSV."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from collecthub.cli.balance import At
from collecthub.cli.case_ref import CaseRef, case_id_of
from collecthub.cli.hub_access import client
from collecthub.cli.output import Json, note, print_json


def write_statement(
    case: CaseRef,
    audience: Annotated[Literal["debtor", "creditor", "partner"], typer.Option("--for", help="Who reads it.")] = "debtor",
    language: Annotated[str, typer.Option(help="nl, fr, de or en; the reader's own when left out.")] = "",
    format: Annotated[Literal["pdf", "html", "xlsx", "csv"], typer.Option(help="How it is written.")] = "pdf",
    at: At = None,
    output: Annotated[Path | None, typer.Option(help="File to write; standard output without it.")] = None,
    issue: Annotated[
        bool, typer.Option("--issue", help="It is given out: what has grown becomes lines of the ledger.")
    ] = False,
    as_json: Json = False,
) -> None:  # fmt: skip
    """Write the statement of account of a case at the end of a day."""
    from collecthub.engine.statement import StatementQuestion, issue_statement, statement
    from collecthub.paper.statement import FORMATS
    from collecthub.store.queries.scope import LOCAL_OPERATOR

    with client() as hub:
        with hub.database.read() as conn:
            case_id = case_id_of(conn, case)
        question = StatementQuestion(
            case_id=case_id, audience=audience, until=at or hub.now().date(), language=language
        )
        if issue:
            with hub.work() as work:
                issue_statement(hub, work, LOCAL_OPERATOR, question)
        with hub.database.read() as conn:
            made = statement(hub, conn, LOCAL_OPERATOR, question)
    content = FORMATS[format](made)
    if as_json:
        print_json({"case_id": case_id, "bytes": len(content), "file": str(output) if output else None, "statement": made})
    if output is not None:
        output.write_bytes(content)
        note(f"{output.name}: {made.total} {made.currency} owed on {made.until}.")
    elif not as_json:
        sys.stdout.buffer.write(content)
