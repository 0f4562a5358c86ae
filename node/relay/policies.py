"""Policies on a hub's broker, set through RabbitMQ's management API.

For each queue of the hub: a delivery limit with at-least-once dead-lettering into the queue beside
it, and a byte limit with reject-publish, so that a full queue refuses instead of forgetting.
Without a management address nothing is set, and the operator is told.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote, unquote, urlsplit

import httpx
import structlog

from node.relay.topology import Hub
from protocol.identifiers import NodeId

log = structlog.get_logger()

DELIVERY_LIMIT = 5
MAXIMUM_BYTES = 2 * 1024**3
TIMEOUT_SECONDS = 10.0


async def apply(management: str, virtual_host: str, hub: Hub, children: Sequence[NodeId]) -> None:
    """Set one policy a queue. Raises `httpx.HTTPError`."""
    address = urlsplit(management)
    host = address.hostname or "127.0.0.1"
    base = f"{address.scheme}://{host}:{address.port or 15672}"
    account = httpx.BasicAuth(
        unquote(address.username or "guest"), unquote(address.password or "guest")
    )
    async with httpx.AsyncClient(
        base_url=base, auth=account, timeout=TIMEOUT_SECONDS, trust_env=False
    ) as client:
        queues = hub.queues(children)
        for queue in queues:
            name = quote(queue.name, safe="")
            answer = await client.put(
                f"/api/policies/{quote(virtual_host, safe='')}/{name}",
                json={
                    "pattern": f"^{queue.name.replace('.', '[.]')}$",
                    "apply-to": "queues",
                    "priority": 10,
                    "definition": {
                        "delivery-limit": DELIVERY_LIMIT,
                        "max-length-bytes": MAXIMUM_BYTES,
                        "overflow": "reject-publish",
                        "dead-letter-strategy": "at-least-once",
                        "dead-letter-exchange": hub.dead_exchange,
                        "dead-letter-routing-key": queue.dead,
                    },
                },
            )
            answer.raise_for_status()
    log.info("broker.policies_set", hub=hub.node, queues=len(queues))
