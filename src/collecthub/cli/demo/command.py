"""The demo as a command: a town, a hub, a story, a summary."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import secrets
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from collecthub.cli.demo.court_files import lay_out, ready_to_file
from collecthub.cli.demo.debtor import play_debtor, told_debtor
from collecthub.cli.demo.network import told_abroad
from collecthub.cli.demo.portfolio import Plan, bundled, from_file
from collecthub.cli.demo.story import Story
from collecthub.cli.demo.summary import figures, first_figures, show
from collecthub.cli.demo.town import OPERATOR, Town, opened
from collecthub.cli.hub_access import only_worker
from collecthub.cli.serving import BackgroundServer
from collecthub.config import HubSettings, load_settings
from collecthub.engine.context import Hub
from collecthub.engine.durable import running
from collecthub.engine.idle import Leftover
from collecthub.errors import ConfigurationError
from collecthub.hub import open_hub
from collecthub.model.ids import new_id
from collecthub.store.accounts import User, add_user
from collecthub.store.facts import read_fact, write_fact
from collecthub.store.queries.scope import Role
from collecthub.web.app import create_app

Logins = list[tuple[str, str, str]]


SHOWN_COUNTRIES = ("DE", "FR", "NL", "UY")  # assigned to a file's customers when nobody said which


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for on the command line; kept in the demo's home for `--resume`."""

    invoices: str = ""
    as_of: dt.date | None = None
    creditor_country: str = "BE"
    debtor_countries: tuple[str, ...] = ()

    def plan(self) -> Plan:
        """The portfolio this request means."""
        if not self.invoices:
            return bundled()
        countries = self.debtor_countries or (self.creditor_country, *SHOWN_COUNTRIES)
        return from_file(Path(self.invoices), self.as_of, self.creditor_country, countries)


def run_demo(base: HubSettings, request: Request, *, resume: bool, as_json: bool) -> int:
    """Run or resume the demo below `base.home`. Returns the exit code."""
    home = base.home / "demo"
    request = _begin(home, base, request, resume=resume)
    plan = request.plan()
    started = time.monotonic()
    settings = load_settings({}, home=home)
    town = Town(home / "town", plan.agency_countries)
    with opened(town), _played(settings, town, plan, quiet=as_json), _hub(settings) as (hub, engine, server):
        with _progress(quiet=as_json) as tell:
            Story(hub, engine, town, plan, server.url, tell).run(lambda: _keep_first(hub, plan))
        logins = _logins(hub, plan)
        result = figures(hub, town, _first(hub), time.monotonic() - started)
        result["cross_border"] = told_abroad(hub, plan)
        result["debtor"] = told_debtor(hub, town)
        result["ready_to_file"] = ready_to_file(hub)
    if as_json:
        json.dump(result, sys.stdout, ensure_ascii=False)
        sys.stdout.write("\n")
    else:
        _print_logins(logins)
        show(result, plan, _short(home))
    return 0 if result["ledger_difference"] == "0.00" else 1


@contextlib.contextmanager
def _played(settings: HubSettings, town: Town, plan: Plan, *, quiet: bool) -> Iterator[None]:
    """What happened before the demo's day: one debtor, from the first reminder to the last instalment."""
    with only_worker(settings), _progress(quiet=quiet) as tell:
        tell("one debtor: reminders, a plan, its last instalment", None)
        play_debtor(settings, town, plan)
    yield


def _begin(home: Path, base: HubSettings, request: Request, *, resume: bool) -> Request:
    kept = home / "request.json"
    if resume:
        if not kept.exists():
            raise ConfigurationError(f"there is no demo to resume in {home}", cure="Run `collecthub demo` first.")
        return msgspec.json.decode(kept.read_bytes(), type=Request)
    if home.exists():
        with only_worker(load_settings({}, home=home)):
            pass  # whoever works there, or serves, would lose its state
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    kept.write_bytes(msgspec.json.encode(request))
    lines = [
        f"business_date = {request.plan().as_of.isoformat()}",
        "allow_loopback = true",
        f'operator_name = "{OPERATOR}"',
    ]
    if base.database_url:
        lines.append(f"database_url = {json.dumps(base.database_url)}")
    (home / "collecthub.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    lay_out(home)
    return request


@contextlib.contextmanager
def _hub(settings: HubSettings) -> Iterator[tuple[Hub, Any, BackgroundServer]]:
    hub = open_hub(settings)
    try:
        with only_worker(settings), running(hub) as engine, BackgroundServer(create_app(hub), port=_port(hub)) as server:
            _keep(hub, "demo_port", server.url.rpartition(":")[2])
            yield hub, engine, server
    finally:
        hub.close()


def _port(hub: Hub) -> int:
    """The port of the run before this one, which the agencies' webhooks still call; 0 when there was none."""
    with hub.database.read() as conn:
        return int(read_fact(conn, "demo_port") or 0)


def _keep(hub: Hub, name: str, value: str) -> None:
    with hub.database.write() as conn:
        write_fact(conn, name, value)


def _keep_first(hub: Hub, plan: Plan) -> None:
    """The figures of the first pull, kept in the demo's state so that a resumed run reports the same."""
    _keep(hub, "demo_first", json.dumps(first_figures(hub, plan)))


def _first(hub: Hub) -> dict[str, Any]:
    with hub.database.read() as conn:
        return dict(json.loads(read_fact(conn, "demo_first") or "{}"))


def _logins(hub: Hub, plan: Plan) -> Logins:
    """One operator and one person per creditor; passwords are shown once and stored as hashes only."""
    with hub.database.read() as conn:
        if read_fact(conn, "demo_logins"):
            return []
    made: Logins = []
    people: list[tuple[str, str, str, str | None]] = [("operator@demo.example", "operator", "Nora Claes", None)]
    creditors = {plan.creditor_id: plan.name for plan in plan.creditors}
    people += [(f"{creditor_id}@demo.example", "creditor", name, creditor_id) for creditor_id, name in creditors.items()]
    with hub.database.write() as conn:
        for email, role, name, creditor_id in people:
            password = secrets.token_urlsafe(9)
            add_user(
                conn,
                User(user_id=new_id(), email=email, name=name, role=Role(role), creditor_id=creditor_id),
                password,
                hub.now(),
            )
            made.append((email, password, role))
        write_fact(conn, "demo_logins", "made")
    return made


def _print_logins(logins: Logins) -> None:
    console = Console()
    for email, password, role in logins:
        console.print(f"login for the {role}: [bold]{email}[/bold]  password [bold]{password}[/bold]")


@contextlib.contextmanager
def _progress(*, quiet: bool) -> Iterator[Any]:
    """Bars on standard error while it works; a line per stage when nobody watches a terminal."""
    console = Console(stderr=True)
    progress = Progress(
        SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[left]}"),
        TimeElapsedColumn(), console=console, disable=quiet or not console.is_terminal,
    )  # fmt: skip
    state: dict[str, Any] = {"task": None, "most": 1}

    def tell(title: str, left: Leftover | None) -> None:
        if title:
            if state["task"] is not None:
                progress.update(state["task"], completed=1, total=1, left="")
            state["task"], state["most"] = progress.add_task(title, total=1, left=""), 1
            if progress.disable:
                console.print(f"· {title}")
        elif left is not None and state["task"] is not None:
            state["most"] = max(state["most"], left.total)
            progress.update(
                state["task"], total=state["most"], completed=state["most"] - left.total,
                left=f"{left.messages} to send, {left.inbox} to read, {left.reports} to tell",
            )

    with progress:
        yield tell
        if state["task"] is not None:
            progress.update(state["task"], completed=state["most"], total=state["most"], left="")


def _short(home: Path) -> str:
    try:
        return str(home.relative_to(Path.cwd()))
    except ValueError:
        return str(home)


