"""What the creditor already sent on a case, reviewed."""

from __future__ import annotations

from fastapi import APIRouter, Response

from collecthub.engine.reminder_review import review_of_case
from collecthub.law.reminder_review import ReminderReview
from collecthub.web.answers import answer, documented
from collecthub.web.auth import CreditorSide, TheHub
from collecthub.web.strict_json import StrictRoute

router = APIRouter(prefix="/cases", tags=["cases"], route_class=StrictRoute)


@router.get(
    "/{case_id}/reminders-review", summary="What the creditor already sent, reviewed", responses=documented(ReminderReview)
)
def read_review(hub: TheHub, scope: CreditorSide, case_id: str) -> Response:
    """The creditor's own reminders against law, due day and playbook, with advice before the final summons."""
    return answer(review_of_case(hub, scope, case_id))
