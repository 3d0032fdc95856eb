"""The generated pages, one function each, from what the code itself says: docstrings, signatures, settings, tables."""

from __future__ import annotations

import inspect
import re
import textwrap
import types
import typing
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from collecthub import erp_ports as erp_port_page
from collecthub import errors as error_tree
from collecthub import exchange_ports as exchange_port_page
from collecthub import hookspecs
from collecthub import ports as port_page
from collecthub.bundled import routes
from collecthub.cli.corridor_map import corridor as rooms
from collecthub.cli.corridor_map import map_lines
from collecthub.cli.errors_shown import exit_code
from collecthub.config import HubSettings
from collecthub.engine.setting_fields import is_secret
from collecthub.formats import plugin as formats_plugin
from collecthub.model import partner as partner_page
from collecthub.model.status_tables import StatusTable, status_tables
from collecthub.plugins import PluginSet, load_plugins

# The distributions of the checkout; what else may be installed on a machine is not in the pages.
SHIPPED = (
    "contact_print", "contact_sms", "contact_smtp", "creditor_webhook", "erp_exact", "erp_sap", "hmcts_sdt", "insolvency_register", "partner_network", "sftp_batch", "soap_exchange",
)  # fmt: skip
OWN_DEFAULTS = {"home": "`.collecthub` in a checkout, else the user's data folder"}


def _page(title: str, intro: str, parts: Iterable[str]) -> str:
    return "\n\n".join([f"# {title}", intro, *parts]).rstrip() + "\n"


def _doc(thing: object) -> str:
    return inspect.getdoc(thing) or ""


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(_cell(value) for value in line) + " |" for line in lines)


def _cell(value: object) -> str:
    return " ".join(str(value).split()).replace("|", "\\|")


def _code(text: str) -> str:
    return f"```python\n{text.rstrip()}\n```"


def _of_module(module: Any, wanted: Any) -> list[Any]:
    """What a module itself defines and `wanted` takes, in the order of its source."""
    own = [thing for thing in vars(module).values() if getattr(thing, "__module__", "") == module.__name__]
    return sorted(filter(wanted, own), key=lambda thing: inspect.getsourcelines(thing)[1])


# --- plugin surface -------------------------------------------------------------------------------


def hooks() -> str:
    """Every hook with its signature and what it is for."""
    specs = _of_module(hookspecs, inspect.isfunction)
    parts = [f"## `{spec.__name__}`\n\n{_doc(spec)}\n\n{_code(_definition(spec))}" for spec in specs]
    records = _of_module(partner_page, inspect.isclass)
    return _page("Hooks", _doc(hookspecs), [*parts, *_classes("What routing hooks speak of", records)])


def _definition(function: Any) -> str:
    return f"def {function.__name__}{inspect.signature(function)}: ...".replace("'", "")


def ports() -> str:
    """Every port and every record that passes through one, as the code has it."""
    pages = (port_page, erp_port_page, exchange_port_page)
    kinds = [kind for page in pages for kind in _of_module(page, inspect.isclass)]
    protocols = [kind for kind in kinds if getattr(kind, "_is_protocol", False)]
    records = [kind for kind in kinds if kind not in protocols]
    return _page("Ports", _doc(port_page), [*_classes("Ports", protocols), *_classes("Records", records)])


def _classes(title: str, kinds: Sequence[type]) -> Iterator[str]:
    yield f"## {title}"
    for kind in kinds:
        yield f"### `{kind.__name__}`\n\n{_doc(kind)}\n\n{_code(_source(kind))}"


def _source(kind: type) -> str:
    """A class as it is written, without its own docstring."""
    text = textwrap.dedent(inspect.getsource(kind))
    return re.sub(r'\n    """.*?"""\n+', "\n", text, count=1, flags=re.DOTALL)


# --- errors, corridor, vocabulary -----------------------------------------------------------------


def errors() -> str:
    """The tree of errors, with what each branch means and the exit code a command ends with."""
    kinds = _of_module(error_tree, inspect.isclass)
    rows = [[f"`{kind.__name__}`", _doc(kind), _exit_of(kind)] for kind in kinds]
    codes = (
        "Exit code 0 is done, 1 done with findings, 2 wrong usage. Every message is one sentence on what happened "
        "and one on what to do; `--debug` adds the stack trace."
    )
    tree = f"```text\n{_doc(error_tree)}\n```"
    return _page("Errors", tree, [_table(["error", "meaning", "exit code"], rows), codes])


def _exit_of(kind: type[error_tree.CollecthubError]) -> int:
    more = {"code": "any"} if kind is error_tree.QuarantineError else {}
    return exit_code(kind("", **more))


def corridor() -> str:
    """The corridor as `collecthub map` prints it, and the signature of every room."""
    described = _table(["belt", "room", "signature"], [[room.belt, room.room, f"`{room.signature}`"] for room in rooms()])
    picture = "\n".join(map_lines())
    return _page("Corridor", "Every piece of work walks one straight way.", [f"```text\n{picture}\n```", described])


def vocabulary() -> str:
    """Every bundled status table."""
    tables = status_tables().values()
    return _page(
        "Status codes",
        "What partners' codes mean here. `collecthub status translate --from VOCABULARY CODE` answers the same.",
        [
            f"## {table.vocabulary}\n\n{table.title}. Source: {table.source}, read on {table.as_of}.\n\n"
            + _table(["code", "meaning", "phase", "hold", "outcome", "title", "lost"], map(_code_row, table.codes.values()))
            + _open_codes(table)
            for table in tables
        ],
    )


def _code_row(row: Any) -> list[object]:
    values = msgspec.to_builtins(row)
    names = ("meaning", "phase", "hold", "outcome", "title", "lost")
    return [f"`{row.code}`", *(values[name] or "" for name in names)]


def _open_codes(table: StatusTable) -> str:
    rows = [[f"`{code}`", " or ".join(one.candidates), one.reason] for code, one in table.ambiguous.items()]
    rows += [[f"`{code}`", "", why] for code, why in table.unmapped.items()]
    if not rows:
        return ""
    return "\n\nLeft to a person:\n\n" + _table(["code", "could be", "why"], rows)


# --- settings -------------------------------------------------------------------------------------


def settings() -> str:
    """The hub's own settings and those of every connector."""
    plugins = _shipped()
    own = _table(
        ["environment", "in the file", "default", "what it is"],
        [
            [f"`COLLECTHUB_{name.upper()}`", f"`{name}`", OWN_DEFAULTS.get(name) or _default(field), field.description or ""]
            for name, field in HubSettings.model_fields.items()
        ],
    )
    parts = [f"## The hub\n\n{_hub_intro()}\n\n{own}", "## Connections\n\nGiven with `collecthub connection add`."]
    for kind in sorted(plugins.connectors):
        spec = plugins.connectors[kind]
        parts.append(f"### `{kind}`: {spec.title}\n\n{_doc(spec.settings)}\n\n{_fields(spec.settings)}")
    return _page("Settings", "No setting is needed to try collecthub.", parts)


def _hub_intro() -> str:
    return (
        "Read once at the start: environment first, then the TOML file that `COLLECTHUB_CONFIG` names (or "
        "`collecthub.toml` in the home folder), then the default. An empty variable counts as not set."
    )


def _shipped() -> PluginSet:
    loaded = load_plugins((("formats", formats_plugin), ("routes", routes)))
    missing = [name for name in SHIPPED if name not in loaded.states or not loaded.states[name].is_loaded]
    if missing:
        raise error_tree.ConfigurationError(
            f"the plugins {', '.join(missing)} are not loaded", cure="Install the checkout with all its plugins."
        )
    foreign = [kind for state in loaded.states.values() if state.name not in SHIPPED for kind in state.connectors]
    for kind in foreign:
        del loaded.connectors[kind]
    return loaded


def _fields(model: type[BaseModel]) -> str:
    rows = [
        [f"`{name}`", _kind(field), _default(field), field.description or ""]
        for name, field in model.model_fields.items()
    ]
    return _table(["field", "type", "default", "what it is"], rows)


def _kind(field: FieldInfo) -> str:
    return "secret" if is_secret(field) else _type_name(field.annotation)


def _type_name(annotation: Any) -> str:
    """A type in words, the same on every Python.

    >>> _type_name(tuple[int, ...]), _type_name(str | None)
    ('list of int', 'str')
    """
    origin, inner = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Literal:
        return " or ".join(f"`{value}`" for value in inner)
    if origin in (typing.Union, types.UnionType):
        return " or ".join(_type_name(part) for part in inner if part is not type(None))
    if origin in (tuple, list):
        return f"list of {_type_name(inner[0])}"
    if origin is typing.Annotated:
        return _type_name(inner[0])
    return str(getattr(annotation, "__name__", annotation))


def _default(field: FieldInfo) -> str:
    if field.default is PydanticUndefined:
        return "required" if field.default_factory is None else "empty"
    if field.default in ("", (), None):
        return "empty"
    value = ", ".join(map(str, field.default)) if isinstance(field.default, tuple) else field.default
    return f"`{value}`"


# --- command line ---------------------------------------------------------------------------------


def cli(command: Any) -> str:
    """Every command with its arguments and options."""
    return _page("Command line", _plain(command.help), _commands(command, "collecthub"))


def _commands(command: Any, path: str) -> Iterator[str]:
    subcommands = getattr(command, "commands", None)
    if not subcommands:
        yield f"## `{path}`\n\n{_plain(command.help)}\n\n{_parameters(command, path)}".rstrip()
        return
    for name, sub in sorted(subcommands.items()):
        yield from _commands(sub, f"{path} {name}")


def _plain(text: str | None) -> str:
    return inspect.cleandoc(text or "")


def _parameters(command: Any, path: str) -> str:
    arguments = [param for param in command.params if param.param_type_name == "argument"]
    options = [param for param in command.params if param.param_type_name == "option" and param.name != "help"]
    usage = " ".join([path, *(_usage(param) for param in arguments), *(["[OPTIONS]"] if options else [])])
    rows = [[f"`{_usage(param)}`", _meaning(param)] for param in arguments]
    rows += [[f"`{', '.join([*param.opts, *param.secondary_opts])}`", _meaning(param)] for param in options]
    return f"    {usage}\n\n" + (_table(["parameter", "what it is"], rows) if rows else "")


def _usage(param: Any) -> str:
    name = param.metavar or param.name.upper()
    return str(name if param.required else f"[{name}]")


def _meaning(param: Any) -> str:
    annotation = param.type_descriptor.annotation
    choices = f"Values: {_type_name(annotation)}." if typing.get_origin(annotation) is typing.Literal else ""
    return " ".join(filter(None, (param.help, choices)))
