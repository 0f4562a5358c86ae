"""What arrives from neighbours, in real envelopes: if proven, it counts once, in any order."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from node.storage.database import Database
from node.workflow import decisions, forwarding
from protocol.messages.facts import FactBase
from protocol.messages.items import Withdrawal
from protocol.messages.work import Feedback
from tests import authorities, tables
from tests.factories import (
    NOW,
    make_fact,
    make_feedback,
    make_id,
    make_note,
    make_revision,
    make_submission,
)
from tests.node.rooms import contents
from tests.node.workflow import post
from tests.node.workflow.post import PostRoom, Sent
from tests.offices import MakeDatabase

ITEM = make_id(1)


@pytest.fixture(scope="module")
def offices() -> dict[str, authorities.Office]:
    """The province of `tests/authorities`."""
    return authorities.hierarchy(now=NOW)


@pytest.fixture
async def city(
    offices: dict[str, authorities.Office], make_database: MakeDatabase
) -> AsyncIterator[PostRoom]:
    """云州, between the province and its two counties."""
    url = await make_database("yunzhou")
    await tables.furnish(url)
    database = Database(url)
    async with post.opened("yunzhou", offices, ["donghu", "xishan"], database) as room:
        yield room


async def test_a_submission_becomes_an_item_that_waits_to_be_taken_up(city: PostRoom) -> None:
    sent = city.sign(make_submission(title="泵站"), "donghu", subject=ITEM)
    result = await city.take_in(sent)

    item = await city.item(ITEM)
    assert item is not None
    assert (item.title, item.source, item.state, item.edition) == (
        "泵站",
        "donghu",
        "submitted",
        1,
    )
    assert result.applied == 1
    assert await city.verdicts() == {sent.id: ("received", None, True)}


async def test_the_same_message_twice_counts_once_and_is_receipted_twice(city: PostRoom) -> None:
    sent = city.sign(make_submission(), "donghu", subject=ITEM)
    await city.take_in(sent)
    events = await city.events(ITEM)

    result = await city.take_in(sent, sent)

    assert (result.applied, result.repeated) == (0, 2)
    assert await city.events(ITEM) == events
    assert len(await city.passed_on("receipt")) == 2


async def test_the_same_edition_in_another_message_counts_once(city: PostRoom) -> None:
    for _ in range(2):
        await city.take_in(city.sign(make_submission(), "donghu", subject=ITEM))
    assert await city.events(ITEM) == [("yunzhou", 0, "submitted")]


async def test_the_same_fact_in_another_message_counts_once(city: PostRoom) -> None:
    await _forwarded(city)
    fact = _fact("registered", 1)
    first, second = (city.sign(make_feedback(fact), "jiangyuan", subject=ITEM) for _ in range(2))
    assert first.id != second.id

    await city.take_in(first)
    await city.take_in(second)

    assert await _from_province(city) == ["registered"]
    assert len(_evidence(await city.passed_on("feedback"))) == 1
    assert (await city.verdicts())[second.id] == ("received", None, True)


async def test_the_same_fact_twice_in_one_batch_counts_once(city: PostRoom) -> None:
    await _forwarded(city)
    fact = _fact("registered", 1)
    await city.take_in(
        *(city.sign(make_feedback(fact), "jiangyuan", subject=ITEM) for _ in range(2))
    )
    assert await _from_province(city) == ["registered"]


async def test_facts_in_any_order_come_to_the_same_standing(city: PostRoom) -> None:
    await _forwarded(city)
    kinds = ["registered", "returned", "registered", "adopted"]
    facts = [_fact(kind, number) for number, kind in enumerate(kinds, start=1)]
    for fact in (facts[3], facts[0], facts[2], facts[1]):
        await city.take_in(city.sign(make_feedback(fact), "jiangyuan", subject=ITEM))

    item = await city.item(ITEM)
    assert item is not None
    assert item.standings["jiangyuan"]["state"] == "adopted"
    assert await _from_province(city) == kinds


async def test_a_revision_of_an_unknown_item_waits_for_it(city: PostRoom) -> None:
    revision = city.sign(make_revision(title="改过的标题"), "donghu", subject=ITEM)
    result = await city.take_in(revision)
    assert (result.parked, await city.item(ITEM)) == (1, None)
    assert await city.inbox() == {revision.id: "parked"}
    assert (await city.verdicts())[revision.id] == ("received", None, True)

    submission = city.sign(make_submission(title="标题"), "donghu", subject=ITEM)
    await city.take_in(submission)

    item = await city.item(ITEM)
    assert item is not None
    assert (item.edition, item.title) == (2, "改过的标题")
    assert await city.inbox() == {revision.id: "applied", submission.id: "applied"}


async def test_a_revision_before_its_submission_in_the_same_batch_is_carried_out_after_it(
    city: PostRoom,
) -> None:
    revision = city.sign(make_revision(title="改过的标题"), "donghu", subject=ITEM)
    submission = city.sign(make_submission(title="标题"), "donghu", subject=ITEM)
    await city.take_in(revision, submission)

    item = await city.item(ITEM)
    assert item is not None
    assert (item.edition, item.title) == (2, "改过的标题")
    assert set((await city.inbox()).values()) == {"applied"}


async def test_an_older_edition_that_comes_late_does_not_replace_the_newer_one(
    city: PostRoom,
) -> None:
    for number in (1, 3, 2):
        kind = make_submission if number == 1 else make_revision
        edition = kind(edition=number, title=f"第{number}稿")
        await city.take_in(city.sign(edition, "donghu", subject=ITEM))
    item = await city.item(ITEM)
    assert item is not None
    assert (item.edition, item.title) == (3, "第3稿")


async def test_feedback_about_an_unknown_item_waits_for_it(city: PostRoom) -> None:
    fact = city.sign(make_feedback(_fact("registered", 1)), "jiangyuan", subject=ITEM)
    await city.take_in(fact)
    assert await city.inbox() == {fact.id: "parked"}

    await city.take_in(city.sign(make_submission(), "donghu", subject=ITEM))

    assert (await city.inbox())[fact.id] == "applied"
    assert await _from_province(city) == ["registered"]
    assert len(_evidence(await city.passed_on("feedback"))) == 1


async def test_a_withdrawal_that_overtakes_its_item_waits_for_it(city: PostRoom) -> None:
    asked = city.sign(Withdrawal(reason="数字有误。"), "donghu", subject=ITEM)
    await city.take_in(asked)
    await city.take_in(city.sign(make_submission(), "donghu", subject=ITEM))

    item = await city.item(ITEM)
    assert item is not None
    assert item.state == "withdrawn"
    assert (await city.inbox())[asked.id] == "applied"


async def test_an_item_id_that_came_from_another_office_is_refused(city: PostRoom) -> None:
    await city.take_in(city.sign(make_submission(), "donghu", subject=ITEM))
    before = await _business(city)
    stolen = city.sign(
        make_submission(title="冒名", origin=city.offices["xishan"].reference),
        "xishan",
        subject=ITEM,
    )
    await city.take_in(stolen)

    assert await _business(city) == before
    assert (await city.verdicts())[stolen.id] == ("refused", "item.taken", True)
    assert await city.quarantined() == ["item.taken"]


async def test_a_withdrawal_by_an_office_that_did_not_send_the_item_is_refused(
    city: PostRoom,
) -> None:
    await city.take_in(city.sign(make_submission(), "donghu", subject=ITEM))
    before = await _business(city)
    sent = city.sign(Withdrawal(reason="不要了。"), "xishan", subject=ITEM)
    await city.take_in(sent)
    assert await _business(city) == before
    assert (await city.verdicts())[sent.id] == ("refused", "item.taken", True)


async def test_another_fact_under_a_number_that_was_used_is_refused_and_changes_nothing(
    city: PostRoom,
) -> None:
    await _forwarded(city)
    await city.take_in(city.sign(make_feedback(_fact("declined", 1)), "jiangyuan", subject=ITEM))
    before = await _business(city)
    other = _fact("declined", 1).model_copy(update={"reason": "改口。"})
    sent = city.sign(make_feedback(other), "jiangyuan", subject=ITEM)
    await city.take_in(sent)
    assert await _business(city) == before
    assert (await city.verdicts())[sent.id] == ("refused", "fact.conflict", True)


@pytest.mark.parametrize("forgery", ["stranger", "other item", "not a fact of its signer"])
async def test_a_fact_whose_proof_is_forged_is_refused_and_changes_nothing(
    city: PostRoom, forgery: str
) -> None:
    await _forwarded(city)
    before = await _business(city)
    forged = _forged(city, forgery)
    await city.take_in(forged)

    assert await _business(city) == before
    assert (await city.verdicts())[forged.id] == ("refused", "evidence.refused", True)
    assert await city.quarantined() == ["evidence.refused"]


async def test_an_item_whose_origin_is_not_proven_is_refused_and_changes_nothing(
    city: PostRoom,
) -> None:
    before = await _business(city)
    claimed = make_submission(origin=city.offices["xishan"].reference)
    sent = city.sign(claimed, "donghu", subject=ITEM)
    await city.take_in(sent)

    assert await _business(city) == before
    assert (await city.verdicts())[sent.id] == ("refused", "evidence.refused", True)


async def test_what_is_not_handled_is_refused_until_a_later_version(city: PostRoom) -> None:
    before = await _business(city)
    sent = city.sign(make_note(), "donghu")
    await city.take_in(sent)

    assert await _business(city) == before
    assert (await city.verdicts())[sent.id] == ("refused", "message.unsupported", False)


async def test_a_refused_message_does_not_keep_the_others_of_its_batch_out(city: PostRoom) -> None:
    await _forwarded(city)
    bad = _forged(city, "stranger")
    other = make_id(2)
    good = city.sign(make_submission(), "donghu", subject=other)
    result = await city.take_in(bad, good, city.sign(make_note(), "donghu"))

    assert (result.applied, result.refused) == (1, 2)
    assert await city.item(other) is not None


async def test_a_fact_from_above_travels_on_as_the_very_message_that_brought_it(
    city: PostRoom,
) -> None:
    await _forwarded(city)
    sent = city.sign(make_feedback(_fact("registered", 1)), "jiangyuan", subject=ITEM)
    await city.take_in(sent)
    assert _evidence(await city.passed_on("feedback")) == [("donghu", sent.token.decode())]


async def _forwarded(city: PostRoom) -> None:
    await city.take_in(city.sign(make_submission(), "donghu", subject=ITEM))
    await decisions.register(city.desk, city.editor, ITEM)
    await forwarding.forward_up(city.desk, city.editor, ITEM)


def _fact(kind: str, sequence: int) -> FactBase:
    province = authorities.NAMES["jiangyuan"]
    office = {"id": "jiangyuan", "name": province[0], "level": province[1]}
    return make_fact(kind, office=office, sequence=sequence)


def _forged(city: PostRoom, forgery: str) -> Sent:
    if forgery == "not a fact of its signer":
        # The province says what the city is to have said.
        lie = make_fact("adopted", office=city.office.reference, sequence=9)
        return city.sign(make_feedback(lie), "jiangyuan", subject=ITEM)
    if forgery == "stranger":
        # A hierarchy of the same names with other keys.
        above = authorities.hierarchy({"quanguo": None, "jiangyuan": "quanguo"}, now=NOW)["quanguo"]
        inner = post.sign(above, "jiangyuan", make_feedback(_fact("adopted", 9)), subject=ITEM)
    else:
        inner = city.sign(
            make_feedback(_fact("adopted", 9)), "jiangyuan", to="yunzhou", subject=make_id(99)
        )
    return city.sign(make_feedback(evidence=inner.token), "jiangyuan", subject=ITEM)


async def _from_province(city: PostRoom) -> list[str]:
    return [kind for office, _, kind in await city.events(ITEM) if office == "jiangyuan"]


def _evidence(posted: list[tuple[str, Any]]) -> list[tuple[str, str]]:
    return [
        (peer, data.evidence)
        for peer, data in posted
        if isinstance(data, Feedback) and data.evidence is not None
    ]


async def _business(city: PostRoom) -> dict[str, list[str]]:
    # A refusal leaves its traces: quarantine, receipt, audit, and that the peer was heard.
    traces = {"quarantine", "outbox", "audit", "links", "inbox"}
    everything = await contents(city.desk.database)
    return {table: rows for table, rows in everything.items() if table not in traces}
