"""Customers' accounts, some at a time: what is open on them that no document or payment says, and what nothing explains."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import TypeVar

import msgspec

from collecthub.sdk import ConfigurationError, RawInvoice, RefusedRow
from collecthub_erp_sap.business_one.client import ServiceLayerClient
from collecthub_erp_sap.business_one.journal import (
    LETTERS,
    PAYMENT,
    READ_ELSEWHERE,
    Account,
    Journal,
    JournalLine,
    OpenTransaction,
    line_ref,
    still_on_account,
    to_item,
    unexplained,
)
from collecthub_erp_sap.business_one.mapping import Rules, UnusableRowError, payment_ref
from collecthub_erp_sap.business_one.query import Found, columns, one_of
from collecthub_erp_sap.business_one.settings import BusinessOneSettings
from collecthub_erp_sap.client import UnknownRecordError
from collecthub_erp_sap.odata import literal

T = TypeVar("T")
_ACTION = "InternalReconciliationsService_GetOpenTransactions"
_CUSTOMERS_AT_A_TIME = 50
_KEYS_AT_A_TIME = 20
_BALANCE = "BAL"


class _Told(msgspec.Struct, kw_only=True):
    rows: list[OpenTransaction] = msgspec.field(name="InternalReconciliationOpenTransRows", default_factory=list)


_ACCOUNTS = msgspec.json.Decoder(Found[Account])
_TOLD = msgspec.json.Decoder(_Told)
_RAW = msgspec.json.Decoder(Found[msgspec.Raw])
_JOURNAL = msgspec.json.Decoder(Journal)


class AccountPage(msgspec.Struct, frozen=True, kw_only=True):
    """Some customers' accounts.

    `unexplained` are those whose balance says more or less than their transactions, and those of whom a line is open
    that did not become an item: what they owe is not known.
    """

    invoices: list[RawInvoice]
    refused: list[RefusedRow]
    unexplained: tuple[str, ...]
    last: str
    has_more: bool


class AccountReader:
    """Reads customers' accounts of one connection."""

    def __init__(
        self, client: ServiceLayerClient, settings: BusinessOneSettings, rules: Rules, today: Callable[[], dt.date]
    ) -> None:
        self._client = client
        self._prefer = {"Prefer": f"odata.maxpagesize={settings.page_size}"}
        self._rules = rules
        self._today = today

    def page(self, after: str) -> AccountPage:
        """The customers whose code is beyond `after`, in order."""
        beyond = f" and CardCode gt {literal(after)}" if after else ""
        found = self._accounts(f"CardType eq 'cCustomer'{beyond}")
        invoices: list[RawInvoice] = []
        refused: list[RefusedRow] = []
        held: set[str] = set()
        for chunk in _chunks(found.value, _CUSTOMERS_AT_A_TIME):
            transactions = self.open_transactions([account.code for account in chunk])
            wanted = {(one.entry, one.line): one for one in transactions if one.source not in READ_ELSEWHERE}
            items, bad = self._items(chunk, wanted)
            understood = {item.item_ref for item in items}
            held.update(one.customer for key, one in wanted.items() if line_ref(*key) not in understood)
            differing = {account.code: self._differing(account, transactions) for account in chunk}
            held.update(code for code, row in differing.items() if row)
            invoices += items
            refused += [*bad, *filter(None, differing.values())]
        return AccountPage(
            invoices=invoices, refused=refused, unexplained=tuple(sorted(held)),
            last=found.value[-1].code if found.value else after, has_more=found.has_more and bool(found.value),
        )  # fmt: skip

    def items(self, item_refs: Iterable[str]) -> Iterator[RawInvoice]:
        """These lines of journal entries as they are now, open or not. Unknown ones are left out."""
        wanted = {ref for ref in item_refs if ref.startswith(f"{LETTERS}/")}
        entries = sorted({int(part[1]) for ref in wanted if len(part := ref.split("/")) == 3 and part[1].isdecimal()})
        journals = [one for one in self._journals(entries) if isinstance(one, Journal)]
        lines = [(one, line) for one in journals for line in one.lines if line_ref(one.entry, line.number) in wanted]
        codes = sorted({line.customer for _, line in lines if line.customer})
        for chunk in _chunks(codes, _KEYS_AT_A_TIME):
            known = {account.code: account for account in self._accounts(one_of("CardCode", chunk)).value}
            still_open = {(one.entry, one.line): one for one in self.open_transactions(chunk)}
            for journal, line in lines:
                account = known.get(line.customer or "")
                if account is not None and line.customer in chunk:
                    told = still_open.get((journal.entry, line.number))
                    with contextlib.suppress(UnusableRowError):  # the next comparison puts it into quarantine
                        yield to_item(journal, line, account, told, self._rules)

    def as_now(self, payments: Sequence[RawInvoice]) -> list[RawInvoice]:
        """Money on account without what was reconciled with a document since."""
        left: dict[str, Decimal] = {}
        for chunk in _chunks(sorted({row.debtor_ref for row in payments}), _CUSTOMERS_AT_A_TIME):
            for one in self.open_transactions(chunk):
                if one.source == PAYMENT:
                    ref = payment_ref(one.document)
                    left[ref] = left.get(ref, Decimal(0)) + one.signed
        return [still_on_account(row, left.get(row.item_ref), self._rules) for row in payments]

    def attempt(self) -> str:
        """Read one customer's account, to see whether that is possible. Raises what the service refuses."""
        one = self._accounts("CardType eq 'cCustomer'", {"$top": "1"}).value
        transactions = self.open_transactions([account.code for account in one])
        list(self._journals([transaction.entry for transaction in transactions][:1] or [0]))
        return "readable"

    def open_transactions(self, codes: Sequence[str]) -> list[OpenTransaction]:
        """Every open transaction of these customers. Raises `ConfigurationError` when this release tells none."""
        asked = {
            "InternalReconciliationOpenTransParams": {
                "ReconDate": self._today().isoformat(),
                "CardOrAccount": "coaCard",
                "InternalReconciliationBPs": [{"BPCode": code} for code in codes],
            }
        }
        try:
            return self._client.ask(_ACTION, asked, _TOLD).rows if codes else []
        except UnknownRecordError as error:
            raise ConfigurationError(
                "This release of Business One does not tell what is open of journal entries.",
                cure="Update Business One, or switch read_journal off and compare customers' balances by hand.",
            ) from error

    def _accounts(self, condition: str, more: Mapping[str, str] | None = None) -> Found[Account]:
        options = {"$filter": condition, "$select": columns(Account), "$orderby": "CardCode", **(more or {})}
        return self._client.read("BusinessPartners", options, _ACCOUNTS, self._prefer)

    def _differing(self, account: Account, transactions: Sequence[OpenTransaction]) -> RefusedRow | None:
        """The difference of an account that stays when both sides are read again: the ledger moves meanwhile."""
        if not unexplained(account, transactions, self._rules):
            return None
        again = self._accounts(one_of("CardCode", [account.code])).value
        transactions = self.open_transactions([account.code])
        amount = sum((unexplained(one, transactions, self._rules) for one in again), Decimal(0))
        if not amount:
            return None
        currency = self._rules.local_currency
        return RefusedRow(
            item_ref=f"{_BALANCE}/{account.code}", code="b1.balance", currency=currency, open_amount=amount,
            content=msgspec.json.encode({"account": again, "transactions": transactions}),
            reason=f"The account balance of customer {account.code} says {amount} {currency} more than his open "
            "transactions. Let our user see all branches and journal entries. His items are held back meanwhile.",
        )  # fmt: skip

    def _items(
        self, accounts: Sequence[Account], wanted: Mapping[tuple[int, int], OpenTransaction]
    ) -> tuple[list[RawInvoice], list[RefusedRow]]:
        known = {account.code: account for account in accounts}
        invoices: list[RawInvoice] = []
        refused: list[RefusedRow] = []
        for journal in self._journals(sorted({entry for entry, _ in wanted})):
            if isinstance(journal, RefusedRow):
                refused.append(journal)
                continue
            for line in journal.lines:
                told = wanted.get((journal.entry, line.number))
                if told is None or told.customer not in known:
                    continue
                try:
                    invoices.append(to_item(journal, line, known[told.customer], told, self._rules))
                except UnusableRowError as error:
                    refused.append(self._refused(journal, line, told, error))
        return invoices, refused

    def _refused(
        self, journal: Journal, line: JournalLine, told: OpenTransaction, error: UnusableRowError
    ) -> RefusedRow:
        is_local = not line.currency or self._rules.iso(line.currency) == self._rules.local_currency
        return RefusedRow(
            item_ref=line_ref(journal.entry, line.number), code=error.code, reason=error.reason,
            content=msgspec.json.encode({"journal": journal, "open": told}),
            currency=self._rules.local_currency if is_local else "", open_amount=told.signed if is_local else None,
        )  # fmt: skip

    def _journals(self, entries: Sequence[int]) -> Iterator[Journal | RefusedRow]:
        """Journal entries with these numbers; one of another shape does not stop its neighbours."""
        for chunk in _chunks(entries, _KEYS_AT_A_TIME):
            options = {"$filter": one_of("JdtNum", chunk), "$select": columns(Journal), "$orderby": "JdtNum"}
            for raw in self._client.read("JournalEntries", options, _RAW, self._prefer).value:
                try:
                    yield _JOURNAL.decode(raw)
                except msgspec.ValidationError as error:
                    entry = msgspec.json.decode(raw).get("JdtNum", 0)
                    yield RefusedRow(
                        item_ref=line_ref(entry, 0), code="b1.shape", reason=f"{error}.", content=bytes(raw)
                    )


def _chunks(values: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    return (values[start : start + size] for start in range(0, len(values), size))
