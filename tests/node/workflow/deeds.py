"""Every deed on an item as a call with nothing left to choose, for tests that try them all."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date
from uuid import UUID

from node.workflow import archiving, decisions, forwarding, submissions, withdrawals
from node.workflow.desk import Actor, Desk
from protocol.lifecycle import Action
from tests.node.rooms import Room, draft

Deed = Callable[[Desk, Actor, UUID], Awaitable[object]]

DEEDS: dict[Action, Deed] = {
    Action.RESUBMIT: lambda desk, actor, item: submissions.resubmit(
        desk, actor, item, draft(body="改过的正文。")
    ),
    Action.WITHDRAW: lambda desk, actor, item: withdrawals.withdraw(
        desk, actor, item, "另行反映。"
    ),
    Action.REGISTER: decisions.register,
    Action.ADOPT: decisions.adopt,
    Action.DECLINE: lambda desk, actor, item: decisions.decline(desk, actor, item, "已有部署。"),
    Action.RETURN: lambda desk, actor, item: decisions.return_(desk, actor, item, "请补充数据。"),
    Action.FORWARD_UP: forwarding.forward_up,
    Action.LEADER_READ: lambda desk, actor, item: decisions.leader_read(
        desk, actor, item, leader="周明远", post="县长"
    ),
    Action.INSTRUCT: lambda desk, actor, item: decisions.instruct(
        desk, actor, item, leader="周明远", post="县长", text="请研究。", on=date(2026, 11, 20)
    ),
    Action.IMPLEMENT: lambda desk, actor, item: decisions.implement(
        desk, actor, item, unit="县住建局", text="已布设四十处充电棚。"
    ),
    Action.CLOSE: decisions.close,
    Action.ARCHIVE: archiving.archive,
}

BY_AUTHOR = frozenset({Action.RESUBMIT, Action.WITHDRAW})


async def do(room: Room, action: Action, item: UUID) -> object:
    """The deed, by the author or the editor, whoever it is for."""
    actor = room.lin if action in BY_AUTHOR else room.editor
    return await DEEDS[action](room.desk, actor, item)


async def item_after(room: Room, *actions: Action) -> UUID:
    """A new item, and what was done with it."""
    item = await room.submit()
    for action in actions:
        await do(room, action, item)
    return item
