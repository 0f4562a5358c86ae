"""Combined items, their originals, and what is said of the one to the others."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0014"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
OLD_KEY = "uq_events_item_id_office_sequence_step"
NEW_KEY = "uq_events_item_id_office_about_sequence_step"


def upgrade() -> None:
    op.create_table(
        "lineages",
        sa.Column("combined_id", sa.Uuid(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("merged_at", TIME, nullable=False),
        sa.Column("ended_at", TIME, nullable=True),
        _items("lineages"),
        sa.PrimaryKeyConstraint("combined_id", "item_id", name=op.f("pk_lineages")),
    )
    op.create_index("ix_lineages_item_id", "lineages", ["item_id"])
    with op.batch_alter_table("items") as batch_op:
        batch_op.add_column(
            sa.Column("combined", sa.Boolean(), server_default=sa.false(), nullable=False)
        )
        batch_op.add_column(sa.Column("merged_into", sa.Uuid(), nullable=True))
        batch_op.create_index("ix_items_merged_into", ["merged_into"])
    with op.batch_alter_table("events") as batch_op:
        batch_op.add_column(sa.Column("about", sa.Uuid(), nullable=True))
    events = sa.table("events", sa.column("about", sa.Uuid()), sa.column("item_id", sa.Uuid()))
    op.execute(events.update().values(about=events.c.item_id))
    with op.batch_alter_table("events") as batch_op:
        batch_op.alter_column("about", existing_type=sa.Uuid(), nullable=False)
        batch_op.drop_constraint(op.f(OLD_KEY), type_="unique")
        batch_op.create_unique_constraint(
            op.f(NEW_KEY), ["item_id", "office", "about", "sequence", "step"]
        )


def _items(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["item_id"],
        ["items.id"],
        name=op.f(f"fk_{table}_item_id"),
        ondelete="RESTRICT",
        initially="DEFERRED",
        deferrable=True,
    )


def downgrade() -> None:
    with op.batch_alter_table("events") as batch_op:
        batch_op.drop_constraint(op.f(NEW_KEY), type_="unique")
        batch_op.create_unique_constraint(op.f(OLD_KEY), ["item_id", "office", "sequence", "step"])
        batch_op.drop_column("about")
    with op.batch_alter_table("items") as batch_op:
        batch_op.drop_index("ix_items_merged_into")
        batch_op.drop_column("merged_into")
        batch_op.drop_column("combined")
    op.drop_table("lineages")
