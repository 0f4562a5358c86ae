"""Calls, to whom they go, and who has read them; what an item answers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
LIST = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "calls",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("source", sa.String(40), nullable=True),
        sa.Column("message_id", sa.Uuid(), nullable=True),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("topics", LIST, nullable=False),
        sa.Column("topic", sa.String(20), nullable=True),
        sa.Column("period", sa.String(200), nullable=True),
        sa.Column("due", TIME, nullable=True),
        sa.Column("pass_on", sa.Boolean(), nullable=False),
        sa.Column("made_at", TIME, nullable=False),
        sa.Column("made_by", sa.String(200), nullable=True),
        sa.Column("read_at", TIME, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calls")),
        sa.UniqueConstraint("source", "message_id", name=op.f("uq_calls_source_message_id")),
    )
    op.create_index("ix_calls_made_at", "calls", ["made_at"])
    op.create_table(
        "callees",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("call_id", sa.Uuid(), nullable=False),
        sa.Column("peer", sa.String(40), nullable=True),
        sa.Column("unit_id", sa.Uuid(), nullable=True),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("message_id", sa.Uuid(), nullable=True),
        sa.Column("read_at", TIME, nullable=True),
        _reference("callees", "call_id", "calls.id"),
        _reference("callees", "unit_id", "units.id"),
        _reference("callees", "person_id", "people.id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_callees")),
        sa.UniqueConstraint("call_id", "peer", name=op.f("uq_callees_call_id_peer")),
    )
    op.create_index("ix_callees_message_id", "callees", ["message_id"])
    op.create_table(
        "call_readings",
        sa.Column("call_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        _reference("call_readings", "call_id", "calls.id"),
        _reference("call_readings", "person_id", "people.id"),
        sa.PrimaryKeyConstraint("call_id", "person_id", name=op.f("pk_call_readings")),
    )
    with op.batch_alter_table("items") as batch_op:
        batch_op.add_column(sa.Column("answers_id", sa.Uuid(), nullable=True))
        batch_op.create_index("ix_items_answers_id", ["answers_id"])


def _reference(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [column],
        [to],
        name=op.f(f"fk_{table}_{column}"),
        ondelete="RESTRICT",
        initially="DEFERRED",
        deferrable=True,
    )


def downgrade() -> None:
    with op.batch_alter_table("items") as batch_op:
        batch_op.drop_index("ix_items_answers_id")
        batch_op.drop_column("answers_id")
    for table in ("call_readings", "callees", "calls"):
        op.drop_table(table)
