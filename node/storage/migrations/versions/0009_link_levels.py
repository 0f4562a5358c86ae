"""The highest classification that a link may carry."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("links") as batch_op:
        batch_op.add_column(
            sa.Column(
                "highest_level", sa.String(length=20), server_default="internal", nullable=False
            )
        )


def downgrade() -> None:
    with op.batch_alter_table("links") as batch_op:
        batch_op.drop_column("highest_level")
