"""Contracts in the portal: every version with its grid, and the next one by form or as a file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query, Response
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile

from collecthub.engine.contracting import enter_contract, read_terms
from collecthub.errors import PermanentError
from collecthub.model.contract import Bearer, Contract, Side, in_force
from collecthub.store.queries import remittances as views
from collecthub.store.queries.names import creditor_names, partner_names
from collecthub.web.portal.entered import Entered
from collecthub.web.portal.pages import CreditorSide, Form, Operator, PageRoute, Visitor, page, redirect

router = APIRouter(route_class=PageRoute, include_in_schema=False)
Word = Annotated[str, Query(max_length=200)]
ENTERED = "The contract is entered."
UNFOLDED = 6  # more contracts than these are folded and can be searched
EMPTY_ROWS = 3  # beyond those of the version before
GRID = ("percent", "amount_from", "amount_below", "age_days_from", "age_days_below", "countries", "currencies")
COSTS = ("cost_type", "currency", "amount_most", "bearer")
_PLAIN = ("valid_from", "valid_to", "minimum_fee", "minimum_currency", "vat_percent", "fee_bearer", "note")
_YES = ("is_withheld", "on_direct_payments")
_LISTS, _COUNTS = frozenset({"countries", "currencies"}), frozenset({"age_days_from", "age_days_below"})


@router.get("/contracts")
def show_contracts(visitor: CreditorSide, done: Word = "", party: Word = "", q: Word = "") -> Response:
    """Every version of whoever's name has `q` in it; the one in force today is marked.

    With a party the form begins with its newest version.
    """
    return _contract_page(visitor, done=ENTERED if done == "entered" else "", party=party, q=q.strip())


def _contract_page(
    visitor: Visitor, *, done: str = "", party: str = "", q: str = "", problem: PermanentError | None = None,
    given: Mapping[str, str] | None = None,
) -> Response:  # fmt: skip
    with visitor.hub.database.read() as conn:
        found = views.list_contracts(conn, visitor.scope)
        creditors = creditor_names(conn, visitor.scope)
        partners = partner_names(conn) if visitor.is_operator else {}
    by_party: dict[str, list[Contract]] = {}
    for view in found:
        by_party.setdefault(f"{view.contract.side.value}:{view.contract.party_id}", []).append(view.contract)
    today = visitor.hub.business_date()
    valid = {now.contract_id for versions in by_party.values() if (now := in_force(versions, today))}
    newest = max(by_party.get(party, ()), key=lambda one: one.version, default=None)
    filled = given if given is not None else {"party": party, **_as_given(newest)}
    parties = [(f"creditor:{key}", name) for key, name in creditors.items()]
    parties += [(f"partner:{key}", f"{name} (partner)") for key, name in partners.items()]
    shown = [view for view in found if q.casefold() in view.party_name.casefold()]
    return page(
        visitor, "contracts.html", status=422 if problem else 200, shown=shown, is_long=len(found) > UNFOLDED, q=q, valid=valid, parties=parties, done=done,
        problem=problem, given=filled, grid_rows=_rows(filled, "grid"), cost_rows=_rows(filled, "costs"), bearers=[one.value for one in Bearer],
    )  # fmt: skip


def _as_given(contract: Contract | None) -> dict[str, str]:
    """A version as the form holds it; its dates are not taken over, because the next one begins on another day."""
    if contract is None:
        return {"minimum_fee": "0", "minimum_currency": "EUR", "vat_percent": "0", "is_withheld": "yes"}
    terms = msgspec.json.decode(msgspec.json.encode(contract.terms))
    given = {name: str(terms[name] or "") for name in _PLAIN if name not in ("valid_from", "valid_to")}
    given |= {name: "yes" if terms[name] else "" for name in _YES}
    for part, names in (("grid", GRID), ("costs", COSTS)):
        for place, row in enumerate(terms[part]):
            given |= {f"{part}-{place}-{name}": _shown(row[name]) for name in names}
    return given


def _shown(value: Any) -> str:
    return " ".join(value) if isinstance(value, list) else "" if value is None else str(value)


def _rows(given: Mapping[str, str], part: str) -> range:
    """The places of the rows that are filled in, and a few more."""
    places = [int(name.split("-")[1]) for name, value in given.items() if name.startswith(f"{part}-") and value and _is_place(name)]
    return range(min(max(places, default=-1) + 1, 60) + EMPTY_ROWS)


def _is_place(name: str) -> bool:
    place = name.split("-")[1]
    return place.isascii() and place.isdigit() and len(place) < 3


@router.post("/contracts")
async def add_contract(visitor: Operator, form: Form) -> Response:
    """The next version, by the fields of the form or as a JSON file."""
    uploaded = form.get("file")
    entered = Entered(form)
    try:
        is_file = isinstance(uploaded, UploadFile) and bool(uploaded.filename)
        content = await uploaded.read() if is_file and isinstance(uploaded, UploadFile) else terms_of(entered)
        await run_in_threadpool(_enter, visitor, entered.given.get("party", ""), content)
    except PermanentError as error:
        return await run_in_threadpool(partial(_contract_page, visitor, problem=error, given=entered.given))
    return redirect("/contracts", done="entered")


def terms_of(entered: Entered) -> bytes:
    """The terms that the fields state, as the document that every other door takes; it is checked where that is."""
    terms: dict[str, Any] = {name: value for name in _PLAIN if (value := _figure(name, entered.text(name, longest=2000)))}
    terms |= {name: entered.given.get(name) == "yes" for name in _YES}
    terms["grid"] = list(_table(entered, "grid", GRID))
    terms["costs"] = list(_table(entered, "costs", COSTS))
    entered.check()
    return msgspec.json.encode(terms)


def _table(entered: Entered, part: str, names: Iterable[str]) -> Iterable[dict[str, Any]]:
    """The rows of a table in their order; one without its first field is no row."""
    first, *_ = names = tuple(names)
    for place in _rows(entered.given, part):
        cells = {name: entered.text(f"{part}-{place}-{name}", longest=300) for name in names}
        if any(cells[name] for name in names if name != "bearer"):
            yield {name: value for name, cell in cells.items() if (value := _cell(name, cell)) not in ("", []) or name == first}


def _cell(name: str, cell: str) -> Any:
    if name in _LISTS:
        return cell.upper().replace(",", " ").split()
    if name in _COUNTS:
        return int(cell) if cell.isascii() and cell.isdigit() and len(cell) < 6 else cell
    return _figure(name, cell)


def _figure(name: str, text: str) -> str:
    """A figure with a comma reads like one with a point; anything else about it is judged where terms are read."""
    return text.replace(",", ".") if name.startswith(("percent", "amount", "minimum_fee", "vat")) else text


def _enter(visitor: Visitor, party: str, content: bytes) -> None:
    side, _, party_id = party.partition(":")
    if side not in set(Side):
        raise PermanentError("Nobody was chosen", cure="Choose whose contract it is.")
    terms = read_terms(content)
    with visitor.hub.work() as work:
        enter_contract(work, visitor.scope, Side(side), party_id, terms)
