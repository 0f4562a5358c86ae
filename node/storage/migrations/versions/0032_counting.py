"""Items by the year and the office they came from, and when this office was done with them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

ENDED = sa.text("ended_at IS NOT NULL AND purged_at IS NULL")
INDEXES = {
    "ix_items_year": (
        "year",
        "source",
        "origin_office",
        "created_at",
        "adopted",
        "waiting",
    ),
    "ix_items_archived": ("archived", "ended_at", "id", "state"),
    "ix_items_ended_at": ("state", "ended_at", "id", "closed", "archived"),
}
OF_POSTGRESQL = """
    UPDATE items SET origin_office = coalesce(origin ->> 'id', ''),
        year = extract(year FROM created_at AT TIME ZONE 'Asia/Shanghai')"""
OF_SQLITE = """
    UPDATE items SET origin_office = coalesce(json_extract(origin, '$.id'), ''),
        year = CAST(strftime('%Y', created_at, '+8 hours') AS INTEGER)"""
ADOPTED = """
    UPDATE items SET adopted = true WHERE state = 'adopted' OR (
        EXISTS (SELECT 1 FROM events WHERE item_id = items.id AND kind = 'adopted'
            AND office = (SELECT id FROM offices WHERE relation = 'self'))
        AND NOT EXISTS (SELECT 1 FROM events WHERE item_id = items.id
            AND kind = 'adoption_retracted'
            AND office = (SELECT id FROM offices WHERE relation = 'self')))"""
WAITING = """
    UPDATE items SET waiting = true WHERE NOT closed
        AND state IN ('submitted', 'registered', 'editing', 'in_review', 'signed')"""
ARCHIVED = """
    UPDATE items SET archived = true WHERE EXISTS (
        SELECT 1 FROM events WHERE item_id = items.id AND kind = 'archived'
            AND office = (SELECT id FROM offices WHERE relation = 'self'))"""
ENDED_AT = """
    UPDATE items SET ended_at = (
        SELECT max(at) FROM events WHERE item_id = items.id
            AND (kind = 'closed' OR NOT items.closed AND kind IN ('declined', 'withdrawn'))
            AND office = (SELECT id FROM offices WHERE relation = 'self'))
    WHERE closed OR state IN ('declined', 'withdrawn')"""


def upgrade() -> None:
    with op.batch_alter_table("items") as batch_op:
        batch_op.add_column(
            sa.Column("origin_office", sa.String(40), server_default="", nullable=False)
        )
        batch_op.add_column(sa.Column("year", sa.Integer(), server_default="0", nullable=False))
        for name in ("adopted", "waiting", "archived"):
            batch_op.add_column(
                sa.Column(name, sa.Boolean(), server_default=sa.false(), nullable=False)
            )
        batch_op.add_column(sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True))
    op.execute(OF_POSTGRESQL if op.get_bind().dialect.name == "postgresql" else OF_SQLITE)
    for statement in (ADOPTED, WAITING, ARCHIVED, ENDED_AT):
        op.execute(statement)
    for name, columns in INDEXES.items():
        where = None if name == "ix_items_year" else ENDED
        op.create_index(name, "items", columns, postgresql_where=where, sqlite_where=where)


def downgrade() -> None:
    for name in INDEXES:
        op.drop_index(name, "items")
    with op.batch_alter_table("items") as batch_op:
        for column in ("ended_at", "archived", "waiting", "adopted", "year", "origin_office"):
            batch_op.drop_column(column)
