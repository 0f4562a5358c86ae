"""Files that came with a form: taken in, so that the deed can name them."""

from __future__ import annotations

from collections.abc import AsyncIterator

from starlette.datastructures import UploadFile

from node.web.forms import Fields, MistakenError, record
from node.workflow import enclosures, files
from node.workflow.attachments import Named
from node.workflow.desk import Actor, Desk

CHUNK = 64 * 1024


async def brought(desk: Desk, actor: Actor, entered: Fields, name: str) -> tuple[Named, ...]:
    """The files of this field. Raises `MistakenError` for too many, and as `files.store` does."""
    chosen = entered.uploads(name)
    if len(chosen) > enclosures.MOST:
        raise MistakenError(fields={name: f"最多 {enclosures.MOST} 个文件"})
    found = []
    for one in chosen:
        stored = await files.store(desk, actor, one.filename or "", chunks(one))
        found.append(record(Named, digest=stored.digest, name=one.filename))
    return tuple(found)


async def chunks(upload: UploadFile) -> AsyncIterator[bytes]:
    """The content, a little at a time."""
    while chunk := await upload.read(CHUNK):
        yield chunk
