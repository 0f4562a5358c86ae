"""Notices: what authors are told."""

from __future__ import annotations

from fastapi import APIRouter

from node.api.permission import needs
from node.api.shapes import NoticeList, NoticeShape
from node.http.session import OneDesk, Person
from node.workflow import reading

router = APIRouter(prefix="/notices", tags=["notices"])


@router.get("", openapi_extra=needs("read"))
async def list_notices(desk: OneDesk, person: Person) -> NoticeList:
    """Your newest notices."""
    page = await reading.notices(desk, person)
    return NoticeList(notices=[NoticeShape.of(one) for one in page.rows], total=page.total)


@router.post("/read", status_code=204, openapi_extra=needs("read"))
async def mark_read(desk: OneDesk, person: Person) -> None:
    """You have seen them all."""
    await reading.mark_read(desk, person)
