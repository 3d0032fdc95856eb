"""Writes what happens in a case into Exact Online: a note, and on request a task, a block, a payment reference.

A report is looked up by its subject before it is written, so that a repeated one is written once. What was written
is read back: the vendor drops references to another division without a word and answers 201 all the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import field

from collecthub.sdk import (
    CaseReport,
    ConfigurationError,
    ConnectorContext,
    InDoubtError,
    PermanentError,
    Receipt,
    RetryableError,
)
from collecthub_erp_exact.client import ExactClient
from collecthub_erp_exact.debtors import NOTES, SUBJECT_START
from collecthub_erp_exact.mapping import split_ref
from collecthub_erp_exact.odata import columns, guid, text
from collecthub_erp_exact.references import put_reference, remove_reference
from collecthub_erp_exact.settings import ExactSettings

TASKS, ACCOUNTS = "activities/Tasks", "crm/Accounts"
_NOTED = frozenset(
    {
        "case_sent", "case_accepted", "case_refused", "payment_reported", "cost_reported", "amendment_acknowledged",
        "case_returned", "case_closed", "case_reopened",
    }
)  # fmt: skip
_TASKS_FOR = frozenset({"case_refused", "case_returned", "case_closed"})
_BLOCKS, _RELEASES = "case_sent", frozenset({"case_returned", "case_closed"})
_REFERRED = frozenset({"case_sent", "case_returned"})  # a closed case keeps its reference: late money still names it


class _Note(msgspec.Struct, frozen=True):
    record_id: str = field(name="ID")
    account_id: str | None = field(name="Account")


class _Blocked(msgspec.Struct, frozen=True):
    is_blocked: bool | None = field(name="Blocked")


class WriteBack:
    """Tells the creditor's administration about its cases."""

    def __init__(self, ctx: ConnectorContext, client: ExactClient) -> None:
        self._settings: ExactSettings = ctx.settings
        self._vault = ctx.vault
        self._client = client

    def wants(self, event_kind: str) -> bool:
        """Whether something is written for such an event under the present settings."""
        return any(
            (
                self._settings.write_note and event_kind in _NOTED,
                self._settings.write_task and event_kind in _TASKS_FOR,
                self._settings.write_block and (event_kind == _BLOCKS or event_kind in _RELEASES),
                self._settings.write_reference and event_kind in _REFERRED,
            )
        )

    def report(self, report: CaseReport) -> Receipt:
        """Write one report. Safe to repeat with the same `report_id`.

        Raises `PermanentError` when the account is not in the division, `RetryableError` when nothing is certain.
        """
        division, account_id = split_ref(report.debtor_ref)
        kind = report.event.kind
        references: list[str] = []
        details = [f"{kind} written to division {division}"]
        try:
            if self._settings.write_note and kind in _NOTED:
                references.append(self._write(division, NOTES, "Subject", account_id, report))
            if self._settings.write_task and kind in _TASKS_FOR:
                references.append(self._write(division, TASKS, "Description", account_id, report))
            if self._settings.write_block:
                self._apply_block(division, account_id, report)
            if self._settings.write_reference and kind in _REFERRED:
                act = put_reference if kind == _BLOCKS else remove_reference
                details.append(act(self._client, report.item_refs, report.case.number))
        except InDoubtError as lost:
            raise RetryableError(
                f"The answer to a report was lost: {lost.message}",
                cure="It is repeated; a report that did arrive is found by its subject.",
            ) from lost
        return Receipt(reference=" ".join(references), detail="; ".join(details))

    def _write(self, division: int, endpoint: str, title: str, account_id: str, report: CaseReport) -> str:
        subject = _subject(report)
        mine = f"Account eq {guid(account_id)} and {title} eq {text(subject)}"
        record = self._find(division, endpoint, mine)
        if record is None:
            fields = {title: subject, "Notes": report.text, "Account": account_id}
            created = self._client.create(division, endpoint, fields, _Note)
            record = self._find(division, endpoint, f"ID eq {guid(created.record_id)}") or _Note(created.record_id, None)
        if (record.account_id or "").lower() != account_id.lower():
            raise PermanentError(
                f"Exact Online stored {endpoint} {record.record_id} without its account.",
                cure=f"Check that the account belongs to division {division}; delete the stray record by hand.",
                reference=report.debtor_ref,
            )
        return record.record_id

    def _find(self, division: int, endpoint: str, condition: str) -> _Note | None:
        query = {"$filter": condition, "$select": columns(_Note)}
        return next(self._client.records(division, endpoint, _Note, query), None)

    def _apply_block(self, division: int, account_id: str, report: CaseReport) -> None:
        """Block the account when a case is sent and lift the block when the last such case ends.

        Only a block that this connection has set is lifted; one that a person set is left as it is.
        """
        mark = f"exact.block.{division}.{account_id}"
        holders = set((self._vault.read(mark) or "").split())
        case_id = report.case.case_id
        if report.event.kind == _BLOCKS:
            is_blocked = self._is_blocked(division, account_id)
            if is_blocked and not holders:
                return
            self._vault.write(mark, " ".join(sorted(holders | {case_id})))
            if not is_blocked:
                self._set_block(division, account_id, blocked=True)
        elif report.event.kind in _RELEASES and case_id in holders:
            if holders == {case_id}:
                self._set_block(division, account_id, blocked=False)
            self._vault.write(mark, " ".join(sorted(holders - {case_id})))

    def _set_block(self, division: int, account_id: str, *, blocked: bool) -> None:
        change: Mapping[str, Any] = {"Blocked": blocked}
        self._client.change(division, ACCOUNTS, account_id, change)
        if self._is_blocked(division, account_id) is not blocked:
            raise ConfigurationError(
                f"Exact Online did not keep the block of an account of division {division}.",
                cure="Give the connection's user the right to change accounts, or switch write_block off.",
            )

    def _is_blocked(self, division: int, account_id: str) -> bool:
        query = {"$filter": f"ID eq {guid(account_id)}", "$select": columns(_Blocked)}
        found = next(self._client.records(division, ACCOUNTS, _Blocked, query), None)
        if found is None:
            raise PermanentError(
                f"The account is not in division {division}.",
                cure="Check which connection the case belongs to.",
            )
        return bool(found.is_blocked)


def _subject(report: CaseReport) -> str:
    """One line that a person reads and that is the same on every retry."""
    words = report.event.kind.replace("_", " ")
    return f"{SUBJECT_START}{report.case.number}: {words} [{report.report_id}]"
