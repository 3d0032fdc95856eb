"""Tables of the partners' doors: personal links, papers, balances, answers, webhook attempts."""

from __future__ import annotations

import sqlalchemy as sa

from collecthub.store.columns import count_column, id_column, metadata, moment_column, text_column

partner_links = sa.Table(  # a door of one partner without a login: the address and, apart from it, the code
    "partner_links", metadata,
    id_column("link_id", key=True), id_column("partner_id"), sa.Column("token_hash", sa.String(64), nullable=False, unique=True),
    sa.Column("code_hash", sa.String(64), nullable=False), sa.Column("language", sa.String(8), nullable=False),
    sa.Column("zone", sa.String(64), nullable=False), text_column("created_by"), moment_column("created_at", nullable=False),
    moment_column("expires_at", nullable=False), moment_column("revoked_at"), count_column("tries"), moment_column("tried_at"),
    sa.Index("ix_partner_links_partner", "partner_id"),
)

partner_visits = sa.Table(  # a browser that gave the code of a link
    "partner_visits", metadata,
    sa.Column("visit_hash", sa.String(64), primary_key=True), id_column("link_id"), text_column("csrf"),
    moment_column("expires_at", nullable=False),
)

partner_papers = sa.Table(  # what a partner brought or signed
    "partner_papers", metadata,
    id_column("paper_id", key=True), id_column("partner_id"), sa.Column("kind", sa.String(32), nullable=False),
    text_column("name"), text_column("media_type"), sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("language", sa.String(8), nullable=False), text_column("signed_by"), text_column("actor"),
    moment_column("created_at", nullable=False), sa.Column("expires_on", sa.Date),
    sa.Index("ix_partner_papers_partner", "partner_id", "kind", "created_at"),
)

partner_balances = sa.Table(  # the monthly comparison of a partner's books with ours
    "partner_balances", metadata,
    id_column("balance_id", key=True), id_column("partner_id"), sa.Column("period", sa.String(7), nullable=False),
    sa.Column("state", sa.String(12), nullable=False), count_column("lines"), count_column("differences"),
    sa.Column("sha256", sa.String(64), nullable=False), text_column("signed_by"), text_column("remark"),
    moment_column("signed_at"), moment_column("created_at", nullable=False),
    sa.Index("ix_partner_balances_partner", "partner_id", "period"),
)

partner_answers = sa.Table(  # what a partner says to its score
    "partner_answers", metadata,
    id_column("answer_id", key=True), id_column("partner_id"), sa.Column("subject", sa.String(40), nullable=False),
    text_column("text"), text_column("actor"), moment_column("created_at", nullable=False),
    sa.Index("ix_partner_answers_partner", "partner_id", "created_at"),
)

partner_reminders = sa.Table(  # a lateness of a placement that its partner was reminded of, once each
    "partner_reminders", metadata,
    id_column("placement_id", key=True), sa.Column("step", sa.String(24), primary_key=True),
    sa.Column("round", sa.Integer, primary_key=True), id_column("partner_id"), id_column("case_id"),
    moment_column("created_at", nullable=False), sa.Index("ix_partner_reminders_partner", "partner_id", "created_at"),
)

webhook_attempts = sa.Table(  # every try to deliver a report to somebody's endpoint
    "webhook_attempts", metadata,
    id_column("report_id", key=True), sa.Column("attempt", sa.Integer, primary_key=True), id_column("connection_id"),
    moment_column("tried_at", nullable=False), sa.Column("is_delivered", sa.Boolean, nullable=False), text_column("detail"),
    sa.Index("ix_webhook_attempts_connection", "connection_id", "tried_at"),
)
