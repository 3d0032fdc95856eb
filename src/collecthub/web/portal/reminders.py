"""What a creditor already sent on a case: the review on a page, and a file with reminders that no ERP told."""

from __future__ import annotations

from fastapi import APIRouter, Response
from starlette.datastructures import UploadFile

from collecthub.engine.reminder_review import review_of_case
from collecthub.engine.reminder_upload import COLUMNS, UploadedReminders, take_reminders
from collecthub.errors import CollecthubError, PermanentError, QuarantineError
from collecthub.store.queries.case_file import read_owned_case
from collecthub.web.portal.pages import CreditorSide, Form, PageRoute, Visitor, page

router = APIRouter(route_class=PageRoute, include_in_schema=False)
FILE_LARGEST = 20_000_000


@router.get("/cases/{case_id}/reminders")
def show(visitor: CreditorSide, case_id: str) -> Response:
    """The review, invoice by invoice, and what to do before the final summons."""
    return _page(visitor, case_id)


@router.post("/cases/{case_id}/reminders/imports")
def take(visitor: CreditorSide, form: Form, case_id: str) -> Response:
    """Keep the good rows of a file and say what is wrong with the others."""
    file = form.get("file")
    try:
        content = file.file.read(FILE_LARGEST) if isinstance(file, UploadFile) else b""
        if not isinstance(file, UploadFile) or not content:
            raise PermanentError("No file was chosen", cure="Choose a CSV or XLSX file that is not empty.")
        with visitor.hub.database.read() as conn:
            creditor_id = read_owned_case(conn, visitor.scope, case_id).creditor_id
        found = take_reminders(visitor.hub, visitor.scope, creditor_id, content, file.filename or "file", case_id)
    except (PermanentError, QuarantineError) as error:
        return _page(visitor, case_id, problem=error)
    return _page(visitor, case_id, found=found)


def _page(
    visitor: Visitor, case_id: str, *, found: UploadedReminders | None = None, problem: CollecthubError | None = None
) -> Response:
    with visitor.hub.database.read() as conn:
        case = read_owned_case(conn, visitor.scope, case_id)
    review = review_of_case(visitor.hub, visitor.scope, case_id)
    return page(
        visitor, "reminders.html", status=422 if problem else 200, case=case, review=review, found=found, problem=problem,
        columns=COLUMNS,
    )  # fmt: skip
