"""Drafts, what they said before, and the files that they name."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0023"
down_revision = "0021"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "drafts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("content", JSON, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("changed_at", TIME, nullable=False),
        _reference("drafts", "person_id", "people.id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_drafts")),
    )
    op.create_index("ix_drafts_person_id", "drafts", ["person_id"])
    op.create_table(
        "draft_versions",
        sa.Column("draft_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("content", JSON, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("kept_at", TIME, nullable=False),
        _reference("draft_versions", "draft_id", "drafts.id"),
        sa.PrimaryKeyConstraint("draft_id", "version", name=op.f("pk_draft_versions")),
    )
    op.create_table(
        "draft_files",
        sa.Column("draft_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        _reference("draft_files", "draft_id", "drafts.id"),
        _reference("draft_files", "person_id", "people.id"),
        sa.PrimaryKeyConstraint("draft_id", "digest", name=op.f("pk_draft_files")),
    )
    op.create_index("ix_draft_files_digest", "draft_files", ["digest"])


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
    for table in ("draft_files", "draft_versions", "drafts"):
        op.drop_table(table)
