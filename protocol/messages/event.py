"""The signed content: a CloudEvents 1.0 event in strict JSON.

`encode` makes the exact bytes that are signed; `decode` reads bytes that were signed. Neither
signs, verifies, or asks whether the event is meant for this office: that is `envelope`'s work.
"""

from __future__ import annotations

import json
from functools import cached_property
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import StringConstraints, ValidationError

from protocol.errors import PayloadError
from protocol.identifiers import NODE_ID, URN_PREFIX, NodeId, node_of_urn, urn
from protocol.messages.catalogue import ABOUT_ITEMS, NAMES, type_name
from protocol.offices import Record, Time

Urn = Annotated[str, StringConstraints(pattern=f"^{URN_PREFIX}{NODE_ID.pattern}$")]
TraceParent = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{2}(-[0-9a-f]+){3}$")]


class Event(Record):
    """A CloudEvents 1.0 event with the extension attributes of Zhitong."""

    specversion: Literal["1.0"] = "1.0"
    id: UUID
    source: Urn
    recipient: Urn
    type: Annotated[str, StringConstraints(max_length=100, pattern=r"^[!-~]+$")]
    subject: UUID | None = None
    time: Time
    datacontenttype: Literal["application/json"] = "application/json"
    causationid: UUID | None = None
    traceparent: TraceParent | None = None
    data: dict[str, Any]

    @cached_property
    def sender(self) -> NodeId:
        """The office that claims to speak."""
        return node_of_urn(self.source)

    @cached_property
    def addressee(self) -> NodeId:
        """The office that is spoken to."""
        return node_of_urn(self.recipient)


def compose(
    data: Record,
    *,
    id: UUID,
    sender: NodeId,
    recipient: NodeId,
    subject: UUID | None,
    time: Time,
    causation: UUID | None = None,
) -> bytes:
    """The bytes to sign for one message; its type follows from the class of `data`.

    Raises `ValueError` for a message about an item that names none.
    """
    name = NAMES[type(data)]
    if subject is None and name in ABOUT_ITEMS:
        raise ValueError(f"a {name} must name its item")
    event = Event(
        id=id,
        source=urn(sender),
        recipient=urn(recipient),
        type=type_name(name),
        subject=subject,
        time=time,
        causationid=causation,
        data=data.model_dump(mode="json", exclude_none=True),
    )
    return event.model_dump_json(exclude_none=True).encode()


def decode(payload: bytes) -> Event:
    """Read signed bytes. Raises `PayloadError` for anything but one strict JSON event."""
    try:
        content = json.loads(
            payload.decode("utf-8"),
            object_pairs_hook=without_duplicates,
            parse_constant=_no_constant,
        )
        return Event.model_validate(content)
    except (ValueError, RecursionError, ValidationError) as error:
        raise PayloadError(f"the signed content is not a valid event: {brief(error)}") from error


def brief(error: Exception) -> str:
    """Where and what, without repeating the contents (they must not reach logs)."""
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        # The library's own text repeats the unknown tag.
        text = "unknown kind" if first["type"] == "union_tag_invalid" else first["msg"]
        return f"{'.'.join(str(part) for part in first['loc']) or 'event'}: {text}"
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} at character {error.pos}"
    return str(error) if isinstance(error, _StrictError) else type(error).__name__


class _StrictError(ValueError):
    pass


def without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) != len(pairs):
        raise _StrictError("a JSON object names a member twice")
    return content


def _no_constant(name: str) -> None:
    raise _StrictError(f"{name} is not JSON")
