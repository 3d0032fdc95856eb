"""`collecthub exchange`: judge a file that travels between parties, without a database."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from collecthub.cli.output import Json, plain, print_json, print_table, say

app = typer.Typer(no_args_is_help=True, help="Case exchange documents.")
_BYTES_MOST = 200_000_000


@app.command("validate")
def validate(
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="XML, JSON, container, or a PDF with an invoice inside.")
    ],
    schemas: Annotated[
        Path | None,
        typer.Option(exists=True, file_okay=False, help="Folder with a court's schemas that are not bundled (EPU)."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Say what a file is and what is wrong with it, by line and element. Exit code 1 if something is.

    Takes the case exchange in both spellings and in an unencrypted container, HMCTS SDT, XJustiz, UBL, CII, Factur-X, and EPU with its schemas.
    """
    from collecthub.formats.verdict import judge_file

    size = file.stat().st_size
    if size > _BYTES_MOST:
        raise typer.BadParameter(f"the file has {size} bytes; at most {_BYTES_MOST} are looked at")
    verdict = judge_file(file, schemas)
    if as_json:
        print_json(msgspec.to_builtins(verdict) | {"faults": verdict.findings})
    else:
        count = len(verdict.findings)
        say(f"{plain(verdict.kind)}: {'valid' if verdict.is_valid else 'not valid'}, findings: {count}.")
        if verdict.messages:
            say(f"{len(verdict.messages)} messages are right.")
        rows = [[one.line or "", one.element, one.code, one.reason] for one in verdict.findings]
        print_table(["line", "element", "code", "reason"], rows)
    raise typer.Exit(0 if verdict.is_valid else 1)
