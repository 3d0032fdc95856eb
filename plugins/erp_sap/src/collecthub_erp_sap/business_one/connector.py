"""The Business One connector: one object per connection that satisfies the ports of an ERP."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from collecthub.sdk import (
    CaseReport,
    CheckStep,
    CollecthubError,
    ConfigurationError,
    ConnectorContext,
    DebtorRecord,
    OpenItem,
    Page,
    RawInvoice,
    Receipt,
)
from collecthub_erp_sap.business_one.accounts import AccountReader
from collecthub_erp_sap.business_one.client import ServiceLayerClient
from collecthub_erp_sap.business_one.debtors import CustomerReader
from collecthub_erp_sap.business_one.documents import DocumentReader
from collecthub_erp_sap.business_one.mapping import CREDIT_NOTES, DOWN_PAYMENTS, INVOICES, PAYMENTS
from collecthub_erp_sap.business_one.open_items import BusinessOneItems
from collecthub_erp_sap.business_one.settings import BusinessOneSettings
from collecthub_erp_sap.business_one.write_back import DunningWriter
from collecthub_erp_sap.held import BlockRegister
from collecthub_erp_sap.write_back import WANTED

_OPEN = "DocumentStatus eq 'bost_Open'"
_TRIED = ((INVOICES, _OPEN), (DOWN_PAYMENTS, _OPEN), (CREDIT_NOTES, _OPEN), (PAYMENTS, ""))


class BusinessOneConnector:
    """Reads invoices, credit notes, payments and customers, and writes dunning blocks and activities back."""

    def __init__(self, context: ConnectorContext) -> None:
        settings = context.settings
        if not isinstance(settings, BusinessOneSettings):
            raise ConfigurationError(
                "These are not the settings of a Business One connection.", cure="Create it with the kind erp_sap_b1."
            )
        self._settings = settings
        self._business_date = context.business_date
        self._client = ServiceLayerClient(context, settings)
        register = BlockRegister(context.vault)
        self._reader = DocumentReader(self._client, settings, register)
        self._customers = CustomerReader(self._client, settings.page_size)
        rules, today = self._reader.rules, context.business_date
        self._accounts = AccountReader(self._client, settings, rules, today) if settings.read_journal else None
        self._items = BusinessOneItems(
            self._reader, self._accounts, self._customers.changed, settings.payments_since
        )
        self._writer = DunningWriter(self._client, settings, register)

    def check(self) -> Sequence[CheckStep]:
        """Log on and read one page of everything that is used, with all columns that a pull asks for."""
        return list(self._check())

    def _check(self) -> Iterator[CheckStep]:
        for name, attempt in self._attempts():
            try:
                yield CheckStep(name=name, is_ok=True, detail=attempt())
            except CollecthubError as error:
                yield CheckStep(name=name, is_ok=False, detail=error.message, cure=error.cure)
                if self._client.is_refused:
                    return

    def _attempts(self) -> Iterator[tuple[str, Callable[[], str]]]:
        """Everything that a pull reads, by its name."""
        for entity, condition in _TRIED:
            yield entity, partial(self._count, entity, condition)
        yield "BusinessPartners", self._customers.attempt
        if self._accounts is not None:
            yield "JournalEntries", self._accounts.attempt

    def _count(self, entity: str, condition: str) -> str:
        return f"{self._reader.page(entity, condition, 0).count} there"

    def pull(self, checkpoint: str) -> Iterator[Page]:
        """All that is open at first, later what was closed, paid or changed, and a full comparison once a day.

        At its end the session is given back; whoever still works for this connection logs on anew.
        """
        yield from self._items.pull(checkpoint, self._business_date())
        self._client.log_out()

    def debtors(self, debtor_refs: Sequence[str]) -> Iterator[DebtorRecord]:
        """Master data of customers."""
        return self._customers.debtors(debtor_refs)

    def open_items(self) -> Iterator[OpenItem]:
        """What is open now, read anew."""
        return self._items.open_items()

    def read_items(self, item_refs: Sequence[str]) -> Iterator[RawInvoice]:
        """These receivables as they stand now; what Business One does not show is left out."""
        return self._items.read_items(item_refs)

    def wants(self, event_kind: str) -> bool:
        """Events that set or lift a dunning block, as far as writing is switched on."""
        return event_kind in WANTED and (self._settings.block != "none" or self._settings.write_activities)

    def report(self, report: CaseReport) -> Receipt:
        """Set or lift dunning blocks and note an activity."""
        return self._writer.report(report)

    def close(self) -> None:
        """Log out and give the connection back."""
        self._client.close()
