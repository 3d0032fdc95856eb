"""Sentences for the facts of the network: feasibility, transfers, the seal on a holder's part."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from collecthub.law.feasibility.rules import rule_book
from collecthub.web.portal.words import countries

Fact = Mapping[str, Any]
_OCCASIONS = {
    "intake": "on receipt", "hand_over": "before the hand-over", "costly_step": "before a costly step",
    "data_changed": "because its data changed",
}  # fmt: skip


def _checked(fact: Fact, telling: object) -> str:
    titles = {rule.id: rule.title for rule in rule_book().rules}
    when = _OCCASIONS.get(fact["occasion"], fact["occasion"])
    blocking = [titles.get(one["id"], one["id"]) for one in fact["findings"] if one["is_blocking"]]
    open_points = f"; {len(fact['unknown'])} points are not known" if fact["unknown"] else ""
    if blocking:
        return f"The case was checked {when}. It may not go on: {'; '.join(blocking).lower()}{open_points}."
    warned = len(fact["findings"])
    found = f"nothing stops it, {warned} warning{'' if warned == 1 else 's'}" if warned else "nothing stands against it"
    return f"The case was checked {when}: {found}{open_points}."


def _sealed(fact: Fact, telling: object) -> str:
    return f"The part of {fact['partner_name']} in this history is closed with entry {fact['last_seq']}."


_REASONS = {"debtor_moved": "the debtor moved abroad", "refused": "the holder refused", "recalled": "it was recalled"}


def _transfer(fact: Fact, telling: object) -> str:
    if fact["route"] == "none":
        return "Nothing more is done; whether the claim is written off is to be decided."
    reason = _REASONS.get(fact["reason"], fact["reason"])
    return f"The case goes to another holder, because {reason}."


def _moved(fact: Fact, telling: object) -> str:
    names = countries()
    here, there = (names.get(fact[key], fact[key] or "an unknown country") for key in ("from_country", "to_country"))
    return f"The debtor moved from {here} to {there}."


def _way_chosen(fact: Fact, telling: object) -> str:
    by = f" {fact['partner_name']} shall file it." if fact["partner_name"] else ""
    return f"{fact['title']} was chosen; it begins when its cost is allowed.{by}"


def _way_taken(fact: Fact, telling: Any) -> str:
    by = f" {fact['partner_name']} files it." if fact["partner_name"] else " Nobody who files it is known there."
    return f"{fact['title']} begins; costs of up to {telling.amount(fact['cap'])} are allowed.{by}"


_SAID = {
    "contract_on": "the contract", "performed_in": "the place of delivery", "issuer_name": "who wrote the invoices",
    "document_languages": "the languages of the papers", "clauses": "the clauses", "letters": "the letters",
    "interest": "the interest", "title_on": "the title", "registers_asked_on": "a look into registers",
    "screened_on": "a screening against sanctions lists",
}  # fmt: skip


def _stated(fact: Fact, telling: object) -> str:
    said = [title for name, title in _SAID.items() if fact["circumstances"].get(name) is not None]
    return f"It was stated what is known of {', '.join(said)}." if said else "What was stated of contract and letters was withdrawn."


KINDS: Mapping[str, tuple[str, Callable[[Fact, Any], str], str]] = {
    "feasibility_checked": ("life", _checked, ""),
    "placement_sealed": ("holder", _sealed, ""),
    "transfer_asked": ("holder", _transfer, "text"),
    "court_way_chosen": ("life", _way_chosen, "reason"),
    "court_way_taken": ("holder", _way_taken, ""),
    "debtor_moved": ("life", _moved, ""),
    "circumstances_stated": ("life", _stated, ""),
}
