"""The partner's API, third part: messages for it, remittances, its score, the monthly comparison; and its personal links."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import Field

from collecthub.engine import partner_links
from collecthub.engine.context import Work
from collecthub.engine.partner_balances import (
    Balance,
    Sums,
    compare,
    list_balances,
    open_balance,
    sign_balance,
)
from collecthub.engine.partner_messages import MessagesForPartner, messages_for
from collecthub.engine.partner_money import (
    KeptRemittance,
    PartnerRemittance,
    RemittedLine,
    list_remittances,
    take_remittance,
)
from collecthub.engine.partner_score import PartnerScore, answer_score, partner_score
from collecthub.store.queries.paging import Listed
from collecthub.web.answers import Accepted, answer, documented
from collecthub.web.api.fields import Amount, Currency, Id, Inbound, Line, Note, Text
from collecthub.web.api.once import OnceKey, once
from collecthub.web.api.partner_cases import HolderRef
from collecthub.web.auth import Operator, OperatorOrPartner, Peer, TheHub, auth_now
from collecthub.web.strict_json import StrictRoute

router = APIRouter(tags=["partner"], route_class=StrictRoute)


class RemittedLineIn(Inbound):
    """Money of one payment, in the case's currency."""

    case_id: Id
    payment_ref: HolderRef
    amount: Amount


class PartnerRemittanceIn(Inbound):
    """Money that you passed on: `amount` is the sum of the lines x `rate`, less `bank_charges` and `fee`."""

    remittance_ref: HolderRef
    currency: Currency
    amount: Amount
    paid_on: dt.date
    case_currency: Currency
    rate: Amount = Decimal(1)
    rate_on: dt.date | None = None
    bank_charges: Amount = Decimal(0)
    fee: Amount = Decimal(0)
    lines: Annotated[tuple[RemittedLineIn, ...], Field(min_length=1, max_length=5000)]


class AnswerIn(Inbound):
    """What you say to your score."""

    text: Text


class BooksLineIn(Inbound):
    """Your books on one case."""

    case_id: Id
    received: Amount
    costs: Amount
    demanded: Amount


class BooksIn(Inbound):
    """Your books for the comparison, and, to sign it, your name."""

    lines: Annotated[tuple[BooksLineIn, ...], Field(max_length=5000)] = ()
    signed_by: Line = ""
    remark: Note = ""


class LinkIn(Inbound):
    """For whom the page is, in which language and time zone."""

    language: Annotated[str, Field(pattern="^[a-z]{2}$")] = "en"
    zone: Annotated[str, Field(max_length=64)] = "UTC"


@router.get("/partner/messages", summary="What waits for you", responses=documented(MessagesForPartner))
def read_messages(
    hub: TheHub, scope: Peer, after: Annotated[str, Query(max_length=64, pattern="^[0-9a-f]*$")] = "",
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Response:
    """Case files, recalls, new balances, answers: every message to you in the order of sending, after a cursor."""
    with hub.database.read() as conn:
        return answer(messages_for(hub, conn, scope.partner_id or "", after, limit))


@router.get("/partner/remittances", summary="What you passed on", responses=documented(Listed[KeptRemittance]))
def read_remittances(hub: TheHub, scope: Peer) -> Response:
    """With what does not add up."""
    with hub.database.read() as conn:
        return answer(Listed(items=list_remittances(conn, scope.partner_id or "")))


@router.post("/partner/remittances", summary="Report money passed on", status_code=201, responses=documented(KeptRemittance, 201))
def remit(hub: TheHub, scope: Peer, body: PartnerRemittanceIn, key: OnceKey) -> Response:
    """In your currency, with rate, date, bank charges and fee. What does not add up goes to a person."""
    lines = tuple(RemittedLine(**line.model_dump()) for line in body.lines)
    said = PartnerRemittance(**{**body.model_dump(), "lines": lines})
    return once(hub, scope, key, lambda work: answer(take_remittance(work, scope.partner_id or "", said), 201))


@router.get("/partners/{partner_id}/score", summary="A partner's score", responses=documented(PartnerScore))
def read_score(hub: TheHub, scope: OperatorOrPartner, partner_id: str) -> Response:
    """How often each step was on time in the last half year, what is overdue now, and what the partner answered."""
    with hub.database.read() as conn:
        return answer(partner_score(conn, scope, partner_id, hub.now()))


@router.post("/partner/score/answers", summary="Answer your score", status_code=202, responses=documented(Accepted, 202))
def add_answer(hub: TheHub, scope: Peer, body: AnswerIn, key: OnceKey) -> Response:
    """Whoever looks at the score sees it."""
    def act(work: Work) -> Response:
        answer_score(work, scope.partner_id or "", text=body.text, actor=scope.subject)
        return answer(Accepted(), 202)

    return once(hub, scope, key, act)


@router.get("/partner/balances", summary="The monthly comparisons", responses=documented(Listed[Balance]))
def read_balances(hub: TheHub, scope: Peer) -> Response:
    """This month's is there from the first look on, with our side filled in."""
    partner_id = scope.partner_id or ""
    with hub.work() as work:
        open_balance(hub, work, partner_id, f"{hub.business_date():%Y-%m}")
    with hub.database.read() as conn:
        return answer(Listed(items=list_balances(conn, hub.evidence, partner_id)))


@router.post("/partner/balances/{balance_id}/books", summary="Give your books and sign", responses=documented(Balance))
def give_books(hub: TheHub, scope: Peer, balance_id: str, body: BooksIn, key: OnceKey) -> Response:
    """Cases that you do not name stay as they are. With a name the list is signed and does not change any more."""
    theirs = {
        line.case_id: Sums(received=line.received, costs=line.costs, demanded=line.demanded) for line in body.lines
    }
    partner_id = scope.partner_id or ""

    def act(work: Work) -> Response:
        found = compare(hub, work, partner_id, balance_id, theirs)
        if body.signed_by:
            found = sign_balance(hub, work, partner_id, balance_id, signed_by=body.signed_by, remark=body.remark)
        return answer(found)

    return once(hub, scope, key, act)


@router.get("/partners/{partner_id}/links", summary="Personal pages of a partner", responses=documented(Listed[partner_links.LinkView]))
def read_links(hub: TheHub, scope: Operator, partner_id: str) -> Response:
    """Without their addresses and codes, which were shown once."""
    with hub.database.read() as conn:
        return answer(Listed(items=partner_links.list_links(conn, partner_id)))


@router.post(
    "/partners/{partner_id}/links", summary="Invite a partner to its page", status_code=201,
    responses=documented(partner_links.NewLink, 201),
)
def add_link(hub: TheHub, scope: Operator, partner_id: str, body: LinkIn) -> Response:
    """The address and the code, shown this once: send them by two ways."""
    with hub.work() as work:
        made = partner_links.make_link(
            work, scope, partner_id=partner_id, language=body.language, zone=body.zone, now=auth_now()
        )
    return answer(made, 201)


@router.post("/partner-links/{link_id}/revoke", summary="End a personal page", responses=documented(Accepted))
def end_link(hub: TheHub, scope: Operator, link_id: str) -> Response:
    """At once, open pages included. Harmless to repeat."""
    with hub.work() as work:
        partner_links.revoke_link(work, scope, link_id, auth_now())
    return answer(Accepted())
