"""The whole plugin surface on one page.

A plugin is a distribution with an entry point in the group `collecthub` that names a module; the module's
functions marked with `collecthub.sdk.hookimpl` are found here by name. Hooks hand something over, answer a
question, or are told; heavy one-to-one work goes through the ports of the objects handed over.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

import pluggy

from collecthub.model.case import Case
from collecthub.model.codes import StatusCode
from collecthub.model.event import CaseEvent
from collecthub.model.partner import PartnerProfile, RouteProposal, Veto
from collecthub.model.solvency import DebtorFacts, Score, SolvencyCheck
from collecthub.ports import CaseFormat
from collecthub.registers import ConnectorSpec, JurisdictionPack

hookspec = pluggy.HookspecMarker("collecthub")


@hookspec
def register_connectors() -> Sequence[ConnectorSpec]:
    """Hand over the connector kinds of this plugin: ERP, partner channel, reporter."""


@hookspec
def register_case_formats() -> Sequence[CaseFormat]:
    """Hand over ways to write and read a case exchange."""


@hookspec
def register_status_codes() -> Mapping[str, Sequence[StatusCode]]:
    """Hand over tables that translate a partner vocabulary (the key) into the hub's."""


@hookspec
def register_jurisdictions() -> Sequence[JurisdictionPack]:
    """Hand over country packs: dated rules on interest, compensation, limitation, time limits and lawful steps."""


@hookspec
def propose_routes(
    case: Case, creditor_country: str, partners: Sequence[PartnerProfile], as_of: dt.date
) -> Sequence[RouteProposal]:
    """Answer with every way this plugin sees for the case; all proposals are ranked and stored."""


@hookspec
def veto_dispatch(case: Case, partner: PartnerProfile, procedure: str, as_of: dt.date) -> Veto | None:
    """Answer with a reason why the case must not leave to this partner, or None. Any veto stops it.

    `procedure` is what the partner is to do: `amicable`, `judicial` or `enforcement`.
    """


@hookspec
def look_up_solvency(case: Case, as_of: dt.date) -> Sequence[SolvencyCheck]:
    """Answer with what this plugin's sources say of the debtor; every answer is logged in the case."""


@hookspec
def score_debtor(facts: DebtorFacts, occasion: str) -> Score | None:
    """Answer with a score, or None to leave it to the next scorer; the plugin that was loaded last is asked first."""


@hookspec
def case_event_recorded(case: Case, event: CaseEvent) -> None:
    """Be told, after commit. Failures are logged and never reach the case."""
