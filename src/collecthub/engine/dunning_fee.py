"""What a reminder costs the debtor: what the creditor agreed with him, as far as the law allows it on that day."""

from __future__ import annotations

import datetime as dt

import msgspec

from collecthub.engine.case_law import governing, law_or_reason
from collecthub.engine.context import Hub
from collecthub.law.atlas.facts import Topic
from collecthub.law.atlas.reading import bundled_atlas
from collecthub.law.dunning import asked, reminder_fee
from collecthub.law.of_history import WRITTEN, happened, reminded
from collecthub.law.steps import Step, StepQuestion
from collecthub.model.case import Case
from collecthub.model.charging import Charging
from collecthub.model.contact import Channel
from collecthub.model.facts_money import ChargeItem, ChargeKind, ChargeRefused, ChargesFixed
from collecthub.store.case_log import read_events
from collecthub.store.connections import read_creditor

REMINDER = "reminder"


def fee_of_reminder(hub: Hub, case: Case, channel: Channel, on: dt.date) -> ChargesFixed | ChargeRefused | None:
    """The fee of the reminder that leaves now, or why the law forbids it; None where none was agreed.

    The first written reminder is free everywhere: without it nobody is known to be told.
    """
    with hub.database.read() as conn:
        creditor = read_creditor(conn, case.creditor_id)
        policy = creditor.playbook.charges if creditor else None
        if policy is None or not policy.dunning_fee or policy.charging is Charging.NONE:
            return None
        history = read_events(conn, case.case_id)
    if case.currency != policy.dunning_fee_currency or channel not in WRITTEN or not reminded(history):
        return None
    country = governing(case, creditor).country
    wanted = asked(policy.dunning_fee, case.currency)
    question = StepQuestion(
        step=Step.REMIND, on=on, segment=case.segment, principal=case.balance.open_principal, claimed=wanted,
        due_on=min(claim.due_on for claim in case.claims), happened=happened(history), is_collector=False,
    )  # fmt: skip
    known = bundled_atlas().facts.get((country, Topic.CHARGEABLE_FEES), ())
    fee = reminder_fee(law_or_reason(hub, country)[0], country, known[0] if known else None, question, case.currency)
    if not fee.amount:
        return ChargeRefused(charge=ChargeKind.DUNNING_FEE, amount=wanted, article=fee.article, reason=fee.reason)
    item = ChargeItem(
        kind=ChargeKind.DUNNING_FEE, amount=fee.amount, from_on=on, to_on=on, rule=fee.rule, rule_version=fee.rule_version,
        source=fee.source, evidence=fee.evidence,
    )  # fmt: skip
    return ChargesFixed(until=case.charges.until if case.charges else on, reason=REMINDER, items=(item,))


def with_fee(case: Case, fee: ChargesFixed | ChargeRefused | None) -> Case:
    """The case as the message that asks for the fee shows it."""
    if not isinstance(fee, ChargesFixed):
        return case
    more = sum((item.amount for item in fee.items), case.balance.dunning_fees)
    return msgspec.structs.replace(case, balance=msgspec.structs.replace(case.balance, dunning_fees=more))
