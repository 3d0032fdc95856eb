"""The history of a case in plain sentences, one function or pattern per kind of fact."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import msgspec

from collecthub.model.status_tables import OWN_VOCABULARY, status_tables
from collecthub.store.queries.case_file import TimelineEntry
from collecthub.web.portal import (
    sentences_contact,
    sentences_exchange,
    sentences_money,
    sentences_network,
    sentences_remittance,
)
from collecthub.web.portal.figures import amount_text
from collecthub.web.portal.sentences_human import KINDS as HUMAN_KINDS
from collecthub.web.portal.words import label, spoken

Fact = Mapping[str, Any]


class Telling(msgspec.Struct, frozen=True, kw_only=True):
    """What a sentence may refer to: the case's currency, invoice numbers by claim, partner names by id."""

    currency: str
    claims: Mapping[str, str]
    partners: Mapping[str, str]

    def amount(self, value: Decimal) -> str:
        return amount_text(value, self.currency)

    def invoice(self, claim_id: str) -> str:
        return f"invoice {self.claims.get(claim_id, claim_id)}"


class Sentence(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of the history as people read it. `quote` is somebody's own words."""

    seq: int
    kind: str
    group: str  # money, holder, hold, life, note: chooses the mark beside it
    text: str
    quote: str
    occurred_at: dt.datetime
    recorded_at: dt.datetime
    actor: str


def tell(
    entries: Sequence[TimelineEntry], telling: Telling, actors: Mapping[str, str]
) -> tuple[Sentence, ...]:
    """The sentences of a history, newest first."""
    return tuple(_sentence(entry, telling, actors) for entry in reversed(entries))


def _sentence(entry: TimelineEntry, telling: Telling, actors: Mapping[str, str]) -> Sentence:
    group, say, quote = _KINDS.get(entry.kind, ("note", _unknown(entry.kind), ""))
    actor = entry.actor if isinstance(entry.actor, str) else ""
    return Sentence(
        seq=entry.seq,
        kind=entry.kind,
        group=group,
        text=say(entry.fact, telling),
        quote=str(entry.fact.get(quote, "") or "") if quote else "",
        occurred_at=entry.occurred_at,
        recorded_at=entry.recorded_at,
        actor=actors.get(actor, actor),
    )


def _unknown(kind: str) -> Callable[[Fact, Telling], str]:
    return lambda fact, telling: f"{spoken(kind)}."


# --- life of the case -----------------------------------------------------------------------------

_ORIGINS = {
    "erp": "from the creditor's books", "form": "by the form in the portal", "file": "by an imported file",
    "api": "by the API", "exchange": "by a case file from another hub",
}  # fmt: skip


def _opened(fact: Fact, telling: Telling) -> str:
    total = sum((claim["open_amount"] for claim in fact["claims"]), Decimal(0)) - fact["credits"]
    count = len(fact["claims"])
    origin = _ORIGINS.get(fact["origin"], f"from {fact['origin']}")
    return f"The case was opened {origin}: {_count(count, 'invoice')}, {telling.amount(total)} to collect."


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def _claim_added(fact: Fact, telling: Telling) -> str:
    claim = fact["claim"]
    amount = telling.amount(claim["open_amount"])
    return f"Invoice {claim['number']}, due {claim['due_on']}, was added with {amount}."


def _closed(fact: Fact, telling: Telling) -> str:
    return f"The case was closed: {label('outcome', fact['outcome']).lower()}."


def _owner(fact: Fact, telling: Telling) -> str:
    contact = f"; contact person is {fact['contact_person']}" if fact["contact_person"] else ""
    return f"{fact['owner'] or 'Nobody'} is in charge{contact}."


def _taken_over(fact: Fact, telling: Telling) -> str:
    reference = f" under {fact['holder_ref']}" if fact["holder_ref"] else ""
    owed = telling.amount(fact["balance"])
    return f"The case already runs with {fact['holder_name']}{reference}; {owed} is owed there."


# --- money ----------------------------------------------------------------------------------------


def _reopened_claim(fact: Fact, telling: Telling) -> str:
    claim = telling.invoice(fact["claim_id"])
    return (
        f"The creditor's books ask {telling.amount(fact['amount'])} more on {claim}: a payment was reversed."
    )


def _direct(fact: Fact, telling: Telling) -> str:
    claim = telling.invoice(fact["claim_id"])
    return (
        f"The debtor paid {telling.amount(fact['amount'])} to the creditor on {claim}, on {fact['paid_on']}."
    )


def _credit(fact: Fact, telling: Telling) -> str:
    where = f" on {telling.invoice(fact['claim_id'])}" if fact["claim_id"] else ""
    return f"The creditor credited {telling.amount(fact['amount'])}{where}."


def _cost(fact: Fact, telling: Telling) -> str:
    total = telling.amount(fact["amount"] + fact["tax_amount"])
    tax = f" ({telling.amount(fact['tax_amount'])} of it tax)" if fact["tax_amount"] else ""
    return f"A cost arose: {spoken(fact['cost_type']).lower()}, {total}{tax}, borne by the {fact['bearer']}."


def _payment(fact: Fact, telling: Telling) -> str:
    if fact["reverses_ref"]:
        return f"Payment {fact['reverses_ref']} of {telling.amount(-fact['amount'])} was taken back."
    remitted = f", remitted as {fact['remittance_ref']}" if fact["remittance_ref"] else ""
    amount, day = telling.amount(fact["amount"]), fact["received_on"]
    return f"The holder received {amount} on {day} ({fact['payment_ref']}{remitted})."


def _booked(fact: Fact, telling: Telling) -> str:
    claim = telling.invoice(fact["claim_id"])
    amount, known = telling.amount(fact["amount"]), fact["payment_ref"]
    return f"The creditor's books show {amount} on {claim}: the payment {known}, counted once."


def _recorded(fact: Fact, telling: Telling) -> str:
    if fact.get("reverses_ref"):
        return f"A payment of {telling.amount(-fact['amount'])} was taken back on {fact['paid_on']}."
    how = {"bank": "on the account", "cash": "in cash", "card": "by card"}.get(fact.get("origin", ""), "to the creditor")
    return f"A payment of {telling.amount(fact['amount'])} {how} on {fact['paid_on']} was recorded."


# --- the holder -----------------------------------------------------------------------------------


def _route(fact: Fact, telling: Telling) -> str:
    others = [
        f"{telling.partners.get(option['partner_id'] or '', option['route'])}"
        for option in fact["options"] if option["partner_id"] and option["partner_id"] != fact["partner_id"]
    ]  # fmt: skip
    also = f" Also considered: {', '.join(others)}." if others else ""
    return f"{fact['partner_name']} was chosen: {fact['reason']}.{also}"


def _sent(fact: Fact, telling: Telling) -> str:
    return f"The case file left, asking for {telling.amount(fact['principal'])}."


def _with_ref(sentence: str) -> Callable[[Fact, Telling], str]:
    def say(fact: Fact, telling: Telling) -> str:
        reference = fact.get("holder_ref", "")
        return f"{sentence} Their reference is {reference}." if reference else sentence

    return say


def _refused(fact: Fact, telling: Telling) -> str:
    return f"The partner refused the case ({fact['code']}).{sentences_exchange.wrong_elements(fact)}"


_AMENDMENTS = {
    "recall": "The holder is asked to stop", "balance": "The holder is told a new balance",
    "suspend": "The holder is asked to pause", "resume": "The holder is asked to go on",
}  # fmt: skip


def _amendment(fact: Fact, telling: Telling) -> str:
    asked = _AMENDMENTS.get(fact["code"], spoken(fact["code"]))
    amount = f": {telling.amount(fact['principal'])}" if fact["code"] == "balance" else ""
    return f"{asked}{amount} ({spoken(fact['reason_code']).lower()})."


def _amendment_sent(fact: Fact, telling: Telling) -> str:
    return {"recall": "The recall left.", "balance": "The new balance left."}.get(
        fact["code"], "The amendment left."
    )


def _amendment_done(fact: Fact, telling: Telling) -> str:
    confirmed = {"recall": "that it stopped", "balance": "the new balance"}
    return f"The holder confirmed {confirmed.get(fact['code'], 'the amendment')}."


def _status(fact: Fact, telling: Telling) -> str:
    known = status_tables()[OWN_VOCABULARY].codes.get(fact["meaning"])
    said = known.title if known and known.title else spoken(fact["meaning"])
    foreign = f" (their code {fact['foreign_code']})" if fact["foreign_code"] != fact["meaning"] else ""
    late = " It came late and changes nothing." if fact["is_late"] else ""
    deadline = f" Next deadline {fact['next_deadline_on']}." if fact.get("next_deadline_on") else ""
    return f"{said}{foreign}.{deadline}{late}"


def _returned(fact: Fact, telling: Telling) -> str:
    outcome = label("outcome", fact["outcome"]).lower()
    return f"The holder gave the case back: {outcome}, {telling.amount(fact['remaining'])} left."


_INSTRUCTIONS = {
    "question": "asked a question", "answer": "answered", "next_act": "announced the next step",
    "cost_approved": "approved a cost", "cost_refused": "refused a cost",
}  # fmt: skip


def _instruction(who: str) -> Callable[[Fact, Telling], str]:
    return lambda fact, telling: f"{who} {_INSTRUCTIONS.get(fact['code'], spoken(fact['code']).lower())}."


# --- holds and notes ------------------------------------------------------------------------------


def _hold(fact: Fact, telling: Telling) -> str:
    until = f" until {fact['until_on']}" if fact["until_on"] else ""
    return f"The case was paused{until}: {label('hold', fact['reason']).lower()}."


def _fixed(text: str) -> Callable[[Fact, Telling], str]:
    return lambda fact, telling: text


def _document(fact: Fact, telling: Telling) -> str:
    return f"The document {fact['name']} was added ({label('document', fact['document_kind']).lower()})."


def _told(fact: Fact, telling: Telling) -> str:
    return f"The creditor was told: {spoken(fact['about']).lower()}."


# kind -> (group, sentence, field that holds somebody's own words)
_KINDS: Mapping[str, tuple[str, Callable[[Fact, Telling], str], str]] = {
    "case_opened": ("life", _opened, ""),
    "claim_added": ("money", _claim_added, ""),
    "claim_reopened": ("money", _reopened_claim, ""),
    "direct_payment_seen": ("money", _direct, ""),
    "credit_seen": ("money", _credit, "reason"),
    "route_chosen": ("holder", _route, ""),
    "route_missing": ("holder", _fixed("No partner can take the case."), "reason"),
    "dispatch_blocked": ("holder", _fixed("The case may not leave."), "reason"),
    "placement_withdrawn": ("holder", _fixed("The hand-over was taken back before anything left."), "reason"),
    "information_supplied": ("life", _fixed("Missing information was supplied."), "text"),
    "case_sent": ("holder", _sent, ""),
    "case_acknowledged": ("holder", _with_ref("The partner received the case file."), ""),
    "case_accepted": ("holder", _with_ref("The partner accepted the case."), ""),
    "case_refused": ("holder", _refused, "reason"),
    "amendment_queued": ("holder", _amendment, ""),
    "amendment_sent": ("holder", _amendment_sent, ""),
    "amendment_acknowledged": ("holder", _amendment_done, ""),
    "status_reported": ("holder", _status, "text"),
    "cost_reported": ("money", _cost, "legal_basis"),
    "payment_reported": ("money", _payment, ""),
    "remittance_booked": ("money", _booked, ""),
    "payment_recorded": ("money", _recorded, "note"),
    "hold_set": ("hold", _hold, "note"),
    "hold_released": (
        "hold",
        lambda fact, _: f"The pause ended: {label('hold', fact['reason']).lower()}.",
        "note",
    ),
    "case_returned": ("holder", _returned, "text"),
    "case_closed": ("life", _closed, "reason"),
    "case_reopened": ("life", _fixed("The case was opened again."), "reason"),
    "document_added": ("note", _document, ""),
    "instruction_received": ("holder", _instruction("The holder"), "text"),
    "instruction_queued": ("holder", _instruction("We"), "text"),
    "creditor_told": ("life", _told, ""),
    "taken_over": ("life", _taken_over, ""),
    "note_added": ("note", _fixed("A note was added."), "text"),
    "owner_changed": ("life", _owner, ""),
    **sentences_exchange.KINDS,
    **sentences_money.KINDS,
    **sentences_network.KINDS,
    **sentences_remittance.KINDS,
    **HUMAN_KINDS,
    **sentences_contact.KINDS,
}
TOLD_KINDS = frozenset(_KINDS)
