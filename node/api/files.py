"""Files: handed in before the draft that names them, and fetched from the items that have them."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import FileResponse
from starlette.requests import ClientDisconnect

from node.api import bodies
from node.api.permission import needs
from node.api.shapes import StoredShape
from node.errors import InputError
from node.http.session import OneDesk, Person
from node.workflow import files
from protocol.messages.items import FileName

router = APIRouter(tags=["files"])

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "Cache-Control": "private, no-store",
}


@router.post("/files", status_code=201, openapi_extra=bodies.FILE | needs("upload"))
async def store(
    request: Request, name: Annotated[FileName, Query()], desk: OneDesk, person: Person
) -> StoredShape:
    """Hand in a file, as the body; name its digest in a draft within a day."""
    try:
        stored = await files.store(desk, person, name, request.stream())
    except ClientDisconnect as error:
        raise InputError("the upload broke off") from error
    return StoredShape.model_validate(stored)


@router.get(
    "/items/{item_id}/attachments/{digest}",
    response_class=FileResponse,
    openapi_extra=needs("read"),
)
async def fetch(item_id: UUID, digest: str, desk: OneDesk, person: Person) -> FileResponse:
    """A file of an item, to be saved and not shown."""
    found = await files.download(desk, person, item_id, digest)
    return FileResponse(
        found.path, media_type=found.media_type, filename=found.name, headers=HEADERS
    )
