"""`collecthub docs`: pages and schemas that say what the code says, and `--check` that finds those that do not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from collecthub.cli.output import Json, note, print_json, say
from collecthub.errors import ConfigurationError

_HEAD = "<!-- Written by `collecthub docs` from the code; `collecthub docs --check` finds a page that is out of date. -->\n\n"


def docs(
    ctx: typer.Context,
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit code 1 if a file is out of date.")] = False,
    folder: Annotated[Path | None, typer.Option(help="Checkout to write to; this one's own by default.")] = None,
    as_json: Json = False,
) -> None:
    """Write the generated pages of `docs/` and the published schemas from the code."""
    root = folder or _checkout()
    stale = [
        (name, content) for name, content in _files(ctx.find_root().command).items() if _read(root / name) != content
    ]
    if not check:
        for name, content in stale:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_bytes(content)
    names = sorted(name for name, _ in stale)
    if as_json:
        print_json({"items": [{"file": name} for name in names], "next_cursor": None})
    else:
        for name in names:
            say(f"{name} {'is out of date' if check else 'written'}")
    if check and names:
        note("Run `collecthub docs` and commit what it writes.")
        raise typer.Exit(1)


def _checkout() -> Path:
    import collecthub

    root = Path(collecthub.__file__).parents[2]
    if not (root / "pyproject.toml").exists():
        raise ConfigurationError("collecthub does not run from a checkout", cure="Say where one is with --folder.")
    return root


def _read(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None


def _files(command: object) -> dict[str, bytes]:
    """Every generated file by its place in the checkout."""
    from collecthub.cli import docs_pages as pages
    from collecthub.cli.docs_law import law_pages
    from collecthub.cli.docs_world import world_pages
    from collecthub.formats import published
    from collecthub.web import openapi
    from collecthub.web.app import bare_app

    written: dict[str, Callable[[], str]] = {
        "cli": lambda: pages.cli(command), "corridor": pages.corridor, "errors": pages.errors, "hooks": pages.hooks,
        "ports": pages.ports, "settings": pages.settings, "vocabulary": pages.vocabulary,
    }  # fmt: skip
    contracts = published.files()
    generated = {name: contracts[name] for name in (published.JSON_SCHEMA, published.OPENAPI)}
    return (
        {f"docs/{name}.md": (_HEAD + page()).encode() for name, page in written.items()}
        | {name: (_HEAD + page).encode() for name, page in (law_pages() | world_pages()).items()}
        | {f"schemas/{name}": content for name, content in contracts.items()}
        | {f"src/collecthub/formats/schemas/{name}": content for name, content in generated.items()}
        | {"schemas/openapi.json": openapi.published(bare_app()).encode()}
    )
