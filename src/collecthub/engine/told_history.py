"""What a holder is told of a case's past: titles, the acts that were allowed, and earlier reminders."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import sqlalchemy as sa

from collecthub.engine.partner_texts import language_of_partner, partner_text, way_named
from collecthub.model.case import Case
from collecthub.model.exchange import CaseFile, DunningStep
from collecthub.model.handover_history import LEVEL_MOST, with_history
from collecthub.store.case_log import read_events
from collecthub.store.queries.erp_view import read_reminders


def with_past(conn: sa.Connection, case: Case, file: CaseFile) -> CaseFile:
    """The case file with what happened before it."""
    has_past = case.contact is not None or bool(case.proceedings.all)  # else no event of the history says anything here
    history = read_events(conn, case.case_id) if has_past else ()
    return with_history(file, case, history, _own_reminders(conn, case, file), _order(conn, case))


def _order(conn: sa.Connection, case: Case) -> Callable[[str, Decimal], str]:
    """The words of an order in the language of the holder: the proceeding's name, and what it may cost."""

    def told(name: str, left: Decimal) -> str:
        holder = case.placement
        language = language_of_partner(conn, holder.partner_id, case.changed_at.date()) if holder is not None else "en"
        allowed = partner_text(language, "order_allowed", cap=(left, case.currency))
        return f"{way_named(language, name)}. {allowed}" if name else allowed

    return told


def _own_reminders(conn: sa.Connection, case: Case, file: CaseFile) -> list[DunningStep]:
    """The creditor's own, of the invoices in the file; an ERP does not say by which channel they went."""
    sent = read_reminders(conn, case)
    return [
        DunningStep(
            level=min(one.level, LEVEL_MOST), sent_on=one.dunned_on, channel=one.channel, reference=claim.invoice_ref
        )
        for claim in file.claims
        for one in sent.get(claim.claim_id, ())
    ]
