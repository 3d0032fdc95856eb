"""What the creditor's ERP said on a case beside its amounts, as each role may see it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec import UNSET, UnsetType

from collecthub.erp_ports import InvoiceLine
from collecthub.model.case import Case
from collecthub.model.debtor_account import DebtorAccount, OwnReminder
from collecthub.store import erp_tables as e
from collecthub.store import tables as t
from collecthub.store.case_log import from_minor
from collecthub.store.queries.scope import Role, Scope


class InvoiceFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What was sold with one invoice, how often the creditor reminded of it, and whether its document is awaited."""

    claim_id: str
    lines: tuple[InvoiceLine, ...] = ()
    reminders: tuple[OwnReminder, ...] = ()
    is_document_awaited: bool = False
    is_withheld: bool = False  # a sensitive claim: its lines are shown for a stated purpose only


class ErpFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What the ERP keeps. A partner gets the terms and the invoices' facts, which prove the claim; nothing else."""

    payment_terms: str = ""
    invoices: tuple[InvoiceFacts, ...] = ()
    account: DebtorAccount | UnsetType = UNSET


def erp_facts(conn: sa.Connection, scope: Scope, case: Case) -> ErpFacts:
    """What is known of this case's debtor and invoices from the ERP; empty for a case that no ERP stands behind."""
    account = _account(conn, case)
    invoices = tuple(_discreet(one, case) for one in invoice_facts(conn, case))
    if scope.role is Role.PARTNER:
        invoices = tuple(msgspec.structs.replace(one, is_document_awaited=False) for one in invoices)
        return ErpFacts(payment_terms=account.payment_terms, invoices=invoices)
    return ErpFacts(payment_terms=account.payment_terms, invoices=invoices, account=account)


def _account(conn: sa.Connection, case: Case) -> DebtorAccount:
    stored = conn.scalar(
        sa.select(t.debtors.c.account).where(
            t.debtors.c.connection_id == case.connection_id, t.debtors.c.debtor_ref == case.debtor_ref
        )
    )
    return msgspec.json.decode(stored, type=DebtorAccount) if stored else DebtorAccount()


def _discreet(one: InvoiceFacts, case: Case) -> InvoiceFacts:
    """Without what was sold, where that says something of the debtor's health or the like."""
    if not case.is_sensitive_claim(one.claim_id):
        return one
    return msgspec.structs.replace(one, lines=(), is_withheld=True)


def invoice_facts(conn: sa.Connection, case: Case) -> tuple[InvoiceFacts, ...]:
    """Everything that is known of a case's invoices, sensitive lines included: for the desk that logs who looks."""
    refs = [claim.claim_id for claim in case.claims]
    lines = {
        ref: msgspec.json.decode(text, type=tuple[InvoiceLine, ...])
        for ref, text in _rows(conn, e.invoice_lines, case, refs, "lines")
    }
    awaited = {ref for (ref,) in _rows(conn, e.wanted_papers, case, refs)}
    reminders = read_reminders(conn, case)
    return tuple(
        InvoiceFacts(
            claim_id=ref, lines=lines.get(ref, ()), is_document_awaited=ref in awaited,
            reminders=reminders.get(ref, ()),
        )
        for ref in refs
        if ref in lines or ref in awaited or ref in reminders
    )


def read_reminders(conn: sa.Connection, case: Case) -> dict[str, tuple[OwnReminder, ...]]:
    """The creditor's own reminders by claim, oldest first, as its ERP told them or somebody uploaded them."""
    refs = [claim.claim_id for claim in case.claims]
    found: dict[str, dict[tuple[dt.date, int], OwnReminder]] = {}
    for ref, dunned_on, level in _rows(conn, t.invoices, case, refs, "dunned_on", "dunning_level"):
        if dunned_on:
            found.setdefault(ref, {})[dunned_on, level] = OwnReminder(level=level, dunned_on=dunned_on)
    for row in _rows(conn, e.own_reminders, case, refs, "dunned_on", "level", "channel", "fee_minor"):
        fee = None if row.fee_minor is None else from_minor(row.fee_minor, case.currency)
        told = OwnReminder(level=row.level, dunned_on=row.dunned_on, channel=row.channel, fee=fee)
        found.setdefault(row.item_ref, {})[row.dunned_on, row.level] = told
    return {ref: tuple(sent[key] for key in sorted(sent)) for ref, sent in found.items()}


def _rows(
    conn: sa.Connection, table: sa.Table, case: Case, refs: Iterable[str], *names: str
) -> Sequence[Any]:
    query = sa.select(table.c.item_ref, *(table.c[name] for name in names)).where(
        table.c.connection_id == case.connection_id, table.c.item_ref.in_(list(refs))
    )
    return conn.execute(query).all()
