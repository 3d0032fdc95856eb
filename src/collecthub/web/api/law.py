"""What the law of a country says of a claim: the answers of `collecthub law`, for everyone who is logged in."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter, Query, Response
from pydantic import AfterValidator, Field

from collecthub.engine.case_law import law_on_claims
from collecthub.engine.context import Hub
from collecthub.errors import CollecthubError, PermanentError
from collecthub.law.charges import COMPENSATION, ChargeQuestion, ChargeShown, charge_shown
from collecthub.law.deadline import Deadline, deadline
from collecthub.law.interest import CEILING, DayCount, InterestQuestion, Pause, Reduction
from collecthub.law.late_payment import LatePayment, Reminded, late_payment
from collecthub.law.lawful import check_step
from collecthub.law.limitation import LegalAct, Limitation, LimitationQuestion, earliest, limitation
from collecthub.law.of_claims import ClaimsLaw
from collecthub.law.pack_check import rates_known_until
from collecthub.law.steps import Happened, Happening, Step, StepAnswer, StepQuestion
from collecthub.store.case_log import read_events
from collecthub.store.queries import case_file
from collecthub.store.queries.paging import Listed
from collecthub.web.answers import answer, documented
from collecthub.web.api.fields import Amount, Currency, Inbound
from collecthub.web.auth import Anyone, CreditorSide, TheHub
from collecthub.web.strict_json import StrictRoute

router = APIRouter(tags=["law"], route_class=StrictRoute)


class PackView(msgspec.Struct, frozen=True, kw_only=True):
    """A country pack and how much it knows. `problem` says why a pack cannot be read.

    From the day after `rates_known_until` some of its figures are refused until somebody loads the published rate.
    """

    country: str
    title: str = ""
    version: dt.date | None = None
    interest_rules: int = 0
    charges: int = 0
    limitation_rules: int = 0
    deadlines: int = 0
    rates_known_until: dt.date | None = None
    checks_steps: bool = False
    problem: str = ""


def _of_our_time(day: dt.date) -> dt.date:
    if not 1990 <= day.year <= 2199:  # arithmetic on dates stays far from the ends of the calendar
        raise ValueError("is not a date of our time")
    return day


def _not_negative(amount: Decimal) -> Decimal:
    if amount < 0:
        raise ValueError("must be zero or more")
    return amount


Day = Annotated[dt.date, AfterValidator(_of_our_time)]
Owed = Annotated[Amount, AfterValidator(_not_negative)]
CountryCode = Annotated[str, Query(pattern="^[A-Z]{2}$", description="Country whose law governs, ISO 3166.")]
Segment = Annotated[Literal["B2B", "B2C", "B2G"], Query(description="Who owes.")]
Word = Annotated[str, Query(pattern="^[a-z0-9_]{0,40}$")]


class ReductionIn(Inbound):
    """Principal that was paid or credited."""

    on: Day
    amount: Owed


class PauseIn(Inbound):
    """Days without interest, both included; without `to_on` they last."""

    from_on: Day
    to_on: Day | None = None


class InterestIn(Inbound):
    """One claim. `contract_rate` is percent a year or `ceiling`; `until` is the last interest day."""

    country: Annotated[str, Field(pattern="^[A-Z]{2}$")]
    segment: Literal["B2B", "B2C", "B2G"] = "B2B"
    principal: Owed
    due_on: Day
    until: Day
    currency: Currency | None = None
    contract_on: Day | None = None
    start_on: Day | None = None
    reminded_on: Day | None = None
    reminder_channel: Annotated[str, Field(pattern="^[a-z-]{1,20}$")] = "letter"
    is_large_creditor: bool = False
    variant: Annotated[str, Field(pattern="^[a-z0-9_]{0,40}$")] = ""
    contract_rate: Annotated[str, Field(pattern=r"^(ceiling|[0-9]{1,3}(\.[0-9]{1,4})?)?$")] = ""
    reductions: Annotated[tuple[ReductionIn, ...], Field(max_length=1000)] = ()
    pauses: Annotated[tuple[PauseIn, ...], Field(max_length=100)] = ()
    has_actual_years: bool = False
    exchange_rate: Owed | None = None
    may_stop_early: bool = False


class InterruptingActIn(Inbound):
    """Something done about the claim that may move its limitation."""

    act: Annotated[str, Field(pattern="^[a-z0-9_]{1,40}$")]
    on: Day
    ended_on: Day | None = None


class LimitationIn(Inbound):
    """One claim and the laws that may govern it: the one under which it is lost first answers."""

    countries: Annotated[
        tuple[Annotated[str, Field(pattern="^[A-Z]{2}$")], ...], Field(min_length=1, max_length=10)
    ]
    segment: Literal["B2B", "B2C", "B2G"] = "B2B"
    due_on: Day
    as_of: Day | None = None
    nature: Annotated[str, Field(pattern="^[a-z0-9_]{0,40}$")] = ""
    variant: Annotated[str, Field(pattern="^[a-z0-9_]{0,40}$")] = ""
    contract_on: Day | None = None
    acts: Annotated[tuple[InterruptingActIn, ...], Field(max_length=200)] = ()


class HappenedIn(Inbound):
    """One fact of the file."""

    kind: Happening
    on: Day
    channel: Annotated[str, Field(pattern="^[a-z-]{1,20}$")] = "letter"
    amount: Owed = Decimal(0)


class StepIn(Inbound):
    """What somebody wants to do, and what happened before. `claimed` is what the step asks beside the principal."""

    country: Annotated[str, Field(pattern="^[A-Z]{2}$")]
    step: Step
    on: Day | None = None
    segment: Literal["B2B", "B2C", "B2G"] = "B2C"
    principal: Owed
    due_on: Day
    contract_on: Day | None = None
    happened: Annotated[tuple[HappenedIn, ...], Field(max_length=500)] = ()
    claimed: Owed = Decimal(0)
    rate_percent: Owed | None = None
    is_regular_supply: bool = False
    free_reminders_used: Annotated[int, Field(ge=0, le=1000)] = 0
    is_registered: bool = True


@router.get("/law/packs", summary="Country packs", responses=documented(Listed[PackView]))
def read_packs(hub: TheHub, _scope: Anyone) -> Response:
    """Every installed pack with how many rules it holds."""
    return answer(Listed(items=tuple(_pack(hub, country) for country in sorted(hub.plugins.jurisdictions))))


def _pack(hub: Hub, country: str) -> PackView:
    try:
        law = hub.plugins.country_law(country)
    except CollecthubError as error:
        return PackView(country=country, problem=error.message)
    return PackView(
        country=country, title=law.title, version=law.version, interest_rules=len(law.interest), charges=len(law.charges),
        limitation_rules=len(law.limitation), deadlines=len(law.deadlines),
        rates_known_until=rates_known_until(law), checks_steps=law.check_step is not None,
    )  # fmt: skip


@router.get("/law/interest", summary="Interest and compensation of a claim", responses=documented(LatePayment))
def read_interest(
    hub: TheHub, _scope: Anyone, country: CountryCode, principal: Annotated[Owed, Query()], due_on: Annotated[Day, Query()],
    until: Annotated[Day, Query(description="Last interest day.")], segment: Segment = "B2B",
    currency: Annotated[str, Query(pattern="^([A-Z]{3})?$")] = "", contract_on: Annotated[Day | None, Query()] = None,
    start_on: Annotated[Day | None, Query(description="First interest day.")] = None, variant: Word = "",
    may_stop_early: Annotated[bool, Query(description="Compute to the last known rate and say so.")] = False,
) -> Response:  # fmt: skip
    """The common question in one address; the longer form takes reminders, clauses and payments."""
    law = hub.plugins.country_law(country)
    question = InterestQuestion(
        segment=segment, principal=principal, due_on=due_on, until=until, currency=currency or law.currency,
        contract_on=contract_on, start_on=start_on, variant=variant, may_stop_early=may_stop_early,
    )  # fmt: skip
    return answer(late_payment(law, question))


@router.post(
    "/law/interest",
    summary="Interest and compensation of a claim, with all it may hang on",
    responses=documented(LatePayment),
)
def ask_interest(hub: TheHub, _scope: Anyone, body: InterestIn) -> Response:
    """Interest by segments with rule, version and source. Past the last known rate it is refused or stops there."""
    law = hub.plugins.country_law(body.country)
    rate = body.contract_rate
    question = InterestQuestion(
        segment=body.segment, principal=body.principal, due_on=body.due_on, until=body.until,
        currency=body.currency or law.currency, contract_on=body.contract_on, start_on=body.start_on, variant=body.variant,
        contract_rate=CEILING if rate == CEILING else Decimal(rate) if rate else None,
        reductions=tuple(Reduction(on=part.on, amount=part.amount) for part in body.reductions),
        pauses=tuple(Pause(from_on=part.from_on, to_on=part.to_on) for part in body.pauses),
        day_count=DayCount.ACTUAL if body.has_actual_years else DayCount.FIXED, may_stop_early=body.may_stop_early,
    )  # fmt: skip
    reminded = Reminded(on=body.reminded_on, channel=body.reminder_channel) if body.reminded_on else None
    return answer(
        late_payment(
            law,
            question,
            reminded=reminded,
            is_large_creditor=body.is_large_creditor,
            exchange_rate=body.exchange_rate,
        )
    )


@router.get("/law/compensation", summary="A lump sum, cap or tariffed amount", responses=documented(ChargeShown))
def read_compensation(
    hub: TheHub, _scope: Anyone, country: CountryCode, principal: Annotated[Owed, Query()], segment: Segment = "B2B",
    item: Annotated[str, Query(pattern="^[a-z0-9_]{1,40}$", description="compensation, bailiff_act, ...")] = COMPENSATION,
    on: Annotated[Day | None, Query(description="Day of the charge; the business date by default.")] = None,
    due_on: Annotated[Day | None, Query()] = None, contract_on: Annotated[Day | None, Query()] = None,
    currency: Annotated[str, Query(pattern="^([A-Z]{3})?$")] = "", nature: Word = "", variant: Word = "",
    may_use_last: Annotated[bool, Query(description="Use the last known amount and say so.")] = False,
) -> Response:  # fmt: skip
    """What may be asked beside the principal: the lump sum, a clause's cap, a bailiff's fee."""
    law = hub.plugins.country_law(country)
    question = ChargeQuestion(
        item=item, segment=segment, basis=principal, currency=currency or law.currency,
        on=on or due_on or hub.now().date(), contract_on=contract_on, due_on=due_on, variant=variant, nature=nature,
        may_use_last=may_use_last,
    )  # fmt: skip
    return answer(charge_shown(law, question))


@router.post("/law/limitation", summary="The limitation clock of a claim", responses=documented(Limitation))
def ask_limitation(hub: TheHub, _scope: Anyone, body: LimitationIn) -> Response:
    """The last day, what moved it, and alarms ahead of it."""
    question = LimitationQuestion(
        segment=body.segment, due_on=body.due_on, as_of=body.as_of or hub.now().date(), nature=body.nature,
        variant=body.variant, contract_on=body.contract_on,
        acts=tuple(LegalAct(act=act.act, on=act.on, ended_on=act.ended_on) for act in body.acts),
    )  # fmt: skip
    return answer(earliest(limitation(hub.plugins.country_law(country), question) for country in body.countries))


@router.get("/law/deadline", summary="A time limit that runs from an event", responses=documented(Deadline))
def read_deadline(
    hub: TheHub, _scope: Anyone, country: CountryCode, event: Annotated[str, Query(pattern="^[a-z0-9_]{1,40}$")],
    event_on: Annotated[Day, Query()], segment: Segment = "B2B",
    actor_country: Annotated[str, Query(pattern="^([A-Z]{2})?$", description="Where the party lives that has to act.")] = "",
) -> Response:  # fmt: skip
    """The last day, longer for parties abroad where the law says so."""
    law = hub.plugins.country_law(country)
    return answer(deadline(law, event, event_on, segment=segment, actor_country=actor_country))


@router.post("/law/steps", summary="Whether a step is lawful on a day", responses=documented(StepAnswer))
def ask_step(hub: TheHub, _scope: Anyone, body: StepIn) -> Response:
    """What stands against a step, each with its article, and the limits that hold on the day."""
    law = hub.plugins.country_law(body.country)
    question = StepQuestion(
        step=body.step, on=body.on or hub.now().date(), segment=body.segment, principal=body.principal, due_on=body.due_on,
        contract_on=body.contract_on, claimed=body.claimed, rate_percent=body.rate_percent,
        is_regular_supply=body.is_regular_supply, free_reminders_used=body.free_reminders_used,
        is_registered=body.is_registered,
        happened=tuple(
            Happened(kind=fact.kind, on=fact.on, channel=fact.channel, amount=fact.amount) for fact in body.happened
        ),
    )  # fmt: skip
    return answer(check_step(law, question))


@router.get("/cases/{case_id}/law", summary="The law on the claims of a case", responses=documented(ClaimsLaw))
def read_case_law(
    hub: TheHub, scope: CreditorSide, case_id: str,
    country: Annotated[
        str, Query(pattern="^([A-Z]{2})?$", description="Law to count by; by default the one that governs the case, as its account has it.")
    ] = "",
    limitation_country: Annotated[
        str, Query(pattern="^([A-Z]{2})?$", description="Another law that may govern limitation: the earlier day counts.")
    ] = "",
    until: Annotated[Day | None, Query(description="Last interest day; the business date by default.")] = None,
) -> Response:  # fmt: skip
    """Interest, compensation and limitation claim by claim, on what is open now; no payment in between is counted."""
    with hub.database.read() as conn:
        case = case_file.read_owned_case(conn, scope, case_id)
        found = law_on_claims(
            hub, conn, case, until or hub.business_date(), read_events(conn, case_id), country=country,
            limitation_country=limitation_country,
        )  # fmt: skip
    if found is None:
        raise PermanentError(
            f"no country pack knows the law of case {case.number}", cure="Install a pack, or name a country whose pack is there."
        )
    return answer(found)
