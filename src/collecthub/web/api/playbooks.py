"""The playbook of a creditor by API: what holds, every version, a dry run on past invoices, and versions that a side proposes."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query, Request, Response
from pydantic import Field
from starlette.concurrency import run_in_threadpool

from collecthub.engine import playbook_proposals as proposals
from collecthub.engine.context import Hub, Work
from collecthub.engine.playbook_proposals import Proposal
from collecthub.engine.playbooks import (
    DryRun,
    PlaybookTerms,
    PlaybookVersion,
    dry_run,
    past_items,
    playbook_history,
    read_terms,
    terms_of,
    text_of_version,
)
from collecthub.store.queries.paging import Listed
from collecthub.store.queries.scope import Scope
from collecthub.web.answers import answer, documented
from collecthub.web.api.fields import Inbound, Note, Text
from collecthub.web.api.intake import creditor_for
from collecthub.web.api.once import OnceKey, once
from collecthub.web.auth import CreditorSide, TheHub
from collecthub.web.strict_json import StrictRoute

router = APIRouter(prefix="/playbook", tags=["playbook"], route_class=StrictRoute)
_BYTES: dict[str, Any] = {
    "requestBody": {"required": True, "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}}
}
Whose = Annotated[str | None, Query(max_length=64, description="Whose; a creditor's own without it.")]
FileName = Annotated[str, Query(min_length=1, max_length=140, description="Name of the file, for messages.")]
Country = Annotated[str, Query(pattern="^[A-Z]{2}$", description="Where the debtors live, for holidays and law.")]
Segment = Annotated[str, Query(pattern="^B2[BCG]$", description="What the debtors are: B2B, B2C or B2G.")]


class InForce(msgspec.Struct, frozen=True, kw_only=True):
    """What holds for new cases. `version` is 0 where nobody agreed on any text yet."""

    creditor_id: str
    version: int
    terms: PlaybookTerms


class Versions(msgspec.Struct, frozen=True, kw_only=True):
    """Every version as it was written, the newest first."""

    items: list[PlaybookVersion]


class PlaybookProposalIn(Inbound):
    """A whole agreement as TOML, as docs/howto/playbook.md explains it."""

    text: Annotated[str, Field(min_length=1, max_length=40_000)]
    note: Note = ""


class ProposalRefusalIn(Inbound):
    """Why it does not hold."""

    reason: Text


@router.get("", summary="What holds", responses=documented(InForce))
def read_playbook(hub: TheHub, scope: CreditorSide, creditor_id: Whose = None) -> Response:
    """The steps, limits and caps that new cases follow."""
    whose = creditor_for(scope, creditor_id)
    with hub.database.read() as conn:
        row, versions = playbook_history(conn, scope, whose)
    return answer(InForce(creditor_id=whose, version=versions[0].number if versions else 0, terms=terms_of(row.playbook)))


@router.get("/versions", summary="Every version", responses=documented(Versions))
def read_versions(hub: TheHub, scope: CreditorSide, creditor_id: Whose = None) -> Response:
    """As they were written and agreed; open cases keep the one they began with."""
    with hub.database.read() as conn:
        return answer(Versions(items=playbook_history(conn, scope, creditor_for(scope, creditor_id))[1]))


@router.post("/dry-run", summary="Try it on past invoices", openapi_extra=_BYTES, responses=documented(DryRun))
async def try_it(
    request: Request, hub: TheHub, scope: CreditorSide, name: FileName, country: Country = "BE", segment: Segment = "B2B",
    version: Annotated[int, Query(ge=0, description="This version; what holds without it.")] = 0,
    proposal: Annotated[int, Query(ge=0, description="This proposal instead.")] = 0,
    letters: Annotated[bool, Query(description="Every single step too.")] = False, creditor_id: Whose = None,
) -> Response:
    """The body is a CSV or XLSX file of past invoices. What is tried stands beside what holds; nothing changes."""
    content = await request.body()
    whose = creditor_for(scope, creditor_id)
    return await run_in_threadpool(_tried, hub, scope, whose, content, (name, country, segment), version, proposal, letters)


def _tried(
    hub: Hub, scope: Scope, whose: str, content: bytes, asked: tuple[str, str, str], version: int, proposal: int,
    letters: bool,
) -> Response:
    name, country, segment = asked
    with hub.database.read() as conn:
        held = terms_of(playbook_history(conn, scope, whose)[0].playbook)
        tried = held
        if proposal:
            tried = read_terms(proposals.read_proposal(conn, scope, whose, proposal).content, f"proposal {proposal}")
        elif version:
            tried = read_terms(text_of_version(conn, scope, whose, version), f"version {version}")
    found = dry_run(hub, past_items(content, name), tried=tried.contact, held=held.contact, country=country, segment=segment)
    return answer(found if letters else msgspec.structs.replace(found, letters=()))


@router.get("/proposed-versions", summary="What is proposed", responses=documented(Listed[Proposal]))
def read_proposals(hub: TheHub, scope: CreditorSide, creditor_id: Whose = None) -> Response:
    """Open ones wait for the other side."""
    with hub.database.read() as conn:
        return answer(Listed(items=tuple(proposals.list_proposals(conn, scope, creditor_for(scope, creditor_id)))))


@router.post("/proposed-versions", summary="Propose a version", status_code=201, responses=documented(Proposal, 201))
def propose(hub: TheHub, scope: CreditorSide, body: PlaybookProposalIn, key: OnceKey, creditor_id: Whose = None) -> Response:
    """Operator and creditor are the two sides; it holds once the other one agrees. A later proposal replaces it."""
    whose = creditor_for(scope, creditor_id)

    def act(work: Work) -> Response:
        return answer(proposals.propose_version(work, scope, whose, body.text, note=body.note), 201)

    return once(hub, scope, key, act)


@router.post("/proposed-versions/{number}/agree", summary="Agree to a proposal", responses=documented(Proposal))
def agree(hub: TheHub, scope: CreditorSide, number: int, key: OnceKey, creditor_id: Whose = None) -> Response:
    """From now on it holds for new cases, as the version that the answer names."""
    whose = creditor_for(scope, creditor_id)
    return once(hub, scope, key, lambda work: answer(proposals.agree_to_proposal(work, scope, whose, number)))


@router.post("/proposed-versions/{number}/refuse", summary="Decline a proposal", responses=documented(Proposal))
def refuse(
    hub: TheHub, scope: CreditorSide, number: int, body: ProposalRefusalIn, key: OnceKey, creditor_id: Whose = None
) -> Response:
    """The other side reads why."""
    whose = creditor_for(scope, creditor_id)

    def act(work: Work) -> Response:
        return answer(proposals.decline_proposal(work, scope, whose, number, reason=body.reason))

    return once(hub, scope, key, act)
