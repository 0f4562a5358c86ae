"""The search index. What is here already is put into it by the node, little by little."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
WORDS = sa.Text().with_variant(postgresql.TSVECTOR(), "postgresql")

# The tokens are made by `node.search.words`: letters of ASCII, digits, and whatever is not ASCII.
FTS5 = """
CREATE VIRTUAL TABLE search_text USING fts5(
    words, content='search_documents', content_rowid='id', columnsize=0, tokenize='ascii'
)
"""
TRIGGERS = {
    "INSERT": "INSERT INTO search_text(rowid, words) VALUES (new.id, new.words);",
    "DELETE": (
        "INSERT INTO search_text(search_text, rowid, words) VALUES ('delete', old.id, old.words);"
    ),
}
TRIGGERS["UPDATE"] = TRIGGERS["DELETE"] + TRIGGERS["INSERT"]


def upgrade() -> None:
    op.create_table(
        "search_documents",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("words", WORDS, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_search_documents")),
        sa.UniqueConstraint("item_id", name=op.f("uq_search_documents_item_id")),
    )
    op.create_table(
        "search_marks",
        sa.Column("mark", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("document", BIG, autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("mark", "document", name=op.f("pk_search_marks")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_search_marks_document", "search_marks", ["document"])
    op.create_table(
        "search_pending",
        sa.Column("number", BIG, autoincrement=True, nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_search_pending")),
    )
    op.create_index("ix_search_pending_item_id", "search_pending", ["item_id"])
    if op.get_bind().dialect.name == "postgresql":
        op.create_index(
            "ix_search_documents_words", "search_documents", ["words"], postgresql_using="gin"
        )
    else:
        op.execute(FTS5)
        for deed, work in TRIGGERS.items():
            op.execute(
                f"CREATE TRIGGER search_documents_{deed.lower()} AFTER {deed} "
                f"ON search_documents BEGIN {work} END"
            )
    op.execute(
        "INSERT INTO search_pending (item_id) SELECT id FROM items WHERE purged_at IS NULL "
        "ORDER BY created_at"
    )


def downgrade() -> None:
    if op.get_bind().dialect.name != "postgresql":
        op.execute("DROP TABLE search_text")
    for table in ("search_pending", "search_marks", "search_documents"):
        op.drop_table(table)
