"""`collecthub law limitation`, `deadline` and `step`: days by which something must be, or may first be, done."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated

import typer

from collecthub.cli.amounts import amount
from collecthub.cli.dates import day
from collecthub.cli.errors_shown import FINDINGS
from collecthub.cli.law_options import (
    ContractDate,
    Country,
    Due,
    Rates,
    SegmentOption,
    Variant,
    law_of,
    today,
)
from collecthub.cli.output import Json, note, print_json, print_table, say

if TYPE_CHECKING:
    from collecthub.law.deadline import Deadline
    from collecthub.law.limitation import LegalAct, Limitation
    from collecthub.law.steps import Happened, Step, StepAnswer

_STEPS = (
    "remind, charge_clause, charge_interest, collector_notice, collect, charge_collector, uncontested_route, "
    "summon, enforce"
)


def limitation(
    country: Annotated[
        str, typer.Option(help="Country whose law governs; several that may, as BE,DE: the earliest counts.")
    ],
    due: Due,
    segment: SegmentOption = "B2B",
    nature: Annotated[
        str, typer.Option(help="Kind of claim, such as goods, utilities, medical or judgment.")
    ] = "",
    act: Annotated[
        list[str] | None,
        typer.Option(
            metavar="DATE=ACT[:END]", help="What was done: 2025-02-01=lawyer_notice, 2024-01-10=suit:2024-09-30."
        ),
    ] = None,
    as_of: Annotated[
        dt.date | None, typer.Option(parser=day, metavar="DATE", help="Day of the question; today.")
    ] = None,
    contract_date: ContractDate = None,
    variant: Variant = "",
    as_json: Json = False,
) -> None:
    """The last day on which a claim can be brought, what moved it, and alarms ahead of it. Exit code 1 if it is lost."""
    from collecthub.law import limitation as clock

    question = clock.LimitationQuestion(
        segment=segment, due_on=due, as_of=as_of or today(), nature=nature, variant=variant, contract_on=contract_date,
        acts=tuple(_act(text) for text in act or ()),
    )  # fmt: skip
    answer = clock.earliest(clock.limitation(law_of(code), question) for code in country.split(","))
    _show_limitation(answer, as_json=as_json)
    raise typer.Exit(FINDINGS if answer.is_barred else 0)


def deadline(
    country: Country,
    event: Annotated[
        str, typer.Option(help="What the time runs from, such as settlement_claim or bankruptcy_claim.")
    ],
    on: Annotated[dt.date, typer.Option("--from", parser=day, metavar="DATE", help="Day of the event.")],
    actor_country: Annotated[
        str, typer.Option(help="Where the party lives that has to act; home by default.")
    ] = "",
    segment: SegmentOption = "B2B",
    as_json: Json = False,
) -> None:
    """The last day of a time limit, longer for parties abroad where the law says so."""
    from collecthub.law.deadline import deadline as last_day

    found = last_day(law_of(country), event, on, segment=segment, actor_country=actor_country.strip().upper())
    if as_json:
        print_json(found)
        return
    say(f"Until {found.deadline_on}: {found.title}, {found.period} from {found.event_on} ({found.distance}).")
    _say_rule(found)
    _show_notes(found.notes)


def step(
    country: Country,
    wanted: Annotated[str, typer.Option("--step", help=f"One of {_STEPS}.")],
    principal: Annotated[Decimal, typer.Option(parser=amount, metavar="AMOUNT", help="Amount of the claim.")],
    due: Due,
    on: Annotated[dt.date | None, typer.Option(parser=day, metavar="DATE", help="Day of the step; today.")] = None,
    segment: SegmentOption = "B2C",
    contract_date: ContractDate = None,
    happened: Annotated[
        list[str] | None,
        typer.Option(
            metavar="DATE=FACT[:CHANNEL or AMOUNT]",
            help="What happened: 2025-05-05=reminder:email, 2025-05-20=payment:100.00.",
        ),
    ] = None,
    claimed: Annotated[
        Decimal | None, typer.Option(parser=amount, metavar="AMOUNT", help="What the step asks beside the principal.")
    ] = None,
    rate: Annotated[
        Decimal | None, typer.Option(parser=amount, metavar="PERCENT", help="Rate of interest the step asks.")
    ] = None,
    regular_supply: Annotated[
        bool, typer.Option("--regular-supply", help="Energy, water, telephone and the like.")
    ] = False,
    free_reminders_used: Annotated[
        int, typer.Option(min=0, help="Due dates of this year that were reminded free.")
    ] = 0,
    unregistered: Annotated[
        bool, typer.Option("--unregistered", help="The debtor is in no enterprise database.")
    ] = False,
    rates: Rates = None,
    as_json: Json = False,
) -> None:
    """Whether a step towards a debtor is lawful on a day. Exit code 1 if not, with the article that forbids it."""
    from collecthub.law.lawful import check_step
    from collecthub.law.steps import StepQuestion

    law = law_of(country, rates)
    question = StepQuestion(
        step=_step(wanted), on=on or today(), segment=segment, principal=principal, due_on=due, contract_on=contract_date,
        happened=tuple(_happened(text) for text in happened or ()), claimed=claimed or Decimal(0), rate_percent=rate,
        is_regular_supply=regular_supply, free_reminders_used=free_reminders_used, is_registered=not unregistered,
    )  # fmt: skip
    answer = check_step(law, question)
    _show(answer, as_json=as_json)
    raise typer.Exit(0 if answer.is_allowed else FINDINGS)


def _show(answer: StepAnswer, *, as_json: bool) -> None:
    if as_json:
        print_json(answer)
        return
    say("The step is lawful." if answer.is_allowed else "The step is unlawful.")
    for found in answer.obstacles:
        say(f"{found.article}: {found.reason}. {found.cure}")
    for name, value in answer.limits.items():
        say(f"{name.replace('_', ' ')}: {value}")
    _show_notes(answer.notes)


def _show_limitation(answer: Limitation, *, as_json: bool) -> None:
    if as_json:
        print_json(answer)
        return
    last = f"until {answer.limitation_on}" if answer.limitation_on else "as long as the act under way pends"
    state = "The claim is lost; it could be brought" if answer.is_barred else "The claim can be brought"
    say(f"{state} {last}: {answer.period} from {answer.began_on} in {answer.country}.")
    print_table(
        ["act", "on", "effect", "then_until", "reason"],
        [[act.act, act.on, act.effect, act.limitation_on, act.reason] for act in answer.acts],
    )
    if answer.alarms:
        say(f"Alarms on {', '.join(str(alarm.due_on) for alarm in answer.alarms)}.")
    print_table(
        ["nature", "period", "until"],
        [[other.nature, other.period, other.limitation_on] for other in answer.by_nature],
    )
    _say_rule(answer)
    _show_notes(answer.notes)


def _say_rule(found: Deadline | Limitation) -> None:
    article = f" ({found.article})" if found.article else ""
    say(f"Rule {found.rule}{article}, version {found.rule_version}, {found.evidence.value}: {found.source}")


def _show_notes(notes: Iterable[str]) -> None:
    for text in notes:
        note(f"Note: {text}.")


def _step(text: str) -> Step:
    from collecthub.law.steps import Step

    if text not in set(Step):
        raise typer.BadParameter(f"{text[:40]!r} is no step; there are {', '.join(Step)}")
    return Step(text)


def _act(text: str) -> LegalAct:
    from collecthub.law.limitation import LegalAct

    on, equals, rest = text.partition("=")
    kind, _, ended = rest.partition(":")
    if not equals or not kind:
        raise typer.BadParameter("--act takes DATE=ACT, such as 2025-02-01=lawyer_notice")
    return LegalAct(act=kind, on=day(on), ended_on=day(ended) if ended else None)


def _happened(text: str) -> Happened:
    from collecthub.law.steps import Happened, Happening

    on, equals, rest = text.partition("=")
    kind, _, more = rest.partition(":")
    if not equals or kind not in set(Happening):
        raise typer.BadParameter(f"--happened takes DATE=FACT with one of {', '.join(Happening)}")
    fact = Happening(kind)
    if fact in (Happening.PAYMENT, Happening.CREDIT):
        return Happened(kind=fact, on=day(on), amount=amount(more))
    return Happened(kind=fact, on=day(on), channel=more or "letter")
