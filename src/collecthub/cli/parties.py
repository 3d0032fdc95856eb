"""`collecthub creditor` and `collecthub partner`: who is in the house."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

import typer

from collecthub.cli.amounts import amount
from collecthub.cli.hub_access import client
from collecthub.cli.lists import Cursor, Limit, print_page
from collecthub.cli.output import Json, print_json, print_listed, say

creditor_app = typer.Typer(no_args_is_help=True, help="Creditors: the tenants of the hub.")
partner_app = typer.Typer(no_args_is_help=True, help="Partners: bailiffs, lawyers and agencies that take cases.")


def words(text: str) -> tuple[str, ...]:
    """The parts of a comma-separated option.

    >>> words("BE, NL,")
    ('BE', 'NL')
    """
    return tuple(part.strip() for part in text.split(",") if part.strip())


@creditor_app.command("add")
def add_creditor(
    name: Annotated[str, typer.Argument(help="Name as debtors and partners know it.")],
    country: Annotated[str, typer.Option(help="Country of the creditor, such as BE.")],
    creditor_id: Annotated[str, typer.Option("--id", help="Id to use; made up when left out.")] = "",
    language: Annotated[str, typer.Option(help="Language, such as nl.")] = "",
    kind: Annotated[Literal["company", "person", "public"], typer.Option(help="What the creditor is.")] = "company",
    registration: Annotated[str, typer.Option(help="Number in the company register.")] = "",
    vat: Annotated[str, typer.Option(help="VAT number.")] = "",
    owner: Annotated[str, typer.Option(help="Who owns new cases.")] = "",
    contact_person: Annotated[str, typer.Option(help="Whom debtors and partners can reach.")] = "",
    payment_account: Annotated[str, typer.Option(help="Account for the money, as IBAN.")] = "",
    charges: Annotated[
        Literal["none", "shown", "booked"],
        typer.Option(help="Interest and the like: not asked for, computed and shown, or booked in the ledger as well."),
    ] = "shown",
    law: Annotated[str, typer.Option(help="Country whose law the contracts choose, such as BE.")] = "",
    principal_first: Annotated[bool, typer.Option("--principal-first", help="The contracts say that payments settle the principal first.")] = False,
    keep_rest: Annotated[bool, typer.Option("--keep-rest", help="Charges stay owed when a case ends because its principal was paid.")] = False,
    dunning_fee: Annotated[
        Decimal, typer.Option(parser=amount, metavar="AMOUNT", help="What the contracts let each reminder after the first cost, where the law allows it.")
    ] = Decimal(0),
    dunning_fee_currency: Annotated[str, typer.Option(help="Currency of that fee; cases in another one bear none.")] = "EUR",
    as_json: Json = False,
) -> None:
    """Add a creditor, or replace the data of the one with this id."""
    from collecthub.engine.doors import create_creditor
    from collecthub.model.charging import ChargePolicy, Charging
    from collecthub.model.party import Address, Party, PartyKind
    from collecthub.store.connections import Playbook

    code = country.strip().upper()
    party = Party(
        name=name, kind=PartyKind(kind), country=code, language=language, registration_ref=registration, vat_ref=vat,
        address=Address(country=code),
    )  # fmt: skip
    policy = ChargePolicy(
        charging=Charging(charges), law_country=law.strip().upper(), keeps_rest=keep_rest,
        allocation="principal_first" if principal_first else "", dunning_fee=dunning_fee,
        dunning_fee_currency=dunning_fee_currency.strip().upper(),
    )  # fmt: skip
    playbook = Playbook(owner=owner, contact_person=contact_person, payment_account=payment_account, charges=policy)
    with client() as hub:
        made = create_creditor(hub, party, playbook, creditor_id=creditor_id)
    _added("creditor_id", made, as_json=as_json)


@creditor_app.command("list")
def list_creditors(limit: Limit = 50, cursor: Cursor = "", as_json: Json = False) -> None:
    """List creditors."""
    from collecthub.store.queries.doors import list_creditors as read
    from collecthub.store.queries.scope import LOCAL_OPERATOR

    print_page(
        lambda conn, hub, page: read(conn, LOCAL_OPERATOR, hub.key, page), "creditor_id name open_cases",
        limit=limit, cursor=cursor, as_json=as_json,
    )  # fmt: skip


@partner_app.command("add")
def add_partner(
    partner_id: Annotated[str, typer.Argument(help="Id to use, such as bailiff-peeters.")],
    name: Annotated[str, typer.Option(help="Name of the office.")],
    role: Annotated[Literal["bailiff", "lawyer", "agency"], typer.Option(help="What the partner is.")],
    countries: Annotated[str, typer.Option(help="Countries it takes debtors of, such as BE,LU; empty for all.")] = "",
    currencies: Annotated[str, typer.Option(help="Currencies it takes, such as EUR; empty for all.")] = "",
    segments: Annotated[str, typer.Option(help="B2B, B2C, B2G; empty for all.")] = "",
    languages: Annotated[str, typer.Option(help="Languages it works in; empty for all.")] = "",
    minimum: Annotated[Decimal, typer.Option(parser=amount, metavar="AMOUNT", help="Least amount it takes.")] = Decimal(0),
    closed: Annotated[bool, typer.Option("--closed", help="It takes no new cases for now.")] = False,
    as_json: Json = False,
) -> None:
    """Add a partner, or replace the profile of the one with this id."""
    from collecthub.engine.doors import create_partner
    from collecthub.model.partner import PartnerProfile

    profile = PartnerProfile(
        partner_id=partner_id, name=name, role=role, countries=words(countries.upper()),
        currencies=words(currencies.upper()), segments=words(segments.upper()), languages=words(languages.lower()),
        minimum_amount=minimum, is_open=not closed,
    )  # fmt: skip
    with client() as hub:
        create_partner(hub, profile)
    _added("partner_id", partner_id, as_json=as_json)


@partner_app.command("list")
def list_partners(as_json: Json = False) -> None:
    """List partners: role, countries, tier, whether a connection leads there; demo partners last."""
    from collecthub.store.queries.directory import directory

    with client() as hub, hub.database.read() as conn:
        found = directory(conn, hub.business_date())
    columns = "partner_id name role countries tier is_demo is_open is_connected open_cases"
    print_listed(found, None, columns, as_json=as_json)


def _added(name: str, value: str, *, as_json: bool) -> None:
    if as_json:
        print_json({name: value})
    else:
        say(f"Added: {value}")
