"""Items: submit, list, look at one with its timeline, and every action on it."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from node.api.drafts import DraftShape
from node.api.permission import needs
from node.api.search import DuplicatesShape, Submitted
from node.api.shapes import (
    Adoption,
    Closing,
    Forwarded,
    Implementation,
    Instruction,
    ItemDetail,
    ItemList,
    ItemSummary,
    LeaderReadShape,
    NoteShape,
    Reason,
    RegisteredShape,
)
from node.http.session import OneDesk, Person
from node.workflow import (
    decisions,
    duplicates,
    forwarding,
    notes,
    reading,
    revisions,
    submissions,
    withdrawals,
)
from node.workflow.submissions import Draft
from protocol.lifecycle import State
from protocol.offices import BIGGEST

router = APIRouter(prefix="/items", tags=["items"])

ALONE = Forwarded()
"""Nothing said beside it."""


@router.post("", status_code=201, openapi_extra=needs("submit"))
async def submit(draft: Draft, desk: OneDesk, person: Person) -> Submitted:
    """Hand in a new item; the answer says what is similar to it, which stands in nobody's way."""
    # Asked first: once the item is handed in, nothing else may fail.
    found = await duplicates.of_draft(desk, person, draft.title, draft.body)
    id = await submissions.submit(desk, person, draft)
    return Submitted(id=id, duplicates=DuplicatesShape.of(found))


@router.get("", openapi_extra=needs("read"))
async def list_items(
    desk: OneDesk,
    person: Person,
    state: State | None = None,
    offset: Annotated[int, Query(ge=0, le=BIGGEST)] = 0,
    limit: Annotated[int, Query(ge=1, le=200)] = reading.PAGE,
) -> ItemList:
    """The items that you may see, the newest first."""
    page = await reading.list_items(desk, person, state=state, offset=offset, limit=limit)
    return ItemList(items=[ItemSummary.of(item) for item in page.rows], total=page.total)


@router.get("/{item_id}", openapi_extra=needs("read"))
async def view(item_id: UUID, desk: OneDesk, person: Person) -> ItemDetail:
    """One item with its timeline across all levels."""
    return ItemDetail.of_view(await reading.view(desk, person, item_id))


@router.post("/{item_id}/resubmit", status_code=204, openapi_extra=needs("resubmit"))
async def resubmit(item_id: UUID, draft: Draft, desk: OneDesk, person: Person) -> None:
    """Hand in a new edition of an item that was returned."""
    await submissions.resubmit(desk, person, item_id, draft)


@router.post("/{item_id}/draft", openapi_extra=needs("resubmit"))
async def open_draft(item_id: UUID, desk: OneDesk, person: Person) -> DraftShape:
    """Your draft of a new edition of an item that was returned, begun where there is none."""
    return DraftShape.model_validate(await revisions.open_draft(desk, person, item_id))


@router.post("/{item_id}/withdraw", status_code=204, openapi_extra=needs("withdraw"))
async def withdraw(item_id: UUID, given: Reason, desk: OneDesk, person: Person) -> None:
    """Take the item back, or ask the office above for it."""
    await withdrawals.withdraw(desk, person, item_id, given.reason)


@router.post("/{item_id}/register", openapi_extra=needs("register"))
async def register(item_id: UUID, desk: OneDesk, person: Person) -> RegisteredShape:
    """Take the item up and give it a number."""
    return RegisteredShape(number=await decisions.register(desk, person, item_id))


@router.post("/{item_id}/adopt", status_code=204, openapi_extra=needs("adopt"))
async def adopt(item_id: UUID, given: Adoption, desk: OneDesk, person: Person) -> None:
    """Adopt the item at this level."""
    await decisions.adopt(desk, person, item_id, manner=given.manner, issue=given.issue)


@router.post("/{item_id}/decline", status_code=204, openapi_extra=needs("decline"))
async def decline(item_id: UUID, given: Reason, desk: OneDesk, person: Person) -> None:
    """Decline the item, with a reason."""
    await decisions.decline(desk, person, item_id, given.reason)


@router.post("/{item_id}/return", status_code=204, openapi_extra=needs("return"))
async def return_(item_id: UUID, given: Reason, desk: OneDesk, person: Person) -> None:
    """Return the item to be improved, with a reason."""
    await decisions.return_(desk, person, item_id, given.reason)


@router.post("/{item_id}/forward", status_code=204, openapi_extra=needs("forward_up"))
async def forward_up(
    item_id: UUID, desk: OneDesk, person: Person, given: Forwarded = ALONE
) -> None:
    """Forward the newest edition to the office above, with a note where there is one."""
    await forwarding.forward_up(desk, person, item_id, note=given.note)


@router.post("/{item_id}/notes", status_code=204, openapi_extra=needs("write_note"))
async def write_note(item_id: UUID, given: NoteShape, desk: OneDesk, person: Person) -> None:
    """Write to the editors of the office above, or of that from which the item came."""
    await notes.write(desk, person, item_id, given.text, given.to)


@router.post("/{item_id}/leader-read", status_code=204, openapi_extra=needs("leader_read"))
async def leader_read(item_id: UUID, given: LeaderReadShape, desk: OneDesk, person: Person) -> None:
    """Record that a leader has read it."""
    await decisions.leader_read(desk, person, item_id, leader=given.leader, post=given.post)


@router.post("/{item_id}/instruct", status_code=204, openapi_extra=needs("instruct"))
async def instruct(item_id: UUID, given: Instruction, desk: OneDesk, person: Person) -> None:
    """Record a leader's instruction."""
    await decisions.instruct(
        desk,
        person,
        item_id,
        leader=given.leader,
        post=given.post,
        text=given.text,
        on=given.on,
        attachments=given.attachments,
    )


@router.post("/{item_id}/implement", status_code=204, openapi_extra=needs("implement"))
async def implement(item_id: UUID, given: Implementation, desk: OneDesk, person: Person) -> None:
    """Record what came of an instruction."""
    await decisions.implement(desk, person, item_id, unit=given.unit, text=given.text)


@router.post("/{item_id}/close", status_code=204, openapi_extra=needs("close"))
async def close(item_id: UUID, given: Closing, desk: OneDesk, person: Person) -> None:
    """Be done with the item."""
    await decisions.close(desk, person, item_id, given.note)
