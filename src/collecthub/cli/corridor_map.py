"""`collecthub map` and `collecthub plugin list`: what this installation consists of. Neither needs a database."""

from __future__ import annotations

import importlib
import inspect
import re

import msgspec
import typer

from collecthub.cli.output import Json, print_listed, say

plugin_app = typer.Typer(no_args_is_help=True, help="Plugins and what became of them.")

BELTS = (("OUT", "ERP to partner"), ("BACK", "partner to case, portal and ERP"), ("CLOCK", "playbook, plans, deadlines"))


class Room(msgspec.Struct, frozen=True, kw_only=True):
    """A room of the corridor: the public function of its module and what it is for."""

    belt: str
    room: str
    does: str
    signature: str


def corridor() -> list[Room]:
    """Every room in walking order, read from the code."""
    belts = importlib.import_module("collecthub.corridor.belts")
    return [_room(belt, name) for belt, _ in BELTS for name in getattr(belts, belt)]


def _room(belt: str, name: str) -> Room:
    module = importlib.import_module(f"collecthub.corridor.{name}")
    sentence = " ".join((module.__doc__ or "").split("\n\n")[0].split())
    signature = str(inspect.signature(getattr(module, name))).replace("'", "")
    signature = re.sub(r"<function (.*?) at 0x[0-9a-f]+>", r"\1", signature)  # an address is another one each time
    return Room(belt=belt, room=name, does=sentence.partition(": ")[2] or sentence, signature=name + signature)


def map_lines() -> list[str]:
    """The corridor as text: one arrow line a belt, then what each room does."""
    rooms = corridor()
    lines: list[str] = []
    for belt, title in BELTS:
        walk = [room for room in rooms if room.belt == belt]
        lines += [f"{belt:<7} {' -> '.join(room.room for room in walk)}    {title}"]
        lines += [f"        {room.room:<10} {room.does}" for room in walk]
        lines += [""]
    return lines[:-1]


def show_map(as_json: Json = False) -> None:
    """Print the corridor: the rooms every piece of work walks through, read from the code."""
    if as_json:
        print_listed(corridor(), None, "", as_json=True)
        return
    say("\n".join(map_lines()))


@plugin_app.command("list")
def list_plugins(as_json: Json = False) -> None:
    """List plugins: loaded or set aside, why, and the connector kinds they offer."""
    from collecthub.config import load_settings
    from collecthub.hub import load_all_plugins

    plugins = load_all_plugins(load_settings())
    print_listed(
        list(plugins.states.values()), None, "name version is_loaded connectors distribution problem", as_json=as_json
    )
