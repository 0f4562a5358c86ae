"""What can be done with an item from its page: each deed reads its form and calls its use-case."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Literal, cast
from uuid import UUID

from node.web import uploads
from node.web.forms import Fields, record
from node.workflow import (
    archiving,
    assignments,
    checks,
    decisions,
    forwarding,
    merging,
    notes,
    ratings,
    reviews,
    triage,
    withdrawals,
)
from node.workflow.assignments import Order
from node.workflow.desk import Actor, Desk
from protocol.offices import Day, Line, Record, Text

Work = Callable[[Desk, Actor, UUID, Fields], Awaitable[Any]]


@dataclass(frozen=True)
class Deed:
    """The permission that it needs, and how it is done."""

    action: str
    work: Work


class Reasoned(Record):
    """A reason."""

    reason: Text


class Reader(Record):
    """A leader who has read the item."""

    leader: Line
    post: Line


class Spoken(Record):
    """A leader's instruction."""

    leader: Line
    post: Line
    text: Text | None = None
    on: Day


class Came(Record):
    """What came of an instruction."""

    unit: Line
    text: Text


class Noted(Record):
    """Words for the editors of the next office."""

    text: Text
    to: Literal["above", "below"]


class Forwarded(Record):
    """A note that goes up with the item."""

    note: Text | None


class Found(Record):
    """What was found in one of the five checks."""

    edition: int
    kind: checks.Kind
    passed: bool
    opinion: Text | None = None


def _reason(entered: Fields) -> str:
    return record(Reasoned, reason=entered.text("reason")).reason


async def _take_up(desk: Desk, actor: Actor, item_id: UUID, entered: Fields) -> None:
    """Take the item up and give it a number."""
    await decisions.register(desk, actor, item_id)


async def _adopt(desk: Desk, actor: Actor, item_id: UUID, entered: Fields) -> None:
    """Adopt the item at this level."""
    manner = "combined" if entered.text("manner") == "combined" else "single"
    await decisions.adopt(
        desk,
        actor,
        item_id,
        manner=cast("Literal['single', 'combined']", manner),
        issue=entered.optional("issue"),
    )


async def _decline(desk: Desk, actor: Actor, item_id: UUID, entered: Fields) -> None:
    """Decline the item, with a reason."""
    await decisions.decline(desk, actor, item_id, _reason(entered))


async def _return(desk: Desk, actor: Actor, item_id: UUID, entered: Fields) -> None:
    """Return the item to be improved, with a reason."""
    await decisions.return_(desk, actor, item_id, _reason(entered))


async def _withdraw(desk: Desk, actor: Actor, item_id: UUID, entered: Fields) -> None:
    """Take the item back, or ask the office above for it."""
    await withdrawals.withdraw(desk, actor, item_id, _reason(entered))


async def _forward(desk: Desk, actor: Actor, item_id: UUID, entered: Fields) -> None:
    """Forward the newest edition to the office above, with a note where there is one."""
    given = record(Forwarded, note=entered.optional("note"))
    await forwarding.forward_up(desk, actor, item_id, note=given.note)


async def _leader_read(desk: Desk, actor: Actor, item_id: UUID, entered: Fields) -> None:
    """Record that a leader has read the item."""
    given = record(Reader, leader=entered.text("leader"), post=entered.text("post"))
    await decisions.leader_read(desk, actor, item_id, leader=given.leader, post=given.post)


async def _instruct(desk: Desk, actor: Actor, item_id: UUID, entered: Fields) -> None:
    """Record a leader's instruction."""
    names = ("leader", "post", "on")
    content = {name: entered.text(name) for name in names}
    given = record(Spoken, **content, text=entered.optional("text"))
    await decisions.instruct(
        desk,
        actor,
        item_id,
        leader=given.leader,
        post=given.post,
        text=given.text,
        on=given.on,
        attachments=await uploads.brought(desk, actor, entered, "scan"),
    )


async def _implement(desk: Desk, actor: Actor, item_id: UUID, entered: Fields) -> None:
    """Record what came of an instruction."""
    given = record(Came, unit=entered.text("unit"), text=entered.text("text"))
    await decisions.implement(desk, actor, item_id, unit=given.unit, text=given.text)


async def _close(desk: Desk, actor: Actor, item_id: UUID, entered: Fields) -> None:
    """Be done with the item."""
    await decisions.close(desk, actor, item_id, entered.optional("note"))


async def _archive(desk: Desk, actor: Actor, item_id: UUID, entered: Fields) -> None:
    """Put the item away for good."""
    await archiving.archive(desk, actor, item_id)


async def _note(desk: Desk, actor: Actor, item_id: UUID, entered: Fields) -> None:
    """Write to the editors of the office above, or of that from which the item came."""
    given = record(Noted, text=entered.text("text"), to=entered.text("to") or "above")
    await notes.write(desk, actor, item_id, given.text, given.to)


async def _take_apart(desk: Desk, actor: Actor, item_id: UUID, entered: Fields) -> None:
    """Undo a merge."""
    await merging.take_apart(desk, actor, item_id)


async def _claim(desk: Desk, actor: Actor, item_id: UUID, entered: Fields) -> None:
    """Work on the item; where somebody else does, only when told to take over."""
    await triage.claim(desk, actor, item_id, take_over=entered.flag("take_over"))


async def _release(desk: Desk, actor: Actor, item_id: UUID, entered: Fields) -> None:
    """Work on the item no longer."""
    await triage.give_up(desk, actor, item_id)


async def _editor(desk: Desk, actor: Actor, item_id: UUID, entered: Fields) -> None:
    """Let an editor have the item, or nobody."""
    await triage.assign(desk, actor, item_id, entered.optional("editor"))


async def _check(desk: Desk, actor: Actor, item_id: UUID, entered: Fields) -> None:
    """Note an opinion in one of the five checks."""
    given = record(
        Found,
        edition=entered.text("edition"),
        kind=entered.text("kind"),
        passed=entered.text("verdict") == "passed",
        opinion=entered.optional("opinion"),
    )
    await checks.note(
        desk,
        actor,
        item_id,
        edition=given.edition,
        kind=given.kind,
        passed=given.passed,
        opinion=given.opinion,
    )


async def _send(desk: Desk, actor: Actor, item_id: UUID, entered: Fields) -> None:
    """Send the edition along the approval chain."""
    await reviews.send(desk, actor, item_id, entered.number("edition"))


async def _approve(desk: Desk, actor: Actor, item_id: UUID, entered: Fields) -> None:
    """Agree at the present step; whoever takes the last one signs."""
    opinion = entered.optional("opinion")
    await reviews.approve(desk, actor, item_id, entered.number("edition"), opinion)


async def _skip(desk: Desk, actor: Actor, item_id: UUID, entered: Fields) -> None:
    """Pass over the present step, with a reason."""
    await reviews.skip(desk, actor, item_id, entered.number("edition"), _reason(entered))


async def _send_back(desk: Desk, actor: Actor, item_id: UUID, entered: Fields) -> None:
    """Send the edition back to the editor, with a reason."""
    await reviews.send_back(desk, actor, item_id, entered.number("edition"), _reason(entered))


def order(entered: Fields) -> Order:
    """What an assignment's form says. Raises `MistakenError`."""
    to, _, whom = entered.text("to").partition(":")
    content: dict[str, Any] = {
        "text": entered.text("text"),
        "lead": entered.text("part") != "assist",
    }
    if to in ("unit", "office"):
        content[to] = whom
    if entered.text("due"):
        content["due"] = entered.text("due")
    elif entered.text("working_days"):
        content["working_days"] = entered.number("working_days")
    return record(Order, **content)


async def _assign(desk: Desk, actor: Actor, item_id: UUID, entered: Fields) -> None:
    """Give work to a handling unit of this office, or to an office below."""
    await assignments.assign(desk, actor, item_id, order(entered))


async def _rate(desk: Desk, actor: Actor, item_id: UUID, entered: Fields) -> None:
    """Judge, once, what came of an item of one's own."""
    score, comment = entered.number("score"), entered.optional("comment")
    await ratings.rate(desk, actor, item_id, record(ratings.Given, score=score, comment=comment))


DEEDS: dict[str, Deed] = {
    "register": Deed("register", _take_up),
    "adopt": Deed("adopt", _adopt),
    "decline": Deed("decline", _decline),
    "return": Deed("return", _return),
    "withdraw": Deed("withdraw", _withdraw),
    "forward": Deed("forward_up", _forward),
    "leader-read": Deed("leader_read", _leader_read),
    "instruct": Deed("instruct", _instruct),
    "implement": Deed("implement", _implement),
    "close": Deed("close", _close),
    "archive": Deed("archive", _archive),
    "note": Deed("write_note", _note),
    "take-apart": Deed("take_apart", _take_apart),
    "claim": Deed("claim", _claim),
    "release": Deed("claim", _release),
    "editor": Deed("assign_editor", _editor),
    "check": Deed("review", _check),
    "send": Deed("send_to_review", _send),
    "approve": Deed("review", _approve),
    "skip": Deed("review", _skip),
    "send-back": Deed("review", _send_back),
    "assign": Deed("assign", _assign),
    "rate": Deed("rate", _rate),
}
