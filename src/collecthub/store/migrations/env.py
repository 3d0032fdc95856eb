"""Run migrations on the connection that `collecthub.store.migrate` hands over, in its transaction."""

from __future__ import annotations

from alembic import context

from collecthub.store.schema import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
