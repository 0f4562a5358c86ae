"""The same deed with several chosen things: what can be done is done, and of the rest is said why
not, one by one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from uuid import UUID

from fastapi import Request

from node.errors import DatabaseAwayError, NodeError, message_of
from node.http import session
from node.web.forms import Fields, MistakenError
from node.web.mistakes import Failed, Told
from node.web.routing import detail_of, status_of
from node.workflow import reading, refusals
from node.workflow.desk import Actor, Desk
from protocol.errors import ZhitongError

NONE_DONE = "勾选的都没有办成，原因如下。"
SOME_DONE = "有几件没有办成，原因如下；其余的已经办好。"
UNKNOWN = "（没有这件信息）"


def chosen(entered: Fields, *, at_least: int = 1) -> list[UUID]:
    """The items that were ticked, each once. Raises `MistakenError`."""
    found = list(dict.fromkeys(entered.ids("item")))
    if len(found) < at_least:
        raise MistakenError(fields={"item": f"请先勾选至少 {at_least} 件信息"})
    return found


async def each(
    request: Request,
    desk: Desk,
    person: Actor,
    items: Sequence[UUID],
    deed: Callable[[UUID], Awaitable[object]],
) -> Told | None:
    """Do it with each; what could not be done, or None. Each is a transaction of its own."""
    failures: list[tuple[UUID, ZhitongError]] = []
    for item in items:
        try:
            await deed(item)
        except DatabaseAwayError:
            raise
        except ZhitongError as error:
            failures.append((item, error))
    if not failures:
        return None
    for _, failure in failures:
        if isinstance(failure, NodeError) and failure.refused is not None:
            await refusals.note(session.desk_of(request), failure.refused)
    titles = await reading.titles(desk, person, [item for item, _ in failures])
    return Told(
        NONE_DONE if len(failures) == len(items) else SOME_DONE,
        None,
        max(status_of(failure) for _, failure in failures),
        failed=tuple(
            Failed(item, titles.get(item, UNKNOWN), message_of(failure), detail_of(failure))
            for item, failure in failures
        ),
    )
