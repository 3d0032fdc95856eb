"""What is known around a case beyond the ERP's fields: read it, or state it anew; the checks of the case follow."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter, Response
from pydantic import Field

from collecthub.engine.circumstances import state_circumstances
from collecthub.engine.context import Work
from collecthub.model.circumstances import Circumstances
from collecthub.store.queries.case_file import read_owned_case
from collecthub.web.answers import Done, documented, documented_versioned
from collecthub.web.api.fields import Amount, Country, Inbound, Line
from collecthub.web.api.once import HeldTag, OnceKey, SeenVersion, done, once, versioned
from collecthub.web.auth import CreditorSide, TheHub
from collecthub.web.strict_json import StrictRoute

router = APIRouter(prefix="/cases/{case_id}/circumstances", tags=["case changes"], route_class=StrictRoute)
Percent = Annotated[Amount, Field(ge=Decimal(0), le=Decimal(1000))]
Language = Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")]


class ClauseIn(Inbound):
    """A clause and where it stands; of a court whether it is the only one."""

    kind: Literal["court", "arbitration", "interest", "penalty", "terms", "retention", "law"]
    country: Country = ""
    is_exclusive: bool = True
    document_kind: Literal["", "contract", "order", "terms", "invoice"] = ""


class LetterIn(Inbound):
    """A letter to the debtor."""

    kind: Literal["reminder", "notice", "pre_action"]
    sent_on: dt.date
    channel: Literal["letter", "email"] = "letter"


class AgreedInterestIn(Inbound):
    """Interest as the creditor's statement has it."""

    percent: Percent | None = None
    fixing: Literal["", "floating", "at_start", "at_due"] = ""
    is_compound: bool | None = None
    from_on: dt.date | None = None


class CircumstancesIn(Inbound):
    """The whole of what is known; what is left out was not said. An empty list says that there is none."""

    contract_on: dt.date | None = None
    performed_in: Country = ""
    issuer_name: Line = ""
    document_languages: Annotated[tuple[Language, ...], Field(max_length=20)] = ()
    clauses: Annotated[tuple[ClauseIn, ...], Field(max_length=20)] | None = None
    letters: Annotated[tuple[LetterIn, ...], Field(max_length=50)] | None = None
    interest: AgreedInterestIn | None = None
    title_on: dt.date | None = None
    title_country: Country = ""
    registers_asked_on: dt.date | None = None
    screened_on: dt.date | None = None
    is_sanctioned: bool = False


@router.get("", summary="What was stated of a case", responses=documented_versioned(Circumstances))
def read_circumstances(hub: TheHub, scope: CreditorSide, case_id: str, held: HeldTag = None) -> Response:
    """Contract, clauses, letters, interest, title, registers and screenings; empty where nobody said."""
    with hub.database.read() as conn:
        case = read_owned_case(conn, scope, case_id)
    return versioned(case.circumstances or Circumstances(), case.version, held)


@router.post("", summary="State what is known of contract, letters and title", responses=documented(Done))
def say_circumstances(
    hub: TheHub, scope: CreditorSide, case_id: str, body: CircumstancesIn, key: OnceKey, seen: SeenVersion
) -> Response:
    """It replaces what was stated before, and the case is checked anew."""
    stated = msgspec.convert(body.model_dump(), Circumstances)

    def change(work: Work) -> Response:
        case = state_circumstances(hub, work, scope, case_id, stated, expected_version=seen)
        return done(case)

    return once(hub, scope, key, change)
