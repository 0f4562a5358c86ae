"""Certificates that were issued and revoked, revocation lists, and links that are barred."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "issued_certificates",
        sa.Column("serial", sa.String(length=40), nullable=False),
        sa.Column("node", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("issued_at", TIME, nullable=False),
        sa.Column("not_after", TIME, nullable=False),
        sa.PrimaryKeyConstraint("serial", name=op.f("pk_issued_certificates")),
    )
    op.create_index("ix_issued_certificates_node", "issued_certificates", ["node"])
    op.create_table(
        "revoked_certificates",
        sa.Column("serial", sa.String(length=40), nullable=False),
        sa.Column("node", sa.String(length=40), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("compromised_since", TIME, nullable=True),
        sa.Column("hold", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("serial", name=op.f("pk_revoked_certificates")),
    )
    op.create_table(
        "revocation_lists",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("issuer", sa.String(length=40), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("token", sa.LargeBinary(), nullable=False),
        sa.Column("received_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_revocation_lists")),
    )
    with op.batch_alter_table("links") as batch_op:
        batch_op.add_column(sa.Column("barred", sa.String(length=10), nullable=True))
        batch_op.add_column(sa.Column("barred_at", TIME, nullable=True))
        batch_op.add_column(sa.Column("barred_reason", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("listed_at", TIME, nullable=True))
        batch_op.add_column(
            sa.Column("account_closed", sa.Boolean(), server_default=sa.false(), nullable=False)
        )


def downgrade() -> None:
    with op.batch_alter_table("links") as batch_op:
        batch_op.drop_column("account_closed")
        batch_op.drop_column("listed_at")
        batch_op.drop_column("barred_reason")
        batch_op.drop_column("barred_at")
        batch_op.drop_column("barred")
    op.drop_table("revocation_lists")
    op.drop_table("revoked_certificates")
    op.drop_index("ix_issued_certificates_node", table_name="issued_certificates")
    op.drop_table("issued_certificates")
