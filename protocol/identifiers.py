"""Names of things: nodes, items, messages. Pure: time and randomness are handed in."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, date, datetime, timedelta
from typing import NewType
from uuid import UUID

NodeId = NewType("NodeId", str)
"""The stable name of an office's node, given at enrolment: `donghu`."""

Digest = NewType("Digest", str)
"""SHA-256 in 64 lower-case hexadecimal digits."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NODE_ID = re.compile(r"[a-z][a-z0-9-]{1,38}[a-z0-9]")
URN_PREFIX = "urn:zhitong:node:"


def node_id(text: str) -> NodeId:
    """Check a node id: 3 to 40 lower-case letters, digits and hyphens. Raises `ValueError`."""
    if not NODE_ID.fullmatch(text):
        raise ValueError(
            f"{text!r} is no node id: use 3 to 40 lower-case letters, digits and hyphens, "
            "beginning with a letter"
        )
    return NodeId(text)


def urn(node: NodeId) -> str:
    """The node's name as it stands in certificates and events."""
    return URN_PREFIX + node


def node_of_urn(text: str) -> NodeId:
    """The node that a urn names. Raises `ValueError` when it names none."""
    if not text.startswith(URN_PREFIX):
        raise ValueError(f"{text!r} does not begin with {URN_PREFIX}")
    return node_id(text.removeprefix(URN_PREFIX))


def digest(data: bytes) -> Digest:
    """SHA-256 of the bytes."""
    return Digest(hashlib.sha256(data).hexdigest())


def uuid7(now: datetime, randomness: bytes) -> UUID:
    """A UUID of version 7 (RFC 9562 §5.7): milliseconds of `now`, then 10 random bytes."""
    if len(randomness) < 10:
        raise ValueError("a UUID needs 10 random bytes")
    milliseconds = (now - EPOCH) // timedelta(milliseconds=1)
    value = milliseconds << 80 | int.from_bytes(randomness[:10], "big")
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return UUID(int=value)


def day_of(id: UUID) -> date:
    """The day (UTC) on which a UUID of version 7 was made, as it says itself."""
    return (EPOCH + timedelta(milliseconds=id.int >> 80)).date()


def earliest(moment: datetime) -> UUID:
    """The bound that no UUID of version 7 made at that moment or later lies below."""
    return UUID(int=((moment - EPOCH) // timedelta(milliseconds=1)) << 80)
