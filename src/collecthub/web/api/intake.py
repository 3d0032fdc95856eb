"""New cases by API: one at a time, each confirmed or refused with every reason."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from fastapi import APIRouter, Response
from pydantic import Field

from collecthub.engine.context import Hub, Work
from collecthub.engine.intake import Draft, DraftClaim, Intake, open_draft, ready_intake
from collecthub.model.party import Address, Contact, Party, PartyKind
from collecthub.store.queries.scope import Role, Scope
from collecthub.web.answers import answer, documented
from collecthub.web.api.fields import Amount, Country, Currency, Id, Inbound, Line, Ref
from collecthub.web.api.once import OnceKey, once
from collecthub.web.auth import CreditorSide, TheHub
from collecthub.web.problems import FieldProblem, ProblemError
from collecthub.web.strict_json import StrictRoute

router = APIRouter(prefix="/cases", tags=["cases"], route_class=StrictRoute)


class DebtorIn(Inbound):
    """Who owes. Leave the country empty when it is not known; it is never guessed."""

    name: Line
    kind: Literal["person", "company", "public"] = "company"
    country: Country = ""
    language: Annotated[str, Field(max_length=12, pattern="^([a-z]{2,3}(-[A-Za-z0-9]{2,8})*)?$")] = ""
    vat_ref: Ref = ""
    registration_ref: Ref = ""
    address_lines: Annotated[tuple[Line, ...], Field(max_length=6)] = ()
    postcode: Line = ""
    city: Line = ""
    email: Line = ""
    phone: Line = ""


class ClaimIn(Inbound):
    """One overdue invoice. Without `open_amount` the whole amount is open."""

    number: Ref
    due_on: dt.date
    issued_on: dt.date | None = None
    amount: Amount
    open_amount: Amount | None = None


class CaseIn(Inbound):
    """A case. `origin_ref` is your own reference: the same one opens one case only."""

    creditor_id: Id | None = None
    debtor: DebtorIn
    debtor_ref: Ref = ""
    origin_ref: Ref = ""
    currency: Currency
    claims: Annotated[tuple[ClaimIn, ...], Field(min_length=1, max_length=1000)]


def draft_of(body: CaseIn) -> Draft:
    """The body as the intake reads it."""
    debtor = body.debtor
    contact = Contact(email=debtor.email, phone=debtor.phone)
    return Draft(
        debtor=Party(
            name=debtor.name, kind=PartyKind(debtor.kind), country=debtor.country, language=debtor.language,
            vat_ref=debtor.vat_ref, registration_ref=debtor.registration_ref,
            address=Address(
                lines=debtor.address_lines, postcode=debtor.postcode, city=debtor.city, country=debtor.country
            ),
            contacts=(contact,) if debtor.email or debtor.phone else (),
        ),
        currency=body.currency, debtor_ref=body.debtor_ref, origin_ref=body.origin_ref,
        claims=tuple(
            DraftClaim(
                number=claim.number, due_on=claim.due_on, issued_on=claim.issued_on, amount=claim.amount,
                open_amount=claim.amount if claim.open_amount is None else claim.open_amount,
            )
            for claim in body.claims
        ),
    )


def creditor_for(scope: Scope, given: str | None) -> str:
    """Whose case it is: a creditor's own, or the one the operator names."""
    if scope.role is Role.CREDITOR and given is None:
        return scope.creditor_id or ""
    if given is None:
        raise ProblemError("validation", errors=[FieldProblem(field="creditor_id", reason="name the creditor")])
    return given


@router.post(
    "", summary="Open a case", status_code=201,
    responses=documented(Intake, 201, "The case is open; `number` is what people call it."),
)
def open_case(hub: TheHub, scope: CreditorSide, body: CaseIn, key: OnceKey) -> Response:
    """Refused with every reason, per field; a duplicate names the case that is there already."""
    creditor_id = creditor_for(scope, body.creditor_id)
    ready_intake(hub, scope, creditor_id)
    return once(hub, scope, key, lambda work: _open(hub, work, scope, creditor_id, draft_of(body)))


def _open(hub: Hub, work: Work, scope: Scope, creditor_id: str, draft: Draft) -> Response:
    found = open_draft(hub, work, scope, creditor_id, draft, origin="api")
    if found.errors:
        errors = [FieldProblem(field=error.field, reason=error.reason) for error in found.errors]
        detail = f"It is case {found.number} already." if found.is_duplicate else "See errors for each field."
        raise ProblemError("refused" if found.is_duplicate else "validation", detail, errors=errors)
    return answer(found, 201, {"Location": f"/api/v1/cases/{found.case_id}"})
