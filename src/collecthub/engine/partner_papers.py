"""How a partner joins: it brings its licence and signs the agreement and the terms of powers of attorney on screen."""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec
import sqlalchemy as sa

from collecthub.engine.case_work import open_task
from collecthub.engine.context import Hub, Work
from collecthub.engine.mandates import sign_mandate
from collecthub.engine.page_guard import paper_type
from collecthub.errors import PermanentError
from collecthub.model.ids import derived_id
from collecthub.model.mandate import MandateKind
from collecthub.store import partner_tables as p
from collecthub.store.queries.scope import Scope

LICENCE, AGREEMENT, ATTORNEY = "licence", "agreement", "power_of_attorney"
PAPER_BYTES_MAX = 20_000_000


class Paper(msgspec.Struct, frozen=True, kw_only=True):
    """A paper of a partner. `sha256` is of the bytes it brought, or of the text that it signed, in its language."""

    paper_id: str
    kind: str
    name: str
    sha256: str
    language: str
    signed_by: str
    created_at: dt.datetime
    expires_on: dt.date | None


def bring_licence(
    hub: Hub, work: Work, scope: Scope, *, name: str, content: bytes, language: str, expires_on: dt.date | None
) -> str:
    """Keep a licence that a partner uploads; a person looks at it. Raises `PermanentError` unless it is a PDF or a picture."""
    media_type = paper_type(content)
    if not media_type or len(content) > PAPER_BYTES_MAX:
        raise PermanentError("this is no PDF, PNG or JPEG of at most 20 MB", cure="Choose another file.")
    sha256 = hub.evidence.keep(content)
    paper_id = _keep(
        work, scope, kind=LICENCE, name=name, media_type=media_type, sha256=sha256, language=language, signed_by="",
        expires_on=expires_on,
    )
    until = f", good until {expires_on}" if expires_on else ""
    open_task(
        work, kind="partner_licence", title=f"{scope.partner_id} brought a licence",
        detail=f"{name}{until}; paper {paper_id}. Look at it and enter it in the partner's profile.",
    )
    return paper_id


def sign_paper(hub: Hub, work: Work, scope: Scope, *, kind: str, text: str, signed_by: str, language: str) -> str:
    """Sign a text on screen. What was read is kept word for word, with name, moment and the link it was signed through.

    A signed agreement counts at the mandate gate at once.
    """
    if kind not in (AGREEMENT, ATTORNEY):
        raise PermanentError(f"{kind[:30]!r} is not signed here", cure="Sign the agreement or the power of attorney.")
    if not signed_by.strip():
        raise PermanentError("nobody signed", cure="Write your full name.")
    sha256 = hub.evidence.keep(text.encode())
    paper_id = _keep(
        work, scope, kind=kind, name=kind, media_type="text/plain", sha256=sha256, language=language,
        signed_by=signed_by.strip(), expires_on=None,
    )
    if kind == AGREEMENT:
        sign_mandate(
            work, scope, kind=MandateKind.AGREEMENT, signed_on=work.now.date(), signed_by=signed_by.strip(),
            partner_id=scope.partner_id, document_sha256=sha256, note="signed on the partner's page",
        )
    return paper_id


def _keep(work: Work, scope: Scope, **values: Any) -> str:
    paper_id = derived_id(scope.partner_id or "", values["kind"], values["sha256"], values["signed_by"])
    if work.conn.scalar(sa.select(p.partner_papers.c.paper_id).where(p.partner_papers.c.paper_id == paper_id)) is None:
        work.conn.execute(
            sa.insert(p.partner_papers).values(
                paper_id=paper_id, partner_id=scope.partner_id, actor=scope.subject, created_at=work.now, **values
            )
        )
    return paper_id


def list_papers(conn: sa.Connection, partner_id: str) -> tuple[Paper, ...]:
    """A partner's papers, newest first."""
    query = sa.select(p.partner_papers).where(p.partner_papers.c.partner_id == partner_id)
    fields = Paper.__struct_fields__
    rows = conn.execute(query.order_by(p.partner_papers.c.created_at.desc()))
    return tuple(Paper(**{name: getattr(row, name) for name in fields}) for row in rows)
