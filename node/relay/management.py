"""Calling RabbitMQ's management API, at the address that `[hub] management` names.

The account in it manages users and policies, so it is one of its own and not the hub's; it never
speaks AMQP. The environment's proxies play no part.
"""

from __future__ import annotations

from urllib.parse import quote, unquote, urlsplit

import httpx

TIMEOUT_SECONDS = 10.0
PORT = 15672


def client(address: str) -> httpx.AsyncClient:
    """A client for one address, to use in an `async with` block. Its errors name no password."""
    found = urlsplit(address)
    host = found.hostname or "127.0.0.1"
    return httpx.AsyncClient(
        base_url=f"{found.scheme}://{host}:{found.port or PORT}",
        auth=httpx.BasicAuth(
            unquote(found.username or "guest"), unquote(found.password or "guest")
        ),
        timeout=TIMEOUT_SECONDS,
        trust_env=False,
    )


def path(*parts: str) -> str:
    """A path of the API; a virtual host may be called `/`."""
    return "/".join(["/api", *(quote(part, safe="") for part in parts)])
