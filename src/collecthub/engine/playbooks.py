"""What operator and creditor agree on: the steps before a hand-over, read from a text, kept in every version."""

from __future__ import annotations

import datetime as dt
import tomllib
from decimal import Decimal

import msgspec
import sqlalchemy as sa

from collecthub.engine.case_law import law_or_reason
from collecthub.engine.context import Hub, Work
from collecthub.errors import PermanentError
from collecthub.formats.plain_json import check_texts
from collecthub.law.contact_trial import PastItem, Taken, Trial, try_playbook
from collecthub.model.approval import ApprovalLimits
from collecthub.model.contact import ContactPolicy
from collecthub.model.money import parse_amount
from collecthub.model.plan import PlanLimits
from collecthub.score.receivables import layout_of, past_invoices
from collecthub.store import tables as t
from collecthub.store.audit import append_audit
from collecthub.store.connections import CreditorRow, Playbook, read_creditor, write_creditor
from collecthub.store.contact_tables import playbook_versions
from collecthub.store.queries.scope import NotThereError, Scope
from collecthub.wire.tabular import read_rows

_CENT = Decimal("0.01")


class PlaybookVersion(msgspec.Struct, frozen=True, kw_only=True):
    """One version as it was written, with who of the other side agreed, and when. Cases keep the one they began with."""

    number: int
    content: str
    agreed_at: dt.datetime
    agreed_by: str
    note: str
    agreed_with: str = ""
    agreed_on: dt.date | None = None


class Agreement(msgspec.Struct, frozen=True, kw_only=True):
    """With whom of the other side something was agreed, on which day."""

    who: str
    on: dt.date


class Past(msgspec.Struct, frozen=True, kw_only=True):
    """The invoices of a file, the last day it knows, and a sentence for each row that could not be read."""

    items: tuple[PastItem, ...]
    until: dt.date
    refused: tuple[str, ...]


class DryRun(msgspec.Struct, frozen=True, kw_only=True):
    """What a playbook would have done, beside the one that holds (None where nothing holds).

    `letters` are its single steps; `refused` says of each row of the file that could not be read, why.
    """

    tried: Trial
    held: Trial | None
    country: str
    segment: str
    letters: tuple[Taken, ...] = ()
    refused: tuple[str, ...] = ()


class PlaybookTerms(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that the text of a playbook says: it is the whole agreement, so what it leaves out is as shipped."""

    contact: tuple[ContactPolicy, ...]
    plans: PlanLimits = PlanLimits()
    approval: ApprovalLimits = ApprovalLimits()


def terms_of(playbook: Playbook) -> PlaybookTerms:
    """The part of what holds today that a text can say."""
    return PlaybookTerms(contact=playbook.contact, plans=playbook.plans, approval=playbook.approval)


def read_terms(text: str, name: str) -> PlaybookTerms:
    """What a text agrees to. Raises `PermanentError` naming what is wrong and where."""
    try:
        is_json = text.lstrip().startswith("{")  # a version that no text was given for
        said = msgspec.json.decode(text) if is_json else tomllib.loads(text, parse_float=parse_amount)
        if "contact" not in said:
            raise PermanentError(f"{name} names {', '.join(sorted(said)) or 'nothing'}", cure="Begin with [[contact]].")
        check_texts(said, PlaybookTerms)
        return msgspec.convert(said, PlaybookTerms)
    except (tomllib.TOMLDecodeError, msgspec.DecodeError) as error:
        raise PermanentError(
            f"{name} is no playbook: {error}", cure="See docs/howto/playbook.md for an example."
        ) from error


def agree_playbook(
    hub: Hub, scope: Scope, creditor_id: str, terms: PlaybookTerms, *, agreed: Agreement | None, content: str = "", note: str = ""
) -> int:
    """The operator enters what a creditor without a login agreed to: from now on new cases follow these steps, and plans and
    costs these limits. Returns the version.

    Raises `NotThereError` out of scope, `PermanentError` for the word of one side, or without with whom and when.
    """
    with hub.work() as work:
        creditor_of(work.conn, scope, creditor_id)
        if not may_enter(work.conn, scope, creditor_id):
            raise PermanentError(
                "a playbook is what both sides agreed on, and this is the word of one", cure="Propose it: it holds once the other side agrees."
            )
        if agreed is None or not agreed.who.strip() or agreed.on > work.now.date():
            raise PermanentError(
                "it is not said with whom at the creditor this was agreed, and when",
                cure="Give the name and the day; both are kept with the version.",
            )
        return write_version(work, scope, creditor_id, terms, agreed=agreed, content=content, note=note)


def may_enter(conn: sa.Connection, scope: Scope, creditor_id: str) -> bool:
    """Whether what was agreed elsewhere may be entered: by the operator, for a creditor of whom nobody can log in."""
    theirs = (t.users.c.creditor_id == creditor_id) & t.users.c.disabled_at.is_(None)
    return scope.creditor_id is None and conn.scalar(sa.select(sa.exists().where(theirs))) is False


def write_version(
    work: Work, scope: Scope, creditor_id: str, terms: PlaybookTerms, *, agreed: Agreement, content: str, note: str
) -> int:
    """What both sides agreed to, in the caller's transaction."""
    row = creditor_of(work.conn, scope, creditor_id)
    playbook = msgspec.structs.replace(row.playbook, contact=terms.contact, plans=terms.plans, approval=terms.approval)
    write_creditor(work.conn, msgspec.structs.replace(row, playbook=playbook), work.now)
    mine = playbook_versions.c.creditor_id == creditor_id
    number = int(work.conn.scalar(sa.select(sa.func.max(playbook_versions.c.number)).where(mine)) or 0) + 1
    work.conn.execute(
        sa.insert(playbook_versions).values(
            creditor_id=creditor_id, number=number, content=content or _as_json(terms), agreed_at=work.now,
            agreed_by=scope.subject, note=note, agreed_with=agreed.who, agreed_on=agreed.on,
        )
    )
    append_audit(
        work.conn, now=work.now, actor=scope.subject, action="playbook.agreed", subject=creditor_id,
        detail=f"version {number}: {', '.join(policy.name for policy in terms.contact)}",
    )
    return number


def creditor_of(conn: sa.Connection, scope: Scope, creditor_id: str) -> CreditorRow:
    """The creditor. Raises `NotThereError` for one out of scope."""
    row = read_creditor(conn, creditor_id)
    if row is None or (scope.creditor_id is not None and scope.creditor_id != creditor_id):
        raise NotThereError(f"there is no creditor {creditor_id}", cure="See `collecthub creditor list`.")
    return row


def _as_json(terms: PlaybookTerms) -> str:
    return msgspec.json.format(msgspec.json.encode(terms)).decode()


def playbook_history(conn: sa.Connection, scope: Scope, creditor_id: str) -> tuple[CreditorRow, list[PlaybookVersion]]:
    """The creditor and every version, the newest first. Raises `NotThereError` for one out of scope."""
    row = creditor_of(conn, scope, creditor_id)
    query = (
        sa.select(playbook_versions)
        .where(playbook_versions.c.creditor_id == creditor_id)
        .order_by(playbook_versions.c.number.desc())
    )
    found = [
        PlaybookVersion(
            number=one.number, content=one.content, agreed_at=one.agreed_at, agreed_by=one.agreed_by, note=one.note or "",
            agreed_with=one.agreed_with, agreed_on=one.agreed_on,
        )
        for one in conn.execute(query)
    ]  # fmt: skip
    return row, found


def text_of_version(conn: sa.Connection, scope: Scope, creditor_id: str, number: int) -> str:
    """One version as it was written. Raises `NotThereError`."""
    found = [one for one in playbook_history(conn, scope, creditor_id)[1] if one.number == number]
    if not found:
        raise NotThereError(f"there is no version {number}", cure="See the list of versions.")
    return found[0].content


def dry_run(
    hub: Hub, past: Past, *, tried: tuple[ContactPolicy, ...], held: tuple[ContactPolicy, ...],
    country: str, segment: str,
) -> DryRun:
    """Both on the same past. Raises `PermanentError` where what is tried says nothing about such debtors."""
    law, _ = law_or_reason(hub, country)
    then = try_playbook(tried, past.items, past.until, country=country, segment=segment, law=law)
    if then is None:
        raise PermanentError(f"the playbook says nothing about {segment} in {country}", cure="Choose other debtors.")
    now = try_playbook(held, past.items, past.until, country=country, segment=segment, law=law)
    return DryRun(
        tried=then[0], held=now[0] if now else None, country=country, segment=segment, letters=tuple(then[1]),
        refused=past.refused,
    )


def past_items(content: bytes, name: str) -> Past:
    """The invoices of a file for a dry run, to the cent. Raises `PermanentError` for an empty one."""
    rows = [(row.line, row.cells) for row in read_rows(content, name)]
    found, refused = past_invoices(layout_of(rows[0][1] if rows else ()), rows)
    items = tuple(
        PastItem(
            debtor=one.customer, due_on=one.due_on, settled_on=one.settled_on, amount=one.amount.quantize(_CENT)
        )
        for one in found
    )  # fmt: skip
    if not items:
        raise PermanentError(f"{name} holds no invoices", cure="Give a file with a line per past invoice.")
    until = max(day for one in items for day in (one.due_on, one.settled_on) if day is not None)
    return Past(items=items, until=until, refused=tuple(refused))
