"""An item's whole file as one archive."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import StreamingResponse

from node.api.permission import needs
from node.http.session import OneDesk, Person
from node.workflow import casefile

router = APIRouter(tags=["items"])


@router.get(
    "/items/{item_id}/file",
    response_class=StreamingResponse,
    openapi_extra=needs("export_item"),
)
async def export(item_id: UUID, desk: OneDesk, person: Person) -> StreamingResponse:
    """The item's whole file: editions, timeline, attachments, signed messages, an overview."""
    case = await casefile.gather(desk, person, item_id)
    headers = {
        "Content-Disposition": f'attachment; filename="{item_id}.zip"',
        "Cache-Control": "private, no-store",
        "X-Content-Type-Options": "nosniff",
    }
    return StreamingResponse(casefile.pack(case), media_type="application/zip", headers=headers)
