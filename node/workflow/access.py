"""Who may do what: the roles, and one table of permissions.

A permission reaches all things of its kind, or only one's own: an author's own items, a person's
own record. A person may hold several roles and has what each of them gives. Administrators hold
one role and no other: whoever runs the machines, whoever manages people, and whoever looks at what
was done are three persons, and none of them handles items.

Every operation of the API declares its permission (`x-permission` in the OpenAPI document); a test
tries each with every role and compares with this table.
"""

from __future__ import annotations

from collections.abc import Collection
from enum import IntEnum

from node.errors import ForbiddenError, InputError, Refused
from node.workflow.desk import Actor

AUTHOR = "author"
EDITOR = "editor"
REVIEWER = "reviewer"
SIGNER = "signer"
LEADER = "leader"
HANDLER = "handler"
SYSTEM_ADMINISTRATOR = "system_administrator"
SECURITY_ADMINISTRATOR = "security_administrator"
AUDITOR = "auditor"

WORKING = (AUTHOR, EDITOR, REVIEWER, SIGNER, LEADER, HANDLER)
"""One person may hold several of these."""

ADMINISTRATORS = (SYSTEM_ADMINISTRATOR, SECURITY_ADMINISTRATOR, AUDITOR)
"""Whoever holds one of these holds nothing else."""

ROLES = (*WORKING, *ADMINISTRATORS)

ANYONE = "anyone"
"""What operations declare that ask for no login."""


class Scope(IntEnum):
    """How far a permission reaches."""

    OWN = 1
    ALL = 2


def _own(*roles: str) -> dict[str, Scope]:
    return dict.fromkeys(roles, Scope.OWN)


def _all(*roles: str) -> dict[str, Scope]:
    return dict.fromkeys(roles, Scope.ALL)


MAY: dict[str, dict[str, Scope]] = {
    "own_account": _own(*ROLES),
    "submit": _all(AUTHOR, EDITOR),
    "upload": _all(AUTHOR, EDITOR, HANDLER),
    "submit_on_behalf": _all(EDITOR),
    "read_topics": _all(AUTHOR, EDITOR, REVIEWER, SIGNER, LEADER, SYSTEM_ADMINISTRATOR),
    "draft": _own(AUTHOR, EDITOR),
    "read": _own(AUTHOR) | _all(EDITOR, REVIEWER, SIGNER, LEADER),
    "resubmit": _own(AUTHOR) | _all(EDITOR),
    "withdraw": _own(AUTHOR),
    "register": _all(EDITOR),
    "adopt": _all(EDITOR),
    "decline": _all(EDITOR),
    "return": _all(EDITOR),
    "forward_up": _all(EDITOR),
    "leader_read": _all(EDITOR),
    "instruct": _all(EDITOR),
    "call": _all(EDITOR),
    "read_calls": _own(AUTHOR) | _all(EDITOR, REVIEWER, SIGNER, LEADER),
    "compose_issue": _all(EDITOR),
    "sign_issue": _all(SIGNER),
    "read_issues": _all(EDITOR, REVIEWER, SIGNER, LEADER),
    "write_note": _all(EDITOR),
    "assign": _all(EDITOR),
    "handle": _own(HANDLER) | _all(EDITOR),
    "judge_reply": _all(EDITOR),
    "read_assignments": _own(HANDLER) | _all(EDITOR, REVIEWER, SIGNER, LEADER),
    "supervise": _all(EDITOR, REVIEWER, SIGNER, LEADER),
    "rate": _own(AUTHOR),
    "implement": _all(EDITOR),
    "close": _all(EDITOR),
    "archive": _all(EDITOR),
    "export_item": _all(EDITOR),
    "read_contact": _all(EDITOR),
    "read_retention": _all(EDITOR, SECURITY_ADMINISTRATOR),
    "merge": _all(EDITOR),
    "take_apart": _all(EDITOR),
    "read_merges": _all(EDITOR, REVIEWER, SIGNER),
    "edit": _all(EDITOR, REVIEWER),
    "claim": _all(EDITOR, REVIEWER),
    "assign_editor": _all(EDITOR, REVIEWER),
    "send_to_review": _all(EDITOR, REVIEWER),
    "review": _all(EDITOR, REVIEWER, SIGNER),
    "name_deputy": _all(EDITOR, REVIEWER, SIGNER, SECURITY_ADMINISTRATOR),
    "read_chain": _all(EDITOR, REVIEWER, SIGNER, SYSTEM_ADMINISTRATOR),
    "configure_desk": _all(SYSTEM_ADMINISTRATOR),
    "manage_links": _all(SYSTEM_ADMINISTRATOR),
    "read_hierarchy": _all(EDITOR, REVIEWER, SIGNER, LEADER, SYSTEM_ADMINISTRATOR),
    "read_people": _own(*ROLES) | _all(EDITOR, REVIEWER, SIGNER, SECURITY_ADMINISTRATOR),
    "copy_person": _own(*ROLES) | _all(SECURITY_ADMINISTRATOR),
    "read_units": _all(EDITOR, REVIEWER, SIGNER, SECURITY_ADMINISTRATOR),
    "manage_people": _all(SECURITY_ADMINISTRATOR),
    "purge": _all(SECURITY_ADMINISTRATOR),
    "read_audit": _all(AUDITOR),
    "read_sign_ins": _all(SECURITY_ADMINISTRATOR, AUDITOR),
}


def demand_compatible(roles: Collection[str]) -> None:
    """Raises `InputError` unless one person may hold these roles together."""
    if not roles:
        raise InputError("请至少选择一个角色")
    for role in roles:
        if role not in ROLES:
            raise InputError(f"没有 {role!r} 这个角色，可选：{'、'.join(ROLES)}")
    for role in ADMINISTRATORS:
        if role in roles and len(set(roles)) > 1:
            raise InputError("管理员不能兼任其他角色，请另建一个账号")


def scope(actor: Actor, action: str) -> Scope | None:
    """How far this reaches for the actor, through any of his roles; None where he may not."""
    row = MAY[action]
    return max((row[role] for role in actor.roles if role in row), default=None)


def allows(actor: Actor, action: str) -> bool:
    """Whether one of the actor's roles may do this at all."""
    return scope(actor, action) is not None


def demand(actor: Actor, action: str) -> None:
    """Raises `ForbiddenError` unless one of the actor's roles may do this."""
    if not allows(actor, action):
        roles = ", ".join(sorted(actor.roles))
        raise ForbiddenError(f"the role {roles} may not {action}", refused=refused(actor, action))


def refused(actor: Actor, action: str) -> Refused:
    """What the audit log is to say when the actor may not do this."""
    return Refused(actor.username, action, actor.came_from)
