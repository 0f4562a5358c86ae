"""The desk's queues by index, and which items an office gave back."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

ORDER = ["state", "closed", "urgency", "created_at", "id"]
NOT_SENT = sa.text("forwarded_edition IS NULL OR forwarded_edition < edition")
OF_POSTGRESQL = """
    UPDATE items SET returned = true WHERE EXISTS (
        SELECT 1 FROM jsonb_each(standings) AS one(office, standing)
        WHERE standing ->> 'state' = 'returned')"""
OF_SQLITE = """
    UPDATE items SET returned = true WHERE EXISTS (
        SELECT 1 FROM json_each(standings) WHERE json_extract(value, '$.state') = 'returned')"""


def upgrade() -> None:
    with op.batch_alter_table("items") as batch_op:
        batch_op.add_column(
            sa.Column("returned", sa.Boolean(), server_default=sa.false(), nullable=False)
        )
        batch_op.drop_index("ix_items_state")
        batch_op.create_index("ix_items_state", ORDER)
        batch_op.create_index("ix_items_returned", ["returned"])
        batch_op.create_index(
            "ix_items_candidates", ORDER, postgresql_where=NOT_SENT, sqlite_where=NOT_SENT
        )
    op.execute(OF_POSTGRESQL if op.get_bind().dialect.name == "postgresql" else OF_SQLITE)


def downgrade() -> None:
    with op.batch_alter_table("items") as batch_op:
        batch_op.drop_index("ix_items_candidates")
        batch_op.drop_index("ix_items_returned")
        batch_op.drop_index("ix_items_state")
        batch_op.create_index("ix_items_state", ["state"])
        batch_op.drop_column("returned")
