"""Alembic's entry: runs migrations on the connection that `node.storage.migrate` hands over."""

from __future__ import annotations

from alembic import context

from node.storage.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    render_as_batch=True,
    compare_type=True,
)

with context.begin_transaction():
    context.run_migrations()
