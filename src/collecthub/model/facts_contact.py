"""Facts of contact with a debtor: what was agreed, what is to be said, what was said or could not be."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from collecthub.model.contact import Channel, ContactPolicy, Tone
from collecthub.model.fact import FactBase


class ContactAgreed(FactBase, frozen=True, kw_only=True, tag="contact_agreed"):
    """The steps before hand-over, as the playbook has them on this day; a later playbook is for later cases."""

    policy: ContactPolicy
    version: str


class ContactQueued(FactBase, frozen=True, kw_only=True, tag="contact_queued"):
    """A step is to be taken; its words are found when it leaves."""

    contact_id: str
    step: str
    channel: Channel
    tone: Tone


class ContactMade(FactBase, frozen=True, kw_only=True, tag="contact_made"):
    """The debtor was asked for `asked`, principal and charges together, in the case's currency."""

    contact_id: str
    step: str
    channel: Channel
    asked: Decimal
    language: str
    receipt_ref: str
    sha256: str = ""  # of the words, kept as evidence
    outcome: str = ""  # what a call or a visit came to
    rests_until: dt.date | None = None  # the law lets nothing follow up to and including this day


class ContactNotMade(FactBase, frozen=True, kw_only=True, tag="contact_not_made"):
    """A step that did not leave. A case that changed meanwhile takes it again, if it still must."""

    contact_id: str
    step: str
    reason: str
    is_taken: bool = False  # nothing more is tried for this step


class ContactOver(FactBase, frozen=True, kw_only=True, tag="contact_over"):
    """The agreed steps are taken and their time is over; the case may be handed over."""

    steps: int


class ContactReturned(FactBase, frozen=True, kw_only=True, tag="contact_returned"):
    """A message came back: the debtor never had it. `is_undone` when its step is to be taken again another way."""

    contact_id: str
    step: str
    channel: Channel
    reason: str
    is_undone: bool = False


class ContactAnswered(FactBase, frozen=True, kw_only=True, tag="contact_answered"):
    """The debtor answered a message; his words are evidence."""

    contact_id: str
    channel: Channel
    text: str
    sha256: str


class ChannelLost(FactBase, frozen=True, kw_only=True, tag="channel_lost"):
    """The debtor is not reached by a channel any more, or does not want it: other channels take its steps."""

    channel: Channel
    reason: str


class ConsentWithdrawn(FactBase, frozen=True, kw_only=True, tag="consent_withdrawn"):
    """The debtor does not want to be written to by a channel; the other ones go on."""

    channel: Channel


class ConsentGiven(FactBase, frozen=True, kw_only=True, tag="consent_given"):
    """The debtor wants to be written to by a channel again."""

    channel: Channel


class AppointmentAsked(FactBase, frozen=True, kw_only=True, tag="appointment_asked"):
    """The debtor asks for an appointment on a day: `part` is morning, afternoon or evening, `by` phone or visit."""

    on: dt.date
    part: str
    by: Channel
    text: str


class HelperAdmitted(FactBase, frozen=True, kw_only=True, tag="helper_admitted"):
    """The debtor gave somebody who helps him an address and a code that show less, until a day."""

    name: str
    until_on: dt.date


class HelperEnded(FactBase, frozen=True, kw_only=True, tag="helper_ended"):
    """The debtor took his helper's access back."""


class ContactLimitReached(FactBase, frozen=True, kw_only=True, tag="contact_limit_reached"):
    """An agreed limit (`cost_cap` or `collection_term`) is reached: the case rests until a person decides."""

    limit: str
    detail: str


ContactFact = (
    ContactAgreed | ContactQueued | ContactMade | ContactNotMade | ContactOver | ContactReturned | ContactAnswered
    | ChannelLost | ContactLimitReached | ConsentWithdrawn | ConsentGiven | AppointmentAsked | HelperAdmitted
    | HelperEnded
)  # fmt: skip
