"""Facts of the network: what stands against a case, where it moves, and the seal on a holder's part of it."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import msgspec

from collecthub.model.circumstances import Circumstances
from collecthub.model.exchange import Procedure
from collecthub.model.fact import FactBase
from collecthub.model.proceeding import ProceedingKind
from collecthub.model.route_option import RouteOption


class NotedFinding(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A finding as the history keeps it; title and source stand in the rule book of `rule_version`.

    `evidence` is English; `code` and `values` say it for other languages, and are empty in what was recorded before them.
    """

    id: str
    is_blocking: bool
    severity: str
    evidence: str
    owner: str
    fix: str
    deadline_on: dt.date
    code: str = ""
    values: dict[str, str] = {}


class FeasibilityChecked(FactBase, frozen=True, kw_only=True, tag="feasibility_checked"):
    """What the rules found on a day for a planned step; `unknown` are the rules that could not be checked.

    `occasion` is `intake`, `hand_over`, `costly_step` or `data_changed`; `partner_id` is set when the step is a hand-over.
    """

    occasion: str
    procedure: Procedure
    partner_id: str = ""
    checked_on: dt.date
    rule_version: dt.date
    atlas_version: dt.date
    is_feasible: bool
    findings: tuple[NotedFinding, ...] = ()
    unknown: tuple[str, ...] = ()


class PlacementSealed(FactBase, frozen=True, kw_only=True, tag="placement_sealed"):
    """A holder's part of the history is over: up to event `last_seq`, whose hash covers everything before it."""

    placement_id: str
    partner_id: str
    partner_name: str
    last_seq: int
    last_hash: str


class TransferAsked(FactBase, frozen=True, kw_only=True, tag="transfer_asked"):
    """The case shall go to another holder, or by another route; who has it now is stopped first.

    `reason` is debtor_moved, refused, recalled or chosen. Empty `partner_id` and `route`: whoever is fit. Route `none`:
    nobody, for the reason in `text`; `options` are all ways as they stood then.
    """

    reason: str
    text: str = ""
    partner_id: str = ""
    route: str = ""
    options: tuple[RouteOption, ...] = ()


class CourtWayChosen(FactBase, frozen=True, kw_only=True, tag="court_way_chosen"):
    """A person chose a way before a court; it begins when approval `approval_id` of its cost is given.

    `partner_id` is who shall file it, empty where nobody there is known. `reason` is what the person looked at.
    `options` are all ways as they stood then.
    """

    way: str
    title: str
    proceeding: ProceedingKind
    approval_id: str
    partner_id: str = ""
    partner_name: str = ""
    reason: str = ""
    options: tuple[RouteOption, ...] = ()


class CourtWayTaken(FactBase, frozen=True, kw_only=True, tag="court_way_taken"):
    """The cost was allowed and the way begins: its proceeding is open, and whoever files it gets or has the case."""

    way: str
    title: str
    proceeding_id: str
    cap: Decimal
    partner_id: str = ""
    partner_name: str = ""


class DebtorMoved(FactBase, frozen=True, kw_only=True, tag="debtor_moved"):
    """The debtor lives or sits in another country now; who he is stands outside the history, under the digest."""

    from_country: str
    to_country: str
    debtor_digest: str


class CircumstancesStated(FactBase, frozen=True, kw_only=True, tag="circumstances_stated"):
    """A person said what is known of contract, clauses, letters, title and screenings; it replaces what was said before."""

    circumstances: Circumstances


NetworkFact = (
    FeasibilityChecked | PlacementSealed | TransferAsked | DebtorMoved | CourtWayChosen | CourtWayTaken | CircumstancesStated
)
