"""The page on which a creditor states his general terms once, and reads what was stated."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, Query, Response
from starlette.datastructures import FormData, UploadFile

from collecthub.engine.general_terms import Stated, list_terms, read_terms_document, state_terms
from collecthub.engine.page_guard import safe_name
from collecthub.errors import PermanentError
from collecthub.model.circumstances import Clause, InterestTerms
from collecthub.store.queries.names import actor_names, creditor_names
from collecthub.store.queries.scope import NotThereError
from collecthub.web.answers import download
from collecthub.web.portal.circumstances import COURT, FIXED, STANDS
from collecthub.web.portal.entered import Entered, EnteredError
from collecthub.web.portal.pages import CreditorSide, Form, PageRoute, Visitor, page, redirect

router = APIRouter(prefix="/general-terms", route_class=PageRoute, include_in_schema=False)
PLACED: Mapping[str, str] = {
    "interest": "Interest", "penalty": "Penalty clause", "retention": "Retention of title", "terms": "Other terms relied on",
}  # fmt: skip
CLAUSES: Mapping[str, str] = {**PLACED, "court": "Court", "law": "Governing law", "arbitration": "Arbitration"}


@router.get("")
def show(visitor: CreditorSide, done: Annotated[str, Query(max_length=20)] = "") -> Response:
    """What was stated, and the form for a new version."""
    return _page(visitor, {}, {}, done="The terms are kept; open cases are checked anew." if done else "")


@router.post("")
def state(visitor: CreditorSide, form: Form) -> Response:
    """Keep a version beside those before it."""
    entered = Entered(form)
    try:
        stated = _read(entered, form)
        whose = visitor.scope.creditor_id or entered.text("creditor_id", required=True)
        entered.check()
        with visitor.hub.work() as work:
            state_terms(visitor.hub, work, visitor.scope, whose, stated)
    except EnteredError as error:
        return _page(visitor, entered.given, dict(error.fields), status=422)
    except NotThereError:
        raise
    except PermanentError as error:
        return _page(visitor, entered.given, {"": f"{error.message}. {error.cure}"}, status=422)
    return redirect("/general-terms", done="kept")


@router.get("/{terms_id}/document")
def save_document(visitor: CreditorSide, terms_id: str) -> Response:
    """The text of the terms, to save."""
    with visitor.hub.database.read() as conn:
        name, content = read_terms_document(visitor.hub, conn, visitor.scope, terms_id)
    return download(content, name)


def _read(entered: Entered, form: FormData) -> Stated:
    file = form.get("file")
    content = file.file.read() if isinstance(file, UploadFile) else b""
    percent = entered.amount("percent", "EUR", required=False) if entered.given.get("percent", "").strip() else None
    interest = InterestTerms(percent=percent, fixing=entered.choice("fixing", {"", *dict(FIXED)}))
    from_on = entered.date("from_on", required=True)
    accepted = entered.choice("accepted_by", dict(STANDS))
    clauses = tuple(_clauses(entered))
    entered.check()
    assert from_on is not None, "checked"
    return Stated(
        from_on=from_on, until_on=entered.date("until_on"), accepted_by=accepted, clauses=clauses,
        language=entered.text("language", longest=20).lower(), interest=interest if interest != InterestTerms() else None,
        document=content, document_name=safe_name(file.filename or "") if content and isinstance(file, UploadFile) else "",
    )  # fmt: skip


def _clauses(entered: Entered) -> Iterator[Clause]:
    court, law = entered.choice("court", {"", *dict(COURT)}), entered.text("law_country", longest=2).upper()
    if court:
        where = entered.text("court_country", longest=2).upper()
        yield Clause(kind="court", country=where, is_exclusive=court == "exclusive")
    if law:
        yield Clause(kind="law", country=law)
    if entered.given.get("arbitration"):
        yield Clause(kind="arbitration", country=entered.text("arbitration_country", longest=2).upper())
    yield from (Clause(kind=kind) for kind in PLACED if entered.given.get(kind))


def _rate(percent: Decimal) -> str:
    """A rate without zeros that say nothing."""
    return f"{percent:f}".rstrip("0").rstrip(".") if "." in f"{percent:f}" else f"{percent:f}"


def _page(
    visitor: Visitor, given: Mapping[str, str], wrong: dict[str, str], *, done: str = "", status: int = 200
) -> Response:
    with visitor.hub.database.read() as conn:
        found, creditors = list_terms(conn, visitor.scope), creditor_names(conn, visitor.scope)
        who = actor_names(conn, {one.stated_by for one in found})
    return page(
        visitor, "general_terms.html", status=status, found=found, creditors=creditors, given=given, wrong=wrong, done=done,
        who=who, rate=_rate,
        placed=PLACED, clauses=CLAUSES, stands=dict(STANDS), court=COURT, fixed=FIXED,
    )  # fmt: skip
