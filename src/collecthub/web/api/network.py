"""Routes of a case, transfers, the directory of partners, and the papers without which nothing leaves."""

from __future__ import annotations

import datetime as dt
from typing import Literal

import msgspec
from fastapi import APIRouter, Response

from collecthub.engine import court_ways, mandates, transfer
from collecthub.engine.comparing import RouteComparison, compare_routes
from collecthub.engine.context import Work
from collecthub.model.mandate import MandateKind
from collecthub.model.party import Address
from collecthub.store.queries.directory import PaperLine, PartnerSheet, papers, partner_sheet
from collecthub.store.queries.paging import Listed
from collecthub.web.answers import Done, answer, documented
from collecthub.web.api.countries import Day
from collecthub.web.api.fields import Amount, Country, Id, Inbound, Line, Note, Ref
from collecthub.web.api.once import OnceKey, SeenVersion, done, done_view, once
from collecthub.web.auth import Anyone, CreditorSide, OperatorOrPartner, TheHub
from collecthub.web.strict_json import StrictRoute

router = APIRouter(route_class=StrictRoute)
DONE = documented(Done, description="The change is recorded.")


class TransferIn(Inbound):
    """Where the case shall go: to a partner, by a route, or wherever is fit.

    A way before a court names what it is expected to cost and the most it may (`estimate`, `cap`), and in `text` what was
    looked into where its standing is unknown; `partner_id` is who files it.
    """

    reason: Literal["recalled", "chosen"] = "chosen"
    partner_id: Ref = ""
    route: Ref = ""
    text: Note = ""
    estimate: Amount | None = None
    cap: Amount | None = None


class AddressIn(Inbound):
    """Where the debtor is now."""

    country: Country
    lines: tuple[Line, ...] = ()
    postcode: Line = ""
    city: Line = ""


class MandateIn(Inbound):
    """A paper as it was signed, or a check as it was made."""

    kind: Literal["agreement", "power_of_attorney", "identity_check", "creditor_identity"]
    signed_by: Line
    partner_id: Id | None = None
    creditor_id: Id | None = None
    signed_on: dt.date | None = None
    expires_on: dt.date | None = None
    form: Literal["", "copy", "original", "notarised", "apostille"] = ""
    note: Note = ""


class RevokeIn(Inbound):
    """Why it counts no more."""

    text: Note = ""


class Signed(msgspec.Struct, frozen=True, kw_only=True):
    """The paper is kept."""

    mandate_id: str


@router.get(
    "/cases/{case_id}/routes", tags=["cases"], summary="Compare every route", responses=documented(RouteComparison)
)
def read_routes(hub: TheHub, scope: CreditorSide, case_id: str, as_of: Day = None) -> Response:
    """Ranked, with cost, time, papers, limitation and the reason for or against each; what is not known is null."""
    with hub.database.read() as conn:
        return answer(compare_routes(hub, conn, scope, case_id, as_of or hub.business_date()))


@router.post(
    "/cases/{case_id}/transfer", tags=["case changes"], summary="Give it to another holder, or choose a route", responses=DONE
)
def add_transfer(
    hub: TheHub, scope: CreditorSide, case_id: str, body: TransferIn, key: OnceKey, seen: SeenVersion
) -> Response:
    """Who has the case is recalled first; when it has stopped, its part of the history is sealed and the case goes on.

    A way before a court waits for the creditor's approval; then its proceeding begins, and who files it gets the case. Route
    `none` with a `text`: nobody acts any more, and a person decides on the write-off.
    """

    def act(work: Work) -> Response:
        if court_ways.is_court_way(body.route):
            costs = court_ways.Costs(body.estimate, body.cap) if body.estimate and body.cap else None
            return done(court_ways.choose_way(
                hub, work, scope, case_id, way=body.route, costs=costs, partner_id=body.partner_id, reason=body.text,
                expected_version=seen,
            ))  # fmt: skip
        case = transfer.ask_transfer(
            hub, work, scope, case_id, reason=body.reason, text=body.text, partner_id=body.partner_id, route=body.route,
            expected_version=seen,
        )  # fmt: skip
        return done(case)

    return once(hub, scope, key, act)


@router.post(
    "/cases/{case_id}/debtor-address", tags=["case changes"], summary="The debtor moved", responses=documented(Listed[Done])
)
def move_debtor(
    hub: TheHub, scope: CreditorSide, case_id: str, body: AddressIn, key: OnceKey, seen: SeenVersion
) -> Response:
    """The new address counts for all his cases; a move to another country sends each of them on its way anew."""
    address = Address(lines=body.lines, postcode=body.postcode, city=body.city, country=body.country)
    return once(hub, scope, key, lambda work: answer(Listed(items=tuple(
        done_view(case) for case in transfer.move_debtor(hub, work, scope, case_id, address=address, expected_version=seen)
    ))))  # fmt: skip


@router.get("/partners/{partner_id}", tags=["doors"], summary="One partner", responses=documented(PartnerSheet))
def read_partner(hub: TheHub, scope: OperatorOrPartner, partner_id: str) -> Response:
    """Countries, tier, licences, channels, contract in force, capacity and papers; a partner sees itself."""
    with hub.database.read() as conn:
        return answer(partner_sheet(conn, scope, partner_id, hub.business_date()))


@router.get("/mandates", tags=["doors"], summary="List papers", responses=documented(Listed[PaperLine]))
def read_mandates(hub: TheHub, scope: Anyone) -> Response:
    """All for the operator, his own for a creditor, its own for a partner."""
    with hub.database.read() as conn:
        return answer(Listed(items=papers(conn, scope, hub.business_date())))


@router.post(
    "/mandates", tags=["doors"], summary="Record a signed paper", status_code=201,
    responses=documented(Signed, 201, "The paper is kept; the same paper is kept once."),
)
def add_mandate(hub: TheHub, scope: Anyone, body: MandateIn, key: OnceKey) -> Response:
    """Cases that wait for it go on by themselves. A creditor signs his power of attorney, a partner its agreement."""
    return once(hub, scope, key, lambda work: answer(Signed(mandate_id=mandates.sign_mandate(
        work, scope, kind=MandateKind(body.kind), partner_id=body.partner_id, creditor_id=body.creditor_id,
        signed_on=body.signed_on or hub.business_date(), expires_on=body.expires_on, form=body.form,
        signed_by=body.signed_by, note=body.note,
    ).mandate_id), 201))  # fmt: skip


@router.post("/mandates/{mandate_id}/revoke", tags=["doors"], summary="Revoke a paper", responses=documented(Signed))
def revoke_mandate(hub: TheHub, scope: CreditorSide, mandate_id: str, body: RevokeIn, key: OnceKey) -> Response:
    """No case leaves on it any more; cases that are out stay where they are."""

    def act(work: Work) -> Response:
        mandates.revoke(work, scope, mandate_id, note=body.text)
        return answer(Signed(mandate_id=mandate_id))

    return once(hub, scope, key, act)
