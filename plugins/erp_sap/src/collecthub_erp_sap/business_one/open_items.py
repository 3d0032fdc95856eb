"""Reads Business One's receivables page by page: all that is open, or what changed since the last pull.

Dates of change have the grain of a day, payments have none at all and not every release moves an invoice's date when
it is paid. So a pull looks back two days over what changed, follows the payments by their rising entry numbers to the
invoices they paid, and once a business day reads all that is open, which closes with control totals. That begins with
the customers' accounts: journal entries on them are items too, and a customer whose account balance nothing explains is
held back with all his items.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from typing import NamedTuple

import msgspec

from collecthub.sdk import (
    ConfigurationError,
    ControlTotal,
    ItemState,
    OpenItem,
    Page,
    RawInvoice,
    RefusedRow,
    RetryableError,
)
from collecthub_erp_sap.business_one.accounts import AccountPage, AccountReader
from collecthub_erp_sap.business_one.documents import DocumentReader, EntryPage, Mapped
from collecthub_erp_sap.business_one.mapping import (
    CREDIT_NOTES,
    DOWN_PAYMENTS,
    INVOICES,
    LETTERS,
    PAYMENTS,
    Payment,
)
from collecthub_erp_sap.business_one.query import day_text

_OVERLAP = dt.timedelta(days=2)
Totals = dict[str, tuple[int, Decimal]]


class Step(NamedTuple):
    """One question of a pull. What answers those of the open set is counted into the control totals."""

    entity: str
    condition: str
    is_open_set: bool = False


_OPEN, _CLOSED, _CHANGED = "DocumentStatus eq 'bost_Open'", "DocumentStatus eq 'bost_Close'", "UpdateDate ge {since}"
_ASKED = "DownPaymentType eq 'dptInvoice'"  # a request for one is no receivable yet
_ACCOUNTS = "accounts"
_PAID_BY = {None: INVOICES, "it_Invoice": INVOICES, "it_DownPayment": DOWN_PAYMENTS}
STEPS = {
    "closed": Step(INVOICES, f"{_CLOSED} and {_CHANGED}"),
    "used": Step(CREDIT_NOTES, f"{_CLOSED} and {_CHANGED}"),
    "paid": Step(PAYMENTS, "DocEntry gt {payment}"),
    "cancelled": Step(PAYMENTS, "Cancelled eq 'tYES'{recent}"),
    "drawn": Step(DOWN_PAYMENTS, f"{_ASKED} and {_CLOSED} and {_CHANGED}"),
    "changed": Step(INVOICES, f"{_OPEN} and {_CHANGED}"),
    "asked": Step(DOWN_PAYMENTS, f"{_ASKED} and {_OPEN} and {_CHANGED}"),
    "credited": Step(CREDIT_NOTES, f"{_OPEN} and {_CHANGED}"),
    _ACCOUNTS: Step("BusinessPartners", "", True),
    "invoices": Step(INVOICES, _OPEN, True),
    "down_payments": Step(DOWN_PAYMENTS, f"{_ASKED} and {_OPEN}", True),
    "credits": Step(CREDIT_NOTES, _OPEN, True),
    "account": Step(PAYMENTS, "Cancelled eq 'tNO'{recent}", True),
}
_FIRST_PULL = tuple(name for name, step in STEPS.items() if step.is_open_set)
_FULL_PULL = ("closed", "drawn", "used", "paid", "cancelled", *_FIRST_PULL)
_PARTIAL_PULL = ("closed", "drawn", "used", "paid", "changed", "asked", "credited")


class Checkpoint(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where a pull stands. Between two pulls `steps` is empty, and the next one looks back to `since`."""

    since: dt.date
    started_on: dt.date
    last_full_on: dt.date | None = None
    steps: tuple[str, ...] = ()
    after: int = 0
    expected: int = 0
    seen: int = 0
    payment: int = 0  # the highest entry of a payment that was read to its end
    new_payment: int = 0
    totals: Totals = {}
    customer: str = ""  # the last customer whose account was read
    unexplained: tuple[str, ...] = ()  # customers whose account balance nothing explained when it was last compared

    def to_text(self) -> str:
        """The opaque text that the hub keeps."""
        return msgspec.json.encode(self).decode()


_CHECKPOINT = msgspec.json.Decoder(Checkpoint)


class BusinessOneItems:
    """Reads the receivables of one connection."""

    def __init__(
        self,
        reader: DocumentReader,
        accounts: AccountReader | None,
        changed_customers: Callable[[dt.date], Iterable[str]],
        payments_since: dt.date | None = None,
    ) -> None:
        self._reader = reader
        self._accounts = accounts
        self._recent = f" and DocDate ge {day_text(payments_since)}" if payments_since else ""
        self._changed_customers = changed_customers
        self._left_out = () if accounts else (_ACCOUNTS,)

    def pull(self, text: str, today: dt.date) -> Iterator[Page]:
        """The pages of a pull that begins, or goes on, at a checkpoint. `today` is the business date."""
        point = _begin(text, today)
        kept = tuple(name for name in point.steps if name not in self._left_out)
        point = msgspec.structs.replace(point, steps=kept)
        while point.steps:
            page, point = self._page(point, is_first=not text)
            yield page
            del page  # the next one is read now

    def _page(self, point: Checkpoint, *, is_first: bool) -> tuple[Page, Checkpoint]:
        """One page of a pull, and where the next one begins."""
        step = STEPS[point.steps[0]]
        found, reached = self._of_accounts(point) if point.steps[0] == _ACCOUNTS else self._of_documents(step, point)
        totals = _add(point.totals, found.invoices, found.refused) if step.is_open_set else point.totals
        ended = msgspec.structs.replace(reached, totals=totals) if reached.steps else reached
        is_end = not ended.steps
        page = Page(
            rows=_held_back(found.invoices, ended.unexplained),
            refused=found.refused,
            checkpoint=ended.to_text(),
            control=_control(totals) if step.is_open_set and is_end else None,
            changed_debtors=() if is_first or not is_end else tuple(self._changed_customers(_looking_back(point))),
        )
        return page, ended

    def _of_documents(self, step: Step, point: Checkpoint) -> tuple[Mapped, Checkpoint]:
        answer = self._read(step, point)
        found = self._mapped(answer)
        if point.steps[0] == "paid":
            found = _joined(found, *self._paid(answer))
        return found, _beyond(point, answer)

    def _mapped(self, answer: EntryPage) -> Mapped:
        found = self._reader.mapped(answer)
        if answer.entity != PAYMENTS or self._accounts is None:
            return found
        return Mapped(invoices=self._accounts.as_now(found.invoices), refused=found.refused)

    def _of_accounts(self, point: Checkpoint) -> tuple[Mapped, Checkpoint]:
        assert self._accounts is not None, "the step is left out without it"
        answer = self._accounts.page(point.customer)
        earlier = point.unexplained if point.customer else ()
        reached = msgspec.structs.replace(point, unexplained=earlier + answer.unexplained)
        return Mapped(invoices=answer.invoices, refused=answer.refused), _beyond_accounts(reached, answer)

    def open_items(self) -> Iterator[OpenItem]:
        """Everything that is open now, read anew and counted as the company's books count it."""
        yield from filter(None, map(_counted, self._open_rows()))

    def _open_rows(self) -> Iterator[RawInvoice]:
        customer, is_more = "", self._accounts is not None
        while self._accounts is not None and is_more:
            accounts = self._accounts.page(customer)
            yield from accounts.invoices
            customer, is_more = accounts.last, accounts.has_more
        for name in _FIRST_PULL:
            after, is_more = 0, name != _ACCOUNTS
            while is_more:
                answer = self._reader.page(STEPS[name].entity, STEPS[name].condition.format(recent=self._recent), after)
                yield from self._mapped(answer).invoices
                is_more, after = answer.has_more and answer.size > 0, answer.last

    def read_items(self, item_refs: Iterable[str]) -> Iterator[RawInvoice]:
        """These receivables as they are now, open or not. What is not shown is left out: documents are cancelled and
        never deleted, so our user lost the right to see it.
        """
        wanted = set(item_refs)
        for entity in LETTERS:
            entries = (ref.split("/")[1] for ref in wanted if ref.startswith(f"{LETTERS[entity]}/"))
            for page in self._reader.by_entries(entity, (int(entry) for entry in entries if entry.isdecimal())):
                yield from (row for row in self._mapped(page).invoices if row.item_ref in wanted)
        if self._accounts is not None:
            yield from self._accounts.items(wanted)

    def _read(self, step: Step, point: Checkpoint) -> EntryPage:
        since = day_text(_looking_back(point))
        condition = step.condition.format(since=since, payment=point.payment, recent=self._recent)
        return self._reader.page(step.entity, condition, point.after)

    def _paid(self, answer: EntryPage) -> Iterator[Mapped]:
        """The documents that payments were applied to, as they are now."""
        applied = [use for row in answer.rows if isinstance(row, Payment) for use in row.applied]
        for entity in (INVOICES, DOWN_PAYMENTS):
            entries = {use.entry for use in applied if use.entry is not None and _PAID_BY.get(use.kind) == entity}
            for page in self._reader.by_entries(entity, entries, _ASKED if entity == DOWN_PAYMENTS else ""):
                yield self._reader.mapped(page)


def _begin(text: str, today: dt.date) -> Checkpoint:
    if not text:
        return Checkpoint(since=today, started_on=today, steps=_FIRST_PULL)
    try:
        point = _CHECKPOINT.decode(text)
    except msgspec.DecodeError as error:
        raise ConfigurationError(
            "The checkpoint of this connection is not one of a Business One pull.", cure="Start a full pull."
        ) from error
    if point.steps:
        return point
    is_compared = point.last_full_on is not None and point.last_full_on >= today
    steps = _PARTIAL_PULL if is_compared else _FULL_PULL
    return msgspec.structs.replace(point, started_on=today, steps=steps, new_payment=point.payment)


def _beyond(point: Checkpoint, answer: EntryPage) -> Checkpoint:
    """Where the next page begins: further in this step, or at the start of the next one."""
    expected, seen = (point.expected if point.after else answer.count), point.seen + answer.size
    payment = max(point.new_payment, answer.last) if answer.entity == PAYMENTS else point.new_payment
    if answer.size and (answer.has_more or seen < expected):
        if answer.last <= point.after:
            raise RetryableError(
                f"A whole page of {answer.entity} cannot be read.", cure="Check the version of this connection."
            )
        return msgspec.structs.replace(
            point, after=answer.last, expected=expected, seen=seen, new_payment=payment
        )
    return _next_step(msgspec.structs.replace(point, new_payment=payment))


def _beyond_accounts(point: Checkpoint, answer: AccountPage) -> Checkpoint:
    return msgspec.structs.replace(point, customer=answer.last) if answer.has_more else _next_step(point)


def _next_step(point: Checkpoint) -> Checkpoint:
    """The start of the next step, or where the next pull begins."""
    if len(point.steps) > 1:
        return msgspec.structs.replace(point, steps=point.steps[1:], after=0, expected=0, seen=0, customer="")
    full_on = point.started_on if STEPS[point.steps[0]].is_open_set else point.last_full_on
    return Checkpoint(
        since=point.started_on, started_on=point.started_on, last_full_on=full_on, payment=point.new_payment,
        new_payment=point.new_payment, unexplained=point.unexplained,
    )  # fmt: skip


def _joined(first: Mapped, *others: Mapped) -> Mapped:
    both = (first, *others)
    return Mapped(
        invoices=[row for one in both for row in one.invoices], refused=[row for one in both for row in one.refused]
    )


def _held_back(rows: list[RawInvoice], customers: tuple[str, ...]) -> list[RawInvoice]:
    """The rows, those of customers whose balance nothing explains marked so that nobody is reminded by us."""
    return [
        msgspec.structs.replace(row, is_blocked=True) if row.debtor_ref in customers else row for row in rows
    ] if customers else rows  # fmt: skip


def _looking_back(point: Checkpoint) -> dt.date:
    return max(point.since, dt.date.min + _OVERLAP) - _OVERLAP


def _counted(row: RawInvoice) -> OpenItem | None:
    if row.state is not ItemState.OPEN:
        return None
    return OpenItem(
        item_ref=row.item_ref, debtor_ref=row.debtor_ref, currency=row.currency, open_amount=row.open_amount
    )


def _add(totals: Totals, rows: list[RawInvoice], refused: list[RefusedRow]) -> Totals:
    """The totals with a page's open receivables, those that were refused included as far as they have an amount."""
    sums = dict(totals)
    amounts = [(row.currency, row.open_amount) for row in rows if row.state is ItemState.OPEN]
    amounts += [(row.currency, row.open_amount) for row in refused if row.open_amount is not None]
    for currency, amount in amounts:
        count, total = sums.get(currency, (0, Decimal(0)))
        sums[currency] = (count + 1, total + amount)
    return sums


def _control(totals: Totals) -> list[ControlTotal]:
    return [
        ControlTotal(currency=currency, count=count, amount=amount)
        for currency, (count, amount) in sorted(totals.items())
    ]
