"""An error told on the form that it belongs to, with everything that was entered still there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from node.errors import ForbiddenError, NodeError, PhrasesError, message_of
from node.web.forms import MistakenError
from node.web.routing import detail_of, status_of
from protocol.errors import ZhitongError


@dataclass(frozen=True)
class Failed:
    """One of several things with which a deed could not be done."""

    id: UUID
    title: str
    problem: str
    detail: str | None = None


@dataclass(frozen=True)
class Told:
    """What the form says above it, and beside its fields."""

    problem: str
    detail: str | None
    status: int
    fields: Mapping[str, str] = field(default_factory=dict)
    phrases: tuple[str, ...] = ()
    """Words that secret documents carry: the author may confirm that this is none."""
    failed: tuple[Failed, ...] = ()
    """Of several chosen things, those that stayed as they were, and why."""


def told(error: ZhitongError) -> Told:
    """What is said of the error on its form. Raises it where that is no matter of the form."""
    if isinstance(error, ForbiddenError) or (
        isinstance(error, NodeError) and (error.refused is not None or error.status == 404)
    ):
        raise error
    fields = error.fields if isinstance(error, MistakenError) else {}
    phrases: tuple[str, ...] = ()
    if isinstance(error, PhrasesError):
        phrases = tuple(dict.fromkeys(phrase for _, phrase in error.found))
    return Told(message_of(error), detail_of(error), status_of(error), fields, phrases)
