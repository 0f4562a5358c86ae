"""Purged items, and which offices purged them too."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "purges",
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("actor", sa.String(length=60), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("item_id", name=op.f("pk_purges")),
    )
    op.create_table(
        "purge_answers",
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("office", sa.String(length=40), nullable=False),
        sa.Column("asked_at", TIME, nullable=True),
        sa.Column("purged_at", TIME, nullable=True),
        sa.PrimaryKeyConstraint("item_id", "office", name=op.f("pk_purge_answers")),
    )
    with op.batch_alter_table("items") as batch_op:
        batch_op.add_column(sa.Column("purged_at", TIME, nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("items") as batch_op:
        batch_op.drop_column("purged_at")
    op.drop_table("purge_answers")
    op.drop_table("purges")
