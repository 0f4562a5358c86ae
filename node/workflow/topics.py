"""Topics (领域): the office's own code table, which its system administrator keeps.

Every code belongs to one of the five topics that offices tell each other, so that an item keeps its
topic on its way up, whatever the offices call it. A code that was used stays in the table, retired:
items carry it. An office that has set no table uses the five themselves. Versions are kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from pydantic import ConfigDict, Field, StrictBool, StringConstraints
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from node.errors import InputError
from node.storage.database import Session
from node.storage.items import Item
from node.storage.topics import TopicList
from node.topic_errors import TopicError, TopicsChangedError
from node.workflow import access, audit, phrases
from node.workflow.desk import Actor, Desk
from protocol.messages.items import Topic
from protocol.offices import Line, Record

MOST = 200
Code = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,19}$")]


class Entry(Record):
    """A row of the table, in the order in which people choose."""

    model_config = ConfigDict(extra="forbid", defer_build=False)

    code: Code
    name: Annotated[Line, Field(max_length=40)]
    topic: Topic
    """What other offices are told."""
    retired: StrictBool = False


class Table(Record):
    """The table as an administrator wants it, made of this version."""

    model_config = ConfigDict(extra="forbid", defer_build=False)

    version: Annotated[int, Field(ge=0, le=1_000_000, strict=True)]
    topics: Annotated[tuple[Entry, ...], Field(min_length=1, max_length=MOST)]


@dataclass(frozen=True)
class TableView:
    """A version of the table. Version 0 is that of an office that has set none."""

    version: int
    topics: Sequence[Entry]
    set_at: datetime | None
    set_by: str | None


DEFAULT = TableView(
    0,
    tuple(
        Entry.model_validate({"code": topic, "name": name, "topic": topic})
        for topic, name in phrases.TOPICS.items()
    ),
    set_at=None,
    set_by=None,
)


async def show(desk: Desk, actor: Actor) -> TableView:
    """The table that counts now."""
    access.demand(actor, "read_topics")
    async with desk.database.reading() as session:
        return await current(session)


async def set_table(desk: Desk, actor: Actor, wanted: Table) -> int:
    """Let this table count. Returns its version. Raises `TopicsChangedError`, `InputError`."""
    access.demand(actor, "configure_desk")
    for values, word in (
        ([entry.code for entry in wanted.topics], "代码"),
        ([entry.name for entry in wanted.topics], "名称"),
    ):
        twice = next((value for value in values if values.count(value) > 1), None)
        if twice is not None:
            raise InputError(f"{word}“{twice}”出现了不止一次")
    if all(entry.retired for entry in wanted.topics):
        raise InputError("至少保留一个在用的领域")
    try:
        return await _set(desk, actor, wanted, desk.clock())
    except IntegrityError as error:
        raise TopicsChangedError("领域代码表刚刚由他人改过") from error


async def _set(desk: Desk, actor: Actor, wanted: Table, now: datetime) -> int:
    async with desk.database.writing.begin() as session:
        before = await current(session)
        if before.version != wanted.version:
            raise TopicsChangedError(f"现在是第 {before.version} 版")
        kept = {entry.code for entry in wanted.topics}
        gone = [entry.code for entry in before.topics if entry.code not in kept]
        if gone and before.version > 0:
            raise InputError(f"代码 {gone[0]} 可能已经用过，不能删除，可以停用")
        version = before.version + 1
        session.add(
            TopicList(
                version=version,
                topics=[entry.model_dump(mode="json") for entry in wanted.topics],
                set_at=now,
                set_by=actor.name,
            )
        )
        audit.note(session, now, actor=actor, action="topics_set", subject=str(version))
    return version


async def current(session: Session) -> TableView:
    """The newest version."""
    row = await session.scalar(select(TopicList).order_by(TopicList.version.desc()).limit(1))
    if row is None:
        return DEFAULT
    entries = tuple(Entry.model_validate(entry) for entry in row.topics)
    return TableView(row.version, entries, row.set_at, row.set_by)


async def choices(desk: Desk, actor: Actor, item: Item | None = None) -> dict[str, str]:
    """What can be chosen, and what the item has already, by code."""
    table = await show(desk, actor)
    has = (item.topic_code or item.topic) if item is not None else None
    found = {
        entry.code: entry.name for entry in table.topics if not entry.retired or entry.code == has
    }
    return found if has is None or has in found else {has: phrases.TOPICS.get(has, has)} | found


async def names(desk: Desk, actor: Actor) -> dict[str, str]:
    """What every topic is called here, by code: those of the office, then what others send."""
    own = {entry.code: entry.name for entry in (await show(desk, actor)).topics}
    return own | {code: name for code, name in phrases.TOPICS.items() if code not in own}


async def file(session: Session, item: Item, code: str) -> str:
    """Let the item carry this code; returns the topic that other offices know.

    What it has already it may keep, also where that was retired. Raises `TopicError`.
    """
    if item.topic_code == code:
        return item.topic
    try:
        chosen = await choose(session, code)
    except TopicError:
        if item.topic == code:
            return code
        raise
    item.topic_code = chosen.code
    return chosen.topic


async def choose(session: Session, code: str) -> Entry:
    """The topic that was chosen. Raises `TopicError`, with those that can be."""
    table = await current(session)
    choices = [entry for entry in table.topics if not entry.retired]
    found = next((entry for entry in choices if entry.code == code), None)
    if found is None:
        names = "、".join(f"{entry.name}（{entry.code}）" for entry in choices)
        raise TopicError(f"可选：{names}", found=[(one.code, one.name) for one in choices])
    return found
