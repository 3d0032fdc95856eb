"""`collecthub exchange`: judge a file that travels between parties, or show what it says, without a database."""

from __future__ import annotations

import enum
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from collecthub.cli.output import Json, note, plain, print_json, print_table, say

if TYPE_CHECKING:
    from collecthub.ports import CaseFormat

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

    _check_size(file, _BYTES_MOST)
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


class Spelling(enum.StrEnum):
    """How an exchange is shown."""

    HTML = "html"
    PDF = "pdf"
    CASE_FILE = "case-file"
    JSON = "case-exchange-json"


@app.command("show")
def show(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="XML, JSON, container, or an ELAN request.")],
    format: Annotated[Spelling, typer.Option(help="For people (html, pdf), or the other spelling.")] = Spelling.HTML,
    output: Annotated[Path | None, typer.Option(help="File to write; standard output without it.")] = None,
    as_json: Json = False,
) -> None:
    """Write what a file says as a page for people, or in the other spelling, whoever sent it.

    Messages that cannot be read are named with their place (exit code 1); the others are shown.
    """
    from collecthub.formats.opening import open_exchange
    from collecthub.formats.xml import WHOLE_BYTES_MAX

    _check_size(file, WHOLE_BYTES_MAX)
    opened = open_exchange(file.read_bytes())
    content = _writer(format).encode(opened.exchange)
    if output is not None:
        output.write_bytes(content)
    if as_json:
        shown = {"exchange_id": opened.exchange.exchange_id, "format": format.value, "size": len(content)}
        print_json(shown | {"faults": opened.faults, "not_carried": opened.left_behind, "output": str(output) if output else None})
    elif output is None:
        sys.stdout.buffer.write(content)
        sys.stdout.flush()
    if opened.left_behind and not as_json:
        note(f"Not in this file, a case file has no place for it: {', '.join(opened.left_behind)}.")
    for fault in () if as_json else opened.faults:
        note(plain(f"Not shown: {fault.path}: {fault.reason}"))
    raise typer.Exit(1 if opened.faults else 0)


def _writer(spelling: Spelling) -> CaseFormat:
    from collecthub.formats.json import JsonFormat
    from collecthub.formats.rendering import HtmlRendering, PdfRendering
    from collecthub.formats.xml import XmlFormat

    writers: dict[Spelling, CaseFormat] = {
        Spelling.HTML: HtmlRendering(), Spelling.PDF: PdfRendering(), Spelling.CASE_FILE: XmlFormat(), Spelling.JSON: JsonFormat(),
    }  # fmt: skip
    return writers[spelling]


def _check_size(file: Path, most: int) -> None:
    size = file.stat().st_size
    if size > most:
        raise typer.BadParameter(f"the file has {size} bytes; at most {most} are looked at")
