"""The debtor's page: what is asked, why and by whom, how to pay it, and what else can be said."""

from __future__ import annotations

import datetime as dt
import hmac
import tomllib
from collections.abc import Callable, Collection, Coroutine, Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import jinja2
import msgspec
from fastapi import APIRouter, Depends, Request, Response
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse, RedirectResponse

from collecthub.engine import debtor_desk as desk
from collecthub.engine import debtor_links as links
from collecthub.engine.contact_words import answered_at, letter_facts, payment_code
from collecthub.engine.context import Hub
from collecthub.errors import CollecthubError, PermanentError, RetryableError
from collecthub.law.help_addresses import help_addresses
from collecthub.law.retention import CASE_FILE, retention
from collecthub.model.case import Case
from collecthub.model.party import PartyKind
from collecthub.paper import written
from collecthub.paper.letter_text import LANGUAGES, shipped_language
from collecthub.store.case_log import read_case
from collecthub.store.connections import CreditorRow, read_creditor
from collecthub.store.queries.contacts import messages_sent
from collecthub.store.queries.debtors import requests_of
from collecthub.store.queries.scope import NotThereError
from collecthub.web.auth import TheHub, auth_now, hub_of, is_https
from collecthub.web.debtor.answers import ANSWERS, HELPERS_MAY, read_said
from collecthub.web.debtor.outlook import outlook, shown_plan
from collecthub.web.guests.templates_of import guest_templates

_HERE = Path(__file__).parent
_HEADERS = {"Referrer-Policy": "same-origin", "X-Robots-Tag": "noindex", "Cache-Control": "no-store"}
_COOKIE = "collecthub-debtor"
class Debtor(msgspec.Struct, frozen=True, kw_only=True):
    """A visitor who gave the code, his case and his language."""

    hub: Hub
    token: str
    csrf: str
    case: Case
    creditor: CreditorRow
    language: str
    role: str  # helper, or empty for the debtor himself

    @property
    def may(self) -> Collection[str]:
        """What this visitor may say."""
        return HELPERS_MAY if self.role else ANSWERS.keys()


class _CodeNeededError(Exception):
    """The address is alive and its code was not given by this browser."""


@cache
def words_of(language: str) -> Mapping[str, str]:
    """Every text of the page in one of the four languages."""
    found: dict[str, str] = tomllib.loads((_HERE / "words" / f"{language}.toml").read_text(encoding="utf-8"))
    return found


def _language(request: Request, case: Case | None, creditor: CreditorRow | None) -> str:
    """What the visitor chose, else what the case says, else what the browser asks for."""
    chosen = request.query_params.get("language", "") or request.cookies.get("language", "")
    if chosen in LANGUAGES:
        return chosen
    if case is not None and case.debtor.language[:2] in LANGUAGES:
        return case.debtor.language[:2]
    asked = [part.partition(";")[0].strip() for part in request.headers.get("accept-language", "").split(",")]
    return shipped_language(*asked, creditor.party.language if creditor else "")


def _cookie_name(hub: Hub) -> str:
    return f"__Host-{_COOKIE}" if is_https(hub) else _COOKIE


def _case(hub: Hub, token: str, visit: str) -> tuple[Case, CreditorRow, links.DebtorVisit]:
    with hub.database.read() as conn:
        found = links.read_visit(conn, token, visit, auth_now())
        if found is None:
            raise _CodeNeededError
        case = read_case(conn, found.case_id)
        creditor = read_creditor(conn, case.creditor_id) if case else None
    if case is None or creditor is None:
        raise NotThereError("the case is gone")
    return case, creditor, found


async def _debtor(request: Request, token: str) -> Debtor:
    hub = await hub_of(request)
    visit = request.cookies.get(_cookie_name(hub), "")
    case, creditor, found = await run_in_threadpool(_case, hub, token, visit)
    language = _language(request, case, creditor)
    return Debtor(hub=hub, token=token, csrf=found.csrf, case=case, creditor=creditor, language=language, role=found.role)


TheDebtor = Annotated[Debtor, Depends(_debtor)]


class _Route(APIRoute):
    """A route whose errors are pages in plain words, and whose strangers are asked for the code."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handler = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            language = _language(request, None, None)
            try:
                return await handler(request)
            except _CodeNeededError:
                return _draw("code.html", language, root=f"/d/{request.path_params['token']}", problem="")
            except NotThereError:
                return _draw("gone.html", language, status=404, text=words_of(language)["gone"])
            except CollecthubError as error:
                word = error.word if isinstance(error, desk.NotTakenError) else "not_taken"
                return _draw("gone.html", language, status=409, text=words_of(language)[word])

        return guarded


router = APIRouter(prefix="/d/{token}", route_class=_Route, include_in_schema=False)


def _same_origin(request: Request) -> None:
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc.lower() != request.headers.get("host", "").lower():
        raise desk.NotTakenError("old_form", "this form came from another page", "Open the page by its address.")


@router.post("/code")
async def enter(request: Request, hub: TheHub, token: str) -> Response:
    """A right code opens the page for two hours; wrong ones cost time."""
    _same_origin(request)
    language = _language(request, None, None)
    form = await request.form(max_files=0, max_fields=3, max_part_size=200)
    try:
        visit = await run_in_threadpool(_enter, hub, token, str(form.get("code", ""))[:40])
    except RetryableError as error:
        seconds = round(error.retry_after_seconds or 1) + 1
        said = words_of(language)["wait"].format(seconds=seconds)
        return _draw("code.html", language, status=429, root=f"/d/{token}", problem=said)
    if visit is None:
        return _draw("code.html", language, status=422, root=f"/d/{token}", problem=words_of(language)["wrong_code"])
    response = RedirectResponse(f"/d/{token}", 303, headers=_HEADERS)
    lasts = int(links.VISIT_LASTS.total_seconds())
    response.set_cookie(_cookie_name(hub), visit, max_age=lasts, httponly=True, samesite="lax", secure=is_https(hub), path="/")
    return response


def _enter(hub: Hub, token: str, code: str) -> str | None:
    with hub.database.write() as conn:
        return links.enter(conn, token, code, auth_now())


@router.get("")
def show(request: Request, debtor: TheDebtor, done: str = "") -> Response:
    """The page."""
    response = _show(debtor, done=done if done in debtor.may else "")
    if request.query_params.get("language", "") in LANGUAGES:
        response.set_cookie("language", debtor.language, max_age=7200, samesite="lax", path=f"/d/{debtor.token}")
    return response


@router.post("/say/{what}/documents")  # the last part of the path allows files (web.guard)
async def say(request: Request, debtor: TheDebtor, what: str) -> Response:
    """One answer; back to the page, which says what happens now."""
    _same_origin(request)
    async with request.form(max_files=1, max_fields=10, max_part_size=20_000) as form:
        given = form.get("csrf")
        if not isinstance(given, str) or not hmac.compare_digest(given.encode(), debtor.csrf.encode()):
            raise desk.NotTakenError("old_form", "this form is too old", "Reload the page and try again.")
        if what not in debtor.may:
            raise NotThereError("there is no such answer")
        try:
            said = await read_said(form, is_helper=bool(debtor.role))
            made = await run_in_threadpool(ANSWERS[what], debtor.hub, debtor.case.case_id, said)
        except PermanentError as error:
            word = error.word if isinstance(error, desk.NotTakenError) else "not_taken"
            return await run_in_threadpool(_show, debtor, status=422, wrong=what, problem=words_of(debtor.language)[word])
    if isinstance(made, links.DebtorLink):  # it is shown in this one answer only
        return await run_in_threadpool(_show, debtor, done=what, made=made, root=str(request.base_url))
    return RedirectResponse(f"/d/{debtor.token}?done={what}#top", 303, headers=_HEADERS)


# --- drawing --------------------------------------------------------------------------------------


def _show(
    debtor: Debtor, *, status: int = 200, done: str = "", wrong: str = "", problem: str = "",
    made: links.DebtorLink | None = None, root: str = "",
) -> Response:  # fmt: skip
    """The page; `root` is where this browser found us, for an address to pass on where no public one is set."""
    hub = debtor.hub
    facts = letter_facts(debtor.case, debtor.creditor, hub.business_date())
    plan = shown_plan(debtor.case)
    pay = facts if plan is None or plan.next_amount is None else msgspec.structs.replace(facts, total=plan.next_amount)
    holds = [hold.reason for hold in debtor.case.holds if hold.reason != "reminders"]
    with hub.database.read() as conn:
        ahead = outlook(hub, conn, debtor.case, facts.total) if debtor.case.is_open and not holds else None
        sent = messages_sent(conn, debtor.case.case_id)
        helper = links.helper_of(conn, debtor.case.case_id, auth_now())
        asked = [] if debtor.role else requests_of(conn, debtor.case.case_id)
    return _draw(
        "case.html", debtor.language, status=status, root=f"/d/{debtor.token}", csrf=debtor.csrf, case=debtor.case,
        facts=facts, pay=pay, code=payment_code(pay), plan=plan, may=debtor.may, is_helper=bool(debtor.role), outlook=ahead, helper=helper, sent=sent,
        answers=_answers(debtor.case),
        asked=asked, helped=help_addresses(debtor.case.debtor.country, debtor.language), phone=answered_at(debtor.case, debtor.creditor),
        years=retention()[CASE_FILE].years, is_person=debtor.case.debtor.kind is PartyKind.PERSON,
        made=made, made_at=(hub.settings.public_url or root).rstrip("/") + made.path if made else "", parts=tuple(desk.PARTS),
        tomorrow=hub.business_date() + dt.timedelta(days=1), refusable=[one.value for one in desk.REFUSABLE],
        done=done, wrong=wrong, problem=problem, is_paused=bool(holds), operator=hub.settings.operator_name,
        partner=_holder(debtor.case), languages=LANGUAGES,
    )


def _answers(case: Case) -> list[tuple[str, dt.date, str]]:
    """What a person answered to what the debtor said, the newest first."""
    found = [("dispute", one.decided_on, one.answer) for one in case.objections.disputes if one.decided_on]
    found += [("complaint", one.answered_at.date(), one.answer) for one in case.objections.complaints if one.answered_at]
    if case.solvency.answered_on:
        found.append(("score", case.solvency.answered_on, case.solvency.answer))
    return sorted((one for one in found if one[2]), key=lambda one: one[1], reverse=True)


def _holder(case: Case) -> str:
    return case.placement.partner_name if case.placement is not None and case.placement.is_out else ""


@cache
def _templates() -> jinja2.Environment:
    return guest_templates(_HERE / "templates")


def _draw(template: str, language: str, *, status: int = 200, **values: Any) -> Response:
    words = words_of(language)
    text = _templates().get_template(template).render(
        say=lambda key, **more: words[key].format(**more), language=language,
        money=lambda amount, currency: written.money(amount, currency, language), day=lambda date: written.day(date, language), **values,
    )
    return HTMLResponse(text, status, headers=_HEADERS)
