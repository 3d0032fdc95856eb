"""Money of others: what lies on the client account, in the till and with the card company, and whose it is. Pure.

The law of most countries asks of whoever collects for others that the two are equal on every day. Both sides are
computed from different records: the first from what the bank states, the second from what every case was paid.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import msgspec

ZERO = Decimal(0)


class HeldFor(msgspec.Struct, frozen=True, kw_only=True):
    """What is held for one creditor and not yet under way to him."""

    creditor_id: str
    creditor_name: str
    amount: Decimal


class AccountBalance(msgspec.Struct, frozen=True, kw_only=True):
    """A client account: what the bank states, and what its movements make from the first statement on."""

    account: str
    stated: Decimal | None  # None: no statement of this account states a balance
    stated_on: dt.date | None
    computed: Decimal

    @property
    def balance(self) -> Decimal:
        return self.computed if self.stated is None else self.stated


class ClientMoney(msgspec.Struct, frozen=True, kw_only=True):
    """Both sides in one currency at the end of a day.

    `operator` is the operator's own part of the account: fees that stayed, less what he took out and what the bank
    charged him. `unexplained` is money that left, or came, and nobody said why.
    """

    on: dt.date
    currency: str
    accounts: tuple[AccountBalance, ...]
    cash: Decimal
    card: Decimal
    held: tuple[HeldFor, ...]
    under_way: Decimal
    unallocated: Decimal
    operator: Decimal
    before_the_hub: Decimal
    unexplained: Decimal

    @property
    def there(self) -> Decimal:
        """What is there: at the bank, in the till, with the card company."""
        return sum((account.balance for account in self.accounts), ZERO) + self.cash + self.card

    @property
    def owed(self) -> Decimal:
        """Whose it is, added up."""
        held = sum((one.amount for one in self.held), ZERO)
        return held + self.under_way + self.unallocated + self.operator + self.before_the_hub

    @property
    def difference(self) -> Decimal:
        """Nothing, on every day. Below zero, money of creditors is missing."""
        return self.there - self.owed

    @property
    def findings(self) -> tuple[str, ...]:
        """What a person must look at, in sentences."""
        found = [
            f"account {one.account}: the bank states {one.stated} {self.currency} on {one.stated_on}, the movements known here"
            f" make {one.computed}; {one.stated - one.computed} is missing or too much"
            for one in self.accounts
            if one.stated is not None and one.stated != one.computed
        ]
        if self.unexplained:
            found.append(f"{self.unexplained} {self.currency} moved without a reason that the hub knows")
        if self.operator < 0:
            found.append(f"the operator owes the client account {-self.operator} {self.currency}")
        if self.cash < 0 or self.card < 0:
            found.append(f"more was banked than receipts say: cash {self.cash}, card {self.card} {self.currency}")
        found += [
            f"{one.creditor_name} got {-one.amount} {self.currency} more than came in for him" for one in self.held if one.amount < 0
        ]
        if self.difference:
            found.append(f"{self.there} {self.currency} is there, {self.owed} is owed: the difference is {self.difference}")
        return tuple(found)
