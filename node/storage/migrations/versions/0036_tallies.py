"""Items by month, topic and the levels that adopted them, for counting."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None

OF_POSTGRESQL = """
    UPDATE items SET
        month = extract(month FROM created_at AT TIME ZONE 'Asia/Shanghai'),
        adopted_by = coalesce((
            SELECT string_agg(level, ' ' ORDER BY level COLLATE "C") FROM (
                SELECT DISTINCT standing ->> 'level' AS level
                FROM jsonb_each(standings) AS one(office, standing)
                WHERE standing ->> 'state' = 'adopted'
                    OR (standing -> 'kinds' @> '"adopted"'
                        AND NOT standing -> 'kinds' @> '"adoption_retracted"')
            ) AS adopting), '')"""
OF_SQLITE = """
    UPDATE items SET
        month = CAST(strftime('%m', created_at, '+8 hours') AS INTEGER),
        adopted_by = coalesce((
            SELECT group_concat(level, ' ') FROM (
                SELECT DISTINCT json_extract(one.value, '$.level') AS level
                FROM json_each(items.standings) AS one
                WHERE json_extract(one.value, '$.state') = 'adopted'
                    OR (EXISTS (SELECT 1 FROM json_each(one.value, '$.kinds') AS kind
                            WHERE kind.value = 'adopted')
                        AND NOT EXISTS (SELECT 1 FROM json_each(one.value, '$.kinds') AS kind
                            WHERE kind.value = 'adoption_retracted'))
                ORDER BY level
            )), '')"""


def upgrade() -> None:
    with op.batch_alter_table("items") as batch_op:
        batch_op.add_column(sa.Column("month", sa.Integer(), server_default="0", nullable=False))
        batch_op.add_column(
            sa.Column("adopted_by", sa.String(100), server_default="", nullable=False)
        )
    op.execute(OF_POSTGRESQL if op.get_bind().dialect.name == "postgresql" else OF_SQLITE)
    columns = ["year", "combined", "month", "topic", "adopted_by"]
    op.create_index("ix_items_month", "items", columns)


def downgrade() -> None:
    op.drop_index("ix_items_month", "items")
    with op.batch_alter_table("items") as batch_op:
        batch_op.drop_column("adopted_by")
        batch_op.drop_column("month")
