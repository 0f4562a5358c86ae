"""Quarantine that is decided on, and links that are paused or carried by files."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
WANTED = sa.text("state = 'wanted'")


def upgrade() -> None:
    with op.batch_alter_table("quarantine") as batch_op:
        batch_op.add_column(
            sa.Column("state", sa.String(length=10), server_default="held", nullable=False)
        )
        batch_op.add_column(sa.Column("decided_at", TIME, nullable=True))
        batch_op.add_column(sa.Column("decided_by", sa.String(length=60), nullable=True))
        batch_op.add_column(sa.Column("reason", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("outcome", sa.String(length=60), nullable=True))
        batch_op.create_index(
            "ix_quarantine_wanted",
            ["decided_at"],
            unique=False,
            postgresql_where=WANTED,
            sqlite_where=WANTED,
        )
    with op.batch_alter_table("links") as batch_op:
        batch_op.add_column(sa.Column("paused_at", TIME, nullable=True))
        batch_op.add_column(sa.Column("paused_by", sa.String(length=60), nullable=True))
        batch_op.add_column(sa.Column("paused_reason", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("exported_at", TIME, nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("links") as batch_op:
        batch_op.drop_column("exported_at")
        batch_op.drop_column("paused_reason")
        batch_op.drop_column("paused_by")
        batch_op.drop_column("paused_at")
    with op.batch_alter_table("quarantine") as batch_op:
        batch_op.drop_index("ix_quarantine_wanted", postgresql_where=WANTED, sqlite_where=WANTED)
        batch_op.drop_column("outcome")
        batch_op.drop_column("reason")
        batch_op.drop_column("decided_by")
        batch_op.drop_column("decided_at")
        batch_op.drop_column("state")
