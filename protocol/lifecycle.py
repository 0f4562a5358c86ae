"""The life of an item at one office: one table of transitions, and the fold over events. Pure.

An office's standing on an item follows from its events alone. Events of one office are ordered by
(sequence, step): the sequence counts the office's facts about the item, and an event that is no
fact (a submission, a new edition) stands as a step behind the fact before it. The fold never looks
at times, so any order of arrival and any repetition give the same standing.

While an item is part of a combined item, what is said about it changes no state: what the office
decides, it decides about the combined one. When that is taken apart, the item stands where it
stood before.

Between registration and a decision the office edits and reviews the text (`EDITORIAL`). These
steps stay at home; whether they are wanted is up to the office. What was adopted can be worked on
again, for the next time that it goes up.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from protocol.errors import ArchivedError, LifecycleError
from protocol.identifiers import NodeId


class State(StrEnum):
    """Where an item stands at one office."""

    SUBMITTED = "submitted"
    REGISTERED = "registered"
    EDITING = "editing"
    IN_REVIEW = "in_review"
    SIGNED = "signed"
    ADOPTED = "adopted"
    DECLINED = "declined"
    RETURNED = "returned"
    WITHDRAWN = "withdrawn"
    MERGED = "merged"
    DISSOLVED = "dissolved"


class Action(StrEnum):
    """What an author or an office does with an item."""

    SUBMIT = "submit"
    RESUBMIT = "resubmit"
    REVISE = "revise"
    WITHDRAW = "withdraw"
    REGISTER = "register"
    EDIT = "edit"
    SEND_TO_REVIEW = "send_to_review"
    APPROVE = "approve"
    SEND_BACK = "send_back"
    SIGN_OFF = "sign_off"
    ADOPT = "adopt"
    PUBLISH = "publish"
    REFER = "refer"
    RETRACT = "retract"
    DECLINE = "decline"
    RETURN = "return"
    FORWARD_UP = "forward_up"
    LEADER_READ = "leader_read"
    INSTRUCT = "instruct"
    ASSIGN = "assign"
    REPLY = "reply"
    IMPLEMENT = "implement"
    CLOSE = "close"
    ARCHIVE = "archive"
    MERGE = "merge"
    UNMERGE = "unmerge"
    TAKE_APART = "take_apart"


@dataclass(frozen=True)
class Transition:
    """One row of the table: in which states an action is possible, and what it leaves behind.

    `to` is None where the state stays; `after` names what must have happened here, one of these;
    `unless` what must not.
    """

    action: Action
    states: frozenset[State]
    kind: str
    to: State | None = None
    after: frozenset[str] = frozenset()
    unless: frozenset[str] = frozenset()


def _row(
    action: Action,
    states: str,
    kind: str,
    to: State | None = None,
    after: str = "",
    unless: str = "",
) -> Transition:
    before = frozenset(State(s) for s in states.split())
    return Transition(action, before, kind, to, frozenset(after.split()), frozenset(unless.split()))


OUT_OF_THE_HOUSE = "published adopted forwarded referred"
"""Facts after which a combined item is not taken apart any more: somebody else has it."""


AT_THE_DESK = "registered editing signed"
"""States in which the item lies with an editor."""

OVER = "declined withdrawn"
"""States after which nothing comes; elsewhere an item is closed before it is archived."""

WAITING = f"submitted {AT_THE_DESK} in_review"
"""States in which the office is to act, until it closes the item."""

EDITORIAL = frozenset({"edited", "sent_to_review", "approved", "sent_back", "signed"})
"""Steps of the office's own work on the text. An adopted item stays adopted through them."""


TRANSITIONS: dict[Action, Transition] = {
    row.action: row
    for row in (
        _row(Action.SUBMIT, "", "submitted", State.SUBMITTED),
        _row(Action.RESUBMIT, "returned", "resubmitted", State.SUBMITTED),
        _row(Action.REVISE, f"{AT_THE_DESK} in_review adopted", "revised"),
        _row(Action.WITHDRAW, "submitted returned", "withdrawn", State.WITHDRAWN),
        _row(Action.REGISTER, "submitted", "registered", State.REGISTERED),
        _row(Action.EDIT, f"{AT_THE_DESK} adopted", "edited", State.EDITING),
        _row(Action.SEND_TO_REVIEW, f"{AT_THE_DESK} adopted", "sent_to_review", State.IN_REVIEW),
        _row(Action.APPROVE, "in_review adopted", "approved", after="sent_to_review"),
        _row(Action.SEND_BACK, "in_review adopted", "sent_back", State.EDITING, "sent_to_review"),
        _row(Action.SIGN_OFF, "in_review adopted", "signed", State.SIGNED, "sent_to_review"),
        _row(Action.ADOPT, AT_THE_DESK, "adopted", State.ADOPTED),
        _row(Action.PUBLISH, f"{AT_THE_DESK} adopted", "published"),
        _row(Action.REFER, f"{AT_THE_DESK} adopted", "referred"),
        _row(Action.RETRACT, "adopted", "adoption_retracted", State.REGISTERED),
        _row(Action.DECLINE, f"submitted {AT_THE_DESK} in_review", "declined", State.DECLINED),
        _row(Action.RETURN, f"submitted {AT_THE_DESK} in_review", "returned", State.RETURNED),
        _row(Action.FORWARD_UP, f"{AT_THE_DESK} adopted", "forwarded"),
        _row(Action.LEADER_READ, f"{AT_THE_DESK} in_review adopted", "leader_read"),
        _row(Action.INSTRUCT, f"{AT_THE_DESK} in_review adopted", "instructed"),
        _row(
            Action.IMPLEMENT,
            f"{AT_THE_DESK} in_review adopted",
            "implemented",
            after="instructed assigned",
        ),
        _row(Action.ASSIGN, f"{AT_THE_DESK} in_review adopted", "assigned"),
        _row(Action.REPLY, f"{AT_THE_DESK} in_review adopted", "replied", after="assigned"),
        _row(Action.CLOSE, f"{AT_THE_DESK} adopted", "closed"),
        _row(Action.ARCHIVE, f"{AT_THE_DESK} adopted {OVER}", "archived"),
        _row(Action.MERGE, f"{AT_THE_DESK} adopted", "merged", State.MERGED),
        _row(Action.UNMERGE, "merged", "unmerged"),
        _row(Action.TAKE_APART, AT_THE_DESK, "dissolved", State.DISSOLVED, unless=OUT_OF_THE_HOUSE),
    )
}
"""A new item is submitted from no state at all; after `closed` it can be archived, and after that
nothing is possible.

An original is merged and unmerged, back to the state before; the combined item is taken apart.
"""

STATE_AFTER: dict[str, State] = {
    row.kind: row.to for row in TRANSITIONS.values() if row.to is not None
}


@dataclass(frozen=True)
class Moment:
    """One event as the fold sees it.

    `about` names the combined item that the office spoke of, where this item is part of it. The
    office counts what it says of that one by itself; it stands behind what it said of this item.
    """

    sequence: int
    step: int
    kind: str
    about: UUID | None = None

    @property
    def number(self) -> tuple[UUID | None, int, int]:
        """What an office gives to one event only."""
        return self.about, self.sequence, self.step

    @property
    def place(self) -> tuple[int, int, int, str]:
        """Where it stands among what the office said."""
        # Ids sort by time: what was combined later stands later. None stands before all.
        about = -1 if self.about is None else self.about.int
        return about, self.sequence, self.step, self.kind


@dataclass(frozen=True)
class Standing:
    """What one office has decided so far.

    `before` are the states to which the item returns, one for each combined item around it.
    """

    state: State | None = None
    kinds: frozenset[str] = frozenset()
    before: tuple[State | None, ...] = ()

    @property
    def closed(self) -> bool:
        """Whether the office is done with the item."""
        return "closed" in self.kinds

    @property
    def archived(self) -> bool:
        """Whether the office has put it away for good."""
        return "archived" in self.kinds

    @property
    def ended(self) -> bool:
        """Whether nothing is left to be done with it but to put it away."""
        return self.closed or self.state in OVER.split()

    @property
    def waiting(self) -> bool:
        """Whether the office is to act."""
        return self.state in WAITING.split() and not self.closed

    @property
    def adopted(self) -> bool:
        """Whether the office adopted it and did not take that back, whatever came after."""
        if self.state is State.ADOPTED:
            return True
        return "adopted" in self.kinds and "adoption_retracted" not in self.kinds


def advance(action: Action, standing: Standing | None) -> State:
    """The state after the action. Raises `LifecycleError` when it is not possible now."""
    row = TRANSITIONS[action]
    if standing is None or standing.state is None:
        if row.states or row.to is None:
            raise LifecycleError(f"cannot {action}: there is no such item here")
        return row.to
    demand_unarchived(action, standing)
    if standing.closed and action is not Action.ARCHIVE:
        raise LifecycleError(f"cannot {action}: the item is closed")
    if standing.state not in row.states:
        raise LifecycleError(f"cannot {action}: the item is {standing.state}")
    if action is Action.ARCHIVE and not standing.closed and standing.state not in OVER.split():
        raise LifecycleError("cannot archive: the item is not closed")
    if row.after and not row.after & standing.kinds:
        wanted = " or ".join(sorted(row.after))
        raise LifecycleError(f"cannot {action}: the item was never {wanted}")
    if done := row.unless & standing.kinds:
        raise LifecycleError(f"cannot {action}: the item was {min(done)}")
    return after(standing, row.kind).state or standing.state


def demand_unarchived(action: str, standing: Standing | None) -> None:
    """Raises `ArchivedError` for whatever is to be done with an archived item."""
    if standing is not None and standing.archived:
        raise ArchivedError(f"cannot {action}: the item is archived")


def possible(standing: Standing) -> tuple[Action, ...]:
    """The actions that are possible now, in the order of the table."""
    found = []
    for action in TRANSITIONS:
        try:
            advance(action, standing)
        except LifecycleError:
            continue
        found.append(action)
    return tuple(found)


def after(standing: Standing, kind: str) -> Standing:
    """The standing after one more event of this kind."""
    kinds = standing.kinds | {kind}
    if kind == "merged":
        return Standing(State.MERGED, kinds, (*standing.before, standing.state))
    if kind == "unmerged" and standing.before:
        return Standing(standing.before[-1], kinds, standing.before[:-1])
    if standing.before:
        return Standing(standing.state, kinds, standing.before)
    if standing.state is State.ADOPTED and kind in EDITORIAL:
        return Standing(standing.state, kinds)
    return Standing(STATE_AFTER.get(kind, standing.state), kinds)


def fold(moments: Iterable[Moment]) -> Standing:
    """The standing of one office from its events, in whatever order they are given."""
    standing = Standing()
    for moment in sorted(set(moments), key=lambda moment: moment.place):
        standing = after(standing, moment.kind)
    return standing


def fold_by_office(moments: Iterable[tuple[NodeId, Moment]]) -> dict[NodeId, Standing]:
    """The standing of every office that spoke about the item."""
    by_office: dict[NodeId, list[Moment]] = {}
    for office, moment in moments:
        by_office.setdefault(office, []).append(moment)
    return {office: fold(events) for office, events in by_office.items()}
