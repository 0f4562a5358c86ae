"""The tables of the chain: offices, people, items, events, messages, audit."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("at", TIME, nullable=False),
        sa.Column("actor", sa.String(length=60), nullable=False),
        sa.Column("action", sa.String(length=60), nullable=False),
        sa.Column("subject", sa.String(length=60), nullable=True),
        sa.Column("detail", JSON, nullable=False),
        sa.Column("seal", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
    )
    with op.batch_alter_table("audit") as batch_op:
        batch_op.create_index("ix_audit_seal", ["seal"], unique=False)
        batch_op.create_index(
            "ix_audit_unsealed",
            ["id"],
            unique=False,
            postgresql_where=sa.text("seal is null"),
            sqlite_where=sa.text("seal is null"),
        )
    op.create_table(
        "audit_seals",
        sa.Column("seal", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("seal", name=op.f("pk_audit_seals")),
    )
    op.create_table(
        "counters",
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("value", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_counters")),
    )
    op.create_table(
        "inbox",
        sa.Column("source", sa.String(length=40), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.Uuid(), nullable=True),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("token", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("received_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("source", "id", name=op.f("pk_inbox")),
    )
    with op.batch_alter_table("inbox") as batch_op:
        batch_op.create_index(
            "ix_inbox_parked",
            ["subject"],
            unique=False,
            postgresql_where=sa.text("state = 'parked'"),
            sqlite_where=sa.text("state = 'parked'"),
        )
    op.create_table(
        "items",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("source", sa.String(length=40), nullable=True),
        sa.Column("origin", JSON, nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("topic", sa.String(length=20), nullable=False),
        sa.Column("urgency", sa.String(length=20), nullable=False),
        sa.Column("classification", sa.String(length=20), nullable=False),
        sa.Column("edition", sa.Integer(), nullable=False),
        sa.Column("forwarded_edition", sa.Integer(), nullable=True),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("closed", sa.Boolean(), nullable=False),
        sa.Column("number", sa.String(length=60), nullable=True),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("standings", JSON, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_items")),
        sa.UniqueConstraint("number", name=op.f("uq_items_number")),
    )
    with op.batch_alter_table("items") as batch_op:
        batch_op.create_index("ix_items_created_at", ["created_at"], unique=False)
        batch_op.create_index("ix_items_state", ["state"], unique=False)
    op.create_table(
        "links",
        sa.Column("peer", sa.String(length=40), nullable=False),
        sa.Column("heard_at", TIME, nullable=True),
        sa.Column("silent_since", TIME, nullable=True),
        sa.Column("probe_at", TIME, nullable=True),
        sa.Column("probes", sa.Integer(), nullable=False),
        sa.Column("audit_seal", sa.Integer(), nullable=True),
        sa.Column("audit_hash", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("peer", name=op.f("pk_links")),
    )
    op.create_table(
        "offices",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("level", sa.String(length=20), nullable=False),
        sa.Column("relation", sa.String(length=10), nullable=False),
        sa.Column("region_code", sa.String(length=6), nullable=True),
        sa.Column("incarnation", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_offices")),
    )
    op.create_table(
        "outbox",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("peer", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.Uuid(), nullable=True),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("code", sa.String(length=60), nullable=True),
        sa.Column("permanent", sa.Boolean(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("sent_at", TIME, nullable=True),
        sa.Column("resend_at", TIME, nullable=True),
        sa.Column("answered_at", TIME, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
    )
    with op.batch_alter_table("outbox") as batch_op:
        batch_op.create_index(
            "ix_outbox_open",
            ["peer", "state", "priority", "created_at"],
            unique=False,
            postgresql_where=sa.text("state in ('pending', 'sent', 'refused')"),
            sqlite_where=sa.text("state in ('pending', 'sent', 'refused')"),
        )
    op.create_table(
        "people",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("username", sa.String(length=60), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("kind", sa.String(length=30), nullable=True),
        sa.Column("unit", sa.String(length=200), nullable=True),
        sa.Column("password_hash", sa.String(length=200), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("locked_until", TIME, nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_people")),
        sa.UniqueConstraint("username", name=op.f("uq_people_username")),
    )
    op.create_table(
        "quarantine",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("code", sa.String(length=60), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("permanent", sa.Boolean(), nullable=False),
        sa.Column("peer", sa.String(length=40), nullable=True),
        sa.Column("message_id", sa.Uuid(), nullable=True),
        sa.Column("queue", sa.String(length=120), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("properties", JSON, nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("first_at", TIME, nullable=False),
        sa.Column("last_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quarantine")),
        sa.UniqueConstraint("digest", "code", name=op.f("uq_quarantine_digest_code")),
    )
    op.create_table(
        "editions",
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("authors", JSON, nullable=False),
        sa.Column("topic", sa.String(length=20), nullable=False),
        sa.Column("urgency", sa.String(length=20), nullable=False),
        sa.Column("classification", sa.String(length=20), nullable=False),
        sa.Column("submitted_at", TIME, nullable=False),
        sa.Column("message_source", sa.String(length=40), nullable=True),
        sa.Column("message_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["item_id"],
            ["items.id"],
            name=op.f("fk_editions_item_id"),
            ondelete="RESTRICT",
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("item_id", "number", name=op.f("pk_editions")),
    )
    op.create_table(
        "events",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("office", sa.String(length=40), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("recorded_at", TIME, nullable=False),
        sa.Column("actor", sa.String(length=200), nullable=True),
        sa.Column("data", JSON, nullable=False),
        sa.Column("message_source", sa.String(length=40), nullable=True),
        sa.Column("message_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["item_id"],
            ["items.id"],
            name=op.f("fk_events_item_id"),
            ondelete="RESTRICT",
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_events")),
        sa.UniqueConstraint(
            "item_id",
            "office",
            "sequence",
            "step",
            name=op.f("uq_events_item_id_office_sequence_step"),
        ),
    )
    op.create_table(
        "item_authors",
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["item_id"],
            ["items.id"],
            name=op.f("fk_item_authors_item_id"),
            ondelete="RESTRICT",
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["people.id"],
            name=op.f("fk_item_authors_person_id"),
            ondelete="RESTRICT",
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("item_id", "person_id", name=op.f("pk_item_authors")),
    )
    with op.batch_alter_table("item_authors") as batch_op:
        batch_op.create_index("ix_item_authors_person_id", ["person_id"], unique=False)
    op.create_table(
        "login_sessions",
        sa.Column("token_digest", sa.String(length=64), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["people.id"],
            name=op.f("fk_login_sessions_person_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("token_digest", name=op.f("pk_login_sessions")),
    )
    with op.batch_alter_table("login_sessions") as batch_op:
        batch_op.create_index("ix_login_sessions_expires_at", ["expires_at"], unique=False)
    op.create_table(
        "notices",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("read_at", TIME, nullable=True),
        sa.ForeignKeyConstraint(
            ["event_id"],
            ["events.id"],
            name=op.f("fk_notices_event_id"),
            ondelete="RESTRICT",
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["item_id"],
            ["items.id"],
            name=op.f("fk_notices_item_id"),
            ondelete="RESTRICT",
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["people.id"],
            name=op.f("fk_notices_person_id"),
            ondelete="RESTRICT",
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notices")),
        sa.UniqueConstraint("person_id", "event_id", name=op.f("uq_notices_person_id_event_id")),
    )
    with op.batch_alter_table("notices") as batch_op:
        batch_op.create_index(
            "ix_notices_person_id_created_at", ["person_id", "created_at"], unique=False
        )

    _compress_quickly("inbox", "token")
    _keep_apart("outbox", "payload")
    _compress_quickly("editions", "body")
    _compress_quickly("quarantine", "body")


def downgrade() -> None:
    with op.batch_alter_table("notices") as batch_op:
        batch_op.drop_index("ix_notices_person_id_created_at")
    op.drop_table("notices")
    with op.batch_alter_table("login_sessions") as batch_op:
        batch_op.drop_index("ix_login_sessions_expires_at")
    op.drop_table("login_sessions")
    with op.batch_alter_table("item_authors") as batch_op:
        batch_op.drop_index("ix_item_authors_person_id")
    op.drop_table("item_authors")
    op.drop_table("events")
    op.drop_table("editions")
    op.drop_table("quarantine")
    op.drop_table("people")
    with op.batch_alter_table("outbox") as batch_op:
        batch_op.drop_index(
            "ix_outbox_open",
            postgresql_where=sa.text("state in ('pending', 'sent', 'refused')"),
            sqlite_where=sa.text("state in ('pending', 'sent', 'refused')"),
        )
    op.drop_table("outbox")
    op.drop_table("offices")
    op.drop_table("links")
    with op.batch_alter_table("items") as batch_op:
        batch_op.drop_index("ix_items_state")
        batch_op.drop_index("ix_items_created_at")
    op.drop_table("items")
    with op.batch_alter_table("inbox") as batch_op:
        batch_op.drop_index(
            "ix_inbox_parked",
            postgresql_where=sa.text("state = 'parked'"),
            sqlite_where=sa.text("state = 'parked'"),
        )
    op.drop_table("inbox")
    op.drop_table("counters")
    op.drop_table("audit_seals")
    with op.batch_alter_table("audit") as batch_op:
        batch_op.drop_index(
            "ix_audit_unsealed",
            postgresql_where=sa.text("seal is null"),
            sqlite_where=sa.text("seal is null"),
        )
        batch_op.drop_index("ix_audit_seal")
    op.drop_table("audit")


def _compress_quickly(table: str, column: str) -> None:
    """Use LZ4 for the wide columns: PostgreSQL's own method costs a third of taking a message in.

    A server that was built without LZ4 keeps its own method.
    """
    if op.get_bind().dialect.name != "postgresql":
        return
    op.execute(f"""
        DO $$ BEGIN
            ALTER TABLE {table} ALTER COLUMN {column} SET COMPRESSION lz4;
        EXCEPTION WHEN feature_not_supported THEN
            RAISE NOTICE 'no LZ4 here: {table}.{column} keeps the default';
        END $$
    """)


def _keep_apart(table: str, column: str) -> None:
    """Keep the wide column out of a row that is rewritten when it is sent and answered."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(f"ALTER TABLE {table} ALTER COLUMN {column} SET STORAGE EXTERNAL")
