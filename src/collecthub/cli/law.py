"""`collecthub law`: what the law of a country says of a claim. None of these commands needs a database."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from collecthub.cli import law_clock
from collecthub.cli.amounts import amount
from collecthub.cli.dates import day
from collecthub.cli.errors_shown import FINDINGS
from collecthub.cli.law_options import (
    ContractDate,
    Country,
    CurrencyOption,
    Due,
    Exchange,
    Rates,
    SegmentOption,
    ToLastKnown,
    Variant,
    currency,
    law_of,
    today,
)
from collecthub.cli.output import Json, note, print_json, print_listed, print_record, print_table, say

if TYPE_CHECKING:
    from collecthub.law.charges import ChargeQuestion
    from collecthub.law.interest import Pause, Reduction
    from collecthub.law.late_payment import LatePayment, Reminded
    from collecthub.law.rules import CountryLaw

app = typer.Typer(
    no_args_is_help=True,
    help="Interest, compensation, limitation, time limits and lawful steps by dated country packs.",
)
app.command("limitation")(law_clock.limitation)
app.command("deadline")(law_clock.deadline)
app.command("step")(law_clock.step)


@app.command("interest")
def interest(
    country: Country,
    principal: Annotated[Decimal, typer.Option(parser=amount, metavar="AMOUNT", help="Unpaid amount.")],
    due: Due,
    until: Annotated[dt.date, typer.Option(parser=day, metavar="DATE", help="Last interest day.")],
    segment: SegmentOption = "B2B",
    contract_date: ContractDate = None,
    currency_: CurrencyOption = "",
    start: Annotated[
        dt.date | None,
        typer.Option(parser=day, metavar="DATE", help="First interest day; the day after the due date."),
    ] = None,
    reminder: Annotated[
        str, typer.Option(metavar="DATE[:CHANNEL]", help="First reminder to a consumer, as 2025-05-05:email.")
    ] = "",
    large_creditor: Annotated[
        bool, typer.Option("--large-creditor", help="The creditor is no small or medium enterprise.")
    ] = False,
    contract_rate: Annotated[
        str,
        typer.Option(
            metavar="PERCENT", help="Rate of the clause a year, or `ceiling` for one that follows the highest."
        ),
    ] = "",
    paid: Annotated[
        list[str] | None,
        typer.Option(metavar="DATE=AMOUNT", help="Principal that was paid or credited; repeatable."),
    ] = None,
    pause: Annotated[
        list[str] | None,
        typer.Option(metavar="FROM[:TO]", help="Days without interest, such as a debt settlement; repeatable."),
    ] = None,
    variant: Variant = "",
    actual_days: Annotated[
        bool, typer.Option("--actual-days", help="Years of 365 or 366 days instead of 365.")
    ] = False,
    exchange_rate: Exchange = None,
    rates: Rates = None,
    to_last_known: ToLastKnown = False,
    as_json: Json = False,
) -> None:
    """Default interest and compensation of one claim, with segments, rule, version and source."""
    from collecthub.law.interest import DayCount, InterestQuestion
    from collecthub.law.late_payment import late_payment

    law = law_of(country, rates)
    question = InterestQuestion(
        segment=segment, principal=principal, due_on=due, until=until, currency=_currency(currency_, law),
        contract_on=contract_date, start_on=start, variant=variant, contract_rate=_rate(contract_rate),
        reductions=tuple(_reduction(text) for text in paid or ()), pauses=tuple(_pause(text) for text in pause or ()),
        day_count=DayCount.ACTUAL if actual_days else DayCount.FIXED, may_stop_early=to_last_known,
    )  # fmt: skip
    answer = late_payment(
        law, question, reminded=_reminded(reminder), is_large_creditor=large_creditor, exchange_rate=exchange_rate
    )
    _show(answer, as_json=as_json)


@app.command("compensation")
def compensation(
    country: Country,
    principal: Annotated[
        Decimal, typer.Option(parser=amount, metavar="AMOUNT", help="Debt, or balance of a consumer.")
    ],
    segment: SegmentOption = "B2B",
    on: Annotated[
        dt.date | None, typer.Option(parser=day, metavar="DATE", help="Day of the charge; today.")
    ] = None,
    due: Annotated[dt.date | None, typer.Option(parser=day, metavar="DATE", help="Due date of the claim.")] = None,
    contract_date: ContractDate = None,
    currency_: CurrencyOption = "",
    variant: Variant = "",
    exchange_rate: Exchange = None,
    rates: Rates = None,
    to_last_known: ToLastKnown = False,
    as_json: Json = False,
) -> None:
    """The lump sum for late payment, or what a clause towards a consumer may be at most."""
    from collecthub.law.charges import COMPENSATION, ChargeQuestion

    law = law_of(country, rates)
    question = ChargeQuestion(
        item=COMPENSATION, segment=segment, basis=principal, currency=_currency(currency_, law), on=on or due or today(),
        contract_on=contract_date, due_on=due, variant=variant, exchange_rate=exchange_rate, may_use_last=to_last_known,
    )  # fmt: skip
    _print_charge(law, question, "compensation", as_json=as_json)


@app.command("tariff")
def tariff(
    country: Country,
    item: Annotated[
        str, typer.Option(help="What is charged, such as bailiff_act, bailiff_recovery or later_reminder.")
    ],
    basis: Annotated[
        Decimal, typer.Option("--amount", parser=amount, metavar="AMOUNT", help="Amount the scale looks at.")
    ],
    segment: SegmentOption = "B2C",
    nature: Annotated[str, typer.Option(help="Kind of claim, such as energy, medical or family.")] = "",
    on: Annotated[dt.date | None, typer.Option(parser=day, metavar="DATE", help="Day of the act; today.")] = None,
    contract_date: ContractDate = None,
    currency_: CurrencyOption = "",
    rates: Rates = None,
    to_last_known: ToLastKnown = False,
    as_json: Json = False,
) -> None:
    """A tariffed amount: a bailiff's act, file cost or recovery fee, a reminder."""
    from collecthub.law.charges import ChargeQuestion

    law = law_of(country, rates)
    question = ChargeQuestion(
        item=item, segment=segment, basis=basis, currency=_currency(currency_, law), on=on or today(), nature=nature,
        contract_on=contract_date, may_use_last=to_last_known,
    )  # fmt: skip
    _print_charge(law, question, "amount", as_json=as_json)


@app.command("packs")
def packs(
    check: Annotated[
        bool, typer.Option("--check", help="Show what is wrong with them; exit code 1 if anything is.")
    ] = False,
    as_json: Json = False,
) -> None:
    """The country packs that are installed, with how many rules each holds."""
    from collecthub.config import load_settings
    from collecthub.hub import load_all_plugins
    from collecthub.law.pack_check import pack_faults, rates_known_until

    plugins = load_all_plugins(load_settings())
    laws = [plugins.country_law(country) for country in sorted(plugins.jurisdictions)]
    if check:
        faults = [{"country": law.country, "fault": fault} for law in laws for fault in pack_faults(law)]
        print_listed(faults, None, "country fault", as_json=as_json)
        raise typer.Exit(FINDINGS if faults else 0)
    rows = [
        {
            "country": law.country, "title": law.title, "version": law.version, "interest": len(law.interest),
            "charges": len(law.charges), "limitation": len(law.limitation), "deadlines": len(law.deadlines),
            "rates_known_until": rates_known_until(law),
            "checks_steps": law.check_step is not None,
        }
        for law in laws
    ]  # fmt: skip
    print_listed(
        rows,
        None,
        "country title version interest charges limitation deadlines rates_known_until checks_steps",
        as_json=as_json,
    )


# --- reading --------------------------------------------------------------------------------------


def _currency(given: str, law: CountryLaw) -> str:
    return currency(given) if given else law.currency


def _rate(text: str) -> Decimal | str | None:
    from collecthub.law.interest import CEILING

    return CEILING if text == CEILING else amount(text) if text else None


def _reduction(text: str) -> Reduction:
    from collecthub.law.interest import Reduction

    on, equals, value = text.partition("=")
    if not equals:
        raise typer.BadParameter("--paid takes DATE=AMOUNT, such as 2025-05-05=100.00")
    return Reduction(on=day(on), amount=amount(value))


def _pause(text: str) -> Pause:
    from collecthub.law.interest import Pause

    first, _, last = text.partition(":")
    return Pause(from_on=day(first), to_on=day(last) if last else None)


def _reminded(text: str) -> Reminded | None:
    from collecthub.law.late_payment import Reminded

    on, _, channel = text.partition(":")
    return Reminded(on=day(on), channel=channel or "letter") if on else None


# --- showing --------------------------------------------------------------------------------------


def _show(answer: LatePayment, *, as_json: bool) -> None:
    if as_json:
        print_json(answer)
        return
    granted = (
        "not known" if answer.compensation is None else f"{answer.compensation} {answer.compensation_currency}"
    )
    say(f"Interest {answer.interest} {answer.currency} until {answer.until}, compensation {granted}.")
    rows = [
        [part.from_on, part.to_on, part.days, part.principal, part.rate_percent, part.interest, part.basis]
        for part in answer.segments
    ]
    print_table(["from", "to", "days", "principal", "rate", "interest", "basis"], rows)
    for rule in answer.rules:
        say(
            f"Rule {rule.id} ({rule.article or rule.title}), version {rule.version}, {rule.evidence.value}: {rule.source}"
        )
    for text in answer.notes:
        note(f"Note: {text}.")


def _print_charge(law: CountryLaw, question: ChargeQuestion, name: str, *, as_json: bool) -> None:
    """A charge as a record; the amount stands under the name that the command is about."""
    from collecthub.law.charges import charge_shown

    shown = msgspec.to_builtins(charge_shown(law, question))
    shown = {"country": shown.pop("country"), name: shown.pop("amount"), **shown}
    print_record(shown, as_json=as_json)
