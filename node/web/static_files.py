"""What pages load: the style sheet, the scripts, the icon."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import FileResponse
from starlette.exceptions import HTTPException

from node.web.rendering import FILES, STATIC

router = APIRouter()


@router.get("/static/{name:path}")
async def file(name: str) -> FileResponse:
    """One file. Its address changes with its contents, so that browsers keep it for a year."""
    if name not in FILES:
        raise HTTPException(404)
    return FileResponse(
        STATIC / name,
        media_type=FILES[name],
        headers={
            "Cache-Control": "public, max-age=31536000, immutable",
            "X-Content-Type-Options": "nosniff",
        },
    )
