"""What a person is asked to do, for every kind of thing that waits: the act that is proposed, and how urgent it is.

Kinds that nobody named are proposed to be looked at, with the middle weight. Weights order what is due on the same
day: people's lives before money, money before housekeeping.
"""

from __future__ import annotations

import datetime as dt

import msgspec


class Proposal(msgspec.Struct, frozen=True):
    """What to do, and the weight of its kind (3 first). `is_safe`: done is one click, nothing leaves by it."""

    act: str
    weight: int = 1
    is_safe: bool = False


LOOK = Proposal("Look at the case and decide.")
PROPOSALS: dict[str, Proposal] = {
    "no_stop": Proposal("Call the holder: a paid or protected debt is still being chased.", 3),
    "no_stop_refused": Proposal("Call the holder: it refused to stop.", 3),
    "no_pause": Proposal("Call the holder: the case must rest.", 3),
    "in_doubt": Proposal("Ask the partner whether it arrived, then settle it.", 3),
    "contact_in_doubt": Proposal("Ask the mail server whether it arrived, then settle it.", 2),
    "identity": Proposal("Find out whether the debtor is the right person.", 3),
    "twin": Proposal("Compare the two debtors: join them, or say that they are not the same.", 2),
    "insolvency": Proposal("File the claim in time.", 3),
    "callback": Proposal("Call the debtor.", 2),
    "moved": Proposal("Check the new address and correct it in the ERP.", 1),
    "plan_proposed": Proposal("Answer the proposed plan.", 2),
    "plan_unanswered": Proposal("Answer the proposed plan.", 2),
    "complaint": Proposal("Answer the complaint with reasons.", 2),
    "evidence": Proposal("Ask the creditor for proof.", 2),
    "unroutable": Proposal("Supply what is missing, or find a partner.", 1),
    "needs_info": Proposal("Supply what is missing.", 1),
    "unlawful_step": Proposal("Read the article and change the playbook or the step.", 2),
    "unreachable": Proposal("Find another way to the debtor.", 1),
    "no_channel": Proposal("Add a connection for this channel.", 1),
    "connection": Proposal("Repair the connection: nothing comes or goes by it.", 2),
    "pull_incomplete": Proposal("See why the books were not read whole.", 1),
    "job_broke_off": Proposal("Report it as a fault; the log names the place.", 2),
    "no_status": Proposal("Remind the holder.", 1, True),
    "no_ack": Proposal("Ask the holder whether the file arrived.", 2),
    "report_failed": Proposal("Tell the creditor yourself.", 1),
    "quarantine": Proposal("Read it, then have it read again or resolve it.", 1),
    "contact": Proposal("Call or visit the debtor, then say what it came to.", 2),
    "reply": Proposal("Read what the debtor answered, and act on it.", 2),
    "appointment": Proposal("Keep the appointment, or agree on another one.", 2),
    "collection_term": Proposal("Decide whether collection goes on: its agreed term is over.", 2),
    "cost_cap": Proposal("Decide whether the next step is worth its cost: the agreed cap is reached.", 2),
    "contact_check": Proposal("Complete the debtor's address in the ERP before the invoice falls due.", 1),
    "act_asked": Proposal("Price the act or refuse it.", 2),
    "court_way": Proposal("Do what is missing, then choose the route again.", 2),
    "write_off": Proposal("Write it off, or choose another way.", 1),
    "file_court_way": Proposal("File it, or name a lawyer or bailiff there.", 2),
    "act_ordered": Proposal("Have the act done and keep its certificate.", 2),
    "dispute": Proposal("Answer the dispute: give proof, or say that the debtor is right.", 2),
    "dispute_decision": Proposal("Decide on the dispute, with reasons.", 2),
    "credit_note": Proposal("Credit the amount in the ERP: the debtor is right.", 2),
    "approval": Proposal("Allow or refuse the cost, up to its cap.", 2),
    "cost": Proposal("Allow or refuse the cost that the holder asks about.", 2),
    "score_contested": Proposal("Weigh the score's reasons against what the debtor says.", 2),
    "hardship": Proposal("Offer help, and let everything rest.", 3),
    "file_claim": Proposal("File the claim in time, with its enclosures.", 3),
    "plan_broken": Proposal("Decide how it goes on: a new plan, a call, or the next step.", 2),
    "plan_confirmation": Proposal("Tell the debtor what was agreed.", 1),
    "plan_reminder": Proposal("Remind of the instalment, free of charge.", 1),
    "plan_encouragement": Proposal("Tell the debtor that half of it is paid.", 1),
    "plan_statement": Proposal("Send overview and settlement before the last instalment.", 1),
    "question": Proposal("Answer what the holder asks.", 2),
    "partner_refused": Proposal("See why the partner refused, and choose another one.", 2),
    "dispatch_failed": Proposal("See why the sending failed, and have it sent again.", 2),
    "status_unknown": Proposal("Say what the partner's code means.", 1),
    "bank_file": Proposal("See why the bank file was refused, and upload it again.", 2),
    "partner_invoice": Proposal("Check the partner's invoice against the contract.", 1),
    "partner_balance": Proposal("Explain the difference to the partner's books.", 1),
    "feasibility": Proposal("Supply what is missing before the next step.", 1),
    "payment": Proposal("Find the case this money belongs to.", 2),
}


def proposal_for(kind: str) -> Proposal:
    """What is proposed for a kind; the part behind a colon names one of several.

    >>> proposal_for("evidence:abc").act, proposal_for("strange").act
    ('Ask the creditor for proof.', 'Look at the case and decide.')
    """
    return PROPOSALS.get(kind.partition(":")[0], LOOK)


class AgendaItem(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that waits for a person. `stake_minor` is the open amount of its case, in `currency`."""

    source: str  # task, quarantine, payment
    item_id: str
    kind: str
    title: str
    reason: str
    act: str
    weight: int
    is_safe: bool
    due_at: dt.datetime | None
    since_at: dt.datetime
    case_id: str | None
    number: str
    debtor_name: str
    creditor_id: str | None
    currency: str
    stake_minor: int
    debtor_country: str = ""
    owner: str = ""  # who is in charge of the case


def by_urgency(item: AgendaItem, now: dt.datetime) -> tuple[int, int, int, float]:
    """The sorting key: what is late first, then weight, then money at stake, then age."""
    is_late = item.due_at is not None and item.due_at <= now
    return (0 if is_late else 1, -item.weight, -item.stake_minor, item.since_at.timestamp())
