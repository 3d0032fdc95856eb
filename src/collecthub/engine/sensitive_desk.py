"""What people do about sensitive claims: mark them, state what a partner needs, look for a purpose that is logged."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from collecthub.engine.case_work import change_case, locked_case
from collecthub.engine.context import Hub, Work
from collecthub.engine.desk import case_for
from collecthub.errors import PermanentError
from collecthub.model.case import Case
from collecthub.model.facts_person import ClaimsMarkedSensitive, SensitiveNeedStated, SensitiveShown
from collecthub.store.queries.case_file import DocumentView, document, read_owned_case
from collecthub.store.queries.erp_view import InvoiceFacts, invoice_facts
from collecthub.store.queries.scope import Role, Scope

LINES = "lines"


class PurposeError(PermanentError):
    """Nobody said what a sensitive paper is needed for."""


def mark_sensitive(
    hub: Hub, work: Work, scope: Scope, case_id: str, *, reason: str, numbers: Iterable[str] = (),
    expected_version: int | None = None,
) -> Case:  # fmt: skip
    """The invoices with these numbers, or all, tell of the debtor's health or the like. Raises `PermanentError`."""
    case = case_for(work, scope, case_id, expected_version)
    wanted = set(numbers)
    missing = wanted - {claim.number for claim in case.claims}
    if missing or not reason.strip():
        raise PermanentError(
            f"case {case.number} has no invoice {', '.join(sorted(missing))[:100]}" if missing else "nobody said why",
            cure="Look at the invoices of the case." if missing else "Give the reason.",
        )
    ids = tuple(claim.claim_id for claim in case.claims if claim.number in wanted)
    return change_case(hub, work, case, [ClaimsMarkedSensitive(claim_ids=ids, reason=reason)], actor=scope.subject)


def state_need(
    hub: Hub, work: Work, scope: Scope, case_id: str, *, partner_id: str, purpose: str,
    expected_version: int | None = None,
) -> Case:  # fmt: skip
    """A partner needs the lines and documents, for example to prove the claim in court; only then it gets them."""
    case = case_for(work, scope, case_id, expected_version)
    fact = SensitiveNeedStated(partner_id=partner_id, purpose=_stated(case, purpose))
    return change_case(hub, work, case, [fact], actor=scope.subject)


def open_document(hub: Hub, scope: Scope, document_id: str, purpose: str = "") -> DocumentView:
    """The document's record, for whoever is going to read it. A sensitive one needs a purpose, which is logged first.

    Raises `NotThereError`, and `PurposeError` without a purpose or for a partner for whom nobody stated a need.
    """
    with hub.database.read() as conn:
        view = document(conn, scope, document_id)
        case = read_owned_case(conn, scope, view.case_id)
    if case.is_sensitive:
        _log(hub, scope, case, document_id, purpose)
    return view


def open_lines(hub: Hub, scope: Scope, case_id: str, purpose: str = "") -> Sequence[InvoiceFacts]:
    """What was sold, with the sensitive lines, which need a purpose; it is logged first. Raises as `open_document`."""
    with hub.database.read() as conn:
        case = read_owned_case(conn, scope, case_id)
    if case.is_sensitive:
        _log(hub, scope, case, LINES, purpose)
    with hub.database.read() as conn:
        return invoice_facts(conn, case)


def _log(hub: Hub, scope: Scope, case: Case, what: str, purpose: str) -> None:
    if scope.role is Role.PARTNER and (scope.partner_id or "") not in case.sensitive.needed_by:
        raise PurposeError(
            "this is kept back: it tells of the debtor's health", cure="Ask the creditor to state that you need it."
        )
    with hub.work() as work:
        fact = SensitiveShown(what=what, purpose=_stated(case, purpose))
        change_case(hub, work, locked_case(work, case.case_id), [fact], actor=scope.subject)


def _stated(case: Case, purpose: str) -> str:
    if not purpose.strip():
        raise PurposeError(
            f"case {case.number} holds claims that tell of the debtor's health",
            cure="Say what you need the papers for; it is kept in the history.",
        )
    return purpose.strip()
