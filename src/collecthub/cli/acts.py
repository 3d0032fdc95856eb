"""`collecthub act`: summons and service that lawyers and agencies elsewhere ask for here."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from collecthub.cli.amounts import amount
from collecthub.cli.dates import day
from collecthub.cli.hub_access import client
from collecthub.cli.output import Json, note, plain, print_json, print_listed, say

if TYPE_CHECKING:
    from collections.abc import Callable

    from collecthub.engine.context import Hub, Work
    from collecthub.model.act import Act
    from collecthub.store.queries.scope import Scope

app = typer.Typer(no_args_is_help=True, help="Acts that lawyers and agencies elsewhere ask for here.")
ActId = Annotated[str, typer.Argument(metavar="ACT", help="Id of the act, as in `collecthub act list`.")]


@app.command("list")
def list_acts(as_json: Json = False) -> None:
    """List the newest acts."""
    from collecthub.engine import act_desk
    from collecthub.store.queries.scope import LOCAL_OPERATOR

    with client() as hub, hub.database.read() as conn:
        found = [act_desk.view_of(act) for act in act_desk.list_acts(conn, LOCAL_OPERATOR)]
    print_listed(found, None, "act_id partner_id reference kind from_country to_country state", as_json=as_json)


@app.command("show")
def show(act_id: ActId, as_json: Json = False) -> None:
    """Show one act with the rules of both countries and the tariff, each with its source."""
    from collecthub.engine import act_desk
    from collecthub.store.queries.scope import LOCAL_OPERATOR

    with client() as hub, hub.database.read() as conn:
        act = act_desk.read_act(conn, LOCAL_OPERATOR, act_id)
        found, proposal = act_desk.view_of(act), act_desk.propose(hub, act, hub.business_date())
    if as_json:
        print_json({"act": found, "proposal": proposal})
        return
    say(f"{plain(found.partner_id)} asks for {found.kind} on {plain(found.addressee)} in {found.to_country}: {found.state}")
    say(f"Rules: {proposal.rules.rule.title} ({proposal.rules.rule.source})")
    tariff = proposal.tariff
    say(f"Tariff: {tariff.amount:,} and tax, {tariff.article}" if tariff else "Tariff: not known here; enter the amount with the quote")
    for line in proposal.rules.notes:
        note(line)


@app.command("take")
def take(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The exchange in JSON, as it came.")],
    partner: Annotated[str, typer.Option(help="Id of the partner that sent it.")], as_json: Json = False,
) -> None:  # fmt: skip
    """Take a request, or the answer to a price, that came by other means."""
    from collecthub.engine import act_desk

    with client() as hub, hub.work() as work:
        taken = act_desk.take_exchange(hub, work, partner, file.read_bytes())
    _told(taken, as_json=as_json)


@app.command("quote")
def quote(
    act_id: ActId,
    price: Annotated[str, typer.Option("--amount", help="The price without tax; that of the tariff when left out.")] = "",
    tax: Annotated[str, typer.Option(help="The tax on it.")] = "",
    text: Annotated[str, typer.Option("--note", help="By which rules, where no instrument is known.")] = "",
    as_json: Json = False,
) -> None:
    """Put the price before whoever asked."""
    from collecthub.engine import act_desk

    given, taxed = (amount(value) if value else None for value in (price, tax))
    _do(
        lambda hub, work, scope: act_desk.quote_act(hub, work, scope, act_id, amount=given, tax_amount=taxed, note=text),
        as_json=as_json,
    )


@app.command("refuse")
def refuse(act_id: ActId, reason: Annotated[str, typer.Option(help="Why not.")], as_json: Json = False) -> None:
    """Say that it is not done here, and why."""
    from collecthub.engine import act_desk

    _do(lambda hub, work, scope: act_desk.refuse_act(work, scope, act_id, reason), as_json=as_json)


@app.command("certify")
def certify(
    act_id: ActId,
    file: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="The certificate: PDF, PNG or JPEG.")],
    text: Annotated[str, typer.Option(help="What happened.")],
    done_on: Annotated[dt.date | None, typer.Option(parser=day, help="The day; today when left out.")] = None,
    not_served: Annotated[bool, typer.Option("--not-served", help="It could not be done.")] = False,
    as_json: Json = False,
) -> None:
    """Say that it was done, or could not be, with the certificate."""
    from collecthub.engine import act_desk

    content = file.read_bytes()
    _do(
        lambda hub, work, scope: act_desk.perform_act(
            hub, work, scope, act_id, is_served=not not_served, done_on=done_on or hub.business_date(), text=text,
            name=file.name, content=content,
        ),
        as_json=as_json,
    )  # fmt: skip


def _do(act: Callable[[Hub, Work, Scope], Act], *, as_json: bool) -> None:
    from collecthub.store.queries.scope import LOCAL_OPERATOR

    with client() as hub, hub.work() as work:
        changed = act(hub, work, LOCAL_OPERATOR)
    _told((changed,), as_json=as_json)


def _told(found: tuple[Act, ...], *, as_json: bool) -> None:
    from collecthub.engine.act_desk import view_of

    if as_json:
        print_json({"items": [view_of(one) for one in found], "next_cursor": None})
        return
    for one in found:
        say(f"{one.act_id}: {one.kind} for {plain(one.partner_id)}, {one.state.value}")
