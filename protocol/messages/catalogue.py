"""The catalogue of message types: which model each has, and in which direction it may travel."""

from __future__ import annotations

from enum import Enum

from protocol.messages import calls, items, links, trust, work
from protocol.offices import Record

TYPE_PREFIX = "cn.zhitong."


class Direction(Enum):
    """In which directions a type may travel on a link."""

    UP = "up"
    DOWN = "down"
    BOTH = "both"


UP: dict[str, type[Record]] = {
    "submission": items.Submission,
    "revision": items.Revision,
    "withdrawal": items.Withdrawal,
    "outcome": work.Outcome,
    "hand_back_request": work.HandBackRequest,
    "read": calls.Read,
    "rating": work.Rating,
    "certificate_request": trust.CertificateRequest,
}
DOWN: dict[str, type[Record]] = {
    "feedback": work.Feedback,
    "assignment": work.Assignment,
    "verdict": work.Verdict,
    "solicitation": calls.Solicitation,
    "topic_guide": calls.TopicGuide,
    "circular": calls.Circular,
    "call_change": calls.CallChange,
    "directory": trust.Directory,
    "certificate": trust.Certificate,
    "issuers": trust.Issuers,
}
BOTH: dict[str, type[Record]] = {
    "note": work.Note,
    "revocations": trust.Revocations,
    "purge": trust.Purge,
    "purged": trust.Purged,
}
LINK: dict[str, type[Record]] = {
    "receipt": links.Receipt,
    "statement": links.Statement,
    "replay": links.Replay,
    "blob": links.Blob,
}
ABOUT_ITEMS = frozenset(
    {
        "submission",
        "revision",
        "withdrawal",
        "outcome",
        "hand_back_request",
        "rating",
        "feedback",
        "assignment",
        "verdict",
        "call_change",
        "purge",
        "purged",
    }
)
"""Types whose subject must name an item; that of `call_change` names the message of a call."""

MODELS: dict[str, type[Record]] = UP | DOWN | BOTH | LINK
NAMES: dict[type[Record], str] = {model: name for name, model in MODELS.items()}


def type_name(name: str) -> str:
    """The full CloudEvents type, `cn.zhitong.submission.v1`."""
    return f"{TYPE_PREFIX}{name}.v1"


def short_name(type_: str) -> str | None:
    """The short name of a full type, or None where type or major version is unknown."""
    name = type_.removeprefix(TYPE_PREFIX).removesuffix(".v1")
    return name if name in MODELS and type_ == type_name(name) else None


def direction(name: str) -> Direction:
    """In which direction messages of this short name may travel."""
    if name in UP:
        return Direction.UP
    return Direction.DOWN if name in DOWN else Direction.BOTH


def is_link_type(name: str) -> bool:
    """Whether the type belongs to the link: not receipted, not counted in statements."""
    return name in LINK
