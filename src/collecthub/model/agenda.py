"""What a person is asked to do, for every kind of thing that waits: the act that is proposed, and how urgent it is.

Kinds that nobody named are proposed to be looked at, with the middle weight. Weights order what is due on the same
day: people's lives before money, money before housekeeping.
"""

from __future__ import annotations

import datetime as dt
import enum
from decimal import Decimal

import msgspec


class Click(enum.StrEnum):
    """What one click does about an item without anybody looking at its page."""

    DONE = "done"  # a person did it elsewhere: it leaves the list
    AGREE = "agree"  # to a plan within the limits; beyond them it is refused
    READ_AGAIN = "read_again"
    NONE = ""  # it leaves the list by its decision alone


class Proposal(msgspec.Struct, frozen=True):
    """What to do, the weight of its kind (3 first), and what one click may do."""

    act: str
    weight: int = 1
    click: Click = Click.DONE


LOOK = Proposal("Look at the case and decide.")
PROPOSALS: dict[str, Proposal] = {
    "no_stop": Proposal("Call the holder: a paid or protected debt is still being chased.", 3),
    "no_stop_refused": Proposal("Call the holder: it refused to stop.", 3),
    "no_pause": Proposal("Call the holder: the case must rest.", 3),
    "in_doubt": Proposal("Ask the partner whether it arrived, then settle it.", 3, Click.NONE),
    "contact_in_doubt": Proposal("Ask the mail server whether it arrived, then settle it.", 2),
    "identity": Proposal("Find out whether the debtor is the right person.", 3),
    "twin": Proposal("Compare the two debtors: join them, or say that they are not the same.", 2, Click.NONE),
    "insolvency": Proposal("File the claim in time.", 3),
    "callback": Proposal("Call the debtor.", 2),
    "moved": Proposal("Check the new address and correct it in the ERP.", 1),
    "plan_proposed": Proposal("Answer the proposed plan.", 2, Click.AGREE),
    "plan_unanswered": Proposal("Answer the proposed plan.", 2, Click.AGREE),
    "complaint": Proposal("Answer the complaint with reasons.", 2, Click.NONE),
    "evidence": Proposal("Ask the creditor for proof.", 2, Click.NONE),
    "unroutable": Proposal("Supply what is missing, or find a partner.", 1),
    "needs_info": Proposal("Supply what is missing.", 1),
    "unlawful_step": Proposal("Read the article and change the playbook or the step.", 2),
    "unreachable": Proposal("Find another way to the debtor.", 1),
    "untold": Proposal("Write to the debtor, or see that whoever holds the case told him who keeps his data.", 2),
    "no_channel": Proposal("Add a connection for this channel.", 1),
    "playbook_proposed": Proposal("Read the proposed playbook, then agree or decline.", 1, Click.NONE),
    "connection": Proposal("Repair the connection: nothing comes or goes by it.", 2),
    "pull_incomplete": Proposal("See why the books were not read whole.", 1),
    "job_broke_off": Proposal("Report it as a fault; the log names the place.", 2),
    "no_status": Proposal("Remind the holder.", 1),
    "no_ack": Proposal("Ask the holder whether the file arrived.", 2),
    "report_failed": Proposal("Tell the creditor yourself.", 1),
    "quarantine": Proposal("Read it, then have it read again or resolve it.", 1, Click.READ_AGAIN),
    "contact": Proposal("Call or visit the debtor, then say what it came to.", 2, Click.NONE),
    "reply": Proposal("Read what the debtor answered, and act on it.", 2),
    "appointment": Proposal("Keep the appointment, or agree on another one.", 2),
    "collection_term": Proposal("Decide whether collection goes on: its agreed term is over.", 2),
    "cost_cap": Proposal("Decide whether the next step is worth its cost: the agreed cap is reached.", 2),
    "below_minimum": Proposal("Write it off, or end the hold: then it is handed over without reminders.", 1),
    "contact_check": Proposal("Complete the debtor's address in the ERP before the invoice falls due.", 1),
    "act_asked": Proposal("Price the act or refuse it.", 2, Click.NONE),
    "court_way": Proposal("Do what is missing, then choose the route again.", 2),
    "write_off": Proposal("Write it off, or choose another way.", 1),
    "file_court_way": Proposal("File it, or name a lawyer or bailiff there.", 2),
    "act_ordered": Proposal("Have the act done and keep its certificate.", 2, Click.NONE),
    "dispute": Proposal("Answer the dispute: give proof, or say that the debtor is right.", 2, Click.NONE),
    "dispute_decision": Proposal("Decide on the dispute, with reasons.", 2, Click.NONE),
    "credit_note": Proposal("Credit the amount in the ERP: the debtor is right.", 2),
    "approval": Proposal("Allow or refuse the cost, up to its cap.", 2, Click.NONE),
    "approval_late": Proposal("Ask the creditor again, or take another way.", 2),
    "cost": Proposal("Allow or refuse the cost that the holder asks about.", 2),
    "score_contested": Proposal("Weigh the score's reasons against what the debtor says.", 2, Click.NONE),
    "hardship": Proposal("Offer help, and let everything rest.", 3),
    "file_claim": Proposal("File the claim in time, with its enclosures.", 3, Click.NONE),
    "proceeding": Proposal("A time limit is over: see what was missed, and record what happened.", 3),
    "proceeding_near": Proposal("Do what the time limit asks for, and record it.", 3),
    "proceeding_quiet": Proposal("Ask the court, bailiff or trustee how it stands, and record it.", 1),
    "register_notice": Proposal("Compare number, name and address; if it is the debtor, begin the proceeding.", 3),
    "solvency_check": Proposal("Look into the debtor's solvency, or connect a source that does.", 2),
    "propose_plan": Proposal("Propose a plan that he can keep, or show him the way to help.", 2),
    "next_step": Proposal("Read the new score, then take the next step of the playbook or choose a court way.", 2),
    "ask_ground": Proposal("Ask what he does not agree with, and record the dispute.", 2),
    "send_again": Proposal("Send the invoice again with a new date, and add it to the case.", 2),
    "find_payment": Proposal("Look for the payment in books and bank; record it, or ask for the proof.", 2),
    "plan_broken": Proposal("Decide how it goes on: a new plan, a call, or the next step.", 2),
    "plan_confirmation": Proposal("Tell the debtor what was agreed.", 1),
    "plan_reminder": Proposal("Remind of the instalment, free of charge.", 1),
    "plan_encouragement": Proposal("Tell the debtor that half of it is paid.", 1),
    "plan_statement": Proposal("Send overview and settlement before the last instalment.", 1),
    "question": Proposal("Answer what the holder asks.", 2, Click.NONE),
    "partner_refused": Proposal("See why the partner refused, and choose another one.", 2),
    "dispatch_failed": Proposal("See why the sending failed, and have it sent again.", 2),
    "status_unknown": Proposal("Say what the partner's code means.", 1),
    "bank_file": Proposal("See why the bank file was refused, and upload it again.", 2),
    "partner_invoice": Proposal("Check the partner's invoice against the contract.", 1),
    "partner_balance": Proposal("Explain the difference to the partner's books.", 1),
    "feasibility": Proposal("Supply what is missing before the next step.", 1),
    "access": Proposal("Make sure who asks, then hand out what is held on this person.", 2, Click.NONE),
    "erasure": Proposal("Erase this person, or say which ground stands against it.", 2, Click.NONE),
    "payment": Proposal("Find the case this money belongs to.", 2, Click.NONE),
}
HEAVY = frozenset(kind for kind, one in PROPOSALS.items() if one.weight == 3)


def proposal_for(kind: str) -> Proposal:
    """What is proposed for a kind; the part behind a colon names one of several.

    >>> proposal_for("evidence:abc").act, proposal_for("strange").act
    ('Ask the creditor for proof.', 'Look at the case and decide.')
    """
    return PROPOSALS.get(kind.partition(":")[0], LOOK)


class AgendaItem(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that waits for a person. `stake` is the open amount of its case, in `currency`; none without a case."""

    source: str  # task, quarantine, payment, request
    item_id: str
    kind: str
    title: str
    reason: str
    act: str
    weight: int
    click: Click
    due_at: dt.datetime | None
    since_at: dt.datetime
    case_id: str | None = None
    number: str = ""
    debtor_name: str = ""
    creditor_id: str | None = None
    currency: str = ""
    stake: Decimal | None = None
    debtor_country: str = ""
    owner: str = ""  # who is in charge of the case
    identity_id: str = ""  # of the person who asks about himself


Place = tuple[int, int, Decimal, dt.datetime, str]


def by_urgency(item: AgendaItem, now: dt.datetime) -> Place:
    """The sorting key: what is late first, then weight, then money at stake, then age."""
    is_late = item.due_at is not None and item.due_at <= now
    return (0 if is_late else 1, -item.weight, -(item.stake or Decimal(0)), item.since_at, item.item_id)
