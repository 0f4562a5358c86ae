"""Links: how they stand, what neighbours refused, and holding one back."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query

from node.api.link_shapes import (
    Ended,
    Ending,
    Limit,
    LinkList,
    LinkShape,
    Reconciliation,
    RefusalList,
)
from node.api.permission import needs
from node.api.shapes import Reason
from node.http.session import OneDesk, Person
from node.workflow import accounts, ceilings, endings, links, recovery
from protocol.identifiers import NODE_ID
from protocol.offices import BIGGEST

router = APIRouter(prefix="/links", tags=["links"])

Peer = Annotated[str, Path(pattern=f"^{NODE_ID.pattern}$")]


@router.get("", openapi_extra=needs("manage_links"))
async def list_links(desk: OneDesk, person: Person) -> LinkList:
    """Every neighbour, the office above first."""
    views = await links.list_links(desk, person)
    return LinkList(links=[LinkShape.of(view) for view in views])


@router.get("/{peer}", openapi_extra=needs("manage_links"))
async def view_link(peer: Peer, desk: OneDesk, person: Person) -> LinkShape:
    """One link."""
    return LinkShape.of(await links.show(desk, person, peer))


@router.get("/{peer}/refused", openapi_extra=needs("manage_links"))
async def list_refused(
    peer: Peer,
    desk: OneDesk,
    person: Person,
    offset: Annotated[int, Query(ge=0, le=BIGGEST)] = 0,
    limit: Annotated[int, Query(ge=1, le=200)] = links.PAGE,
) -> RefusalList:
    """What this neighbour refused, why, and what you can do."""
    return RefusalList.of(await links.refusals(desk, person, peer, offset=offset, limit=limit))


@router.post("/{peer}/pause", status_code=204, openapi_extra=needs("manage_links"))
async def pause(peer: Peer, given: Reason, desk: OneDesk, person: Person) -> None:
    """Send this neighbour nothing but receipts, until the link is resumed."""
    await links.pause(desk, person, peer, given.reason)


@router.post("/{peer}/resume", status_code=204, openapi_extra=needs("manage_links"))
async def resume(peer: Peer, desk: OneDesk, person: Person) -> None:
    """Send again."""
    await links.resume(desk, person, peer)


@router.post("/{peer}/limit", status_code=204, openapi_extra=needs("manage_links"))
async def limit(peer: Peer, given: Limit, desk: OneDesk, person: Person) -> None:
    """Set the highest classification of items that the link may carry."""
    await ceilings.limit(desk, person, peer, given.highest_level)


@router.post("/{peer}/end", openapi_extra=needs("manage_links"))
async def end(peer: Peer, given: Ending, desk: OneDesk, person: Person) -> Ended:
    """After a move, end the link to the former parent; there, to the office that has gone."""
    at = await endings.end(desk, person, peer, on=given.on, force=given.force)
    return Ended(ends_at=at)


@router.post("/{peer}/reconcile", openapi_extra=needs("manage_links"))
async def reconcile(peer: Peer, desk: OneDesk, person: Person) -> Reconciliation:
    """State now what went over the link, instead of tomorrow (对账)."""
    return Reconciliation(days=await accounts.reconcile(desk, person, peer))


@router.post("/{peer}/waive", status_code=204, openapi_extra=needs("manage_links"))
async def waive(peer: Peer, given: Reason, desk: OneDesk, person: Person) -> None:
    """After a restore: go on without this neighbour's answer."""
    await recovery.waive(desk, person, peer, given.reason)


@router.post("/{peer}/probe", status_code=204, openapi_extra=needs("manage_links"))
async def probe(peer: Peer, desk: OneDesk, person: Person) -> None:
    """Try now instead of waiting for the next attempt."""
    await links.probe(desk, person, peer)
