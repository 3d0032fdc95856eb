"""Money that a partner passes on: in its currency, with rate, day, bank charges and fee; and what it still holds."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal

import sqlalchemy as sa
from fastapi import APIRouter, Response
from starlette.datastructures import FormData

from collecthub.engine.partner_money import (
    HeldPayment,
    PartnerRemittance,
    RemittedLine,
    due_by,
    held_payments,
    list_remittances,
    take_remittance,
)
from collecthub.engine.reported_payments import reported_payment
from collecthub.errors import PermanentError
from collecthub.formats.form_words import FormError, told
from collecthub.formats.partner_form import form_amount
from collecthub.web.partner.pages import Guest, GuestForm, GuestRoute, TheGuest, back, page, text_of

router = APIRouter(prefix="/p/{token}/remittances", route_class=GuestRoute, include_in_schema=False)
_CURRENCY = re.compile(r"[A-Z]{3}")
# The fields of the form, with the longest text of each.
_FIELDS: Mapping[str, int] = {
    "remittance_ref": 140, "case_currency": 3, "currency": 3, "amount": 30, "paid_on": 10, "rate": 30, "rate_on": 10,
    "bank_charges": 30, "fee": 30,
}  # fmt: skip


@router.get("")
def show(guest: TheGuest, done: str = "") -> Response:
    """What waits to be passed on, filled in, and everything that was."""
    return _page(guest, {}, done=bool(done))


@router.post("")
def remit(guest: TheGuest, form: GuestForm) -> Response:
    """One transfer for the payments that were ticked; the same one sent twice counts once."""
    given = {name: text_of(form, name, longest).replace("\n", " ") for name, longest in _FIELDS.items()}
    try:
        with guest.hub.work() as work:
            said = _said(guest, work.conn, form, given)
            expected = due_by(said)
            if said.amount != expected:
                return _wrong(guest, given, "not_added_up", expected=guest.speech.money(expected, said.currency))
            take_remittance(work, guest.visit.partner_id, said)
    except FormError as error:
        return _page(guest, given, problem=told(error, guest.visit.language), status=422)
    except (PermanentError, ValueError):
        return _wrong(guest, given, "remittance_wrong")
    return back(guest, "/remittances")


def _said(guest: Guest, conn: sa.Connection, form: FormData, given: Mapping[str, str]) -> PartnerRemittance:
    """The form as a remittance. Raises `PermanentError` or `ValueError` for what cannot be read or was passed on before."""
    known = {one.remittance.remittance_ref for one in list_remittances(conn, guest.visit.partner_id)}
    held = {(one.case_id, one.payment_ref) for one in held_payments(conn, guest.visit.partner_id)}
    lines = tuple(_lines(guest, conn, form, given["case_currency"]))
    is_free = given["remittance_ref"] in known or all((line.case_id, line.payment_ref) in held for line in lines)
    if not lines or not is_free or not given["remittance_ref"] or not _CURRENCY.fullmatch(given["currency"].upper()):
        raise PermanentError("no payment was chosen, or one was passed on before", cure="Load the page again.")
    amounts = {name: form_amount(given[name] or "0") for name in ("amount", "bank_charges", "fee")}
    paid_on = dt.date.fromisoformat(given["paid_on"])
    if paid_on > guest.hub.business_date():
        raise PermanentError(f"{paid_on} lies ahead", cure="Enter the day on which it was paid.")
    return PartnerRemittance(
        remittance_ref=given["remittance_ref"], currency=given["currency"].upper(), case_currency=given["case_currency"],
        paid_on=paid_on, rate=form_amount(given["rate"] or "1"), lines=lines,
        rate_on=dt.date.fromisoformat(given["rate_on"]) if given["rate_on"] else None, **amounts,
    )  # fmt: skip


def _lines(guest: Guest, conn: sa.Connection, form: FormData, currency: str) -> Iterator[RemittedLine]:
    """The payments of one currency that were ticked, with the amounts that the partner reported."""
    for ticked in dict.fromkeys(form.getlist("line")):
        case_id, _, payment_ref = str(ticked).partition(" ")
        found = reported_payment(conn, guest.visit.partner_id, case_id, payment_ref)
        if found is None or found.currency != currency:
            raise PermanentError(f"payment {payment_ref[:40]} was never reported", cure="Load the page again.")
        yield RemittedLine(case_id=case_id, payment_ref=payment_ref, amount=found.amount)


def _wrong(guest: Guest, given: Mapping[str, str], word: str, **values: object) -> Response:
    return _page(guest, given, problem=guest.speech.say(word, **values), status=422)


def _page(guest: Guest, given: Mapping[str, str], *, done: bool = False, problem: str = "", status: int = 200) -> Response:
    with guest.hub.database.read() as conn:
        held = held_payments(conn, guest.visit.partner_id)
        passed_on = list_remittances(conn, guest.visit.partner_id)
    groups: dict[str, list[HeldPayment]] = {}
    for one in held:
        groups.setdefault(one.currency, []).append(one)
    return page(
        guest, "remittances.html", status=status, groups=groups, sums={code: _sums(kept) for code, kept in groups.items()},
        passed_on=passed_on, given=given, today=guest.hub.business_date(), done=done, problem=problem,
    )


def _sums(kept: list[HeldPayment]) -> tuple[Decimal, Decimal | None]:
    """What is held in one currency, and the fee agreed on it where one is."""
    fees = [one.fee for one in kept if one.fee is not None]
    return sum((one.amount for one in kept), Decimal(0)), sum(fees, Decimal(0)) if len(fees) == len(kept) else None
