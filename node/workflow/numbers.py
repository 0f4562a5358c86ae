"""Register numbers: unique and without gaps, by year.

The counter's row is taken by one UPDATE … RETURNING inside the caller's transaction: the row lock
keeps concurrent writers apart, and a rollback gives the number back.
"""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import update
from sqlalchemy.dialects import postgresql, sqlite

from node.storage.database import Session
from node.storage.items import Counter

OFFICE_TIME = ZoneInfo("Asia/Shanghai")
"""The year of a number is the year on the office's calendar, not in UTC."""


async def next_number(session: Session, now: datetime) -> str:
    """The next register number of the year: `2026-0001`."""
    year = now.astimezone(OFFICE_TIME).year
    name = f"register:{year}"
    dialect = session.get_bind().dialect.name
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    await session.execute(insert(Counter).values(name=name, value=0).on_conflict_do_nothing())
    value = await session.scalar(
        update(Counter)
        .where(Counter.name == name)
        .values(value=Counter.value + 1)
        .returning(Counter.value)
    )
    return f"{year}-{value:04d}"


async def keep(session: Session, number: str) -> None:
    """Go on after this number: it was given out before a backup was restored."""
    year, _, value = number.partition("-")
    name = f"register:{year}"
    dialect = session.get_bind().dialect.name
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    await session.execute(insert(Counter).values(name=name, value=0).on_conflict_do_nothing())
    await session.execute(
        update(Counter)
        .where(Counter.name == name, Counter.value < int(value))
        .values(value=int(value))
    )
