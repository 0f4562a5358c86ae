"""Finding items: by their words, and those that are similar to a text."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict

from node.api.permission import needs
from node.api.shapes import ItemSummary, Shape
from node.http.session import OneDesk, Person
from node.workflow import duplicates, phrases, searching
from node.workflow.duplicates import Duplicates
from node.workflow.searching import Found, Wanted
from node.workflow.submissions import Channel
from node.workflow.tags import Tag
from node.workflow.topics import Code
from protocol.lifecycle import State
from protocol.messages.items import Urgency
from protocol.offices import BIGGEST, Day, Level, Line, NodeName, Text

router = APIRouter(tags=["search"])


class ExcerptShape(BaseModel):
    """A part of the item's title, body or authors; `marks` are the ranges of characters found."""

    part: str
    text: str
    marks: list[tuple[int, int]]


class HitShape(BaseModel):
    """An item that was found."""

    item: ItemSummary
    excerpts: list[ExcerptShape]


class FoundShape(BaseModel):
    """A part of what was found; `more`: there are more than the `total`, which is cut there."""

    hits: list[HitShape]
    total: int
    more: bool

    @classmethod
    def of(cls, found: Found) -> Self:
        hits = [
            HitShape(
                item=ItemSummary.of(hit.item),
                excerpts=[
                    ExcerptShape(part=part, text=excerpt.text, marks=list(excerpt.marks))
                    for part, excerpt in hit.excerpts
                ],
            )
            for hit in found.hits
        ]
        return cls(hits=hits, total=found.total, more=found.more)


class DraftText(Shape):
    """A text that was not handed in yet."""

    title: Line
    body: Text


class AgreementShape(BaseModel):
    """Words that stand in both texts, and where the other one has them."""

    model_config = ConfigDict(from_attributes=True)

    text: str
    start: int


class SimilarShape(BaseModel):
    """An item that is similar, with the words that agree; `signed`: a message proves the time."""

    item: ItemSummary
    first_at: datetime
    signed: bool
    share: float
    agreements: list[AgreementShape]


class HintShape(BaseModel):
    """Somebody else handed in something similar."""

    sentence: str
    on: date
    level: str


class DuplicatesShape(BaseModel):
    """What is similar: items that you may read, and hints at those of others."""

    similar: list[SimilarShape]
    hints: list[HintShape]

    @classmethod
    def of(cls, found: Duplicates) -> Self:
        similar = [
            SimilarShape(
                item=ItemSummary.of(one.item),
                first_at=one.first_at,
                signed=one.signed,
                share=round(one.share, 2),
                agreements=[AgreementShape.model_validate(part) for part in one.agreements],
            )
            for one in found.similar
        ]
        hints = [
            HintShape(sentence=phrases.SIMILAR_ELSEWHERE, on=hint.on, level=hint.level)
            for hint in found.hints
        ]
        return cls(similar=similar, hints=hints)


class Submitted(BaseModel):
    """The id of a new item, and what is similar to it."""

    id: UUID
    duplicates: DuplicatesShape


@router.get("/search", openapi_extra=needs("read"))
async def search(
    desk: OneDesk,
    person: Person,
    q: Annotated[str, Query(max_length=searching.LONGEST_QUERY)] = "",
    state: State | None = None,
    adopted: Level | None = None,
    topic: Code | None = None,
    tag: Tag | None = None,
    channel: Channel | Literal["public_form"] | None = None,
    urgency: Urgency | None = None,
    source: NodeName | None = None,
    since: Day | None = None,
    until: Day | None = None,
    *,
    overdue: bool = False,
    offset: Annotated[int, Query(ge=0, le=BIGGEST)] = 0,
    limit: Annotated[int, Query(ge=1, le=200)] = searching.PAGE,
) -> FoundShape:
    """The items that hold all words, and are as wanted; the best first, then the newest."""
    wanted = Wanted(state, adopted, topic, urgency, source, since, until, tag, channel, overdue)
    return FoundShape.of(
        await searching.search(desk, person, q, wanted, offset=offset, limit=limit)
    )


@router.post("/duplicates", openapi_extra=needs("submit"))
async def of_draft(draft: DraftText, desk: OneDesk, person: Person) -> DuplicatesShape:
    """What is similar to a text before it is handed in. Nothing is kept of it."""
    return DuplicatesShape.of(await duplicates.of_draft(desk, person, draft.title, draft.body))


@router.get("/items/{item_id}/duplicates", openapi_extra=needs("read"))
async def of_item(item_id: UUID, desk: OneDesk, person: Person) -> DuplicatesShape:
    """What is similar to an item."""
    return DuplicatesShape.of(await duplicates.of_item(desk, person, item_id))
