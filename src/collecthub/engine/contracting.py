"""Contracts are entered by the operator, version by version; what was agreed before stays as it was."""

from __future__ import annotations

import sqlalchemy as sa

from collecthub.engine.context import Work
from collecthub.errors import PermanentError
from collecthub.formats.plain_json import read_plain
from collecthub.model.contract import Contract, Side, Terms, check_terms
from collecthub.store import tables as t
from collecthub.store.audit import append_audit
from collecthub.store.contracts import add_contract, versions_of
from collecthub.store.queries.scope import Role, Scope, not_there

_AMOUNTS = frozenset({"percent", "amount_from", "amount_below", "minimum_fee", "vat_percent", "amount_most"})


def read_terms(content: bytes) -> Terms:
    """The terms in a JSON document. Raises `PermanentError` for what cannot be agreed."""
    terms = read_plain(content, Terms, _AMOUNTS)
    check_terms(terms)
    return terms


def enter_contract(work: Work, scope: Scope, side: Side, party_id: str, terms: Terms) -> Contract:
    """Enter the next version. The same terms as the newest one's are that version: entering twice changes nothing."""
    if scope.role is not Role.OPERATOR:
        raise PermanentError("only the operator enters contracts", cure="Ask the operator.")
    table, column = (t.creditors, t.creditors.c.creditor_id) if side is Side.CREDITOR else (t.partners, t.partners.c.partner_id)
    if work.conn.scalar(sa.select(column).select_from(table).where(column == party_id)) is None:
        raise not_there(side.value, party_id)
    check_terms(terms, side)
    known = versions_of(work.conn, side, party_id)
    if known and known[-1].terms == terms:
        return known[-1]
    made = add_contract(work.conn, side, party_id, terms, entered_by=scope.subject, now=work.now)
    append_audit(
        work.conn, now=work.now, actor=scope.subject, action="contract.entered", subject=made.contract_id,
        detail=f"{side.value} {party_id} version {made.version}",
    )
    return made
