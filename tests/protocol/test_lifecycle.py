"""The table of transitions, and the fold over an office's events."""

from __future__ import annotations

from random import Random
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.errors import ArchivedError, LifecycleError
from protocol.identifiers import node_id
from protocol.lifecycle import (
    EDITORIAL,
    STATE_AFTER,
    TRANSITIONS,
    Action,
    Moment,
    Standing,
    State,
    Transition,
    advance,
    fold,
    fold_by_office,
    possible,
)
from protocol.messages.facts import FactBase
from tests.factories import make_id

AT_THE_DESK = {
    *("revise", "edit", "send_to_review", "adopt", "decline", "return", "forward_up"),
    *("leader_read", "instruct", "assign", "close", "merge", "take_apart", "publish", "refer"),
}
ALLOWED: dict[State, set[str]] = {
    State.SUBMITTED: {"withdraw", "register", "decline", "return"},
    State.REGISTERED: AT_THE_DESK,
    State.EDITING: AT_THE_DESK,
    State.IN_REVIEW: {"revise", "decline", "return", "leader_read", "instruct", "assign"},
    State.SIGNED: AT_THE_DESK,
    State.ADOPTED: {
        *("revise", "edit", "send_to_review", "forward_up", "instruct", "assign", "close"),
        *("leader_read", "merge", "publish", "refer", "retract"),
    },
    State.RETURNED: {"resubmit", "withdraw"},
    State.DECLINED: {"archive"},
    State.WITHDRAWN: {"archive"},
    State.MERGED: {"unmerge"},
    State.DISSOLVED: set(),
}
"""What is possible in each state, before anything was instructed."""

LEADS_TO = {
    "submit": State.SUBMITTED,
    "resubmit": State.SUBMITTED,
    "withdraw": State.WITHDRAWN,
    "register": State.REGISTERED,
    "edit": State.EDITING,
    "send_to_review": State.IN_REVIEW,
    "send_back": State.EDITING,
    "sign_off": State.SIGNED,
    "adopt": State.ADOPTED,
    "retract": State.REGISTERED,
    "decline": State.DECLINED,
    "return": State.RETURNED,
    "merge": State.MERGED,
    "take_apart": State.DISSOLVED,
}
STEPS = {"submitted", "resubmitted", "revised", "dissolved"} | EDITORIAL
"""Events that are no facts: an edition came or was made, or is worked on."""

FACTS = FactBase.__subclasses__()
KINDS = st.sampled_from(sorted(row.kind for row in TRANSITIONS.values()))
ABOUT = st.sampled_from([None, make_id(1), make_id(2)])


@pytest.mark.parametrize("action", Action)
@pytest.mark.parametrize("state", State)
def test_each_action_is_possible_in_the_states_of_the_table(state: State, action: Action) -> None:
    standing = Standing(state)
    if action in ALLOWED[state]:
        editorial = state is State.ADOPTED and TRANSITIONS[action].kind in EDITORIAL
        assert advance(action, standing) == (state if editorial else LEADS_TO.get(action, state))
        assert action in possible(standing)
    else:
        with pytest.raises(LifecycleError, match=f"cannot {action}: the item (is|was never) "):
            advance(action, standing)
        assert action not in possible(standing)


@pytest.mark.parametrize("standing", [None, Standing(), Standing(kinds=frozenset({"forwarded"}))])
def test_a_new_item_can_only_be_submitted(standing: Standing | None) -> None:
    assert advance(Action.SUBMIT, standing) == State.SUBMITTED
    for action in set(Action) - {Action.SUBMIT}:
        with pytest.raises(LifecycleError, match="there is no such item here"):
            advance(action, standing)


@pytest.mark.parametrize("state", [State.REGISTERED, State.ADOPTED])
def test_only_what_was_instructed_can_be_implemented(state: State) -> None:
    with pytest.raises(
        LifecycleError, match="cannot implement: the item was never assigned or instructed"
    ):
        advance(Action.IMPLEMENT, Standing(state))
    assert advance(Action.IMPLEMENT, Standing(state, frozenset({"instructed"}))) == state


@pytest.mark.parametrize("action", [Action.APPROVE, Action.SEND_BACK, Action.SIGN_OFF])
@pytest.mark.parametrize("state", [State.IN_REVIEW, State.ADOPTED])
def test_only_what_was_sent_to_review_is_reviewed(state: State, action: Action) -> None:
    with pytest.raises(LifecycleError, match="the item was never sent_to_review"):
        advance(action, Standing(state))
    reached = advance(action, Standing(state, frozenset({"sent_to_review"})))
    assert reached == (state if state is State.ADOPTED else LEADS_TO.get(action, state))


@pytest.mark.parametrize("kind", ["published", "adopted", "forwarded", "referred"])
def test_what_somebody_else_has_is_not_taken_apart_any_more(kind: str) -> None:
    assert advance(Action.TAKE_APART, Standing(State.REGISTERED)) == State.DISSOLVED
    with pytest.raises(LifecycleError, match=f"cannot take_apart: the item was {kind}"):
        advance(Action.TAKE_APART, Standing(State.REGISTERED, frozenset({kind})))


@pytest.mark.parametrize("state", State)
def test_nothing_is_possible_once_the_item_is_closed(state: State) -> None:
    closed = Standing(state, frozenset({"instructed", "closed"}))
    assert set(possible(closed)) <= {Action.ARCHIVE}
    for action in set(Action) - {Action.ARCHIVE}:
        with pytest.raises(LifecycleError, match="the item is closed"):
            advance(action, closed)


@pytest.mark.parametrize("state", State)
def test_what_is_closed_or_over_is_archived_and_then_nothing_is_possible(state: State) -> None:
    rests = state in (State.SUBMITTED, State.IN_REVIEW, State.RETURNED, State.MERGED)
    ended = frozenset() if state in (State.DECLINED, State.WITHDRAWN) else frozenset({"closed"})
    if not rests and state is not State.DISSOLVED:
        assert advance(Action.ARCHIVE, Standing(state, ended)) == state
    with pytest.raises(LifecycleError, match="cannot archive: the item is"):
        advance(Action.ARCHIVE, Standing(State.ADOPTED))
    archived = Standing(state, ended | {"archived"})
    assert possible(archived) == ()
    for action in Action:
        with pytest.raises(ArchivedError, match="the item is archived"):
            advance(action, archived)


@pytest.mark.parametrize("row", TRANSITIONS.values(), ids=lambda row: row.action)
def test_every_transitions_kind_leads_to_its_state(row: Transition) -> None:
    assert STATE_AFTER.get(row.kind) == row.to == LEADS_TO.get(row.action)
    # An item that is unmerged goes back to where it was: a test of its own.
    for before in (row.states - {State.MERGED}) or {None}:
        moments = [Moment(1, 0, _kind_for(before))] if before else []
        after = fold([*moments, Moment(2, 0, row.kind)])
        editorial = before is State.ADOPTED and row.kind in EDITORIAL
        assert after.state == (before if editorial else row.to or before)


def _kind_for(state: State) -> str:
    return next(kind for kind, reached in STATE_AFTER.items() if reached == state)


def test_what_an_office_decides_is_a_fact_and_the_rest_are_steps() -> None:
    facts = {get_args(model.model_fields["kind"].annotation)[0] for model in FACTS}
    assert {row.kind for row in TRANSITIONS.values()} - facts == STEPS


@st.composite
def lives(draw: st.DrawFn) -> list[Moment]:
    """The events of an item at one office, each possible when it happened."""
    moments = [Moment(0, 0, "submitted")]
    for sequence in range(1, draw(st.integers(0, 8)) + 1):
        actions = possible(fold(moments))
        if not actions:
            break
        kind = TRANSITIONS[draw(st.sampled_from(actions))].kind
        last = moments[-1]
        step = Moment(last.sequence, last.step + 1, kind)
        moments.append(step if kind in STEPS else Moment(sequence, 0, kind))
    return moments


@given(lives(), st.data())
def test_any_order_and_repetition_of_events_folds_to_the_same_standing(
    life: list[Moment], data: st.DataObject
) -> None:
    expected = fold(life)
    repeated = life + data.draw(st.lists(st.sampled_from(life)))
    assert fold(data.draw(st.permutations(repeated))) == expected


@given(lives())
def test_the_fold_reaches_what_advance_promised(life: list[Moment]) -> None:
    for count in range(1, len(life)):
        before = fold(life[:count])
        action = next(a for a, row in TRANSITIONS.items() if row.kind == life[count].kind)
        assert fold(life[: count + 1]).state == advance(action, before)


@given(
    st.lists(st.builds(Moment, st.integers(0, 3), st.integers(0, 1), KINDS, ABOUT)), st.randoms()
)
def test_even_events_that_contradict_each_other_fold_the_same_in_any_order(
    moments: list[Moment], random: Random
) -> None:
    shuffled = list(moments)
    random.shuffle(shuffled)
    assert fold(shuffled) == fold(moments)


def test_an_event_that_is_no_fact_stands_behind_the_fact_before_it() -> None:
    moments = [Moment(0, 0, "submitted"), Moment(1, 0, "returned"), Moment(1, 1, "resubmitted")]
    assert fold(moments).state == State.SUBMITTED
    assert fold([*moments, Moment(2, 0, "registered")]).state == State.REGISTERED


def test_every_office_has_a_standing_of_its_own() -> None:
    county, city = node_id("donghu"), node_id("yunzhou")
    standings = fold_by_office(
        [
            (city, Moment(2, 0, "declined")),
            (county, Moment(1, 0, "registered")),
            (city, Moment(1, 0, "registered")),
            (county, Moment(2, 0, "forwarded")),
        ]
    )
    assert standings[county] == Standing(State.REGISTERED, frozenset({"registered", "forwarded"}))
    assert standings[city] == Standing(State.DECLINED, frozenset({"registered", "declined"}))


X, Z = make_id(1), make_id(2)


def test_a_merged_item_returns_to_the_state_before_whatever_was_said_meanwhile() -> None:
    kinds = ["registered", "adopted", "merged", "instructed", "declined"]
    moments = [Moment(number, 0, kind) for number, kind in enumerate(kinds, start=1)]
    assert fold(moments).state == State.MERGED
    apart = fold([*moments, Moment(6, 0, "unmerged")])
    assert (apart.state, apart.before) == (State.ADOPTED, ())
    assert apart.kinds == frozenset([*kinds, "unmerged"])


def test_an_item_of_a_combined_item_that_was_merged_itself_comes_back_step_by_step() -> None:
    kinds = ["registered", "merged", "merged", "unmerged", "unmerged"]
    states = [
        fold(Moment(number, 0, kind) for number, kind in enumerate(kinds[:count])).state
        for count in range(1, 6)
    ]
    assert states == ["registered", "merged", "merged", "merged", "registered"]


def test_an_item_that_was_never_merged_is_taken_out_of_nothing() -> None:
    moments = [Moment(1, 0, "registered"), Moment(2, 0, "unmerged")]
    assert fold(moments).state == State.REGISTERED


def test_what_an_office_says_of_a_combined_item_stands_behind_what_it_said_of_the_item() -> None:
    alone = [Moment(1, 0, "registered"), Moment(2, 0, "declined")]
    first = [Moment(1, 0, "registered", X), Moment(2, 0, "returned", X)]
    second = [Moment(1, 0, "registered", Z)]
    assert fold(alone).state == State.DECLINED
    assert fold([*first, *alone]).state == State.RETURNED
    assert fold([*second, *first, *alone]).state == State.REGISTERED
