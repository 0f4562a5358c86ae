"""Who may do what: one table of roles."""

from __future__ import annotations

from node.errors import ForbiddenError
from node.workflow.desk import Actor

AUTHOR = "author"
EDITOR = "editor"
ADMINISTRATOR = "administrator"
AUDITOR = "auditor"
ROLES = (AUTHOR, EDITOR, ADMINISTRATOR, AUDITOR)

MAY: dict[str, frozenset[str]] = {
    "submit": frozenset({AUTHOR, EDITOR}),
    "read_own": frozenset({AUTHOR, EDITOR}),
    "read_all": frozenset({EDITOR}),
    "resubmit": frozenset({AUTHOR, EDITOR}),
    "withdraw": frozenset({AUTHOR}),
    "register": frozenset({EDITOR}),
    "adopt": frozenset({EDITOR}),
    "decline": frozenset({EDITOR}),
    "return": frozenset({EDITOR}),
    "forward_up": frozenset({EDITOR}),
    "instruct": frozenset({EDITOR}),
    "implement": frozenset({EDITOR}),
    "close": frozenset({EDITOR}),
    "manage_people": frozenset({ADMINISTRATOR}),
    "manage_links": frozenset({ADMINISTRATOR}),
    "read_audit": frozenset({AUDITOR}),
    "purge": frozenset({ADMINISTRATOR}),
}


def allows(actor: Actor, action: str) -> bool:
    """Whether the actor's role may do this at all."""
    return actor.role in MAY[action]


def demand(actor: Actor, action: str) -> None:
    """Raises `ForbiddenError` unless the actor's role may do this."""
    if not allows(actor, action):
        raise ForbiddenError(f"the role {actor.role} may not {action}")
