"""The command `collecthub case export`: a case file in any registered format, to standard output or a file."""

from __future__ import annotations

import base64
import hashlib
import json
import sys
import tomllib
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from collecthub.cli.hub_access import client
from collecthub.cli.output import Json, note, print_json, print_table

if TYPE_CHECKING:
    from collecthub.formats.carrying import Objection
    from collecthub.model.exchange import Exchange
    from collecthub.ports import CaseFormat

CASE_FILE = "case-file"
_FORMAT_OF_WORD = {CASE_FILE: "case-exchange-xml"}
_FOR_PARTNERS = {CASE_FILE, "case-exchange-xml", "case-exchange-json"}  # written for the partner that routing chooses
_RECEIVERS = {"html": "not placed yet", "pdf": "not placed yet"}  # who a paper without a partner says it is for


def export_case(
    case: Annotated[str, typer.Argument(metavar="CASE", help="Id or number of the case.")],
    format: Annotated[
        str,
        typer.Option(
            help="case-file, html, pdf, xjustiz-2600003, sdt-claim, sdt-warrant, epu-claim, case-exchange-json, "
            "or a format of a plugin."
        ),
    ] = CASE_FILE,
    particulars: Annotated[
        Path | None,
        typer.Option(
            exists=True, dir_okay=False, readable=True,
            help="JSON or TOML file with what the format asks for beyond the case (docs/formats); without it "
            "particulars/FORMAT.toml in the home folder.",
        ),
    ] = None,
    output: Annotated[Path | None, typer.Option(help="File to write; standard output without it.")] = None,
    as_json: Json = False,
) -> None:  # fmt: skip
    """Write the case file as it was handed over, or as it would be now.

    A court's format refuses a case that it cannot carry with every reason (exit code 1) and names what stays behind.
    """
    from collecthub.cli.case_export import case_exchange, holder_of
    from collecthub.cli.case_ref import case_id_of
    from collecthub.formats.carrying import TakesParticulars, UnfitCaseError

    with client() as hub:
        writer = _writer(hub.plugins.formats, format, particulars, hub.settings.home)
        with hub.database.read() as conn:
            case_id = case_id_of(conn, case)
        is_for_court = isinstance(writer, TakesParticulars)
        receiver = "" if format in _FOR_PARTNERS else _RECEIVERS.get(format, format)
        exchange = case_exchange(hub, case_id, receiver, is_for_court=is_for_court)
        holder = holder_of(hub, case_id) if is_for_court else ""
    if holder:
        note(f"The case is with {holder}: recall it there before you file.")
    try:
        content = writer.encode(exchange)
    except UnfitCaseError as error:
        _refuse(error, case_id, format, as_json=as_json)
    _hand_out(writer, exchange, content, case_id, format, output, as_json=as_json)


def kept_particulars(home: Path, format_id: str) -> Path:
    """Where a house keeps what a format asks for in every case: its customer number, who signs."""
    return home / "particulars" / f"{format_id}.toml"


def _writer(formats: dict[str, CaseFormat], word: str, particulars: Path | None, home: Path) -> CaseFormat:
    from collecthub.formats.carrying import TakesParticulars

    writer = formats.get(_FORMAT_OF_WORD.get(word, word))
    if writer is None:
        known = ", ".join(sorted({*formats, *_FORMAT_OF_WORD} - set(_FORMAT_OF_WORD.values())))
        raise typer.BadParameter(f"there is no format {word[:40]!r}; there are {known}", param_hint="--format")
    if not isinstance(writer, TakesParticulars):
        if particulars is not None:
            raise typer.BadParameter(f"{word} takes no particulars", param_hint="--particulars")
        return writer
    kept = kept_particulars(home, writer.format_id)
    given = particulars or (kept if kept.is_file() else None)
    return writer.with_particulars(read_tree(given)) if given else writer


def read_tree(path: Path) -> dict[str, Any]:
    """The tree of a TOML file, or of a JSON one; numbers stay exact. Raises a usage error when it is neither."""
    try:
        tree = _tree(path.read_text(encoding="utf-8"), is_toml=path.suffix.lower() == ".toml")
    except (tomllib.TOMLDecodeError, ValueError) as error:
        raise typer.BadParameter(f"{path.name} cannot be read: {error}", param_hint="--particulars") from None
    if not isinstance(tree, dict):
        raise typer.BadParameter(f"{path.name} is no object", param_hint="--particulars")
    return tree


def _tree(text: str, *, is_toml: bool) -> Any:
    return tomllib.loads(text, parse_float=Decimal) if is_toml else json.loads(text, parse_float=Decimal)


def _refuse(error: Any, case_id: str, word: str, *, as_json: bool) -> None:
    if as_json:
        print_json({"case_id": case_id, "format": word, "is_written": False, "objections": error.objections})
    else:
        note(f"Case {error.reference} cannot be written as {word}. {error.cure}")
        rows = [[one.element, one.limit, one.target] for one in error.objections]
        print_table(["element", "what is wrong", "place in the format"], rows)
    raise typer.Exit(1)


def _hand_out(
    writer: CaseFormat, exchange: Exchange, content: bytes, case_id: str, word: str, output: Path | None, *, as_json: bool
) -> None:
    from collecthub.formats.carrying import TakesParticulars

    left: tuple[Objection, ...] = writer.left_behind(exchange) if isinstance(writer, TakesParticulars) else ()
    if output is not None:
        output.write_bytes(content)
    if left and not as_json:
        note(f"Not in this file, {word} has no place for it: {', '.join(one.element for one in left)}.")
    if as_json:
        print_json(
            {
                "case_id": case_id, "format": word, "is_written": True, "media_type": writer.media_type,
                "size": len(content), "sha256": hashlib.sha256(content).hexdigest(), "not_carried": left,
                "output": str(output) if output else None, **({} if output else _content(content)),
            }
        )  # fmt: skip
    elif output is not None:
        note(f"{output}: {len(content)} bytes.")
    else:
        sys.stdout.buffer.write(content)
        sys.stdout.flush()


def _content(content: bytes) -> dict[str, str]:
    """Text as it is, anything else in base64."""
    try:
        return {"content": content.decode()}
    except UnicodeDecodeError:
        return {"content_base64": base64.b64encode(content).decode("ascii")}
