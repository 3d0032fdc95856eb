"""How codes read on a page: one word for people and one tone for the eye, each as a table.

Tones are `quiet`, `info`, `good`, `warn` and `bad`; a chip always carries its word, never colour alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

Label = tuple[str, str]

PHASES: Mapping[str, Label] = {
    "prevention": ("Prevention", "quiet"),
    "reminder": ("Reminder", "quiet"),
    "amicable": ("Amicable", "info"),
    "judicial": ("Judicial", "warn"),
    "enforcement": ("Enforcement", "bad"),
    "monitoring": ("Monitoring", "quiet"),
}
STATUSES: Mapping[str, Label] = {
    "draft": ("Draft", "quiet"),
    "needs_info": ("Needs information", "warn"),
    "ready": ("Ready", "info"),
    "sending": ("Being sent", "info"),
    "sent": ("Sent", "info"),
    "acknowledged": ("Received", "info"),
    "accepted": ("Accepted", "good"),
    "refused": ("Refused", "bad"),
    "active": ("Active", "good"),
    "recalling": ("Being recalled", "warn"),
    "closed": ("Closed", "quiet"),
}
OUTCOMES: Mapping[str, Label] = {
    "paid_full": ("Paid in full", "good"),
    "paid_partial": ("Paid in part", "good"),
    "settled_reduced": ("Settled for less", "good"),
    "paid_before_handover": ("Paid before hand-over", "good"),
    "credited": ("Credited", "quiet"),
    "withdrawn": ("Withdrawn", "quiet"),
    "recalled": ("Recalled", "quiet"),
    "invalid_data": ("Data not usable", "bad"),
    "duplicate": ("Duplicate", "quiet"),
    "disputed_no_action": ("Disputed", "warn"),
    "settlement_rejected": ("Settlement refused by the creditor", "warn"),
    "creditor_unresponsive": ("Creditor did not answer", "warn"),
    "untraceable": ("Debtor not found", "warn"),
    "deceased": ("Debtor has died", "quiet"),
    "minor_or_incapable": ("Debtor cannot be bound", "quiet"),
    "insolvent": ("Insolvent", "bad"),
    "liquidated": ("Company liquidated", "bad"),
    "statute_barred": ("Barred by limitation", "bad"),
    "exhausted_contact": ("All steps taken", "warn"),
    "exhausted_no_contact": ("All steps taken, never reached", "warn"),
    "uneconomical": ("Uneconomical", "warn"),
    "fraud": ("Fraud", "bad"),
    "claim_dismissed": ("Claim dismissed", "bad"),
    "vulnerable": ("Vulnerable debtor protected", "quiet"),
    "abroad_no_route": ("No route abroad", "warn"),
    "no_quote": ("No accepted quote", "warn"),
    "written_off": ("Written off", "quiet"),
    "other": ("Closed for another reason", "quiet"),
}
HOLDS: Mapping[str, Label] = {
    "reminders": ("Reminders first", "quiet"),
    "identity": ("Says he is somebody else", "warn"),
    "twin": ("May be known already", "warn"),
    "answer": ("Waits for his answer", "info"),
    "promise": ("Promised to pay", "info"),
    "try_again": ("Tried again later", "quiet"),
    "cost_cap": ("Cost cap reached", "warn"),
    "collection_term": ("Longest collection reached", "warn"),
    "below_minimum": ("Below every minimum", "warn"),
    "unlawful_step": ("A step that the law forbids", "bad"),
    "shadow": ("Waits for release", "info"),
    "excluded": ("Excluded", "quiet"),
    "held_elsewhere": ("Runs elsewhere", "quiet"),
    "dispute": ("Disputed", "warn"),
    "plan": ("Payment plan", "info"),
    "insolvency": ("Insolvency", "bad"),
    "payment_unconfirmed": ("Payment to confirm", "warn"),
    "vulnerable": ("Vulnerable debtor", "warn"),
    "complaint": ("Complaint", "warn"),
    "legal_objection": ("Objection at court", "warn"),
    "collective_settlement": ("Collective settlement", "warn"),
    "moratorium": ("Moratorium", "warn"),
    "debt_mediation": ("Debt mediation", "warn"),
    "waiting_creditor": ("Question to the creditor", "warn"),
    "creditor_block": ("Blocked by the creditor", "warn"),
    "erp_not_told": ("The ERP could not be told", "bad"),
    "left": ("Left as it is", "quiet"),
    "pending_mandate": ("Waits for a signature", "warn"),
    "approval_requested": ("Waits for a yes to its cost", "warn"),
    "monitoring": ("Waits for better times", "quiet"),
    "other": ("On hold", "warn"),
}
CONNECTION_STATES: Mapping[str, Label] = {
    "ok": ("Works", "good"),
    "waiting": ("Tries again by itself", "warn"),
    "stopped": ("Stopped", "bad"),
    # by what stopped it
    "consent": ("Waits for consent", "warn"),
    "choice": ("Waits for a choice", "warn"),
    "person": ("Resting", "quiet"),
    "them": ("Ended by the other side", "bad"),
    "trouble": ("Stopped", "bad"),
}
MODES: Mapping[str, Label] = {"shadow": ("Shadow: nothing leaves", "info"), "released": ("Released", "quiet")}
ENVELOPE_STATES: Mapping[str, Label] = {
    "composed": ("Composed", "quiet"),
    "prepared": ("Prepared", "info"),
    "attempting": ("Under way", "info"),
    "sent": ("Sent", "good"),
    "in_doubt": ("In doubt", "bad"),
    "failed": ("Failed", "bad"),
    "withdrawn": ("Withdrawn", "quiet"),
}
RUN_STATES: Mapping[str, Label] = {
    "running": ("Under way", "info"),
    "complete": ("Done", "good"),
    "failed": ("Failed", "bad"),
    "incomplete": ("Incomplete", "warn"),
}
ROW_OUTCOMES: Mapping[str, Label] = {
    "new": ("New", "info"),
    "changed": ("Changed", "info"),
    "unchanged": ("Unchanged", "quiet"),
    "settled": ("Settled", "good"),
    "deleted": ("Deleted in the ERP", "warn"),
    "refused": ("Refused", "bad"),
}
QUARANTINE_STATES: Mapping[str, Label] = {
    "open": ("Open", "warn"),
    "retried": ("Read again", "info"),
    "resolved": ("Resolved", "good"),
}
SEGMENTS: Mapping[str, Label] = {
    "B2B": ("Company", "quiet"),
    "B2C": ("Person", "quiet"),
    "B2G": ("Public body", "quiet"),
}
OWNERS: Mapping[str, Label] = {
    "operator": ("Operator", "quiet"),
    "creditor": ("Creditor", "quiet"),
    "partner": ("Partner", "quiet"),
}
DOCUMENT_KINDS: Mapping[str, Label] = {
    "invoice": ("Invoice", "quiet"),
    "contract": ("Contract", "quiet"),
    "reminder": ("Reminder", "quiet"),
    "statement": ("Statement", "quiet"),
    "correspondence": ("Correspondence", "quiet"),
    "judgment": ("Judgment", "quiet"),
    "insolvency_claim": ("Claim in an insolvency", "quiet"),
    "other": ("Other", "quiet"),
}
LINE_KINDS: Mapping[str, Label] = {
    "principal": ("Principal", "quiet"),
    "interest": ("Interest", "quiet"),
    "compensation": ("Compensation", "quiet"),
    "dunning_fee": ("Dunning fee", "quiet"),
    "cost": ("Cost", "quiet"),
    "vat": ("VAT", "quiet"),
    "fee": ("Fee", "quiet"),
    "payment": ("Payment", "quiet"),
    "credit": ("Credit", "quiet"),
    "write_off": ("Write-off", "quiet"),
}
MESSAGE_KINDS: Mapping[str, Label] = {
    "case_file": ("Case file", "quiet"),
    "amendment": ("Amendment", "quiet"),
    "instruction": ("Message", "quiet"),
}
REMITTANCE_STATES: Mapping[str, Label] = {
    "created": ("Waits for an order", "info"),
    "exported": ("At the bank", "info"),
    "accepted": ("Accepted by the bank", "info"),
    "paid": ("Paid", "good"),
    "rejected": ("Rejected by the bank", "bad"),
    "returned": ("Came back", "bad"),
}

TABLES: Mapping[str, Mapping[str, Label]] = {
    "phase": PHASES,
    "status": STATUSES,
    "outcome": OUTCOMES,
    "hold": HOLDS,
    "connection": CONNECTION_STATES,
    "mode": MODES,
    "envelope": ENVELOPE_STATES,
    "run": RUN_STATES,
    "row": ROW_OUTCOMES,
    "quarantine": QUARANTINE_STATES,
    "segment": SEGMENTS,
    "owner": OWNERS,
    "document": DOCUMENT_KINDS,
    "line": LINE_KINDS,
    "message": MESSAGE_KINDS,
    "remittance": REMITTANCE_STATES,
}


def label(table: str, code: str) -> str:
    """The word for a code; a code nobody named is shown with spaces.

    >>> label("status", "needs_info"), label("hold", "strange_reason")
    ('Needs information', 'Strange reason')
    """
    found = TABLES[table].get(code)
    return found[0] if found else spoken(code)


def tone(table: str, code: str) -> str:
    """The tone for a code."""
    found = TABLES[table].get(code)
    return found[1] if found else "quiet"


def spoken(code: str) -> str:
    """A code in plain letters.

    >>> spoken("bailiff_act")
    'Bailiff act'
    """
    return code.replace("_", " ").strip().capitalize()


@cache
def countries() -> Mapping[str, str]:
    """English short names by ISO 3166-1 alpha-2 code."""
    text = (Path(__file__).parent / "countries.tsv").read_text(encoding="utf-8")
    return dict(line.split("\t") for line in text.splitlines() if line and not line.startswith("#"))


def country_name(code: str) -> str:
    """The country's name; the code itself when it is no ISO code, and a word when there is none.

    >>> country_name("BE"), country_name("ZZ"), country_name("")
    ('Belgium', 'ZZ', 'Country not known')
    """
    return countries().get(code, code) or "Country not known"
