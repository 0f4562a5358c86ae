"""Audit rows that say from where and cannot be changed, and what neighbours say of the chain."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
SEALS = (
    ("audit", "seal", True),
    ("audit_seals", "seal", False),
    ("links", "audit_seal", True),
    ("recoveries", "audit_seal", True),
)
"""Numbers that a neighbour may name as large as the protocol allows; on SQLite they fit already."""

REFUSAL = "audit rows are never changed or removed"
SAME = " AND ".join(
    f"NEW.{column} IS NOT DISTINCT FROM OLD.{column}"
    for column in ("id", "at", "actor", "action", "subject", "detail", "came_from")
)
SEALING = f"(OLD.seal IS NULL AND NEW.seal IS NOT NULL AND {SAME})"

ON_POSTGRESQL = (
    f"""
    CREATE FUNCTION zhitong_audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION '{REFUSAL}' USING ERRCODE = 'insufficient_privilege';
    END $$
    """,
    f"""
    CREATE TRIGGER audit_changed BEFORE UPDATE ON audit FOR EACH ROW
    WHEN (NOT {SEALING}) EXECUTE FUNCTION zhitong_audit_refuse()
    """,
    """
    CREATE TRIGGER audit_seals_changed BEFORE UPDATE ON audit_seals FOR EACH ROW
    EXECUTE FUNCTION zhitong_audit_refuse()
    """,
    *(
        f"""
        CREATE TRIGGER {table}_{what} BEFORE {event} ON {table} FOR EACH {each}
        EXECUTE FUNCTION zhitong_audit_refuse()
        """
        for table in ("audit", "audit_seals")
        for what, event, each in (
            ("removed", "DELETE", "ROW"),
            ("emptied", "TRUNCATE", "STATEMENT"),
        )
    ),
)
ON_SQLITE = (
    f"""
    CREATE TRIGGER audit_changed BEFORE UPDATE ON audit
    WHEN NOT {SEALING.replace("IS NOT DISTINCT FROM", "IS")}
    BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END
    """,
    f"""
    CREATE TRIGGER audit_seals_changed BEFORE UPDATE ON audit_seals
    BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END
    """,
    *(
        f"""
        CREATE TRIGGER {table}_removed BEFORE DELETE ON {table}
        BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END
        """
        for table in ("audit", "audit_seals")
    ),
)


def upgrade() -> None:
    op.create_table(
        "witnessed",
        sa.Column("peer", sa.String(length=40), nullable=False),
        sa.Column("incarnation", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("seal", BIG, autoincrement=False, nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("seen_at", TIME, nullable=False),
        sa.Column("token", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("peer", "incarnation", "seal", name=op.f("pk_witnessed")),
    )
    op.create_table(
        "audit_answers",
        sa.Column("peer", sa.String(length=40), nullable=False),
        sa.Column("question", sa.Uuid(), nullable=False),
        sa.Column("asked_at", TIME, nullable=False),
        sa.Column("answered_at", TIME, nullable=True),
        sa.Column("token", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("peer", name=op.f("pk_audit_answers")),
    )
    with op.batch_alter_table("links") as batch_op:
        batch_op.add_column(sa.Column("audit_incarnation", sa.BigInteger(), nullable=True))
    with op.batch_alter_table("audit") as batch_op:
        batch_op.add_column(sa.Column("came_from", sa.String(length=60), nullable=True))
        batch_op.create_index("ix_audit_subject", ["subject", "id"], unique=False)
    if _is_postgresql():
        for table, column, nullable in SEALS:
            op.alter_column(table, column, type_=sa.BigInteger(), existing_nullable=nullable)
    # After all that changes these tables: SQLite drops the triggers of a table that it copies.
    for statement in ON_POSTGRESQL if _is_postgresql() else ON_SQLITE:
        op.execute(statement)


def downgrade() -> None:
    on = {"audit": ["changed", "removed"], "audit_seals": ["changed", "removed"]}
    for table, names in on.items():
        for name in [*names, "emptied"] if _is_postgresql() else names:
            where = f" ON {table}" if _is_postgresql() else ""
            op.execute(f"DROP TRIGGER {table}_{name}{where}")
    if _is_postgresql():
        op.execute("DROP FUNCTION zhitong_audit_refuse()")
        for table, column, nullable in SEALS:
            op.alter_column(table, column, type_=sa.Integer(), existing_nullable=nullable)
    with op.batch_alter_table("audit") as batch_op:
        batch_op.drop_index("ix_audit_subject")
        batch_op.drop_column("came_from")
    with op.batch_alter_table("links") as batch_op:
        batch_op.drop_column("audit_incarnation")
    op.drop_table("audit_answers")
    op.drop_table("witnessed")


def _is_postgresql() -> bool:
    return op.get_bind().dialect.name == "postgresql"
