"""Numbers of the register and of issues: unique and without gaps, by year.

The counter's row is taken by one UPDATE … RETURNING inside the caller's transaction: the row lock
keeps concurrent writers apart, and a rollback gives the number back.
"""

from __future__ import annotations

import re
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import update
from sqlalchemy.dialects import postgresql, sqlite

from node.storage.database import Session
from node.storage.items import Counter

OFFICE_TIME = ZoneInfo("Asia/Shanghai")
"""The year of a number is the year on the office's calendar, not in UTC."""

REGISTER = "register"


async def next_number(session: Session, pattern: str, now: datetime) -> str:
    """The next register number of the year, in the office's own pattern: `2026-0001`."""
    return spell(pattern, *await take(session, REGISTER, now))


def of_issues(series: str) -> str:
    """The counter of a series of issues."""
    return f"issue:{series}"


async def take(session: Session, series: str, now: datetime) -> tuple[int, int]:
    """The year on the office's calendar, and the next number of the series in it."""
    year = now.astimezone(OFFICE_TIME).year
    name = await _counter(session, series, year)
    value = await session.scalar(
        update(Counter)
        .where(Counter.name == name)
        .values(value=Counter.value + 1)
        .returning(Counter.value)
    )
    assert value is not None  # the row is there
    return year, value


def spell(pattern: str, year: int, number: int) -> str:
    """A number as the office writes it."""
    return pattern.format(year=year, number=number)


async def keep(session: Session, series: str, pattern: str, number: str) -> None:
    """Go on after this number: it was given out before a backup was restored.

    One that was spelt in another pattern, which the office had before, says nothing.
    """
    parts = re.split(r"\{(year|number)[^}]*\}", pattern)
    found = re.fullmatch(
        "".join(
            f"(?P<{part}>[0-9]+)" if place % 2 else re.escape(part)
            for place, part in enumerate(parts)
        ),
        number,
    )
    if found is None:
        return
    name = await _counter(session, series, int(found["year"]))
    await session.execute(
        update(Counter)
        .where(Counter.name == name, Counter.value < int(found["number"]))
        .values(value=int(found["number"]))
    )


async def _counter(session: Session, series: str, year: int) -> str:
    name = f"{series}:{year}"
    dialect = session.get_bind().dialect.name
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    await session.execute(insert(Counter).values(name=name, value=0).on_conflict_do_nothing())
    return name
