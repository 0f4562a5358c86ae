"""One office as a test sees it: its node, its people, a clock that the test moves."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch
from uuid import UUID

from argon2 import PasswordHasher
from sqlalchemy import delete, select, update

from node.bootstrap.node import Node
from node.relay.memory import Switchboard
from node.storage.database import Database
from node.storage.people import Person, Unit
from node.storage.tables import METADATA
from node.workflow import decisions, directory, passwords, people, reading, submissions
from node.workflow.desk import Actor, Desk
from node.workflow.reading import NoticeView
from node.workflow.submissions import Draft
from tests import offices
from tests.node.tampering import unprotected
from tests.offices import PASSWORD, Hierarchy, MakeDatabase, Plan

QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
QUICK_HASH = QUICK.hash(PASSWORD)
"""The personae's password, hashed with next to no work."""

PERSONAE = (
    "lin",
    "chen",
    "editor",
    "reviewer",
    "signer",
    "leader",
    "handler",
    "admin",
    "security",
    "auditor",
)
LASTING = ("people", "offices", "links")
"""Tables whose rows a test finds there when it begins."""

CONTENT = {
    "title": "老旧小区电动自行车充电难",
    "body": "全县有六十七个老旧小区。\n建议统一布点，由街道牵头。",
    "topic": "city",
}


FRESH = {
    "disabled_at": None,
    "left_on": None,
    "left_for": None,
    "must_change": False,
    "password_hash": QUICK_HASH,
    "version": 1,
}
"""Of the personae, what a test may have changed, as it was. Names and units are not."""

MORNING = time(9, tzinfo=UTC)


class Clock:
    """Stands still unless a test moves it, but for a millisecond at each look.

    It begins tomorrow morning: what a test does within hours ends on the same day, at whatever hour
    the tests run, and is later than all that was set up with the time of the machine.
    """

    def __init__(self) -> None:
        self.now = datetime.combine(datetime.now(UTC).date() + timedelta(days=1), MORNING)

    def __call__(self) -> datetime:
        self.move(timedelta(milliseconds=1))
        return self.now

    def move(self, by: timedelta) -> None:
        """Go forward, or back."""
        self.now += by


@dataclass(frozen=True)
class Room:
    """An office with the personae of `tests/offices`."""

    node: Node
    clock: Clock
    lin: Actor
    chen: Actor
    editor: Actor
    reviewer: Actor
    signer: Actor
    leader: Actor
    handler: Actor
    admin: Actor
    security: Actor
    auditor: Actor

    @property
    def desk(self) -> Desk:
        """What use-cases are given."""
        return self.node.desk

    @property
    def database(self) -> Database:
        """The office's database."""
        return self.node.desk.database

    async def submit(self, **content: Any) -> UUID:
        """Lin Xiaoyu hands in an item."""
        return await submissions.submit(self.desk, self.lin, draft(**content))

    async def registered(self, **content: Any) -> UUID:
        """An item of Lin Xiaoyu that the editor took up."""
        item = await self.submit(**content)
        await decisions.register(self.desk, self.editor, item)
        return item

    async def state(self, item: UUID) -> str:
        """The item's state at this office."""
        return (await reading.view(self.desk, self.editor, item)).item.state

    async def timeline(self, item: UUID) -> list[tuple[str, str]]:
        """Which office did what, in the order that people see."""
        view = await reading.view(self.desk, self.editor, item)
        return [(entry.office, entry.kind) for entry in view.timeline]

    async def told(self, person: Actor) -> list[NoticeView]:
        """The person's notices, the oldest first."""
        page = await reading.notices(self.desk, person, limit=1000)
        return list(reversed(page.rows))

    async def told_of(self, person: Actor) -> list[str]:
        """What the person's notices say, the oldest first."""
        return [notice.sentence for notice in await self.told(person)]


def draft(**content: Any) -> Draft:
    """What an author hands in."""
    return submissions.draft(CONTENT | content)


async def enter(node: Node, clock: Clock) -> Room:
    """The room of a node that was opened with this clock. It knows itself, as a started one."""
    async with node.desk.database.writing.begin() as session:
        await directory.know(session, node.desk.office, "self")
    async with node.desk.database.reading() as session:
        found = {person.username: person for person in await session.scalars(select(Person))}
    return Room(node, clock, *(people.actor_of(found[name]) for name in PERSONAE))


async def contents(database: Database) -> dict[str, list[str]]:
    """Every row of every table, to see that something changed nothing."""
    async with database.reading() as session:
        return {
            table.name: sorted(str(row) for row in await session.execute(select(table)))
            for table in METADATA.sorted_tables
        }


async def tidy(database: Database) -> None:
    """Take away what a test left, so that the next one finds the personae and nothing else."""
    deletes = [
        f"DELETE FROM {table.name}"
        for table in reversed(METADATA.sorted_tables)
        if table.name not in LASTING
    ]
    async with database.engine.begin() as connection, unprotected(connection):
        await connection.execute(update(Unit).values(parent_id=None))
        if database.is_postgresql:
            # At one go: sixty answers from the server take longer than what it does.
            driver: Any = (await connection.get_raw_connection()).driver_connection
            await driver.execute(";".join(deletes))
        else:
            for statement in deletes:
                await connection.exec_driver_sql(statement)
        await connection.execute(delete(Person).where(Person.username.not_in(PERSONAE)))
        await connection.execute(update(Person).values(FRESH))


async def set_up(
    folder: Path, plan: Plan, *, make_database: MakeDatabase | None = None, **relay: object
) -> Hierarchy:
    """The plan's offices, with people whose password is quickly checked."""
    with patch.object(passwords, "hash_password", return_value=QUICK_HASH):
        return await offices.build(folder, plan, make_database=make_database, relay=relay)


class Templates:
    """Hierarchies that are set up once a run and copied for each test."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def copy(self, plan: Plan, to: Path) -> Hierarchy:
        """A copy of the plan's offices, all of them closed, on SQLite."""
        name = "-".join((plan.id, *(below.id for below in plan.below), plan.level))
        template = self._folder / name
        if not template.exists():
            asyncio.run(self._make(template, plan))
        shutil.copytree(template, to)
        hierarchy = Hierarchy(to, None, None, Switchboard())
        office: Plan | None = plan
        while office is not None:
            hierarchy.chain.insert(0, office.id)
            office = office.below[0] if office.below else None
        return hierarchy

    async def _make(self, folder: Path, plan: Plan) -> None:
        hierarchy = await set_up(folder, plan)
        for node in hierarchy.nodes.values():
            await node.enter()
        await hierarchy.stop()


@asynccontextmanager
async def opened(node: Node, clock: Clock) -> AsyncIterator[Room]:
    """The room of a node, whose database is closed at the end."""
    try:
        yield await enter(node, clock)
    finally:
        await node.desk.database.close()
