"""Feasibility of stored cases: one case with what the hub holds around it, or a whole portfolio as a dry run.

Only what is stored is told to the checks; what the hub does not hold stays unknown.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

import msgspec
import sqlalchemy as sa

from collecthub.engine.circumstances import needs_history, with_circumstances
from collecthub.engine.context import Hub
from collecthub.errors import PermanentError
from collecthub.law.atlas.reading import bundled_atlas
from collecthub.law.feasibility.assess import Assessment, assess
from collecthub.law.feasibility.finding import CaseFacts, KnownDocument, PartnerFacts, Verdict
from collecthub.law.feasibility.finding import Mandate as HeldMandate
from collecthub.law.feasibility.rules import rule_book
from collecthub.law.rules import CountryLaw
from collecthub.model.case import Case
from collecthub.model.codes import Status
from collecthub.model.contract import Contract
from collecthub.model.event import CaseEvent
from collecthub.model.exchange import Procedure
from collecthub.model.fee import Fee, FeesBefore, facts_of, fee_on
from collecthub.model.general_terms import GeneralTerms
from collecthub.model.mandate import MandateKind, best
from collecthub.model.partner import PartnerProfile
from collecthub.store import tables as t
from collecthub.store.case_log import LAST_EVENT, read_cases, read_histories
from collecthub.store.connections import CreditorRow, read_connection, read_creditor, read_profiles
from collecthub.store.general_terms import read_general_terms
from collecthub.store.mandates import read_mandates
from collecthub.store.network_tables import general_terms
from collecthub.store.partner_terms import contracts_in_force
from collecthub.store.queries.case_file import check_creditor, read_owned_case
from collecthub.store.queries.scope import Scope, cases_of

CASES_PER_CHUNK = 500


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What is planned with a case: the procedure (that of its placement, else amicable), the court, the instrument."""

    procedure: Procedure | None = None
    forum: str = ""
    instrument: str = ""


class RuleCount(msgspec.Struct, frozen=True, kw_only=True):
    """How often a rule hit, blocked, or could not be checked in a portfolio."""

    id: str
    title: str
    owner: str
    fix: str
    found: int
    blocking: int
    unknown: int


class CountryCount(msgspec.Struct, frozen=True, kw_only=True):
    """The open cases with a debtor in one country, and how many of them something known stops.

    `stopped_by` are the rules that stop them, the one that stops most first.
    """

    country: str
    cases: int
    blocked: int
    stopped_by: tuple[str, ...] = ()


class DryRun(msgspec.Struct, frozen=True, kw_only=True):
    """A portfolio as it would go: nothing was sent and nothing changed."""

    as_of: dt.date
    atlas_version: dt.date
    rule_version: dt.date
    cases: int
    feasible: int
    blocked: int
    rules: tuple[RuleCount, ...]
    countries: tuple[CountryCount, ...]


def laws_of(hub: Hub, country: str) -> CountryLaw | None:
    """The law of a country, where a pack knows it."""
    return hub.plugins.country_law(country) if country in hub.plugins.jurisdictions else None


def case_feasibility(
    hub: Hub, conn: sa.Connection, scope: Scope, case_id: str, plan: Plan, as_of: dt.date
) -> Assessment:
    """What stands against a planned step of one case. Raises `NotThereError`."""
    case = read_owned_case(conn, scope, case_id)
    around = Around(conn, as_of)
    (file,) = around.files([case], plan)
    return assess(file, as_of, bundled_atlas(), lambda country: laws_of(hub, country))


def dry_run(hub: Hub, conn: sa.Connection, scope: Scope, creditor_id: str, as_of: dt.date) -> DryRun:
    """Every open case of a creditor (or of all), each with the step it would take next. Memory stays flat.

    Raises `NotThereError` for a creditor that does not exist for the scope.
    """
    if creditor_id:
        check_creditor(conn, scope, creditor_id)
    counted = _Counted()
    around = Around(conn, as_of)
    for chunk in _open_cases(conn, scope, creditor_id):
        for file in around.files(chunk, Plan()):
            counted.add(file, assess(file, as_of, bundled_atlas(), lambda country: laws_of(hub, country)))
    return counted.told(as_of)


def open_case_count(conn: sa.Connection, scope: Scope) -> int:
    """How many cases a dry run of the scope would look at."""
    query = sa.select(sa.func.count()).where(cases_of(scope), t.cases.c.status != Status.CLOSED.value)
    return conn.scalar(query) or 0


def _open_cases(conn: sa.Connection, scope: Scope, creditor_id: str) -> Iterator[list[Case]]:
    after = ""
    wanted = cases_of(scope) & (t.cases.c.status != Status.CLOSED.value)
    if creditor_id:
        wanted &= t.cases.c.creditor_id == creditor_id
    while chunk := read_cases(conn, wanted & (t.cases.c.case_id > after), CASES_PER_CHUNK):
        yield chunk
        after = chunk[-1].case_id


class Around:
    """What stands around cases on a day: creditors, partners, contracts and mandates are read once, documents for each chunk."""

    def __init__(self, conn: sa.Connection, as_of: dt.date) -> None:
        self._conn, self._as_of = conn, as_of
        self._creditors: dict[str, CreditorRow | None] = {}
        self._reminders: dict[str, str] = {}
        self._general: dict[str, tuple[GeneralTerms, ...]] = {}
        self.profiles = {profile.partner_id: profile for profile in read_profiles(conn)}
        self.mandates = read_mandates(conn)

    @functools.cached_property
    def contracts(self) -> Mapping[str, Contract]:
        """What is in force with partners."""
        return contracts_in_force(self._conn, self._as_of)

    def files(self, cases: Sequence[Case], plan: Plan) -> Iterator[CaseFacts]:
        """The cases as the checks see them, each with the step that is planned or the next one."""
        documents = self.documents([case.case_id for case in cases])
        telling = [case.case_id for case in cases if needs_history(case)]
        told = read_histories(self._conn, telling, LAST_EVENT) if telling else {}
        for case in cases:
            placement = case.placement
            partner = self.profiles.get(placement.partner_id) if placement and placement.is_live else None
            procedure = plan.procedure or _next_step(case)
            file = self.file(case, documents.get(case.case_id, ()), procedure, partner, told.get(case.case_id, ()))
            yield msgspec.structs.replace(file, forum=plan.forum, instrument=plan.instrument)

    def file(
        self, case: Case, documents: tuple[KnownDocument, ...] | None, procedure: Procedure, partner: PartnerProfile | None,
        history: Sequence[CaseEvent] = (),
    ) -> CaseFacts:  # fmt: skip
        """One case on its way to a partner, or to nobody yet; with its history where that has something to say."""
        creditor = self.creditor(case.creditor_id)
        file = CaseFacts(
            case=case, creditor=creditor.party if creditor else None, procedure=procedure, documents=documents,
            reminders_by=self._reminders_by(case.connection_id), partner=self._partner(case, partner) if partner else None,
            mandate=self._power_of_attorney(case.creditor_id, partner.partner_id) if partner else None,
        )
        return with_circumstances(file, history, self._terms(case.creditor_id))

    def _partner(self, case: Case, profile: PartnerProfile) -> PartnerFacts:
        """Its fee is expected where a contract says one; once money came in, a part of the fee is spent already."""
        facts, contract = partner_facts(profile), self.contracts.get(profile.partner_id)
        if contract is None or case.balance.payments:
            return facts
        try:
            return msgspec.structs.replace(facts, expected_cost=fee_if_recovered(contract, case, self._as_of).total)
        except PermanentError:
            return facts  # no row of the grid fits: what it costs is not known

    def creditor(self, creditor_id: str) -> CreditorRow | None:
        """The creditor, read once."""
        if creditor_id not in self._creditors:
            self._creditors[creditor_id] = read_creditor(self._conn, creditor_id)
        return self._creditors[creditor_id]

    def _terms(self, creditor_id: str) -> tuple[GeneralTerms, ...]:
        """The creditor's general terms."""
        if creditor_id not in self._general:
            self._general[creditor_id] = read_general_terms(self._conn, general_terms.c.creditor_id == creditor_id)
        return self._general[creditor_id]

    def _reminders_by(self, connection_id: str) -> str:
        """Who reminds debtors, as the connection's release says."""
        if connection_id not in self._reminders:
            row = read_connection(self._conn, connection_id)
            self._reminders[connection_id] = row.release.reminders_by if row else ""
        return self._reminders[connection_id]

    def assume_reminders(self, connection_id: str, reminders_by: str) -> None:
        """Look at what would be if somebody else reminded the debtors of a connection."""
        self._reminders[connection_id] = reminders_by

    def _power_of_attorney(self, creditor_id: str, partner_id: str) -> HeldMandate | None:
        held = best(self.mandates, MandateKind.POWER_OF_ATTORNEY, partner_id, creditor_id)
        if held is None or held.state == "revoked":
            return None
        return HeldMandate(form=held.form or "copy", expires_on=held.expires_on)

    def documents(self, case_ids: Sequence[str]) -> Mapping[str, tuple[KnownDocument, ...]]:
        """By case the kinds of what is on file."""
        found: dict[str, tuple[KnownDocument, ...]] = {}
        query = sa.select(t.documents.c.case_id, t.documents.c.kind).where(t.documents.c.case_id.in_(case_ids))
        for case_id, kind in self._conn.execute(query):
            found[case_id] = (*found.get(case_id, ()), KnownDocument(kind=kind))
        return found


def _next_step(case: Case) -> Procedure:
    return case.placement.procedure if case.placement and case.placement.is_live else Procedure.AMICABLE


def fee_if_recovered(contract: Contract, case: Case, on: dt.date) -> Fee:
    """What a partner's contract costs when everything that is demanded comes in. Raises `PermanentError` as `fee_on` does."""
    oldest = min((claim.due_on for claim in case.claims), default=on)
    facts = facts_of(case.balance.principal, (on - oldest).days, case.debtor.country, case.currency)
    return fee_on(contract, facts, max(case.demanded, Decimal(0)), FeesBefore())


def partner_facts(profile: PartnerProfile) -> PartnerFacts:
    """A partner as the checks see it. Where it works on the data is the debtor's country unless the profile says else."""
    return PartnerFacts(
        partner_id=profile.partner_id, role=profile.role, country=profile.work_country, licences=profile.licences,
        has_signed_clauses=profile.has_signed_clauses, minimum_amount=profile.minimum_amount,
        minimum_currency=profile.minimum_currency,
    )


class _Counted:
    """The tally of a dry run."""

    def __init__(self) -> None:
        self._rules: Counter[tuple[str, str]] = Counter()
        self._countries: Counter[str] = Counter()
        self._blocked: Counter[str] = Counter()
        self._stops: dict[str, Counter[str]] = {}

    def add(self, file: CaseFacts, answer: Assessment) -> None:
        """Count one case."""
        country = file.case.debtor.country or file.case.debtor.address.country
        self._countries[country] += 1
        self._blocked[country] += not answer.is_feasible
        for one in answer.findings:
            self._rules[one.id, one.verdict] += 1
            self._rules[one.id, "blocking"] += one.is_blocking
            if one.is_blocking:
                self._stops.setdefault(country, Counter())[one.id] += 1

    def told(self, as_of: dt.date) -> DryRun:
        """The sums: rules in the order of the book, countries with the most cases first."""
        book = rule_book()
        cases, blocked = self._countries.total(), self._blocked.total()
        return DryRun(
            as_of=as_of, atlas_version=bundled_atlas().version, rule_version=book.version, cases=cases,
            feasible=cases - blocked, blocked=blocked,
            rules=tuple(
                RuleCount(
                    id=rule.id, title=rule.title, owner=rule.owner, fix=rule.fix,
                    found=self._rules[rule.id, Verdict.FOUND], unknown=self._rules[rule.id, Verdict.UNKNOWN],
                    blocking=self._rules[rule.id, "blocking"],
                )
                for rule in book.rules
            ),
            countries=tuple(
                CountryCount(
                    country=country, cases=count, blocked=self._blocked[country],
                    stopped_by=tuple(rule for rule, _ in self._stops.get(country, Counter()).most_common()),
                )
                for country, count in self._countries.most_common()
            ),
        )
