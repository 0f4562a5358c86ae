"""The index follows the items: nothing is missing, nothing twice, nothing outlives a purge."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import pytest
from sqlalchemy import func, select, text

from node.relay.indexer import REST, REST_IN_BURST, Indexer
from node.search import index
from node.storage.database import Database, Session
from node.storage.items import Item
from node.storage.search import SearchDocument, SearchMark, SearchPending
from node.workflow import decisions, purges, searching, submissions
from tests.node import erased
from tests.node.rooms import Room, draft
from tests.waiting import until

INDEX = {"search_documents", "search_text"}


async def indexed(room: Room) -> None:
    """Have everything indexed that waits for it."""
    while await index.step(room.database):
        pass


async def found(room: Room, query: str) -> list[UUID]:
    """What the editor finds."""
    said = await searching.search(room.desk, room.editor, query)
    return [hit.item.id for hit in said.hits]


async def counts(database: Database) -> tuple[int, int, int]:
    """How many documents, marks and pending editions there are."""
    async with database.reading() as session:
        tables = (SearchDocument, SearchMark, SearchPending)
        documents, marks, pending = [
            await session.scalar(select(func.count()).select_from(table)) or 0 for table in tables
        ]
    return documents, marks, pending


async def test_what_was_handed_in_is_found_once_the_index_has_taken_it_up(county: Room) -> None:
    item = await county.submit(title="老旧小区加装电梯")
    assert await found(county, "电梯") == []
    assert (await counts(county.database))[2] == 1
    await indexed(county)
    assert await found(county, "电梯") == [item]
    assert (await counts(county.database))[::2] == (1, 0)


async def test_a_new_edition_takes_the_place_of_the_old_one(county: Room) -> None:
    item = await county.submit(body="这里写的是停车。建议尽快统一布点。")
    await indexed(county)
    before = await counts(county.database)
    await decisions.return_(county.desk, county.editor, item, "请补充。")
    changed = draft(body="这里写的是充电。建议早日研究解决。")
    await submissions.resubmit(county.desk, county.lin, item, changed)
    await indexed(county)
    assert await found(county, "停车") == []
    assert await found(county, "充电") == [item]
    assert await counts(county.database) == before


async def test_several_editions_that_wait_are_indexed_as_the_newest(county: Room) -> None:
    item = await county.submit(body="这里写的是停车。")
    await decisions.return_(county.desk, county.editor, item, "请补充。")
    await submissions.resubmit(county.desk, county.lin, item, draft(body="这里写的是充电。"))
    await indexed(county)
    assert (await found(county, "停车"), await found(county, "充电")) == ([], [item])


async def test_more_than_one_batch_is_taken_up_in_the_order_in_which_it_came(county: Room) -> None:
    items = [await county.submit(title=f"第{number}件") for number in range(index.BATCH + 2)]
    taken = []
    while step := await index.step(county.database):
        taken.append(step)
    assert taken == [index.BATCH, 2]
    async with county.database.reading() as session:
        query = select(SearchDocument.item_id).order_by(SearchDocument.id)
        assert list(await session.scalars(query)) == items


async def test_a_step_that_fails_leaves_everything_to_the_next_one(
    county: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = await county.submit(title="加装电梯")
    with monkeypatch.context() as patched:
        patched.setattr(index.marks, "of_text", _fail)
        with pytest.raises(RuntimeError):
            await index.step(county.database)
    assert await counts(county.database) == (0, 0, 1)
    await indexed(county)
    assert await found(county, "电梯") == [item]


def _fail(_: str) -> list[int]:
    raise RuntimeError


async def test_two_that_index_at_once_do_the_work_once(county: Room) -> None:
    items = [await county.submit(title=f"加装电梯{number}") for number in range(3)]
    taken = await asyncio.gather(index.step(county.database), index.step(county.database))
    assert sorted(taken) == [0, 3]
    assert set(await found(county, "电梯")) == set(items)


@pytest.mark.parametrize("waits", [False, True], ids=["indexed", "not indexed yet"])
async def test_a_purge_takes_the_item_out_of_the_index(county: Room, waits: bool) -> None:
    item = await county.submit(title=erased.TITLE, body=erased.BODY)
    other = await county.submit(title="加装电梯", body="无关的内容。")
    if not waits:
        await indexed(county)
        assert INDEX - {"search_text"} <= set(await erased.written(county.database))
    await purges.purge(county.desk, county.security, item, "误报")
    await indexed(county)
    assert await erased.written(county.database) == []
    assert await found(county, "不该存在") == []
    assert await found(county, "电梯") == [other]
    assert (await counts(county.database))[::2] == (1, 0)


async def test_sqlite_keeps_no_token_of_a_purged_item(leaf: Room) -> None:
    await leaf.submit(title="加装电梯")
    item = await leaf.submit(title=erased.TITLE, body=erased.BODY)
    await indexed(leaf)
    assert set(await erased.written(leaf.database)) >= INDEX
    await purges.purge(leaf.desk, leaf.security, item, "误报")
    assert await erased.written(leaf.database) == []


async def test_what_is_purged_while_it_waits_to_be_indexed_is_not_indexed(county: Room) -> None:
    item = await county.submit(title=erased.TITLE, body=erased.BODY)
    async with _purging(county, item):
        indexing = asyncio.create_task(index.step(county.database))
        if county.database.is_postgresql:
            await until(lambda: _somebody_waits(county.database), what="waiting for the lock")
    await indexing
    assert await counts(county.database) == (0, 0, 0)


@asynccontextmanager
async def _purging(room: Room, item: UUID) -> AsyncIterator[Session]:
    """A purge that has everything done but its commit, and leaves the item pending."""
    async with room.database.writing.begin() as session:
        locked = await session.get_one(Item, item, with_for_update=True)
        locked.purged_at = room.clock()
        await session.flush()
        yield session


async def _somebody_waits(database: Database) -> bool:
    query = text(
        "SELECT count(*) FROM pg_stat_activity "
        "WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    async with database.reading() as session:
        return bool(await session.scalar(query))


async def test_marking_all_has_everything_indexed_anew_while_it_can_be_found(county: Room) -> None:
    items = [await county.submit(title=f"加装电梯{number}") for number in range(3)]
    purged = await county.submit(title="加装电梯")
    await indexed(county)
    await purges.purge(county.desk, county.security, purged, "误报")
    before = await counts(county.database)
    for _ in range(2):
        async with county.database.writing.begin() as session:
            await index.mend(session)
            assert await index.mark_all(session) == 3
    assert set(await found(county, "电梯")) == set(items)
    await indexed(county)
    assert set(await found(county, "电梯")) == set(items)
    assert await counts(county.database) == before


async def test_a_damaged_index_of_sqlite_is_mended(leaf: Room) -> None:
    item = await leaf.submit(title="加装电梯")
    await indexed(leaf)
    async with leaf.database.writing.begin() as session:
        await session.execute(text("INSERT INTO search_text(search_text) VALUES ('delete-all')"))
    assert await found(leaf, "电梯") == []
    async with leaf.database.writing.begin() as session:
        await index.mend(session)
    assert await found(leaf, "电梯") == [item]


async def test_while_messages_are_taken_in_the_indexer_rests_longer(leaf: Room) -> None:
    rests = []
    for busy in (False, True):
        await leaf.submit()
        time = iter([10.0, 12.0]).__next__
        indexer = Indexer(leaf.desk, lambda busy=busy: busy, time=time)
        assert await indexer.step()
        rests.append(indexer.rest)
    assert rests == [2 * REST, 2 * REST_IN_BURST]


async def test_the_indexer_says_whether_there_was_anything(leaf: Room) -> None:
    indexer = Indexer(leaf.desk, lambda: False)
    assert not await indexer.step()
    item = await leaf.submit(title="加装电梯")
    assert await indexer.step()
    assert await found(leaf, "电梯") == [item]
    assert not await indexer.step()
