"""A commit wakes who waits for what it wrote, in its own process and in another."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import delete, func, select, text, update

from node.storage import bulk, wake
from node.storage.audit import AuditRow
from node.storage.database import Database
from node.storage.messages import Outgoing
from node.storage.offices import Link, Office
from node.storage.purges import Purge
from node.workflow import audit
from tests.node.rooms import Room
from tests.waiting import until


@pytest.fixture
def woken(county: Room) -> list[str]:
    """The tables that somebody was woken for."""
    heard: list[str] = []
    for table in sorted(wake.WATCHED):
        county.database.watch.on(table, lambda table=table: heard.append(table))
    return heard


async def test_what_was_added_changed_or_removed_as_an_object_wakes(
    county: Room, woken: list[str]
) -> None:
    purge = Purge(item_id=county.desk.new_id(), reason="r", actor="a", at=county.clock())
    async with county.database.writing.begin() as session:
        session.add(purge)
    async with county.database.writing.begin() as session:
        (await session.get_one(Purge, purge.item_id)).reason = "another"
    async with county.database.writing.begin() as session:
        await session.delete(await session.get_one(Purge, purge.item_id))
    assert woken == ["purges"] * 3


async def test_an_object_that_was_given_the_value_that_it_had_wakes_nobody(
    county: Room, woken: list[str]
) -> None:
    async with county.database.writing.begin() as session:
        office = await session.get_one(Office, county.desk.node)
        office.incarnation = office.incarnation
    assert woken == []


async def test_a_statement_wakes(county: Room, woken: list[str]) -> None:
    async with county.database.writing.begin() as session:
        await session.execute(update(Link).values(silent_since=None))
        await session.scalars(delete(Outgoing).returning(Outgoing.id))
        await bulk.upsert(
            session, Purge, item_id=county.desk.new_id(), reason="r", actor="a", at=county.clock()
        )
    assert sorted(woken) == ["links", "outbox", "purges"]


@pytest.mark.parametrize("count", [1, bulk.MANY])
async def test_rows_that_are_collected_wake_when_they_are_written(
    county: Room, woken: list[str], count: int
) -> None:
    async with county.database.writing.begin() as session:
        await session.execute(select(func.count()).select_from(Office))
        _note(session, county, count)
        assert woken == []
    assert woken == ["audit"]


async def test_reading_wakes_nobody(county: Room, woken: list[str]) -> None:
    async with county.database.writing.begin() as session:
        await session.execute(select(Outgoing))
    async with county.database.reading() as session:
        await session.execute(select(AuditRow))
    assert woken == []


async def test_a_commit_whose_answer_was_lost_may_have_happened_and_wakes(
    county: Room, woken: list[str]
) -> None:
    async with county.database.writing() as session:
        await session.execute(update(Link).values(silent_since=None))
        await session.rollback()
    assert woken == ["links"]


def test_a_table_of_which_other_processes_say_nothing_cannot_be_waited_for(county: Room) -> None:
    with pytest.raises(ValueError, match="add it to WATCHED"):
        county.database.watch.on("people", lambda: None)


async def test_another_process_is_told_of_what_loops_wait_for(county: Room) -> None:
    async with _listening(county) as heard:
        await _write(county)
        await until(lambda: "audit" in heard, what="the wake")


async def test_a_process_with_loops_of_its_own_tells_no_other(county: Room) -> None:
    pages = _another(county)
    county.database.watch.elsewhere = frozenset()
    try:
        async with _listening(county) as heard:
            await _write(county)
            async with pages.writing.begin() as session:
                await session.execute(delete(Purge))
            await until(lambda: "purges" in heard, what="the wake of the pages")
            if county.database.is_postgresql:
                assert heard == ["purges"]
    finally:
        county.database.watch.elsewhere = wake.WATCHED | wake.SHOWN
        await pages.close()


async def test_a_listener_that_was_cut_off_looks_at_everything_when_it_is_back(
    county: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not county.database.is_postgresql:
        pytest.skip("SQLite has no connection to cut")
    monkeypatch.setattr(wake, "DIAL_SECONDS", 0.01)
    async with _listening(county) as heard:
        async with county.database.reading() as session:
            await session.execute(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND query ILIKE 'LISTEN%'"
                )
            )
        await until(lambda: set(heard) == wake.WATCHED, what="the second look")


@asynccontextmanager
async def _listening(county: Room) -> AsyncIterator[list[str]]:
    """What another process on the county's database is woken for, from now on."""
    heard: list[str] = []
    relay, stopping = _another(county), asyncio.Event()
    for table in sorted(wake.WATCHED):
        relay.watch.on(table, lambda table=table: heard.append(table))
    listens = asyncio.create_task(relay.watch.listen(_url(county), stopping))
    if relay.is_postgresql:
        await until(lambda: len(heard) == len(wake.WATCHED), what="LISTEN")
    else:
        await asyncio.sleep(0)  # it looks at the file for the first time
    heard.clear()
    try:
        yield heard
    finally:
        stopping.set()
        await listens
        await relay.close()


def _another(county: Room) -> Database:
    return Database(_url(county))


def _url(county: Room) -> str:
    return county.node.settings.database_url


async def _write(county: Room) -> None:
    async with county.database.writing.begin() as session:
        _note(session, county, 1)


def _note(session: object, county: Room, count: int) -> None:
    for number in range(count):
        audit.note(session, county.clock(), actor="editor", action="noted", number=number)  # type: ignore[arg-type]
