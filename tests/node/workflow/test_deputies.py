"""Whoever is away has somebody who reviews and signs in his place."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from node.desk_errors import UnknownDeputyError
from node.errors import ForbiddenError, InputError
from node.workflow import deputies, reviews, triage, workbench
from node.workflow.calendar import day_of
from node.workflow.deputies import Absence
from tests.node.rooms import Room, contents
from tests.node.workflow.test_reviews import SIGN, chained, sent


async def test_a_deputy_signs_in_somebodys_place_in_his_days_alone(county: Room) -> None:
    await chained(county)
    item = await sent(county)
    await reviews.approve(county.desk, county.reviewer, item, 2)
    today = day_of(county.clock())
    absence = Absence(
        deputy="editor", role="signer", since=today + timedelta(days=1), until=today + timedelta(3)
    )
    await deputies.add(county.desk, county.signer, absence)
    with pytest.raises(ForbiddenError, match="“签发”由签发办理"):
        await reviews.approve(county.desk, county.editor, item, 2)
    county.clock.move(timedelta(days=1))
    assert (await triage.counts(county.desk, county.editor))["waiting_for_me"] == 1
    # The editor wrote it: a deputy is bound by the same rule.
    with pytest.raises(ForbiddenError, match="须由另一人办理"):
        await reviews.approve(county.desk, county.editor, item, 2)

    other = await county.registered()
    await reviews.send(county.desk, county.reviewer, other, 1)
    await chained(county, SIGN)
    third = await county.registered()
    await reviews.send(county.desk, county.reviewer, third, 1)
    await reviews.approve(county.desk, county.editor, third, 1)
    [review] = (await workbench.view(county.desk, county.editor, third)).reviews
    [vote] = review.votes
    assert (vote.person, vote.deputy_for) == (county.editor.name, county.signer.name)
    # A review goes along the chain with which it began.
    [begun] = (await workbench.view(county.desk, county.editor, other)).reviews
    assert begun.waits_at == "审核"
    county.clock.move(timedelta(days=3))
    assert (await triage.counts(county.desk, county.editor))["waiting_for_me"] == 0


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"deputy": "signer"}, InputError),
        ({"deputy": "lin"}, InputError),
        ({"role": "reviewer"}, InputError),
        ({"days": (-3, -1)}, InputError),
        ({"days": (3, 1)}, InputError),
        ({"username": "reviewer", "role": "reviewer"}, ForbiddenError),
    ],
)
async def test_a_deputy_who_makes_no_sense_is_refused(
    leaf: Room, given: dict[str, Any], error: type[Exception]
) -> None:
    today = day_of(leaf.clock())
    since, until = given.pop("days", (0, 1))
    absence = Absence.model_validate(
        {"deputy": "editor", "role": "signer"}
        | {"since": today + timedelta(since), "until": today + timedelta(until)}
        | given
    )
    before = await contents(leaf.database)
    with pytest.raises(error):
        await deputies.add(leaf.desk, leaf.signer, absence)
    assert await contents(leaf.database) == before


async def test_a_deputy_is_named_by_whoever_manages_people_and_ended_by_oneself(
    leaf: Room,
) -> None:
    today = day_of(leaf.clock())
    absence = Absence(username="signer", deputy="editor", role="signer", since=today, until=today)
    id = await deputies.add(leaf.desk, leaf.security, absence)
    [seen] = await deputies.view(leaf.desk, leaf.editor)
    assert (seen.person, seen.deputy) == (leaf.signer.name, leaf.editor.name)
    assert seen.set_by == leaf.security.name
    with pytest.raises(ForbiddenError):
        await deputies.end(leaf.desk, leaf.reviewer, id)
    await deputies.end(leaf.desk, leaf.signer, id)
    with pytest.raises(UnknownDeputyError):
        await deputies.end(leaf.desk, leaf.signer, id)
    assert await deputies.view(leaf.desk, leaf.editor) == []
