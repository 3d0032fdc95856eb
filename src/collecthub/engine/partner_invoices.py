"""A partner's invoice comes in: kept, checked against his contract and his own reports, and a person sees what deviates."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import msgspec
import sqlalchemy as sa

from collecthub.engine.case_work import change_case, locked_case, open_task
from collecthub.engine.context import Hub, Work
from collecthub.engine.remitting import operator_only
from collecthub.engine.reported_payments import reported_payment
from collecthub.errors import PermanentError
from collecthub.formats.plain_json import read_plain
from collecthub.model.case import Case
from collecthub.model.contract import Bearer, Contract, Side, in_force
from collecthub.model.event import CostReported, PaymentReported
from collecthub.model.facts_remittance import FeeCharged
from collecthub.model.fee import facts_of
from collecthub.model.ids import derived_id
from collecthub.model.partner_invoice import (
    CheckedInvoice,
    KnownCase,
    PartnerInvoice,
    Reported,
    check_invoice,
)
from collecthub.store import remittance_tables as r
from collecthub.store import tables as t
from collecthub.store.case_log import read_cases, read_events, to_minor
from collecthub.store.contracts import versions_of
from collecthub.store.queries.scope import Scope, not_there
from collecthub.wire.decoders import decoder

_AMOUNTS = frozenset({"amount", "vat"})


def take_invoice(hub: Hub, scope: Scope, partner_id: str, content: bytes) -> CheckedInvoice:
    """Check an invoice and keep it with its findings. The same one again gives the same answer.

    Raises `PermanentError` for a document that is no invoice, and for another one under a number that is known.
    """
    operator_only(scope)
    invoice = read_plain(content, PartnerInvoice, _AMOUNTS)
    sha256 = hub.evidence.keep(content)
    with hub.work() as work:
        if work.conn.scalar(sa.select(t.partners.c.partner_id).where(t.partners.c.partner_id == partner_id)) is None:
            raise not_there("partner", partner_id)
        mine = (r.partner_invoices.c.partner_id == partner_id) & (r.partner_invoices.c.number == invoice.number)
        known = work.conn.execute(sa.select(r.partner_invoices).where(mine)).first()
        if known is not None:
            return _known(known, sha256)
        cases = known_cases(work.conn, partner_id, {line.case for line in invoice.lines})
        versions = versions_of(work.conn, Side.PARTNER, partner_id)
        checked = check_invoice(invoice, versions, cases)
        work.conn.execute(
            sa.insert(r.partner_invoices).values(
                invoice_id=derived_id("partner_invoice", partner_id, invoice.number), partner_id=partner_id,
                number=invoice.number, currency=invoice.currency, issued_on=invoice.issued_on,
                stated_minor=to_minor(checked.stated, invoice.currency),
                expected_minor=to_minor(checked.expected, invoice.currency),
                doc=msgspec.json.encode({"invoice": invoice, "sha256": sha256}).decode(),
                findings=msgspec.json.encode(checked).decode(), entered_by=scope.subject, entered_at=work.now,
            )
        )
        if checked.findings:
            open_task(
                work, kind="partner_invoice",
                title=f"invoice {invoice.number} asks {checked.stated} {invoice.currency}, agreed is {checked.expected}",
                detail=f"{partner_id}: " + "; ".join(f"line {one.line}: {one.reason}" for one in checked.findings)[:1900],
            )  # fmt: skip
        _pass_on(hub, work, partner_id, invoice, checked, versions)
    return checked


def _pass_on(
    hub: Hub, work: Work, partner_id: str, invoice: PartnerInvoice, checked: CheckedInvoice, versions: Sequence[Contract]
) -> None:
    """Fees that the creditor bears by the partner's contract become lines to invoice to him; what deviates does not."""
    deviating = {finding.line for finding in checked.findings}
    for place, line in enumerate(invoice.lines, 1):
        if line.kind != "fee" or place in deviating:
            continue
        paid = reported_payment(work.conn, partner_id, line.case, line.reference)
        contract = in_force(versions, paid.received_on) if paid is not None else None
        if paid is None or contract is None or contract.terms.bearer_of_fee(Side.PARTNER) is not Bearer.CREDITOR:
            continue
        fact = FeeCharged(
            of_seq=paid.seq, reference=invoice.number, currency=invoice.currency, fee=line.amount, vat=line.vat,
            rule=f"fee of the holder on payment {line.reference}, his invoice {invoice.number}",
        )
        change_case(hub, work, locked_case(work, paid.case_id), [fact], actor="hub")


def _known(row: sa.Row[tuple[object, ...]], sha256: str) -> CheckedInvoice:
    if msgspec.json.decode(str(row.doc))["sha256"] != sha256:
        raise PermanentError(
            f"invoice {row.number} was taken before with another content", cure="Ask the partner for a new number."
        )
    found: CheckedInvoice = decoder(CheckedInvoice).decode(str(row.findings))
    return found


def known_cases(conn: sa.Connection, partner_id: str, named: set[str]) -> dict[str, KnownCase]:
    """The cases of these numbers or ids, as far as the partner had them, under both words."""
    words = sorted(named)
    found = read_cases(conn, t.cases.c.number.in_(words) | t.cases.c.case_id.in_(words))
    invoiced = _invoiced(conn, partner_id)
    return {
        word: _case(conn, partner_id, case, invoiced[case.number] | invoiced[case.case_id])
        for case in found
        if any(one.partner_id == partner_id for one in (*case.past_placements, case.placement) if one is not None)
        for word in (case.number, case.case_id)
    }


def _case(conn: sa.Connection, partner_id: str, case: Case, invoiced: Sequence[str] | set[str]) -> KnownCase:
    reported: list[Reported] = []
    for event in read_events(conn, case.case_id):
        if event.actor != f"partner:{partner_id}":
            continue
        fact = event.fact
        if isinstance(fact, PaymentReported):
            reported.append(
                Reported(kind="fee", reference=fact.payment_ref, amount=fact.amount, vat=fact.amount * 0, on=fact.received_on)
            )
        elif isinstance(fact, CostReported):
            reported.append(
                Reported(
                    kind="cost", reference=fact.cost_ref, amount=fact.amount, vat=fact.tax_amount, on=fact.occurred_on,
                    cost_type=fact.cost_type,
                )
            )
    oldest = min((claim.due_on for claim in case.claims), default=case.opened_at.date())
    facts = facts_of(
        case.balance.principal, (case.opened_at.date() - oldest).days, case.debtor.country, case.currency
    )
    return KnownCase(facts=facts, reported=tuple(reported), invoiced=frozenset(invoiced))


def _invoiced(conn: sa.Connection, partner_id: str) -> defaultdict[str, set[str]]:
    found: defaultdict[str, set[str]] = defaultdict(set)
    for doc in conn.scalars(sa.select(r.partner_invoices.c.doc).where(r.partner_invoices.c.partner_id == partner_id)):
        for line in msgspec.json.decode(doc)["invoice"]["lines"]:
            found[line["case"]].add(f"{line['kind']}:{line['reference']}")
    return found
