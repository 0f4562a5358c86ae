"""The tables of attachments: files, who names them, and their pieces on the way."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
DIGEST = sa.String(length=64)
NODE = sa.String(length=40)


def upgrade() -> None:
    op.create_table(
        "files",
        sa.Column("digest", DIGEST, nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("media_type", sa.String(length=100), nullable=False),
        sa.Column("pieces", JSON, nullable=False),
        sa.Column("touched_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_files")),
    )
    op.create_table(
        "uploads",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("digest", DIGEST, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["people.id"],
            name=op.f("fk_uploads_person_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("person_id", "digest", name=op.f("pk_uploads")),
    )
    op.create_table(
        "attachments",
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("edition", sa.Integer(), nullable=False),
        sa.Column("digest", DIGEST, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("media_type", sa.String(length=100), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("pieces", JSON, nullable=False),
        sa.ForeignKeyConstraint(
            ["item_id"],
            ["items.id"],
            name=op.f("fk_attachments_item_id"),
            ondelete="RESTRICT",
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("item_id", "edition", "digest", name=op.f("pk_attachments")),
    )
    op.create_table(
        "transfers",
        sa.Column("source", NODE, nullable=False),
        sa.Column("digest", DIGEST, nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("media_type", sa.String(length=100), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("pieces", JSON, nullable=False),
        sa.Column("missing", JSON, nullable=False),
        sa.Column("asked", JSON, nullable=False),
        sa.Column("asked_at", TIME, nullable=True),
        sa.Column("again_at", TIME, nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("faults", sa.Integer(), nullable=False),
        sa.Column("stopped", sa.String(length=60), nullable=True),
        sa.Column("started_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("source", "digest", name=op.f("pk_transfers")),
    )
    op.create_table(
        "offers",
        sa.Column("peer", NODE, nullable=False),
        sa.Column("digest", DIGEST, nullable=False),
        sa.Column("pieces", JSON, nullable=False),
        sa.PrimaryKeyConstraint("peer", "digest", name=op.f("pk_offers")),
    )
    op.create_table(
        "orders",
        sa.Column("peer", NODE, nullable=False),
        sa.Column("digest", DIGEST, nullable=False),
        sa.Column("index", sa.Integer(), nullable=False),
        sa.Column("ready", sa.Boolean(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("peer", "digest", "index", name=op.f("pk_orders")),
    )
    for table in ("uploads", "attachments", "transfers", "orders"):
        op.create_index(f"ix_{table}_digest", table, ["digest"], unique=False)


def downgrade() -> None:
    for table in ("orders", "offers", "transfers", "attachments", "uploads", "files"):
        op.drop_table(table)
