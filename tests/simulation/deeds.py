"""What people do: an author or an editor looks at an item, and does one of the things that the
office offers for it (`reading.view`), or an author hands in a new one.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import date
from random import Random
from typing import Any, get_args
from uuid import UUID

from sqlalchemy import bindparam, select

from node.storage.items import Item, ItemAuthor
from node.workflow import decisions, editing, forwarding, reading, submissions, withdrawals
from node.workflow.desk import Actor, Desk
from node.workflow.editing import Rewriting
from node.workflow.submissions import Draft
from protocol.lifecycle import Action
from protocol.messages.items import Urgency
from tests.simulation.office import Office

Work = Coroutine[Any, Any, Any]
LIKELY = {
    Action.REGISTER: 10,
    Action.FORWARD_UP: 12,
    Action.WITHDRAW: 3,
    Action.RESUBMIT: 8,
    Action.REVISE: 8,
    Action.RETURN: 3,
    Action.ADOPT: 6,
    Action.EDIT: 3,
    Action.INSTRUCT: 2,
    Action.IMPLEMENT: 2,
    Action.DECLINE: 1,
    Action.CLOSE: 1,
}
"""What moves an item on happens more often than what ends it.

Merging needs more than one item, and assignments people in units: they are not simulated.
"""

RECENT = 3
"""People look at the newest few items, so that one item sees much."""

# Not by `reading.list_items`, as pages do: it builds its queries anew each time, which took more of
# a schedule than running them.
NEWEST = select(Item.id).order_by(Item.created_at.desc(), Item.id.desc()).limit(RECENT)
OWN = NEWEST.join(ItemAuthor, ItemAuthor.item_id == Item.id).where(
    ItemAuthor.person_id == bindparam("person", type_=ItemAuthor.person_id.type)
)


@dataclass(frozen=True)
class Deed:
    """Something that a person is about to do at an office."""

    action: Action
    item: UUID | None
    work: Work


def hand_in(office: Office, random: Random) -> Deed:
    """An author writes a new item, sometimes together with a colleague."""
    actor = office.actors[random.choice(("lin", "chen"))]
    others = ({"username": "lin"},) if random.random() < 0.3 else ()
    draft = _draft(random, co_authors=others)
    return Deed(Action.SUBMIT, None, submissions.submit(office.desk, actor, draft))


async def choose(office: Office, random: Random) -> Deed | None:
    """One of the things that somebody can do there now; None when there is nothing."""
    username = "editor" if random.random() < 0.7 else random.choice(("lin", "chen"))
    actor = office.actors[username]
    async with office.database.reading() as session:
        query = NEWEST if username == "editor" else OWN
        newest = (await session.scalars(query, {"person": actor.id})).all()
    if not newest:
        return None
    item = random.choice(newest)
    seen = await reading.view(office.desk, actor, item)
    offered = [action for action in map(Action, seen.actions) if action in LIKELY]
    if not offered:
        return None
    [action] = random.choices(offered, [LIKELY[action] for action in offered])
    if action is Action.WITHDRAW and not seen.item.forwarded_edition and random.random() < 0.8:
        return None  # most authors wait at least until the item went somewhere
    return Deed(action, item, _DOING[action](office.desk, actor, item, random))


def _draft(random: Random, **more: Any) -> Draft:
    return submissions.draft(
        {
            "title": f"第{random.randrange(1000)}号建议",
            "body": "路灯不亮。\n建议修好。",
            "topic": "city",
            "urgency": random.choice(get_args(Urgency)),
        }
        | more
    )


def _resubmit(desk: Desk, actor: Actor, item: UUID, random: Random) -> Work:
    return submissions.resubmit(desk, actor, item, _draft(random))


async def _edit(desk: Desk, actor: Actor, item: UUID, random: Random) -> int:
    seen = await reading.view(desk, actor, item)
    title = f"{_draft(random).title}（第{seen.item.edition}稿修改）"
    wanted = Rewriting(
        based_on=seen.item.edition, title=title, body=seen.edition.body, why="改标题"
    )
    return await editing.edit(desk, actor, item, wanted)


def _instruct(desk: Desk, actor: Actor, item: UUID, _: Random) -> Work:
    return decisions.instruct(
        desk, actor, item, leader="周明远", post="副市长", text="请研究。", on=date(2026, 11, 20)
    )


_DOING: dict[Action, Callable[[Desk, Actor, UUID, Random], Work]] = {
    Action.REGISTER: lambda desk, actor, item, _: decisions.register(desk, actor, item),
    Action.ADOPT: lambda desk, actor, item, _: decisions.adopt(desk, actor, item),
    Action.EDIT: lambda desk, actor, item, random: _edit(desk, actor, item, random),
    Action.DECLINE: lambda desk, actor, item, _: decisions.decline(desk, actor, item, "已有部署。"),
    Action.RETURN: lambda desk, actor, item, _: decisions.return_(desk, actor, item, "请补充。"),
    Action.FORWARD_UP: lambda desk, actor, item, _: forwarding.forward_up(desk, actor, item),
    Action.INSTRUCT: _instruct,
    Action.IMPLEMENT: lambda desk, actor, item, _: decisions.implement(
        desk, actor, item, unit="市政局", text="已修好。"
    ),
    Action.CLOSE: lambda desk, actor, item, _: decisions.close(desk, actor, item),
    Action.WITHDRAW: lambda desk, actor, item, _: withdrawals.withdraw(
        desk, actor, item, "情况有变。"
    ),
    Action.RESUBMIT: _resubmit,
    Action.REVISE: _resubmit,
}
