"""Reads customers with everybody who can be reached there, who gets the invoices, and what people noted."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence

from collecthub.sdk import DebtorRecord, Party
from collecthub_erp_exact.mapping import debtor_party, debtor_record, party_kind
from collecthub_erp_exact.odata import any_of, columns, guid
from collecthub_erp_exact.reading import Reader, batches, parts
from collecthub_erp_exact.records import Account, ContactPerson, Note
from collecthub_erp_exact.settings import ExactSettings

ACCOUNTS, CONTACTS, NOTES = "bulk/CRM/Accounts", "bulk/CRM/Contacts", "activities/CommunicationNotes"
_NOTES_MAX, _NOTES_SINCE = 10, dt.timedelta(days=365)
SUBJECT_START = "Collection "
"""How the subjects of our own notes begin."""


class Debtors:
    """Master data as it stands on a day."""

    def __init__(self, reader: Reader, settings: ExactSettings, today: dt.date) -> None:
        self._reader = reader
        self._settings = settings
        self._today = today

    def read(self, debtor_refs: Sequence[str]) -> Iterator[DebtorRecord]:
        """Master data of these customers; one that no longer exists is left out."""
        for division, keys in batches(debtor_refs):
            accounts = self._accounts(division, keys)
            payers = {one.invoice_account_id for one in accounts.values() if one.invoice_account_id}
            others = self._accounts(division, sorted(payers - accounts.keys()))
            known = {**accounts, **others}
            people = self._contacts(division, sorted(known))
            notes = self._notes(division, sorted(accounts)) if self._settings.read_notes else {}
            parties = {key: self._party(one, people.get(key, ())) for key, one in known.items()}
            for key, account in accounts.items():
                payer = account.invoice_account_id if account.invoice_account_id != key else None
                bill_to = parties.get(payer or "")
                yield debtor_record(division, account, parties[key], bill_to, notes.get(key, ()))

    def _party(self, account: Account, people: Sequence[ContactPerson]) -> Party:
        kind = party_kind(
            account, self._settings.person_classifications, self._settings.public_classifications
        )
        return debtor_party(account, people, kind, self._today)

    def _accounts(self, division: int, keys: Sequence[str]) -> dict[str, Account]:
        found: dict[str, Account] = {}
        for part in parts(keys):
            query = {"$filter": any_of("ID", map(guid, part)), "$select": columns(Account)}
            found |= {row.account_id: row for row in self._reader.records(division, ACCOUNTS, Account, query)}
        return found

    def _contacts(self, division: int, account_ids: Sequence[str]) -> dict[str, list[ContactPerson]]:
        found: dict[str, list[ContactPerson]] = {}
        for part in parts(account_ids):
            query = {"$filter": any_of("Account", map(guid, part)), "$select": columns(ContactPerson)}
            for row in self._reader.records(division, CONTACTS, ContactPerson, query):
                found.setdefault(row.account_id or "", []).append(row)
        return found

    def _notes(self, division: int, account_ids: Sequence[str]) -> dict[str, list[Note]]:
        """The newest notes of each account, without those that were written from here."""
        found: dict[str, list[Note]] = {}
        since = (self._today - _NOTES_SINCE).isoformat()
        for part in parts(account_ids):
            condition = f"({any_of('Account', map(guid, part))}) and Date ge datetime'{since}T00:00:00'"
            query = {"$filter": condition, "$orderby": "Date desc", "$select": columns(Note)}
            for row in self._reader.records(division, NOTES, Note, query):
                notes = found.setdefault(row.account_id or "", [])
                if len(notes) < _NOTES_MAX and not (row.subject or "").startswith(SUBJECT_START):
                    notes.append(row)
        return found
