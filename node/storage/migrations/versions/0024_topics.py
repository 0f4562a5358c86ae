"""The office's code table of topics, tags, and by which channel somebody else's item came in."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
LIST = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
COLUMNS = ("topic_code", "channel", "entered_by")


def upgrade() -> None:
    op.create_table(
        "topic_lists",
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("topics", LIST, nullable=False),
        sa.Column("set_at", TIME, nullable=False),
        sa.Column("set_by", sa.String(200), nullable=False),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_topic_lists")),
    )
    op.create_table(
        "item_tags",
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("tag", sa.String(20), nullable=False),
        sa.ForeignKeyConstraint(
            ["item_id"],
            ["items.id"],
            name=op.f("fk_item_tags_item_id"),
            ondelete="RESTRICT",
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("item_id", "tag", name=op.f("pk_item_tags")),
    )
    op.create_index("ix_item_tags_tag", "item_tags", ["tag"])
    with op.batch_alter_table("items") as batch_op:
        batch_op.add_column(sa.Column("topic_code", sa.String(20), nullable=True))
        batch_op.add_column(sa.Column("channel", sa.String(20), nullable=True))
        batch_op.add_column(sa.Column("entered_by", sa.Uuid(), nullable=True))
        batch_op.create_foreign_key(
            op.f("fk_items_entered_by"),
            "people",
            ["entered_by"],
            ["id"],
            ondelete="RESTRICT",
            initially="DEFERRED",
            deferrable=True,
        )


def downgrade() -> None:
    with op.batch_alter_table("items") as batch_op:
        batch_op.drop_constraint(op.f("fk_items_entered_by"), type_="foreignkey")
        for column in COLUMNS:
            batch_op.drop_column(column)
    for table in ("item_tags", "topic_lists"):
        op.drop_table(table)
