"""What a debtor says against a claim or about himself: disputes, complaints, and why he does not pay."""

from __future__ import annotations

import datetime as dt
import enum
from decimal import Decimal

import msgspec

COMPLAINT_DAYS = 10  # the time in which rival networks answer complaints about their method (Debitura)
EVIDENCE_DAYS = 14  # after which a person is told that the creditor has not sent his proof


class DisputeState(enum.StrEnum):
    """Where a dispute stands."""

    RAISED = "raised"
    EVIDENCE_ASKED = "evidence_asked"
    EVIDENCE_GIVEN = "evidence_given"
    UPHELD = "upheld"
    PARTLY = "partly"
    REJECTED = "rejected"
    SETTLED = "settled"
    TO_COURT = "to_court"


OPEN_DISPUTE = frozenset({DisputeState.RAISED, DisputeState.EVIDENCE_ASKED, DisputeState.EVIDENCE_GIVEN})
DECISIONS = frozenset(set(DisputeState) - OPEN_DISPUTE)


class Dispute(msgspec.Struct, frozen=True, kw_only=True):
    """A claim, or part of it, that the debtor does not accept. An empty `claim_id` is the whole case.

    `credited_before` is what had been credited when it was raised: a later credit note lowers what is withheld.
    """

    dispute_id: str
    claim_id: str = ""
    amount: Decimal
    ground: str
    state: DisputeState = DisputeState.RAISED
    raised_at: dt.datetime
    credited_before: Decimal
    evidence_due_on: dt.date | None = None
    upheld: Decimal = Decimal(0)
    answer: str = ""  # why it was decided so, as the debtor reads it
    decided_on: dt.date | None = None

    @property
    def is_open(self) -> bool:
        """Whether it waits for a decision."""
        return self.state in OPEN_DISPUTE

    def withheld(self, credited: Decimal) -> Decimal:
        """What must not be asked of the debtor: the disputed amount, later the part that he was right about.

        A dispute that goes to court stays withheld: a judge decides.
        """
        stands = self.is_open or self.state is DisputeState.TO_COURT
        return max(Decimal(0), (self.amount if stands else self.upheld) - (credited - self.credited_before))


class Complaint(msgspec.Struct, frozen=True, kw_only=True):
    """A complaint about how collection is done, with the day by which it is answered."""

    complaint_id: str
    text: str
    filed_at: dt.datetime
    answer_by_on: dt.date
    answered_at: dt.datetime | None = None
    answer: str = ""


REST_DAYS = 14  # so long a reason leaves for what follows from it, as long as the creditor has for his proof


class NonPayment(enum.StrEnum):
    """Why a debtor does not pay; it decides what comes next."""

    CANNOT = "cannot"
    WILL_NOT = "will_not"
    DISAGREES = "disagrees"
    NEVER_RECEIVED = "never_received"
    ALREADY_PAID = "already_paid"


# Reasons after which asking again would be wrong until a person has done what follows. Who paid already rests until the
# money is found; who can pay and will not rests for nothing.
RESTING = frozenset({NonPayment.CANNOT, NonPayment.DISAGREES, NonPayment.NEVER_RECEIVED})


class Hardship(enum.StrEnum):
    """What protects a debtor: everything stops at once. The value is the hold."""

    VULNERABLE = "vulnerable"
    MORATORIUM = "moratorium"
    DEBT_MEDIATION = "debt_mediation"


class Objections(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Everything of this kind in a case."""

    disputes: tuple[Dispute, ...] = ()
    complaints: tuple[Complaint, ...] = ()
    reason: NonPayment | None = None

    def withheld(self, credited: Decimal) -> Decimal:
        """The disputed part of the case."""
        return sum((one.withheld(credited) for one in self.disputes), Decimal(0))
