"""Acts of Polish bailiffs (`CzynnosciEgzekucyjneEPU`) as messages of the exchange.

An act names its case by the court's file number (`Klauzula/Sygnatura`); the caller says which case that is. The act's
own word is the status code (table `epu`). Costs that the creditor paid become a cost statement as well: the debtor
owes them in the end.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from zoneinfo import ZoneInfo

from lxml import etree

from collecthub.errors import PermanentError, QuarantineError
from collecthub.formats.epu_particulars import NAMESPACE
from collecthub.model.exchange import CaseStatusUpdate, CostBearer, CostStatement, Decoded, Fault, Message
from collecthub.model.ids import derived_id
from collecthub.model.money import parse_amount
from collecthub.wire.xml import Element, parse

COST_ACT = "koszty egzekucyjne poniesione przez wierzyciela"
_COURT_ZONE = ZoneInfo("Europe/Warsaw")
_ROOTS = ("CzynnosciEgzekucyjneEPU", "CzynnoscEPU")


def read_acts(content: bytes, cases: Mapping[str, str]) -> Decoded:
    """The acts of a package; `cases` gives the case id of a court file number.

    An act on an unknown file number, without date or with a strange amount is one fault, its neighbours go on. Raises
    `QuarantineError` (`xml.*`, `epu.unknown`).
    """
    root = parse(content)
    qualified = etree.QName(root)
    if qualified.namespace != NAMESPACE or qualified.localname not in _ROOTS:
        raise QuarantineError(
            f"The XML is {qualified.localname[:64]!r}, not a package of bailiff's acts of EPU.", code="epu.unknown",
            cure=f"Expected is {_ROOTS[0]} of {NAMESPACE}.",
        )  # fmt: skip
    acts = [root] if qualified.localname == _ROOTS[1] else [child for child in root if child.tag == _tag(_ROOTS[1])]
    messages: list[Message] = []
    faults: list[Fault] = []
    for number, act in enumerate(acts, 1):
        try:
            messages += _messages(act, cases)
        except (PermanentError, ValueError) as error:
            path = f"/{_ROOTS[0]}/{_ROOTS[1]}[{number}], line {act.sourceline}"
            faults.append(Fault(code="epu.act", reason=str(error)[:300], path=path))
    mark = root.get("OznaczeniePaczki", "")
    return Decoded(exchange_id=mark, sender_ref="EPU", messages=tuple(messages), faults=tuple(faults))


def _messages(act: Element, cases: Mapping[str, str]) -> list[Message]:
    signature = _text(act, "Klauzula/Sygnatura")
    case_id = cases.get(signature, "")
    if not case_id:
        raise PermanentError(f"no case has the court's file number {signature[:40]!r}")
    kind, told, holder = _text(act, "Rodzaj"), _text(act, "Opis"), _text(act, "SygnaturaKom")
    occurred_at, recorded_at = (_moment(_text(act, name)) for name in ("DataCzynnosci", "DataOdnotowania"))
    amount = parse_amount(_text(act, "Kwota"))
    identity = ("epu", signature, holder, kind, occurred_at.isoformat(), str(amount))
    update = CaseStatusUpdate(
        message_id=derived_id(*identity), case_id=case_id, holder_ref=holder, sequence=int(recorded_at.timestamp()),
        status_code=kind, text=told, occurred_at=occurred_at,
    )  # fmt: skip
    if kind != COST_ACT or amount == 0:
        return [update]
    return [update, _cost(identity, case_id, holder, amount, occurred_at.date())]


def _cost(identity: tuple[str, ...], case_id: str, holder: str, amount: Decimal, on: dt.date) -> CostStatement:
    return CostStatement(
        message_id=derived_id(*identity, "cost"), case_id=case_id, holder_ref=holder,
        cost_ref=f"{holder} {on} {amount}", cost_type="bailiff_act", currency="PLN", amount=amount,
        bearer=CostBearer.DEBTOR, occurred_on=on, legal_basis="enforcement costs stated by the bailiff through EPU",
    )  # fmt: skip


def _moment(text: str) -> dt.datetime:
    """The court writes moments without a zone; they are Polish time."""
    moment = dt.datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=_COURT_ZONE)


def _text(act: Element, path: str) -> str:
    found = act.find("/".join(_tag(name) for name in path.split("/")))
    return (found.text or "").strip() if found is not None else ""


def _tag(name: str) -> str:
    return f"{{{NAMESPACE}}}{name}"
