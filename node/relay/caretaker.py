"""The caretaker: small things that a node looks after now and then.

Today one: a child that was certified while the node runs gets its queues.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from protocol.identifiers import NodeId


class Caretaker:
    """Notices that the children changed."""

    def __init__(
        self, children: Callable[[], Awaitable[Sequence[NodeId]]], changed: Callable[[], None]
    ) -> None:
        self._children = children
        self._changed = changed
        self._seen: frozenset[NodeId] | None = None

    async def step(self) -> bool:
        """Look once. Never says that there is more to do."""
        children = frozenset(await self._children())
        if self._seen is not None and children != self._seen:
            self._changed()
        self._seen = children
        return False
