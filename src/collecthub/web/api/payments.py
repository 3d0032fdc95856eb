"""Payments: bank files in, what waits for a person, and what people decide about it."""

from __future__ import annotations

import io
from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from collecthub.engine import payment_desk, payment_sums
from collecthub.engine.context import Hub
from collecthub.engine.matching import MatchRun, match_payments
from collecthub.engine.payments_in import ImportedFile, Owner, import_bank_file
from collecthub.formats.bank.csv_rows import CsvLayout
from collecthub.formats.bank.epc_code import epc_code_svg
from collecthub.store.queries import payments
from collecthub.store.queries.paging import Listed
from collecthub.store.queries.scope import Role, Scope
from collecthub.web.answers import answer, documented, documented_file, download
from collecthub.web.api.fields import Amount, Id, Inbound, Line, Paging, Ref, Text
from collecthub.web.auth import CreditorSide, TheHub
from collecthub.web.problems import FieldProblem, ProblemError
from collecthub.web.strict_json import StrictRoute

router = APIRouter(tags=["payments"], route_class=StrictRoute)

_BYTES = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}
FileName = Annotated[str, Query(min_length=1, max_length=300, description="The file's name, for its place in the list.")]
State = Annotated[str, Query(max_length=20, description="`waiting` is what a person must look at; empty for all.")]


class ImportAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a bank file, and of the payments that waited."""

    file: ImportedFile
    match: MatchRun


class AssignIn(Inbound):
    """A case for a payment. Without `amount` all that is left of it; `same_as` is `known_ref` of a proposal."""

    case_id: Id
    amount: Amount | None = None
    same_as: Ref = ""


class PaymentProposalIn(Inbound):
    """The `key` of the proposal that is booked, all of it."""

    key: Id


class UndoIn(Inbound):
    """The payment that a return undoes."""

    original_id: Id


class SetAsideIn(Inbound):
    """Whose the payment is, or why it is no debtor's."""

    note: Text


@router.post(
    "/payments/imports", summary="Import a bank file", openapi_extra=_BYTES,
    responses=documented(ImportAnswer, description="What became of the file; a refused one says where and why."),
)  # fmt: skip
async def import_file(
    request: Request, hub: TheHub, scope: CreditorSide, name: FileName,
    creditor_id: Annotated[str, Query(max_length=64, description="Whose account; a creditor's own without it.")] = "",
    client_account: Annotated[bool, Query(description="It is the operator's account for clients' money.")] = False,
    account: Annotated[str, Query(max_length=64, description="For a table: the account, where no column names it.")] = "",
    currency: Annotated[str, Query(pattern="^([A-Z]{3})?$", description="For a table without such a column.")] = "",
    date_format: Annotated[str, Query(max_length=12)] = "YYYY-MM-DD",
    decimal_mark: Annotated[Literal[".", ","], Query()] = ".",
    column: Annotated[tuple[str, ...], Query(max_length=20, description="For a table: FIELD=HEADER.")] = (),
) -> Response:  # fmt: skip
    """The body is camt.052, camt.053, camt.054, CODA, MT940 or, with a layout, a table. The same file counts once."""
    owner = _owner(scope, creditor_id, client_account)
    layout = None
    if column or account:
        pairs = [one.partition("=") for one in column]
        layout = CsvLayout(
            columns={field: header for field, _, header in pairs}, account=account, currency=currency,
            date_format=date_format, decimal_mark=decimal_mark,
        )  # fmt: skip
    content = await request.body()
    return await run_in_threadpool(_import, hub, scope, content, name, owner, layout)


def _owner(scope: Scope, creditor_id: str, client_account: bool) -> Owner | None:
    if client_account and (creditor_id or scope.role is not Role.OPERATOR):
        reason = "an account belongs to a creditor or is the operator's client account"
        raise ProblemError("validation", errors=[FieldProblem(field="client_account", reason=reason)])
    return Owner(creditor_id=creditor_id or None) if creditor_id or client_account else None


def _import(
    hub: Hub, scope: Scope, content: bytes, name: str, owner: Owner | None, layout: CsvLayout | None
) -> Response:
    found = import_bank_file(hub, scope, io.BytesIO(content), name, owner, layout)
    return answer(ImportAnswer(file=found, match=match_payments(hub, scope)))


@router.get("/payments/files", summary="List bank files", responses=documented(Listed[payments.BankFileView]))
async def read_files(hub: TheHub, scope: CreditorSide, page: Paging, state: State = "") -> Response:
    """Newest first; a refused one with its reason."""
    with hub.database.read() as conn:
        return answer(payments.list_bank_files(conn, scope, hub.key, page, state))


@router.post("/payments/match", summary="Match what waits", responses=documented(MatchRun))
def match(
    hub: TheHub, scope: CreditorSide,
    again: Annotated[bool, Query(description="Also what waits for a person.")] = False,
) -> Response:  # fmt: skip
    """What is certain is booked, the rest waits for a person."""
    return answer(match_payments(hub, scope, again=again))


@router.get("/payments", summary="List payments", responses=documented(Listed[payments.PaymentView]))
async def read_list(
    hub: TheHub, scope: CreditorSide, page: Paging, state: State = "waiting",
    case_id: Annotated[str, Query(max_length=64, description="Only those booked in this case.")] = "",
) -> Response:  # fmt: skip
    """Each with the cases it may belong to, with score and reasons."""
    with hub.database.read() as conn:
        return answer(payments.list_payments(conn, scope, hub.key, page, state, case_id))


@router.get("/payments/{payment_id}", summary="One payment", responses=documented(payments.PaymentView))
async def read_one(hub: TheHub, scope: CreditorSide, payment_id: str) -> Response:
    """With the cases it may belong to."""
    with hub.database.read() as conn:
        return answer(payments.payment_detail(conn, scope, payment_id))


@router.post("/payments/{payment_id}/assign", summary="Give it to a case", responses=documented(payments.PaymentView))
def assign(hub: TheHub, scope: CreditorSide, payment_id: str, body: AssignIn) -> Response:
    """A settled payment is not settled again."""
    with hub.work() as work:
        payment_desk.assign_payment(
            hub, work, scope, payment_id, body.case_id, amount=body.amount, same_as=body.same_as
        )
    return _view(hub, scope, payment_id)


@router.get(
    "/payments/{payment_id}/proposals", summary="What it is together with others", responses=documented(payment_sums.Proposals)
)
async def read_proposals(hub: TheHub, scope: CreditorSide, payment_id: str) -> Response:
    """Payments of one payer that make one sum, and cases over which a payment that names several is divided."""
    with hub.database.read() as conn:
        return answer(payment_sums.proposals(conn, scope, payment_id))


@router.post(
    "/payments/{payment_id}/proposals", summary="Book what fits together", responses=documented(payment_sums.Proposed)
)
def book_proposal(hub: TheHub, scope: CreditorSide, payment_id: str, body: PaymentProposalIn) -> Response:
    """Every part of a proposal or nothing; one that does not hold any more is refused."""
    with hub.work() as work:
        return answer(payment_sums.book_proposal(hub, work, scope, payment_id, body.key))


@router.post("/payments/{payment_id}/undo", summary="Name what a return undoes", responses=documented(payments.PaymentView))
def undo(hub: TheHub, scope: CreditorSide, payment_id: str, body: UndoIn) -> Response:
    """The original loses its booking, the case asks for the money again."""
    with hub.work() as work:
        payment_desk.undo_by_return(hub, work, scope, payment_id, body.original_id)
    return _view(hub, scope, payment_id)


@router.post("/payments/{payment_id}/set-aside", summary="Set it aside", responses=documented(payments.PaymentView))
def set_aside(hub: TheHub, scope: CreditorSide, payment_id: str, body: SetAsideIn) -> Response:
    """It belongs to no case; the note says why."""
    with hub.work() as work:
        payment_desk.set_aside(work, scope, payment_id, note=body.note)
    return _view(hub, scope, payment_id)


def _view(hub: Hub, scope: Scope, payment_id: str) -> Response:
    with hub.database.read() as conn:
        return answer(payments.payment_detail(conn, scope, payment_id))


# --- the reference of a case ----------------------------------------------------------------------


@router.get(
    "/cases/{case_id}/payment-reference", summary="What the debtor writes on his transfer",
    responses=documented(payments.PaymentReferenceView),
)  # fmt: skip
async def read_reference(hub: TheHub, scope: CreditorSide, case_id: str) -> Response:
    """The same for the whole life of the case."""
    with hub.database.read() as conn:
        return answer(payments.case_payment_reference(conn, scope, case_id))


@router.get(
    "/cases/{case_id}/payment-code", summary="The QR code of the transfer",
    responses=documented_file("An SVG picture, as banks' apps read it (EPC069-12)."),
)  # fmt: skip
async def read_code(
    hub: TheHub, scope: CreditorSide, case_id: str,
    account: Annotated[str, Query(max_length=40, description="IBAN to pay to, where the hub knows several or none.")] = "",
    beneficiary: Annotated[Line, Query(description="Whose account that is.")] = "",
) -> Response:  # fmt: skip
    """For all that is owed, in euro."""
    with hub.database.read() as conn:
        view = payments.case_payment_reference(conn, scope, case_id)
    if view.currency != "EUR":
        reason = f"the code is for transfers in EUR, the case is in {view.currency}"
        raise ProblemError("validation", errors=[FieldProblem(field="case_id", reason=reason)])
    drawn = epc_code_svg(
        beneficiary=beneficiary or view.beneficiary or hub.settings.operator_name, account=account or view.account,
        amount=view.owed, reference=view.reference,
    )  # fmt: skip
    return download(drawn.encode(), f"payment-{view.number}.svg")
