"""Scores of a case's debtor: read them with their reasons, score anew, overrule, contest."""

from __future__ import annotations

import msgspec
from fastapi import APIRouter, Response

from collecthub.engine import solvency
from collecthub.model.solvency import Band, Solvency
from collecthub.store.queries.case_file import read_owned_case
from collecthub.web.answers import Done, answer, documented
from collecthub.web.api.fields import Amount, Inbound, Text
from collecthub.web.api.once import OnceKey, SeenVersion, done, once
from collecthub.web.auth import CreditorSide, TheHub
from collecthub.web.strict_json import StrictRoute

router = APIRouter(prefix="/cases/{case_id}/solvency", tags=["solvency"], route_class=StrictRoute)
DONE = documented(Done, description="The change is recorded.")


class CaseSolvency(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of the debtor's solvency; `band` is what counts, a person's word before the score's."""

    case_id: str
    band: Band | None
    solvency: Solvency


class ScoreIn(Inbound):
    """`capacity` is what the debtor said that he can pay in a month."""

    capacity: Amount | None = None


class OverrulingIn(Inbound):
    """What a person decides instead, and why."""

    band: Band
    reason: Text


class ContestIn(Inbound):
    """What the debtor says against his score, or what a person answers him."""

    text: Text


@router.get("", summary="Read score, reasons and checks", responses=documented(CaseSolvency))
def read_solvency(hub: TheHub, scope: CreditorSide, case_id: str) -> Response:
    """Chance, capacity, band, reasons, model version, inputs, and every look into a source."""
    with hub.database.read() as conn:
        case = read_owned_case(conn, scope, case_id)
    return answer(CaseSolvency(case_id=case_id, band=case.solvency.band, solvency=case.solvency))


@router.post("/score", summary="Score the debtor now", responses=DONE)
def score(hub: TheHub, scope: CreditorSide, case_id: str, body: ScoreIn, key: OnceKey, seen: SeenVersion) -> Response:
    """Every source is asked, and what it says is logged with the score."""
    return once(hub, scope, key, lambda work: done(
        solvency.score_case(hub, work, scope, case_id, capacity=body.capacity, expected_version=seen)))  # fmt: skip


@router.post("/overrule", summary="Decide otherwise than the score", responses=DONE)
def overrule(
    hub: TheHub, scope: CreditorSide, case_id: str, body: OverrulingIn, key: OnceKey, seen: SeenVersion
) -> Response:
    """A person's word counts before the score's."""
    return once(hub, scope, key, lambda work: done(
        solvency.overrule_score(hub, work, scope, case_id, band=body.band, reason=body.reason,
                                expected_version=seen)))  # fmt: skip


@router.post("/contest", summary="Record that the debtor contests his score", responses=DONE)
def contest(
    hub: TheHub, scope: CreditorSide, case_id: str, body: ContestIn, key: OnceKey, seen: SeenVersion
) -> Response:
    """A person looks at it within a month; nothing costly begins until then."""
    return once(hub, scope, key, lambda work: done(
        solvency.contest_score(hub, work, scope, case_id, text=body.text, expected_version=seen)))  # fmt: skip


@router.post("/contest-answer", summary="Answer the debtor who contests his score", responses=DONE)
def answer_contest(
    hub: TheHub, scope: CreditorSide, case_id: str, body: ContestIn, key: OnceKey, seen: SeenVersion
) -> Response:
    """The score stays, and the debtor reads why; overruling it answers as well."""
    return once(hub, scope, key, lambda work: done(
        solvency.answer_contest(hub, work, scope, case_id, text=body.text, expected_version=seen)))  # fmt: skip
