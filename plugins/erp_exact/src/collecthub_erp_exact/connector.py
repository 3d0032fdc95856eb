"""The connection to Exact Online as the hub sees it: every port it satisfies, each in a line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from collecthub.sdk import (
    Budget,
    CaseReport,
    CheckStep,
    ConnectorContext,
    DebtorRecord,
    Division,
    HookAnswer,
    HookRequest,
    InvoiceDocument,
    InvoiceLine,
    OpenItem,
    Page,
    RawInvoice,
    Receipt,
)
from collecthub_erp_exact.check import ConnectionCheck
from collecthub_erp_exact.client import ExactClient
from collecthub_erp_exact.debtors import Debtors
from collecthub_erp_exact.divisions import accessible_divisions, current_division
from collecthub_erp_exact.invoices import Invoices
from collecthub_erp_exact.items import open_items, read_items
from collecthub_erp_exact.pull import Puller
from collecthub_erp_exact.reading import Reader
from collecthub_erp_exact.settings import ExactSettings
from collecthub_erp_exact.tokens import consent_url
from collecthub_erp_exact.webhook import answer_hook, subscribe, unsubscribe
from collecthub_erp_exact.writeback import WriteBack


class ExactConnector:
    """One connection. Each method is a port's (`collecthub.ports`) and hands over to the module that knows how."""

    def __init__(self, ctx: ConnectorContext) -> None:
        self._settings: ExactSettings = ctx.settings
        self._client = ExactClient(ctx)
        self._check = ConnectionCheck(ctx, self._client)
        self._puller = Puller(ctx, self._client)
        self._today = ctx.business_date
        self._write_back = WriteBack(ctx, self._client)

    def begin_consent(self, state: str) -> str:
        """The page to send a person to; `state` comes back with the redirect and must be compared there."""
        return consent_url(self._settings, state)

    def finish_consent(self, code: str) -> None:
        """Take the code of the redirect, decoded once. Raises `ConfigurationError` when it is refused."""
        self._client.tokens.take_code(code)

    @property
    def division_setting(self) -> str:
        """Where the choice of divisions is kept."""
        return "divisions"

    def list_divisions(self) -> Sequence[Division]:
        """Every division that the user may see."""
        return accessible_divisions(self._client, current_division(self._client))

    def check(self) -> Sequence[CheckStep]:
        """Whether the connection works, step by step."""
        return list(self._check.steps())

    def pull(self, checkpoint: str) -> Iterator[Page]:
        """Everything that changed since `checkpoint`; everything when it is empty."""
        return self._puller.pull(checkpoint)

    def debtors(self, debtor_refs: Sequence[str]) -> Iterator[DebtorRecord]:
        """Master data of these customers."""
        return Debtors(Reader(self._client, len(debtor_refs)), self._settings, self._today()).read(debtor_refs)

    def invoice_lines(self, item_refs: Sequence[str]) -> Iterator[InvoiceLine]:
        """What was sold with these items."""
        return Invoices(Reader(self._client, len(item_refs))).lines(item_refs)

    def documents(self, item_refs: Sequence[str]) -> Iterator[InvoiceDocument]:
        """Verified PDF files of these items."""
        return Invoices(Reader(self._client, len(item_refs))).documents(item_refs)

    def open_items(self) -> Iterator[OpenItem]:
        """What is open in Exact Online now."""
        return open_items(self._client, self._settings)

    def budgets(self) -> Sequence[Budget]:
        """Calls left this minute and today, per division."""
        return self._client.budget.budgets()

    def read_items(self, item_refs: Sequence[str]) -> Iterator[RawInvoice]:
        """These items, read anew one by one."""
        return read_items(Reader(self._client, len(item_refs)), item_refs, self._settings.amount_sign)

    def wants(self, event_kind: str) -> bool:
        """Whether something is written for such an event."""
        return self._write_back.wants(event_kind)

    def report(self, report: CaseReport) -> Receipt:
        """Write one case event into Exact Online; safe to repeat."""
        return self._write_back.report(report)

    def receive_hook(self, request: HookRequest) -> HookAnswer:
        """A webhook call: verified, then at most a reason to pull soon."""
        secret = self._settings.webhook_secret
        return answer_hook(request, secret.get_secret_value() if secret else "", self._settings.divisions)

    def subscribe_hooks(self, callback_url: str) -> None:
        """Ask for webhooks to `callback_url` (https), which must answer already; none without the app's secret."""
        if self._settings.webhook_secret is None:
            return
        subscribe(self._client, self._settings.divisions, callback_url)

    def unsubscribe_hooks(self, callback_url: str) -> None:
        """End the webhooks to `callback_url`."""
        unsubscribe(self._client, self._settings.divisions, callback_url)

    def close(self) -> None:
        """Close the kept connections."""
        self._client.close()
