"""Drafts of a new edition of an item that was returned."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("drafts") as batch_op:
        batch_op.add_column(sa.Column("item_id", sa.Uuid(), nullable=True))
        batch_op.add_column(sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.create_foreign_key(
            op.f("fk_drafts_item_id"),
            "items",
            ["item_id"],
            ["id"],
            ondelete="RESTRICT",
            initially="DEFERRED",
            deferrable=True,
        )
    op.create_index("ix_drafts_item_id", "drafts", ["item_id"])


def downgrade() -> None:
    op.execute(
        "DELETE FROM draft_files WHERE draft_id IN"
        " (SELECT id FROM drafts WHERE item_id IS NOT NULL)"
    )
    op.execute(
        "DELETE FROM draft_versions WHERE draft_id IN"
        " (SELECT id FROM drafts WHERE item_id IS NOT NULL)"
    )
    op.execute("DELETE FROM drafts WHERE item_id IS NOT NULL")
    op.drop_index("ix_drafts_item_id", "drafts")
    with op.batch_alter_table("drafts") as batch_op:
        batch_op.drop_constraint(op.f("fk_drafts_item_id"), type_="foreignkey")
        batch_op.drop_column("submitted_at")
        batch_op.drop_column("item_id")
