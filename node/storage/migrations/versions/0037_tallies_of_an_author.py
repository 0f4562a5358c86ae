"""The index by which items are counted says which they are: an author's are found in it."""

from __future__ import annotations

from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None

COLUMNS = ["year", "combined", "month", "topic", "adopted_by"]


def upgrade() -> None:
    op.drop_index("ix_items_month", "items")
    op.create_index("ix_items_month", "items", [*COLUMNS, "id"])


def downgrade() -> None:
    op.drop_index("ix_items_month", "items")
    op.create_index("ix_items_month", "items", COLUMNS)
