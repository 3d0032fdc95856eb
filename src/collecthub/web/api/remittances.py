"""Money out: remittances, orders to the bank, contracts, receipts, client money, the cost statement."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from collecthub.engine.client_account import explain_movement, see_debits
from collecthub.engine.context import Hub
from collecthub.engine.contracting import enter_contract, read_terms
from collecthub.engine.cost_sheet import cost_statement_pdf
from collecthub.engine.payment_orders import (
    AnsweredRemittance,
    ExportedOrder,
    export_remittances,
    order_file,
    take_answer,
)
from collecthub.engine.receipts import Receipt, Taken, give_receipt, reverse_receipt
from collecthub.engine.remitting import RemittanceRun, create_remittances
from collecthub.model.client_money import ClientMoney
from collecthub.model.contract import Contract, Side
from collecthub.store.queries import remittances
from collecthub.store.queries.client_money import client_money
from collecthub.store.queries.cost_statement import CostStatement, cost_statement, cost_statement_csv
from collecthub.store.queries.names import creditor_names
from collecthub.store.queries.paging import Listed
from collecthub.store.queries.scope import Scope
from collecthub.web.answers import answer, documented, documented_file, download
from collecthub.web.api.fields import Amount, Id, Inbound, Line, Note, Paging, Ref, Text
from collecthub.web.auth import CreditorSide, Operator, TheHub
from collecthub.web.strict_json import StrictRoute

router = APIRouter(tags=["money out"], route_class=StrictRoute)

_BYTES = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}
Day = Annotated[dt.date | None, Query()]
Word = Annotated[str, Query(max_length=64)]


class OrderView(msgspec.Struct, frozen=True, kw_only=True):
    """The order that was written, if anything waited."""

    order: ExportedOrder | None


class Explained(msgspec.Struct, frozen=True, kw_only=True):
    """The movement and its reason."""

    payment_id: str
    reason: str


class ClientMoneyView(msgspec.Struct, frozen=True, kw_only=True):
    """Both sides in one currency, their difference, and what a person must look at."""

    figures: ClientMoney
    there: Decimal
    owed: Decimal
    difference: Decimal
    findings: tuple[str, ...]


class RemittanceIn(Inbound):
    """For whom remittances are made, and of what came in until when; without both of everything that is held."""

    creditor_id: Ref = ""
    until: dt.date | None = None


class OrderIn(Inbound):
    """From which account the bank pays, and when."""

    account: Line = ""
    pay_on: dt.date | None = None


class ReceiptIn(Inbound):
    """What somebody took, how and where."""

    case_id: Id
    amount: Amount
    means: Literal["cash", "card"]
    place: Literal["counter", "visit"]
    received_on: dt.date
    received_by: Line
    terminal_ref: Line = ""


class ReversalIn(Inbound):
    """Which receipt, by number or id, and why."""

    receipt: Id
    reason: Text


class ClientMoneyReasonIn(Inbound):
    """Why money moved on the client account."""

    payment_id: Id
    reason: Literal["operator", "cash", "card"]
    note: Note = ""


@router.get("/remittances", summary="List remittances", responses=documented(Listed[remittances.RemittanceView]))
async def read_list(
    hub: TheHub, scope: CreditorSide, page: Paging, state: Word = "", creditor_id: Word = ""
) -> Response:
    """Newest first, without what is in them."""
    with hub.database.read() as conn:
        return answer(remittances.list_remittances(conn, scope, hub.key, page, state, creditor_id))


@router.post("/remittances", summary="Make remittances of what is held", responses=documented(RemittanceRun))
def create(hub: TheHub, scope: Operator, body: RemittanceIn) -> Response:
    """Each held amount enters one remittance, once. What stays is told with its reason."""
    return answer(create_remittances(hub, scope, creditor_id=body.creditor_id, until=body.until))


@router.get("/remittances/{remittance_id}", summary="One remittance", responses=documented(remittances.RemittanceView))
async def read_one(hub: TheHub, scope: CreditorSide, remittance_id: str) -> Response:
    """With every amount in it, the fee on it and the rule of the fee."""
    with hub.database.read() as conn:
        return answer(remittances.remittance_detail(conn, scope, remittance_id))


@router.post("/payment-orders", summary="Write an order to the bank", responses=documented(OrderView))
def export(hub: TheHub, scope: Operator, body: OrderIn) -> Response:
    """Every remittance that waits, as pain.001; no order when none waits."""
    return answer(OrderView(order=export_remittances(hub, scope, account=body.account, pay_on=body.pay_on)))


@router.get("/payment-orders/file", summary="The file of an order", responses=documented_file("pain.001.001.09"))
def read_order(hub: TheHub, scope: Operator, order: Word) -> Response:
    """The same bytes for all time."""
    found, content = order_file(hub, scope, order)
    return download(content, found.name)


@router.post(
    "/payment-orders/answers", summary="Take the bank's answer", openapi_extra=_BYTES, responses=documented(Listed[AnsweredRemittance])
)
async def take(request: Request, hub: TheHub, scope: Operator) -> Response:
    """The body is pain.002. A rejected payment is held again."""
    content = await request.body()
    return answer(Listed(items=await run_in_threadpool(take_answer, hub, scope, content)))


@router.get("/contracts", summary="List contracts", responses=documented(Listed[remittances.ContractView]))
async def read_contracts(hub: TheHub, scope: CreditorSide) -> Response:
    """Every version of those that the caller is a party to."""
    with hub.database.read() as conn:
        return answer(Listed(items=remittances.list_contracts(conn, scope)))


@router.post("/contracts", summary="Enter the next version", openapi_extra=_BYTES, responses=documented(Contract))
async def add_contract(
    request: Request, hub: TheHub, scope: Operator, side: Literal["creditor", "partner"], party_id: Word
) -> Response:
    """The body are the terms as JSON, as `collecthub contract add` takes them."""
    content = await request.body()
    return await run_in_threadpool(_enter, hub, scope, Side(side), party_id, content)


def _enter(hub: Hub, scope: Scope, side: Side, party_id: str, content: bytes) -> Response:
    terms = read_terms(content)
    with hub.work() as work:
        return answer(enter_contract(work, scope, side, party_id, terms))


@router.post("/receipts", summary="Give a receipt for cash or card", responses=documented(Receipt))
def give(hub: TheHub, scope: Operator, body: ReceiptIn) -> Response:
    """The money is booked and the numbered receipt is a document of the case."""
    taken = Taken(
        amount=body.amount, means=body.means, place=body.place, received_on=body.received_on, received_by=body.received_by,
        terminal_ref=body.terminal_ref,
    )  # fmt: skip
    with hub.work() as work:
        return answer(give_receipt(hub, work, scope, body.case_id, taken))


@router.post("/receipts/reversals", summary="Reverse a receipt", responses=documented(Receipt))
def reverse(hub: TheHub, scope: Operator, body: ReversalIn) -> Response:
    """Once; the case asks for the money again."""
    with hub.work() as work:
        return answer(reverse_receipt(hub, work, scope, body.receipt, reason=body.reason))


@router.get("/client-money", summary="What is there and whose it is", responses=documented(Listed[ClientMoneyView]))
def read_client_money(hub: TheHub, scope: Operator, on: Day = None) -> Response:
    """At the end of a day, today without one; one entry a currency."""
    see_debits(hub)
    with hub.database.read() as conn:
        found = client_money(conn, on or hub.business_date())
    views = (
        ClientMoneyView(figures=one, there=one.there, owed=one.owed, difference=one.difference, findings=one.findings)
        for one in found
    )
    return answer(Listed(items=tuple(views)))


@router.post("/client-money/reasons", summary="Say why money moved", responses=documented(Explained))
def explain(hub: TheHub, scope: Operator, body: ClientMoneyReasonIn) -> Response:
    """The operator's own, cash that was paid in, or the card company's settlement."""
    with hub.work() as work:
        explain_movement(work, scope, body.payment_id, body.reason, note=body.note)
    return answer(Explained(payment_id=body.payment_id, reason=body.reason))


@router.get("/cost-statement", summary="What collecting cost", responses=documented(CostStatement))
async def read_costs(
    hub: TheHub, scope: CreditorSide, case_id: Word = "", creditor_id: Word = "", from_on: Day = None, until: Day = None,
    to_invoice: Annotated[bool, Query(description="Only what is left to invoice to the creditor.")] = False,
) -> Response:  # fmt: skip
    """Every fee, VAT and cost of a case or a period, who bears it and by which rule."""
    with hub.database.read() as conn:
        return answer(
            cost_statement(
                conn, scope, case_id=case_id, creditor_id=creditor_id, from_on=from_on, until=until, to_invoice=to_invoice
            )
        )


@router.get("/cost-statement/file", summary="The same as a file", responses=documented_file("CSV in UTF-8, or PDF/A."))
def read_costs_file(
    hub: TheHub, scope: CreditorSide, from_on: dt.date, until: dt.date, case_id: Word = "", creditor_id: Word = "",
    format: Annotated[Literal["csv", "pdf"], Query()] = "csv",
    language: Annotated[Literal["en", "nl", "fr", "de"], Query(description="Of the PDF.")] = "en",
) -> Response:  # fmt: skip
    """One line a fee, VAT or cost; separated by semicolons, or on paper."""
    with hub.database.read() as conn:
        found = cost_statement(conn, scope, case_id=case_id, creditor_id=creditor_id, from_on=from_on, until=until)
        names = creditor_names(conn, scope)
    if format == "pdf":
        reader = names.get(creditor_id or scope.creditor_id or "", "")
        made = cost_statement_pdf(found, hub.settings.operator_name, reader, language, hub.now())
        return download(made, "costs.pdf")
    return download(cost_statement_csv(found), "costs.csv")
