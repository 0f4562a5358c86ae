"""What drafts said before: listed, shown beside the present, taken over; and removing a draft."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from node.http.session import OneDesk, Person
from node.web.forms import Entered
from node.web.mistakes import Told, told
from node.web.rendering import page
from node.web.routing import PageRoute, back
from node.workflow import access, draft_history, drafts, phrases, topics
from node.workflow.desk import Actor, Desk
from node.workflow.drafts import MOST_KEPT, Sketch
from protocol.errors import ZhitongError
from protocol.offices import BIGGEST

router = APIRouter(route_class=PageRoute)


@router.get("/drafts/{draft_id}/versions")
async def versions(
    draft_id: UUID,
    request: Request,
    desk: OneDesk,
    person: Person,
    version: Annotated[int | None, Query(ge=1, le=BIGGEST)] = None,
) -> Response:
    """What the draft said before; one of them beside the present, where it is named."""
    access.demand(person, "draft")
    return await _page(request, desk, person, draft_id, version)


@router.post("/drafts/{draft_id}/take-over")
async def take_over(
    draft_id: UUID, request: Request, desk: OneDesk, person: Person, entered: Entered
) -> Response:
    """Save an earlier version once more, and go on writing."""
    access.demand(person, "draft")
    wanted = entered.number("wanted")
    try:
        version = entered.number("version")
        saved = await draft_history.take_over(desk, person, draft_id, version, wanted)
    except ZhitongError as error:
        return await _page(request, desk, person, draft_id, wanted, told(error))
    if saved.item_id is not None:
        return back(f"/items/{saved.item_id}/resubmit", "take-over")
    return back(f"/write?draft={draft_id}", "take-over")


@router.post("/drafts/{draft_id}/discard")
async def discard(desk: OneDesk, person: Person, draft_id: UUID, entered: Entered) -> Response:
    """Remove a draft."""
    access.demand(person, "draft")
    await drafts.discard(desk, person, draft_id, entered.number("version"))
    return back("/write", "drop")


async def _page(
    request: Request,
    desk: Desk,
    person: Actor,
    draft_id: UUID,
    version: int | None,
    told: Told | None = None,
) -> Response:
    found = await draft_history.compare(desk, person, draft_id, version) if version else None
    differing: list[tuple[str, str, str]] = []
    if found is not None:
        words = await topics.choices(desk, person, None)
        differing = list(_differing(found.before.content, found.after.content, words))
    return await page(
        request,
        person,
        "draft_versions.html",
        status=told.status if told else 200,
        draft=await drafts.view(desk, person, draft_id),
        kept=await draft_history.versions(desk, person, draft_id),
        most=MOST_KEPT,
        found=found,
        differing=differing,
        told=told,
    )


def _differing(
    before: Sketch, after: Sketch, words: Mapping[str, str]
) -> Iterator[tuple[str, str, str]]:
    """What else than the text is not the same: the field, and what it said then and says now."""
    then, now = _said(before, words), _said(after, words)
    for field, said in then.items():
        if said != now[field]:
            yield field, said, now[field]


def _said(sketch: Sketch, words: Mapping[str, str]) -> dict[str, str]:
    topic, channel = sketch.topic or "", sketch.channel or ""
    return {
        "topic": words.get(topic, topic),
        "urgency": phrases.URGENCIES[sketch.urgency],
        "classification": phrases.CLASSIFICATIONS[sketch.classification],
        "co_authors": "、".join(one.name or one.username or "" for one in sketch.co_authors),
        "attachments": "、".join(file.name for file in sketch.attachments),
        "tags": "、".join(sketch.tags),
        "channel": phrases.CHANNELS.get(channel, channel),
    }
