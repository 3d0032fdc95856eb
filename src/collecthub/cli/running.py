"""Commands that work: `serve`, `worker`, `run`; and `sync`, which only wakes those that do."""

from __future__ import annotations

import contextlib
import datetime as dt
import logging
import signal
import socket
import sys
import threading
import time
from typing import TYPE_CHECKING, Annotated

import typer

from collecthub.cli.hub_access import at_work, client
from collecthub.cli.output import Json, note, print_json, say
from collecthub.errors import ConfigurationError

if TYPE_CHECKING:
    from collecthub.engine.context import Hub
    from collecthub.engine.durable import Engine
    from collecthub.engine.idle import Leftover

_LOOK_SECONDS = 0.1
_WORKER_SEEN = dt.timedelta(seconds=30)


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on; the setting `host` by default.")] = "",
    port: Annotated[int, typer.Option(min=-1, max=65535, help="Port; the setting `port` by default.")] = -1,
    no_worker: Annotated[bool, typer.Option("--no-worker", help="Only the web; another process works.")] = False,
) -> None:
    """Serve portal and API, and do the work, in one process."""
    import uvicorn

    from collecthub.cli.serving import mailbox_service
    from collecthub.hub import open_client
    from collecthub.web.app import create_app

    _log_at(logging.INFO)
    hub = open_client()
    with contextlib.closing(hub), contextlib.ExitStack() as stack:
        if not no_worker:
            stack.enter_context(at_work(hub, ticking=True))
        listener = stack.enter_context(_listener(host or hub.settings.host, hub.settings.port if port < 0 else port))
        config = uvicorn.Config(create_app(hub), log_level="warning", access_log=False, server_header=False)
        say("collecthub serves http://{}:{}".format(*listener.getsockname()[:2]) + f" on {hub.settings.home}")
        if hub.settings.sftp_port >= 0:
            mailboxes = stack.enter_context(mailbox_service(hub, host or hub.settings.host))
            say(f"Mailboxes of partners by SFTP on port {mailboxes.port}, host key {mailboxes.fingerprint}")
        say(_logins(hub))
        sys.stdout.flush()
        # The server raises the signal that ended it once more when it has closed; the work is still to be finished.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: None)
        uvicorn.Server(config).run(sockets=[listener])


def _listener(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise ConfigurationError(
            f"nobody can listen on {host} port {port} ({error.strerror})", cure="Choose another with --host or --port."
        ) from error


def _logins(hub: Hub) -> str:
    from collecthub.store.accounts import read_users

    with hub.database.read() as conn:
        users = len(read_users(conn))
    if users:
        return f"{users} people can log in; add more with `collecthub user add`."
    return "Nobody can log in yet: add the first person with `collecthub user add`."


def worker() -> None:
    """Do the work without the web, until it is told to stop; then finish what runs."""
    from collecthub.hub import open_hub

    _log_at(logging.INFO)
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    hub = open_hub()
    with contextlib.closing(hub), at_work(hub, ticking=True) as engine:
        note(f"worker {engine.executor_id} works on {hub.settings.home}; Ctrl-C or SIGTERM ends it")
        stopped.wait()
        note("finishing what runs")


def run(
    seconds: Annotated[float, typer.Option(min=1, help="Longest time to work.")] = 600,
    as_json: Json = False,
) -> None:
    """Recover, pull every ERP, listen to every partner and work until nothing is left. Exit code 1 if something is."""
    from collecthub.engine.idle import wake_outsides
    from collecthub.hub import open_hub
    from collecthub.store.facts import FENCE, read_fact

    hub = open_hub()
    with contextlib.closing(hub), at_work(hub, ticking=False) as engine:
        with hub.database.read() as conn:
            fenced = read_fact(conn, FENCE)
        wake_outsides(hub, pull=True, listen=True)
        if fenced:
            note(f"This hub is fenced ({fenced}): it reads and records, and sends nothing.")
            left = _work_fenced(hub, seconds)
        else:
            left = _with_progress(hub, engine, seconds)
            _say_stopped(hub)
    if as_json:
        print_json(left)
    elif left.total == 0:
        say("Nothing is left to do.")
    else:
        say(
            f"Left: {left.jobs} jobs, {left.messages} messages to send, {left.envelopes} sendings under way, "
            f"{left.inbox} messages to read, {left.reports} reports to tell, {left.unheard} connections unheard. "
            "See `collecthub connection list`."
        )
    raise typer.Exit(1 if left.total else 0)


def _work_fenced(hub: Hub, seconds: float) -> Leftover:
    """What may be done behind the fence; what waits to be sent, or cannot be read yet, stays.

    A partner's answer to a case file that left after the backup is not read before the fence has fallen, and what a
    stopped connection brought is not either: once no job runs, waiting brings nothing.
    """
    from collecthub.engine.idle import leftover
    from collecthub.engine.unread import read_what_waits

    read_what_waits(hub)
    deadline = time.monotonic() + seconds
    while True:
        left = leftover(hub, exact=True, within=seconds)
        if left.jobs == 0 or time.monotonic() > deadline:
            _say_what_waits(hub, left)
            return left
        time.sleep(_LOOK_SECONDS)


def _say_what_waits(hub: Hub, left: Leftover) -> None:
    """Why something stays behind the fence, and what lets it go on."""
    from collecthub.engine.unread import unread

    _say_stopped(hub)
    for one in unread(hub):
        if not one.is_stopped:
            note(
                f"{one.messages} messages of {one.name} ({one.connection_id}) are not read or not answered: they may be "
                "about case files that left after the backup. They are looked at again after `collecthub fence release`."
            )
    if left.messages or left.envelopes or left.reports:
        note("What is to be sent waits for `collecthub fence release`.")


def _say_stopped(hub: Hub) -> None:
    """Which stopped connections keep work waiting."""
    from collecthub.engine.stopped_lines import stopped_lines

    with hub.database.read() as conn:
        lines = stopped_lines(conn)
    for one in lines:
        note(
            f"{one.waiting} to send or to read of {one.name} ({one.connection_id}): the connection is stopped. "
            f"{one.detail} See `collecthub connection check {one.connection_id}`, or let it go on with "
            f"`collecthub connection resume {one.connection_id}`."
        )


def _with_progress(hub: Hub, engine: Engine, seconds: float) -> Leftover:
    from rich.console import Console

    from collecthub.engine.idle import work_until_idle

    console = Console(stderr=True)
    if not console.is_terminal:
        return work_until_idle(hub, engine, seconds=seconds)
    with console.status("working") as status:
        return work_until_idle(
            hub, engine, seconds=seconds,
            watch=lambda left: status.update(
                f"{left.messages} to send, {left.envelopes} under way, {left.inbox} to read, {left.reports} to tell"
            ),
        )


def sync(
    connection: Annotated[str, typer.Argument(help="Id of a connection; all ERPs and partners when left out.")] = "",
    as_json: Json = False,
) -> None:
    """Wake pulls and listening now, to be done by the running hub."""
    from collecthub.engine.idle import wake_outsides
    from collecthub.engine.upkeep import request_pull
    from collecthub.store.queries.scope import LOCAL_OPERATOR

    with client() as hub:
        if connection:
            with hub.work() as work:
                request_pull(work, LOCAL_OPERATOR, connection)
        else:
            wake_outsides(hub, pull=True, listen=True)
        working = _is_somebody_working(hub)
    if not working:
        note("No hub is working now: start `collecthub serve`, or `collecthub run` to work until nothing is left.")
    if as_json:
        print_json({"connection_id": connection or None, "is_hub_working": working})
    else:
        say(f"Woken: {connection or 'every ERP and partner'}.")


def _is_somebody_working(hub: Hub) -> bool:
    import sqlalchemy as sa

    from collecthub.store import tables as t

    since = dt.datetime.now(dt.UTC) - _WORKER_SEEN
    with hub.database.read() as conn:
        return conn.scalar(sa.select(t.workers.c.executor_id).where(t.workers.c.beat_at > since).limit(1)) is not None


def _log_at(level: int) -> None:
    """A process that stays says more than a command that ends; `--debug` says most."""
    logger = logging.getLogger("collecthub")
    logger.setLevel(min(level, logging.getLogger().level))
