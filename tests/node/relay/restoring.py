"""Losing the disk of an office at one end of the link, and going on from an older backup of it."""

from __future__ import annotations

import shutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select

from node.relay.recovery import Recoverer
from node.storage import dump
from node.storage.offices import Office
from node.storage.recovery import Epoch, Recovery, Returned
from tests.node.relay.ends import End, Ends
from tests.node.tampering import unprotected

ROUNDS = 200
NEIGHBOURS = ("parent", "child")


@dataclass(frozen=True)
class Backup:
    """Every row of one office, as it was. Files are not in it."""

    at: datetime
    rows: dict[str, list[bytes]]


async def back_up(end: End) -> Backup:
    """What the office has now."""
    async with dump.snapshot(end.room.database) as session:
        rows = {
            table.name: [line async for line in dump.lines(session, table)] for table in dump.TABLES
        }
    return Backup(end.clock(), rows)


async def restore(end: End, backup: Backup, *, keeps_files: bool = False) -> Recoverer:
    """The disk is lost, the backup loaded, and every neighbour is to be asked."""
    shelf = end.room.desk.shelf
    if not keeps_files:
        shutil.rmtree(shelf._folder, ignore_errors=True)
    async with end.room.database.writing.begin() as session, unprotected(session):
        for table in reversed(dump.TABLES):
            await session.execute(delete(table))
    async with end.room.database.writing.begin() as session:
        for table in dump.TABLES:
            await dump.load(session, table, backup.rows[table.name])
        now = end.clock()
        session.add(Epoch(incarnation=2, began_at=now, backup_at=backup.at, token=b""))
        neighbours = select(Office.id).where(Office.relation.in_(NEIGHBOURS))
        for peer in await session.scalars(neighbours):
            session.add(Recovery(peer=peer))
    return Recoverer(end.room.desk)


async def waive(end: End, *peers: str) -> None:
    """Nobody waits for these neighbours."""
    async with end.room.database.writing.begin() as session:
        for peer in peers:
            (await session.get_one(Recovery, peer)).waived_at = end.clock()


async def run(step: Callable[[], Awaitable[bool]]) -> None:
    """Repeat the step until it has nothing to do."""
    for _ in range(ROUNDS):
        if not await step():
            return
    raise AssertionError("it never comes to rest")


async def recover(ends: Ends, recoverer: Recoverer) -> None:
    """Ask, be answered, and enter what came, until everything is at rest."""
    for _ in range(ROUNDS):
        await run(recoverer.step)
        await ends.exchange()
        if not await recoverer.step():
            return
    raise AssertionError("the recovery never ends")


async def is_recovered(end: End) -> bool:
    """Whether people may work again."""
    async with end.room.database.reading() as session:
        return (await session.scalars(select(Epoch))).one().recovered_at is not None


async def returned(end: End) -> int:
    """How many rows of what came back are kept."""
    async with end.room.database.reading() as session:
        return len((await session.scalars(select(Returned))).all())
