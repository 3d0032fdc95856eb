"""Registers of insolvencies: what they publish comes in, is matched by evidence, and stops every case at once.

The same number in the register under the same name is certain: the proceeding begins in each of the debtor's open cases,
which holds them and starts the time limits. A name at the same address, or a number under another name, is for a person.
Notices are kept, so that a case which is opened later meets them too.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence

import msgspec
import sqlalchemy as sa

from collecthub.engine.case_work import change_case, locked_case, open_task
from collecthub.engine.context import Hub, Work
from collecthub.engine.identity import identify
from collecthub.engine.proceeding_desk import begin_proceeding
from collecthub.engine.trouble import connection_trouble, connection_well
from collecthub.errors import CollecthubError
from collecthub.model.case import Case
from collecthub.model.debtor_identity import Kinship, judge, keys, likeness
from collecthub.model.facts_human import SolvencyChecked
from collecthub.model.party import Party
from collecthub.model.proceeding import INSOLVENCIES
from collecthub.model.solvency import SolvencyCheck, SolvencyVerdict
from collecthub.register_ports import InsolvencyNotice, InsolvencyRegister
from collecthub.store import human_tables as h
from collecthub.store import tables as t
from collecthub.store.connections import change_connection, read_connection
from collecthub.store.queries.scope import Role, Scope
from collecthub.store.upsert import put

JOB, TASK = "register", "register_notice"
MATCHED, POSSIBLE, NOBODY = "matched", "possible", "nobody"
_HUB = Scope(role=Role.OPERATOR, subject="hub")
log = logging.getLogger(__name__)


def watch_register(hub: Hub, connection_id: str) -> None:
    """Job: everything that a register published since the last look."""
    with hub.database.read() as conn:
        row = read_connection(conn, connection_id)
    if row is None:
        return
    register = hub.connector_for(row)
    if not isinstance(register, InsolvencyRegister):
        return
    try:
        for page in hub.walk(f"{row.kind}.notices", connection_id)(register.notices(row.checkpoint)):
            with hub.work() as work:
                for notice in page.notices:
                    _take(hub, work, connection_id, notice)
                for reference in page.unread:
                    open_task(
                        work, kind="register_unread", title="a publication of the register cannot be read",
                        detail=reference, connection_id=connection_id,
                    )
                change_connection(work.conn, connection_id, checkpoint=page.checkpoint)
    except CollecthubError as error:
        connection_trouble(hub, connection_id, error, job=JOB)
        return
    connection_well(hub, row)


def identify_and_watch(hub: Hub, creditor_id: str) -> None:
    """Job: who the debtors are, and whether a register has published about one who is new here."""
    identify(hub, creditor_id)
    notices, members = h.register_notices, h.identity_keys
    query = (
        sa.select(notices.c.connection_id, notices.c.notice_ref, notices.c.doc)
        .join(members, members.c.key == notices.c.register_key)
        .join(
            t.cases,
            (t.cases.c.connection_id == members.c.connection_id) & (t.cases.c.debtor_ref == members.c.debtor_ref),
        )
        .where(t.cases.c.creditor_id == creditor_id, t.cases.c.status != "closed", ~t.cases.c.holds.contains("insolvency"))
        .distinct()
    )
    with hub.database.read() as conn:
        found = conn.execute(query).all()
    for row in found:
        with hub.work() as work:
            _take(hub, work, row.connection_id, msgspec.json.decode(row.doc, type=InsolvencyNotice))


def _take(hub: Hub, work: Work, connection_id: str, notice: InsolvencyNotice) -> None:
    """Keep a notice and let it have its effect; a repeated one changes nothing more."""
    named = _party(notice)
    like = likeness(named, connection_id, "")
    certain: list[Case] = []
    possible: list[Case] = []
    for cases in _candidates(work, sorted(keys(like))):
        kinships = {judge(like, likeness(case.debtor, case.connection_id, "")).kinship for case in cases}
        if Kinship.SAME in kinships:
            certain += cases
        elif Kinship.POSSIBLE in kinships:
            possible += cases
    for case in certain:
        _apply(hub, work, case, notice)
    for case in possible:
        open_task(
            work, kind=TASK, title=f"case {case.number}: is the debtor in the register of insolvencies?",
            detail=f"{notice.kind.value} {notice.notice_ref} of {notice.declared_on}: compare number, name and address",
            case_id=case.case_id,
        )
    register_key = sorted(keys(likeness(msgspec.structs.replace(named, address=type(named.address)()), connection_id, "")))
    put(
        work.conn, h.register_notices,
        {
            "connection_id": connection_id, "notice_ref": notice.notice_ref, "name_key": like.name[:200],
            "register_key": register_key[0] if register_key else "", "doc": msgspec.json.encode(notice).decode(),
            "state": MATCHED if certain else POSSIBLE if possible else NOBODY, "received_at": work.now,
        },
    )  # fmt: skip


def _party(notice: InsolvencyNotice) -> Party:
    return Party(
        name=notice.name, country=notice.country, registration_ref=notice.register_ref, vat_ref=notice.register_ref,
        address=notice.address,
    )


def _candidates(work: Work, wanted: Sequence[str]) -> Iterable[list[Case]]:
    """Open cases of debtors who share a key with the notice, by debtor: with every creditor, under every number."""
    known = h.identity_keys
    members = h.identity_members
    same = (members.c.connection_id == known.c.connection_id) & (members.c.debtor_ref == known.c.debtor_ref)
    identities = sa.select(members.c.identity_id).join_from(known, members, same).where(known.c.key.in_(wanted))
    theirs = (members.c.connection_id == t.cases.c.connection_id) & (members.c.debtor_ref == t.cases.c.debtor_ref)
    query = (
        sa.select(t.cases.c.case_id, members.c.identity_id)
        .join_from(t.cases, members, theirs)
        .where(members.c.identity_id.in_(identities), t.cases.c.status != "closed")
        .order_by(t.cases.c.case_id)
    )
    found = work.conn.execute(query).all()
    work.hold(row.case_id for row in found)
    by_debtor: dict[str, list[Case]] = defaultdict(list)
    for row in found:
        case = work.book.held(row.case_id)
        if case is not None and case.is_open:
            by_debtor[row.identity_id].append(case)
    return by_debtor.values()


def _apply(hub: Hub, work: Work, case: Case, notice: InsolvencyNotice) -> None:
    """The proceeding begins in a case, or ends; what was noted already is not noted again."""
    known = [one for one in case.proceedings.all if one.kind is notice.kind and one.reference == notice.reference]
    if notice.is_end or known or any(one.is_open and one.kind in INSOLVENCIES for one in case.proceedings.all):
        if notice.is_end and any(one.is_open for one in known):
            open_task(
                work, kind=TASK, title=f"case {case.number}: the register says that the {notice.kind.value} has ended",
                detail=notice.notice_ref, case_id=case.case_id, creditor_id=case.creditor_id,
            )
        return
    authority = ", ".join(filter(None, (notice.authority, notice.holder)))
    check = SolvencyCheck(
        source="register of insolvencies", verdict=SolvencyVerdict.INSOLVENT,
        text=f"{notice.kind.value} of {notice.declared_on}, {notice.notice_ref}", checked_on=work.now.date(),
    )  # fmt: skip
    begin_proceeding(
        hub, work, _HUB, case.case_id, kind=notice.kind, began_on=notice.declared_on, authority=authority,
        reference=notice.reference,
    )  # fmt: skip
    change_case(hub, work, locked_case(work, case.case_id), [SolvencyChecked(check=check)], actor="hub")
