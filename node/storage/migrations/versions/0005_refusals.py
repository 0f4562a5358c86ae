"""What is refused is noted in the audit log once for each reason, sender and day."""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_quarantine_reason", "quarantine", ["code", "peer", "first_at"])


def downgrade() -> None:
    op.drop_index("ix_quarantine_reason", table_name="quarantine")
