"""Assignments and the answers to them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "assignments",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=True),
        sa.Column("subject", sa.Uuid(), nullable=False),
        sa.Column("source", sa.String(40), nullable=True),
        sa.Column("office", sa.String(40), nullable=True),
        sa.Column("unit_id", sa.Uuid(), nullable=True),
        sa.Column("parent_id", sa.Uuid(), nullable=True),
        sa.Column("handler", sa.String(200), nullable=False),
        sa.Column("lead", sa.Boolean(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("due", sa.Date(), nullable=True),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("given_at", TIME, nullable=False),
        sa.Column("given_by", sa.String(200), nullable=False),
        sa.Column("signed_for_at", TIME, nullable=True),
        sa.Column("signed_for_by", sa.String(200), nullable=True),
        sa.Column("settled_at", TIME, nullable=True),
        sa.Column("reminded", sa.String(10), nullable=True),
        _reference("assignments", "item_id", "items.id"),
        _reference("assignments", "unit_id", "units.id"),
        _reference("assignments", "parent_id", "assignments.id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assignments")),
    )
    for columns in (["item_id"], ["subject"], ["unit_id"], ["parent_id"], ["settled_at", "due"]):
        op.create_index(f"ix_assignments_{'_'.join(columns)}", "assignments", columns)
    op.create_table(
        "replies",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("assignment_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("degree", sa.String(20), nullable=True),
        sa.Column("implemented", sa.Boolean(), nullable=True),
        sa.Column("by", sa.String(200), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("accepted", sa.Boolean(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("decided_by", sa.String(200), nullable=True),
        sa.Column("decided_at", TIME, nullable=True),
        _reference("replies", "assignment_id", "assignments.id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_replies")),
    )
    op.create_index("ix_replies_assignment_id", "replies", ["assignment_id"])


def _reference(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [column],
        [to],
        name=op.f(f"fk_{table}_{column}"),
        ondelete="RESTRICT",
        initially="DEFERRED",
        deferrable=True,
    )


def downgrade() -> None:
    op.drop_table("replies")
    op.drop_table("assignments")
