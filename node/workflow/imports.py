"""Bringing in people, units and items from a spreadsheet: all of it, or nothing.

 1. The actor's role may do this.
 2. The file is read (`spreadsheets`), and each row looked at by itself.
 3. In one transaction, rows are compared with each other and with what is here.
 4. Where one row has a mistake, or for a dry run, nothing is written, and all mistakes are told.
 5. Otherwise rows are added, or changed where they differ; the log tells of each, and of the file.

A second time the same file changes nothing. A cell that is left empty leaves what is there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from node.people_errors import MistakesError
from node.storage.database import Session, take_turn
from node.workflow import access, audit, spreadsheets, units
from node.workflow.desk import Actor, Desk
from node.workflow.spreadsheets import Column, Mistake, Row
from protocol.identifiers import digest

MOST_TOLD = 200


@dataclass(frozen=True)
class Outcome:
    """What became of a file, or would become of it."""

    rows: int
    added: int
    changed: int
    unchanged: int
    mistakes: tuple[Mistake, ...]
    done: bool


@dataclass
class Work:
    """An import under way: what it needs, and what it found."""

    desk: Desk
    session: Session
    actor: Actor
    now: datetime
    rows: Sequence[Row]
    mistakes: list[Mistake]
    added: int = 0
    changed: int = 0
    unchanged: int = 0

    def wrong(self, row: Row, column: Column | None, message: str) -> None:
        """Tell a mistake."""
        self.mistakes.append(Mistake(row.number, column.heading if column else None, message))


@dataclass(frozen=True)
class Kind:
    """What can be imported: its columns, how rows are compared, and how they are written.

    `compare` looks at everything and writes nothing; what it returns writes.
    """

    name: str
    columns: tuple[Column, ...]
    compare: Callable[[Work], Awaitable[Callable[[], Awaitable[None]]]]
    permission: str = "manage_people"


async def carry_out(
    desk: Desk, actor: Actor, kind: Kind, name: str, data: bytes, *, dry_run: bool
) -> Outcome:
    """Import the file. Raises `SpreadsheetError`, and `MistakesError` unless it is a dry run."""
    # 1.
    access.demand(actor, kind.permission)
    # 2.
    table = await asyncio.to_thread(spreadsheets.read, name, data, kind.columns)
    now = desk.clock()
    async with desk.database.writing.begin() as session:
        # 3.
        await take_turn(session, units.TURN)
        work = Work(desk, session, actor, now, table.rows, list(table.mistakes))
        write = await kind.compare(work)
        mistakes = tuple(sorted(work.mistakes, key=lambda one: one.row))
        # 4.
        if mistakes and not dry_run:
            found = [(one.where, one.message) for one in mistakes[:MOST_TOLD]]
            raise MistakesError(f"共 {len(mistakes)} 处错误", found=found)
        done = not dry_run
        if done:
            # 5.
            await write()
            audit.note(
                session,
                now,
                actor=actor,
                action=f"{kind.name}_imported",
                digest=digest(data),
                rows=len(table.rows),
                added=work.added,
                changed=work.changed,
            )
    return Outcome(
        rows=len(table.rows),
        added=work.added,
        changed=work.changed,
        unchanged=work.unchanged,
        mistakes=mistakes[:MOST_TOLD],
        done=done,
    )
