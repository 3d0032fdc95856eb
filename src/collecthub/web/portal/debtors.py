"""Debtors who may be one, and for the operator one debtor with everybody."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from collecthub.engine import identity_desk, one_debtor, one_letter, person_requests
from collecthub.errors import PermanentError
from collecthub.model.contact import Tone
from collecthub.model.spread import SpreadRule
from collecthub.store.queries import debtors as queries
from collecthub.store.queries.names import actor_names
from collecthub.store.queries.scope import NotThereError, not_there
from collecthub.web.answers import download
from collecthub.web.portal.entered import Entered
from collecthub.web.portal.pages import CreditorSide, Form, PageRoute, Visitor, page, redirect
from collecthub.web.problems import ProblemError

router = APIRouter(route_class=PageRoute, include_in_schema=False)
_DONE = {
    "joined": "The two are one debtor now; it can be taken back on his page.", "apart": "They are kept apart; it is not asked again.",
    "changed": "It is kept.", "planned": "The plan is proposed in every case.", "agreed": "The plan holds in every case.",
    "erased": "What named this person is gone; amounts, days and the chain of hashes stay.",
    "paid": "The payment is divided over the cases.",
}  # fmt: skip
RULES = (
    ("proportional", "In proportion to what is owed in each case"), ("oldest", "The oldest debt first"),
    ("smallest", "The smallest sum first"),
)  # fmt: skip


@router.get("/twins")
def show_twins(visitor: CreditorSide, done: Annotated[str, Query(max_length=20)] = "") -> Response:
    """Pairs that wait for a person, each with what speaks for it."""
    with visitor.hub.database.read() as conn:
        twins = queries.list_twins(conn, visitor.scope)
    return page(visitor, "twins.html", twins=twins, done=_DONE.get(done, ""))


@router.post("/twins/{twin_id}")
def decide(visitor: CreditorSide, form: Form, twin_id: str) -> Response:
    """Join them, or keep them apart."""
    entered = Entered(form)
    verdict, reason = entered.choice("verdict", ("same", "apart")), entered.text("reason", required=True)
    entered.check()
    with visitor.hub.work() as work:
        if verdict == "same":
            identity_desk.join_twins(visitor.hub, work, visitor.scope, twin_id, reason=reason)
        else:
            identity_desk.keep_apart(visitor.hub, work, visitor.scope, twin_id, reason=reason)
    return redirect("/twins", done="joined" if verdict == "same" else "apart")


@router.get("/cases/{case_id}/debtor")
def show_of_case(visitor: CreditorSide, case_id: str) -> Response:
    """The debtor of a case."""
    with visitor.hub.database.read() as conn:
        identity_id = queries.identity_of(conn, visitor.scope, case_id)
    if not identity_id:
        raise not_there("debtor", case_id)
    return redirect(f"/debtors/{identity_id}")


@router.get("/debtors/{identity_id}")
def show(visitor: CreditorSide, identity_id: str, done: Annotated[str, Query(max_length=20)] = "") -> Response:
    """All his cases with every creditor."""
    return _page(visitor, identity_id, done=_DONE.get(done, ""))


def _page(
    visitor: Visitor, identity_id: str, *, done: str = "", problem: PermanentError | None = None, status: int = 200
) -> Response:
    with visitor.hub.database.read() as conn:
        view = queries.one_debtor(conn, visitor.scope, identity_id)
        actors = actor_names(conn, [move.actor for move in view.moves])
    return page(
        visitor, "debtor.html", status=status, debtor=view, done=done, problem=problem, rules=RULES, actors=actors,
        currency=next(iter(view.owed), "EUR"),
    )  # fmt: skip


@router.post("/debtors/{identity_id}/access")
def hand_out(visitor: CreditorSide, form: Form, identity_id: str) -> Response:
    """What is held on him, to save; the request and its answer are noted."""
    with visitor.hub.work() as work:
        request_id = person_requests.ask(work, visitor.scope, identity_id, person_requests.ACCESS)
    name, content = person_requests.answer_access(visitor.hub, visitor.scope, request_id)
    return download(content, name)


@router.post("/debtors/{identity_id}/erasure")
def erase(visitor: CreditorSide, form: Form, identity_id: str) -> Response:
    """Erase him, or say what stands against it."""
    with visitor.hub.work() as work:
        request_id = person_requests.ask(work, visitor.scope, identity_id, person_requests.ERASURE)
    try:
        person_requests.erase(visitor.hub, visitor.scope, request_id)
    except person_requests.RetainedError as error:
        return _page(visitor, identity_id, problem=error, status=422)
    return redirect(f"/debtors/{identity_id}", done="erased")


@router.post("/debtors/{identity_id}/letter")
def write_letter(visitor: CreditorSide, form: Form, identity_id: str) -> Response:
    """One letter about all his cases, to print; each of them notes its own part."""
    entered = Entered(form)
    try:
        account, tone = entered.text("account", required=True, longest=60), entered.choice("tone", [one.value for one in one_letter.TONES])
        entered.check()
        with visitor.hub.work() as work:
            written = one_letter.write_one_letter(
                visitor.hub, work, visitor.scope, identity_id, currency=entered.text("currency", longest=3) or "EUR",
                account=account, tone=Tone(tone),
            )  # fmt: skip
    except NotThereError:
        raise
    except PermanentError as error:
        return _page(visitor, identity_id, problem=error, status=422)
    return download(written.content, "letter.pdf")


@router.post("/debtors/{identity_id}/{action}")
def act(visitor: CreditorSide, form: Form, identity_id: str, action: str) -> Response:
    """One form of the page; what was wrong is said on it."""
    entered = Entered(form)
    try:
        return redirect(f"/debtors/{identity_id}", done=_do(visitor, entered, identity_id, action))
    except NotThereError:
        raise
    except PermanentError as error:
        return _page(visitor, identity_id, problem=error, status=422)


def _do(visitor: Visitor, entered: Entered, identity_id: str, action: str) -> str:
    hub, scope = visitor.hub, visitor.scope
    currency = entered.text("currency", longest=3) or "EUR"
    with hub.work() as work:
        match action:
            case "capacity":
                amount = entered.amount("amount", currency)
                entered.check()
                one_debtor.set_capacity(work, scope, identity_id, amount=amount, currency=currency)
            case "spread":
                rule = entered.choice("rule", tuple(code for code, _ in RULES))
                entered.check()
                one_debtor.set_spread(work, scope, identity_id, SpreadRule(rule))
            case "plan":
                first_on = entered.date("first_on")
                months = entered.text("months", longest=3)
                entered.check()
                count = int(months) if months.isascii() and months.isdigit() else None
                one_debtor.propose_for_all(hub, work, scope, identity_id, currency=currency, count=count, first_on=first_on)
                return "planned"
            case "agree":
                one_debtor.agree_for_all(hub, work, scope, identity_id, reason=entered.text("reason"))
                return "agreed"
            case "payment":
                amount, paid_on = entered.amount("amount", currency), entered.date("paid_on", required=True)
                entered.check()
                assert paid_on is not None, "checked"
                one_debtor.pay_for_all(hub, work, scope, identity_id, amount=amount, currency=currency, paid_on=paid_on)
                return "paid"
            case "take-apart":
                identity_desk.take_apart(
                    hub, work, scope, entered.text("connection_id", required=True), entered.text("debtor_ref", required=True),
                    reason=entered.text("reason", required=True),
                )  # fmt: skip
            case _:
                raise ProblemError("not-found")
    return "changed"
