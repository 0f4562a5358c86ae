"""Policies on a hub's broker, set through RabbitMQ's management API.

For each queue of the hub: a delivery limit with at-least-once dead-lettering into the queue beside
it, and a byte limit with reject-publish, so that a full queue refuses instead of forgetting.
Without a management address nothing is set, and the operator is told.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import structlog

from node.relay.management import client, path
from node.relay.topology import Hub, Queue
from protocol.identifiers import NodeId

log = structlog.get_logger()

DELIVERY_LIMIT = 5
MAXIMUM_BYTES = 2 * 1024**3


async def apply(management: str, virtual_host: str, hub: Hub, children: Sequence[NodeId]) -> None:
    """Set one policy a queue, where it is not set already. Raises `httpx.HTTPError`."""
    async with client(management) as api:
        answer = await api.get(path("policies", virtual_host))
        answer.raise_for_status()
        present = {policy["name"]: policy for policy in answer.json()}
        # The broker looks at all its queues for each policy that is set, even to the same.
        missing = [
            (queue, wanted)
            for queue in hub.queues(children)
            if not _holds(present.get(queue.name), wanted := _policy(hub, queue))
        ]
        for queue, wanted in missing:
            answer = await api.put(path("policies", virtual_host, queue.name), json=wanted)
            answer.raise_for_status()
    if missing:
        log.info("broker.policies_set", hub=hub.node, queues=len(missing))


def _policy(hub: Hub, queue: Queue) -> dict[str, Any]:
    return {
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
    }


def _holds(present: dict[str, Any] | None, wanted: dict[str, Any]) -> bool:
    return present is not None and all(present.get(key) == wanted[key] for key in wanted)
