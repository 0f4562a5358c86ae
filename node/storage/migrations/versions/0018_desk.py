"""The desk: editors, editions of the office's own, claims, checks, chains, reviews, deputies."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from alembic.operations.base import BatchOperations
from sqlalchemy.dialects import postgresql

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
STEPS = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    with op.batch_alter_table("items") as batch_op:
        batch_op.add_column(sa.Column("editor_id", sa.Uuid(), nullable=True))
        _to_people(batch_op, "items")
        batch_op.create_index("ix_items_editor_id", ["editor_id"])
    with op.batch_alter_table("editions") as batch_op:
        for name, kind in (
            ("source_number", sa.Integer()),
            ("base", sa.Integer()),
            ("editor_id", sa.Uuid()),
            ("edited_at", TIME),
            ("why", sa.Text()),
        ):
            batch_op.add_column(sa.Column(name, kind, nullable=True))
        _to_people(batch_op, "editions")
    editions = sa.table(
        "editions",
        *(sa.column(name, sa.Integer()) for name in ("number", "source_number")),
        sa.column("message_id", sa.Uuid()),
    )
    op.execute(
        editions.update()
        .where(editions.c.message_id.is_not(None))
        .values(source_number=editions.c.number)
    )
    op.create_table(
        "claims",
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("since", TIME, nullable=False),
        sa.Column("until", TIME, nullable=False),
        _reference("claims", "item_id", "items.id"),
        _reference("claims", "person_id", "people.id"),
        sa.PrimaryKeyConstraint("item_id", name=op.f("pk_claims")),
    )
    op.create_table(
        "checks",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("edition", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("passed", sa.Boolean(), nullable=False),
        sa.Column("opinion", sa.Text(), nullable=True),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        _reference("checks", "item_id", "items.id"),
        _reference("checks", "person_id", "people.id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_checks")),
    )
    op.create_index("ix_checks_item_id", "checks", ["item_id"])
    op.create_table(
        "chains",
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("steps", STEPS, nullable=False),
        sa.Column("checks_demanded", sa.Boolean(), nullable=False),
        sa.Column("set_at", TIME, nullable=False),
        sa.Column("set_by", sa.String(200), nullable=False),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_chains")),
    )
    op.create_table(
        "reviews",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("edition", sa.Integer(), nullable=False),
        sa.Column("chain", sa.Integer(), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("role", sa.String(40), nullable=True),
        sa.Column("sent_by", sa.Uuid(), nullable=False),
        sa.Column("sent_at", TIME, nullable=False),
        sa.Column("outcome", sa.String(20), nullable=True),
        sa.Column("ended_at", TIME, nullable=True),
        _reference("reviews", "item_id", "items.id"),
        _reference("reviews", "chain", "chains.version"),
        _reference("reviews", "sent_by", "people.id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reviews")),
    )
    op.create_index("ix_reviews_item_id", "reviews", ["item_id"])
    op.create_index("ix_reviews_role", "reviews", ["role"])
    op.create_table(
        "votes",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("review_id", sa.Uuid(), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("verdict", sa.String(20), nullable=False),
        sa.Column("opinion", sa.Text(), nullable=True),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("deputy_for", sa.Uuid(), nullable=True),
        sa.Column("at", TIME, nullable=False),
        _reference("votes", "review_id", "reviews.id"),
        _reference("votes", "person_id", "people.id"),
        _reference("votes", "deputy_for", "people.id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_votes")),
        sa.UniqueConstraint("review_id", "step", name=op.f("uq_votes_review_id_step")),
    )
    op.create_table(
        "deputies",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("deputy_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.String(40), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("until", sa.Date(), nullable=False),
        sa.Column("set_by", sa.String(200), nullable=False),
        _reference("deputies", "person_id", "people.id"),
        _reference("deputies", "deputy_id", "people.id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deputies")),
    )
    op.create_index("ix_deputies_deputy_id", "deputies", ["deputy_id"])


def _to_people(batch_op: BatchOperations, table: str) -> None:
    batch_op.create_foreign_key(
        op.f(f"fk_{table}_editor_id"),
        "people",
        ["editor_id"],
        ["id"],
        ondelete="RESTRICT",
        initially="DEFERRED",
        deferrable=True,
    )


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
    for table in ("deputies", "votes", "reviews", "chains", "checks", "claims"):
        op.drop_table(table)
    with op.batch_alter_table("editions") as batch_op:
        batch_op.drop_constraint(op.f("fk_editions_editor_id"), type_="foreignkey")
        for name in ("why", "edited_at", "editor_id", "base", "source_number"):
            batch_op.drop_column(name)
    with op.batch_alter_table("items") as batch_op:
        batch_op.drop_index("ix_items_editor_id")
        batch_op.drop_constraint(op.f("fk_items_editor_id"), type_="foreignkey")
        batch_op.drop_column("editor_id")
