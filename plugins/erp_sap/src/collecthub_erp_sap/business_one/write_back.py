"""Tells Business One that a case is with a collection partner: dunning is blocked, and an activity says why.

The block is a yes or no without a reason. So what carried none before we set ours is remembered, and only that is
ever lifted; what a person at the creditor blocked stays blocked.
"""

from __future__ import annotations

import msgspec

from collecthub.sdk import CaseReport, PermanentError, Receipt, RetryableError
from collecthub_erp_sap.business_one.client import ServiceLayerClient, record_path
from collecthub_erp_sap.business_one.journal import LETTERS as JOURNAL
from collecthub_erp_sap.business_one.mapping import LETTERS, YES, claimed_document, register_name
from collecthub_erp_sap.business_one.query import Found, one_of
from collecthub_erp_sap.business_one.settings import BusinessOneSettings
from collecthub_erp_sap.client import StaleRecordError, UnknownRecordError
from collecthub_erp_sap.held import BlockRegister
from collecthub_erp_sap.write_back import is_blocking

_TRIES = 3
_OURS = frozenset({*LETTERS.values(), JOURNAL})
_NO = "tNO"
_CUSTOMER = "customer"


class _Blocked(msgspec.Struct):
    block: str | None = msgspec.field(name="BlockDunning", default=None)
    status: str | None = msgspec.field(name="DocumentStatus", default=None)  # a customer has none


class _Activity(msgspec.Struct):
    code: int = msgspec.field(name="ActivityCode")


_BLOCKED = msgspec.json.Decoder(_Blocked)
_ACTIVITIES = msgspec.json.Decoder(Found[_Activity])


class DunningWriter:
    """Writes blocks and activities of one connection. All of it is read again, so repeating is harmless."""

    def __init__(
        self, client: ServiceLayerClient, settings: BusinessOneSettings, register: BlockRegister
    ) -> None:
        self._client = client
        self._settings = settings
        self._register = register

    def report(self, report: CaseReport) -> Receipt:
        """Set or lift the block that the event asks for, then note it."""
        should_block = is_blocking(report)
        documents = sorted({found for ref in report.item_refs if (found := claimed_document(ref))})
        if should_block is None or not any(ref.partition("/")[0] in _OURS for ref in report.item_refs):
            return Receipt(reference=report.report_id, detail="nothing to write for this event")
        done: list[str] = []
        if self._settings.block == "invoices":
            done.append(self._documents(report.debtor_ref, documents, should_block))
        elif self._settings.block == "customer":
            done.append(self._whole_customer(report, should_block))
        if self._settings.write_activities:
            done.append(self._note(report))
        return Receipt(reference=report.report_id, detail="; ".join(done))

    def _documents(self, customer: str, documents: list[tuple[str, int]], should_block: bool) -> str:
        ours = set(self._register.read(customer).blocked)
        changed = [
            name for name in documents
            if self._set(customer, register_name(*name), record_path(*name), should_block, ours)
        ]  # fmt: skip
        return f"{len(changed)} of {len(documents)} invoices {'blocked' if should_block else 'released'}"

    def _whole_customer(self, report: CaseReport, should_block: bool) -> str:
        customer, case_id = report.debtor_ref, report.case.case_id
        others = self._register.others(case_id, customer)
        if should_block:
            self._register.join(case_id, customer)
        elif others:
            self._register.leave(case_id, customer)
            return f"customer stays blocked for {len(others)} other case"
        ours = set(self._register.read(customer).blocked)
        is_changed = self._set(customer, _CUSTOMER, record_path("BusinessPartners", customer), should_block, ours)
        if not should_block:
            self._register.leave(case_id, customer)
        return f"customer {'blocked' if should_block else 'released'}" if is_changed else "customer left as he was"

    def _set(self, customer: str, what: str, path: str, should_block: bool, ours: set[str]) -> bool:
        """Set or lift one block and read it again; False when it is a person's and was left.

        What we are about to block is remembered before it is blocked, so that a crash in between loses nothing.
        """
        wanted = YES if should_block else _NO
        for _ in range(_TRIES):
            try:
                record, etag = self._client.read_with_etag(path, _BLOCKED)
            except UnknownRecordError:
                return False  # deleted: it asks for nothing any more
            is_ours = what in ours
            if record.block == wanted:
                if not should_block:
                    ours.discard(what)
                    self._remember(customer, ours)
                return is_ours
            if record.status == "bost_Close":
                return is_ours  # dunned no more; should it open again, its block is still known as ours
            if not should_block and not is_ours:
                return False
            if should_block:
                ours.add(what)
                self._remember(customer, ours)
            try:
                self._client.patch(path, {"BlockDunning": wanted}, etag)
            except StaleRecordError:
                continue  # someone else wrote meanwhile: look again and decide anew
        raise RetryableError(
            f"The dunning block of {path.partition('(')[0]} kept changing or did not take.",
            cure="It will be tried again; if it stays, set it in Business One by hand.",
        )

    def _remember(self, customer: str, ours: set[str]) -> None:
        held = self._register.read(customer)
        if set(held.blocked) != ours:
            self._register.write(msgspec.structs.replace(held, blocked=tuple(sorted(ours))), customer)

    def _note(self, report: CaseReport) -> str:
        """Add an activity, unless one of this report is there already."""
        mark = f"collecthub {report.report_id}"[:100]
        condition = f"{one_of('CardCode', [report.debtor_ref])} and {one_of('Details', [mark])}"
        found = self._client.read("Activities", {"$filter": condition, "$select": "ActivityCode"}, _ACTIVITIES)
        if found.value:
            return f"activity {found.value[0].code}"
        day = report.event.recorded_at.date().isoformat()
        try:
            self._client.post(
                "Activities",
                {"CardCode": report.debtor_ref, "ActivityDate": day, "Activity": "cn_Note", "Details": mark,
                 "Notes": report.text},
            )  # fmt: skip
        except UnknownRecordError as error:
            raise PermanentError(
                "Business One no longer knows the customer of this case.", cure="Nothing is noted there."
            ) from error
        return "activity noted"
