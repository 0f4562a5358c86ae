"""A restored office asks its neighbours what they have of it, and enters what it had sent."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from node.errors import RecoveringError
from node.relay.recovery import ASK_AGAIN, Recoverer
from node.storage.items import ItemAuthor
from node.storage.people import Person
from node.workflow import decisions, forwarding, people, reading, rebuild, submissions
from protocol import envelope
from protocol.messages.facts import Forwarded
from protocol.messages.items import MOST_CARRIED
from protocol.messages.links import Replay
from tests.factories import make_attachment, make_feedback
from tests.node.relay import restoring
from tests.node.relay.ends import CITY, COUNTY, SIBLING, End, Ends
from tests.node.rooms import draft

LARGE = {
    "body": "𠮷" * 20_000,
    "authors": [{"name": "𠮷" * 200, "kind": "member", "unit": "𠮷" * 200}] * 50,
    "attachments": [
        make_attachment(size=2**20 * 900, pieces=[f"{number:064x}" for number in range(900)])
    ],
}


async def test_an_own_item_is_told_again_to_all_of_its_authors(ends: Ends) -> None:
    county = ends.county.room
    backup = await restoring.back_up(ends.county)
    item = await county.registered(co_authors=[{"username": "chen"}])
    await forwarding.forward_up(county.desk, county.editor, item)
    await ends.exchange()
    timeline, told = await county.timeline(item), await county.told_of(county.lin)
    recoverer = await restoring.restore(ends.county, backup)
    await restoring.recover(ends, recoverer)
    assert await county.timeline(item) == timeline
    for author in (county.lin, county.chen):
        assert await county.told_of(author) == told
    assert await restoring.returned(ends.county) == 0


async def test_of_two_accounts_with_the_name_of_an_author_neither_sees_the_item(
    ends: Ends,
) -> None:
    county = ends.county.room
    async with county.database.writing.begin() as session:
        lin = await people.by_username(session, "lin")
        copied = {c.name: getattr(lin, c.name) for c in Person.__table__.columns}
        session.add(Person(**copied | {"id": county.desk.new_id(), "username": "lin2"}))
    backup = await restoring.back_up(ends.county)
    item = await county.registered(co_authors=[{"username": "chen"}])
    await forwarding.forward_up(county.desk, county.editor, item)
    await ends.exchange()
    await restoring.recover(ends, await restoring.restore(ends.county, backup))
    async with county.database.reading() as session:
        authors = await session.scalars(select(ItemAuthor.person_id))
        assert authors.all() == [county.chen.id]


async def test_a_new_edition_of_an_item_that_the_backup_has_stands_as_it_did(ends: Ends) -> None:
    county, city = ends.county.room, ends.city.room
    item = await county.registered()
    await forwarding.forward_up(county.desk, county.editor, item)
    await ends.exchange()
    await decisions.return_(city.desk, city.editor, item, "请补充去年的数字。")
    await ends.exchange()
    backup = await restoring.back_up(ends.county)
    revised = draft(title="改过的标题", urgency="urgent")
    await submissions.resubmit(county.desk, county.lin, item, revised)
    await forwarding.forward_up(county.desk, county.editor, item)
    await ends.exchange()
    timeline = await county.timeline(item)
    await restoring.recover(ends, await restoring.restore(ends.county, backup))
    view = await reading.view(county.desk, county.editor, item)
    assert (view.item.title, view.item.urgency) == ("改过的标题", "urgent")
    assert (view.item.edition, view.item.forwarded_edition, view.item.state) == (2, 2, "registered")
    assert await county.timeline(item) == timeline


async def test_an_item_that_was_returned_here_is_registered_again_with_its_new_edition(
    ends: Ends,
) -> None:
    county = ends.county.room
    item = await county.submit()
    await decisions.return_(county.desk, county.editor, item, "请写明时间。")
    backup = await restoring.back_up(ends.county)
    await submissions.resubmit(county.desk, county.lin, item, draft(title="改过的标题"))
    number = await decisions.register(county.desk, county.editor, item)
    await forwarding.forward_up(county.desk, county.editor, item)
    await ends.exchange()
    timeline = await county.timeline(item)
    await restoring.recover(ends, await restoring.restore(ends.county, backup))
    view = await reading.view(county.desk, county.editor, item)
    assert (view.item.state, view.item.number) == ("registered", number)
    assert await county.timeline(item) == timeline


@pytest.mark.parametrize("went_up", [True, False])
async def test_an_item_from_below_counts_as_forwarded_when_what_went_up_is_back(
    ends: Ends, went_up: bool
) -> None:
    county, city = ends.county.room, ends.city.room
    item = await county.registered()
    await forwarding.forward_up(county.desk, county.editor, item)
    await ends.exchange()
    if went_up:
        await ends.city.post(ends.county.item(), to=COUNTY, subject=item)
    fact = Forwarded(
        office=city.desk.office, sequence=1, at=ends.clock(), to=city.desk.office, edition=1
    )
    token = ends.city.seal(make_feedback(fact), COUNTY, subject=item)
    own = envelope.open_own(token, chains=city.desk.chains, place=city.desk.place)
    async with city.database.writing.begin() as session:
        await rebuild.own(session, city.desk, own, ends.clock())
    seen = await reading.view(city.desk, city.editor, item)
    assert seen.item.forwarded_edition == (1 if went_up else None)


async def test_the_longest_messages_come_back_too_in_as_many_answers_as_it_takes(
    ends: Ends,
) -> None:
    backup = await restoring.back_up(ends.county)
    items = [ends.county.new_id() for _ in range(4)]
    for number, item in enumerate(items, start=1):
        edition = ends.county.item(number=f"2026-{number:04d}", **LARGE)
        await ends.county.post(edition, to=CITY, subject=item)
    await ends.exchange()
    sizes = {len(row.token) for row in await ends.city.inbox()}
    assert min(sizes) > 262_144
    recoverer = await restoring.restore(ends.county, backup)
    await restoring.recover(ends, recoverer)
    assert await restoring.is_recovered(ends.county)
    assert {row.subject for row in await ends.county.outbox() if row.subject} == set(items)
    assert [row.code for row in await ends.county.quarantine()] == []


def test_an_answer_with_the_largest_token_fits_into_an_envelope(ends: Ends) -> None:
    ids = tuple(ends.city.new_id() for _ in range(2_000))
    answer = Replay(tokens=("a" * MOST_CARRIED,), ids=ids, after=ids[-1], more=True)
    token = ends.city.seal(answer, COUNTY)
    assert len(token) + envelope.MAXIMUM_HEADER * 4 // 3 < envelope.MAXIMUM_TOKEN


async def late(ends: Ends) -> Recoverer:
    """The county went on without the city, which holds an item of it and has facts for it."""
    county, city = ends.county.room, ends.city.room
    backup = await restoring.back_up(ends.county)
    item = await county.registered()
    await forwarding.forward_up(county.desk, county.editor, item)
    await ends.exchange()
    await decisions.register(city.desk, city.editor, item)
    await ends.exchange()
    recoverer = await restoring.restore(ends.county, backup)
    await restoring.waive(ends.county, CITY)
    await restoring.run(recoverer.step)
    assert await restoring.is_recovered(ends.county)
    return recoverer


async def test_what_a_waived_neighbour_brings_at_last_is_entered_and_leaves_no_rows(
    ends: Ends,
) -> None:
    recoverer = await late(ends)
    await restoring.recover(ends, recoverer)
    assert await ends.county.items() == 1
    assert await restoring.returned(ends.county) == 0


async def test_a_number_that_was_given_out_again_stays_with_the_later_item(ends: Ends) -> None:
    county = ends.county.room
    recoverer = await late(ends)
    later = await county.registered()
    await restoring.recover(ends, recoverer)
    items = {item.id: item for item in (await reading.list_items(county.desk, county.editor)).rows}
    number = items.pop(later).number
    assert [item.number for item in items.values()] == [None]
    [earlier] = items
    view = await reading.view(county.desk, county.editor, earlier)
    assert next(e.data["number"] for e in view.timeline if e.kind == "registered") == number
    # People go on with it all the same.
    await decisions.close(county.desk, county.editor, earlier)


async def test_while_the_epoch_lasts_rows_stay_that_say_what_was_answered(ends: Ends) -> None:
    county = ends.county.room
    backup = await restoring.back_up(ends.city)
    item = await county.registered()
    await forwarding.forward_up(county.desk, county.editor, item)
    await ends.exchange()
    await decisions.register(ends.city.room.desk, ends.city.room.editor, item)
    await ends.exchange()
    recoverer = await restoring.restore(ends.city, backup)
    # 西山 is off: the epoch stays open.
    await restoring.recover(ends, recoverer)
    assert await restoring.returned(ends.city) == 2
    with pytest.raises(RecoveringError):
        await decisions.adopt(ends.city.room.desk, ends.city.room.editor, item)
    await restoring.waive(ends.city, SIBLING)
    await restoring.recover(ends, recoverer)
    assert await ends.city.room.state(item) == "registered"
    assert await restoring.returned(ends.city) == 0


def forbid_writing(end: End, monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on, whoever opens a writing session fails."""

    class Forbidden:
        def begin(self) -> Any:
            raise AssertionError("this node has nothing to write")

    monkeypatch.setattr(end.room.database, "writing", Forbidden())


async def test_a_node_that_was_never_restored_only_reads(
    ends: Ends, monkeypatch: pytest.MonkeyPatch
) -> None:
    forbid_writing(ends.county, monkeypatch)
    assert not await Recoverer(ends.county.room.desk).step()


async def test_a_node_that_has_recovered_only_reads_until_it_asks_the_waived_one_again(
    ends: Ends, monkeypatch: pytest.MonkeyPatch
) -> None:
    recoverer = await late(ends)
    with monkeypatch.context() as patch:
        forbid_writing(ends.county, patch)
        assert not await recoverer.step()
    ends.wait(ASK_AGAIN.total_seconds())
    assert await recoverer.step()
    await restoring.recover(ends, recoverer)
    forbid_writing(ends.county, monkeypatch)
    ends.wait(ASK_AGAIN.total_seconds())
    assert not await recoverer.step()
