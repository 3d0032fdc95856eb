"""What the creditor already sent on a case: reviewed, and told by a file where no ERP knows it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from collecthub.engine.context import Hub
from collecthub.engine.reminder_review import review_of_case
from collecthub.engine.reminder_upload import UploadedReminders, take_reminders
from collecthub.law.reminder_review import ReminderReview
from collecthub.store.queries.case_file import read_owned_case
from collecthub.store.queries.scope import Scope
from collecthub.web.answers import answer, documented
from collecthub.web.api.intake import creditor_for
from collecthub.web.auth import CreditorSide, TheHub
from collecthub.web.strict_json import StrictRoute

router = APIRouter(tags=["cases"], route_class=StrictRoute)
_BYTES = {
    "requestBody": {"required": True, "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}}
}
FileName = Annotated[str, Query(min_length=1, max_length=140, description="Name of the file, for messages.")]


@router.get(
    "/cases/{case_id}/reminders-review", summary="What the creditor already sent, reviewed",
    responses=documented(ReminderReview),
)  # fmt: skip
def read_review(hub: TheHub, scope: CreditorSide, case_id: str) -> Response:
    """The creditor's own reminders against law, due day and playbook, with advice before the final summons."""
    return answer(review_of_case(hub, scope, case_id))


@router.post(
    "/cases/{case_id}/reminders/imports", summary="Tell earlier reminders of a case", openapi_extra=_BYTES,
    responses=documented(UploadedReminders, description="What became of every row."),
)  # fmt: skip
async def import_for_case(
    request: Request, hub: TheHub, scope: CreditorSide, case_id: str, name: FileName
) -> Response:
    """The body is a CSV or XLSX file: `invoice`, `sent_on`, and where known `level`, `channel` and `fee`."""
    content = await request.body()
    return await run_in_threadpool(_of_case, hub, scope, case_id, content, name)


def _of_case(hub: Hub, scope: Scope, case_id: str, content: bytes, name: str) -> Response:
    with hub.database.read() as conn:
        creditor_id = read_owned_case(conn, scope, case_id).creditor_id
    return answer(take_reminders(hub, scope, creditor_id, content, name, case_id))


@router.post(
    "/reminders/imports", summary="Tell earlier reminders of many cases", openapi_extra=_BYTES,
    responses=documented(UploadedReminders, description="What became of every row."),
)  # fmt: skip
async def import_for_creditor(
    request: Request, hub: TheHub, scope: CreditorSide, name: FileName,
    creditor_id: Annotated[str | None, Query(max_length=64, description="Whose; a creditor's own without it.")] = None,
) -> Response:
    """As for one case; rows find their open case by the invoice number."""
    content = await request.body()
    return answer(
        await run_in_threadpool(take_reminders, hub, scope, creditor_for(scope, creditor_id), content, name)
    )
