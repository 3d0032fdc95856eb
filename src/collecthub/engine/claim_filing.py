"""The claim in an insolvency, ready to be filed: a paper, the same as data, and every enclosure, in one archive.

Made by itself when a proceeding begins, kept with the case, and made anew when somebody asks. Interest is counted until the
day of the declaration, from which time limits run too; a preference must be claimed in the filing, so it is asked for.
"""

from __future__ import annotations

import io
import zipfile
from decimal import Decimal

import msgspec
import sqlalchemy as sa

from collecthub.engine.context import Hub, Work
from collecthub.engine.desk import add_document
from collecthub.engine.documents import keep_document
from collecthub.engine.plan_desk import read_settlement
from collecthub.engine.sensitive_desk import open_document
from collecthub.errors import PermanentError
from collecthub.law.plan_settlement import Settlement
from collecthub.model.case import Case
from collecthub.model.human_tasks import CLAIM_FILES
from collecthub.model.party import Party
from collecthub.model.proceeding import INSOLVENCIES, Proceeding
from collecthub.paper.pdf import sheet_pdf
from collecthub.paper.sheet import Column, Section, Sheet, Table
from collecthub.store import tables as t
from collecthub.store.connections import read_creditor
from collecthub.store.queries.case_file import documents, read_owned_case
from collecthub.store.queries.scope import Role, Scope

KIND, TASK = "insolvency_claim", "file_claim"
CASES_AT_ONCE = 50
_HUB = Scope(role=Role.OPERATOR, subject="hub")


class FiledClaim(msgspec.Struct, frozen=True, kw_only=True):
    """The claim as data. `interest` is counted until `declared_on`; amounts are exact decimals in `currency`."""

    case_number: str
    proceeding: Proceeding
    creditor: Party
    debtor: Party
    settlement: Settlement
    total: Decimal
    preference: str
    goods: tuple[str, ...]
    enclosures: tuple[str, ...]
    left_out: tuple[str, ...]


def claim_archive(
    hub: Hub, scope: Scope, case_id: str, *, preference: str = "", goods: tuple[str, ...] = (), purpose: str = ""
) -> tuple[str, bytes]:
    """Name and bytes of the archive for the insolvency that runs. Sensitive papers are enclosed for a purpose only.

    Raises `PermanentError` when no insolvency runs in the case, `NotThereError` for a case out of scope.
    """
    with hub.database.read() as conn:
        case = read_owned_case(conn, scope, case_id)
        one = _running(case)
        creditor = read_creditor(conn, case.creditor_id)
        settlement = read_settlement(hub, conn, scope, case_id, one.began_on)
        papers = [paper for paper in documents(conn, scope, case_id) if paper.kind != KIND]
    assert creditor is not None, "a case belongs to a creditor"
    kept_back = not purpose and case.is_sensitive
    enclosed = [] if kept_back else [open_document(hub, scope, paper.document_id, purpose) for paper in papers]
    names = tuple(f"enclosure-{place:02d}-{_plain(paper.name)}" for place, paper in enumerate(enclosed, 1))
    claim = FiledClaim(
        case_number=case.number, proceeding=one, creditor=creditor.party, debtor=case.debtor, settlement=settlement,
        total=settlement.open + settlement.interest, preference=preference, goods=goods, enclosures=names,
        left_out=tuple(paper.name for paper in papers) if kept_back else (),
    )  # fmt: skip
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("claim.pdf", sheet_pdf(claim_sheet(claim), hub.now()))
        archive.writestr("claim.json", msgspec.json.format(msgspec.json.encode(claim), indent=1))
        for name, paper in zip(names, enclosed, strict=True):
            archive.writestr(name, hub.evidence.read(paper.sha256))
    return f"{case.number}-{one.kind.value}.zip", held.getvalue()


def _running(case: Case) -> Proceeding:
    found = next((one for one in case.proceedings.all if one.is_open and one.kind in INSOLVENCIES), None)
    if found is None:
        raise PermanentError(f"no insolvency runs in case {case.number}", cure="Begin the proceeding first.")
    return found


def _plain(name: str) -> str:
    return "".join(char if char.isalnum() or char in ".-_" else "_" for char in name)[-80:] or "paper"


def claim_sheet(claim: FiledClaim) -> Sheet:
    """The paper: who claims what from whom, in which proceeding, with every invoice and how the sum comes about."""
    one, settled = claim.proceeding, claim.settlement
    rows = tuple(
        (line.number, str(line.due_on), _amount(line.principal), _amount(line.paid), _amount(line.open), _amount(line.interest))
        for line in settled.claims
    )
    sums = ("Sum", "", _amount(settled.principal), _amount(settled.paid), _amount(settled.open), _amount(settled.interest))
    names = ("Invoice", "Due on", "Principal", "Paid", "Open", f"Interest until {settled.until}")
    columns = tuple(Column(name=name, is_amount=place > 1) for place, name in enumerate(names))
    notes = [f"Costs and compensation booked before: {_amount(settled.other)} {settled.currency}."] if settled.other else []
    notes += [f"{line.number}: no interest is claimed, {line.problem}." for line in settled.claims if line.problem]
    notes.append(f"Claimed in all: {_amount(claim.total)} {settled.currency}.")
    goods = claim.goods or ("None are named. Goods of the creditor at the debtor's must be claimed before the inventory is closed.",)
    enclosed = claim.enclosures or ("None.",)
    kept = (f"{len(claim.left_out)} papers tell of the debtor's health and are handed over on request.",) if claim.left_out else ()
    return Sheet(
        title="Claim in an insolvency", subtitle=f"Case {claim.case_number}",
        facts=(
            ("Proceeding", one.kind.value.replace("_", " ")), ("Court, trustee or mediator", one.authority or "not known"),
            ("Reference", one.reference or "not known"), ("Declared on", str(one.began_on)),
            ("To be filed by", str(one.deadline_on or "in time; the limit is not known")),
            ("Creditor", _who(claim.creditor)), ("Debtor", _who(claim.debtor)),
            ("Preference", claim.preference or "none: an ordinary claim"),
        ),
        sections=(
            Section(title="Claims", table=Table(columns=columns, rows=(*rows, sums), sum_rows=1), paragraphs=tuple(notes)),
            Section(title="Goods to be returned", paragraphs=goods), Section(title="Enclosures", paragraphs=(*enclosed, *kept)),
        ),
    )  # fmt: skip


def _amount(value: Decimal) -> str:
    return f"{value:,.2f}"


def _who(party: Party) -> str:
    place = " ".join(filter(None, (*party.address.lines, party.address.postcode, party.address.city, party.country)))
    return ", ".join(filter(None, (party.name, party.registration_ref or party.vat_ref, place)))


def keep_claim_file(hub: Hub, work: Work, scope: Scope, case_id: str, made: tuple[str, bytes]) -> str:
    """Put an archive with the case's documents. Returns its id."""
    name, content = made
    kept = keep_document(hub, content, name=name, kind=KIND, media_type="application/zip")
    return add_document(hub, work, scope, case_id, kept)


def make_claim_files(hub: Hub, creditor_id: str) -> None:
    """Job: every case whose claim is to be filed gets its archive, while the task waits for a person."""
    has_file = sa.select(t.documents.c.case_id).where(t.documents.c.kind == KIND)
    query = (
        sa.select(t.tasks.c.case_id)
        .where(
            t.tasks.c.creditor_id == creditor_id, t.tasks.c.kind == TASK, t.tasks.c.state == "open",
            t.tasks.c.case_id.is_not(None), t.tasks.c.case_id.not_in(has_file),
        )
        .distinct()
        .order_by(t.tasks.c.case_id)
        .limit(CASES_AT_ONCE)
    )  # fmt: skip
    with hub.database.read() as conn:
        found = [str(case_id) for case_id in conn.scalars(query)]
    is_done = False
    for case_id in found:
        try:
            made = claim_archive(hub, _HUB, case_id)
        except PermanentError:
            continue  # the proceeding has ended meanwhile; the task says what a person wants to know
        with hub.work() as work:
            keep_claim_file(hub, work, _HUB, case_id, made)
        is_done = True
    if is_done and len(found) == CASES_AT_ONCE:
        with hub.work() as work:
            work.wake(CLAIM_FILES, creditor_id)
