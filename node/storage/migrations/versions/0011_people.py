"""Roles of people, and what they were refused."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    with op.batch_alter_table("people") as batch_op:
        batch_op.drop_column("role")
        batch_op.add_column(sa.Column("roles", JSON, nullable=False))
    op.create_table(
        "refusals",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("username", sa.String(length=60), nullable=False),
        sa.Column("action", sa.String(length=60), nullable=False),
        sa.PrimaryKeyConstraint("day", "username", "action", name=op.f("pk_refusals")),
    )


def downgrade() -> None:
    op.drop_table("refusals")
    with op.batch_alter_table("people") as batch_op:
        batch_op.drop_column("roles")
        batch_op.add_column(sa.Column("role", sa.String(length=20), nullable=False))
