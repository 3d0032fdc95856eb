"""Review of what the creditor already sent on a case: the reminders that its ERP told, the law and the playbook of today."""

from __future__ import annotations

from collecthub.engine.case_law import law_or_reason
from collecthub.engine.context import Hub
from collecthub.law.of_history import happened
from collecthub.law.reminder_review import ReminderReview, review_reminders
from collecthub.model.contact import policy_for
from collecthub.store.case_log import read_events
from collecthub.store.connections import read_creditor
from collecthub.store.queries.case_file import read_owned_case
from collecthub.store.queries.erp_view import invoice_facts
from collecthub.store.queries.scope import Scope


def review_of_case(hub: Hub, scope: Scope, case_id: str) -> ReminderReview:
    """The review of a case's open claims. Raises `NotThereError`."""
    with hub.database.read() as conn:
        case = read_owned_case(conn, scope, case_id)
        creditor = read_creditor(conn, case.creditor_id)
        history = read_events(conn, case_id)
        sent = {facts.claim_id: facts.reminders for facts in invoice_facts(conn, case)}
    agreed = creditor.playbook.contact if creditor is not None else ()
    policy = case.contact.policy if case.contact else policy_for(
        agreed, case.segment, case.demanded, country=case.debtor.country
    )  # fmt: skip
    return review_reminders(
        [(claim, sent.get(claim.claim_id, ())) for claim in case.claims if claim.open_amount > 0],
        segment=case.segment, law=law_or_reason(hub, case.debtor.country)[0], policy=policy,
        on=hub.business_date(), happened=happened(history),
    )  # fmt: skip
