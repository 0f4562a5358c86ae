"""Quarantine: what was refused here, and what is decided about it."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query

from node.api.link_shapes import HeldDetail, QuarantineList
from node.api.permission import needs
from node.api.shapes import Reason
from node.http.session import OneDesk, Person
from node.workflow import quarantine
from protocol.messages.links import Code
from protocol.offices import BIGGEST, NodeName

router = APIRouter(prefix="/quarantine", tags=["quarantine"])


@router.get("", openapi_extra=needs("manage_links"))
async def list_quarantine(
    desk: OneDesk,
    person: Person,
    state: Literal["held", "wanted", "replayed", "discarded"] | None = None,
    code: Code | None = None,
    peer: NodeName | None = None,
    offset: Annotated[int, Query(ge=0, le=BIGGEST)] = 0,
    limit: Annotated[int, Query(ge=1, le=200)] = quarantine.PAGE,
) -> QuarantineList:
    """What was refused, by reason and one by one, the newest first."""
    page = await quarantine.list_held(
        desk, person, state=state, code=code, peer=peer, offset=offset, limit=limit
    )
    return QuarantineList.of(page)


@router.get("/{id}", openapi_extra=needs("manage_links"))
async def view_quarantined(id: UUID, desk: OneDesk, person: Person) -> HeldDetail:
    """One message, and whether its envelope opens now."""
    return HeldDetail.of_seen(await quarantine.show(desk, person, id))


@router.post("/{id}/replay", status_code=202, openapi_extra=needs("manage_links"))
async def replay(id: UUID, desk: OneDesk, person: Person) -> HeldDetail:
    """Have the relay take the message in; it may be asked any number of times."""
    await quarantine.replay(desk, person, id)
    return HeldDetail.of_seen(await quarantine.show(desk, person, id))


@router.post("/{id}/discard", status_code=204, openapi_extra=needs("manage_links"))
async def discard(id: UUID, given: Reason, desk: OneDesk, person: Person) -> None:
    """Take the message's bytes away, for a reason; its digest and the decision stay."""
    await quarantine.discard(desk, person, id, given.reason)
