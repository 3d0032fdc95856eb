"""What the Icelandic claims service says of a batch (`ClaimOperationResult`, Icelandic Online Banking claims), claim by claim.

A claim is named by its key: the claimant's number, the account and the due day. `CompletedWithErrors` says nothing about one claim:
each is judged by where its key stands. While a batch is in progress nothing is said of any of them.
Source: the published WSDL and schemas, `../shared/data/formats/inkasso-iceland`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping

import msgspec
from lxml import etree

from collecthub.errors import QuarantineError
from collecthub.formats.bundled_schemas import document_of
from collecthub.model.exchange import AckVerdict, CaseAcknowledgement, Decoded, Fault
from collecthub.model.ids import derived_id
from collecthub.wire.xml import Element, parse

_CLAIMS = "{http://IcelandicOnlineBanking/2005/12/01/ClaimTypes}"
_DONE, _WAITING = ("Completed", "CompletedWithErrors"), ("InProgress", "NotConfirmed")


class ClaimKey(msgspec.Struct, frozen=True):
    """By what the service knows a claim."""

    claimant: str
    account: str
    due_on: str  # as it is written, YYYY-MM-DD


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """The message of ours that a claim of the batch came from."""

    case_id: str
    message_id: str


def read_operation(content: bytes, known: Mapping[ClaimKey, Asked], at: dt.datetime) -> Decoded:
    """An acknowledgement for each claim of ours, a fault for a key that is nobody's. Raises `QuarantineError`."""
    document = document_of(parse(content))
    status = next((_said(one) for one in document.iter(f"{_CLAIMS}Status")), "")
    if status not in (*_DONE, *_WAITING):
        raise QuarantineError(
            f"The result of the batch has the state {status[:40]!r}, which the schema does not know.", code="inkasso.status",
            cure="Ask the service what became of the batch.",
        )
    found = tuple(_found(document, known, at)) if status in _DONE else ()
    return Decoded(
        exchange_id=next((_said(one) for one in document.iter(f"{_CLAIMS}ID")), ""), sender_ref="inkasso",
        messages=tuple(one for one in found if isinstance(one, CaseAcknowledgement)),
        faults=tuple(one for one in found if isinstance(one, Fault)),
    )  # fmt: skip


def _found(document: Element, known: Mapping[ClaimKey, Asked], at: dt.datetime) -> Iterator[CaseAcknowledgement | Fault]:
    for name, verdict in (("Success", AckVerdict.ACCEPTED), ("Errors", AckVerdict.REFUSED)):
        for place, one in enumerate(document.iter(_CLAIMS + name), 1):
            key = _key(one)
            asked = known.get(key)
            if asked is None:
                reason = f"no claim of this hub has the key {key.claimant} {key.account} {key.due_on}"
                yield Fault(code="inkasso.key", reason=reason, path=f"/ClaimOperationResult/{name}[{place}], line {one.sourceline}")
                continue
            code, reason = _error(one)
            yield CaseAcknowledgement(
                message_id=derived_id(asked.message_id, "inkasso", verdict.value), case_id=asked.case_id,
                in_reply_to=asked.message_id, verdict=verdict, occurred_at=at, reason=reason,
                reason_code=code or ("unstated" if verdict is AckVerdict.REFUSED else ""),
            )  # fmt: skip


def _key(one: Element) -> ClaimKey:
    return ClaimKey(*(_said(one.find(f"{_CLAIMS}Key/{_CLAIMS}{name}")) for name in ("ClaimantID", "Account", "DueDate")))


def _error(one: Element) -> tuple[str, str]:
    error = one.find(f"{_CLAIMS}Error")
    parts = {etree.QName(part).localname: _said(part) for part in error} if error is not None else {}
    return parts.get("Code", "")[:64], parts.get("Message", "")


def _said(element: Element | None) -> str:
    return (element.text or "").strip() if element is not None else ""
