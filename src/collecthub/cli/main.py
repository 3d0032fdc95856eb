"""The command `collecthub`. Every command imports what it needs when it runs, so that help comes at once."""

from __future__ import annotations

import io
import logging
import sys
from typing import Annotated

import typer

from collecthub import __version__
from collecthub.cli import (
    acts,
    case_score,
    cases,
    checks,
    client_money,
    connections,
    contact,
    contracts,
    corridor_map,
    country,
    debtors,
    desks,
    docs,
    entrance,
    exchange,
    feasibility,
    invoices,
    keeping,
    law,
    network,
    nightly,
    offline,
    parties,
    partner_clocks,
    partner_profile,
    payments,
    plan,
    playbook,
    proceedings,
    receipts,
    remittance,
    routes,
    running,
    score,
    status,
    supplier_trial,
    trial,
)
from collecthub.cli.errors_shown import HubGroup
from collecthub.cli.output import say
from collecthub.engine.memory import walk_seldom

app = typer.Typer(
    cls=HubGroup,
    name="collecthub",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        say(f"collecthub {__version__}")
        raise typer.Exit


@app.callback()
def hub(
    debug: Annotated[bool, typer.Option("--debug", help="Print stack traces and detailed logs.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and end.")
    ] = False,
) -> None:
    """The integration hub for debt collection: from the ERP to the partner and back.

    Exit codes: 0 done, 1 done with findings, 2 usage, 3 configuration, 4 something outside is unavailable.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a name that the terminal cannot show must not end a command
    walk_seldom()
    logging.basicConfig(
        level=logging.DEBUG if debug else logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s"
    )


for command in (
    trial.demo, nightly.nightly, running.serve, running.worker, running.run, running.sync, checks.reconcile, checks.verify,
    keeping.backup, keeping.restore, offline.sandbox, docs.docs,
):  # fmt: skip
    app.command()(command)
app.command("map")(corridor_map.show_map)
cases.app.command("feasibility")(feasibility.case_feasibility)
cases.app.command("score")(case_score.score_case)
cases.app.command("routes")(routes.case_routes)
cases.app.command("transfer")(routes.transfer_case)
cases.app.command("moved")(routes.move_debtor)
parties.partner_app.command("coverage")(feasibility.partner_coverage)
parties.partner_app.command("show")(network.show_partner)
parties.partner_app.command("demo-network")(network.install_network)
parties.partner_app.add_typer(partner_profile.app, name="profile")
parties.partner_app.command("clocks")(partner_clocks.partner_clocks)
exchange.app.command("trial")(supplier_trial.exchange_trial)
for name, group in (
    ("creditor", parties.creditor_app), ("partner", parties.partner_app), ("mandate", network.mandate_app), ("act", acts.app), ("connection", connections.app),
    ("case", cases.app), ("task", desks.task_app), ("quarantine", desks.quarantine_app),
    ("dispatch", desks.dispatch_app), ("user", entrance.user_app), ("key", entrance.key_app),
    ("db", keeping.db_app), ("fence", keeping.fence_app), ("plugin", corridor_map.plugin_app),
    ("status", status.app), ("country", country.app), ("portfolio", feasibility.portfolio_app), ("exchange", exchange.app), ("invoice", invoices.app),
    ("law", law.app), ("payment", payments.app), ("remittance", remittance.app), ("contract", contracts.app), ("client-money", client_money.app), ("receipt", receipts.app), ("score", score.app), ("playbook", playbook.app), ("contact", contact.app), ("plan", plan.app), ("proceeding", proceedings.app), ("debtor", debtors.app),
):  # fmt: skip
    app.add_typer(group, name=name)
