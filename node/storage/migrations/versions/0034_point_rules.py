"""Rules by which authors get points."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "point_rules",
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("from_year", sa.Integer(), nullable=False),
        sa.Column("content", JSON, nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("set_by", sa.String(200), nullable=False),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_point_rules")),
    )


def downgrade() -> None:
    op.drop_table("point_rules")
