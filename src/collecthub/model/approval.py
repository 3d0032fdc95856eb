"""What a creditor agreed beforehand on the cost of courts and enforcement: which yes is his already, and where it ends."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from collecthub.errors import PermanentError


class ApprovalLimits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A step whose cost is capped at `given_up_to` or less is allowed without asking; nought means that every one is asked.

    `case_cap` is the most that the steps of one case may cost together without a reason given by a person; nought means
    that no such cap was agreed.
    """

    given_up_to: Decimal = Decimal(0)
    case_cap: Decimal = Decimal(0)

    def __post_init__(self) -> None:
        if min(self.given_up_to, self.case_cap) < 0 or 0 < self.case_cap < self.given_up_to:
            raise PermanentError(
                "the approval of a playbook allows less than nothing, or one step more than a whole case",
                cure="Give amounts of nought or more, case_cap at least as high as given_up_to.",
            )

    def is_beyond(self, spent: Decimal, cap: Decimal) -> bool:
        """Whether a step of at most `cap` would bring a case that has cost `spent` above what was agreed for it.

        >>> ApprovalLimits(case_cap=Decimal(500)).is_beyond(Decimal(200), Decimal(300))
        False
        """
        return 0 < self.case_cap < spent + cap

    def is_given(self, spent: Decimal, cap: Decimal) -> bool:
        """Whether the creditor said yes beforehand."""
        return cap <= self.given_up_to and not self.is_beyond(spent, cap)
