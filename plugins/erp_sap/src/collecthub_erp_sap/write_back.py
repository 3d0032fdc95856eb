"""Tells SAP that a case is with a collection partner: dunning blocks are set, and lifted when it ends.

Only a block with our own reason is ever lifted or replaced; what a person at the creditor set stays. A customer has
one block and may have two cases, so it is lifted when the last of them lets go.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable

import msgspec

from collecthub.sdk import (
    AmendmentCode,
    CaseReport,
    ConfigurationError,
    PermanentError,
    Receipt,
    RetryableError,
    UnsettledError,
    derived_id,
)
from collecthub_erp_sap.client import SapClient, StaleRecordError, UnknownRecordError
from collecthub_erp_sap.cube import ref_of
from collecthub_erp_sap.held import BlockRegister
from collecthub_erp_sap.odata import Answer, key
from collecthub_erp_sap.open_items import OpenItemReader
from collecthub_erp_sap.settings import S4Settings

WANTED = frozenset({"case_sent", "case_reopened", "case_closed", "amendment_acknowledged"})
_TRIES = 3
_POLL_SECONDS = 0.5
_ASK_AGAIN_SECONDS = 60.0
_PATIENCE = dt.timedelta(minutes=15)


class _Metadata(msgspec.Struct):
    etag: str = ""


class _Dunning(msgspec.Struct):
    metadata: _Metadata = msgspec.field(name="__metadata", default_factory=_Metadata)
    block: str | None = msgspec.field(name="DunningBlock", default=None)


_DUNNING = msgspec.json.Decoder(Answer[_Dunning])


def is_blocking(report: CaseReport) -> bool | None:
    """Whether the event asks to block (True), to release (False) or for nothing (None)."""
    kind = report.event.kind
    if kind == "case_sent":
        return True
    if kind == "case_reopened":
        return True if report.case.placement is not None and report.case.placement.is_out else None
    if kind == "amendment_acknowledged":
        is_recall = getattr(report.event.fact, "code", None) is AmendmentCode.RECALL
        return False if is_recall else None
    return False if kind == "case_closed" else None


class BlockWriter:
    """Writes the dunning blocks of one connection. Everything it writes is read again, so repeating is harmless."""

    def __init__(
        self,
        client: SapClient,
        items: OpenItemReader,
        settings: S4Settings,
        register: BlockRegister,
        now: Callable[[], dt.datetime],
    ) -> None:
        self._client = client
        self._items = items
        self._settings = settings
        self._register = register
        self._now = now
        self._own = settings.dunning_block_reason

    def report(self, report: CaseReport) -> Receipt:
        """Set or lift the blocks that the event asks for.

        Raises `UnsettledError` while SAP has accepted line blocks and does not show them yet, and `PermanentError`,
        which is a task for a person, when it still does not show them a quarter of an hour later.
        """
        should_block = is_blocking(report)
        if should_block is None:
            return Receipt(reference=report.report_id, detail="nothing to write for this event")
        done: list[str] = []
        if self._settings.write_customer_block:
            companies = sorted({ref.split("/")[0] for ref in report.item_refs} & set(self._settings.company_codes))
            done += [self._customer(report, company, should_block) for company in companies]
        if self._settings.write_line_block:
            done.append(self._lines(report, should_block))
        return Receipt(reference=report.report_id, detail="; ".join(done) or "nothing of this case is in SAP")

    def _customer(self, report: CaseReport, company: str, should_block: bool) -> str:
        """Set or lift the block of one customer in one company code; it stays while another case holds it."""
        customer, case_id = report.debtor_ref, report.case.case_id
        if should_block:
            self._register.join(case_id, company, customer)
            return self._set(customer, company, self._own)
        others = self._register.others(case_id, company, customer)
        if others:
            self._register.leave(case_id, company, customer)
            return f"customer block in {company}: {self._own}, held by {len(others)} other case"
        done = self._set(customer, company, "")
        self._register.leave(case_id, company, customer)
        return done

    def _set(self, customer: str, company: str, wanted: str) -> str:
        """Give one customer a block, or none, and say what was found afterwards."""
        service = self._settings.partner_path
        record = "A_CustomerDunning" + key(
            Customer=customer, CompanyCode=company, DunningArea=self._settings.dunning_area
        )
        for _ in range(_TRIES):
            current, etag = self._dunning(f"{service}/{record}", company)
            if current == wanted:
                return f"customer block in {company}: {wanted or 'none'}"
            if current not in ("", self._own):
                return f"customer block in {company}: {current}, set by the creditor, was left"
            try:
                self._client.patch(service, record, {"DunningBlock": wanted}, etag)
            except StaleRecordError:
                continue  # someone else wrote meanwhile: look again and decide anew
        raise RetryableError(
            f"The customer's dunning data in company code {company} kept changing or did not take the block.",
            cure="It will be tried again; if it stays, set the block in SAP by hand.",
            reference=company,
        )

    def _dunning(self, path: str, company: str) -> tuple[str, str]:
        """The customer's present block and the version of the record."""
        try:
            answer, header = self._client.read_with_etag(path, {"$format": "json"}, _DUNNING)
        except UnknownRecordError as error:
            area = self._settings.dunning_area or "(none)"
            raise PermanentError(
                f"The customer has no dunning data in company code {company}, area {area}.",
                cure="Give him a dunning procedure in SAP, correct dunning_area, or switch to line blocks.",
                reference=company,
            ) from error
        return answer.d.block or "", answer.d.metadata.etag or header

    def _lines(self, report: CaseReport, should_block: bool) -> str:
        wanted = self._own if should_block else ""
        pending = self._pending(report.item_refs, wanted)
        if not pending:
            return f"{len(report.item_refs)} lines confirmed with block {wanted or 'none'}"
        change = derived_id(report.report_id, wanted)
        sent_at = self._register.sent_at(change)
        if sent_at is None:
            self._send(report, pending, wanted)
            sent_at = self._register.note_sent(change, self._now())
        until = time.monotonic() + self._settings.confirm_seconds
        while self._pending(pending, wanted):
            if time.monotonic() >= until:
                raise self._unconfirmed(report, pending, sent_at)
            time.sleep(_POLL_SECONDS)
        return f"{len(pending)} lines confirmed with block {wanted or 'none'}"

    def _unconfirmed(
        self, report: CaseReport, pending: tuple[str, ...], sent_at: dt.datetime
    ) -> UnsettledError | PermanentError:
        """SAP works through its message queue within minutes; what does not show after that needs a person."""
        if self._now() - sent_at < _PATIENCE:
            return UnsettledError(
                f"SAP accepted dunning block changes of {len(pending)} lines and does not show them yet.",
                cure="They are read again later; if they never show, look into SAP's message monitor.",
                reference=report.report_id,
                retry_after_seconds=_ASK_AGAIN_SECONDS,
            )
        return PermanentError(
            f"SAP accepted the dunning block changes of {len(pending)} lines at {sent_at:%Y-%m-%d %H:%M} UTC and does "
            "not show them: its reminders go on.",
            cure="Look for the message in SAP's message monitor and set the blocks by hand, before the next letter.",
            reference=report.report_id,
        )

    def _pending(self, item_refs: tuple[str, ...], wanted: str) -> tuple[str, ...]:
        """The open lines whose block is still to be changed, and may be."""
        ours = {"", self._own}
        return tuple(
            ref_of(row)
            for row in self._items.by_refs(item_refs)
            if not row.is_cleared and (row.dunning_block or "") != wanted and (row.dunning_block or "") in ours
        )

    def _send(self, report: CaseReport, item_refs: tuple[str, ...], wanted: str) -> None:
        # Imported here because XML needs an extra that a connection without line blocks can do without.
        from collecthub_erp_sap.journal_change import ACTION, dunning_block_message, fault_text

        # The same lines give the same id and bytes on every retry; other lines are another message.
        message_id = derived_id(report.report_id, wanted, *item_refs)
        message = dunning_block_message(
            message_id, report.event.recorded_at, self._settings.sender_business_system, item_refs, wanted
        )
        response = self._client.post_soap(self._settings.soap_path, ACTION, message)
        is_page = "html" in response.headers.get("content-type", "")
        if response.status in (403, 404) or is_page:
            raise ConfigurationError(
                f"SAP does not open the journal entry change service to our user (status {response.status}).",
                cure="Add it to the communication arrangement, correct soap_path, or switch line blocks off.",
            )
        text = fault_text(response.content) if response.content.strip() else ""
        if text:
            raise PermanentError(f"SAP refused the dunning block of lines: {text}", cure="Correct it in SAP.")
        if response.status >= 300:
            raise RetryableError(f"SAP cannot take the message now (status {response.status}).", cure="Tried again.")
