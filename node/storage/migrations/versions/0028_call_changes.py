"""Calls that are changed after they were issued, and notices that tell of them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
COLUMNS = ("revision", "first_due", "ended", "ended_at", "ended_reason")


def upgrade() -> None:
    with op.batch_alter_table("calls") as batch_op:
        batch_op.add_column(sa.Column("revision", sa.Integer(), server_default="0", nullable=False))
        batch_op.add_column(sa.Column("first_due", TIME, nullable=True))
        batch_op.add_column(sa.Column("ended", sa.String(20), nullable=True))
        batch_op.add_column(sa.Column("ended_at", TIME, nullable=True))
        batch_op.add_column(sa.Column("ended_reason", sa.Text(), nullable=True))
    op.execute("UPDATE calls SET first_due = due")
    with op.batch_alter_table("notices") as batch_op:
        batch_op.alter_column("item_id", existing_type=sa.Uuid(), nullable=True)
        batch_op.alter_column("event_id", existing_type=sa.Uuid(), nullable=True)
        batch_op.add_column(sa.Column("call_id", sa.Uuid(), nullable=True))
        batch_op.add_column(sa.Column("words", sa.Text(), nullable=True))
        batch_op.create_foreign_key(
            op.f("fk_notices_call_id"),
            "calls",
            ["call_id"],
            ["id"],
            ondelete="RESTRICT",
            initially="DEFERRED",
            deferrable=True,
        )


def downgrade() -> None:
    op.execute("DELETE FROM notices WHERE call_id IS NOT NULL")
    with op.batch_alter_table("notices") as batch_op:
        batch_op.drop_constraint(op.f("fk_notices_call_id"), type_="foreignkey")
        batch_op.drop_column("words")
        batch_op.drop_column("call_id")
        batch_op.alter_column("event_id", existing_type=sa.Uuid(), nullable=False)
        batch_op.alter_column("item_id", existing_type=sa.Uuid(), nullable=False)
    with op.batch_alter_table("calls") as batch_op:
        for column in COLUMNS:
            batch_op.drop_column(column)
