"""Indexes for pages: how links stand, what could go up, and who signed in."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None

NOT_SENT = sa.text("forwarded_edition IS NULL OR forwarded_edition < edition")
ORDER = ["state", "closed", "urgency", "created_at", "id"]
OPEN = sa.text("agreed_at IS NULL")
RECEIVED = sa.text("state = 'received'")


def upgrade() -> None:
    op.create_index(
        "ix_accounts_open",
        "accounts",
        ["peer", "side", "day"],
        postgresql_where=OPEN,
        sqlite_where=OPEN,
    )
    op.create_index(
        "ix_outbox_received",
        "outbox",
        ["peer", "name", "code", "sent_at"],
        postgresql_where=RECEIVED,
        sqlite_where=RECEIVED,
    )
    _anew("ix_items_candidates", "items", [*ORDER, "forwarded_edition", "edition"], NOT_SENT)
    _anew("ix_audit_action", "audit", ["action", "id", "actor"])


def downgrade() -> None:
    _anew("ix_audit_action", "audit", ["action", "id"])
    _anew("ix_items_candidates", "items", ORDER, NOT_SENT)
    op.drop_index("ix_outbox_received", "outbox")
    op.drop_index("ix_accounts_open", "accounts")


def _anew(name: str, table: str, columns: list[str], where: sa.TextClause | None = None) -> None:
    op.drop_index(name, table)
    op.create_index(name, table, columns, postgresql_where=where, sqlite_where=where)
