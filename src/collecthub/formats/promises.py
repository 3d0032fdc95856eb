"""What must hold between the fields of one record; no schema can say it, both spellings check it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from collecthub.model.exchange import AckVerdict, CaseAcknowledgement, CaseFile, DocumentItem, PaymentReport


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


def _acknowledgement(record: CaseAcknowledgement) -> Iterator[str]:
    if record.verdict is AckVerdict.REFUSED and not record.reason_code:
        yield "a refusal needs a reason_code"


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
}
