"""Facts of the exchange with partners beside those of the case itself: clocks, checks, refused changes."""

from __future__ import annotations

from collecthub.model.exchange import AmendmentCode, FaultItem
from collecthub.model.fact import FactBase
from collecthub.model.rungs import RungClocks


class ClocksAgreed(FactBase, frozen=True, kw_only=True, tag="clocks_agreed"):
    """How long each rung of this placement may take, where partner or playbook say other than the default."""

    clocks: RungClocks


class CaseValidated(FactBase, frozen=True, kw_only=True, tag="case_validated"):
    """The holder's system found nothing wrong with the case file; a person has yet to decide."""

    message_id: str
    holder_ref: str = ""


class AmendmentRefused(FactBase, frozen=True, kw_only=True, tag="amendment_refused"):
    """The holder heard a recall, a new balance or a pause and does not follow it."""

    message_id: str
    code: AmendmentCode
    reason_code: str
    reason: str
    faults: tuple[FaultItem, ...] = ()


ExchangeFact = ClocksAgreed | CaseValidated | AmendmentRefused
