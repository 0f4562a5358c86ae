"""Statements of account, and going on from a backup."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "accounts",
        sa.Column("peer", sa.String(length=40), nullable=False),
        sa.Column("side", sa.String(length=10), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("peer_count", sa.Integer(), nullable=True),
        sa.Column("peer_digest", sa.String(length=64), nullable=True),
        sa.Column("stated_at", TIME, nullable=False),
        sa.Column("agreed_at", TIME, nullable=True),
        sa.Column("differs_since", TIME, nullable=True),
        sa.Column("missing", sa.Integer(), nullable=False),
        sa.Column("surplus", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("peer", "side", "day", name=op.f("pk_accounts")),
    )
    op.create_table(
        "epochs",
        sa.Column("incarnation", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("began_at", TIME, nullable=False),
        sa.Column("backup_at", TIME, nullable=False),
        sa.Column("token", sa.LargeBinary(), nullable=False),
        sa.Column("recovered_at", TIME, nullable=True),
        sa.PrimaryKeyConstraint("incarnation", name=op.f("pk_epochs")),
    )
    op.create_table(
        "recoveries",
        sa.Column("peer", sa.String(length=40), nullable=False),
        sa.Column("asked_at", TIME, nullable=True),
        sa.Column("cursor", sa.Uuid(), nullable=True),
        sa.Column("answered_at", TIME, nullable=True),
        sa.Column("waived_at", TIME, nullable=True),
        sa.Column("audit_seal", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("peer", name=op.f("pk_recoveries")),
    )
    op.create_table(
        "returned",
        sa.Column("peer", sa.String(length=40), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("ours", sa.Boolean(), nullable=False),
        sa.Column("token", sa.LargeBinary(), nullable=True),
        sa.Column("cause", sa.Uuid(), nullable=True),
        sa.PrimaryKeyConstraint("peer", "id", name=op.f("pk_returned")),
    )
    with op.batch_alter_table("outbox") as batch_op:
        batch_op.add_column(sa.Column("first_sent_at", TIME, nullable=True))
    with op.batch_alter_table("links") as batch_op:
        batch_op.add_column(sa.Column("stated_at", TIME, nullable=True))
    with op.batch_alter_table("offices") as batch_op:
        batch_op.alter_column("incarnation", type_=sa.BigInteger(), existing_nullable=False)
        batch_op.add_column(sa.Column("superseded_by", sa.BigInteger(), nullable=True))
    with op.batch_alter_table("audit_seals") as batch_op:
        batch_op.add_column(sa.Column("incarnation", sa.BigInteger(), nullable=False))


def downgrade() -> None:
    with op.batch_alter_table("audit_seals") as batch_op:
        batch_op.drop_column("incarnation")
    with op.batch_alter_table("offices") as batch_op:
        batch_op.drop_column("superseded_by")
        batch_op.alter_column("incarnation", type_=sa.Integer(), existing_nullable=False)
    with op.batch_alter_table("links") as batch_op:
        batch_op.drop_column("stated_at")
    with op.batch_alter_table("outbox") as batch_op:
        batch_op.drop_column("first_sent_at")
    op.drop_table("returned")
    op.drop_table("recoveries")
    op.drop_table("epochs")
    op.drop_table("accounts")
