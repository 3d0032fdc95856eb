"""What routing looks at around a chunk of cases, and every proposal for one of them: what plugins see, and what the law has."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

import msgspec
import sqlalchemy as sa

from collecthub.engine.circumstances import needs_history
from collecthub.engine.context import Hub
from collecthub.engine.feasibility import Around, fee_if_recovered, laws_of
from collecthub.errors import PermanentError
from collecthub.law.atlas.reading import bundled_atlas
from collecthub.law.feasibility.assess import Assessment, assess
from collecthub.law.feasibility.finding import CaseFacts, KnownDocument, View
from collecthub.law.feasibility.money import limitation_day
from collecthub.law.feasibility.ways import Way, ways
from collecthub.model.case import Case
from collecthub.model.codes import Outcome, Status
from collecthub.model.event import CaseEvent
from collecthub.model.exchange import Procedure
from collecthub.model.partner import PartnerProfile, RouteProposal
from collecthub.registers import ConnectorRole
from collecthub.store import tables as t
from collecthub.store.case_log import LAST_EVENT, read_histories

CASES_FOR_A_CHANCE = 20  # fewer ended cases of a partner say nothing about the next one
_MONEY_CAME = (Outcome.PAID_FULL.value, Outcome.PAID_PARTIAL.value, Outcome.SETTLED_REDUCED.value)
ON_REQUEST = "on_request"


class Ground:
    """Partners with their doors, loads, contracts and records, and everything that stands around the cases of a chunk."""

    def __init__(
        self, conn: sa.Connection, case_ids: Sequence[str], as_of: dt.date, chances: Mapping[str, Decimal] | None = None
    ) -> None:
        self.as_of = as_of
        self.conn, self._case_ids = conn, tuple(case_ids)
        self._histories: Mapping[str, Sequence[CaseEvent]] | None = None
        self.around = Around(conn, as_of)
        self.profiles = list(self.around.profiles.values())
        self.documents = self.around.documents(case_ids)
        self.reachable = _reachable(conn)
        self.held = _held(conn) if any(one.capacity for one in self.profiles) else {}
        self.contracts = self.around.contracts
        self.asked: set[tuple[str, str]] = set()  # partner and creditor whose papers were asked for in this chunk
        self.chances = read_chances(conn) if chances is None else chances

    def country_of(self, case: Case) -> str:
        """The creditor's."""
        creditor = self.around.creditor(case.creditor_id)
        return creditor.party.country if creditor else ""

    def history(self, case: Case) -> Sequence[CaseEvent]:
        """What happened in a case of the chunk; those of all are read when the first is asked for."""
        if self._histories is None:
            self._histories = read_histories(self.conn, self._case_ids, LAST_EVENT)
        return self._histories.get(case.case_id, ())

    def file(self, case: Case, procedure: Procedure, partner: PartnerProfile | None, *, is_strict: bool) -> CaseFacts:
        """The case on its way to a partner.

        Where the creditor agreed to supply papers on request, papers beside the invoice that are not on file are not
        known to be missing; a way before a court asks for them before it costs anything (`is_strict`).
        """
        held: tuple[KnownDocument, ...] | None = self.documents.get(case.case_id, ())
        creditor = self.around.creditor(case.creditor_id)
        on_request = creditor is None or creditor.playbook.papers == ON_REQUEST
        if on_request and not is_strict and all(one.kind == "invoice" for one in held or ()):
            held = None
        history = self.history(case) if needs_history(case) else ()
        return self.around.file(case, held, procedure, partner, history)


def _reachable(conn: sa.Connection) -> frozenset[str]:
    query = sa.select(t.connections.c.partner_id).where(t.connections.c.role == ConnectorRole.PARTNER.value)
    return frozenset(partner_id for partner_id in conn.scalars(query) if partner_id)


def _held(conn: sa.Connection) -> dict[str, int]:
    query = (
        sa.select(t.cases.c.partner_id, sa.func.count())
        .where(t.cases.c.partner_id.is_not(None), t.cases.c.status != Status.CLOSED.value)
        .group_by(t.cases.c.partner_id)
    )
    return {partner_id or "": count for partner_id, count in conn.execute(query)}


def read_chances(conn: sa.Connection) -> Mapping[str, Decimal]:
    """The share of a route's ended cases that brought money, where there are enough of them, by route."""
    query = (
        sa.select(t.cases.c.route, t.cases.c.outcome, sa.func.count())
        .where(t.cases.c.status == Status.CLOSED.value, t.cases.c.route != "", t.cases.c.partner_id.is_(None))
        .group_by(t.cases.c.route, t.cases.c.outcome)
    )
    ended: dict[str, int] = {}
    brought: dict[str, int] = {}
    for route, outcome, count in conn.execute(query):
        ended[route] = ended.get(route, 0) + count
        brought[route] = brought.get(route, 0) + (count if outcome in _MONEY_CAME else 0)
    return {
        route: (Decimal(brought[route]) / count).quantize(Decimal("0.01"))
        for route, count in ended.items() if count >= CASES_FOR_A_CHANCE
    }  # fmt: skip


# --- proposals ------------------------------------------------------------------------------------


def proposals(hub: Hub, ground: Ground, cases: Sequence[Case]) -> Iterator[list[RouteProposal]]:
    """For each case everything that plugins propose, priced, and every way before a court with its standing."""
    same = {"partners": ground.profiles, "as_of": ground.as_of}
    asked = hub.plugins.ask_each(
        "propose_routes", [{"case": case, "creditor_country": ground.country_of(case), **same} for case in cases]
    )
    for case, answers in zip(cases, asked, strict=True):
        yield _of_case(hub, ground, case, [one for _, found in answers for one in found])


def _of_case(hub: Hub, ground: Ground, case: Case, proposed: Sequence[RouteProposal]) -> list[RouteProposal]:
    view = View(
        file=ground.file(case, Procedure.JUDICIAL, None, is_strict=True), as_of=ground.as_of, atlas=bundled_atlas(),
        laws=lambda code: laws_of(hub, code),
    )  # fmt: skip
    barred_on = limitation_day(view)
    given = [_completed(ground, case, one, barred_on) for one in proposed]
    return [*given, *(_of_law(ground, case, way) for way in ways(view, barred_on))]


def _completed(ground: Ground, case: Case, one: RouteProposal, barred_on: dt.date | None) -> RouteProposal:
    """A proposal with its price and what only the hub knows of its partner; what a plugin states itself stays."""
    partner = ground.around.profiles.get(one.partner_id or "")
    if partner is None:
        return one
    changes: dict[str, object] = {"limitation_on": one.limitation_on or barred_on}
    reason = _out_of_reach(ground, partner) if one.standing == "possible" else ""
    if reason:
        changes |= {"standing": "rejected", "reason": reason}
    if one.success is None:
        changes["success"] = ground.chances.get(one.route)
    if one.cost is None:
        changes |= _price(ground, case, partner)
    return msgspec.structs.replace(one, **changes)


def _out_of_reach(ground: Ground, partner: PartnerProfile) -> str:
    if partner.partner_id not in ground.reachable:
        return "no connection leads to it yet"
    if partner.capacity and ground.held.get(partner.partner_id, 0) >= partner.capacity:
        return f"it holds {partner.capacity} cases, as many as it takes at once"
    return ""


def _price(ground: Ground, case: Case, partner: PartnerProfile) -> dict[str, object]:
    """The fee if everything is recovered, by the contract in force; without one the partner must be asked."""
    contract = ground.contracts.get(partner.partner_id)
    if contract is None:
        return {"cost_basis": "no contract is in force: ask the partner for a quote"}
    try:
        fee = fee_if_recovered(contract, case, ground.as_of)
    except PermanentError as error:
        return {"cost_basis": f"{error.message}: ask the partner for a quote"}
    return {"cost": fee.total, "currency": case.currency, "cost_basis": fee.rule}


def _of_law(ground: Ground, case: Case, way: Way) -> RouteProposal:
    """A way as a proposal; where a person chose it after a look at what is unknown, with whoever files it."""
    rule = way.rule
    partner = ground.around.profiles.get(_filer(case, rule.id))
    standing, reason = way.standing, way.reason
    if partner is not None and standing != "rejected":
        against = _out_of_reach(ground, partner)
        standing, reason = ("rejected", against) if against else ("possible", "a person chose it, and its cost is allowed")
    return RouteProposal(
        route=rule.id, procedure=rule.procedure.value, partner_id=partner.partner_id if partner else None, rank=rule.rank,
        reason=reason, proposed_by="law", standing=standing, cost_basis="not in the data: ask the court or a lawyer there",
        days=rule.days, days_basis=rule.days_basis, documents=rule.documents, limitation_on=way.limitation_on,
        source=rule.source, is_automatic=False,
    )


def _filer(case: Case, way: str) -> str:
    """Who was asked to file a way, or holds the case on it."""
    wish, holder = case.transfer, case.placement
    if wish is not None:
        return wish.partner_id if wish.route == way else ""
    return holder.partner_id if holder is not None and holder.is_live and holder.route == way else ""


def checked(hub: Hub, ground: Ground, case: Case, one: RouteProposal) -> Assessment:
    """What the rules say of a proposal with a partner, on the day of the hand-over."""
    partner = ground.around.profiles.get(one.partner_id or "")
    file = ground.file(case, Procedure(one.procedure), partner, is_strict=False)
    return assess(file, ground.as_of, bundled_atlas(), lambda code: laws_of(hub, code))
