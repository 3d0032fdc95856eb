"""The S/4HANA connector: one object per connection that satisfies the ports of an ERP."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from collecthub.sdk import (
    CaseReport,
    CheckStep,
    ConfigurationError,
    ConnectorContext,
    DebtorRecord,
    InvoiceDocument,
    OpenItem,
    Page,
    RawInvoice,
    Receipt,
)
from collecthub_erp_sap.client import SapClient
from collecthub_erp_sap.debtors import DebtorReader
from collecthub_erp_sap.documents import DocumentReader
from collecthub_erp_sap.health import check_steps
from collecthub_erp_sap.held import BlockRegister
from collecthub_erp_sap.open_items import OpenItemReader
from collecthub_erp_sap.settings import S4Settings
from collecthub_erp_sap.write_back import WANTED, BlockWriter


class S4Connector:
    """Reads open items, customers and invoice PDFs from S/4HANA, and writes dunning blocks back."""

    def __init__(self, context: ConnectorContext) -> None:
        settings = context.settings
        if not isinstance(settings, S4Settings):
            raise ConfigurationError(
                "These are not the settings of an SAP S/4HANA connection.", cure="Create it with the kind erp_sap."
            )
        self._settings = settings
        self._business_date = context.business_date
        self._client = SapClient(settings, context.now, allow_loopback=context.allow_loopback)
        self._debtors = DebtorReader(self._client, settings)
        self._items = OpenItemReader(self._client, settings, self._debtors.changed)
        register = BlockRegister(context.vault)
        self._writer = BlockWriter(self._client, self._items, settings, register, context.now)

    def check(self) -> Sequence[CheckStep]:
        """Log on and try every service that is used."""
        return list(check_steps(self._client, self._settings))

    def pull(self, checkpoint: str) -> Iterator[Page]:
        """All open items at first, later what was cleared, created or changed, and a full comparison once a day."""
        return self._items.pull(checkpoint, self._business_date())

    def debtors(self, debtor_refs: Sequence[str]) -> Iterator[DebtorRecord]:
        """Master data of customers."""
        return self._debtors.debtors(debtor_refs)

    def documents(self, item_refs: Sequence[str]) -> Iterator[InvoiceDocument]:
        """PDFs of the invoices that were billed in SAP."""
        return DocumentReader(self._client, self._items, self._settings).documents(item_refs)

    def open_items(self) -> Iterator[OpenItem]:
        """What is open now, read anew."""
        return self._items.open_items()

    def read_items(self, item_refs: Sequence[str]) -> Iterator[RawInvoice]:
        """These receivables as they stand now; what SAP does not show is left out."""
        return self._items.read_items(item_refs)

    def wants(self, event_kind: str) -> bool:
        """Events that set or lift a dunning block, as far as writing is switched on."""
        return event_kind in WANTED and (self._settings.write_customer_block or self._settings.write_line_block)

    def report(self, report: CaseReport) -> Receipt:
        """Set or lift dunning blocks."""
        return self._writer.report(report)

    def close(self) -> None:
        """Give the connection back."""
        self._client.close()
