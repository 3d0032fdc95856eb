"""pain.002, every version: what the bank says to an order. Elements are found by their local names, as in camt.

Structure: ISO 20022 CustomerPaymentStatusReport; status codes: external code set ExternalPaymentTransactionStatus1Code.
A status of the group or of a batch speaks for every payment in it that has none of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import msgspec

from collecthub.errors import QuarantineError
from collecthub.wire.xml import Element, parse

Answer = Literal["accepted", "paid", "rejected", "waiting"]
_MEANINGS: dict[str, Answer] = {
    **dict.fromkeys("ACTC ACCP ACSP ACWC ACWP ACFC PATC ACIS".split(), "accepted"),
    **dict.fromkeys("ACSC ACCC".split(), "paid"),
    **dict.fromkeys("RJCT CANC BLCK".split(), "rejected"),
    **dict.fromkeys("PDNG RCVD PART PRES".split(), "waiting"),
}  # fmt: skip
STATUS_ROOT = "CstmrPmtStsRpt"


class PaymentAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What the bank says to one payment (`end_to_end_ref`), to one batch (`batch_ref`), or to the whole order."""

    answer: Answer
    code: str
    reason: str = ""
    batch_ref: str = ""
    end_to_end_ref: str = ""


class OrderAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """One pain.002 message: whom it answers and what it says, from the whole order down to single payments."""

    message_ref: str
    answers: tuple[PaymentAnswer, ...]


def read_pain002(content: bytes) -> OrderAnswer:
    """The answer in a message. Raises `QuarantineError` with line and reason; then nothing is changed."""
    root = parse(content)
    report = next(iter(root), None)
    if _local(root) != "Document" or report is None or _local(report) not in (STATUS_ROOT, "pain.002.001.02"):
        raise _refuse("format", "this is not a pain.002 message", root)
    group = _child(report, "OrgnlGrpInfAndSts")
    ref = "" if group is None else _text(group, "OrgnlMsgId")
    if group is None or not ref:
        raise _refuse("incomplete", "the message does not say which order it answers (OrgnlMsgId)", report)
    return OrderAnswer(message_ref=ref, answers=tuple(_answers(report, group)))


def _answers(report: Element, group: Element) -> Iterator[PaymentAnswer]:
    if _text(group, "GrpSts"):
        yield _said(group, "GrpSts", "", "")
    for batch in (child for child in report if _local(child) == "OrgnlPmtInfAndSts"):
        batch_ref = _text(batch, "OrgnlPmtInfId")
        if _text(batch, "PmtInfSts"):
            yield _said(batch, "PmtInfSts", batch_ref, "")
        yield from _payments(batch, batch_ref)
    yield from _payments(report, "")


def _payments(parent: Element, batch_ref: str) -> Iterator[PaymentAnswer]:
    for payment in (child for child in parent if _local(child) == "TxInfAndSts"):
        ref = _text(payment, "OrgnlEndToEndId")
        if not ref:
            raise _refuse("incomplete", "a payment of the answer has no OrgnlEndToEndId", payment)
        if _text(payment, "TxSts"):
            yield _said(payment, "TxSts", batch_ref, ref)


def _said(element: Element, name: str, batch_ref: str, ref: str) -> PaymentAnswer:
    code = _text(element, name)
    answer = _MEANINGS.get(code)
    if answer is None:
        raise _refuse("status", f"the status {code[:10]!r} is none of {', '.join(sorted(_MEANINGS))}", element)
    return PaymentAnswer(
        answer=answer, code=code, reason=" ".join(dict.fromkeys(_reasons(element))), batch_ref=batch_ref, end_to_end_ref=ref
    )


def _reasons(element: Element) -> Iterator[str]:
    for reason in (child for child in element if _local(child) == "StsRsnInf"):
        said = (_text(reason, "Rsn/Cd") or _text(reason, "Rsn/Prtry"), *(_plain(child) for child in reason if _local(child) == "AddtlInf"))
        yield from (one for one in said if one)


def _refuse(code: str, reason: str, element: Element) -> QuarantineError:
    return QuarantineError(
        f"line {element.sourceline}: {reason}", code=f"bank.{code}", reference=f"line {element.sourceline}",
        cure="Ask the bank for the answer again; nothing was changed.",
    )


def _local(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _child(element: Element, path: str) -> Element | None:
    found: Element | None = element
    for name in path.split("/"):
        found = None if found is None else next((child for child in found if _local(child) == name), None)
    return found


def _text(element: Element, path: str) -> str:
    found = _child(element, path)
    return "" if found is None else _plain(found)


def _plain(element: Element) -> str:
    return " ".join((element.text or "").split())[:200]
