"""The partner's API, first part: the cases placed with it, its answers to offers, and what it asks."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from collecthub.engine.brought_papers import add_partner_document
from collecthub.engine.context import Hub, Work
from collecthub.engine.held_case import held_case
from collecthub.engine.partner_desk import ReportState, take_statement
from collecthub.engine.partner_offers import HeldCase, held_cases, offered_file
from collecthub.errors import PermanentError
from collecthub.model.case import Case
from collecthub.model.exchange import CaseFile, InboundMessage
from collecthub.model.ids import derived_id
from collecthub.model.partner_words import answer_to_amendment, answer_to_offer, asked_of_partner, question
from collecthub.store.queries.paging import Listed
from collecthub.store.queries.scope import Scope
from collecthub.web.answers import answer, documented
from collecthub.web.api.fields import Inbound, Note, Paging, Text
from collecthub.web.api.once import OnceKey, once
from collecthub.web.api.uploads import BYTES, DocumentAdded, DocumentKind, Door, FileName, take_document
from collecthub.web.auth import Peer, TheHub
from collecthub.web.strict_json import StrictRoute

router = APIRouter(prefix="/partner/cases", tags=["partner"], route_class=StrictRoute)
TAKEN = documented(ReportState, 202, "Kept durably and in line; its state is read under `report_id`.")

HolderRef = Annotated[str, Field(min_length=1, max_length=140, pattern=r"^[^\x00-\x1f]+$")]
Code = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f]+$")]


class AcceptanceIn(Inbound):
    """The partner takes the case on; `holder_ref` is its own file number."""

    holder_ref: HolderRef


class RefusalIn(Inbound):
    """The partner does not take the case on, and why: a code of its own and words."""

    reason_code: Code
    reason: Note = ""


class QuestionIn(Inbound):
    """What the partner needs to know from the creditor."""

    text: Text


class OfferedFile(msgspec.Struct, frozen=True, kw_only=True):
    """The case file as it stands, and what the hub waits for: `acceptance`, `recall`, `balance` or nothing."""

    case_file: CaseFile
    status: str
    holder_ref: str
    asked: str
    answer_until_at: dt.datetime | None


def statement_id(scope: Scope, key: tuple[str, str]) -> str:
    """The id of a statement: the same for the same credential and key, so that a repeat is the same statement."""
    return derived_id(scope.subject, key[0])


def say(hub: Hub, work: Work, scope: Scope, report_id: str, *messages: InboundMessage) -> Response:
    """Take a partner's statement and answer with its state."""
    return answer(take_statement(hub, work, scope.partner_id or "", report_id, messages), 202)


def _expecting(case: Case, asked: str) -> Case:
    if asked_of_partner(case) != asked:
        waits = asked_of_partner(case) or "nothing"
        raise PermanentError(f"case {case.number} waits for {waits} from you, not for {asked}", cure="Read the case again.")
    return case


@router.get("", summary="The cases placed with you", responses=documented(Listed[HeldCase]))
def read_cases(
    hub: TheHub, scope: Peer, page: Paging,
    asked: Annotated[str, Query(pattern="^(acceptance|recall|balance)?$", description="Only cases that wait for this.")] = "",
) -> Response:
    """Newest first, each with what the hub waits for."""
    with hub.database.read() as conn:
        return answer(held_cases(conn, scope, hub.key, page, asked))


@router.get("/{case_id}", summary="One case file", responses=documented(OfferedFile))
def read_case(hub: TheHub, scope: Peer, case_id: str) -> Response:
    """What a holder needs to begin, and nothing else. Documents are named; their bytes are downloaded one by one."""
    with hub.database.read() as conn:
        case, case_file, until = offered_file(conn, scope, case_id)
    view = OfferedFile(
        case_file=case_file, status=case.status.value, holder_ref=case.placement.holder_ref if case.placement else "",
        asked=asked_of_partner(case), answer_until_at=until,
    )
    return answer(view)


@router.post("/{case_id}/acceptance", summary="Take the case on", status_code=202, responses=TAKEN)
def accept(hub: TheHub, scope: Peer, case_id: str, body: AcceptanceIn, key: OnceKey) -> Response:
    """The creditor sees your file number."""
    def act(work: Work) -> Response:
        case = _expecting(held_case(work, scope, case_id), "acceptance")
        message_id = statement_id(scope, key)
        said = answer_to_offer(case, message_id, work.now, is_accepted=True, holder_ref=body.holder_ref)
        return say(hub, work, scope, message_id, said)

    return once(hub, scope, key, act)


@router.post("/{case_id}/refusal", summary="Refuse the case", status_code=202, responses=TAKEN)
def refuse(hub: TheHub, scope: Peer, case_id: str, body: RefusalIn, key: OnceKey) -> Response:
    """The case goes to somebody else, with the reason in its history."""
    def act(work: Work) -> Response:
        case = _expecting(held_case(work, scope, case_id), "acceptance")
        message_id = statement_id(scope, key)
        said = answer_to_offer(
            case, message_id, work.now, is_accepted=False, code=body.reason_code, reason=body.reason
        )
        return say(hub, work, scope, message_id, said)

    return once(hub, scope, key, act)


@router.post("/{case_id}/questions", summary="Ask for information", status_code=202, responses=TAKEN)
def ask(hub: TheHub, scope: Peer, case_id: str, body: QuestionIn, key: OnceKey) -> Response:
    """The case waits for the creditor; his answer comes as a message."""
    def act(work: Work) -> Response:
        held_case(work, scope, case_id)
        message_id = statement_id(scope, key)
        return say(hub, work, scope, message_id, question(case_id, message_id, body.text))

    return once(hub, scope, key, act)


@router.post("/{case_id}/confirmation", summary="Confirm a recall or a new balance", status_code=202, responses=TAKEN)
def confirm(hub: TheHub, scope: Peer, case_id: str, key: OnceKey) -> Response:
    """After a recall: you have stopped. After a new balance: you ask for that from now on."""
    def act(work: Work) -> Response:
        case = held_case(work, scope, case_id)
        if asked_of_partner(case) not in ("recall", "balance"):
            _expecting(case, "recall")
        message_id = statement_id(scope, key)
        return say(hub, work, scope, message_id, answer_to_amendment(case, message_id, work.now))

    return once(hub, scope, key, act)


@router.post(
    "/{case_id}/documents", summary="Add a document", status_code=201, openapi_extra=dict(BYTES),
    responses=documented(DocumentAdded, 201, "The document is kept; the same bytes are kept once."),
)
async def add_document(
    request: Request, hub: TheHub, scope: Peer, case_id: str, key: OnceKey, name: FileName, kind: DocumentKind = "other"
) -> Response:
    """The body is the document itself, at most 20 MB."""

    door = Door(
        hub, scope, key, lambda work: held_case(work, scope, case_id),
        lambda work, kept: add_partner_document(hub, work, scope, case_id, kept),
    )  # fmt: skip
    return await take_document(request, door, name, kind)
