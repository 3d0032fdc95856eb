"""Tables of the network: the papers without which no case leaves, and the terms under which creditors sell."""

from __future__ import annotations

import sqlalchemy as sa

from collecthub.store.columns import id_column, metadata, moment_column, text_column

mandates = sa.Table(  # an agreement, a power of attorney or an identity check; the newest of its kind counts
    "mandates", metadata,
    id_column("mandate_id", key=True), sa.Column("kind", sa.String(24), nullable=False),
    id_column("partner_id", nullable=True), id_column("creditor_id", nullable=True),
    sa.Column("state", sa.String(12), nullable=False),  # signed, revoked, stale
    sa.Column("signed_on", sa.Date, nullable=False), sa.Column("expires_on", sa.Date), sa.Column("checked_on", sa.Date),
    text_column("form"), text_column("signed_by"), text_column("document_sha256"), text_column("note"), text_column("actor"),
    moment_column("created_at", nullable=False),
    sa.Index("ix_mandates_partner", "partner_id", "kind"), sa.Index("ix_mandates_creditor", "creditor_id", "kind"),
)

general_terms = sa.Table(  # what a creditor stated of his general terms: added, never changed
    "general_terms", metadata,
    id_column("terms_id", key=True), id_column("creditor_id"), sa.Column("doc", sa.Text, nullable=False),
    moment_column("stated_at", nullable=False), sa.Index("ix_general_terms_creditor", "creditor_id", "stated_at"),
)

acts = sa.Table(  # an act that a partner elsewhere asks for here, with everything said about it
    "acts", metadata,
    id_column("act_id", key=True), id_column("partner_id"), sa.Column("reference", sa.String(140), nullable=False),
    sa.Column("state", sa.String(12), nullable=False), text_column("doc"), moment_column("asked_at", nullable=False),
    moment_column("changed_at", nullable=False), sa.UniqueConstraint("partner_id", "reference"),
)
