"""What an operation says of its permission, for programs and for the test that tries them all.

Whether somebody may is decided by the use-case, by `workflow/access`, and not here.
"""

from __future__ import annotations

from typing import Any

from node.workflow import access

MEMBER = "x-permission"


def needs(action: str) -> dict[str, Any]:
    """The operation asks for this permission of `access.MAY`."""
    if action not in access.MAY:
        raise ValueError(f"{action} is no permission")
    return {MEMBER: action}


FOR_ANYONE: dict[str, Any] = {MEMBER: access.ANYONE}
"""The operation asks for no login."""
