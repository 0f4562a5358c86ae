"""Very many items of one office, as if they had come in over two years.

They are written out of the sentences of the demo, with places and figures of their own, so that
every word stands in many of them and no two are copies. Each has its events, at this office and at
the one above: most that were adopted are closed, most that are over are archived. Every twentieth
is Lin Xiaoyu's, who was told what became of it; of the others, nine in ten were sent by one of the
offices below, where there are any.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from node.storage import bulk
from node.storage.database import Session
from node.storage.events import Event, Notice
from node.storage.items import Edition, Item, ItemAuthor
from node.storage.search import SearchPending
from node.workflow import numbers, people
from node.workflow.calendar import day_of
from node.workflow.desk import Desk
from protocol.identifiers import NodeId
from protocol.offices import OfficeReference
from tests.node.search.quality import sentences

CHUNK = 1_000
EVERY = 20
"""Of so many items, one is by the author who has an account."""
FROM_BELOW = 0.9
TOPICS = ("economy", "city", "society", "agriculture", "government")
PLACES = "东西南北中上下大小新老长安宁和平永兴文武青白红金银龙凤虎石木水火山江河湖海云桥村镇"
ABOVE = OfficeReference(id=NodeId("shang"), name="上级政协", level="province")
AT_WORK = ("submitted", "registered")
STATES = (*AT_WORK, "adopted", "declined")


@dataclass(frozen=True)
class Life:
    """What became of an item at this office and above."""

    state: str
    closed: bool
    archived: bool
    forwarded: bool
    returned: bool

    @property
    def ended(self) -> bool:
        """Whether this office is done with it."""
        return self.closed or self.state == "declined"

    @property
    def kinds(self) -> list[str]:
        """What this office did with it."""
        steps = ["submitted"]
        steps += ["registered"] if self.state != "submitted" else []
        steps += ["forwarded"] if self.forwarded else []
        steps += [self.state] if self.state not in AT_WORK else []
        steps += ["closed"] if self.closed else []
        return steps + (["archived"] if self.archived else [])


async def fill(desk: Desk, count: int, below: Sequence[OfficeReference] = ()) -> None:
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
                item_id, own = desk.new_id(), author if number % EVERY == 0 else None
                sent = below and own is None and chance.random() < FROM_BELOW
                source = chance.choice(below) if sent else None
                life = _life(chance)
                row = _item(desk, item_id, number, title, at, source, life, chance)
                bulk.insert(session, Item, **row)
                bulk.insert(session, Edition, **_edition(item_id, title, body, at, chance))
                bulk.insert(session, SearchPending, item_id=item_id)
                _tell_of(session, desk, item_id, number, at, own, life)
        tell(f"items: {min(count, start + CHUNK):,} of {count:,}")
    print(file=sys.stderr)
    async with desk.database.writing.begin() as session:
        pattern = desk.numbers.register_number
        await numbers.keep(session, numbers.REGISTER, pattern, f"2026-{count:04d}")


def tell(words: str) -> None:
    """Show one line of progress."""
    print(f"\r{words}", end="", file=sys.stderr, flush=True)


def _tell_of(
    session: Session,
    desk: Desk,
    item_id: UUID,
    number: int,
    at: datetime,
    author: UUID | None,
    life: Life,
) -> None:
    """What was done with the item, and notices of it to its author."""
    if author is not None:
        bulk.insert(session, ItemAuthor, item_id=item_id, person_id=author)
    own, above = desk.office.model_dump(), ABOVE.model_dump()
    data: dict[str, dict[str, Any]] = {
        "submitted": {"edition": 1},
        "registered": {"number": f"2026-{number:04d}"},
        "forwarded": {"to": above, "edition": 1},
        "adopted": {"manner": "single"},
        "declined": {"reason": "已有部署。"},
        "archived": {"years": 10, "until": "2036-12-31"},
    }
    steps = [(own, turn, kind) for turn, kind in enumerate(life.kinds)]
    if life.forwarded:
        last = "returned" if life.returned else "adopted"
        steps += [(above, 1, "registered"), (above, 2, last)]
    for office, turn, kind in steps:
        event_id, done = desk.new_id(), at + timedelta(minutes=turn)
        bulk.insert(
            session,
            Event,
            id=event_id,
            item_id=item_id,
            office=office["id"],
            about=item_id,
            sequence=turn,
            step=0,
            kind=kind,
            at=done,
            recorded_at=done,
            actor="editor",
            data={**data.get(kind, {}), "office": office} if turn else {"edition": 1},
            message_source=None,
            message_id=None,
        )
        if author is not None and turn:
            bulk.insert(
                session,
                Notice,
                id=desk.new_id(),
                person_id=author,
                item_id=item_id,
                event_id=event_id,
                created_at=done,
                read_at=None,
            )


def _life(chance: random.Random) -> Life:
    state = chance.choice(STATES)
    closed = state == "adopted" and chance.random() < 0.6
    archived = (closed or state == "declined") and chance.random() < 0.8
    # Most of what an office took up has long gone to the office above.
    forwarded = state in ("registered", "adopted") and chance.random() < 0.9
    returned = forwarded and not closed and chance.random() < 0.01
    return Life(state, closed, archived, forwarded, returned)


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
    desk: Desk,
    item_id: UUID,
    number: int,
    title: str,
    at: datetime,
    source: OfficeReference | None,
    life: Life,
    chance: random.Random,
) -> dict[str, Any]:
    origin, own = source or desk.office, desk.office
    standings = {own.id: _standing(own, life.state, life.kinds)}
    if life.forwarded:
        above = "returned" if life.returned else "adopted"
        standings[ABOVE.id] = _standing(ABOVE, above, ["registered", above])
    return {
        "id": item_id,
        "source": source.id if source else None,
        "origin": origin.model_dump(),
        "origin_office": origin.id,
        "title": title,
        "topic": chance.choice(TOPICS),
        "urgency": chance.choice(("normal", "normal", "normal", "urgent")),
        "classification": "internal",
        "edition": 1,
        "forwarded_edition": 1 if life.forwarded else None,
        "state": life.state,
        "closed": life.closed,
        "adopted": life.state == "adopted",
        "waiting": life.state in AT_WORK,
        "archived": life.archived,
        "ended_at": at + timedelta(minutes=len(life.kinds)) if life.ended else None,
        "number": f"2026-{number:04d}",
        "sequence": len(life.kinds) - 1,
        "step": 0,
        "standings": standings,
        "returned": life.returned,
        "created_at": at,
        "year": day_of(at).year,
        "month": day_of(at).month,
        "adopted_by": " ".join(sorted(_levels(own, life))),
        "purged_at": None,
    }


def _levels(own: OfficeReference, life: Life) -> Iterator[str]:
    if life.state == "adopted":
        yield own.level
    if life.forwarded and not life.returned:
        yield ABOVE.level


def _standing(office: OfficeReference, state: str, kinds: Sequence[str]) -> dict[str, Any]:
    return {
        "name": office.name,
        "level": office.level,
        "state": state,
        "kinds": sorted(kinds),
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
