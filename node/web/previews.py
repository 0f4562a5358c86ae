"""Attachments looked at in the browser: pictures and PDF, from a path without script rights."""

from __future__ import annotations

import asyncio
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import FileResponse

from node.errors import FileKindError
from node.http.session import OneDesk, Person
from node.web.routing import PageRoute
from node.workflow import files, kinds

router = APIRouter(route_class=PageRoute)

PDF = "application/pdf"
SHOWN = {kinds.KINDS[name].media_type: kinds.KINDS[name] for name in ("png", "jpg", "webp", "pdf")}
SANDBOX = "sandbox; default-src 'none'; frame-ancestors 'self'"
READER = "default-src 'none'; object-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'self'"
"""A reader of PDF does not start in a sandbox. It runs no page, whatever the file holds."""
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "private, no-store",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}


@router.get("/items/{item_id}/attachments/{digest}")
async def preview(item_id: UUID, digest: str, desk: OneDesk, person: Person) -> FileResponse:
    """A file of an item, to be shown where its content is what it says, and saved otherwise."""
    found = await files.download(desk, person, item_id, digest)
    kind = SHOWN.get(found.media_type)
    shown = kind is not None
    if kind is not None:
        try:
            await asyncio.to_thread(kinds.demand, kind, found.path)
        except FileKindError:
            shown = False
    policy = READER if shown and found.media_type == PDF else SANDBOX
    return FileResponse(
        found.path,
        media_type=found.media_type if shown else "application/octet-stream",
        filename=found.name,
        content_disposition_type="inline" if shown else "attachment",
        headers=HEADERS | {"Content-Security-Policy": policy},
    )
