"""Three levels of offices with all that a year brings to their pages, and those pages served.

The offices are those of the personae, in SQLite, and talk through memory until all is told. Then
only their pages run: whoever looks at them finds them the same each time.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from node.bootstrap.server import Serving
from node.search import index
from node.workflow import decisions, files, forwarding, merging
from protocol.lifecycle import Action
from tests.browser import things
from tests.files import chunks, pdf, picture
from tests.node import chain as chains
from tests.node import rooms
from tests.node.chain import Chain
from tests.node.rooms import Room
from tests.node.workflow.deeds import do
from tests.offices import DEPTH_3, Hierarchy

LONG = "全县有六十七个老旧小区没有集中充电点，居民从楼上拉线充电。\n" * 24

PARTS = ("山区学校冬季取暖靠煤炉", "偏远教学点供暖设备老化")
SENT_BACK = (
    ("returned", "乡镇卫生院彩超设备老旧", Action.RETURN),
    ("declined", "乡镇卫生院夜间无人值班", Action.DECLINE),
)
FILES = {"教室现场.png": picture(480, 270), "取暖费用清单.pdf": pdf(2_000)}
DESK = {"edited": things.edited, "passed": things.passed}
OTHERS = {
    "issue": things.issued,
    "draft": things.drafted,
    "case": things.signed_for,
    "answered": things.answered,
    "call": things.call,
    "person": things.person,
    "held": things.held,
    "deputy": things.deputy,
    "receipt": things.receipt,
    "begun": things.drafted_by_lin,
    "sketched": things.rewritten_by_lin,
}


@dataclass(frozen=True)
class Scene:
    """What can be looked at, and where."""

    addresses: Mapping[str, str]
    """Of each office's pages."""
    things: Mapping[str, object]
    """Items by what became of them, and what else pages are about."""


async def handed_in(room: Room, name: str, content: bytes) -> dict[str, str]:
    """A file of the author's, as a draft names it."""
    stored = await files.store(room.desk, room.lin, name, chunks(content))
    return {"digest": stored.digest, "name": name}


async def play(chain: Chain) -> dict[str, object]:
    """What happened at the offices; what came of it, by name."""
    county, top = chain.county, chain.top
    items: dict[str, UUID] = {
        "heard": await county.submit(urgency="most_urgent", co_authors=[{"username": "chen"}]),
        "similar": await county.submit(),
        "fresh": await county.submit(
            title="关于山区学校冬季供暖的建议",
            topic="society",
            attachments=[await handed_in(county, name, data) for name, data in FILES.items()],
        ),
        "long": await county.submit(title="很长的题目" * 12, body=LONG),
    }
    await chain.climb(items["heard"])
    for action in (Action.ADOPT, Action.INSTRUCT, Action.IMPLEMENT, Action.CLOSE):
        await do(top, action, items["heard"])
    for name, title, action in SENT_BACK:
        items[name] = await county.submit(title=title)
        await decisions.register(county.desk, county.editor, items[name])
        await do(county, action, items[name])
    parts = [await county.registered(title=title) for title in PARTS]
    for part in parts:
        await forwarding.forward_up(county.desk, county.editor, part)
    await things.furnish(county)
    for name, make in DESK.items():
        items[name] = await make(county)
    others = {name: await make(county) for name, make in OTHERS.items()}
    await chain.deliver()
    city = chain.above
    for part in parts:
        await decisions.register(city.desk, city.editor, part)
    wanted = merging.combination({"items": parts, "title": "多县山区学校冬季供暖难"})
    items["combined"] = await merging.merge(city.desk, city.editor, wanted)
    await things.asking(city)
    await chain.deliver()
    for room in chain.rooms.values():
        while await index.step(room.database):
            pass
    return {
        **items,
        **others,
        "peer": await things.child(city),
        "queue": "candidates",
        "sheet": "people",
    }


async def set_up(folder: Path) -> tuple[Hierarchy, dict[str, object]]:
    """The offices after all that happened, closed."""
    hierarchy = await rooms.set_up(folder, DEPTH_3)
    for node in hierarchy.nodes.values():
        await node.enter()
    await hierarchy.stop()
    async with chains.opened(hierarchy) as chain:
        return hierarchy, await play(chain)


@asynccontextmanager
async def served(folder: Path) -> AsyncIterator[Scene]:
    """The pages of all these offices."""
    hierarchy, made = await set_up(folder)
    serving = Serving([hierarchy.open(office, half="web") for office in hierarchy.chain])
    addresses = await serving.start()
    try:
        yield Scene(addresses, made)
    finally:
        await serving.stop()
