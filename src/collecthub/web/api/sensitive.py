"""Sensitive claims of a case: mark them, state what a partner needs, read the lines for a purpose that is logged."""

from __future__ import annotations

from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Response
from pydantic import Field

from collecthub.engine import sensitive_desk as desk
from collecthub.store.queries.erp_view import InvoiceFacts
from collecthub.web.answers import Done, answer, documented
from collecthub.web.api.fields import Id, Inbound, Ref, Text
from collecthub.web.api.once import OnceKey, SeenVersion, done, once
from collecthub.web.auth import Anyone, CreditorSide, TheHub
from collecthub.web.strict_json import StrictRoute

router = APIRouter(prefix="/cases/{case_id}/sensitive", tags=["sensitive"], route_class=StrictRoute)
DONE = documented(Done, description="The change is recorded.")


class SoldLines(msgspec.Struct, frozen=True, kw_only=True):
    """What was sold, invoice by invoice."""

    case_id: str
    invoices: tuple[InvoiceFacts, ...]


class MarkIn(Inbound):
    """Numbers of the invoices, or none for all; and why they are sensitive."""

    reason: Text
    invoices: Annotated[tuple[Ref, ...], Field(max_length=1000)] = ()


class NeedIn(Inbound):
    """Which partner needs the papers, and for what."""

    partner_id: Id
    purpose: Text


@router.get("/lines", summary="Read sensitive lines for a purpose", responses=documented(SoldLines))
def read_lines(
    hub: TheHub, scope: Anyone, case_id: str,
    purpose: Annotated[str, Query(max_length=300, description="What they are needed for; it is logged.")] = "",
) -> Response:  # fmt: skip
    """A partner needs a statement of the creditor's side first."""
    return answer(SoldLines(case_id=case_id, invoices=tuple(desk.open_lines(hub, scope, case_id, purpose))))


@router.post("/marks", summary="Mark claims as sensitive", responses=DONE)
def mark(hub: TheHub, scope: CreditorSide, case_id: str, body: MarkIn, key: OnceKey, seen: SeenVersion) -> Response:
    """Lines and documents are kept back from then on, and no message names the creditor in its subject."""
    return once(hub, scope, key, lambda work: done(
        desk.mark_sensitive(hub, work, scope, case_id, reason=body.reason, numbers=body.invoices,
                            expected_version=seen)))  # fmt: skip


@router.post("/needs", summary="State that a partner needs the papers", responses=DONE)
def need(hub: TheHub, scope: CreditorSide, case_id: str, body: NeedIn, key: OnceKey, seen: SeenVersion) -> Response:
    """From then on its case file carries them, and it may look them up for a purpose."""
    return once(hub, scope, key, lambda work: done(
        desk.state_need(hub, work, scope, case_id, partner_id=body.partner_id, purpose=body.purpose,
                        expected_version=seen)))  # fmt: skip
