"""May this be done in Belgium on this day? Book XIX for consumers, the uncontested route, insolvency, title."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from decimal import Decimal

from collecthub.law.basis import Evidence
from collecthub.law.belgium import book_xix
from collecthub.law.charges import ChargeQuestion, charge
from collecthub.law.rules import CountryLaw
from collecthub.law.steps import Happening, Obstacle, Step, StepAnswer, StepQuestion, answer_of

SOLVENCY_CHECK_SINCE = dt.date(2024, 10, 1)  # Royal Decree of 18 May 2024
UNCONTESTED = "uncontested_route"
_NOTICE_MENTIONS = (
    "the notice names creditor and collector, the claim and its origin, every amount with its ground, what follows, "
    "the standstill and the supervising authority (CEL XIX.7)"
)
_REMINDER_MENTIONS = (
    "the reminder names the balance and the clause's amount, the creditor and his enterprise number, the product or "
    "service and its due date, and the fourteen days (CEL XIX.2)"
)


def lawful_step(law: CountryLaw, question: StepQuestion) -> StepAnswer:
    """Whether a step is lawful, with the article that stands against it."""
    at = book_xix.position(law, question)
    found: list[Obstacle | None] = [*_insolvency(question), *_judicial(question)]
    limits: dict[str, str] = {"balance": str(question.balance)}
    if at is not None:
        found.extend(book_xix.obstacles(at, question))
        limits = book_xix.limits(at)
    if question.step is Step.UNCONTESTED_ROUTE:
        cap = uncontested_cap(law, question.balance, question.on)
        limits["uncontested_route_cap"] = str(cap)
        found.extend(_uncontested(question, cap))
    return answer_of(found, limits, *_notes(question, is_consumer=at is not None))


def uncontested_cap(law: CountryLaw, principal: Decimal, on: dt.date) -> Decimal:
    """The most that interest and clause together may be in the uncontested route: 10% of the principal."""
    question = ChargeQuestion(item=UNCONTESTED, segment="B2B", basis=principal, currency="EUR", on=on)
    return charge(law, question).amount


def _notes(question: StepQuestion, *, is_consumer: bool) -> Iterable[str]:
    if is_consumer and question.step is Step.REMIND:
        yield _REMINDER_MENTIONS
    if is_consumer and question.step is Step.COLLECTOR_NOTICE:
        yield _NOTICE_MENTIONS
        yield "the collector checks that the debt is owed before he acts (CEL XIX.5)"
    if question.last(Happening.SETTLEMENT_ADMITTED):
        yield "claims are filed with the debt mediator; `law deadline` knows until when (Jud. Code 1675/9)"


def _uncontested(question: StepQuestion, cap: Decimal) -> Iterable[Obstacle | None]:
    scope = "both parties stand in the enterprise database and neither is a consumer or a public body"
    if question.segment != "B2B" or not question.is_registered:
        yield _code(
            "1394/20",
            f"the uncontested route is closed: {scope}",
            "Summon before the court instead.",
            "seeds.law; etudebordet.com",
        )
    if question.claimed > cap:
        reason = f"interest and clause of {question.claimed} EUR are above 10% of the principal ({cap} EUR)"
        yield _code(
            "1394/20", reason, f"Ask {cap} EUR at most, or summon before the court.", "etudebordet.com; advoc.com"
        )
    last = question.last(Happening.DISPUTE, Happening.ANSWERED)
    if last and last.kind is Happening.DISPUTE:
        yield _code(
            "1394/20", f"the debt is disputed since {last.on}", "Summon before the court instead.", "chambers.com"
        )


def _judicial(question: StepQuestion) -> Iterable[Obstacle | None]:
    is_due = question.on >= SOLVENCY_CHECK_SINCE and question.is_collector
    if question.step is Step.SUMMON and is_due and question.last(Happening.SOLVENCY_CHECK) is None:
        yield Obstacle(
            article="Royal Decree of 18 May 2024", reason="no solvency investigation was made before the judicial phase",
            cure="Look into the debtor's solvency and record it.", evidence=Evidence.VERIFIED, source="modero solid-score page",
        )  # fmt: skip
    if question.step is Step.ENFORCE and question.last(Happening.TITLE) is None:
        yield _code(
            "1494",
            "there is no enforcement title",
            "Obtain a judgment or another title first.",
            "",
            Evidence.GENERAL_KNOWLEDGE,
        )


def _insolvency(question: StepQuestion) -> Iterable[Obstacle | None]:
    settlement = question.last(Happening.SETTLEMENT_ADMITTED, Happening.SETTLEMENT_ENDED)
    if (
        settlement
        and settlement.kind is Happening.SETTLEMENT_ADMITTED
        and question.step in (Step.ENFORCE, Step.CHARGE_INTEREST)
    ):
        yield _code(
            "1675/7", f"the debtor is in collective debt settlement since {settlement.on}: enforcement and interest stand still",
            "File the claim with the debt mediator.", "walk.law",
        )  # fmt: skip
    bankruptcy = question.last(Happening.BANKRUPTCY)
    if bankruptcy and question.step in (Step.ENFORCE, Step.SUMMON, Step.COLLECT, Step.UNCONTESTED_ROUTE):
        yield Obstacle(
            article="CEL XX.155", reason=f"the debtor is bankrupt since {bankruptcy.on}", cure="File the claim in RegSol.",
            evidence=Evidence.PARTLY, source="stappers-law.be; lawcom.be",
        )  # fmt: skip
    stay = question.last(Happening.REORGANISATION, Happening.REORGANISATION_ENDED)
    if stay and stay.kind is Happening.REORGANISATION and question.step is Step.ENFORCE:
        yield Obstacle(
            article="CEL XX.44 to XX.82", reason=f"a judicial reorganisation runs since {stay.on}: enforcement is stayed",
            cure="Check the amount on the list of creditors.", evidence=Evidence.GENERAL_KNOWLEDGE,
        )  # fmt: skip


def _code(article: str, reason: str, cure: str, source: str, evidence: Evidence = Evidence.VERIFIED) -> Obstacle:
    return Obstacle(article=f"Jud. Code {article}", reason=reason, cure=cure, evidence=evidence, source=source)
