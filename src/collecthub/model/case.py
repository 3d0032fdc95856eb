"""The case: one file on one debtor of one creditor in one currency.

A case is what its history adds up to (`history.apply`). Four axes never mix: `phase` (legal stage), `status`
(hand-over), `holds` (why it pauses), `outcome` (how it ended).
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import msgspec

from collecthub.model import event as ev
from collecthub.model.circumstances import Circumstances
from collecthub.model.codes import Outcome, Phase, Status
from collecthub.model.contact import Contact as DebtorContact
from collecthub.model.exchange import AmendmentCode, Procedure
from collecthub.model.facts_money import WRITTEN_OFF, Charges
from collecthub.model.ledger import Balance
from collecthub.model.objection import Objections
from collecthub.model.party import Party
from collecthub.model.plan import Plan
from collecthub.model.proceeding import ProceedingKind, Proceedings
from collecthub.model.rungs import RungClocks
from collecthub.model.sensitive import NATURES, Sensitive
from collecthub.model.solvency import Solvency

RECORDED = "recorded-"  # begins the reference of money that a person or a bank file showed


class Hold(msgspec.Struct, frozen=True, kw_only=True):
    """A reason to pause, since when, until when, set by whom."""

    reason: str
    note: str = ""
    since_at: dt.datetime
    until_on: dt.date | None = None
    set_by: str


class Asking(msgspec.Struct, frozen=True, kw_only=True):
    """A change that the holder was asked for and has not confirmed: when, and how often it was said."""

    message_id: str
    code: AmendmentCode
    asked_at: dt.datetime
    sent_at: dt.datetime | None = None
    sendings: int = 0
    refused_at: dt.datetime | None = None


class Placement(msgspec.Struct, frozen=True, kw_only=True):
    """The case in the hands of one partner."""

    placement_id: str
    partner_id: str
    partner_name: str
    route: str
    procedure: Procedure
    reason: str
    chosen_at: dt.datetime
    message_id: str = ""
    sent_at: dt.datetime | None = None
    acknowledged_at: dt.datetime | None = None
    accepted_at: dt.datetime | None = None
    ended_at: dt.datetime | None = None
    end_reason: str = ""
    holder_ref: str = ""
    told_principal: Decimal = Decimal(0)  # what the partner was last told to collect
    amendment_id: str = ""  # a recall or new balance that is not acknowledged yet
    amendment_code: AmendmentCode | None = None
    amendment_sent_at: dt.datetime | None = None
    amendment_asked_at: dt.datetime | None = None
    amendment_sendings: int = 0
    amendment_refused_at: dt.datetime | None = None
    pause: Asking | None = None  # to pause or to go on, beside a new balance
    is_paused: bool = False  # what the partner was last told of pausing
    recall_asked_at: dt.datetime | None = None  # since when everyone ought to stop
    stopped_at: dt.datetime | None = None  # when the hub knew that the partner had stopped
    clocks: RungClocks = RungClocks()
    validated_at: dt.datetime | None = None
    acted_at: dt.datetime | None = None
    last_sequence: int = 0
    last_heard_at: dt.datetime | None = None
    country: str = ""  # where the partner's people work: no wait for them ends on a day off there

    @property
    def is_live(self) -> bool:
        """Whether the partner holds the case or is about to."""
        return self.ended_at is None

    @property
    def is_out(self) -> bool:
        """Whether the case file has left the hub and has not come back."""
        return self.sent_at is not None and self.ended_at is None

    @property
    def asking(self) -> tuple[Asking, ...]:
        """What the partner was asked for and has not confirmed."""
        found = (self.pause,) if self.pause is not None else ()
        if self.amendment_code is None or self.amendment_asked_at is None:
            return found
        main = Asking(
            message_id=self.amendment_id, code=self.amendment_code, asked_at=self.amendment_asked_at,
            sent_at=self.amendment_sent_at, sendings=self.amendment_sendings, refused_at=self.amendment_refused_at,
        )
        return (main, *found)


class Feasibility(msgspec.Struct, frozen=True, kw_only=True):
    """What the last check said; the findings in full stand in the history.

    `said` is by rule the evidence for a reader of any language: its code and values.
    """

    procedure: Procedure
    partner_id: str = ""
    checked_on: dt.date
    rule_version: dt.date
    atlas_version: dt.date
    findings: tuple[tuple[str, str, bool], ...] = ()  # rule, evidence, whether it blocks
    said: dict[str, tuple[str, dict[str, str]]] = {}
    unknown: tuple[str, ...] = ()

    @property
    def is_feasible(self) -> bool:
        return not any(is_blocking for _, _, is_blocking in self.findings)

    @property
    def version(self) -> str:
        """Of the rules and the facts that it was made with."""
        return feasibility_version(self.rule_version, self.atlas_version)


def feasibility_version(rules: dt.date, atlas: dt.date) -> str:
    """How a state of rules and facts is named.

    >>> feasibility_version(dt.date(2026, 11, 22), dt.date(2026, 12, 1))
    '2026-11-22/2026-12-01'
    """
    return f"{rules}/{atlas}"


class Transfer(msgspec.Struct, frozen=True, kw_only=True):
    """The case is on its way to another holder: why, and to whom if somebody was named."""

    reason: str
    partner_id: str = ""
    route: str = ""
    asked_at: dt.datetime


class CourtWay(msgspec.Struct, frozen=True, kw_only=True):
    """A way before a court that somebody chose and that waits for the approval of its cost."""

    way: str
    title: str
    proceeding: ProceedingKind
    approval_id: str
    partner_id: str = ""
    partner_name: str = ""


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """State of a case after its last event. `version` is that event's number."""

    case_id: str
    number: str
    creditor_id: str
    connection_id: str
    debtor_ref: str
    debtor: Party = Party(name="")
    currency: str
    segment: str
    phase: Phase = Phase.REMINDER
    status: Status = Status.DRAFT
    holds: tuple[Hold, ...] = ()
    outcome: Outcome | None = None
    claims: tuple[ev.Claim, ...] = ()
    balance: Balance
    direct_payments: Decimal = Decimal(0)  # part of balance.payments that reached the creditor
    unmatched: tuple[tuple[str, Decimal], ...] = ()  # (payment_ref, amount) known here, not yet in the ERP
    remittances_booked: Decimal = Decimal(0)
    loose_credits: Decimal = Decimal(0)  # part of balance.credits that is not tied to one claim
    placement: Placement | None = None
    past_placements: tuple[Placement, ...] = ()
    tried_partners: tuple[str, ...] = ()
    owner: str = ""
    contact_person: str = ""
    origin: str = "erp"
    origin_ref: str = ""
    opened_at: dt.datetime
    changed_at: dt.datetime
    version: int
    last_hash: str = ""
    known_refs: tuple[str, ...] = ()  # payment and cost references already booked
    charges: Charges | None = None  # what of interest and the like stands in the ledger
    natures: tuple[tuple[str, str], ...] = ()  # (claim_id, nature) where somebody said what kind of claim it is
    feasibility: Feasibility | None = None
    circumstances: Circumstances | None = None  # what a person stated beyond the ERP's fields
    transfer: Transfer | None = None
    court_way: CourtWay | None = None
    plan: Plan | None = None
    solvency: Solvency = Solvency()
    objections: Objections = Objections()
    proceedings: Proceedings = Proceedings()
    sealed: tuple[str, ...] = ()  # placements whose part of the history is closed
    sensitive: Sensitive = Sensitive()
    contact: DebtorContact | None = None  # the agreed steps before hand-over
    told_on: dt.date | None = None  # the first e-mail or letter: it says who holds the debtor's data (GDPR art. 14)
    unwanted: tuple[str, ...] = ()  # channels by which the debtor does not want to be written to

    @property
    def owed_here(self) -> Decimal:
        """Principal without what the creditor received or credited itself, disputed or not."""
        return self.balance.principal - self.balance.credits - self.balance.write_offs - self.direct_payments

    @property
    def demanded(self) -> Decimal:
        """Principal a holder should ask for: what is owed without the disputed part."""
        withheld = self.objections.withheld(self.balance.credits + self.balance.write_offs)
        return max(self.owed_here - withheld, Decimal(0)) if withheld else self.owed_here

    @property
    def erp_open(self) -> Decimal:
        """What the creditor's ERP should show open for this case."""
        return self.owed_here - self.remittances_booked

    @property
    def open_in_erp_only(self) -> Decimal:
        """What is settled or given up here and what the creditor's ERP still shows as open."""
        return sum((amount for ref, amount in self.unmatched if ref.startswith((RECORDED, WRITTEN_OFF))), Decimal(0))

    @property
    def is_open(self) -> bool:
        return self.status is not Status.CLOSED

    def held_for(self, reason: str) -> bool:
        """Whether a hold with this reason is set."""
        return any(hold.reason == reason for hold in self.holds)

    def claim(self, claim_id: str) -> ev.Claim | None:
        """The claim with this id, or None."""
        return next((claim for claim in self.claims if claim.claim_id == claim_id), None)

    @property
    def is_sensitive(self) -> bool:
        """Whether any claim says something of the debtor's health or the like."""
        marked = self.sensitive.is_whole or bool(self.sensitive.claim_ids)
        return marked or any(nature in NATURES for _, nature in self.natures)

    def is_sensitive_claim(self, claim_id: str) -> bool:
        """Whether this claim was marked, or is of a kind that always is."""
        marked = self.sensitive.is_whole or claim_id in self.sensitive.claim_ids
        return marked or self.nature_of(claim_id) in NATURES

    def tells_all(self, partner_id: str) -> bool:
        """Whether a partner gets lines and documents: those of sensitive claims need a stated need."""
        return partner_id in self.sensitive.needed_by or not self.is_sensitive

    def nature_of(self, claim_id: str) -> str:
        """What kind of claim it is, empty while nobody said."""
        return dict(self.natures).get(claim_id, "")
