"""Files that a fact about an item, or an answer to an assignment, names."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

LIST = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "enclosures",
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=True),
        sa.Column("source", sa.String(40), nullable=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("media_type", sa.String(100), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("pieces", LIST, nullable=False),
        sa.ForeignKeyConstraint(
            ["item_id"],
            ["items.id"],
            name=op.f("fk_enclosures_item_id"),
            ondelete="RESTRICT",
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("owner_id", "digest", name=op.f("pk_enclosures")),
    )
    op.create_index("ix_enclosures_digest", "enclosures", ["digest"])
    op.create_index("ix_enclosures_item_id", "enclosures", ["item_id"])


def downgrade() -> None:
    op.drop_table("enclosures")
