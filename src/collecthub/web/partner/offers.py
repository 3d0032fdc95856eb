"""The code, the offers with their three buttons, and the month's form."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from starlette.datastructures import FormData

from collecthub.engine import partner_links
from collecthub.engine.context import Work
from collecthub.engine.held_case import held_case
from collecthub.engine.page_guard import Paper
from collecthub.engine.partner_desk import take_statement
from collecthub.engine.partner_page import form_rows, month_lines, offers, partners_cases, take_form
from collecthub.errors import PermanentError, QuarantineError, RetryableError
from collecthub.formats.form_words import codes_in, told
from collecthub.formats.partner_form import FormRow, messages_of, told_faults, write_form
from collecthub.model.exchange import Fault, InboundMessage
from collecthub.model.ids import derived_id
from collecthub.model.partner_words import answer_to_offer, asked_of_partner, question
from collecthub.web.answers import download
from collecthub.web.auth import TheHub, auth_now, is_https
from collecthub.web.partner.pages import (
    Guest,
    GuestForm,
    GuestRoute,
    TheGuest,
    ask_code,
    back,
    check_origin,
    cookie_of,
    page,
    text_of,
)
from collecthub.web.uploads import uploaded

router = APIRouter(prefix="/p/{token}", route_class=GuestRoute, include_in_schema=False)
HAPPENED = (
    "contact_made", "contact_attempted", "promise_to_pay", "plan_agreed", "dispute_raised", "legal_advised",
    "insolvency_found",
)  # fmt: skip
RETURNED = ("untraceable", "uneconomical", "paid_full")


async def _code_form(request: Request) -> FormData:
    check_origin(request)
    return await request.form(max_files=0, max_fields=3, max_part_size=200)


@router.post("/code")
async def enter(request: Request, hub: TheHub, token: str, form: Annotated[FormData, Depends(_code_form)]) -> Response:
    """A right code opens the page for half a day; wrong ones cost time."""
    try:
        with hub.database.write() as conn:
            visit = partner_links.enter(conn, token, text_of(form, "code", 40), auth_now())
    except RetryableError as error:
        seconds = round(error.retry_after_seconds or 1) + 1
        return await ask_code(request, problem="wait", status=429, values={"seconds": seconds})
    if visit is None:
        return await ask_code(request, problem="wrong_code", status=422)
    response = Response(status_code=303, headers={"Location": f"/p/{token}"})
    lasts = int(partner_links.VISIT_LASTS.total_seconds())
    response.set_cookie(cookie_of(hub), visit, max_age=lasts, httponly=True, samesite="lax", secure=is_https(hub), path="/")
    return response


@router.get("")
def home(guest: TheGuest, done: str = "") -> Response:
    """What waits for an answer, and the way to everything else."""
    return _home(guest, done=bool(done))


def _home(guest: Guest, *, done: bool = False, problem: str = "", wrong_id: str = "", status: int = 200) -> Response:
    with guest.hub.database.read() as conn:
        found = offers(conn, guest.visit.scope, guest.hub.business_date())
    return page(guest, "home.html", status=status, offers=found, done=done, problem=problem, wrong_id=wrong_id)


@router.post("/offers/{case_id}")
def answer_offer(guest: TheGuest, form: GuestForm, case_id: str) -> Response:
    """One of three buttons: accept, need information, decline."""
    chosen, words = text_of(form, "answer", 20), text_of(form, "words", 2000)
    holder_ref = text_of(form, "holder_ref", 140).replace("\n", " ")
    need = "need_ref" if chosen == "accept" and not holder_ref else "need_words" if chosen != "accept" and not words else ""
    if need:
        return _home(guest, problem=guest.speech.say(need), wrong_id=case_id, status=422)
    with guest.hub.work() as work:
        case = held_case(work, guest.visit.scope, case_id)
        if asked_of_partner(case) != "acceptance":
            return _home(guest, problem=guest.speech.say("changed"), status=409)
        placement_id = case.placement.placement_id if case.placement else ""
        message_id = derived_id("page", placement_id, chosen, words)
        said: InboundMessage
        if chosen == "info":
            said = question(case_id, message_id, words)
        else:
            said = answer_to_offer(
                case, message_id, work.now, is_accepted=chosen == "accept", holder_ref=holder_ref,
                code="" if chosen == "accept" else "declined", reason=words,
            )
        take_statement(guest.hub, work, guest.visit.partner_id, message_id, [said])
    return back(guest)


# --- the month ------------------------------------------------------------------------------------


@router.get("/month")
def month(guest: TheGuest, done: str = "") -> Response:
    """Every case on one page, filled in as far as the hub knows."""
    return _month(guest, done=bool(done))


def _month(guest: Guest, *, done: bool = False, wrong: tuple[str, ...] = (), problem: str = "", status: int = 200) -> Response:
    with guest.hub.database.read() as conn:
        cases = [case for case in partners_cases(conn, guest.visit.scope) if asked_of_partner(case) != "acceptance"]
        lines = month_lines(conn, guest.visit.partner_id, cases)
    return page(
        guest, "month.html", status=status, cases=cases, lines=lines, codes=codes_in(guest.visit.language), asked={case.case_id: asked_of_partner(case) for case in cases},
        happened=HAPPENED, returned=RETURNED, done=done, wrong=wrong, problem=problem,
    )


@router.post("/month")
def take_month(guest: TheGuest, form: GuestForm) -> Response:
    """What was filled in becomes messages; a line that cannot be read goes to a person and stops no other."""
    with guest.hub.work() as work:
        wrong = _take_month(guest, work, form)
    return _month(guest, wrong=wrong, status=422) if wrong else back(guest, "/month")


def _take_month(guest: Guest, work: Work, form: FormData) -> tuple[str, ...]:
    """Keep what was said; the lines that cannot be read, in the words of whoever wrote them."""
    wrong: list[str] = []
    cases = partners_cases(work.conn, guest.visit.scope)
    messages: list[InboundMessage] = []
    faults: list[Fault] = []
    for row in (_filled(form, known) for known in form_rows(work.conn, cases)):
        try:
            messages += messages_of(row, guest.visit.partner_id, work.now) if row.is_filled else ()
        except PermanentError as error:
            reference = derived_id("month", row.case_id, error.message)
            wrong.append(f"{row.case_number}: {told(error, guest.visit.language)}")
            faults.append(
                Fault(code="form.row", reason=f"{row.case_number}: {error.message}. {error.cure}", message_id=reference,
                      case_id=row.case_id)
            )  # fmt: skip
    if messages or faults:
        report_id = derived_id("month", guest.visit.partner_id, *(one.message_id for one in (*messages, *faults)))
        take_statement(guest.hub, work, guest.visit.partner_id, report_id, messages, faults)
    return tuple(wrong)


def _filled(form: FormData, row: FormRow) -> FormRow:
    """A row of the form with what the partner wrote into it."""
    def said(name: str, longest: int = 140) -> str:
        return text_of(form, f"{name}:{row.case_id}", longest).replace("\n", " ")

    code = said("happened")
    return FormRow(
        case_id=row.case_id, case_number=row.case_number, currency=row.currency, demanded=row.demanded,
        holder_ref=row.holder_ref, answer_to=row.answer_to, answer="confirm" if said("confirm") and row.answer_to else "",
        status_code=code if code in HAPPENED else "", close_code=code if code in RETURNED else "",
        status_text=said("remark", 2000) if code in HAPPENED else "", reason=said("remark", 2000),
        question="" if code or not said("remark") else said("remark", 2000),
        received_amount=said("received"), received_on=said("received_on"), payment_ref=said("payment_ref"),
        cost_amount=said("cost"), remaining=row.demanded,
    )


# --- as a file ------------------------------------------------------------------------------------


@router.get("/form.{kind}")
def form_file(guest: TheGuest, kind: str) -> Response:
    """The same form as CSV or XLSX."""
    with guest.hub.database.read() as conn:
        rows = form_rows(conn, partners_cases(conn, guest.visit.scope))
    kind = "xlsx" if kind == "xlsx" else "csv"
    return download(write_form(rows, kind, guest.visit.language), f"cases-{guest.hub.business_date()}.{kind}")


@router.post("/imports")
def upload(guest: TheGuest, form: GuestForm) -> Response:
    """A filled form. Sent twice, it counts once."""
    sent = uploaded(form) or Paper("form", b"")
    try:
        with guest.hub.work() as work:
            _, decoded = take_form(guest.hub, work, guest.visit.partner_id, sent.content, sent.name)
    except QuarantineError:
        return _month(guest, problem=guest.speech.say("no_form"), status=422)
    if not decoded.faults:
        return back(guest, "/month")
    wrong = told_faults(sent.content, sent.name, guest.visit.partner_id, guest.hub.now(), guest.visit.language)
    return _month(guest, wrong=wrong, status=422)
