"""The search index: what can be computed anew from the items, and is in no backup.

SQLite keeps the index over `words` in the virtual table `search_text` (FTS5, migration 0014), which
triggers keep in step; PostgreSQL has a GIN index on the column itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Dialect, Index, Integer, Text, TypeDecorator
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import TypeEngine

from node.storage.base import Base, Big

DERIVED = {"derived": True}
"""Says of a table that it is computed from others: a backup leaves it out."""

TEXT_INDEX = "search_text"
"""SQLite's virtual table; its own tables begin with this name, too."""

WORDS_INDEX = "ix_search_documents_words"
"""PostgreSQL's own, on the column."""

LAST_POSITION = 16_383
"""PostgreSQL counts no further."""


class Words(TypeDecorator[Sequence[str]]):
    """Tokens of letters and digits alone, in their order, as each database indexes them."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(postgresql.TSVECTOR())
        return dialect.type_descriptor(Text())

    def process_bind_param(self, value: Sequence[str] | None, dialect: Dialect) -> str | None:
        if value is None or dialect.name != "postgresql":
            return None if value is None else " ".join(value)
        return " ".join(
            f"{token}:{min(position, LAST_POSITION)}" for position, token in enumerate(value, 1)
        )


class SearchDocument(Base):
    """What can be found of an item: the tokens of its newest edition, in title and altogether.

    A newer document has a higher id, so that the newest matches can be read first.
    """

    __tablename__ = "search_documents"

    id: Mapped[int] = mapped_column(Big, primary_key=True, autoincrement=True)
    item_id: Mapped[UUID] = mapped_column(unique=True)
    title: Mapped[str] = mapped_column(Text)
    words: Mapped[Any] = mapped_column(Words)

    __table_args__ = (
        Index(WORDS_INDEX, "words", postgresql_using="gin").ddl_if("postgresql"),
        {"info": DERIVED},
    )


class SearchMark(Base):
    """One of the marks by which similar texts are found: they have some of them in common."""

    __tablename__ = "search_marks"

    mark: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    document: Mapped[int] = mapped_column(Big, primary_key=True, autoincrement=False)

    __table_args__ = (
        Index("ix_search_marks_document", "document"),  # removed with the document
        {"info": DERIVED, "sqlite_with_rowid": False},
    )


class SearchPending(Base):
    """An item with an edition that is not in the index yet."""

    __tablename__ = "search_pending"

    number: Mapped[int] = mapped_column(Big, primary_key=True, autoincrement=True)
    item_id: Mapped[UUID]

    __table_args__ = (
        Index("ix_search_pending_item_id", "item_id"),  # removed when the item is purged
        {"info": DERIVED},
    )
