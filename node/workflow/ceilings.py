"""The highest classification that a link may carry, set by its administrator at either end.

It holds for what carries an item's text: submissions and revisions, and what they carry inside.
Facts hold what every author may read. What was forwarded before the level was lowered still goes:
pause the link to hold it back.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select

from node.errors import LinkLevelError
from node.storage.database import Session
from node.storage.offices import Link
from node.workflow import access, audit, links
from node.workflow.desk import Actor, Desk
from protocol.messages.items import LEVELS, ClassificationName


async def limit(desk: Desk, actor: Actor, peer: str, level: ClassificationName) -> None:
    """Set the highest level of a link. Raises `UnknownOfficeError`."""
    access.demand(actor, "manage_links")
    now = desk.clock()
    async with desk.database.writing.begin() as session:
        link = await links.demand(session, peer, lock=True)
        link.highest_level = level
        audit.note(session, now, actor=actor, action="link_limited", subject=peer, level=level)


async def of(session: Session, peers: Iterable[str]) -> dict[str, str]:
    """The highest level of each of these links that is there."""
    found = await session.execute(
        select(Link.peer, Link.highest_level).where(Link.peer.in_(set(peers)))
    )
    return dict(found.all())


def demand(levels: Iterable[str], highest: str) -> None:
    """Raises `LinkLevelError` where one of the levels is above the highest."""
    order: tuple[str, ...] = LEVELS
    for level in levels:
        if order.index(level) > order.index(highest):
            raise LinkLevelError(f"{level} is above {highest}, the highest level of this link")
