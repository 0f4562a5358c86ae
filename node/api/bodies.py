"""Files as the body of a request."""

from __future__ import annotations

from typing import Any

from fastapi import Request
from starlette.requests import ClientDisconnect

from node.errors import InputError, NodeError

FILE: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}
"""What the OpenAPI document says of an operation that takes one."""


async def read(request: Request, most: int, too_large: NodeError) -> bytes:
    """The whole body, of so many bytes at most. Raises `too_large`, `InputError`."""
    data = bytearray()
    try:
        async for chunk in request.stream():
            data += chunk
            if len(data) > most:
                raise too_large
    except ClientDisconnect as error:
        raise InputError("the upload broke off") from error
    return bytes(data)
