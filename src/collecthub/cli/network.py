"""`partner show`, `partner demo-network`, `mandate`: the directory, and the papers without which nothing leaves."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

import typer

from collecthub.cli.country import AsOf
from collecthub.cli.dates import day
from collecthub.cli.hub_access import client
from collecthub.cli.output import Json, note, plain, print_json, print_listed, print_table, say

mandate_app = typer.Typer(no_args_is_help=True, help="Agreements, powers of attorney and identity checks.")
Kind = Literal["agreement", "power_of_attorney", "identity_check", "creditor_identity"]


def show_partner(partner_id: Annotated[str, typer.Argument(help="Id of the partner.")], as_json: Json = False) -> None:
    """Show a partner: countries, tier, licences, channels, terms, capacity, papers."""
    from collecthub.store.queries.directory import partner_sheet
    from collecthub.store.queries.scope import LOCAL_OPERATOR

    with client() as hub, hub.database.read() as conn:
        sheet = partner_sheet(conn, LOCAL_OPERATOR, partner_id, hub.business_date())
    if as_json:
        print_json(sheet)
        return
    profile = sheet.profile
    say(f"{plain(sheet.name)} ({partner_id}), {profile.role}{', a demo partner' if profile.is_demo else ''}")
    print_table(
        ["what", "value"],
        [
            ["countries", ", ".join(profile.countries)], ["tier", sheet.tier],
            ["segments", ", ".join(profile.segments) or "all"], ["currencies", ", ".join(profile.currencies) or "all"],
            ["languages", ", ".join(profile.languages) or "not recorded"],
            ["amounts", f"from {profile.minimum_amount} to {profile.maximum_amount or 'any'} {profile.minimum_currency}"],
            ["capacity", f"{sheet.open_cases} of {profile.capacity or 'any number of'} cases"],
            ["channels", ", ".join(profile.channels) or "not recorded"],
            ["connections", ", ".join(sheet.connections) or "none"],
            *(
                ["licence", f"{held.country} {plain(held.number)}, until {held.expires_on or 'not known'} {plain(held.scope)}"]
                for held in profile.licences or ()
            ),
            ["contract", f"version {sheet.contract.version} from {sheet.contract.terms.valid_from}" if sheet.contract else "none"],
            ["asks for", ", ".join(profile.needs) or "no paper"],
            *([line.mandate.kind.value, f"{line.state.value}, until {line.good_until or 'no end'}"] for line in sheet.papers),
        ],
    )  # fmt: skip


def install_network(as_json: Json = False) -> None:
    """Add the demo network: a made-up partner in each of many countries, marked as demo and counted apart."""
    from collecthub.engine.demo_network import install_demo_network

    with client() as hub:
        added = install_demo_network(hub)
    if as_json:
        print_json({"added": added})
    else:
        say(f"{added} demo partners added. They are nobody's partners: connect your own before a case leaves.")


@mandate_app.command("list")
def list_mandates(
    partner: Annotated[str, typer.Option(help="Only those of this partner.")] = "", as_of: AsOf = None, as_json: Json = False
) -> None:
    """List papers with how they stand on a day."""
    from collecthub.store.queries.directory import papers
    from collecthub.store.queries.scope import LOCAL_OPERATOR

    with client() as hub, hub.database.read() as conn:
        found = papers(conn, LOCAL_OPERATOR, as_of or hub.business_date(), partner_id=partner)
    lines = [
        {
            "mandate_id": one.mandate.mandate_id, "kind": one.mandate.kind.value, "partner_id": one.mandate.partner_id,
            "creditor_id": one.mandate.creditor_id, "state": one.state.value, "signed_on": one.mandate.signed_on,
            "good_until": one.good_until, "signed_by": one.mandate.signed_by,
        }
        for one in found
    ]  # fmt: skip
    columns = "mandate_id kind partner_id creditor_id state signed_on good_until signed_by"
    print_listed(lines, None, columns, as_json=as_json)


@mandate_app.command("sign")
def sign(
    kind: Annotated[Kind, typer.Argument(help="What was signed or checked.")],
    signed_by: Annotated[str, typer.Option(help="Who signed, or checked.")],
    partner: Annotated[str, typer.Option(help="Id of the partner.")] = "",
    creditor: Annotated[str, typer.Option(help="Id of the creditor; for all of them when left out.")] = "",
    signed_on: Annotated[dt.date | None, typer.Option(parser=day, metavar="DATE", help="Today when left out.")] = None,
    expires_on: Annotated[dt.date | None, typer.Option(parser=day, metavar="DATE", help="Its last day, if it has one.")] = None,
    form: Annotated[Literal["", "copy", "original", "notarised", "apostille"], typer.Option(help="Form of the paper.")] = "",
    as_json: Json = False,
) -> None:
    """Record a signed paper; cases that wait for it go on by themselves."""
    from collecthub.engine.mandates import sign_mandate
    from collecthub.model.mandate import MandateKind
    from collecthub.store.queries.scope import LOCAL_OPERATOR

    with client() as hub, hub.work() as work:
        made = sign_mandate(
            work, LOCAL_OPERATOR, kind=MandateKind(kind), partner_id=partner or None, creditor_id=creditor or None,
            signed_on=signed_on or hub.business_date(), expires_on=expires_on, form=form, signed_by=signed_by,
        )  # fmt: skip
    if as_json:
        print_json({"mandate_id": made.mandate_id})
    else:
        say(f"Signed: {made.mandate_id}")


@mandate_app.command("revoke")
def revoke_mandate(
    mandate_id: Annotated[str, typer.Argument(help="Id of the paper.")],
    text: Annotated[str, typer.Option(help="Why.")] = "",
) -> None:
    """Revoke a paper; no case leaves on it any more."""
    from collecthub.engine.mandates import revoke
    from collecthub.store.queries.scope import LOCAL_OPERATOR

    with client() as hub, hub.work() as work:
        revoke(work, LOCAL_OPERATOR, mandate_id, note=text)
    note("Revoked. Cases that are out stay where they are.")
