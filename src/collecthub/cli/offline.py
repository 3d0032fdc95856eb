"""Commands that need no database: `exchange validate` and `sandbox`."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from collecthub.cli.output import Json, print_json, print_table, say

if TYPE_CHECKING:
    from collecthub.model.exchange import Decoded

exchange_app = typer.Typer(no_args_is_help=True, help="Case exchange documents.")


@exchange_app.command("validate")
def validate(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="XML or JSON document.")],
    as_json: Json = False,
) -> None:
    """Check a case exchange document against the published contract. Exit code 1 if something is wrong."""
    from collecthub.errors import QuarantineError
    from collecthub.model.exchange import Decoded, Fault

    try:
        decoded = _decode(file.read_bytes())
    except QuarantineError as error:
        decoded = Decoded(exchange_id="", sender_ref="", faults=(Fault(code=error.code, reason=error.message),))
    if as_json:
        messages = [
            {"message_id": m.message_id, "case_id": m.case_id, "type": type(m).__struct_config__.tag}
            for m in decoded.messages
        ]
        print_json(
            {
                "is_valid": not decoded.faults, "exchange_id": decoded.exchange_id, "sender_ref": decoded.sender_ref,
                "messages": messages, "faults": decoded.faults,
            }
        )  # fmt: skip
    else:
        say(f"{len(decoded.messages)} messages are right, {len(decoded.faults)} faults.")
        print_table(
            ["code", "reason", "place", "message"],
            [[fault.code, fault.reason, fault.path, fault.message_id] for fault in decoded.faults],
        )
    raise typer.Exit(1 if decoded.faults else 0)


def _decode(content: bytes) -> Decoded:
    """XML when it begins like XML, else JSON."""
    if content.lstrip(b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n")[:1] == b"<":
        from collecthub.formats.xml import XmlFormat

        return XmlFormat().decode(content)
    from collecthub.formats.json import JsonFormat

    return JsonFormat().decode(content)


def sandbox(
    name: Annotated[str, typer.Argument(help="exact, sap, bailiff, lawyer, agency, mail or creditor.")],
    home: Annotated[Path, typer.Option(help="Folder for its books.")],
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port on 127.0.0.1; 0 takes the last or a free one.")] = 0,
    raised_limits: Annotated[bool, typer.Option("--raised-limits", help="Announce large rate limits.")] = False,
    given: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="A setting of the counterparty.")
    ] = None,
) -> None:
    """Run one executable counterparty in the foreground; it keeps its books in its home."""
    from collecthub.sandbox.__main__ import TWINS
    from collecthub.sandbox.twin import TwinOptions

    if name not in TWINS:
        raise typer.BadParameter(f"there is no counterparty {name[:40]!r}; there are {', '.join(sorted(TWINS))}")
    pairs = [text.partition("=") for text in given or ()]
    if any(not equals for _, equals, _ in pairs):
        raise typer.BadParameter("--set takes NAME=VALUE")
    settings = {key: value for key, _, value in pairs}
    options = TwinOptions(name=name, home=home, port=port, raised_limits=raised_limits, settings=settings)
    importlib.import_module(TWINS[name]).serve(options)
