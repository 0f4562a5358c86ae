"""Handing out the evidence about an item: what the workflow found, signed with the node's key.

Signed anew, since the outbox keeps the content and not each token that left. A receipt names the
content, so it proves the same of every signature over it; and what an office says by signing it
today, it says today.
"""

from __future__ import annotations

from uuid import UUID

from node.bootstrap.node import Node
from node.workflow import evidence
from node.workflow.desk import Actor
from protocol import bundle, envelope
from protocol.bundle import Bundle, Sent


async def export(node: Node, actor: Actor, item: UUID) -> Bundle:
    """The evidence about the item. Raises what `workflow.evidence.holdings` does,
    `ConfigurationError` where the node's key cannot be read, and `SupersededError`.
    """
    signer = node.signer()
    incarnation = await node.enter()
    found = await evidence.holdings(node.desk, actor, item)
    now = node.desk.clock()

    def signed(payload: evidence.Payload) -> Sent:
        token = envelope.seal(payload.content, signer, signed_at=now, incarnation=incarnation)
        receipt = None if payload.receipt is None else payload.receipt.decode()
        return Sent(token=token.decode(), receipt=receipt)

    return Bundle(
        format=bundle.FORMAT,
        item=item,
        office=node.desk.node,
        sent=tuple(signed(payload) for payload in found.sent),
        received=tuple(token.decode() for token in found.received),
        lists=tuple(token.decode() for token in found.lists),
        former=found.former or None,
    )
