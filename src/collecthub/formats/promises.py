"""What must hold between the fields of one record; no schema can say it, both spellings check it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from collecthub.model.exchange import (
    AckVerdict,
    CaseAcknowledgement,
    CaseFile,
    DocumentItem,
    InterestTerm,
    PaymentReport,
    Totals,
)


def broken_promises(record: object) -> Iterator[str]:
    """Why the record contradicts itself, in words; nothing when it does not."""
    return _PROMISES.get(type(record), _nothing)(record)


def _nothing(record: Any) -> Iterator[str]:
    return iter(())


def _case_file(record: CaseFile) -> Iterator[str]:
    expected = sum((claim.open_amount for claim in record.claims), Decimal(0)) - record.credits
    if record.principal != expected:
        yield f"principal is {record.principal:f}, the claims less credits sum to {expected:f}"
    claim_ids = [claim.claim_id for claim in record.claims]
    if len(set(claim_ids)) != len(claim_ids):
        yield "two claims have the same claim_id"
    strangers = {named for title in record.titles for named in title.claim_ids} - set(claim_ids)
    if strangers:
        yield f"a title covers the claim {min(strangers)!r}, which the file does not hold"
    for claim in record.claims:
        unknown = set(claim.related_claim_ids) - set(claim_ids) | ({claim.claim_id} & set(claim.related_claim_ids))
        if unknown:
            yield f"claim {claim.claim_id!r} arose from {min(unknown)!r}, which is no other claim of the file"


def _interest_term(record: InterestTerm) -> Iterator[str]:
    if (record.rate_percent is None) == (not record.reference_rate):
        yield "interest is at a rate_percent or follows a reference_rate, one of the two"
    if record.to_on is not None and record.to_on < record.from_on:
        yield "interest ends before it begins"


def _totals(record: Totals) -> Iterator[str]:
    parts = record.principal + record.interest + record.surcharges + record.recurring + record.titled_costs
    expected = parts + record.enforcement_costs - record.received - record.withheld
    if record.total != expected:
        yield f"total is {record.total:f}, the parts less received and withheld sum to {expected:f}"


def _acknowledgement(record: CaseAcknowledgement) -> Iterator[str]:
    if record.verdict is AckVerdict.REFUSED and not record.reason_code:
        yield "a refusal needs a reason_code"
    if record.faults and record.verdict is not AckVerdict.REFUSED:
        yield "faults stand in a refusal alone"


def _payment_report(record: PaymentReport) -> Iterator[str]:
    if record.amount < 0 and not record.reverses_ref:
        yield "a negative amount needs reverses_ref, the payment that is taken back"


def _document(record: DocumentItem) -> Iterator[str]:
    if record.content and hashlib.sha256(record.content).hexdigest() != record.sha256:
        yield "sha256 is not the sum of the content"


_PROMISES: Mapping[type, Callable[[Any], Iterator[str]]] = {
    CaseFile: _case_file,
    CaseAcknowledgement: _acknowledgement,
    PaymentReport: _payment_report,
    DocumentItem: _document,
    InterestTerm: _interest_term,
    Totals: _totals,
}
