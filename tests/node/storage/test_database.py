"""The database of one office: what is stored is what is read, and who may write when."""

from __future__ import annotations

import socket
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError, StatementError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from node.errors import ConfigurationError
from node.storage.database import Database, is_away, lacks_tables
from node.storage.events import Event
from node.storage.items import Item
from node.storage.people import Person
from tests.node.rooms import Room
from tests.servers.postgres import Postgres

CHINA = timezone(timedelta(hours=8))


async def test_a_time_comes_back_as_the_same_moment_in_utc(county: Room) -> None:
    moment = datetime(2026, 11, 22, 23, 59, 59, 123456, tzinfo=CHINA)
    async with county.database.writing.begin() as session:
        await session.execute(update(Person).values(disabled_at=moment))
    async with county.database.reading() as session:
        stored = await session.scalar(select(Person.disabled_at).limit(1))
    assert stored == moment
    assert stored is not None
    assert stored.tzinfo is UTC


async def test_a_time_without_a_zone_is_not_stored(county: Room) -> None:
    async with county.database.writing() as session:
        with pytest.raises(StatementError, match="without a zone"):
            await session.execute(update(Person).values(disabled_at=datetime(2026, 1, 1)))  # noqa: DTZ001


async def test_nobody_refers_to_an_item_that_is_not_there(county: Room) -> None:
    now = county.clock()
    with pytest.raises(IntegrityError):
        async with county.database.writing.begin() as session:
            session.add(
                Event(
                    id=county.desk.new_id(),
                    item_id=county.desk.new_id(),
                    office="donghu",
                    sequence=1,
                    step=0,
                    kind="registered",
                    at=now,
                    recorded_at=now,
                    data={},
                )
            )


async def test_an_item_with_events_cannot_be_removed(county: Room) -> None:
    item = await county.submit()
    with pytest.raises(IntegrityError):
        async with county.database.writing.begin() as session:
            await session.delete(await session.get_one(Item, item))


async def test_an_error_of_a_statement_does_not_repeat_its_values(county: Room) -> None:
    with pytest.raises(DBAPIError) as error:
        async with county.database.reading() as session:
            await session.execute(text("SELECT :word FROM nowhere"), {"word": "内部"})
    assert "内部" not in str(error.value)
    assert lacks_tables(error.value)
    assert not is_away(error.value)


@pytest.mark.parametrize(
    "address",
    [
        "nonsense",
        "sqlite:///office.sqlite",
        "postgresql://office",
        "mysql://root:secret@127.0.0.1/office",
        "postgresql+asyncpg://u:secret@127.0.0.1:port/office",
    ],
)
def test_an_address_of_another_kind_is_refused_without_repeating_it(address: str) -> None:
    with pytest.raises(ConfigurationError, match=r"sqlite\+aiosqlite") as error:
        Database(address)
    assert "secret" not in str(error.value)


@pytest.mark.parametrize(
    "error",
    [
        ConnectionRefusedError(111, "refused"),
        TimeoutError(),
        PoolTimeoutError("no connection became free"),
        OSError("Multiple exceptions: [Errno 111] Connect call failed"),
        OSError(113, "No route to host"),
        socket.gaierror(-2, "Name or service not known"),
    ],
    ids=repr,
)
def test_an_address_that_does_not_answer_means_away(error: Exception) -> None:
    assert is_away(error)


@pytest.mark.parametrize(
    "error", [FileNotFoundError(2, "x"), PermissionError(13, "x"), ValueError("x")], ids=repr
)
def test_other_errors_do_not_mean_away(error: Exception) -> None:
    assert not is_away(error)


async def test_a_server_without_the_database_or_the_role_means_away(postgres: Postgres) -> None:
    good = postgres.url("nowhere")
    for url in (good, good.replace("//zhitong@", "//nobody@")):
        database = Database(url)
        with pytest.raises(DBAPIError) as error:
            async with database.reading() as session:
                await session.execute(text("SELECT 1"))
        assert is_away(error.value)
        await database.close()


async def test_a_connection_that_the_server_cuts_means_away(postgres: Postgres) -> None:
    database = Database(postgres.url("postgres"))
    own, cut = text("SELECT pg_backend_pid()"), text("SELECT pg_terminate_backend(:pid)")
    async with database.reading() as session:
        pid = await session.scalar(own)
        async with database.reading() as other:
            await other.execute(cut, {"pid": pid})
        with pytest.raises(DBAPIError) as error:
            await session.execute(own)
    assert is_away(error.value)
    await database.close()
