"""Facts about what protects the person behind a case: sensitive claims, and who looked into them for what."""

from __future__ import annotations

from collecthub.model.fact import FactBase


class ClaimsMarkedSensitive(FactBase, frozen=True, kw_only=True, tag="claims_marked_sensitive"):
    """What was sold with these invoices says something of the debtor's health or the like. Empty ids mean all."""

    claim_ids: tuple[str, ...] = ()
    reason: str


class SensitiveNeedStated(FactBase, frozen=True, kw_only=True, tag="sensitive_need_stated"):
    """A partner needs lines and documents of the sensitive claims, and for what."""

    partner_id: str
    purpose: str


class SensitiveShown(FactBase, frozen=True, kw_only=True, tag="sensitive_shown"):
    """Whoever acts looked at lines or at a document of a sensitive claim, and said what for."""

    what: str  # lines, or the id of a document
    purpose: str


PersonFact = ClaimsMarkedSensitive | SensitiveNeedStated | SensitiveShown
