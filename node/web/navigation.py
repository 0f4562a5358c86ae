"""Where somebody can go: the pages of the roles he has, and which of them is his first."""

from __future__ import annotations

from dataclasses import dataclass

from node.workflow import access
from node.workflow.desk import Actor


@dataclass(frozen=True)
class Place:
    """A page in the navigation. `first_for`: the roles whose work begins there."""

    path: str
    word: str
    action: str
    first_for: frozenset[str] = frozenset()
    only_for: frozenset[str] = frozenset()
    """Roles that need it, where more may."""


def _roles(*names: str) -> frozenset[str]:
    return frozenset(names)


PLACES: tuple[Place, ...] = (
    Place(
        "/desk",
        "工作台",
        "review",
        _roles(access.EDITOR, access.REVIEWER, access.SIGNER),
    ),
    Place("/items", "信息", "read", _roles(access.AUTHOR, access.LEADER)),
    Place("/write", "写信息", "submit"),
    Place("/selection", "遴选上报", "forward_up"),
    Place("/issues", "刊物", "read_issues"),
    Place("/cases", "办理督办", "read_assignments", _roles(access.HANDLER)),
    Place("/archive", "归档", "archive"),
    Place("/calls", "约稿", "read_calls"),
    Place("/year", "我的一年", "rate"),
    Place("/notices", "通知", "read", only_for=_roles(access.AUTHOR)),
    Place("/overview", "年度总览", "read_hierarchy"),
    Place("/hierarchy", "各级机关", "read_hierarchy"),
    Place("/offices", "线路", "manage_links", _roles(access.SYSTEM_ADMINISTRATOR)),
    Place("/quarantine", "隔离区", "manage_links"),
    Place("/chain", "审签流程", "configure_desk"),
    Place("/topics", "领域", "configure_desk"),
    Place("/points", "计分规则", "configure_desk"),
    Place("/public-form", "群众反映", "configure_desk"),
    Place("/people", "人员", "manage_people", _roles(access.SECURITY_ADMINISTRATOR)),
    Place("/units", "单位", "manage_people"),
    Place("/deputies", "代理", "name_deputy"),
    Place("/sign-ins", "登录记录", "read_sign_ins"),
    Place("/audit", "审计", "read_audit", _roles(access.AUDITOR)),
)


def of(visitor: Actor | None) -> list[Place]:
    """The places that the visitor may go to."""
    if visitor is None:
        return []
    return [
        place
        for place in PLACES
        if access.allows(visitor, place.action)
        and (not place.only_for or place.only_for & visitor.roles)
    ]


def home(visitor: Actor) -> str:
    """Where the visitor's work begins: an editor's at the desk, also if he writes as well."""
    return next(place.path for place in PLACES if place.first_for & visitor.roles)
