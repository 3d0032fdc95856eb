"""What the hub said to a partner: message by message over REST, and its words about one case for the partner's page."""

from __future__ import annotations

import datetime as dt

import msgspec
import sqlalchemy as sa

from collecthub.engine.case_work import INSTRUCTION
from collecthub.engine.context import Hub
from collecthub.errors import CollecthubError
from collecthub.model.event import InstructionQueued
from collecthub.model.exchange import CaseAmendment, CaseFile, CaseInstruction, DocumentItem
from collecthub.store import tables as t

_FORMATS = {"application/xml": "case-exchange-xml", "application/json": "case-exchange-json"}


class MessageForPartner(msgspec.Struct, frozen=True, kw_only=True):
    """One message; `cursor` is where to go on after its envelope. Documents are named, their bytes are downloaded apart."""

    cursor: str
    sent_at: dt.datetime | None
    message: CaseFile | CaseAmendment | CaseInstruction


class MessagesForPartner(msgspec.Struct, frozen=True, kw_only=True):
    """Messages in the order of sending. `next_after` is null when there is no more."""

    items: tuple[MessageForPartner, ...]
    next_after: str | None


class SaidInCase(msgspec.Struct, frozen=True, kw_only=True):
    """A reminder, an answer or an order that a partner was given in one of its cases."""

    said_at: dt.datetime
    text: str


def said_in_case(conn: sa.Connection, partner_id: str, case_id: str) -> tuple[SaidInCase, ...]:
    """What was said to a partner about a case beside its file and its balance, newest first."""
    said = t.messages.c
    query = (
        sa.select(said.queued_at, said.doc)
        .where(said.case_id == case_id, said.partner_id == partner_id, said.kind == INSTRUCTION, said.state != "withdrawn")
        .order_by(said.queued_at.desc(), said.message_id)
    )
    return tuple(
        SaidInCase(said_at=row.queued_at, text=msgspec.json.decode(row.doc, type=InstructionQueued).text)
        for row in conn.execute(query)
    )


def messages_for(hub: Hub, conn: sa.Connection, partner_id: str, after: str, limit: int) -> MessagesForPartner:
    """What was sent to a partner after a cursor; `limit` counts envelopes, of which each holds one message or more.

    An envelope in a spelling that only its own channel reads is left out: its partner has that channel.
    """
    box = t.envelopes.c
    query = (
        sa.select(box.envelope_id, box.sha256, box.media_type, box.sent_at)
        .where(box.partner_id == partner_id, box.state == "sent", box.envelope_id > after)
        .order_by(box.envelope_id)
        .limit(limit + 1)
    )
    found = conn.execute(query).all()
    items: list[MessageForPartner] = []
    for row in found[:limit]:
        reader = hub.plugins.formats.get(_FORMATS.get(row.media_type, ""))
        if reader is None:
            continue
        try:
            decoded = reader.decode(hub.evidence.read(row.sha256))
        except CollecthubError:
            continue
        items += [
            MessageForPartner(cursor=row.envelope_id, sent_at=row.sent_at, message=_light(message))
            for message in decoded.messages
            if isinstance(message, CaseFile | CaseAmendment | CaseInstruction)
        ]
    return MessagesForPartner(items=tuple(items), next_after=found[limit - 1].envelope_id if len(found) > limit else None)


def _light(message: CaseFile | CaseAmendment | CaseInstruction) -> CaseFile | CaseAmendment | CaseInstruction:
    if not isinstance(message, CaseFile):
        return message
    documents = tuple(
        DocumentItem(name=one.name, kind=one.kind, media_type=one.media_type, sha256=one.sha256) for one in message.documents
    )
    return msgspec.structs.replace(message, documents=documents)
