"""`collecthub debtor`: who a debtor is, and one debtor with everybody."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Annotated

import typer

from collecthub.cli.amounts import amount
from collecthub.cli.case_ref import CaseRef, case_id_of
from collecthub.cli.dates import day
from collecthub.cli.hub_access import client
from collecthub.cli.output import Json, note, plain, print_json, print_table, say
from collecthub.model.spread import SpreadRule

app = typer.Typer(no_args_is_help=True, help="One debtor across creditors: twins, one capacity, one plan, one payment.")
Reason = Annotated[str, typer.Option(help="Why.")]
Currency = Annotated[str, typer.Option(help="Currency of the amount.")]


@app.command("twins")
def twins(as_json: Json = False) -> None:
    """List debtors who may be one, with what speaks for it."""
    from collecthub.store.queries.debtors import list_twins
    from collecthub.store.queries.scope import LOCAL_OPERATOR

    with client() as hub, hub.database.read() as conn:
        found = list_twins(conn, LOCAL_OPERATOR)
    if as_json:
        print_json(found)
        return
    print_table(
        ["twin", "one", "other", "evidence"],
        [
            [
                one.twin_id, *(plain(f"{side.party.name} ({side.creditor_name} {side.debtor_ref})") for side in (one.first, one.second)),
                plain(one.evidence),
            ]
            for one in found
        ],
    )  # fmt: skip


@app.command("join")
def join(twin: Annotated[str, typer.Argument(help="Id of the pair.")], reason: Reason) -> None:
    """Say that two debtors are one."""
    from collecthub.engine.identity_desk import join_twins
    from collecthub.store.queries.scope import LOCAL_OPERATOR

    with client() as hub, hub.work() as work:
        identity_id = join_twins(hub, work, LOCAL_OPERATOR, twin, reason=reason)
    say(f"They are one debtor now: {identity_id}")


@app.command("keep-apart")
def keep_apart(twin: Annotated[str, typer.Argument(help="Id of the pair.")], reason: Reason) -> None:
    """Say that two debtors are not the same; it is not asked again."""
    from collecthub.engine import identity_desk
    from collecthub.store.queries.scope import LOCAL_OPERATOR

    with client() as hub, hub.work() as work:
        identity_desk.keep_apart(hub, work, LOCAL_OPERATOR, twin, reason=reason)
    say("They are kept apart.")


@app.command("show")
def show(case: CaseRef, as_json: Json = False) -> None:
    """Show the debtor of a case with all his cases."""
    from collecthub.store.queries.debtors import one_debtor
    from collecthub.store.queries.scope import LOCAL_OPERATOR

    with client() as hub, hub.database.read() as conn:
        view = one_debtor(conn, LOCAL_OPERATOR, _identity(conn, case))
    if as_json:
        print_json(view)
        return
    said = f"{view.capacity} {view.currency} a month" if view.capacity is not None else "not known"
    say(f"{plain(view.name)}: reference {view.reference}, can pay {said}, payments are divided {view.spread.value}")
    print_table(
        ["case", "creditor", "status", "holds", "plan", "owed", "currency"],
        [[one.number, plain(one.creditor_name), one.status, " ".join(one.holds), one.plan, one.owed, one.currency] for one in view.cases],
    )


@app.command("pay")
def pay(
    case: CaseRef,
    sum_paid: Annotated[Decimal, typer.Argument(parser=amount, metavar="AMOUNT", help="What arrived.")],
    paid_on: Annotated[dt.date, typer.Option(parser=day, metavar="DATE", help="When it arrived.")],
    currency: Currency = "EUR",
) -> None:
    """Record one payment of the debtor of a case: it is divided over all his cases by the stored rule."""
    from collecthub.engine.one_debtor import pay_for_all
    from collecthub.store.queries.scope import LOCAL_OPERATOR

    with client() as hub, hub.work() as work:
        parts = pay_for_all(
            hub, work, LOCAL_OPERATOR, _identity(work.conn, case), amount=sum_paid, currency=currency, paid_on=paid_on
        )
    print_table(["case", "part"], [[case_id, part] for case_id, part in parts.items()])


@app.command("spread")
def spread(case: CaseRef, rule: Annotated[SpreadRule, typer.Argument(help="Who gets what.")]) -> None:
    """Choose how one payment of this debtor is divided from now on."""
    from collecthub.engine.one_debtor import set_spread
    from collecthub.store.queries.scope import LOCAL_OPERATOR

    with client() as hub, hub.work() as work:
        set_spread(work, LOCAL_OPERATOR, _identity(work.conn, case), rule)
    say(f"Payments are divided {rule.value}.")


def _identity(conn: object, case: str) -> str:
    import sqlalchemy as sa

    from collecthub.errors import PermanentError
    from collecthub.store.queries.debtors import identity_of
    from collecthub.store.queries.scope import LOCAL_OPERATOR

    assert isinstance(conn, sa.Connection), "of the hub"
    found = identity_of(conn, LOCAL_OPERATOR, case_id_of(conn, case))
    if not found:
        note("`collecthub run` works off what waits.")
        raise PermanentError("who the debtor is was not looked into yet", cure="Try again when the runner has worked.")
    return found
