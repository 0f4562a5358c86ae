"""Certificates that are renewed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "renewals",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("wanted_at", TIME, nullable=False),
        sa.Column("wanted_by", sa.String(length=60), nullable=False),
        sa.Column("asked_at", TIME, nullable=True),
        sa.Column("key", sa.String(length=64), nullable=True),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("done_at", TIME, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_renewals")),
    )
    op.create_index(
        "ix_renewals_open",
        "renewals",
        ["state"],
        postgresql_where=sa.text("state <> 'done'"),
        sqlite_where=sa.text("state <> 'done'"),
    )
    op.create_table(
        "certificate_requests",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("peer", sa.String(length=40), nullable=False),
        sa.Column("request", sa.LargeBinary(), nullable=False),
        sa.Column("issuing", sa.LargeBinary(), nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("asked_at", TIME, nullable=False),
        sa.Column("decided_at", TIME, nullable=True),
        sa.Column("decided_by", sa.String(length=60), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_certificate_requests")),
    )
    op.create_index(
        "ix_certificate_requests_open",
        "certificate_requests",
        ["asked_at"],
        postgresql_where=sa.text("state in ('asked', 'approved')"),
        sqlite_where=sa.text("state in ('asked', 'approved')"),
    )
    op.create_table(
        "expiry_warnings",
        sa.Column("serial", sa.String(length=40), nullable=False),
        sa.Column("days", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("said_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("serial", "days", name=op.f("pk_expiry_warnings")),
    )


def downgrade() -> None:
    op.drop_table("expiry_warnings")
    op.drop_table("certificate_requests")
    op.drop_table("renewals")
