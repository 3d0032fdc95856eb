"""The desk for acts asked from elsewhere: the request is kept, priced by the tariff, ordered, done and certified.

A request comes as a case file of the published exchange through any door; every answer is a message of the same.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal

import msgspec
import sqlalchemy as sa

from collecthub.engine.case_work import close_tasks, open_task
from collecthub.engine.context import Hub, Work
from collecthub.engine.feasibility import laws_of
from collecthub.engine.page_guard import paper_type
from collecthub.engine.partner_texts import language_of_partner, partner_text
from collecthub.errors import PermanentError
from collecthub.formats.json import JsonFormat
from collecthub.law.atlas.reading import bundled_atlas
from collecthub.law.charges import ChargeQuestion, ChargeShown, charge_shown
from collecthub.law.service_abroad import ServiceAnswer, service_between
from collecthub.model import act as acts
from collecthub.model.act import Act, ActState, Quote
from collecthub.model.exchange import CaseFile, CaseInstruction, DocumentItem, Exchange, Message
from collecthub.model.ids import derived_id
from collecthub.model.money import round_amount
from collecthub.model.party import segment
from collecthub.store import network_tables as n
from collecthub.store.audit import append_audit
from collecthub.store.queries.scope import Role, Scope, not_there
from collecthub.wire.decoders import decoder

REPLIES = "act_replies"  # the job that sends what we said
QUOTE_HOLDS = dt.timedelta(days=30)
# What a person has to do in a state: the kind of the task, and what the other side did.
_WAITS = {ActState.ASKED: ("act_asked", "asks for"), ActState.ORDERED: ("act_ordered", "ordered")}
CERTIFICATE_BYTES_MAX = 20_000_000


class ActView(msgspec.Struct, frozen=True, kw_only=True):
    """An act as both sides see it; `messages` is how many we have said about it, which are read as an exchange."""

    act_id: str
    partner_id: str
    reference: str
    kind: str
    state: str
    addressee: str
    from_country: str
    to_country: str
    quote: Quote | None
    certificate: DocumentItem | None
    asked_at: dt.datetime
    messages: int


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """What the law says of a request before a person prices it: the rules of service, and the tariff where it is known."""

    rules: ServiceAnswer
    tariff: ChargeShown | None


def view_of(act: Act) -> ActView:
    """For an answer."""
    return ActView(
        act_id=act.act_id, partner_id=act.partner_id, reference=act.reference, kind=act.kind, state=act.state.value,
        addressee=act.request.debtors[0].name, from_country=act.from_country, to_country=act.to_country, quote=act.quote,
        certificate=act.certificate, asked_at=act.asked_at, messages=len(acts.replies(act)),
    )  # fmt: skip


def exchange_of(hub: Hub, act: Act) -> bytes:
    """Everything we said about an act, as one exchange of the published contract in JSON."""
    said = acts.replies(act)
    exchange = Exchange(
        exchange_id=derived_id(act.act_id, "said", str(len(said))), sender_ref=hub.settings.operator_name,
        receiver_ref=act.partner_id, created_at=act.asked_at, messages=said,
    )
    return JsonFormat().encode(exchange)


# --- what the other side says ---------------------------------------------------------------------


def take_exchange(hub: Hub, work: Work, partner_id: str, content: bytes) -> tuple[Act, ...]:
    """Requests and answers to quotes, as an exchange of the published contract; kept as it came before it is read.

    Raises `QuarantineError` for what cannot be read, `PermanentError` for what is no request and no answer.
    """
    hub.evidence.keep(content)
    decoded = JsonFormat().decode(content)
    if decoded.sender_ref != partner_id:
        raise PermanentError(f"the exchange names {decoded.sender_ref[:60]!r} as its sender", cure=f"Name yourself: {partner_id}.")
    if decoded.faults:
        raise PermanentError(f"{decoded.faults[0].reason} ({decoded.faults[0].path})", cure="Correct it and send it again.")
    return tuple(_take(hub, work, partner_id, message) for message in decoded.messages)


def _take(hub: Hub, work: Work, partner_id: str, message: Message) -> Act:
    if isinstance(message, CaseFile):
        return take_request(hub, work, partner_id, message)
    if isinstance(message, CaseInstruction):
        return decide_quote(work, partner_id, message)
    raise PermanentError(
        f"message {message.message_id} is neither a request nor an answer to a quote",
        cure="Send a case_file with an order, or a case_instruction with cost_approved or cost_refused.",
    )


def take_request(hub: Hub, work: Work, partner_id: str, file: CaseFile, *, connection_id: str = "") -> Act:
    """Keep a request; `connection_id` is the line by which our words go back. The same one again is the one that is there; another one under its reference is refused."""
    kind = acts.act_of(file)
    service_between(bundled_atlas(), file.creditor.country, file.debtors[0].address.country, file.language, work.now.date())
    act = acts.opened(file, kind, derived_id("act", partner_id, file.case_id), partner_id, work.now, connection_id=connection_id)
    known = _row(work.conn, n.acts.c.act_id == act.act_id)
    if known is not None:
        if known.request != act.request:
            raise PermanentError(
                f"{file.case_id} was asked for before with another content", cure="Give the new request a reference of its own."
            )
        return known
    for document in file.documents:
        if document.content and hub.evidence.keep(document.content) != document.sha256:
            raise PermanentError(f"{document.name} is not what its SHA-256 says", cure="Send it again.")
    _write(work, act, partner_id, is_new=True)
    return act


def decide_quote(work: Work, partner_id: str, said: CaseInstruction) -> Act:
    """Yes or no to a price."""
    found = _held(work, (n.acts.c.partner_id == partner_id) & (n.acts.c.reference == said.case_id), said.case_id)
    changed = acts.decided(found, said, work.now)
    if changed.state is not found.state:
        _write(work, changed, partner_id)
    return changed


# --- what the operator does -----------------------------------------------------------------------


def propose(hub: Hub, act: Act, day: dt.date) -> Proposal:
    """The rules of both countries, and the amount of the tariff there; the last known one says that it is."""
    rules = service_between(bundled_atlas(), act.from_country, act.to_country, act.request.language, day)
    law = laws_of(hub, act.to_country)
    if law is None:
        return Proposal(rules=rules, tariff=None)
    question = ChargeQuestion(
        item="bailiff_act", segment=segment(act.request.debtors[0]), basis=act.request.principal,
        currency=act.request.currency, on=day, may_use_last=True, nature="" if act.request.principal else "undetermined",
    )  # fmt: skip
    try:
        found = charge_shown(law, question)
    except PermanentError:
        return Proposal(rules=rules, tariff=None)
    return Proposal(rules=rules, tariff=found if found.rule else None)


def quote_act(
    hub: Hub, work: Work, scope: Scope, act_id: str, *, amount: Decimal | None, tax_amount: Decimal | None, note: str
) -> Act:
    """Put a price before whoever asked: the tariff's, or the one given. Raises `PermanentError` where neither is known."""
    act = _for_operator(work, scope, act_id)
    found = propose(hub, act, hub.business_date())
    tariff = found.tariff
    if amount is None and tariff is None:
        raise PermanentError(
            f"no tariff of {act.to_country} is in the data", cure="Enter the amount from the official tariff."
        )
    if found.rules.is_open and not note:
        raise PermanentError(found.rules.notes[0], cure="Say in a note by which rules the act will be done.")
    language = language_of_partner(work.conn, act.partner_id, work.now.date())
    notes = list(_notes(hub, act, found, language, is_by_tariff=amount is None))
    if amount is None and tariff is not None:
        amount, tax_amount = tariff.amount, tariff.amount_with_vat - tariff.amount
        basis = f"{tariff.article} ({tariff.source})"
    else:
        basis = partner_text(language, "quote_stated")
    currency = act.request.currency
    quote = Quote(
        message_id=derived_id(act_id, "quote", str(amount), str(tax_amount), work.now.isoformat()), currency=currency,
        amount=round_amount(amount or Decimal(0), currency), tax_amount=round_amount(tax_amount or Decimal(0), currency),
        basis=basis, rules=partner_text(language, f"rules_{found.rules.rule.instrument}"),
        valid_until_on=(work.now + QUOTE_HOLDS).date(),
        notes=(*notes, *([note] if note else [])),
    )
    return _changed(work, scope, acts.quoted(act, quote, _told(language, act.kind, quote)), "act.quoted")


def _notes(hub: Hub, act: Act, found: Proposal, language: str, *, is_by_tariff: bool) -> Iterator[str]:
    """What whoever asked has to know of a price, in its language."""
    law, today = laws_of(hub, act.to_country), hub.business_date()
    if is_by_tariff and law is not None and found.tariff is not None:
        until = next((rule.valid_to for rule in law.charges if rule.id == found.tariff.rule), None)
        if until is not None and until < today:
            yield partner_text(language, "quote_last", until=until)
    if found.rules.needs_translation:
        yield partner_text(language, "quote_translation")
    elif found.rules.needs_translation is None:
        yield partner_text(language, "quote_language", spoken=act.request.language or "?")


def _told(language: str, kind: str, quote: Quote) -> str:
    """The price and the rules in the language of whoever asked."""
    said = {name: (value, quote.currency) for name, value in (
        ("total", quote.amount + quote.tax_amount), ("amount", quote.amount), ("tax", quote.tax_amount),
    )}  # fmt: skip
    return "\n".join((
        partner_text(language, f"quote_{kind}", until=quote.valid_until_on, **said),
        partner_text(language, "quote_basis", basis=quote.basis), partner_text(language, "quote_rules", rules=quote.rules),
        *quote.notes,
    ))  # fmt: skip


def refuse_act(work: Work, scope: Scope, act_id: str, reason: str) -> Act:
    """We do not do it, and why."""
    return _changed(work, scope, acts.refused(_for_operator(work, scope, act_id), reason, work.now), "act.refused")


def perform_act(
    hub: Hub, work: Work, scope: Scope, act_id: str, *, is_served: bool, done_on: dt.date, text: str, name: str, content: bytes
) -> Act:
    """Say what happened, with the certificate as PDF or picture; the bill is what was quoted."""
    act = _for_operator(work, scope, act_id)
    media_type = paper_type(content)
    if not media_type or len(content) > CERTIFICATE_BYTES_MAX:
        raise PermanentError("the certificate is no PDF, PNG or JPEG of at most 20 MB", cure="Choose another file.")
    certificate = DocumentItem(name=name, kind="certificate", media_type=media_type, sha256=hub.evidence.keep(content))
    done = acts.performed(act, is_served=is_served, done_on=done_on, text=text, certificate=certificate, now=work.now)
    return _changed(work, scope, done, "act.performed")


# --- reading --------------------------------------------------------------------------------------


def list_acts(conn: sa.Connection, scope: Scope, limit: int = 200) -> tuple[Act, ...]:
    """The newest acts of the scope: a partner sees those it asked for, the operator all."""
    query = sa.select(n.acts.c.doc).where(_of(scope)).order_by(n.acts.c.asked_at.desc(), n.acts.c.act_id).limit(limit)
    return tuple(decoder(Act).decode(doc) for doc in conn.scalars(query))


def read_act(conn: sa.Connection, scope: Scope, act_id: str) -> Act:
    """One act. Raises `NotThereError` for an unknown one and for somebody else's."""
    found = _row(conn, (n.acts.c.act_id == act_id) & _of(scope))
    if found is None:
        raise not_there("act", act_id)
    return found


def document_of(hub: Hub, act: Act, number: str) -> tuple[str, bytes]:
    """Name and bytes of a document to serve, counted from 1. Raises `NotThereError` for any other word."""
    numbered = {str(place): document for place, document in enumerate(act.request.documents, 1)}
    found = numbered.get(number)
    if found is None:
        raise not_there("document", number)
    return found.name, hub.evidence.read(found.sha256)


def certificate_of(hub: Hub, act: Act) -> tuple[str, bytes]:
    """Name and bytes of the certificate. Raises `PermanentError` while there is none."""
    if act.certificate is None:
        raise PermanentError(f"act {act.act_id} has no certificate yet", cure="Read its state; ask again when it is done.")
    return act.certificate.name, hub.evidence.read(act.certificate.sha256)


def _of(scope: Scope) -> sa.ColumnElement[bool]:
    if scope.role is Role.OPERATOR:
        return sa.true()
    return n.acts.c.partner_id == scope.partner_id if scope.role is Role.PARTNER and scope.partner_id else sa.false()


def _row(conn: sa.Connection, where: sa.ColumnElement[bool], *, is_locked: bool = False) -> Act | None:
    query = sa.select(n.acts.c.doc).where(where)
    doc = conn.scalar(query.with_for_update() if is_locked else query)
    return None if doc is None else decoder(Act).decode(doc)


def _held(work: Work, where: sa.ColumnElement[bool], name: str) -> Act:
    found = _row(work.conn, where, is_locked=True)
    if found is None:
        raise not_there("act", name)
    return found


def _for_operator(work: Work, scope: Scope, act_id: str) -> Act:
    if scope.role is not Role.OPERATOR:
        raise not_there("act", act_id)
    return _held(work, n.acts.c.act_id == act_id, act_id)


def _changed(work: Work, scope: Scope, act: Act, action: str) -> Act:
    _write(work, act, scope.subject)
    append_audit(work.conn, now=work.now, actor=scope.subject, action=action, subject=act.act_id, detail=act.partner_id)
    return act


def _write(work: Work, act: Act, done_by: str, *, is_new: bool = False) -> None:
    _put_on_list(work, act, done_by)
    if act.connection_id and acts.unsent(act):
        work.wake(REPLIES, act.act_id)
    values = {"state": act.state.value, "doc": msgspec.json.encode(act).decode(), "changed_at": work.now}
    if is_new:
        work.conn.execute(
            sa.insert(n.acts).values(
                act_id=act.act_id, partner_id=act.partner_id, reference=act.reference, asked_at=act.asked_at, **values
            )
        )
        return
    work.conn.execute(sa.update(n.acts).where(n.acts.c.act_id == act.act_id).values(**values))


def held_act(work: Work, act_id: str) -> Act:
    """An act, locked until the transaction ends. Raises `NotThereError`."""
    return _held(work, n.acts.c.act_id == act_id, act_id)


def mark_sent(work: Work, act: Act) -> None:
    """Everything we said so far is on the line."""
    changed = msgspec.structs.replace(act, sent=len(acts.replies(act)))
    doc = msgspec.json.encode(changed).decode()
    work.conn.execute(sa.update(n.acts).where(n.acts.c.act_id == act.act_id).values(doc=doc))


def _put_on_list(work: Work, act: Act, done_by: str) -> None:
    """What the act waits for stands on the operator's list, and nothing else of it."""
    detail = f"reference {act.reference}, act {act.act_id}"
    for state, (kind, did) in _WAITS.items():
        if act.state is state:
            open_task(work, kind=kind, title=f"{act.partner_id} {did} {act.kind} in {act.to_country}", detail=detail)
        else:
            close_tasks(work, done_by=done_by, kind=kind, detail=detail)
