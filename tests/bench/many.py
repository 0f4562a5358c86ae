"""Very many items of one office, as if they had come in over two years.

They are written out of the sentences of the demo, with places and figures of their own, so that
every word stands in many of them and no two are copies. Each has its events; every twentieth is Lin
Xiaoyu's, who was told what became of it.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from node.storage import bulk
from node.storage.database import Session
from node.storage.events import Event, Notice
from node.storage.items import Edition, Item, ItemAuthor
from node.storage.search import SearchPending
from node.workflow import people
from node.workflow.desk import Desk
from tests.node.search.quality import sentences

CHUNK = 1_000
EVERY = 20
"""Of so many items, one is by the author who has an account."""
TOPICS = ("economy", "city", "society", "agriculture", "government")
PLACES = "东西南北中上下大小新老长安宁和平永兴文武青白红金银龙凤虎石木水火山江河湖海云桥村镇"
ABOVE = {"id": "yunzhou", "name": "云州市政协", "level": "city"}


async def fill(desk: Desk, count: int) -> None:
    """Write so many items into the office's database, still to be indexed."""
    chance, pool = random.Random(11), sentences()
    now = desk.clock()
    async with desk.database.reading() as session:
        author = (await people.by_username(session, "lin")).id
    for start in range(0, count, CHUNK):
        async with desk.database.writing.begin() as session:
            for number in range(start, min(count, start + CHUNK)):
                at = now - timedelta(minutes=10 * (count - number))
                title, body = _written(pool, chance)
                item_id = desk.new_id()
                bulk.insert(session, Item, **_item(item_id, number, title, at, chance))
                bulk.insert(session, Edition, **_edition(item_id, title, body, at, chance))
                bulk.insert(session, SearchPending, item_id=item_id)
                own = author if number % EVERY == 0 else None
                _tell_of(session, desk, item_id, number, at, own)
        tell(f"items: {min(count, start + CHUNK):,} of {count:,}")
    print(file=sys.stderr)


def tell(words: str) -> None:
    """Show one line of progress."""
    print(f"\r{words}", end="", file=sys.stderr, flush=True)


def _tell_of(
    session: Session, desk: Desk, item_id: UUID, number: int, at: datetime, author: UUID | None
) -> None:
    """What was done with the item, and notices of it to its author."""
    if author is not None:
        bulk.insert(session, ItemAuthor, item_id=item_id, person_id=author)
    steps = (
        (desk.node, "submitted", {}),
        (desk.node, "registered", {"number": f"2026-{number:04d}"}),
        (desk.node, "forwarded", {"to": ABOVE}),
        ("yunzhou", "registered", {"number": f"2026-{number:04d}", "office": ABOVE}),
        ("yunzhou", "adopted", {"manner": "single", "office": ABOVE}),
    )
    for step, (office, kind, data) in enumerate(steps):
        event_id = desk.new_id()
        bulk.insert(
            session,
            Event,
            id=event_id,
            item_id=item_id,
            office=office,
            about=item_id,
            sequence=step,
            step=0,
            kind=kind,
            at=at,
            recorded_at=at,
            actor="editor",
            data=data,
            message_source=None,
            message_id=None,
        )
        if author is not None and step:
            bulk.insert(
                session,
                Notice,
                id=desk.new_id(),
                person_id=author,
                item_id=item_id,
                event_id=event_id,
                created_at=at,
                read_at=None,
            )


def _written(pool: Sequence[str], chance: random.Random) -> tuple[str, str]:
    chosen = chance.sample(pool, 12)
    # Every office has its own figures and places; no two items are alike in more than sentences.
    parts = [_own(sentence, chance) for sentence in chosen]
    return chosen[0][:24], "".join(parts)


def _own(sentence: str, chance: random.Random) -> str:
    half = len(sentence) // 2
    place = "".join(chance.choice(PLACES) for _ in range(2))
    return f"{sentence[:half]}{place}{chance.randrange(10_000)}{sentence[half:]}"


def _item(
    item_id: object, number: int, title: str, at: object, chance: random.Random
) -> dict[str, Any]:
    state = chance.choice(("submitted", "registered", "adopted", "declined"))
    # Most of what an office took up has long gone to the office above.
    forwarded = state in ("registered", "adopted") and chance.random() < 0.9
    returned = forwarded and chance.random() < 0.01
    above = "returned" if returned else "adopted"
    return {
        "id": item_id,
        "source": None,
        "origin": {"id": "donghu", "name": "东湖县政协", "level": "county"},
        "title": title,
        "topic": chance.choice(TOPICS),
        "urgency": chance.choice(("normal", "normal", "normal", "urgent")),
        "classification": "internal",
        "edition": 1,
        "forwarded_edition": 1 if forwarded else None,
        "state": state,
        "closed": False,
        "number": f"2026-{number:04d}",
        "sequence": 0,
        "step": 1,
        "standings": {
            "yunzhou": {"name": "云州市政协", "level": "city", "state": above, "kinds": []}
        },
        "returned": returned,
        "created_at": at,
        "purged_at": None,
    }


def _edition(
    item_id: object, title: str, body: str, at: object, chance: random.Random
) -> dict[str, Any]:
    name = chance.choice("李王张沈林") + chance.choice("国晓立明") + chance.choice("栋雨群远波")
    return {
        "item_id": item_id,
        "number": 1,
        "title": title,
        "body": body,
        "authors": [{"name": name, "kind": "member", "unit": "东湖县团结街道"}],
        "topic": "city",
        "urgency": "normal",
        "classification": "internal",
        "submitted_at": at,
        "message_source": None,
        "message_id": None,
    }
