"""The mandate gate: papers are signed and revoked here, cases wait in `pending_mandate` and leave by themselves.

The signer may be a person of the operator, the creditor for his power of attorney, or the partner on its own page: the
caller has checked which of them he is.
"""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa

from collecthub.engine.case_work import change_case, close_tasks, open_task
from collecthub.engine.context import Hub, Work
from collecthub.engine.feasibility import Around
from collecthub.errors import PermanentError
from collecthub.model.case import Case
from collecthub.model.event import HoldReleased
from collecthub.model.ids import new_id
from collecthub.model.mandate import (
    WARNING_DAYS,
    Mandate,
    MandateKind,
    MandateState,
    Wanted,
    ends_on,
    standing,
    wanted,
)
from collecthub.model.partner import PartnerProfile
from collecthub.store import tables as t
from collecthub.store.audit import append_audit
from collecthub.store.facts import read_fact, write_fact
from collecthub.store.mandates import read_mandates, revoke_mandate, write_mandate
from collecthub.store.network_tables import mandates
from collecthub.store.queries.scope import Role, Scope, not_there

PENDING = "pending_mandate"
TASK, ENDING_TASK = "mandate", "mandate_ending"
CASES_PER_CHUNK = 100
WATCHED_ON = "mandates_watched_on"
FORMS = ("", "copy", "original", "notarised", "apostille")


def sign_mandate(
    work: Work, scope: Scope, *, kind: MandateKind, signed_on: dt.date, signed_by: str, partner_id: str | None = None,
    creditor_id: str | None = None, expires_on: dt.date | None = None, form: str = "", document_sha256: str = "",
    note: str = "",
) -> Mandate:  # fmt: skip
    """Keep a signed paper or a check that was made; cases that wait for it go on. The same paper twice is kept once.

    Raises `PermanentError` for a paper that nobody can have signed, and `NotThereError` for parties outside the scope.
    """
    _check(work, scope, kind, partner_id, creditor_id)
    if signed_on > work.now.date() or (expires_on is not None and expires_on < signed_on):
        raise PermanentError("the days do not fit", cure="It is signed today or before, and ends on a later day.")
    if form not in FORMS or not signed_by.strip():
        raise PermanentError("a form or a name is missing", cure="Say who signed; the form is copy, original, notarised or apostille.")
    made = Mandate(
        mandate_id=new_id(), kind=kind, partner_id=partner_id, creditor_id=creditor_id, signed_on=signed_on,
        expires_on=expires_on, checked_on=signed_on, form=form, signed_by=signed_by.strip(),
        document_sha256=document_sha256, note=note, created_at=work.now,
    )  # fmt: skip
    known = next((one for one in read_mandates(work.conn) if _is_same(one, made)), None)
    if known is not None:
        return known
    write_mandate(work.conn, made, scope.subject)
    append_audit(
        work.conn, now=work.now, actor=scope.subject, action="mandate.signed", subject=made.mandate_id,
        detail=f"{kind.value} {partner_id or ''} {creditor_id or ''}".strip(),
    )
    work.wake("mandates", "all")
    return made


def _is_same(known: Mandate, made: Mandate) -> bool:
    return known.state == made.state and all(
        getattr(known, name) == getattr(made, name)
        for name in ("kind", "partner_id", "creditor_id", "signed_on", "expires_on", "form", "signed_by", "document_sha256")
    )


def _check(work: Work, scope: Scope, kind: MandateKind, partner_id: str | None, creditor_id: str | None) -> None:
    if kind is MandateKind.CREDITOR_IDENTITY and (partner_id or not creditor_id):
        raise PermanentError("this check is made of a creditor", cure="Name the creditor and no partner.")
    if kind is not MandateKind.CREDITOR_IDENTITY and not partner_id:
        raise PermanentError(f"{kind.value.replace('_', ' ')} names a partner", cure="Name the partner.")
    allowed = {
        Role.OPERATOR: True,
        Role.CREDITOR: kind is MandateKind.POWER_OF_ATTORNEY and creditor_id == scope.creditor_id,
        Role.PARTNER: kind is MandateKind.AGREEMENT and partner_id == scope.partner_id,
    }
    if not allowed[scope.role]:
        raise PermanentError(
            "this paper is not yours to sign", cure="A creditor signs his power of attorney, a partner its agreement."
        )
    for column, value, whose in (
        (t.partners.c.partner_id, partner_id, "partner"), (t.creditors.c.creditor_id, creditor_id, "creditor"),
    ):  # fmt: skip
        if value and work.conn.scalar(sa.select(column).where(column == value)) is None:
            raise not_there(whose, value)


def revoke(work: Work, scope: Scope, mandate_id: str, *, note: str) -> None:
    """It counts no more for cases that leave from now on; cases that are out stay where they are. Done twice, done once."""
    found = read_mandates(work.conn, mandates.c.mandate_id == mandate_id)
    if not found or (scope.role is not Role.OPERATOR and found[0].creditor_id != scope.creditor_id):
        raise not_there("mandate", mandate_id)
    if found[0].state != "revoked":
        revoke_mandate(work.conn, mandate_id, note)
        append_audit(
            work.conn, now=work.now, actor=scope.subject, action="mandate.revoked", subject=mandate_id, detail=note
        )


def wait_for(work: Work, case: Case, partner: PartnerProfile, missing: tuple[Wanted, ...]) -> None:
    """Put the papers that a case waits for on the lists of those who must sign."""
    for one in missing:
        is_creditors = one.kind in (MandateKind.POWER_OF_ATTORNEY, MandateKind.CREDITOR_IDENTITY)
        open_task(
            work, kind=TASK, title=f"{one.kind.value.replace('_', ' ').capitalize()} for {partner.name} is {one.state.value}",
            detail=f"{one.text}; cases wait for it. Sign it under Mandates.", owner="creditor" if is_creditors else "operator",
            creditor_id=case.creditor_id if is_creditors else None,
        )  # fmt: skip


def release_waiting(hub: Hub, _target: str) -> None:
    """Let every case go on whose papers are complete now."""
    after = ""
    while True:
        with hub.work() as work:
            found = list(work.conn.scalars(_WAITING, {"after": after, "like": f"%{PENDING}%"}))
            work.hold(found)
            around = Around(work.conn, work.now.date())
            for case in filter(None, map(work.book.held, found)):
                if case.held_for(PENDING) and not _missing_of(around, case, work.now.date()):
                    change_case(
                        hub, work, case, [HoldReleased(reason=PENDING, note="every paper is signed")], actor="hub"
                    )
        if len(found) < CASES_PER_CHUNK:
            break
        after = found[-1]
    with hub.work() as work:
        _close_done(work, work.now.date())


_WAITING = (
    sa.select(t.cases.c.case_id)
    .where(t.cases.c.holds.like(sa.bindparam("like")), t.cases.c.case_id > sa.bindparam("after"))
    .order_by(t.cases.c.case_id)
    .limit(CASES_PER_CHUNK)
)


def _missing_of(around: Around, case: Case, on: dt.date) -> tuple[Wanted, ...]:
    """What still lacks for the partner that the case was last checked for."""
    partner = around.profiles.get(case.feasibility.partner_id) if case.feasibility else None
    if partner is None:
        return ()
    return wanted(partner.needs, around.mandates, partner.partner_id, case.creditor_id, on)


def _close_done(work: Work, on: dt.date) -> None:
    """Take requests off the lists that no case waits for any more."""
    around = Around(work.conn, on)
    creditors = list(work.conn.scalars(sa.select(t.creditors.c.creditor_id)))
    still = {
        f"{one.text}; cases wait for it. Sign it under Mandates."
        for partner in around.profiles.values() if partner.needs for creditor_id in creditors
        for one in wanted(partner.needs, around.mandates, partner.partner_id, creditor_id, on)
    }  # fmt: skip
    tasks = work.conn.execute(
        sa.select(t.tasks.c.task_id, t.tasks.c.detail).where(t.tasks.c.kind == TASK, t.tasks.c.state == "open")
    ).all()
    for task in tasks:
        if task.detail not in still:
            close_tasks(work, done_by="hub", task_id=task.task_id)


def watch_mandates(hub: Hub) -> None:
    """Tell somebody in time which papers end soon or are too old: a month before, once each."""
    today = hub.business_date()
    with hub.database.read() as conn:
        if read_fact(conn, WATCHED_ON) == today.isoformat():
            return
        ending = [one for one in read_mandates(conn, mandates.c.state == "signed") if _ends_soon(one, today)]
    with hub.work() as work:
        write_fact(work.conn, WATCHED_ON, today.isoformat())
        for one in ending:
            over = standing(one, today) is not MandateState.VALID
            open_task(
                work, kind=ENDING_TASK, detail=f"{one.mandate_id}: good until {ends_on(one)}",
                title=f"{one.kind.value.replace('_', ' ').capitalize()} of {one.partner_id or one.creditor_id} "
                + ("is over" if over else f"ends on {ends_on(one)}"),
                creditor_id=one.creditor_id,
            )  # fmt: skip


def _ends_soon(mandate: Mandate, today: dt.date) -> bool:
    end = ends_on(mandate)
    return end is not None and end <= today + dt.timedelta(days=WARNING_DAYS)
