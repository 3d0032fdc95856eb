"""A case by hand: who owes, which invoices, and every reason when it cannot be opened."""

from __future__ import annotations

import re
import secrets
from decimal import Decimal

from fastapi import APIRouter, Response

from collecthub.engine.intake import Draft, DraftClaim, Intake, open_draft, ready_intake
from collecthub.model.party import Address, Contact, Party, PartyKind
from collecthub.store.queries.names import creditor_names
from collecthub.web.portal.entered import Entered, EnteredError
from collecthub.web.portal.pages import CreditorSide, Form, PageRoute, Visitor, page, redirect

router = APIRouter(prefix="/new", route_class=PageRoute, include_in_schema=False)
LINES = 6
_LINE, _REF = 300, 140
_ONCE = re.compile(r"[A-Za-z0-9_-]{20,64}")


@router.get("")
def show(visitor: CreditorSide) -> Response:
    """The empty form. `once` names it, so that sending it twice opens one case."""
    return _form_page(visitor, {"once": secrets.token_urlsafe(18), "currency": "EUR"}, {})


def _form_page(
    visitor: Visitor, given: dict[str, str], wrong: dict[str, str], found: Intake | None = None
) -> Response:
    with visitor.hub.database.read() as conn:
        creditors = creditor_names(conn, visitor.scope)
    return page(
        visitor,
        "new.html",
        status=422 if wrong else 200,
        given=given,
        wrong=wrong,
        creditors=creditors,
        lines=range(LINES),
        found=found,
    )


@router.post("")
def open_case(visitor: CreditorSide, form: Form) -> Response:
    """Open it, or show the form again with every reason beside its field."""
    entered = Entered(form)
    try:
        creditor_id = _creditor(visitor, entered)
        draft = _draft(entered)
        entered.check()
    except EnteredError as error:
        return _form_page(visitor, entered.given, dict(error.fields))
    once = entered.given.get("once", "")
    ready_intake(visitor.hub, visitor.scope, creditor_id)
    with visitor.hub.work() as work:
        key = f"form:{visitor.scope.subject}:{once}" if _ONCE.fullmatch(once) else ""
        found = open_draft(visitor.hub, work, visitor.scope, creditor_id, draft, origin="form", key=key)
    if found.errors and not found.is_duplicate:
        return _form_page(
            visitor, entered.given, {error.field: _sentence(error.reason) for error in found.errors}
        )
    if found.is_duplicate:
        return redirect(f"/cases/{found.case_id}", done="known")
    return redirect(f"/cases/{found.case_id}", done="opened")


def _sentence(reason: str) -> str:
    return f"{reason[:1].upper()}{reason[1:]}."


def _creditor(visitor: Visitor, entered: Entered) -> str:
    if not visitor.is_operator:
        return visitor.scope.creditor_id or ""
    return entered.text("creditor_id", required=True, longest=64)


def _draft(entered: Entered) -> Draft:
    currency = entered.text("currency", required=True, longest=3).upper()
    country = entered.text("debtor.country", longest=2).upper()
    street = entered.text("debtor.address.lines[0]", longest=_LINE)
    email, phone = (
        entered.text("debtor.contacts[0].email", longest=_LINE),
        entered.text("phone", longest=_LINE),
    )
    contacts = (Contact(email=email, phone=phone),) if email or phone else ()
    claims = tuple(claim for index in range(LINES) if (claim := _claim(entered, index, currency)) is not None)
    if not claims and not any(name.startswith("claims") for name in entered.wrong):
        entered.wrong["claims"] = "Give at least one invoice."
    kind = entered.choice("kind", list(PartyKind), default=PartyKind.COMPANY)
    address = Address(
        lines=(street,) if street else (),
        postcode=entered.text("debtor.address.postcode", longest=_LINE),
        city=entered.text("debtor.address.city", longest=_LINE),
        country=country,
    )
    debtor = Party(
        name=entered.text("debtor.name", required=True, longest=_LINE),
        kind=PartyKind(kind) if kind in list(PartyKind) else PartyKind.COMPANY,
        country=country,
        vat_ref=entered.text("debtor.vat_ref", longest=_REF),
        contacts=contacts,
        address=address,
    )
    return Draft(
        debtor=debtor,
        currency=currency,
        claims=claims,
        debtor_ref=entered.text("debtor_ref", longest=_REF),
        origin_ref=entered.text("origin_ref", longest=_REF),
    )


def _claim(entered: Entered, index: int, currency: str) -> DraftClaim | None:
    """One line of invoices; None for a line that was left empty."""
    name = f"claims[{index}]"
    fields = ("number", "issued_on", "due_on", "amount", "open_amount")
    if not any(entered.given.get(f"{name}.{field}", "").strip() for field in fields):
        return None
    number = entered.text(f"{name}.number", required=True, longest=_REF)
    issued_on = entered.date(f"{name}.issued_on")
    due_on = entered.date(f"{name}.due_on", required=True)
    amount = entered.amount(f"{name}.amount", currency)
    open_amount: Decimal = entered.amount(f"{name}.open_amount", currency, required=False) or amount
    if due_on is None:
        return None
    return DraftClaim(
        number=number, due_on=due_on, issued_on=issued_on, amount=amount, open_amount=open_amount
    )
